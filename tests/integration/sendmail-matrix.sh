#!/bin/bash
# SPDX-License-Identifier: ISC
# What each sendmail with our hook in it makes of each kind of mail host under each kind of policy: whether it delivers, to which
# host, over what; which records RFC 8460 wants of it; what log, queue and bounce say.  And that without the feature all
# of this goes wrong.
# shellcheck source-path=SCRIPTDIR source=lib/sendmail.sh
. "$(dirname "$0")/lib/sendmail.sh"
[ -n "$mtasts" ] || { echo "1..0 # SKIP no mtasts below $stage"; exit 77; }
SENDMAILS=${SENDMAILS:-hook new full rebuilt}

# domain, outcome, who took it (host/TLS/SNI), the records in order (type:mx:what), and for what we refuse the class of its
# status code and what we say for a reason; "nobody" where sendmail itself would not deliver either
cases() {
	sed -E 's/ *#.*//; /^$/d' <<-'END'
	good        delivered  mx1.good/TLSv1.3/mx1.good         sts:mx1.good:success
	wild        delivered  a.wild/TLSv1.3/a.wild             sts:a.wild:success    # "wildcard" of stock FEATURE(`sts')
	nopol       delivered  mx.nopol/TLSv1.3/mx.nopol         no-policy-found:mx.nopol:certificate-not-trusted
	nopol2      delivered  mx.nopol2/-/-                     no-policy-found:mx.nopol2:starttls-not-supported
	badmx       deferred   -                                 sts:evil.attacker:validation-failure               4.8
	mixmx       delivered  mx2.mixmx/TLSv1.3/mx2.mixmx       sts:evil2.attacker:validation-failure,sts:mx2.mixmx:success
	mixed       delivered  mx2.mixed/TLSv1.3/mx2.mixed       sts:mx1.mixed:certificate-host-mismatch,sts:mx2.mixed:success
	selfsigned  deferred   -                                 sts:mx.selfsigned:certificate-not-trusted          7.5 certificate-not-trusted
	wrongname   deferred   -                                 sts:mx.wrongname:certificate-host-mismatch         7.5 certificate-host-mismatch
	expired     deferred   -                                 sts:mx.expired:certificate-expired                 7.5 certificate-expired
	notls       deferred   -                                 sts:mx.notls:starttls-not-supported                7.5 starttls-not-supported    # m31
	st454       deferred   -                                 sts:mx.st454:starttls-not-supported                7.5 starttls-not-supported    # m32
	m32b        deferred   -                                 sts:mx.m32b:starttls-not-supported                 7.5 starttls-not-supported
	m32c        deferred   -                                 sts:mx.m32c:validation-failure                     7.5 validation-failure nobody
	m33         deferred   -                                 sts:mx.m33:validation-failure                      7.5 validation-failure nobody    # "handshake"
	m33b        deferred   -                                 sts:mx.m33b:validation-failure                     7.5 validation-failure nobody
	tls11       deferred   -                                 sts:mx.tls11:validation-failure                    7.5 validation-failure nobody    # m34
	cnonly      deferred   -                                 sts:mx.cnonly:certificate-host-mismatch            7.5 certificate-host-mismatch    # m25
	tgood       delivered  mx.tgood/TLSv1.3/mx.tgood         sts:mx.tgood:success
	tself       delivered  mx.tself/TLSv1.3/mx.tself         sts:mx.tself:certificate-not-trusted
	texpired    delivered  mx.texpired/TLSv1.3/mx.texpired   sts:mx.texpired:certificate-expired
	twrong      delivered  mx.twrong/TLSv1.3/mx.twrong       sts:mx.twrong:certificate-host-mismatch
	tnotls      delivered  mx.tnotls/-/-                     sts:mx.tnotls:starttls-not-supported
	tbadmx      delivered  evil.attacker/TLSv1.3/evil.attacker sts:evil.attacker:validation-failure
	none        delivered  mx.none/TLSv1.3/mx.none           no-policy-found:mx.none:certificate-not-trusted
	cname       delivered  real.hosting/TLSv1.3/alias.cname   sts:alias.cname:success
	aonly       delivered  aonly/TLSv1.3/aonly               sts:aonly:success    # m18
	cdom        delivered  mx1.good/TLSv1.3/mx1.good         sts:mx1.good:success
	cdombad     deferred   -                                 sts:evil.attacker:validation-failure               4.8
	lured       deferred   -                                 sts:mx.lure:validation-failure                     4.8
	m21         deferred   -                                 sts:alias.m21:validation-failure                   4.8
	m30         delivered  mx.m30/TLSv1.3/mx.m30             sts:mx.m30:success
	allbad      deferred   -                                 sts:mx1.allbad:certificate-host-mismatch,sts:mx2.allbad:certificate-expired  7.5 certificate-host-mismatch
	shortbad    deferred   -                                 sts:mx.shortbad:certificate-host-mismatch          7.5 certificate-host-mismatch    # c14
	sub.t52     delivered  mx.sub.t52/TLSv1.3/mx.sub.t52     no-policy-found:mx.sub.t52:certificate-host-mismatch
	ttls11      deferred   -                                 sts:mx.ttls11:validation-failure    # by sendmail itself
	backupok    delivered  mx.backupok/TLSv1.3/mx.backupok   sts:mx.backupok:success
	rcpt550     bounced    -                                 sts:mx.rcpt550:success
	rcpt450     deferred   -                                 sts:mx.rcpt450:success
	END
	case $1 in
	full) cat <<-'END' ;;
		dane      delivered  mx.dane/TLSv1.3/mx.dane  tlsa:mx.dane:success
		danebad   deferred   -                        tlsa:mx.danebad:validation-failure
		secure    delivered  mx.safe/TLSv1.3/mx.safe  tlsa:mx.safe:success
		END
	*) cat <<-'END' ;;
		dane      deferred   -                        sts:mx.dane:certificate-host-mismatch  7.5 certificate-host-mismatch
		secure    deferred   -                        sts:mx.safe:validation-failure         4.8
		END
	esac
}

