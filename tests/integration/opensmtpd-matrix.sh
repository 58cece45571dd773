#!/bin/bash
# SPDX-License-Identifier: ISC
# What each OpenSMTPD with our filter, table and relay makes of each kind of mail host under each kind of policy: whether it delivers, to
# which host, over what and on which way; which records RFC 8460 wants of it; what log and bounce say.  opensmtpd-stock.sh shows what
# would become of the same mail without us.
#
#	OPENSMTPDS	which to use, default both
# shellcheck source-path=SCRIPTDIR source=lib/opensmtpd.sh
. "$(dirname "$0")/lib/opensmtpd.sh"
# shellcheck disable=SC2154 # what runs the tests sets it
[ -n "$program" ] || { echo "1..0 # SKIP no filter-mtasts below $stage"; exit 77; }

# domain, outcome, who took it (host/TLS/SNI), the records in order (type:mx:what, "-" for none, "*" for any), and for what we refuse
# the class of its status code and what we say for a reason; "says" before what the host itself said
cases() {
	sed -E 's/ *#.*//; /^$/d' <<-'END'
	good        delivered  mx1.good/TLSv1.3/mx1.good         sts:mx1.good:success
	wild        delivered  a.wild/TLSv1.3/a.wild             sts:a.wild:success
	badmx       deferred   -                                 sts:evil.attacker:validation-failure               4.8
	mixmx       delivered  mx2.mixmx/TLSv1.3/mx2.mixmx       sts:evil2.attacker:validation-failure,sts:mx2.mixmx:success
	mixed       delivered  mx2.mixed/TLSv1.3/mx2.mixed       sts:mx1.mixed:certificate-host-mismatch,sts:mx2.mixed:success
	selfsigned  deferred   -                                 sts:mx.selfsigned:certificate-not-trusted          7.5 certificate-not-trusted
	wrongname   deferred   -                                 sts:mx.wrongname:certificate-host-mismatch         7.5 certificate-host-mismatch
	expired     deferred   -                                 sts:mx.expired:certificate-expired                 7.5 certificate-expired
	notls       deferred   -                                 sts:mx.notls:starttls-not-supported                7.5 starttls-not-supported    # m31
	st454       deferred   -                                 sts:mx.st454:starttls-not-supported                7.5 starttls-not-supported    # m32
	m32b        deferred   -                                 sts:mx.m32b:starttls-not-supported                 7.5 starttls-not-supported
	m33         deferred   -                                 sts:mx.m33:validation-failure                      7.5 validation-failure
	m33b        deferred   -                                 sts:mx.m33b:validation-failure                     7.5 validation-failure
	tls11       deferred   -                                 sts:mx.tls11:validation-failure                    7.5 validation-failure    # m34
	cnonly      deferred   -                                 sts:mx.cnonly:certificate-host-mismatch            7.5 certificate-host-mismatch    # m25
	allbad      deferred   -                                 sts:mx1.allbad:certificate-host-mismatch,sts:mx2.allbad:certificate-expired  7.5 certificate-host-mismatch
	shortbad    deferred   -                                 sts:mx.shortbad:certificate-host-mismatch          7.5 certificate-host-mismatch    # c14
	lured       deferred   -                                 sts:mx.lure:validation-failure                     4.8
	m21         deferred   -                                 sts:alias.m21:validation-failure                   4.8
	cdombad     deferred   -                                 sts:evil.attacker:validation-failure               4.8
	cdom        delivered  mx1.good/TLSv1.3/mx1.good         sts:mx1.good:success
	cname       delivered  real.hosting/TLSv1.3/alias.cname  sts:alias.cname:success
	aonly       delivered  aonly/TLSv1.3/aonly               sts:aonly:success    # m18
	m30         delivered  mx.m30/TLSv1.3/mx.m30             sts:mx.m30:success
	tgood       delivered  mx.tgood/TLSv1.3/mx.tgood         sts:mx.tgood:success
	tself       delivered  mx.tself/TLSv1.3/mx.tself         sts:mx.tself:certificate-not-trusted
	texpired    delivered  mx.texpired/TLSv1.3/mx.texpired   sts:mx.texpired:certificate-expired
	twrong      delivered  mx.twrong/TLSv1.3/mx.twrong       sts:mx.twrong:certificate-host-mismatch
	tnotls      delivered  mx.tnotls/-/-                     sts:mx.tnotls:starttls-not-supported
	tbadmx      delivered  evil.attacker/TLSv1.3/evil.attacker sts:evil.attacker:validation-failure
	ttls11      delivered  mx.ttls11/-/-                     sts:mx.ttls11:validation-failure
	nopol       delivered  mx.nopol/TLSv1.3/mx.nopol         no-policy-found:mx.nopol:certificate-not-trusted
	nopol2      delivered  mx.nopol2/-/-                     no-policy-found:mx.nopol2:starttls-not-supported
	nopolalert  delivered  mx.nopolalert/-/-                 no-policy-found:mx.nopolalert:validation-failure
	none        delivered  mx.none/TLSv1.3/mx.none           no-policy-found:mx.none:certificate-not-trusted
	t45servfail delivered  mx.t45servfail/TLSv1.3/mx.t45servfail *
	v6only      delivered  mx.v6only/TLSv1.3/mx.v6only       sts:mx.v6only:success
	v6dead      delivered  mx.v6dead/TLSv1.3/mx.v6dead       sts:mx.v6dead:success
	failover    delivered  mx2.failover/TLSv1.3/mx2.failover sts:mx2.failover:success
	mxnoaddr    delivered  mx2.mxnoaddr/TLSv1.3/mx2.mxnoaddr sts:mx2.mxnoaddr:success
	mxhelo      delivered  mx.mxhelo/TLSv1.3/mx.mxhelo       sts:mx.mxhelo:success
	down        deferred   -                                 -
	halfdown    deferred   -                                 sts:mx1.halfdown:certificate-host-mismatch
	mxservfail  deferred   -                                 -
	rcpt450     deferred   -                                 sts:mx.rcpt450:success     says 450 4.2.1 mailbox busy
	rcpt550     bounced    -                                 sts:mx.rcpt550:success     says 550 5.1.1 no such user
	long550     bounced    -                                 sts:mx.long550:success     says 550.5.1.1 no such user,.*see <u@long550.example>
	data451     deferred   -                                 sts:mx.data451:success     says 451 4.3.0 try again later
	end451      deferred   -                                 sts:mx.end451:success      says 451 4.3.2 come back later
	end550      bounced    -                                 sts:mx.end550:success      says 550 5.6.0 not this message
	banner554   deferred   -                                 -                          says 451 4.4.1 .*554 5.3.2 no mail here    # said before TLS: anybody could have

	# DANE is no business of the relay's
	dane        deferred   -                                 sts:mx.dane:certificate-host-mismatch              7.5 certificate-host-mismatch
	danebad     delivered  mx.danebad/TLSv1.3/mx.danebad     sts:mx.danebad:success
	END
}

