#!/bin/bash
# SPDX-License-Identifier: ISC
# Debian's own sendmail, not a byte of it changed, with FEATURE(`mtastsd') asking `mtasts socketmap': what it makes of each kind
# of mail host under each kind of policy, and which records RFC 8460 wants of it.  That it sends nothing where the server is away
# or the configuration is taken apart.  And that without the feature all of this goes wrong.
# shellcheck source-path=SCRIPTDIR source=lib/sendmail.sh
. "$(dirname "$0")/lib/sendmail.sh"
# shellcheck source-path=SCRIPTDIR source=lib/socketmap.sh
. "$top/tests/integration/lib/socketmap.sh"
[ -n "$mtasts" ] || { echo "1..0 # SKIP no mtasts below $stage"; exit 77; }

# domain, outcome, who took it (host/TLS/SNI), the records in order (type:mx:what), and for what we refuse the class of its
# status code and what we say for a reason; "nobody" where sendmail itself would not deliver either.  A certificate that is
# expired is one that is not trusted: sendmail tells its rulesets no more than verify=FAIL.
cases() {
	sed -E 's/ *#.*//; /^$/d' <<-'END'
	good        delivered  mx1.good/TLSv1.3/mx1.good         sts:mx1.good:success
	wild        delivered  a.wild/TLSv1.3/a.wild             sts:a.wild:success    # wildcard
	nopol       delivered  mx.nopol/TLSv1.3/mx.nopol         no-policy-found:mx.nopol:certificate-not-trusted
	nopol2      delivered  mx.nopol2/-/-                     no-policy-found:mx.nopol2:starttls-not-supported
	badmx       deferred   -                                 sts:evil.attacker:validation-failure               4.8
	mixmx       delivered  mx2.mixmx/TLSv1.3/mx2.mixmx       sts:evil2.attacker:validation-failure,sts:mx2.mixmx:success
	mixed       delivered  mx2.mixed/TLSv1.3/mx2.mixed       sts:mx1.mixed:certificate-host-mismatch,sts:mx2.mixed:success
	allbad      deferred   -                                 sts:mx1.allbad:certificate-host-mismatch,sts:mx2.allbad:certificate-not-trusted  7.5 certificate-host-mismatch
	selfsigned  deferred   -                                 sts:mx.selfsigned:certificate-not-trusted          7.5 certificate-not-trusted
	m27         deferred   -                                 sts:mx.m27:certificate-not-trusted                 7.5 certificate-not-trusted
	expired     deferred   -                                 sts:mx.expired:certificate-not-trusted             7.5 certificate-not-trusted
	notyet      deferred   -                                 sts:mx.notyet:certificate-not-trusted              7.5 certificate-not-trusted
	wrongname   deferred   -                                 sts:mx.wrongname:certificate-host-mismatch         7.5 certificate-host-mismatch
	cnonly      deferred   -                                 sts:mx.cnonly:certificate-host-mismatch            7.5 certificate-host-mismatch    # m25
	m24         deferred   -                                 sts:mx.m24:certificate-host-mismatch               7.5 certificate-host-mismatch
	m29         deferred   -                                 sts:mx.m29:certificate-host-mismatch               7.5 certificate-host-mismatch
	partial     deferred   -                                 sts:mx.partial:certificate-host-mismatch           7.5 certificate-host-mismatch    # m28
	notls       deferred   -                                 sts:mx.notls:starttls-not-supported                7.5 starttls-not-supported    # m31
	m31b        deferred   -                                 sts:mx.m31b:starttls-not-supported                 7.5 starttls-not-supported
	st454       deferred   -                                 sts:mx.st454:starttls-not-supported                7.5 starttls-not-supported    # m32
	m32b        deferred   -                                 sts:mx.m32b:starttls-not-supported                 - - nobody
	m33         deferred   -                                 sts:mx.m33:validation-failure                      - - nobody    # "handshake"
	m33b        deferred   -                                 sts:mx.m33b:validation-failure                     - - nobody
	tls11       deferred   -                                 sts:mx.tls11:validation-failure                    - - nobody    # m34
	m30         delivered  mx.m30/TLSv1.3/mx.m30             sts:mx.m30:success
	cname       delivered  real.hosting/TLSv1.3/alias.cname  sts:alias.cname:success
	aonly       delivered  aonly/TLSv1.3/aonly               sts:aonly:success    # m18
	deep        deferred   -                                 sts:a.b.deep:validation-failure                    4.8
	cdom        delivered  mx1.good/TLSv1.3/mx1.good         sts:mx1.good:success
	cdombad     deferred   -                                 sts:evil.attacker:validation-failure               4.8
	cdomnone    deferred   -                                 sts:mx.nopol:validation-failure                    4.8    # cname
	lured       deferred   -                                 sts:mx.lure:validation-failure                     4.8
	m21         deferred   -                                 sts:alias.m21:validation-failure                   4.8
	backupok    delivered  mx.backupok/TLSv1.3/mx.backupok   sts:mx.backupok:success
	tgood       delivered  mx.tgood/TLSv1.3/mx.tgood         sts:mx.tgood:success
	tself       delivered  mx.tself/TLSv1.3/mx.tself         sts:mx.tself:certificate-not-trusted
	texpired    delivered  mx.texpired/TLSv1.3/mx.texpired   sts:mx.texpired:certificate-not-trusted
	twrong      delivered  mx.twrong/TLSv1.3/mx.twrong       sts:mx.twrong:certificate-host-mismatch
	tnotls      delivered  mx.tnotls/-/-                     sts:mx.tnotls:starttls-not-supported
	tbadmx      delivered  evil.attacker/TLSv1.3/evil.attacker sts:evil.attacker:validation-failure
	none        delivered  mx.none/TLSv1.3/mx.none           no-policy-found:mx.none:certificate-not-trusted
	dane        deferred   -                                 sts:mx.dane:certificate-host-mismatch              7.5 certificate-host-mismatch    # Debian's sendmail knows no DANE
	secure      deferred   -                                 sts:mx.safe:validation-failure                     4.8
	rcpt550     bounced    -                                 sts:mx.rcpt550:success
	rcpt450     deferred   -                                 sts:mx.rcpt450:success
	xn--bcher-kva delivered mx.xn--bcher-kva/TLSv1.3/mx.xn--bcher-kva sts:mx.xn--bcher-kva:success
	END
}