# words YOUNG|OLD DOMAIN CLASS REASON: what is said of a refusal: code, status and text
words() {
	local domain=$2.example class=$3 reason=$4 code=451 digit=4 end='; will retry'
	[ "$1" = YOUNG ] || { code=550 digit=5 end=; }
	case $class in
	4.8) echo "$code $digit.4.8 MX hosts of '$domain' failed MTA-STS validation${end:-.}" ;;
	7.5) echo "$code $digit.7.5 Remote certificate failed MTA-STS validation. Reason: $reason$end" ;;
	esac
}

# One message for each case, at once: nothing is final for the young
young() {
	local domain outcome host wanted class reason summary words vague=
	[ "$sendmail" != new ] || vague='|0\.0' # so 8.18, and in the log only
	while read -r domain outcome host wanted class reason _; do
		send "u@$domain.example"
		words=$(words YOUNG "$domain" "$class" "$reason")
		summary="$(outcome) $(taken) $(records | sed 's/\.example / /' | tr ' ' : | paste -sd,)"
		if [ "$summary" != "$outcome $host $wanted" ]; then
			fail "$sendmail: $domain" "wanted: $outcome $host $wanted" "got:    $summary" "$(story)"
		elif [ -n "$class" ] && ! log_of "u@$domain.example" | grep -E " dsn=4\.($class$vague), " | grep -qF " stat=Deferred: $words"; then
			fail "$sendmail: $domain" "not in the log: $words" "$(story)"
		elif [ -n "$class" ] && ! grep -qxF "MDeferred: $words" "$got/queue"; then
			fail "$sendmail: $domain" "not in the queue file: $words" "$(story)"
		elif grep -q '^<19>' "$got/syslog"; then
			fail "$sendmail: $domain" "an error in the log" "$(story)"
		else
			pass "$sendmail: $domain: $outcome"
		fi
	done < <(cases "$sendmail")
}