# without_policy DOMAIN: whether smtpd may go its own way
without_policy() {
	case $1 in nopol*) return 0 ;; esac
	return 1
}

# words YOUNG|OLD DOMAIN CLASS REASON...: what is said of a refusal: code, status and text
words() {
	local domain=$2.example class=$3 code=451 digit=4 end='; will retry'
	[ "$1" = YOUNG ] || { code=550 digit=5 end=; }
	case $class in
	4.8) echo "$code $digit.4.8 MX hosts of '$domain' failed MTA-STS validation${end:-.}" ;;
	7.5) echo "$code $digit.7.5 Remote certificate failed MTA-STS validation. Reason: $4$end" ;;
	says) echo "${*:4}" ;;
	esac
}

# judge NAME AGE DOMAIN WAY OUTCOME HOST RECORDS CLASS REASON...: whether all of it was so
judge() {
	local name=$1 age=$2 domain=$3 way=$4 outcome=$5 host=$6 wanted=$7 class=${8:-} to=u@$3.example got_host summary
	got_host=$(taken "$to")
	if [ "$way" = native ]; then
		# whether it sends SNI is smtpd's business, and records there are none
		got_host=${got_host%/*} host=${host%/*} wanted=-
	fi
	summary="$(outcome "$to") $(via "$to") $got_host $(records_of "$domain.example" | grep . || echo -)"
	if [ "$wanted" = '*' ]; then summary="${summary% *} *"; fi
	if [ "$summary" != "$outcome $way $host $wanted" ]; then
		fail "$name: $domain" "wanted: $outcome $way $host $wanted" "got:    $summary" "$(story "$to")"
	elif [ "$class" = says ] && ! said "$to" | grep -qE -- "$(words "$age" "$domain" says "${@:9}")"; then
		fail "$name: $domain" "wanted: ${*:9}" "got:    $(said "$to")"
	elif [ -n "$class" ] && [ "$class" != says ] && [ "$(said "$to")" != "$(words "$age" "$domain" "$class" "${@:9}")" ]; then
		fail "$name: $domain" "wanted: $(words "$age" "$domain" "$class" "${@:9}")" "got:    $(said "$to")"
	else
		pass "$name: $domain: $outcome"
	fi
}

# recipients: of all cases but those that are refused before they are in the queue
recipients() {
	local domain class
	while read -r domain _ _ _ class _; do
		[ "$class" = 4.8 ] || echo "u@$domain.example"
	done < <(cases)
}

# asked FORM: messages whose recipients the filter sees
asked() {
	local name="$smtpd: $1" domain outcome host wanted class reason way
	configure "$1"
	begin
	mapfile -t to < <(recipients)
	send "${to[@]}"
	mapfile -t bad < <(cases | awk '$5 == "4.8" { print $1 }')
	while read -r domain outcome host wanted class reason; do
		way=relay
		[ "$class" = 4.8 ] && continue
		[ "$1" = strict ] || ! without_policy "$domain" || way=native
		# shellcheck disable=SC2086 # words
		judge "$name" YOUNG "$domain" $way "$outcome" "$host" "$wanted" $class $reason
	done < <(cases)
	for domain in "${bad[@]}"; do
		submit -- "u@$domain.example"
		is "$name: $domain: refused at once" "$(sed -E 's/^rcpt ([^ ]+) [0-9]+/\1/' "$got/output")" \
		    "u@$domain.example $(words OLD "$domain" 4.8)"
	done
	gather
	is "$name: and nobody had any of it" "$(for domain in "${bad[@]}"; do taken "u@$domain.example"; done | sort -u)" -
	end
}

# unasked: messages to aliases, whose domains the filter never sees and the store has never heard of; and what becomes of them in the
# end
unasked() {
	local name="$smtpd: alias" domain outcome host wanted class reason began
	virtuals=$(cases | awk '{ printf "%s\"%s@sender.example\" = \"u@%s.example\"", NR == 1 ? "" : ", ", $1, $1 }')
	rm -rf "$root/var/lib/mtasts"
	store
	configure split
	begin
	forget
	mapfile -t to < <(cases | awk '{ print $1 "@sender.example" }')
	submit -s -- "${to[@]}"
	mapfile -t to < <(cases | awk '{ print "u@" $1 ".example" }')
	settled 60 "${to[@]}"
	gather
	while read -r domain outcome host wanted class reason; do
		# shellcheck disable=SC2086 # words
		judge "$name" YOUNG "$domain" relay "$outcome" "$host" "$wanted" $class $reason
	done < <(cases)
	began=$SECONDS
	now_known
	old "$began"
	end
	virtuals=
}

# Once the relay has seen it, the table knows it.
now_known() {
	submit -s -- nopol@sender.example nopol2@sender.example none@sender.example good@sender.example
	sleep 1
	gather
	is "$smtpd: alias: known from now on" \
	    "$(for d in nopol nopol2 none good; do printf '%s ' "$(log_of "u@$d.example" | grep -c .)$(via "u@$d.example")"; done)" \
	    '2native 2native 2relay 2relay '
}

# old BEGAN: what waits is a day and more old.  (A policy is not fetched twice within ten seconds.)
old() {
	local name="$smtpd: old" domain outcome host wanted class reason began=$1 refused=()
	while [ $((SECONDS - began)) -lt 11 ]; do sleep 1; done
	aged 90000
	mapfile -t to < <(cases | awk '$2 == "deferred" { print "u@" $1 ".example" }')
	again "${to[@]}"
	while read -r domain outcome host wanted class reason; do
		[ "$outcome" = deferred ] || continue
		case $class in 4.8 | 7.5) outcome=bounced; refused+=("$domain $class $reason") ;; esac
		# shellcheck disable=SC2086 # words
		judge "$name" OLD "$domain" relay "$outcome" "$host" '*' $class $reason
	done < <(cases)
	for _ in $(seq 50); do
		gather
		[ "$(grep -c '^Action: failed' "$got/box")" -ge $((${#refused[@]} + 3)) ] && break
		sleep 0.1
	done
	for domain in "${refused[@]}"; do
		read -r domain class reason <<<"$domain"
		is "$name: $domain: the sender is told" "$(tr -d '\r' <"$got/box" | grep -F "u@$domain.example: " | sort -u)" \
		    "u@$domain.example: $(words OLD "$domain" "$class" "$reason")"
	done
}

for opensmtpd in $OPENSMTPDS; do
	use "$opensmtpd"
	asked split
	unasked
	asked strict
done
tap_done