# restart [LINE...]: with these lines in mtasts.conf, and nothing in its memory
restart() {
	stop
	settings "$@"
	serve
}

# ---- what came of it ----

told() {
	records | sed 's/\.example / /' | tr ' ' : | paste -sd,
}

# words DOMAIN CLASS REASON: what is said of a refusal: code, status and text
words() {
	case $2 in
	4.8) echo "451 4.4.8 MX hosts of '$1.example' failed MTA-STS validation; will retry" ;;
	7.5) echo "451 4.7.5 Remote certificate failed MTA-STS validation. Reason: $3; will retry" ;;
	esac
}

# refused RECIPIENT: what tls_rcpt said of him, by the log
refused() {
	sed -nE "s/.* ruleset=tls_rcpt, arg1=$1, .* reject=//p" "$got/syslog"
}

# becomes NAME OUTCOME WHO [RECORDS]: of what was sent last
becomes() {
	local became wanted="$2 $3"
	became="$(outcome) $(taken)"
	if [ $# -gt 3 ]; then
		became+=" $(told)" wanted+=" $4"
	fi
	if [ "$became" = "$wanted" ]; then
		pass "$1"
	else
		fail "$1" "wanted: $wanted" "got:    $became" "$(story)" "$(tail -n 5 "$work/map.log")"
	fi
}

matrix() {
	local domain outcome host wanted class reason why
	while read -r domain outcome host wanted class reason _; do
		send "u@$domain.example"
		becomes "$domain: $outcome" "$outcome" "$host" "$wanted"
		case $class in
		'' | -) continue ;;
		esac
		# sendmail 8.17.1 says dsn=4.2.0 in its own line, whatever the ruleset has said
		why=$(words "$domain" "$class" "$reason")
		if refused "u@$domain.example" | grep -qxF "$why" && grep -qxF "M${why#* * }" "$got/queue"; then
			pass "$domain: log and queue say why"
		else
			fail "$domain: log and queue say why" "wanted: $why" "$(story)"
		fi
	done < <(cases)
}

