#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Debian's Postfixes with `mtasts socketmap` for their smtp_tls_policy_maps: what they deliver, to whom, and what they keep.  And that
# without the map, and with one that hands wildcards on, mail goes where it must not.
#
#	stage		what "make install" made, with a prefix below it
#	POSTFIXES	which to use, default both
# shellcheck source-path=SCRIPTDIR source=lib/lab.sh
. "$(dirname "$0")/lib/lab.sh"
# shellcheck source-path=SCRIPTDIR source=lib/server.sh
. "$top/tests/integration/lib/server.sh"
# shellcheck source-path=SCRIPTDIR source=lib/socketmap.sh
. "$top/tests/integration/lib/socketmap.sh"
mtasts=$(installed bin/mtasts)
[ -n "$mtasts" ] || bail "not installed: mtasts"

# use NAME: a fresh instance of it
use() {
	instance "$1"
	socketmap=("$top/tests/servers/run" "$1" "$mtasts" socketmap)
	# shellcheck disable=SC2154 # lib/server.sh sets root
	spool=$root/var/spool/postfix
}

# What it started itself ends with it
at_end() {
	[ -z "${server:-}" ] || run postfix stop >"$work/stop" 2>&1
}

# configure [LINE...]: Postfix with these lines in main.cf, started, nothing in its queue
configure() {
	run bash -c 'postfix stop; postsuper -d ALL' >"$work/stop" 2>&1
	cp "$LAB_DIR/pki/ca.pem" "$root/etc/ca.pem"
	# in what its processes are confined to
	mkdir -p "$spool/etc"
	cp -L "$root/etc/services" "$LAB_DIR/resolv.conf" "$spool/etc"
	cat >"$root/etc/postfix/main.cf" <<-END
	compatibility_level = 3.6
	myhostname = mail.sender.example
	mydestination =
	inet_interfaces = 198.19.0.1
	maillog_file = /var/log/mail.log
	smtp_tls_CAfile = /etc/ca.pem
	smtp_tls_loglevel = 1
	smtp_connect_timeout = 5s
	smtp_helo_timeout = 5s
	alias_maps =
	END
	printf '%s\n' "$@" >>"$root/etc/postfix/main.cf"
	: >"$root/var/log/mail.log"
	run postfix start >"$work/start" 2>&1 || bail "Postfix does not start: $(cat "$work/start" "$root/var/log/mail.log")"
}

# send RECIPIENT...: a message for each, all at once, and waits until Postfix has said what became of them
send() {
	local recipient waiting
	# what it remembers of hosts that gave no answer
	: >"$root/var/log/mail.log"
	# shellcheck disable=SC2016 # the inner shell expands them
	run bash -c 'for r; do printf "Subject: test\n\nA test.\n" | sendmail -i -f alice@sender.example "$r"; done' send "$@" >"$work/output" 2>&1
	for _ in $(seq 300); do
		waiting=
		for recipient; do [ -n "$(status_of "$recipient")" ] || waiting=1; done
		[ -n "$waiting" ] || return 0
		sleep 0.1
	done
}

# status_of RECIPIENT: the last line of the log about it
status_of() {
	grep -F " to=<$1>," "$root/var/log/mail.log" | grep ' status=' | tail -n 1
}

# outcome RECIPIENT: "delivered HOST/LEVEL", LEVEL being Postfix's word for the connection, or "deferred", "bounced", "lost"
outcome() {
	local line host
	line=$(status_of "$1")
	case $line in
	*' status=sent '*)
		host=$(sed -E 's/.* relay=([^[]*)\[.*/\1/' <<<"$line")
		echo "delivered $host/$(sed -nE "s/.*: ([A-Z][a-z]+) TLS connection established to ${host//./\\.}\\[.*/\\1/p" "$root/var/log/mail.log" |
			tail -n 1 | grep . || echo -)"
		;;
	*' status=deferred '*) echo deferred ;;
	*' status=bounced '*) echo bounced ;;
	*) echo lost ;;
	esac
}

# outcomes NAME: reads "DOMAIN OUTCOME" lines, sends a message to each domain, compares; deferred is taken by nobody
outcomes() {
	local name="$server: $1" domain wanted domains=() wanteds=() i became mark
	while read -r domain wanted; do
		domains+=("$domain") wanteds+=("$wanted")
	done < <(sed -E 's/ *#.*//; /^$/d')
	mark=$("$top/lab/log" --mark)
	send "${domains[@]/%/.example}"
	"$top/lab/log" --since "$mark" smtp event=accepted >"$work/accepted"
	for i in "${!domains[@]}"; do
		domain=${domains[i]}
		became=$(outcome "$domain.example")
		if [ "$became" != "${wanteds[i]}" ]; then
			fail "$name: $domain" "wanted: ${wanteds[i]}" "got:    $became" "$(grep -F "$domain.example" "$root/var/log/mail.log" | tail -n 5)" \
				"$(tail -n 3 "$work/map.log")"
		elif [ "$became" = deferred ] && grep -q " rcpt=$domain.example " "$work/accepted"; then
			fail "$name: $domain" "deferred, and yet a host took it"
		else
			pass "$name: $domain: ${wanteds[i]}"
		fi
	done
}

