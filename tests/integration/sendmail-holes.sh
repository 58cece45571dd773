#!/bin/bash
# SPDX-License-Identifier: ISC
# The ways by which mail would slip past a policy in sendmail, and those by which a policy would hold up mail it is not
# about.  A hole is tried twice: with our feature, when the mail must not get through, and without, when
# it must: else the test would prove nothing.  "bypass", "collateral" and "wildcard" are what stock FEATURE(`sts') gets wrong.
# shellcheck source-path=SCRIPTDIR source=lib/sendmail.sh
. "$(dirname "$0")/lib/sendmail.sh"
[ -n "$mtasts" ] || { echo "1..0 # SKIP no mtasts below $stage"; exit 77; }
SENDMAILS=${SENDMAILS:-hook new}

# Whether a host took mail for the domain
took() {
	accepted | grep -q "^[^ ]*@$1\\.example "
}

# refused NAME DOMAIN: mail for the domain is deferred, and nobody has it
refused() {
	if took "$2"; then
		fail "$sendmail: $1" "mail for $2 got through" "$(story)"
	elif [ "$(outcome "[^ ]*@$2.example")" != deferred ]; then
		fail "$sendmail: $1" "not deferred: $(outcome "[^ ]*@$2.example")" "$(story)"
	else
		pass "$sendmail: $1"
	fi
}

# passed NAME DOMAIN
passed() {
	if took "$2"; then pass "$sendmail: $1"; else fail "$sendmail: $1" "mail for $2 did not get through" "$(story)"; fi
}

# hole NAME ATTACK DOMAIN [LINE...]: ATTACK tries to get mail for DOMAIN through; the lines are an administrator's
hole() {
	local name=$1 attack=$2 domain=$3 feature=$feature
	shift 3
	configure "$@"
	"$attack"
	refused "$name" "$domain"
	feature=
	configure "$@"
	"$attack"
	passed "$name: open without us" "$domain"
}

# for_domain: mail to the domain of the hole
for_domain() {
	# shellcheck disable=SC2154 # of hole, who calls this
	send "u@$domain.example"
}

bypass() { send u@shareb.example u@sharea.example; }

# A message each, in one process, over a connection that is kept
cached() {
	forget
	queue u@shareb.example
	queue u@sharea.example
	queue_run -OConnectionCacheTimeout=1m -OConnectionCacheSize=2
}

holes() {
	hole 'bypass: one without a policy first' bypass sharea
	hole 'bypass: cached connection' cached sharea
	configure
	cached
	is "$sendmail: cached connection: it was one" "$(grep -c ' event=connect .*host=mx\.shared\.' "$got/smtp")" 1
	is "$sendmail: cached connection: a record for each domain" "$(records | sort)" "$(printf '%s\n' \
	    'no-policy-found mx.shared.example certificate-not-trusted' 'sts mx.shared.example certificate-not-trusted')"
	send u@sharea.example u@shareb.example
	passed 'collateral: one with a policy first' shareb
	refused 'collateral: and it is refused' sharea
	send u@wild.example
	passed wildcard wild

	hole 'no STARTTLS' for_domain notls
	hole 'certificate of nobody' for_domain selfsigned
	hole 'name in the CN only' for_domain cnonly
	# OpenSSL would not have it either, if it were not told to
	hole 'TLS 1.1' for_domain tls11 "define(\`confCIPHER_LIST', \`ALL:@SECLEVEL=0')"
	is "$sendmail: TLS 1.1: and there was a session" "$(accepted)" 'u@tls11.example mx.tls11.example TLSv1.1'
	hole 'MX outside the policy' for_domain badmx
	configure

	# sendmail would deliver to where a CNAME leads, under the policy of that.
	"$top/lab/publish" cdombad names=cname:nopol
	send u@cdombad.example
	refused 'CNAME evasion' cdombad
	configure LOCAL_CONFIG 'O DontExpandCnames=False'
	send u@cdombad.example
	refused 'CNAME evasion: our option has the last word' cdombad
	sed -i '/^O DontExpandCnames=True/d' "$root/etc/mail/sendmail.cf"
	send u@cdombad.example
	passed 'CNAME evasion: open without our option' nopol
	"$top/lab/publish" cdombad names=cname:badmx

	# Tried when the MX hosts fail: to be judged like them
	hole FallbackMXhost for_domain expired "define(\`confFALLBACK_MX', \`evil.attacker.example')"
	printf 'Try_TLS:%s NO\n' mx1.good.example >"$root/etc/mail/access"
	hole 'access map, Try_TLS' for_domain good "FEATURE(\`access_db', \`text -k0 -v1 -T<TMPF> /etc/mail/access')"
	hole TLSFallbacktoClear for_domain m33 "define(\`confTLS_FALLBACK_TO_CLEAR', \`true')"
}

