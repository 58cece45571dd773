# shellcheck shell=bash disable=SC2034 # what is set here is for who sources it
# SPDX-License-Identifier: ISC
#
# What every test in the lab begins with: the lab up and as its table says, a directory of the
# test's own ($work), and all of it gone in the end.  Sourced, not run.
#
#	stage	what "make install" made, with a prefix below it
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/lib/tap.sh"
export LAB_NAME=${LAB_NAME:-mtasts-test}
export LAB_DIR=${LAB_DIR:-/tmp/$LAB_NAME-lab}

[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 77; }
[ -n "${stage:-}" ] || bail "stage is not set: where make install put things"
work=$(mktemp -d)
chmod 755 "$work"
children=() # processes that the test started, by number
brought_up=

# at_end: what a test has to undo itself; it defines its own
at_end() {
	:
}

clean_up() {
	local pid
	for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || :; done
	wait 2>/dev/null || :
	at_end
	[ -z "$brought_up" ] || "$top/lab/down" >&2
	rm -rf "$work"
}
trap clean_up EXIT

if ! ip netns list | grep -q "^$LAB_NAME-sender\\b"; then
	"$top/lab/up" >&2 || bail "the lab does not come up"
	brought_up=1
else
	"$top/lab/publish" --all "$top/lab/domains" >&2 || bail "the lab does not take its table"
fi

# staged SECONDS: the command, the library and the helpers, copied to $bin (the stage may lie where
# the helpers' user cannot go), and $conf for a store in $state, with that deadline
staged() {
	local prefix
	state=$work/state conf=$work/mtasts.conf
	prefix=$(dirname "$(dirname "$(find "$stage" -path '*/bin/mtasts' -type f | head -n 1)")")
	[ -x "$prefix/bin/mtasts" ] || bail "not installed: mtasts"
	bin=$work/bin mtasts=$work/bin/mtasts
	mkdir "$bin" && cp "$prefix"/bin/mtasts "$prefix"/lib/libmtasts.so* "$prefix"/libexec/mtasts/mtasts-* "$bin"
	chmod 755 "$bin"/*
	export LD_LIBRARY_PATH=$bin
	cat >"$conf" <<-END
	state_directory = $state
	user = daemon
	group = daemon
	helper_user = nobody
	helper_directory = $bin
	ca_directory = $LAB_DIR/pki/certs
	resolv_conf = $LAB_DIR/resolv.conf
	allow_addresses = 198.18.0.0/15 fd18::/16
	deadline = ${1}s
	END
	chmod 644 "$conf"
}
