#!/bin/bash
# SPDX-License-Identifier: ISC
# The ways mail takes through OpenSMTPD and us: whose recipients are looked up, mail of this host's users, bounces, forwards, another
# source address and name; policies that change while mail waits; a store that cannot be read.
#
#	OPENSMTPDS	which to use, default both
# shellcheck source-path=SCRIPTDIR source=lib/opensmtpd.sh
. "$(dirname "$0")/lib/opensmtpd.sh"
# shellcheck disable=SC2154 # what runs the tests sets it
[ -n "$program" ] || { echo "1..0 # SKIP no filter-mtasts below $stage"; exit 77; }

# asked DOMAIN: how often a policy of it was asked for since listen
asked() {
	"$top/lab/log" --since "$mark" --count dns "name=_mta-sts.$1.example" type=TXT
}

# How each of these fared: "outcome way", one a line
fared() {
	local to
	for to; do echo "$(outcome "$to") $(via "$to")"; done
}

# Strangers do not make us look up anything; who has logged in does, and is refused at once what cannot be.
clients() {
	forget
	stranger -s 198.19.0.1:25 u@slow2.example alice@sender.example
	is "$smtpd: a stranger" "$(answers)" "$(printf '%s\n' 'u@slow2.example 550 Invalid recipient: <u@slow2.example>' \
	    'alice@sender.example 250 2.1.5 Destination address valid: Recipient ok' 'data 250 2.0.0 accepted')"
	is "$smtpd: a stranger: nothing is looked up" "$(asked slow2) $(asked sender)" '0 0'
	submit -- 'u@[198.18.25.1]'
	settled 20 'u@[198.18.25.1]'
	is "$smtpd: an address for a domain" "$(fared 'u@[198.18.25.1]')" 'delivered native'
	# Debian 12's has no TLS server: OpenSMTPD 6.8 cannot have one with OpenSSL 3
	[ "$smtpd" != bookworm ] || return
	stranger -s -u alice:wonderland 198.19.0.1:587 u@badmx.example u@good.example
	is "$smtpd: who has logged in" "$(answers)" "$(printf '%s\n' \
	    "u@badmx.example 550 5.4.8 MX hosts of 'badmx.example' failed MTA-STS validation." \
	    'u@good.example 250 2.1.5 Destination address valid: Recipient ok' 'data 250 2.0.0 accepted')"
	settled 20 u@good.example
	gather
	is "$smtpd: who has logged in: the good one" "$(fared u@good.example)" 'delivered relay'
}

# Domains of one's own are nobody's business.
own_domains() {
	forget
	submit -- alice@sender.example
	is "$smtpd: own domain: looked up" "$(($(asked sender) > 0))" 1
	settings 'local_domains = sender.example'
	restart
	run "$mtasts" cache drop sender.example >"$got/drop" 2>&1
	forget
	submit -- alice@sender.example
	is "$smtpd: own domain: named, not looked up" "$(asked sender)" 0
	settings
	restart
}

local_mail() {
	forget
	sendmail u@good.example
	sendmail u@nopol.example
	settled 20 u@good.example u@nopol.example
	is "$smtpd: by the socket" "$(fared u@good.example u@nopol.example)" $'delivered relay\ndelivered native'
	sendmail u@badmx.example
	gather
	like "$smtpd: by the socket: refused" "$(cat "$got/log")" "550 5\\.4\\.8 MX hosts of 'badmx\\.example' failed"
	is "$smtpd: by the socket: nobody has it" "$(taken u@badmx.example)" -
	end
	sendmail v@good.example # smtpd is not there: it waits in the spool
	begin
	settled 20 v@good.example
	is "$smtpd: from the offline spool" "$(fared v@good.example)" 'delivered relay'
}

bounces() {
	forget
	submit -f bob@good.example -- u@rcpt550.example
	submit -f bob@nopol.example -- u@rcpt550.example
	submit -f bob@wrongname.example -- u@rcpt550.example
	settled 30 bob@good.example bob@nopol.example bob@wrongname.example
	gather
	is "$smtpd: bounces" "$(fared bob@good.example bob@nopol.example bob@wrongname.example)" \
	    $'delivered relay\ndelivered native\ndeferred relay'
	like "$smtpd: bounces: of nobody" "$(grep ' event=accepted ' "$got/smtp")" ' sender=(<>)? rcpt=bob@good\.example '
}

# domains that the filter never sees
forwards() {
	forget
	printf '%s\n' u@cname.example u@expired.example >"$root/home/alice/.forward"
	chown 1000:1000 "$root/home/alice/.forward"
	submit -- alice@sender.example
	settled 20 u@cname.example u@expired.example
	gather
	is "$smtpd: .forward" "$(fared u@cname.example u@expired.example)" $'delivered relay\ndeferred relay'
	rm "$root/home/alice/.forward"
}