# Other next hops: the policy is that of the next hop, brackets or not.
routes() {
	local brackets
	for hop in relay '[relay'; do
		brackets=${hop%relay}
		configure "define(\`SMART_HOST', \`$hop.example${brackets:+]}')"
		send u@badmx.example v@nopol.example
		is "$sendmail: R3.4.1: smart host $brackets" "$(accepted | sort)" "$(printf '%s\n' 'u@badmx.example relay.example TLSv1.3' \
		    'v@nopol.example relay.example TLSv1.3')"
		is "$sendmail: R3.4.1: smart host $brackets: its record" "$(records)" 'sts relay.example success'
		configure "define(\`SMART_HOST', \`${brackets}badrelay.example${brackets:+]}')"
		send u@nopol.example
		is "$sendmail: R3.4.1: smart host $brackets with a bad certificate" "$(outcome) $(accepted)$(records)" \
		    'deferred sts badrelay.example certificate-host-mismatch'
	done
	configure "define(\`SMART_HOST', \`[198.18.25.3]')"
	send u@badmx.example
	is "$sendmail: smart host by address: no policy" "$(outcome) $(accepted)$(records)" \
	    "delivered $(accepted)"

	printf '%s\n' 'badmx.example smtp:good.example' 'nopol.example esmtp:selfsigned.example' 'badrelay.example esmtp:[relay.example]' \
	    'good.example esmtp:[badrelay.example]' >"$root/etc/mail/mailertable"
	configure "FEATURE(\`mailertable', \`text -k0 -v1 /etc/mail/mailertable')"
	send u@badmx.example
	is "$sendmail: mailertable" "$(outcome) $(accepted)" 'delivered u@badmx.example mx1.good.example TLSv1.3'
	send u@nopol.example
	is "$sendmail: mailertable: next hop with a policy" "$(outcome) $(accepted)" 'deferred '
	send u@badrelay.example
	is "$sendmail: mailertable with brackets" "$(outcome) $(accepted)" 'delivered u@badrelay.example relay.example TLSv1.3'
	send u@good.example
	is "$sendmail: mailertable with brackets: next hop with a policy" "$(outcome) $(accepted)" 'deferred '

	# A host for all that cannot be reached, where no policy forbids it
	configure "define(\`confFALLBACK_MX', \`evil.attacker.example')"
	"$top/lab/publish" nopol mail=down
	send u@nopol.example
	is "$sendmail: FallbackMXhost without a policy" "$(outcome) $(accepted)" 'delivered u@nopol.example evil.attacker.example TLSv1.3'
	"$top/lab/publish" nopol mail=selfsigned
	settings 'bounce_after = 0s'
	send u@down.example
	is "$sendmail: FallbackMXhost is no failure of the policy" "$(outcome) $(accepted)" 'deferred '
	settings
}

# Many recipients, several domains
crowds() {
	local recipients=() i
	configure
	for i in $(seq 50); do recipients+=("u$i@good.example"); done
	send "${recipients[@]}"
	is "$sendmail: 50 recipients" "$(accepted | wc -l) $(records)" '50 sts mx1.good.example success'
	send "${recipients[@]/%good.example/selfsigned.example}"
	is "$sendmail: 50 recipients, refused" "$(accepted | wc -l) $(records)" '0 sts mx.selfsigned.example certificate-not-trusted'
	is "$sendmail: 50 recipients, refused: all wait" "$(grep -c '^RPFD:u' "$got/queue")" 50

	settings 'bounce_after = 0s'
	send a@good.example b@badmx.example c@selfsigned.example d@nopol.example e@halfdown.example f@good.example
	is "$sendmail: several domains: taken" "$(accepted | cut -d ' ' -f 1,2 | sort)" "$(printf '%s\n' 'a@good.example mx1.good.example' \
	    'd@nopol.example mx.nopol.example' 'f@good.example mx1.good.example')"
	is "$sendmail: several domains: bounced" "$(dsn Status b@badmx.example) $(dsn Status c@selfsigned.example)" '5.4.8 5.7.5'
	is "$sendmail: several domains: waits" "$(grep '^RPFD:' "$got/queue")" 'RPFD:e@halfdown.example'
	settings
}