# Nothing is final before sendmail's own time for the queue is over
old() {
	forget
	queue u@badmx.example
	queue u@selfsigned.example
	aged 90000
	queue_run
	is 'old: waits on' "$(outcome u@badmx.example) $(outcome u@selfsigned.example) $(dsn Action u@badmx.example)" 'deferred deferred delayed'
	aged 400000
	queue_run
	is 'old: returned by sendmail itself' "$(dsn Status u@badmx.example) $(dsn Status u@selfsigned.example)" '4.4.7 4.4.7'
	like 'old: the transcript says why' "$(cat "$got/box")" "^451 4.4.8 MX hosts of 'badmx.example' failed MTA-STS validation"
	like 'old: and why' "$(cat "$got/box")" '^451 4.7.5 Remote certificate failed MTA-STS validation. Reason: certificate-not-trusted'
}

# Recipients of several domains: what stock FEATURE(`sts') gets wrong
several() {
	local recipients
	for recipients in 'u@sharea.example u@shareb.example' 'u@shareb.example u@sharea.example'; do
		# shellcheck disable=SC2086 # two words
		send $recipients
		is "bypass, collateral: ${recipients%% *} first" "$(accepted)" 'u@shareb.example mx.shared.example TLSv1.3'
		is "bypass, collateral: ${recipients%% *} first: records" "$(records | sort)" "$(printf '%s\n' \
		    'no-policy-found mx.shared.example certificate-not-trusted' 'sts mx.shared.example certificate-not-trusted')"
	done
	send u@shareb.example u@sharez.example
	is 'bypass: next to one without a policy' "$(accepted)" 'u@shareb.example mx.shared.example TLSv1.3'
	send u@sharea.example u@shareb.example u@sharec.example v@sharea.example v@sharec.example
	is 'piggyback: three policies' "$(accepted | cut -d ' ' -f 1 | sort | paste -sd' ')" \
	    'u@shareb.example u@sharec.example v@sharec.example'
	is 'piggyback: one record a session and domain' "$(records | wc -l)" 3

	send u@wild.example
	becomes 'wildcard: a certificate for *.wild.example is good' delivered a.wild/TLSv1.3/a.wild sts:a.wild:success

	send u@good.example v@mixed.example
	is 'two-domains' "$(accepted | sort)" "$(printf '%s\n' 'u@good.example mx1.good.example TLSv1.3' \
	    'v@mixed.example mx2.mixed.example TLSv1.3')"

	# One queue run, one process: another session to the same host for each message, for the
	# certificate's names are those of the last handshake.
	forget
	queue u@shareb.example
	queue u@sharea.example
	queue u@good.example
	queue u@mixed.example
	queue v@good.example
	queue_run
	is 'cached-bypass: who had it' "$(accepted | cut -d ' ' -f 1 | sort | paste -sd' ')" \
	    'u@good.example u@mixed.example u@shareb.example v@good.example'
	is 'cached-bypass: no session is used again' "$(grep ' event=connect ' "$got/smtp" | grep -c ' host=mx1.good.example ')" 2
	is 'cached-bypass: records' "$(records | grep -c '^sts mx1.good.example success')" 2
	sed -i 's/^O ConnectionCacheSize=0/O ConnectionCacheSize=2/' "$root/etc/mail/sendmail.cf"
	forget
	queue u@good.example
	sleep 1.1 # the queue goes by seconds
	queue u@aonly.example
	sleep 1.1
	queue v@good.example
	queue_run
	is "without ConnectionCacheSize 0: judged by another's names" "$(accepted | cut -d ' ' -f 1 | paste -sd' ') $(refused v@good.example)" \
	    'u@good.example u@aonly.example 451 4.7.5 Remote certificate failed MTA-STS validation. Reason: certificate-host-mismatch; will retry'
	configure
}

