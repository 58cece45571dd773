# shellcheck shell=bash disable=SC2034 # what is set here is for who sources it
# SPDX-License-Identifier: ISC
#
# The command in the lab, with a store of its own under $work.  Sourced, not run.
#
#	stage	what "make install" made, with a prefix below it: mtasts, libmtasts.so, the helpers
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
at_end() {
	! mountpoint -q "$state" || umount -R "$state"
}
staged 4

# inside COMMAND...: in the sender's network; a process of that number
inside() {
	nsenter --net="/run/netns/$LAB_NAME-sender" "$@"
}

out='' err='' status=0 took=0
# run SUBCOMMAND ARGUMENT...: sets out, err, status, and took in ms
run() {
	local command=$1 from=${EPOCHREALTIME/./}
	shift
	inside "$mtasts" "$command" -c "$conf" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	out=$(<"$work/out") err=$(<"$work/err")
}

# field KEY: its value in the last output
field() {
	sed -n "s/^$1: //p" <<<"$out"
}

# helpers: the numbers of all that run
helpers() {
	pgrep -f "^$bin/mtasts-(resolve|fetch)"
}

# A store as init makes it
store() {
	! mountpoint -q "$state" || umount -R "$state"
	rm -rf "$state"
	"$mtasts" init -c "$conf" --no-users >"$work/init" 2>&1 || bail "init: $(cat "$work/init")"
}