# What is final, and what is not
bounces() {
	configure
	"$top/lab/publish" backup policy=enforce:mx,mx2 mx=10:mx,20:mx2 mail=wrongname,alert
	"$top/lab/publish" mixtw policy=enforce:mx1,mx2 mail=alert,good
	settings 'bounce_after = 0s'
	send u@mixtw.example
	is "$sendmail: handshake fails, next MX" "$(outcome) $(accepted)" 'delivered u@mixtw.example mx2.mixtw.example TLSv1.3'
	is "$sendmail: handshake fails, next MX: records" "$(records | paste -sd,)" \
	    'sts mx1.mixtw.example validation-failure,sts mx2.mixtw.example success'
	send u@backup.example
	is "$sendmail: handshake fails at the last MX: bounced" "$(dsn Action) $(dsn Status)" 'failed 5.7.5'
	send u@m33.example v@m33.example
	is "$sendmail: handshake fails: all recipients" "$(dsn Status u@m33.example) $(dsn Status v@m33.example) $(records)" \
	    '5.7.5 5.7.5 sts mx.m33.example validation-failure'

	# Fetched anew first, what is old enough by now; some have changed.
	settings 'bounce_after = 1h'
	send u@expired.example
	forget
	for domain in wrongname cnonly tls11 expired; do queue "u@$domain.example"; done
	run "$mtasts" lookup wrongname.example cnonly.example tls11.example expired.example >"$got/lookup" 2>&1
	sleep 11
	aged 3500
	"$top/lab/publish" wrongname policy=testing record=id=2
	"$top/lab/publish" cnonly https=closed
	"$top/lab/publish" tls11 record=servfail
	queue_run
	is "$sendmail: bounce_after: a little younger" "$(outcome u@expired.example)" deferred
	aged 200
	queue_run
	is "$sendmail: bounce_after: a little older" "$(dsn Status u@expired.example)" 5.7.5
	is "$sendmail: testing now: delivered" "$(outcome u@wrongname.example)" delivered
	is "$sendmail: policy host down, nothing was rechecked" "$(outcome u@cnonly.example)$(dsn Action u@cnonly.example)" deferred
	is "$sendmail: DNS fails, nothing was rechecked" "$(outcome u@tls11.example)$(dsn Action u@tls11.example)" deferred
	"$top/lab/publish" wrongname policy=enforce record=id=3
	"$top/lab/publish" cnonly https=ok
	"$top/lab/publish" tls11 record=id=1
	settings
	store_anew
}

# Ways to run it
manners() {
	configure "define(\`confHOST_STATUS_DIRECTORY', \`/var/spool/hoststat')"
	install -d -m 700 "$root/var/spool/hoststat"
	send u@sharea.example
	refused 'HostStatusDirectory' sharea
	send u@shareb.example
	passed 'HostStatusDirectory: another domain at the host' shareb
	send u@m33.example
	send v@m33.example
	is "$sendmail: HostStatusDirectory: failed handshakes" "$(outcome) $(accepted)" 'deferred '
	rm -rf "$root/var/spool/hoststat"

	configure "define(\`confRUN_AS_USER', \`smmta:mtasts')"
	chown 994 "$root/var/spool/mqueue"
	send u@good.example
	is "$sendmail: RunAsUser" "$(outcome) $(accepted)$(records)" \
	    'delivered u@good.example mx1.good.example TLSv1.3sts mx1.good.example success'
	send u@selfsigned.example
	refused 'RunAsUser: certificate of nobody' selfsigned
	chown 0 "$root/var/spool/mqueue"

	# A daemon forks for each message; a persistent queue runner sees many.
	configure "define(\`confMIN_QUEUE_AGE', \`0')"
	forget
	daemon -odb
	deliver_by_smtp u@good.example u@selfsigned.example u@good.example
	await_lines 3
	end_daemon
	is "$sendmail: daemon" "$(accepted)" "$(printf '%s\n' 'u@good.example mx1.good.example TLSv1.3' 'u@good.example mx1.good.example TLSv1.3')"
	refused 'daemon: certificate of nobody' selfsigned
	forget
	queue u@good.example
	queue u@selfsigned.example
	queue v@good.example
	daemon -qp1s
	await_lines 5
	end_daemon
	is "$sendmail: persistent queue runner" "$(accepted | sort)" "$(printf '%s\n' 'u@good.example mx1.good.example TLSv1.3' \
	    'v@good.example mx1.good.example TLSv1.3')"
	refused 'persistent queue runner: certificate of nobody' selfsigned
	is "$sendmail: persistent queue runner: no error" "$(grep '^<19>' "$got/syslog")" ''
}