# Local parts as they come, and none of them is in the key
odd() {
	local recipient
	while read -r recipient; do
		send "$recipient@good.example"
		becomes "odd: $recipient: delivered" delivered mx1.good/TLSv1.3/mx1.good sts:mx1.good:success
		send "$recipient@badmx.example"
		becomes "odd: $recipient: refused" deferred - sts:evil.attacker:validation-failure
	done <<-'END'
	a/b/c
	"a b"
	"u@nopol.example"
	"u@nopol.example/end"
	u%nopol.example
	u!nopol.example
	$h
	"$&h"
	a+b=c
	E:451:4.7.5:x
	"ok"
	o'brien
	"back\\slash"
	{mtastsd_hop}
	_-#*?^`|~
	END
	send 'U@GOOD.Example'
	becomes 'odd: upper case' delivered mx1.good/TLSv1.3/mx1.good sts:mx1.good:success
	send "$(printf '%064d' 0)@good.example"
	becomes 'odd: a long one' delivered mx1.good/TLSv1.3/mx1.good sts:mx1.good:success
}

# R3.4.1, t53: the next hop's own domain, where it is one
routes() {
	configure "define(\`SMART_HOST', \`esmtp:[aonly.example]')"
	send u@badmx.example
	becomes 'smart host in brackets: its own policy' delivered aonly/TLSv1.3/aonly sts:aonly:success
	configure "define(\`SMART_HOST', \`esmtp:[badrelay.example]')"
	send u@nopol.example
	becomes 'smart host in brackets: refused by its own policy' deferred - sts:badrelay:certificate-host-mismatch
	configure "define(\`SMART_HOST', \`esmtp:mixed.example')"
	send u@badmx.example
	becomes 'smart host: its MX hosts' delivered mx2.mixed/TLSv1.3/mx2.mixed \
	    sts:mx1.mixed:certificate-host-mismatch,sts:mx2.mixed:success
	configure "define(\`SMART_HOST', \`esmtp:[198.18.253.1]:[badrelay.example]')"
	send u@nopol.example
	becomes 'smart hosts, a list: by that one' deferred - sts:badrelay:certificate-host-mismatch
	# shellcheck disable=SC2016 # a quote of m4
	configure 'FEATURE(`mailertable'"', \`text -k0 -v1 -o /etc/mail/mailertable')"
	printf '%s\t%s\n' nopol.example 'esmtp:[badrelay.example]' badmx.example esmtp:good.example >"$root/etc/mail/mailertable"
	send u@nopol.example
	becomes 'mailertable: under a policy' deferred - sts:badrelay:certificate-host-mismatch
	send u@badmx.example
	becomes 'mailertable: past the domain' delivered mx1.good/TLSv1.3/mx1.good sts:mx1.good:success
	# of two with the same hosts the next hop of the second is not that of the session
	printf '%s\t%s\n' nopol.example esmtp:sharea.example >"$root/etc/mail/mailertable"
	send u@shareb.example u@nopol.example
	is 'mailertable and piggyback' "$(accepted)" 'u@shareb.example mx.shared.example TLSv1.3'
	configure
	listen
	printf '%s\n' '.D{server_addr}IPv6:fd18:25::1' '.D{server_name}mx1.good.example' '.D{verify}OK' '.D{tls_version}TLSv1.2' '.Dhgood.example.' \
	    '.DiAAA' '.Dp7' '.C{cert_altnames}mx1.good.example' 'tls_rcpt u@good.example' '/quit' | program -bt >"$got/output" 2>&1
	gather
	is 'IPv6' "$(grep -c '^tls_rcpt  *returns: u @ good . example' "$got/output") $(sed -nE 's/.* ip=([^ ]*) .*/\1/p' "$got/journal")" '1 fd18:25::1'
	send 'u@[198.18.253.1]'
	is 'address literal: nothing is asked of us' "$(told)" ''
}

