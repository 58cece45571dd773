# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# The command in the lab, with a store of its own under $work.  Sourced, not run.
#
#	stage	what "make install" made, with a prefix below it: mtasts, libmtasts.so, the helpers
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/lib/tap.sh"
export LAB_NAME=${LAB_NAME:-mtasts-test}
export LAB_DIR=${LAB_DIR:-/tmp/$LAB_NAME-lab}

[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 77; }
[ -n "${stage:-}" ] || bail "stage is not set: where make install put things"
prefix=$(dirname "$(dirname "$(find "$stage" -path '*/bin/mtasts' -type f | head -n 1)")")
[ -x "$prefix/bin/mtasts" ] || bail "not installed: mtasts"
work=$(mktemp -d)
chmod 755 "$work"
state=$work/state conf=$work/mtasts.conf bin=$work/bin mtasts=$work/bin/mtasts
brought_up=

clean_up() {
	! mountpoint -q "$state" || umount -R "$state"
	[ -z "$brought_up" ] || "$top/lab/down" >&2
	rm -rf "$work"
}
trap clean_up EXIT

if ! ip netns list | grep -q "^$LAB_NAME-sender\\b"; then
	"$top/lab/up" >&2 || bail "the lab does not come up"
	brought_up=1
fi

# The stage may lie where the helpers' user cannot go
mkdir "$bin" && cp "$prefix"/bin/mtasts "$prefix"/lib/libmtasts.so* "$prefix"/libexec/mtasts/mtasts-* "$bin"
chmod 755 "$bin"/*
export LD_LIBRARY_PATH=$bin
cat >"$conf" <<END
state_directory = $state
user = daemon
group = daemon
helper_user = nobody
helper_directory = $bin
ca_directory = $LAB_DIR/pki/certs
resolv_conf = $LAB_DIR/resolv.conf
allow_addresses = 198.18.0.0/15 fd18::/16
deadline = 4s
END

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