# The line that those who used postfix-mta-sts-resolver have in their main.cf
map='smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix'

enforced() {
	serve
	configure 'smtp_tls_security_level = may' "$map"
	outcomes enforced <<-'END'
	u@good        delivered mx1.good.example/Verified
	u@wrongname   deferred
	u@selfsigned  deferred
	u@expired     deferred
	u@notls       deferred
	u@st454       deferred
	u@tls11       deferred
	u@badmx       deferred
	u@m30         delivered mx.m30.example/Verified  # its certificate comes only with SNI
	u@m33         deferred
	u@mixed       delivered mx2.mixed.example/Verified
	u@mixmx       delivered mx2.mixmx.example/Verified
	u@aonly       delivered aonly.example/Verified
	u@wild        delivered a.wild.example/Verified
	u@wilds       delivered mx1.wilds.example/Verified
	u@deep        deferred
	u@wildnone    deferred
	u@wildmx      deferred
	u@tgood       delivered mx.tgood.example/Trusted
	u@tself       delivered mx.tself.example/Untrusted
	u@tnotls      delivered mx.tnotls.example/-
	u@tbadmx      delivered evil.attacker.example/Trusted
	u@none        delivered mx.none.example/Untrusted
	u@nopol       delivered mx.nopol.example/Untrusted
	u@nopol2      delivered mx.nopol2.example/-
	u@s404        delivered mx.s404.example/Trusted
	u@t45servfail delivered mx.t45servfail.example/Trusted
	u@mxattr      delivered mx.mxattr.example/Untrusted  # a policy that is none
	u@sharea      deferred
	u@shareb      delivered mx.shared.example/Untrusted
	END
	is "$server: what deferred mail is told" "$(status_of u@wrongname.example | sed -E 's/.*status=deferred \((.*)\)/\1/')" \
		'Server certificate not verified'

	# the check that the documents of all three daemons name
	is "$server: postmap -q" "$(run postmap -q good.example socketmap:inet:127.0.0.1:8461:postfix)" 'secure match=mx1.good.example servername=hostname'
	is "$server: postmap -q, nothing" "$(run postmap -q nopol.example socketmap:inet:127.0.0.1:8461:postfix 2>&1; echo $?)" 1
	like "$server: postmap -q, for now" "$(run postmap -q wildmx.example socketmap:inet:127.0.0.1:8461:postfix 2>&1; echo $?)" '^1$'
}

# A domain whose policy names two thousand hosts gets its mail as any other
many() {
	local body
	body='version:%20STSv1%0d%0amode:%20enforce%0d%0amax_age:%20604800%0d%0a'
	body+=$(for ((i = 0; i < 2000; i++)); do printf 'mx:%%20mx%s.many.example%%0d%%0a' "$i"; done)
	"$top/lab/publish" many.example "policy=raw:${body}mx:%20mx.many.example%0d%0a" >&2
	outcomes "2001 patterns" <<<'u@many delivered mx.many.example/Verified'
}

# Nobody answers: nothing goes out unprotected, and it goes out when somebody does
down() {
	stop
	outcomes "server down" <<-'END'
	u@good        deferred
	u@nopol       deferred
	u@selfsigned  deferred
	END
	serve
	run postqueue -f
	for _ in $(seq 100); do
		[ "$(outcome u@good.example)" != deferred ] && [ "$(outcome u@nopol.example)" != deferred ] && break
		sleep 0.1
	done
	is "$server: server back: good" "$(outcome u@good.example)" 'delivered mx1.good.example/Verified'
	is "$server: server back: nopol" "$(outcome u@nopol.example)" 'delivered mx.nopol.example/Untrusted'
	is "$server: server back: selfsigned" "$(outcome u@selfsigned.example)" deferred
	stop
}