# What the action says of itself holds at the MX host too.
source_and_name() {
	ip -n "$LAB_NAME-sender" addr add 198.19.1.1/32 dev lo
	ip -n "$LAB_NAME-world" route add 198.19.1.1 via 198.19.0.1
	relay='src 198.19.1.1 helo out.sender.example'
	configure split
	restart
	send u@good.example
	is "$smtpd: src and helo" "$(grep -E ' event=(connect|ehlo) host=mx1\.good\.example' "$got/smtp" | grep -oE ' (from|name)=[^ ]+' | sort -u)" \
	    $' from=198.19.1.1\n name=out.sender.example'
	relay=
	configure split
	restart
	ip -n "$LAB_NAME-world" route del 198.19.1.1 via 198.19.0.1
	ip -n "$LAB_NAME-sender" addr del 198.19.1.1/32 dev lo
}

# changed DOMAIN COLUMN=WORD...: in the lab, and here; not as an attempt would see it, which may believe for a minute what it was told
changed() {
	"$top/lab/publish" "$@"
	run bash -c "$mtasts cache drop $1.example; $mtasts lookup --recheck $1.example" >"$got/lookup" 2>&1
}

# The relay goes by the policy of each attempt; what was matched when it was queued stays as it was.
changes() {
	changed relayed policy=enforce mail=wrongname id=10
	changed relayed2 policy=- mail=rcpt450 record=-
	send u@relayed.example u@relayed2.example
	is "$smtpd: before the change" "$(fared u@relayed.example u@relayed2.example)" $'deferred relay\ndeferred native'
	changed relayed policy=none id=11
	changed relayed2 policy=enforce mail=wrongname id=11
	restart # it has its own connection to the host that has changed
	again u@relayed.example u@relayed2.example
	is "$smtpd: enforce is none now" "$(fared u@relayed.example)" 'delivered relay'
	is "$smtpd: split form: none is enforce now, which mail in the queue does not know" "$(fared u@relayed2.example)" 'delivered native'
	configure strict
	restart
	changed relayed2 policy=none mail=rcpt450 id=12
	send u@relayed2.example
	is "$smtpd: strict form: before the change" "$(fared u@relayed2.example) $(said u@relayed2.example)" 'deferred relay 450 4.2.1 mailbox busy'
	changed relayed2 policy=enforce mail=wrongname id=13
	again u@relayed2.example
	is "$smtpd: strict form: none is enforce now" "$(fared u@relayed2.example) $(taken u@relayed2.example)" 'deferred relay -'
	changed relayed2 mail=good
	again u@relayed2.example
	is "$smtpd: strict form: and its host is good" "$(fared u@relayed2.example) $(taken u@relayed2.example)" \
	    'delivered relay mx.relayed2/TLSv1.3/mx.relayed2'
	configure split
	restart
	changed relayed policy=enforce mail=good id=14
}

unknown() {
	settings 'on_unknown = defer'
	restart
	send u@t45servfail.example
	like "$smtpd: unknown: deferred" "$(fared u@t45servfail.example) $(said u@t45servfail.example)" '^deferred relay 451 4\.4\.3 '
	settings
	restart
	again u@t45servfail.example
	is "$smtpd: unknown: delivered" "$(fared u@t45servfail.example)" 'delivered relay'
}

# Without a store only a policy that is fetched now says anything: what has none waits, and smtpd goes on.
no_store() {
	local mode
	mode=$(stat -c %a "$root/var/lib/mtasts")
	end
	chmod 0 "$root/var/lib/mtasts"
	begin
	send u@good.example u@wrongname.example u@nopol.example
	is "$smtpd: no store" "$(fared u@good.example u@wrongname.example u@nopol.example)" $'delivered relay\ndeferred relay\ndeferred relay'
	is "$smtpd: no store: who has it" "$(taken u@good.example) $(taken u@wrongname.example) $(taken u@nopol.example)" \
	    'mx1.good/TLSv1.3/mx1.good - -'
	is "$smtpd: no store: why" "$(said u@nopol.example)" '451 4.3.0 MTA-STS state of this host is unreadable'
	chmod "$mode" "$root/var/lib/mtasts"
	sleep 2 # it is looked for once a second
	forget
	submit -- v@nopol.example
	settled 20 v@nopol.example
	is "$smtpd: the store is back" "$(fared v@nopol.example)" 'delivered native'
}

parts=${*:-clients own_domains local_mail bounces forwards source_and_name changes unknown no_store}
for opensmtpd in $OPENSMTPDS; do
	use "$opensmtpd"
	configure split
	begin
	# shellcheck disable=SC2086 # words
	each $parts
	end
done
tap_done
