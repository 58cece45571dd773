#!/bin/bash
# SPDX-License-Identifier: ISC
#
# kill -9, of a look-up at every step of its question, fetch and put, and of its helpers while it lives.  After each: the
# store is readable, the policy in it whole or not there, nobody waits for the dead, and no helper is left behind.
#
#	ROUNDS	of the first kind, default 260; a third as many of the second
# shellcheck source-path=SCRIPTDIR source=lib/command.sh
. "$(dirname "$0")/lib/command.sh"
rounds=${ROUNDS:-260}

# By turns: enough of them that each has its ten seconds between two fetches
mapfile -t domains < <(awk '($2 == "-" || $2 == "signed") && $3 == "id=1" && $4 ~ /^enforce(:[^;]*)?$/ && $7 == "ok" { print $1 ".example" }' \
    "$LAB_DIR/domains")
[ ${#domains[@]} -ge 30 ] || bail "the lab's table has too few domains"
exec {nothing}<> <(:)

# pause MICROSECONDS
pause() {
	read -rt "$(printf '0.%06d' "$1")" -u "$nothing"
}

declare -A count=()
whys=()
wrong() {
	[ ${#whys[@]} -ge 12 ] || whys+=("round $round, $domain, after ${delay} us: $1")
}

# The policy as it was published, or none
check_store() {
	run cache list
	[ "$status" = 0 ] || wrong "the list: $status $err"
	run cache show "$domain"
	case $status,$(field state),$(field mode),$(field id) in
	66,,,) count[none]=$((${count[none]:-0} + 1)) ;;
	0,valid,enforce,1) count[whole]=$((${count[whole]:-0} + 1)) ;;
	*) wrong "the policy is neither whole nor absent: $status $out $err" ;;
	esac
}

# The next one knows at once; that a fetch was begun just now is the only thing it may respect.
check_next() {
	run lookup "$domain"
	[ "$took" -lt 1500 ] || wrong "the next look-up took $took ms"
	case $status,$(field state),$(field reason) in
	0,published,*) run cache drop "$domain" ;;
	75,fault,'policy host was asked just now') count[soon]=$((${count[soon]:-0} + 1)) ;;
	*) wrong "the next look-up: $status $out $err" ;;
	esac
}

check_helpers() {
	for _ in {1..20}; do
		helpers >/dev/null || return
		pause 50000
	done
	wrong "helpers are left: $(helpers | tr '\n' ' ')"
}

# find_helpers: of the look-up in the background; faster than pgrep where the kernel has a list
find_helpers() {
	victims=()
	if [ -e /proc/$$/task/$$/children ]; then
		read -ra victims <"/proc/$pid/task/$pid/children"
	else
		mapfile -t victims < <(pgrep -P "$pid")
	fi 2>/dev/null
}

# begin: a look-up in the background, its number in $pid
begin() {
	nsenter --net="/run/netns/$LAB_NAME-sender" "$mtasts" lookup -c "$conf" "$domain" \
	    >"$work/told" 2>"$work/said" </dev/null &
	pid=$! # no shell between
}

result() {
	if [ ${#whys[@]} -eq 0 ]; then pass "$1"; else fail "$1" "${whys[@]}"; fi
	whys=()
}

store
run lookup "${domains[@]}"
[ "$status" = 0 ] || bail "the lab's domains: $out $err"
declare -A fetched=()
for domain in "${domains[@]}"; do
	run cache drop "$domain"
	fetched[$domain]=$EPOCHSECONDS
done

# next_domain: one that was not fetched lately
turn=0
next_domain() {
	domain=${domains[turn++ % ${#domains[@]}]}
	while [ $((EPOCHSECONDS - fetched[$domain])) -le 10 ]; do pause 200000; done
	fetched[$domain]=$EPOCHSECONDS
}

# How long one takes here and now, to spread the blows over it
round=0 delay=0 span=1000
for _ in {1..5}; do
	next_domain
	run lookup "$domain"
	[ "$took" -ge "$span" ] || span=$took
	run cache drop "$domain"
done
diag "a look-up takes $span ms"

for ((round = 1; round <= rounds; round++)); do
	next_domain
	delay=$((round * span * 1100 / rounds))
	begin
	pause $delay
	if kill -9 "$pid" 2>/dev/null; then count[killed]=$((${count[killed]:-0} + 1)); fi
	wait "$pid" 2>/dev/null
	check_helpers
	check_store
	check_next
done
diag "killed ${count[killed]}, left a policy ${count[whole]:-0}, none ${count[none]:-0}, respected a fetch ${count[soon]:-0}"
result "a look-up killed at any moment, $rounds rounds"
[ "${count[whole]:-0}" -gt 0 ] && [ "${count[none]:-0}" -gt $((rounds / 4)) ] && [ "${count[killed]}" -gt $((rounds / 2)) ]
is "some were killed before the put and some after" $? 0

# Of its helpers, one or both: the look-up says that something is wrong here, or has its answer already.
count=()
for ((round = 1; round <= rounds / 3; round++)); do
	next_domain
	delay=$((round * span * 1500 / rounds))
	begin
	for _ in {1..200}; do
		find_helpers
		[ ${#victims[@]} -eq 0 ] || break
		kill -0 "$pid" 2>/dev/null || break
		pause 1000
	done
	pause $delay
	find_helpers
	[ ${#victims[@]} -eq 0 ] || kill -9 "${victims[@]}" 2>/dev/null
	wait "$pid" 2>/dev/null
	status=$?
	out=$(<"$work/told") err=$(<"$work/said")
	case $status,$(field state) in
	0,published) count[published]=$((${count[published]:-0} + 1)) ;;
	75,fault)
		count[fault]=$((${count[fault]:-0} + 1))
		[ "$(wc -l <"$work/said")" = 1 ] || wrong "not one line: $err"
		grep -q '^mtasts: helper program=mtasts-[a-z]* reason="ended' "$work/said" || wrong "said: $err"
		;;
	*) wrong "told: $status $out $err" ;;
	esac
	check_helpers
	check_store
	check_next
done
diag "published ${count[published]:-0}, fault ${count[fault]:-0}"
result "a helper killed at any moment, $((rounds / 3)) rounds"
[ "${count[fault]:-0}" -gt 5 ]
is "some of them before they had answered" $? 0

# Nothing of all that stays.
pause 999999
sleep 10
run lookup "${domains[@]}"
is "afterwards: every policy is found" "$status $(grep -c ' published  *enforce  *1 ' <<<"$out")" "0 ${#domains[@]}"
run cache list
is "afterwards: and is in the store" "$status $(grep -c ' valid  *enforce  *1 ' <<<"$out")" "0 ${#domains[@]}"
tap_done