# The lines that those who used postfix-tlspol have, and a socket in the file system
other_lines() {
	address=inet:8642@127.0.0.1
	serve
	configure 'smtp_dns_support_level = dnssec' 'smtp_tls_security_level = dane' 'smtp_tls_dane_insecure_mx_policy = dane' \
		'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8642:QUERY'
	outcomes QUERY <<-'END'
	u@good        delivered mx1.good.example/Verified
	u@wrongname   deferred
	u@nopol       delivered mx.nopol.example/Untrusted
	END
	configure 'smtp_tls_security_level = may' 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8642:QUERYwithTLSRPT'
	outcomes QUERYwithTLSRPT <<-'END'
	u@good        delivered mx1.good.example/Verified
	u@wrongname   deferred
	END
	# What stands before us in the list goes before us
	echo 'wrongname.example may' >"$root/etc/postfix/own"
	configure 'smtp_tls_security_level = may' "smtp_tls_policy_maps = texthash:/etc/postfix/own, socketmap:inet:127.0.0.1:8642:postfix"
	outcomes "a list of maps" <<-'END'
	u@wrongname   delivered mx.wrongname.example/Trusted
	u@expired     deferred
	END
	# A smart host is looked up by its own name
	configure 'smtp_tls_security_level = may' "$(sed s/8461/8642/ <<<"$map")" 'relayhost = [relay.example]:25'
	outcomes "smart host" <<<'u@nopol delivered relay.example/Verified'
	configure 'smtp_tls_security_level = may' "$(sed s/8461/8642/ <<<"$map")" 'relayhost = [badrelay.example]'
	outcomes "smart host, bad" <<<'u@nopol deferred'
	stop

	mkdir -p "$spool/mtasts"
	socketmap+=(-l unix:/var/spool/postfix/mtasts/socket)
	address=inet:8461@127.0.0.1
	serve
	unset 'socketmap[-1]' 'socketmap[-1]'
	chmod 666 "$spool/mtasts/socket"
	configure 'smtp_tls_security_level = may' 'smtp_tls_policy_maps = socketmap:unix:mtasts/socket:postfix'
	outcomes "unix socket" <<-'END'
	u@good        delivered mx1.good.example/Verified
	u@wrongname   deferred
	END
	stop
}

# What no map can do anything about: Postfix believes a common name where there is no other, and what it finds in a map takes the
# place of DANE.  These are the facts that mtasts-socketmap(1) warns of; a Postfix that does better fails here.
limits() {
	serve
	configure 'smtp_tls_security_level = dane' 'smtp_dns_support_level = dnssec'
	outcomes "limit: DANE without the map" <<-'END'
	u@dane        delivered mx.dane.example/Verified
	u@danebad     deferred
	END
	configure 'smtp_tls_security_level = dane' 'smtp_dns_support_level = dnssec' "$map"
	outcomes "limit: DANE with the map" <<-'END'
	u@dane        deferred
	u@danebad     delivered mx.danebad.example/Verified
	END
	echo 'danebad.example dane-only' >"$root/etc/postfix/own"
	configure 'smtp_tls_security_level = dane' 'smtp_dns_support_level = dnssec' 'smtp_tls_policy_maps = texthash:/etc/postfix/own, socketmap:inet:127.0.0.1:8461:postfix'
	outcomes "DANE in a map before ours" <<<'u@danebad deferred'
	outcomes "limit: a common name" <<<'u@cnonly delivered mx.cnonly.example/Verified'
	stop
}

# What the tests above are worth: without the map the same mail is taken, with a naive one some of it
controls() {
	configure 'smtp_tls_security_level = may'
	outcomes "without the map" <<-'END'
	u@good        delivered mx1.good.example/Trusted
	u@wrongname   delivered mx.wrongname.example/Trusted
	u@selfsigned  delivered mx.selfsigned.example/Untrusted
	u@expired     delivered mx.expired.example/Untrusted
	u@notls       delivered mx.notls.example/-
	u@badmx       delivered evil.attacker.example/Trusted
	u@mixed       delivered mx1.mixed.example/Trusted
	u@deep        delivered a.b.deep.example/Trusted
	u@wildnone    delivered evil.attacker.example/Trusted
	u@sharea      delivered mx.shared.example/Untrusted
	END
	# "*.deep.example" as the daemons before us wrote it
	echo 'deep.example secure match=.deep.example servername=hostname' >"$root/etc/postfix/naive"
	configure 'smtp_tls_security_level = may' 'smtp_tls_policy_maps = texthash:/etc/postfix/naive'
	outcomes "with match=.deep.example" <<<'u@deep delivered a.b.deep.example/Verified'
}

parts=${*:-enforced many down other_lines limits controls}
for postfix in ${POSTFIXES:-postfix postfix-trixie}; do
	at_end
	use "$postfix"
	for part in $parts; do $part; done
done
tap_done