# Mail that goes over no network is none of ours, after a session that did, too
local_mail() {
	cat >"$root/etc/mail/lmtp" <<-'END'
	#!/bin/bash
	answer() { printf '%s\r\n' "$1"; }
	answer '220 lmtp.sender.example'
	while IFS= read -r line; do
		case ${line^^} in
		LHLO*) answer '250 lmtp.sender.example' ;;
		DATA*)
			answer '354 go on'
			while IFS= read -r line && [ "${line%?}" != . ]; do :; done
			answer '250 2.1.5 in the box'
			;;
		QUIT*) answer '221 bye' && exit ;;
		*) answer '250 well' ;;
		esac
	done
	END
	chmod 755 "$root/etc/mail/lmtp"
	configure 'FEATURE(`local_lmtp'"', \`/etc/mail/lmtp')"
	forget
	queue u@good.example
	queue alice@sender.example
	queue u@badmx.example
	queue_run
	like 'LMTP by a pipe: delivered' "$(log_of alice@sender.example)" 'mailer=local,.* stat=Sent$'
	is 'LMTP by a pipe: and others by their policies' "$(outcome u@good.example) $(outcome u@badmx.example)" 'delivered deferred'
	is 'LMTP to localhost' "$(answer 'mtastsd rcpt/1/1/A/NONE/NOSAN//127.0.0.1/localhost/localhost/end')" 'OK ok'
	configure
	printf '%s\n' '.D{server_addr}[UNIX: /run/lmtp]' '.D{server_name}localhost' 'tls_rcpt alice' '.D{server_addr}0' 'tls_rcpt alice' \
	    '.D{server_addr}' 'tls_rcpt alice' '/quit' | program -bt >"$got/output" 2>&1
	is 'LMTP by a socket: goes; by nobody knows what: refused' "$(sed -nE 's/^tls_rcpt +returns: (alice|..).*/\1/p' "$got/output" | paste -sd' ')" \
	    'alice $# $#'
}

# What the site itself says of TLS goes on being said
beside() {
	# shellcheck disable=SC2016 # a quote of m4
	configure 'FEATURE(`access_db'"', \`text -k0 -v1 -o -T<TMPF> /etc/mail/access')" "FEATURE(\`tls_session_features')"
	printf '%s\t%s\n' 'TLS_Rcpt:v@' 'TEMP+VERIFY:4096' 'TLS_Clt_Features:m30.example' 'CipherList=ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384' >"$root/etc/mail/access"
	send u@m30.example
	becomes 'beside access_db: SNI' delivered mx.m30/TLSv1.3/mx.m30 sts:mx.m30:success
	like "beside access_db: the site's own features" "$(cat "$got/syslog")" 'tls_clt_features=CipherList=ECDHE.*;servername=hostname'
	send u@good.example v@good.example w@badmx.example
	is "beside access_db: the site's own rules" "$(accepted | cut -d ' ' -f 1)" u@good.example
	sed -i '/^MAILER(.smtp/a LOCAL_TLS_RCPT\nRv@$*\t$#error $@ 4.7.0 $: "451 4.7.0 of the site"' "$root/etc/mail/sendmail.mc"
	m4 "-D_CF_DIR_=$got/cf/" "$got/cf/m4/cf.m4" "$root/etc/mail/sendmail.mc" >"$root/etc/mail/sendmail.cf" 2>"$got/m4"
	send u@good.example v@good.example w@badmx.example
	is 'beside LOCAL_TLS_RCPT: the rules of both' "$(accepted | cut -d ' ' -f 1)" u@good.example
	like 'beside LOCAL_TLS_RCPT: says so' "$(refused v@good.example)" 'of the site'
	like 'beside LOCAL_TLS_RCPT: and ours' "$(refused w@badmx.example)" 'failed MTA-STS validation'
	configure
}

# sendmail may be told to try again without TLS what fails with it.
fallback() {
	configure "define(\`confTLS_FALLBACK_TO_CLEAR', \`true')"
	send u@m33.example
	becomes fb2clear-enforce deferred - sts:mx.m33:validation-failure
	"$top/lab/publish" m33.example policy=testing >&2
	restart
	run "$mtasts" cache drop m33.example >/dev/null
	send u@m33.example
	becomes 'fb2clear-testing: in clear, and one record' delivered mx.m33/-/- sts:mx.m33:validation-failure
	"$top/lab/publish" --all "$top/lab/domains" >&2
	run "$mtasts" cache drop m33.example >/dev/null
	configure
}

