#!/bin/bash
# SPDX-License-Identifier: ISC
# Other ways of mail: explicit routes, smart hosts, an administrator's own dnslookup router, verification and callouts.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"

# before_router LINE...: a sed command that puts lines of configuration before our routers
before_router() {
	printf 's|^\.include /etc/exim4/router.inc|%s&|' "$(printf '%s\\n' "$@")"
}

# rcpt RECIPIENT: Exim's answer to it
rcpt() {
	smtp 'MAIL FROM:<stranger@client.example>' "RCPT TO:<$1>"
	grep -E '^[245]' "$got/output" | sed -n '/^250 OK/,$p' | sed '1d; /^221/d; s/\r//'
}

for exim in $EXIMS; do
	use "$exim"
	listen

	# A route that the administrator has given is his word: no policy, no records.
	configure "$(before_router 'hub:' '  driver = manualroute' '  domains = badmx.example' \
	    '  route_list = * mx.notls.example' '  transport = remote_smtp' '')"
	send u@badmx.example
	is "$exim: explicit route" "$(outcome) $(accepted)$(records)" 'delivered u@badmx.example mx.notls.example -'

	# A smart host: its policy counts, that of the recipients' domains does not.
	smarthost() { configure "s/^MTASTS_TRANSPORT/MTASTS_SMARTHOST = $1.example\\n${2:-}&/"; }
	smarthost good
	send u@badmx.example v@none.example
	is "$exim: R3.4.1, t53: smart host" "$(accepted | sort)" "$(printf '%s\n' 'u@badmx.example mx1.good.example TLSv1.3' \
	    'v@none.example mx1.good.example TLSv1.3')"
	smarthost selfsigned
	send u@nopol.example
	is "$exim: R3.4.1: smart host with a certificate of nobody" "$(outcome) $(accepted)" 'deferred '
	smarthost badmx
	send u@nopol.example
	like "$exim: R3.4.1: smart host that is not in its policy" "$(cat "$got/mainlog")" \
	    " == .* R=mtasts defer .* 451 4\\.4\\.8 MX hosts of 'badmx\\.example'"
	smarthost flip
	"$top/lab/publish" flip
	send u@nopol.example
	is "$exim: smart host whose MX changes" "$(outcome) $(accepted)" 'deferred '
	unlike "$exim: smart host whose MX changes: not frozen" "$(cat "$got/mainlog")" Frozen
	smarthost aonly 'MTASTS_ROUTE = aonly.example\n'
	send u@nopol.example
	is "$exim: smart host without MX" "$(outcome) $(accepted)" 'delivered u@nopol.example aonly.example TLSv1.3'

	# The administrator's own router, with the two lines of the README
	# shellcheck disable=SC2016 # the dollars are Exim's
	own='s/^  ignore_target_hosts = <; 0\.0\.0\.0 ; .*1$/& ; ${dlfunc{MTASTS_SO}{mtasts_ignore}{$domain}{;}}\n'
	# shellcheck disable=SC2016
	defer='  fail_defer_domains = ${dlfunc{MTASTS_SO}{mtasts_require}{$domain}}'
	configure '/^MTASTS_TRANSPORT/d' "$own$defer/"
	send u@mixmx.example
	like "$exim: own dnslookup" "$(cat "$got/mainlog")" ' => .* R=dnslookup .* H=mx2\.mixmx\.example .* CV=yes'
	"$top/lab/publish" flip
	send u@flip.example
	is "$exim: own dnslookup, MX changes" "$(outcome) $(accepted)" 'deferred '
	configure '/^MTASTS_TRANSPORT/d' "$own/"
	"$top/lab/publish" flip
	send u@flip.example
	is "$exim: own dnslookup, MX changes: bounces without the second line" "$(outcome)" bounced

	# An SMTP client hears at RCPT what would become of its mail; there is nothing to record yet.
	configure
	is "$exim: RCPT, good" "$(rcpt u@good.example)" '250 Accepted'
	like "$exim: RCPT, MX outside the policy" "$(rcpt u@badmx.example | sed 's/^451[- ]4.4.8//' | paste -sd' ')" \
	    "^ MX hosts of 'badmx\\.example' failed MTA-STS validation; will +retry"
	is "$exim: RCPT: no records" "$(records)" ''
	configure 's|^  accept verify = recipient|&/callout=10s|'
	is "$exim: callout, good" "$(rcpt u@good.example)" '250 Accepted'
	like "$exim: callout over TLS" "$(cat "$got/smtp")" ' event=mail host=mx1\.good\.example .* tls=TLSv1\.3'
	like "$exim: callout, certificate of nobody" "$(rcpt u@selfsigned.example)" '^451 '
	unlike "$exim: callout, certificate of nobody: asks nobody" "$(cat "$got/smtp")" ' event=rcpt '
	is "$exim: callout: no records" "$(records)" ''

	# Who writes to us cannot make us fetch policies.
	sender='s|^  accept verify = recipient|  accept verify = sender|'
	for taken_out in '' '/^  no_verify_sender/d'; do
		configure "$sender" ${taken_out:+"$taken_out"}
		listen
		smtp 'MAIL FROM:<x@slow.example>' 'RCPT TO:<alice@sender.example>'
		looked=$("$top/lab/log" --since "$mark" --count dns name=_mta-sts.slow.example)
		case $taken_out,$looked in
		,0) pass "$exim: verify = sender looks nothing up" ;;
		,*) fail "$exim: verify = sender looks nothing up" "$(story)" ;;
		*,0) fail "$exim: verify = sender looks up without our line" "$(story)" ;;
		*) pass "$exim: verify = sender looks up without our line" ;;
		esac
	done

	# A domain in U-labels (t54): its policy is that of its A-labels.  An Exim without I18N cannot send to it, nor may it try.
	configure 's/^keep_environment =/allow_utf8_domains = true\n&/'
	send u@bücher.example
	if run exim4 -bP macros | grep -q '^_HAVE_I18N'; then
		is "$exim: domain in U-labels" "$(outcome) $(accepted) $(records)" \
			'delivered u@xn--bcher-kva.example mx.xn--bcher-kva.example TLSv1.3 sts mx.xn--bcher-kva.example success'
	else
		is "$exim: domain in U-labels" "$(outcome) $(accepted)" 'deferred '
	fi
done
tap_done