# deliver_by_smtp RECIPIENT...: a message to each over one connection to the daemon
deliver_by_smtp() {
	ip netns exec "$LAB_NAME-world" /usr/bin/python3 - "$@" <<-'END'
	import smtplib, sys
	with smtplib.SMTP("198.19.0.1", 25, "world.example", 60) as smtp:
	    for recipient in sys.argv[1:]:
	        smtp.sendmail("alice@sender.example", [recipient], "Subject: test\n\nA test.\n")
	END
}

# await_lines N: waits until there are so many lines about attempts, for 20 s at most; and gathers
await_lines() {
	for _ in $(seq 200); do
		[ "$(grep -c ' mailer=esmtp, .* stat=[SD]e' "$root/tmp/syslog")" -lt "$1" ] || break
		sleep 0.1
	done
	gather
}

# A store as init makes it
store_anew() {
	find "$root/var/lib/mtasts" -mindepth 1 -delete
	store
}

# What is out of order on this host: mail waits, and there is a line that says why.
faults() {
	configure
	# out_of_order NAME [DOMAIN]
	out_of_order() {
		local domain=${2:-selfsigned}
		send "u@$domain.example"
		refused "$1" "$domain"
		like "$sendmail: $1: its status" "$(log_of "u@$domain.example")" ' stat=Deferred: 451 4\.3\.0 '
		like "$sendmail: $1: an error in the log" "$(cat "$got/syslog")" '^<19>.* mtasts: '
	}
	# what an administrator asks, to see whether we are there
	asked() {
		echo '/map mtasts rcpt' | program -bt 2>&1
	}
	find "$root/var/lib/mtasts" -mindepth 1 -delete
	out_of_order 'store never initialised' nopol
	send u@selfsigned.example
	refused 'store never initialised, policy fetched' selfsigned
	like "$sendmail: store never initialised: what to do" "$(cat "$got/syslog")" 'mtasts init'
	settings 'cache_fault = deliver'
	send u@nopol.example
	is "$sendmail: store never initialised, cache_fault = deliver" "$(outcome)" delivered
	settings
	store_anew
	run "$mtasts" lookup selfsigned.example >"$got/lookup" 2>&1
	dd bs=4096 seek=1 count=8 conv=notrunc status=none if=/dev/zero of="$root/var/lib/mtasts/policies.db"
	rm -f "$root"/var/lib/mtasts/policies.db-*
	"$top/lab/publish" selfsigned record=servfail
	out_of_order 'store damaged'
	"$top/lab/publish" selfsigned record=id=1
	store_anew
	like "$sendmail: -bt: all is well" "$(asked)" 'returns E:451:4\.3\.0:.*asked of no recipient'
	settings 'helper_directory = /nowhere'
	out_of_order 'no helpers'
	settings 'no_such_key = 1'
	like "$sendmail: -bt: bad mtasts.conf" "$(asked)" 'returns E:451:4\.3\.0:.*out of order'
	out_of_order 'bad mtasts.conf'
	like "$sendmail: bad mtasts.conf: where" "$(cat "$got/syslog")" 'mtasts\.conf:[0-9]+: '
	settings

	# What is known stands, whatever cannot be asked now.
	run "$mtasts" lookup selfsigned.example >"$got/lookup" 2>&1
	"$top/lab/publish" selfsigned record=servfail https=closed
	send u@selfsigned.example
	refused 'DNS fails, policy cached' selfsigned
	"$top/lab/publish" selfsigned record=id=1 https=ok
}

for sendmail in $SENDMAILS; do
	use "$sendmail"
	holes
	routes
	crowds
	bounces
	manners
	faults
done

# A configuration that names us under a sendmail that knows nothing of us
ours=$feature feature=
use debian
feature=$ours
configure
send u@good.example
is 'no map class: nobody takes mail' "$(accepted)" ''
like 'no map class: what is missing' "$(cat "$got/output" "$got/syslog")" 'class mtasts not available'
tap_done
