#!/bin/bash
# SPDX-License-Identifier: ISC
# The ways by which mail would slip past a policy in Exim.  Each is tried twice: as we configure it, when the mail must
# not get through, and with our line for it taken out, when it must: else the test would prove nothing.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"

# Whether a host took mail for the domain
took() {
	accepted | grep -q "^[^ ]*@$1\\.example "
}

# hole NAME ATTACK DOMAIN SED...: ATTACK tries to get mail for DOMAIN through; the sed commands take our lines out.
# before are those of an administrator that both configurations have.
before=()
hole() {
	local name=$1 attack=$2 domain=$3
	shift 3
	configure "${before[@]}"
	"$attack"
	if took "$domain"; then
		fail "$exim: $name" "mail for $domain got through" "$(story)"
	elif [ "$(outcome)" = lost ]; then
		fail "$exim: $name" "Exim did nothing" "$(story)"
	else
		pass "$exim: $name"
	fi
	[ $# -gt 0 ] || return
	configure "${before[@]}" "$@"
	"$attack"
	if took "$domain"; then
		pass "$exim: $name: open without our line"
	else
		fail "$exim: $name: open without our line" "taken out: $*" "$(story)"
	fi
}

# Two domains, one host, one message: the host of shareb may have any certificate, that of sharea not.
batch() {
	send u@shareb.example u@sharea.example
}

# A message that waits for the host to which a connection is open
passed_on() {
	forget
	message -odqs -f alice@sender.example u@sharea.example
	message -odi -f alice@sender.example u@shareb.example
	gather
}

# A session resumed is not verified anew by OpenSSL.
resumed() {
	send u@shareb.example
	message -odi -f alice@sender.example u@sharea.example
	gather
}

cut_through() {
	forget
	smtp 'MAIL FROM:<stranger@client.example>' 'RCPT TO:<u@shareb.example>' 'RCPT TO:<u@sharea.example>' \
	    DATA 'Subject: test' '' 'A test.' .
}

# Exim's resolver is told another MX than the plugin was.
flip() {
	"$top/lab/publish" flip
	send u@flip.example
}

for_domain() { send "u@$domain.example"; }

events='/^event_action/d'
verify='/^tls_verify_hosts/d'
interface='/^interface/d'
for exim in $EXIMS; do
	use "$exim"

	# shellcheck disable=SC2016 # the dollars are Exim's
	hole 'c28: batch of two domains' batch sharea '/^multi_domain/d' '/^  headers_remove/d' 's/\$\{if def:domain\{\$r_mtasts\}\}/$r_mtasts/'
	hole 'passed connection' passed_on sharea '/^connection_max_messages/d' "$interface"
	before=('s/^  accept verify = recipient/  accept control = cutthrough_delivery\n&/; s/^  accept (verify)/  \1/')
	hole 'cut-through of two recipients' cut_through sharea "$interface"
	before=()
	if [ "$exim" = openssl ]; then
		hole 'resumed session' resumed sharea 's/^tls_resumption_hosts =/& */'
	else
		hole 'resumed session' resumed sharea # GnuTLS verifies again
	fi

	hole 'no STARTTLS' for_domain notls '/^hosts_require_tls/d'
	hole 'certificate of nobody' for_domain selfsigned "$verify" "$events"
	hole 'name in the CN only' for_domain cnonly "$events"
	if [ "$exim" = bookworm ]; then
		hole 'R7.2.1: TLS 1.1' for_domain tls11 '/^tls_require_ciphers/d'
	else
		hole 'R7.2.1: TLS 1.1' for_domain tls11 # these libraries refuse it themselves
	fi

	# The MX hosts are another's.  Without the closing router the administrator's own takes what ours declined.
	hole 'MX outside the policy' for_domain badmx '/^mtasts:/,/^$/ s/^  data = .*/  data =/' '/^mtasts_closed:/,/^  data/d' "$events"
	hole 'MX changes after the look-up: dropped hosts' flip flip '/mtasts_ignore/d' "$events"
	hole 'MX changes after the look-up: closing router' flip flip '/^mtasts_closed:/,/^  data/d' "$events"
	hole 'policy that has an alias'"'"'s target only' for_domain m21 '/^mtasts:/,/^$/ s/^  data = .*/  data =/' \
	    '/^mtasts_closed:/,/^  data/d' '/mtasts_ignore/d' "$events" "$verify"
	hole 'DANE of a host that an unsigned MX names' for_domain lured '/^mtasts:/,/^$/ s/^  data = .*/  data =/' \
	    '/^mtasts_closed:/,/^  data/d' "$events"

	# fallback_hosts are tried when the MX hosts fail: ours to judge like them.
	before=('s/^  connect_timeout.*/&\n  fallback_hosts = evil.attacker.example/')
	hole 'fallback_hosts' for_domain expired "$events"
	before=()

	# A retry record of a host is everybody's: one domain's policy must not hold up the others' mail.
	slow='s/^\* \* F.*/* * F,4h,30m/'
	for taken_out in '' "$interface"; do
		configure "$slow" ${taken_out:+"$taken_out"}
		send u@sharea.example
		listen
		message -odi -f alice@sender.example u@shareb.example
		gather
		case $taken_out,$(took shareb && echo taken) in
		,taken) pass "$exim: c28: retry record of a shared host" ;;
		,) fail "$exim: c28: retry record of a shared host" "$(story)" ;;
		*,taken) fail "$exim: c28: retry record of a shared host: holds others up without our line" "$(story)" ;;
		*,) pass "$exim: c28: retry record of a shared host: holds others up without our line" ;;
		esac
	done

	# A recipient whom the administrator routes himself, and one of ours in the same domain, on the same hosts
	special='s|^.include /etc/exim4/router.inc|special:\n  driver = dnslookup\n  local_parts = special\n  transport = remote_smtp\n&|'
	for taken_out in '' '/^  headers_remove/d'; do
		configure "$special" ${taken_out:+"$taken_out"}
		send special@selfsigned.example u@selfsigned.example
		case $taken_out,$(accepted | cut -d ' ' -f 1 | tr '\n' ' ') in
		,'special@selfsigned.example ') pass "$exim: batch with an explicit route" ;;
		,*) fail "$exim: batch with an explicit route" "$(story)" ;;
		*,*u@selfsigned.example*) pass "$exim: batch with an explicit route: open without our line" ;;
		*) fail "$exim: batch with an explicit route: open without our line" "$(story)" ;;
		esac
	done

	# Server name: the good certificate is given to who asks for it
	for taken_out in '' '/^tls_sni/d'; do
		configure ${taken_out:+"$taken_out"}
		send u@m30.example
		case $taken_out,$(took m30 && echo taken) in
		,taken) pass "$exim: server name" ;;
		,) fail "$exim: server name" "$(story)" ;;
		*,taken) fail "$exim: server name: wrong certificate without our line" "$(story)" ;;
		*,) pass "$exim: server name: wrong certificate without our line" ;;
		esac
	done

	# We are backup MX ourselves: hosts no better than us are not tried, or mail would go round in circles.
	"$top/lab/publish" backup policy=enforce:mx,mx3 mx=10:mx,20:mail.sender,30:mx3 mail=down,-,good
	# shellcheck disable=SC2016
	hole 'R8.4.1: host worse than ourselves' for_domain backup 's/\$\{dlfunc\{MTASTS_SO\}\{mtasts_ignore\}\{MTASTS_ALABEL\}\{;\}\}/${sg{&}{!@.. ;}{}}/'
	# But whoever names us as the best host, outside the policy, must not have mail frozen.
	"$top/lab/publish" backup policy=enforce:mx mx=5:mail.sender,10:mx mail=-,good
	configure
	send u@backup.example
	is "$exim: ourselves as the best host, outside the policy" "$(outcome) $(accepted)" \
	    'delivered u@backup.example mx.backup.example TLSv1.3'
done
tap_done