# The same messages older than bounce_after, in one queue run
old() {
	local domain outcome class reason old=()
	forget
	while read -r domain outcome _ _ class reason _; do
		case $class,$outcome in ,bounced) ;; ,*) [ "$domain" = rcpt450 ] || continue ;; esac
		queue "u@$domain.example"
		old+=("$domain $class $reason")
	done < <(cases "$sendmail"; echo 'halfdown deferred - -')
	queue u@halfdown.example
	queue u@mixmx.example
	queue u@mixed.example
	aged 90000
	queue_run
	for line in "${old[@]}"; do
		read -r domain class reason _ <<<"$line"
		[ -n "$class" ] || continue
		is "$sendmail: $domain: old: Action, Status" "$(dsn Action "u@$domain.example") $(dsn Status "u@$domain.example")" \
		    "failed 5.$class"
		is "$sendmail: $domain: old: Diagnostic-Code" "$(dsn Diagnostic-Code "u@$domain.example" | sed -E 's/ u@[^ ]*\.\.\. / /')" \
		    "SMTP; $(words OLD "$domain" "$class" "$reason")"
	done
	is "$sendmail: rcpt550: old: its own answer" "$(dsn Diagnostic-Code u@rcpt550.example)" 'SMTP; 550 5.1.1 no such user'
	is "$sendmail: halfdown: old: a host was only unreachable" "$(outcome u@halfdown.example) $(dsn Action u@halfdown.example)" 'deferred delayed'
	is "$sendmail: rcpt450: old: its own answer" "$(dsn Action u@rcpt450.example) $(dsn Diagnostic-Code u@rcpt450.example)" \
	    'delayed SMTP; 450 4.2.1 mailbox busy'
	# next-mx-5xx: one host that fails is not the end, however old the message
	is "$sendmail: old: the next host, for those that have one, and for nobody else" "$(accepted | sort)" \
	    "$(printf '%s\n' 'u@mixed.example mx2.mixed.example TLSv1.3' 'u@mixmx.example mx2.mixmx.example TLSv1.3')"
	is "$sendmail: old: and no bounce" "$(dsn Action u@mixmx.example)$(dsn Action u@mixed.example)" ''
}

