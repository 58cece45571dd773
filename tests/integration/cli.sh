#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The command in the lab's internet: mtasts lookup and explain against real names, policy hosts and MX sets.
#
#	stage	what "make install" made, with a prefix below it
#	build	the build tree
# shellcheck source-path=SCRIPTDIR source=lib/lab.sh
. "$(dirname "$0")/lib/lab.sh"
: "${build:?the build tree}"
staged 6

out='' err='' status=0
# run ARGUMENT...: in the sender's namespace; sets out, err and status
run() {
	local command=$1
	shift
	"$top/lab/run" "$mtasts" "$command" -c "$conf" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(cat "$work/out") err=$(cat "$work/err")
}

# gives NAME STATUS REGEX...: the output has a line like each
gives() {
	local name=$1 wanted=$2 why=()
	shift 2
	[ "$status" = "$wanted" ] || why+=("status $status, wanted $wanted")
	for regex; do
		grep -qE -- "$regex" <<<"$out" || why+=("no line like $regex")
	done
	if [ ${#why[@]} -eq 0 ]; then pass "$name"; else fail "$name" "${why[@]}" "stdout: $out" "stderr: $err"; fi
}

# json NAME EXPRESSION: the output is JSON of which the Python expression over j holds
json() {
	local why
	if why=$(python3 -c 'import json, sys
j = json.load(sys.stdin)
assert eval(sys.argv[1]), j' "$2" <<<"$out" 2>&1); then pass "$1"; else fail "$1" "$2" "$out" "$why"; fi
}

# gets MARK DOMAIN: how many policies the lab has served since
gets() {
	"$top/lab/log" --since "$1" --count get "host=mta-sts.$2"
}

"$mtasts" init -c "$conf" --no-users >/dev/null || bail "init does not work"

# ---- lookup
mark=$("$top/lab/log" --mark)
run lookup good.example
gives "lookup: published" 0 '^state: published$' '^mode: enforce$' '^id: 1$' '^source: network$' '^mx: mx1\.good\.example$' \
	'^fetched: 20[0-9-]{8}T[0-9:]{8}Z$' '^expires: 20[0-9-]{8}T[0-9:]{8}Z$' '^finding: -$'
is "lookup: nothing else" "$(cut -d: -f1 <<<"$out" | tr '\n' ' ')" 'state mode id source mx fetched expires finding '
run lookup GOOD.example.
gives "lookup: from the store (t51)" 0 '^source: cache$'
is "lookup: one fetch" "$(gets "$mark" good.example)" 1
run lookup good.example nopol.example t45servfail.example
gives "lookup: a table" 75 '^DOMAIN +STATE +MODE +ID +SOURCE +FETCHED +EXPIRES +FINDING +MX$' \
	'^good\.example +published +enforce +1 +cache .* mx1\.good\.example$' '^nopol\.example +absent +- ' \
	'^t45servfail\.example +unknown +- '
run lookup --json good.example nopol.example
gives "lookup: absent is an answer" 0
json "lookup: --json" '[e["state"] for e in j] == ["published", "absent"] and j[0]["mx"] == ["mx1.good.example"] and j[1]["mode"] is None'
run lookup --json good.example
json "lookup: --json, one domain" 'len(j) == 1 and j[0]["domain"] == "good.example" and j[0]["finding"] is None'
run lookup --cached good.example
gives "lookup --cached" 0 '^state: published$'
mark=$("$top/lab/log" --mark)
run lookup --cached tself.example
gives "lookup --cached: not there" 75 '^state: unknown$' '^mode: -$'
is "lookup --cached: asks nobody" "$("$top/lab/log" --since "$mark" --count dns)" 0
run lookup t45servfail.example
gives "lookup: unknown (t45)" 75 '^state: unknown$' '^finding: -$' '^reason: .*SERVFAIL'
run lookup f17expired.example
gives "lookup: a finding" 0 '^state: absent$' '^finding: sts-webpki-invalid$' '^reason: .*expired'
run lookup f28endless.example
gives "lookup: another finding" 0 '^state: absent$' '^finding: sts-policy-fetch-error$'
run lookup none.example
gives "lookup: mode none" 0 '^state: published$' '^mode: none$'
run lookup bücher.example
gives "lookup: a U-label (t54)" 0 '^state: published$' '^mx: mx\.xn--bcher-kva\.example$'
run lookup xn--bcher-kva.example
gives "lookup: its A-label" 0 '^source: cache$'
for name in '[192.0.2.1]' 192.0.2.1 .example.com '' a..example "$(printf 'a%.0s' {1..64}).example" $'a\nb.example' 'a b'; do
	run lookup "$name"
	gives "lookup: no name (t50): '${name//$'\n'/\\n}'" 65
done
"$top/lab/publish" good "record=servfail" >/dev/null
run lookup --recheck good.example
gives "lookup --recheck: stale, and binding (t46)" 0 '^state: published$' '^source: stale$' '^finding: sts-policy-fetch-error$'
run lookup --cached --recheck good.example
gives "lookup: --cached and --recheck" 64
run lookup
gives "lookup: of what?" 64
"$mtasts" lookup -c "$conf" -o helper_directory=/nonexistent tgood.example >"$work/out" 2>"$work/err"
is "lookup: no helper" "$?" 75
like "lookup: no helper, in words" "$(cat "$work/err" "$work/out")" 'mtasts-resolve'

# ---- explain
run explain mixmx.example
gives "explain: one host of two" 0 '^domain   mixmx\.example$' '^cache    nothing in force$' '^record   id 1$' \
	'^policy   published, mode enforce, source network$' '^ +mx \*\.mixmx\.example$' \
	'^ +10 +evil2\.attacker\.example +not used +validation-failure$' '^ +20 +mx2\.mixmx\.example +only over verified TLS$' \
	'^verdict  now: deliver$' '^ +now: defer, 451 4\.7\.5 Remote certificate' '^ +after 1d: fail, 550 5\.7\.5 Remote certificate'
run explain badmx.example
gives "explain: no host" 0 '^ +10 +evil\.attacker\.example +not used +validation-failure$' \
	"^verdict  now: defer, 451 4\.4\.8 MX hosts of 'badmx.example' failed MTA-STS validation; will retry$" \
	"^ +after 1d: fail, 550 5\.4\.8 MX hosts of 'badmx.example' failed MTA-STS validation\.$"
run explain -o bounce_after=0 badmx.example
gives "explain: bounces at once" 0 "^verdict  now: fail, 550 5\.4\.8 "
run explain --json badmx.example
json "explain: --json" 'j["decision"]["now"]["smtp_code"] == 451 and j["decision"]["later"]["enhanced"] == "5.4.8" and not j["mx"]["hosts"][0]["deliver"]'
run explain tbadmx.example
gives "explain: testing delivers, and tells" 0 '^policy   published, mode testing' '^ +10 +evil\.attacker\.example +used +validation-failure$' \
	'^verdict  now: deliver$'
run explain none.example
gives "explain: mode none" 0 'mode none' '^verdict  now: deliver$'
unlike "explain: mode none bounces nothing" "$out" '^bounce'
run explain nopol.example
gives "explain: no policy" 0 '^record   none that counts$' '^policy   absent' '^verdict  now: deliver$'
run explain aonly.example
gives "explain: no MX record" 0 'no MX record: the domain is its own host' '^ +0 +aonly\.example +only over verified TLS$'
run explain nullmx.example
gives "explain: null MX" 0 '^hosts    null MX'
run explain nosuch.nosuch.example
gives "explain: no domain" 0 '^hosts    no such domain$'
run explain mxservfail.example
gives "explain: MX not found out" 75 '^hosts    could not be found out'
run explain t45servfail.example
gives "explain: policy not found out" 75 '^record   could not be found out$' '^policy   unknown' '^verdict  now: deliver$'
run explain -o on_unknown=defer t45servfail.example
gives "explain: on_unknown = defer" 75 '^verdict  now: defer, 451 '
run explain bücher.example
gives "explain: a U-label" 0 '^domain   xn--bcher-kva\.example$'
run explain
gives "explain: what?" 64
run explain a b
gives "explain: two domains" 64
run explain 'no name'
gives "explain: no name" 65

sleep 10 # no two fetches of one domain within ten seconds
"$top/lab/publish" good "record=id=2" "policy=testing" >/dev/null
run lookup --recheck good.example
gives "lookup --recheck: a new id" 0 '^mode: testing$' '^id: 2$' '^source: network$'
"$top/lab/publish" good "record=id=1" "policy=enforce" >/dev/null

# ---- as the mail server's user; and when the store is not there, or not whole
out=$("$top/lab/run" setpriv --reuid=nobody --regid=daemon --clear-groups env "LD_LIBRARY_PATH=$work/bin" \
	"$mtasts" lookup -c "$conf" good.example 2>&1)
is "lookup: in the group" "$?" 0
like "lookup: in the group, from the store" "$out" '^source: (cache|network)$'
"$mtasts" lookup -c "$conf" -o "state_directory=$work/none" good.example >"$work/out" 2>"$work/err"
is "lookup: no store" "$?" 78
like "lookup: no store, in words" "$(cat "$work/err")" "^mtasts: no store in $work/none: run 'mtasts init'$"
rm -f "$state"/policies.db-*
dd if=/dev/zero of="$state/policies.db" bs=4096 count=6 conv=notrunc status=none
run lookup --cached good.example
gives "lookup: a damaged store" 75 '^state: fault$'
like "lookup: a damaged store is told" "$err" '^mtasts: '
run explain nopol.example
gives "explain: a damaged store" 75 '^cache    unreadable$' '^policy   fault' '^verdict  now: defer, 451 4\.3\.0 '
run explain -o cache_fault=deliver nopol.example
gives "explain: cache_fault = deliver" 75 '^verdict  now: deliver$'
tap_done