# Nothing known, or nothing to know it by: deferred, and never sent
faults() {
	restart 'on_unknown = defer'
	send u@t45servfail.example
	is policy-tempfail "$(outcome) $(accepted)" 'deferred '
	restart
	send u@t45servfail.example
	is 'policy-tempfail: delivered if so configured' "$(outcome)" delivered

	stop
	send u@good.example u@nopol.example
	is 'no server: deferred' "$(outcome u@good.example) $(outcome u@nopol.example) $(accepted)" 'deferred deferred '
	like 'no server: the log says why' "$(refused u@good.example)" 'MTA-STS is out of order on this host'
	serve
	queue_run
	is 'server there again: delivered' "$(accepted | wc -l)" 2

	stop
	cp -a "$root/var/lib/mtasts" "$got/kept"
	rm -f "$root"/var/lib/mtasts/policies.db-*
	head -c 30000 /dev/urandom >"$root/var/lib/mtasts/policies.db"
	serve
	send u@good.example u@nopol.example u@badmx.example
	is 'policy FAULT: deferred, but for what the network says' "$(accepted)" 'u@good.example mx1.good.example TLSv1.3'
	is 'policy FAULT: the log says why' "$(refused u@nopol.example)" '451 4.3.0 MTA-STS state of this host is unreadable'
	unlike 'policy FAULT: nothing of it is reported' "$(cat "$got/journal")" 'domain=nopol'
	stop
	rm -rf "$root/var/lib/mtasts"
	cp -a "$got/kept" "$root/var/lib/mtasts"
	serve

	# an MX name that makes sendmail give up a ruleset: what it would have said is then not known
	printf '%s\n' '.D{server_name}(x)' '.Dhgood.example.' '.DiAAA' 'tls_rcpt u@good.example' '/quit' |
	    program -bt >"$got/output" 2>&1
	like 'a host name that sendmail cannot read: refused' "$(cat "$got/output")" '^tls_rcpt +returns: \$# error .*out of order'

	# a server of another kind
	stop
	sed -i 's/^Kmtastsd .*/Kmtastsd text -o \/etc\/mail\/nothing/' "$root/etc/mail/sendmail.cf"
	send u@good.example
	is 'a map that finds nothing: deferred' "$(outcome) $(accepted)" 'deferred '
	sed -i 's/^Kmtastsd .*/Kmtastsd unheard /' "$root/etc/mail/sendmail.cf"
	send u@good.example
	is 'a sendmail without this class of maps: nothing is sent' "$(accepted)" ''
	configure
	serve

	# a sendmail that cannot tell the names in a certificate
	sed -i 's/^O SetCertAltnames=true/O SetCertAltnames=false/' "$root/etc/mail/sendmail.cf"
	send u@good.example
	becomes 'no names of certificates: deferred' deferred - sts:mx1.good:certificate-host-mismatch
	# or has no authorities to trust
	configure
	sed -i '/^O CACert/d' "$root/etc/mail/sendmail.cf"
	send u@good.example
	becomes 'no confCACERT: deferred' deferred - sts:mx1.good:certificate-not-trusted
	configure
}

# Over a socket in the file system, which sendmail's user may open
over_unix() {
	stop
	feature="FEATURE(\`mtastsd', \`unix:/run/mtastsd')"
	serve -l unix:/run/mtastsd --socket-mode 0600
	configure
	send u@good.example u@badmx.example
	is 'unix socket' "$(accepted)" 'u@good.example mx1.good.example TLSv1.3'
}

# The same without us: what is refused above is taken, by whoever is there.
control() {
	local domain class nobody
	feature=
	configure
	while read -r domain _ _ _ class _ nobody; do
		[ -n "$class" ] && [ -z "$nobody" ] || continue
		send "u@$domain.example"
		if [ -n "$(accepted)" ]; then
			pass "without the feature: $domain is taken"
		else
			fail "without the feature: $domain is taken" "$(story)"
		fi
	done < <(cases)
	send u@sharea.example u@shareb.example
	is 'without the feature: piggyback: both are taken' "$(accepted | wc -l)" 2
}

# shellcheck disable=SC2016 # a quote of m4
feature='FEATURE(`mtastsd'"')"
use debian
# shellcheck disable=SC2034,SC2154 # lib/server.sh sets server, lib/socketmap.sh starts this
socketmap=("$top/tests/servers/run" "$server" "$mtasts" socketmap)
serve
for part in ${PARTS:-matrix old several odd routes local_mail beside fallback faults over_unix control}; do
	"$part"
done
tap_done
