#!/bin/bash
# SPDX-License-Identifier: ISC
# Bounces: when a message is old enough, every host failed by policy, and the policy was fetched anew and still says so.
# And never otherwise.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"
[ -n "$mtasts" ] || { echo "1..0 # SKIP no mtasts below $stage"; exit 77; }

# line DOMAIN: what the main log says of the message to it
line() {
	grep -E " (==|\*\*|=>) u@$1\\.example" "$got/mainlog" | tail -n 1
}

"$top/lab/publish" backup policy=enforce:mx,mx2 mx=10:mx,20:mx2 mail=expired,down
for exim in $EXIMS; do
	use "$exim"
	"$top/lab/publish" wrongname policy=enforce
	"$top/lab/publish" cnonly https=ok
	"$top/lab/publish" tls11 record=id=1

	# Nothing is final while the message is young.
	domains='badmx expired selfsigned notls wrongname cnonly tls11 backup rcpt450'
	settings 'bounce_after = 1h'
	forget
	for domain in $domains; do queue "u@$domain.example"; done
	queue_run
	for domain in $domains; do
		like "$exim: $domain: young" "$(line "$domain")" ' == '
	done

	# By now no policy has been fetched for so long that each may be again.
	sleep 11
	settings 'bounce_after = 0s'
	"$top/lab/publish" wrongname policy=testing record=id=2
	"$top/lab/publish" cnonly https=closed
	"$top/lab/publish" tls11 record=servfail
	queue_run
	like "$exim: badmx: bounced" "$(line badmx)" \
	    "\*\* .* R=mtasts: 550 5\\.4\\.8 MX hosts of 'badmx\\.example' failed MTA-STS validation\\."
	for domain in expired=certificate-expired selfsigned=certificate-not-trusted notls=starttls-not-supported; do
		like "$exim: ${domain%=*}: bounced" "$(line "${domain%=*}")" \
		    "\*\* .* R=mtasts: 550 5\\.7\\.5 Remote certificate failed MTA-STS validation\\. Reason: ${domain#*=}\$"
	done
	like "$exim: the sender is told" "$(tr '\n' ' ' <"$got/box" | tr -s ' ')" \
	    'Reason: certificate-expired .*Action: failed|Action: failed.*certificate-expired'
	like "$exim: wrongname: testing now, delivered" "$(line wrongname)" ' => '
	like "$exim: cnonly: policy host down, nothing was rechecked" "$(line cnonly)" ' == '
	like "$exim: tls11: DNS fails, nothing was rechecked" "$(line tls11)" ' == '
	like "$exim: backup: a host was only unreachable" "$(line backup)" ' == '
	like "$exim: rcpt450: its own answer" "$(line rcpt450)" ' == .*450 4\.2\.1'
	"$top/lab/publish" cnonly https=ok
	"$top/lab/publish" tls11 record=id=1

	# What is known from just now is known anew.
	send u@lured.example
	like "$exim: at once" "$(line lured)" '\*\* .* R=mtasts: 550 5\.4\.8 '
done
tap_done
