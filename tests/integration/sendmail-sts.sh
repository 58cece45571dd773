#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Debian's own sendmail with its stock FEATURE(`sts'), unchanged, asking `mtasts socketmap` in place of the daemon it was made
# for: what that enforces; and what it gets wrong though every answer is right.  A test that is called "stock: ..." passes where
# FEATURE(`sts') fails: each has its counterpart, of the same name, in the tests of our own FEATUREs.
#
#	stage	what "make install" made, with a prefix below it
# shellcheck source-path=SCRIPTDIR source=lib/sendmail.sh
. "$(dirname "$0")/lib/sendmail.sh"
# shellcheck source-path=SCRIPTDIR source=lib/socketmap.sh
. "$top/tests/integration/lib/socketmap.sh"
[ -n "$mtasts" ] || bail "not installed: mtasts"
feature="FEATURE(\`sts')"
use debian
# shellcheck disable=SC2154 # lib/server.sh sets server
socketmap=("$top/tests/servers/run" "$server" "$mtasts" socketmap)
address=inet:5461@127.0.0.1 # where FEATURE(`sts') asks, if it is not told
serve

# took DOMAIN: the hosts that took mail for it
took() {
	accepted | awk -v domain="$1" '$1 ~ ("@" domain "$") {print $2}' | sort -u | paste -sd,
}

# becomes NAME DOMAIN OUTCOME [HOST]: what the last delivery made of the domain
becomes() {
	local became
	became="$(outcome "u@$2") $(took "$2")"
	if [ "$became" = "$3 ${4:-}" ]; then pass "$1"; else fail "$1" "wanted: $3 ${4:-}" "got:    $became" "$(story)" "$(tail -n 3 "$work/map.log")"; fi
}

matrix() {
	local domain outcome host
	while read -r domain outcome host; do
		send "u@$domain.example"
		becomes "sts: $domain: $outcome" "$domain.example" "$outcome" "$host"
	done < <(sed -E 's/ *#.*//; /^$/d' <<-'END'
	good        delivered mx1.good.example
	wrongname   deferred
	selfsigned  deferred
	expired     deferred
	notls       deferred
	st454       deferred
	tls11       deferred
	cnonly      deferred
	badmx       deferred
	mixed       delivered mx2.mixed.example
	mixmx       delivered mx2.mixmx.example
	aonly       delivered aonly.example
	m30         delivered mx.m30.example  # its certificate comes only with SNI
	wilds       delivered mx1.wilds.example  # a wildcard in the policy
	deep        deferred
	wildnone    deferred
	tgood       delivered mx.tgood.example
	tself       delivered mx.tself.example
	tnotls      delivered mx.tnotls.example
	tbadmx      delivered evil.attacker.example
	none        delivered mx.none.example
	nopol       delivered mx.nopol.example
	nopol2      delivered mx.nopol2.example
	END
	)
}

# A policy of two thousand names goes through FEATURE(`sts') too: it cuts lists of more than 255 octets
many() {
	local body
	body='version:%20STSv1%0d%0amode:%20enforce%0d%0amax_age:%20604800%0d%0a'
	body+=$(for ((i = 0; i < 2000; i++)); do printf 'mx:%%20mx%s.many.example%%0d%%0a' "$i"; done)
	"$top/lab/publish" many.example "policy=raw:${body}mx:%20mx.many.example%0d%0a" >&2
	send u@many.example
	becomes "sts: 2001 patterns: delivered" many.example delivered mx.many.example
}

# The certificate is asked for once a session and for its first recipient alone: the policy of another in the same session, or in
# one that is used again, finds whoever is there
stock() {
	send u@shareb.example u@sharez.example
	becomes "stock: bypass: a host that proves nothing takes mail for an enforcing domain, next to one without a policy" \
		sharez.example delivered mx.shared.example

	send u@sharea.example u@shareb.example
	becomes "stock: collateral: the policy of one domain" sharea.example deferred
	becomes "stock: collateral: stops the mail of another that has none" shareb.example deferred

	forget
	queue u@shareb.example
	sleep 1.1 # the queue goes by seconds
	queue u@sharez.example
	queue_run -OConnectionCacheSize=2
	becomes "stock: cached-bypass: and so in a session that was begun for another" sharez.example delivered mx.shared.example

	send u@wild.example
	becomes "stock: wildcard: a certificate for *.wild.example, which is good, is refused" wild.example deferred

	send u@cdomnone.example
	is "stock: cname: a CNAME leads past the policy" "$(accepted | awk '{print $2}')" mx.nopol.example
}

# No server: nothing goes out unprotected
down() {
	stop
	is "the server ends well" "$status" 0
	for domain in good nopol; do
		send "u@$domain.example"
		becomes "server down: $domain" "$domain.example" deferred
	done
}

# What the tests above are worth: the same without the FEATURE
control() {
	feature=
	configure
	for domain in wrongname selfsigned expired notls deep; do
		send "u@$domain.example"
		if [ -n "$(took "$domain.example")" ]; then
			pass "without the FEATURE: $domain is taken"
		else
			fail "without the FEATURE: $domain is taken" "$(story)"
		fi
	done
}

parts=${*:-matrix many stock down control}
for part in $parts; do $part; done
tap_done
