#!/bin/bash
# SPDX-License-Identifier: ISC
# What each of the three Exims makes of each kind of mail host under each kind of policy: whether it delivers, to which
# host, and which records RFC 8460 wants of it.  And that without the plugin all of this goes wrong.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"

# domain, outcome, who took it (host/TLS as Exim logs it), the records in order: type:mx:what, or "*" for any
cases() {
	sed -E 's/ *#.*//; /^$/d' <<-'END'
	good        delivered  mx1.good/yes         sts:mx1.good:success
	wrongname   deferred   -                    sts:mx.wrongname:certificate-host-mismatch
	selfsigned  deferred   -                    sts:mx.selfsigned:certificate-not-trusted
	expired     deferred   -                    sts:mx.expired:certificate-expired
	notls       deferred   -                    sts:mx.notls:starttls-not-supported    # m31
	st454       deferred   -                    sts:mx.st454:starttls-not-supported    # m32
	tls11       deferred   -                    sts:mx.tls11:validation-failure    # m34
	cnonly      deferred   -                    sts:mx.cnonly:certificate-host-mismatch
	badmx       deferred   -                    sts:evil.attacker:validation-failure
	mixed       delivered  mx2.mixed/yes        sts:mx1.mixed:certificate-host-mismatch,sts:mx2.mixed:success
	mixmx       delivered  mx2.mixmx/yes        sts:evil2.attacker:validation-failure,sts:mx2.mixmx:success
	cname       delivered  real.hosting/yes     sts:alias.cname:success
	wild        delivered  a.wild/yes           sts:a.wild:success
	aonly       delivered  aonly/yes            sts:aonly:success
	tgood       delivered  mx.tgood/yes         sts:mx.tgood:success
	tself       delivered  mx.tself/no          sts:mx.tself:certificate-not-trusted
	texpired    delivered  mx.texpired/no       sts:mx.texpired:certificate-expired
	twrong      delivered  mx.twrong/no         sts:mx.twrong:certificate-host-mismatch
	tnotls      delivered  mx.tnotls/-          sts:mx.tnotls:starttls-not-supported
	tbadmx      delivered  evil.attacker/yes    sts:evil.attacker:validation-failure
	nopol       delivered  mx.nopol/no          no-policy-found:mx.nopol:certificate-not-trusted
	nopol2      delivered  mx.nopol2/-          no-policy-found:mx.nopol2:starttls-not-supported
	dane        delivered  mx.dane/dane         tlsa:mx.dane:success
	danebad     deferred   -                    tlsa:mx.danebad:validation-failure

	# and others
	none        delivered  mx.none/no           *
	cdom        delivered  mx1.good/yes         sts:mx1.good:success
	lured       deferred   -                    sts:mx.lure:validation-failure
	m21         deferred   -                    sts:alias.m21:validation-failure
	m30         delivered  mx.m30/yes           sts:mx.m30:success
	m33         deferred   -                    sts:mx.m33:validation-failure
	rcpt550     bounced    -                    sts:mx.rcpt550:success
	rcpt450     deferred   -                    sts:mx.rcpt450:success
	END
}

# taken: host/TLS of the host that Exim delivered to, without ".example"
taken() {
	local line
	line=$(grep ' => .* H=' "$got/mainlog") || { echo -; return; }
	echo "$(sed -nE 's/.* H=([^ ]+)\.example .*/\1/p' <<<"$line")/$(sed -nE 's/.* CV=([a-z]+) .*/\1/p' <<<"$line" | grep . || echo -)"
}

for exim in $EXIMS; do
	use "$exim"
	while read -r domain outcome host wanted; do
		send "u@$domain.example"
		summary="$(outcome) $(taken) $(records | sed 's/\.example / /' | tr ' ' : | paste -sd,)"
		if [ "$wanted" = '*' ]; then summary="${summary% *} *"; fi
		if [ "$summary" != "$outcome $host $wanted" ]; then
			fail "$exim: $domain" "wanted: $outcome $host $wanted" "got:    $summary" "$(story)"
		elif [ -s "$got/panic" ]; then
			fail "$exim: $domain" "a line in the panic log" "$(story)"
		elif [ "$outcome" = deferred ] && [ -n "$(accepted)" ]; then
			fail "$exim: $domain" "deferred, and yet a host took it" "$(story)"
		else
			pass "$exim: $domain: $outcome"
		fi
	done < <(cases)

	# The same without us: what is deferred above is taken, by whoever is there.  Exim's own DANE is not ours.
	configure '/^\.include/d'
	while read -r domain outcome host wanted; do
		case $domain,$outcome in danebad,* | rcpt* | *,delivered) continue ;; esac
		send "u@$domain.example"
		if [ -n "$(accepted)" ]; then
			pass "$exim without the plugin: $domain is taken"
		else
			fail "$exim without the plugin: $domain is taken" "$(story)"
		fi
	done < <(cases)
done
tap_done
