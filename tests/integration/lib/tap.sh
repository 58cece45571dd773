# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# TAP for shell tests: ok, not ok, and the plan at the end.  Sourced, not run.
tap_number=0 tap_failures=0

# pass NAME
pass() {
	tap_number=$((tap_number + 1))
	echo "ok $tap_number - $1"
}

# fail NAME [WHY...]: the whys, many lines each if need be, follow as diagnostics
fail() {
	tap_number=$((tap_number + 1)) tap_failures=$((tap_failures + 1))
	echo "not ok $tap_number - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}

# diag TEXT...
diag() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "wanted: $3" "got:    $2"; fi
}

# like NAME TEXT REGEX: a line of the text matches the extended regular expression
like() {
	if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1" "wanted: $3" "got:" "$2"; fi
}

# unlike NAME TEXT REGEX
unlike() {
	if grep -qE -- "$3" <<<"$2"; then fail "$1" "not wanted: $3" "got:" "$2"; else pass "$1"; fi
}

# The plan, and the status a test ends with
tap_done() {
	echo "1..$tap_number"
	[ "$tap_failures" -eq 0 ]
}

# bail WHY: nothing more can be tested
bail() {
	echo "Bail out! $*"
	exit 1
}