# Cases that are not of one recipient and one policy
special() {
	# A domain whose record cannot be had
	settings 'on_unknown = defer'
	send u@t45servfail.example
	is "$sendmail: policy-tempfail" "$(outcome) $(accepted)" 'deferred '
	settings

	# A host that is not reached says nothing of its policy.
	send u@down.example
	is "$sendmail: down" "$(outcome) $(accepted)$(records)" 'deferred '

	# Final is only what all hosts fail.
	settings 'bounce_after = 0s'
	send u@mixmx.example
	is "$sendmail: next-mx-5xx" "$(outcome) $(accepted)$(dsn Action)" 'delivered u@mixmx.example mx2.mixmx.example TLSv1.3'
	send u@badmx.example
	is "$sendmail: mx-mismatch-5xx: at once" "$(outcome) $(dsn Action) $(dsn Status)" 'bounced failed 5.4.8'
	send u@m33.example
	is "$sendmail: handshake-5xx: at once" "$(outcome) $(dsn Action) $(dsn Status)" 'bounced failed 5.7.5'
	send u@m32c.example v@m32c.example
	is "$sendmail: starttls-250-5xx: at once" "$(dsn Status u@m32c.example) $(dsn Status v@m32c.example) $(records)" \
	    '5.7.5 5.7.5 sts mx.m32c.example validation-failure'
	"$top/lab/publish" mixtw policy=enforce:mx1,mx2 mail=st250,good
	send u@mixtw.example
	is "$sendmail: starttls-250: the next host" "$(outcome) $(accepted)" 'delivered u@mixtw.example mx2.mixtw.example TLSv1.3'

	# What is wrong on this host is no failure of the policy, nor of the host's.
	printf 'TLS_Clt_Features:%s Options=nonsense\n' mx1.good.example >"$root/etc/mail/access"
	configure "FEATURE(\`access_db', \`text -k0 -v1 -T<TMPF> /etc/mail/access')" "FEATURE(\`tls_session_features')"
	send u@good.example
	is "$sendmail: tls_clt_features make no sense: waits" "$(outcome) $(accepted)$(records)$(dsn Action)" 'deferred '
	like "$sendmail: tls_clt_features make no sense: our answer" "$(log_of u@good.example)" ' stat=Deferred: 451 4\.7\.5 '
	configure
	settings

	# What is said of a name this long is longer than a word may be in sendmail's rules, which drop it then
	long=$(sed -n 's/^\(long[^ ]\{99,\}\) .*/\1.example/p' "$top/lab/domains")
	send "u@$long"
	is "$sendmail: long-name" "$(outcome) $(accepted)" 'deferred '
	queue "u@$long"
	aged 90000
	queue_run
	is "$sendmail: long-name: old" "$(dsn Status "u@$long") $(accepted)" '5.4.8 '

	# Two recipients at hosts of their own
	send u@good.example v@mixed.example
	is "$sendmail: two-domains" "$(accepted | sort)" "$(printf '%s\n' 'u@good.example mx1.good.example TLSv1.3' \
	    'v@mixed.example mx2.mixed.example TLSv1.3')"

	# Two of one transaction, one of them with a policy: sendmail puts together whose hosts are the same
	for recipients in 'u@sharea.example u@shareb.example' 'u@shareb.example u@sharea.example'; do
		# shellcheck disable=SC2086 # two words
		send $recipients
		is "$sendmail: piggyback: ${recipients%% *} first" "$(accepted)" 'u@shareb.example mx.shared.example TLSv1.3'
		is "$sendmail: piggyback: ${recipients%% *} first: records" "$(records | sort)" "$(printf '%s\n' \
		    'no-policy-found mx.shared.example certificate-not-trusted' 'sts mx.shared.example certificate-not-trusted')"
	done

	# sendmail may be told to try again without TLS what fails with it.
	configure "define(\`confTLS_FALLBACK_TO_CLEAR', \`true')"
	send u@m33.example
	is "$sendmail: fb2clear-enforce" "$(outcome) $(accepted)" 'deferred '
	send u@ttls11.example
	is "$sendmail: fb2clear-testing" "$(outcome) $(accepted)" 'delivered u@ttls11.example mx.ttls11.example -'
	is "$sendmail: fb2clear-testing: one record" "$(records)" 'sts mx.ttls11.example validation-failure'
	send u@nopolalert.example
	is "$sendmail: fb2clear-none" "$(outcome) $(accepted)" 'delivered u@nopolalert.example mx.nopolalert.example -'
	is "$sendmail: fb2clear-none: one record" "$(records)" 'no-policy-found mx.nopolalert.example validation-failure'
	configure
}

# The same without us: what is refused above is taken, by whoever is there.
control() {
	local domain outcome class nobody
	feature=
	configure
	while read -r domain outcome _ _ class _ nobody; do
		[ -n "$class" ] && [ -z "$nobody" ] || continue
		send "u@$domain.example"
		if [ -n "$(accepted)" ]; then
			pass "$sendmail without the feature: $domain is taken"
		else
			fail "$sendmail without the feature: $domain is taken" "$(story)"
		fi
	done < <(cases "$sendmail")
	send u@sharea.example u@shareb.example
	is "$sendmail without the feature: piggyback: both are taken" "$(accepted | wc -l)" 2
}

for sendmail in $SENDMAILS; do
	feature="FEATURE(\`mtasts')"
	use "$sendmail"
	young
	old
	special
	control
done
tap_done
