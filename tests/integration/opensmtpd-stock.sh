#!/bin/bash
# SPDX-License-Identifier: ISC
# What OpenSMTPD does without us: it delivers to whomever DNS names, `relay tls` or not, for that checks the certificate of a name that
# nobody vouches for.  These are the attacks that opensmtpd-matrix.sh shows to fail; one that fails here shows nothing there.
#
#	OPENSMTPDS	which to use, default both
# shellcheck source-path=SCRIPTDIR source=lib/opensmtpd.sh
. "$(dirname "$0")/lib/opensmtpd.sh"

# delivered OPTIONS WORD...: for each word, DOMAIN=HOST/TLS who takes the mail of the domain
delivered() {
	local how=$1 word domain recipients=()
	shift
	for word; do recipients+=("u@${word%%=*}.example"); done
	send "${recipients[@]}"
	for word; do
		domain=${word%%=*}
		if [ "$(taken "u@$domain.example" | cut -d / -f -2)" = "${word#*=}" ]; then
			pass "$smtpd: relay$how: $domain: ${word#*=}"
		else
			fail "$smtpd: relay$how: $domain: ${word#*=}" "got: $(taken "u@$domain.example")" "$(story "u@$domain.example")"
		fi
	done
}

# refused DOMAIN...: smtpd has spoken to their hosts and gone away
refused() {
	local domain
	forget
	submit -s -- "${@/#/u@}"
	for domain; do
		for _ in $(seq 100); do
			gather
			grep -qE " event=(eof|quit|tlsfail|error) host=mx.$domain " "$got/smtp" && break
			sleep 0.1
		done
		is "$smtpd: relay tls: $domain is refused" "$(grep -oE " event=(mail|accepted|eof|quit|tlsfail|error) host=mx.$domain " "$got/smtp" |
		    grep -cE 'mail|accepted') $(grep -c " event=connect host=mx.$domain " "$got/smtp")" '0 1'
	done
}

# run_with [OPTION...]: smtpd's own relay with these
run_with() {
	relay=$*
	configure stock
	begin
}

for opensmtpd in $OPENSMTPDS; do
	use "$opensmtpd"
	run_with
	delivered '' good=mx1.good/TLSv1.3 badmx=evil.attacker/TLSv1.3 mixmx=evil2.attacker/TLSv1.3 wrongname=mx.wrongname/TLSv1.3 \
	    selfsigned=mx.selfsigned/TLSv1.3 expired=mx.expired/TLSv1.3 cnonly=mx.cnonly/TLSv1.3 notls=mx.notls/- st454=mx.st454/- \
	    lured=mx.lure/TLSv1.3 mixed=mx1.mixed/TLSv1.3 allbad=mx1.allbad/TLSv1.3
	end
	# It verifies, and yet the attacker has the mail.
	run_with tls
	delivered ' tls' good=mx1.good/TLSv1.3 badmx=evil.attacker/TLSv1.3 mixmx=evil2.attacker/TLSv1.3 cnonly=mx.cnonly/TLSv1.3 \
	    lured=mx.lure/TLSv1.3
	refused wrongname.example selfsigned.example expired.example notls.example
	end
done
tap_done
