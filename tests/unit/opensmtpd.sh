#!/bin/bash
# SPDX-License-Identifier: ISC
#
# filter-mtasts by hand: its command line, and what -t finds.  As root it is run as another user, as
# smtpd runs it.
set -u
top=${top_srcdir:-.}
# shellcheck source=tests/integration/lib/tap.sh
. "$top/tests/integration/lib/tap.sh"
build=${top_builddir:-.}
work=$(mktemp -d)
chmod 755 "$work"
holder=
at_end() {
	[ -z "$holder" ] || kill "$holder"
	rm -rf "$work"
}
trap at_end EXIT

# Out of the build tree, which other users may not reach
mkdir "$work/helpers" "$work/certs"
cp "$build"/lib/.libs/libmtasts.so* "$work"
for program in cli/mtasts opensmtpd/filter-mtasts; do
	cp "$build/${program%/*}/.libs/${program##*/}" "$work"
done
cp "$build/helpers/mtasts-resolve" "$build/helpers/mtasts-fetch" "$work/helpers"
touch "$work/certs/4a6481c9.0"
export LD_LIBRARY_PATH=$work

if [ "$(id -u)" = 0 ]; then
	user=daemon group=daemon as=(setpriv --reuid daemon --regid daemon --clear-groups)
else
	user=$(id -un) group=$(id -gn) as=()
fi
conf=$work/mtasts.conf state=$work/state
configuration=("state_directory = $state" "user = $user" "group = $group" "helper_user = nobody"
	"helper_directory = $work/helpers" "ca_directory = $work/certs" "relay_port = 28027")

out='' err='' status=0
# run ARGUMENT...: sets out, err and status
run() {
	"${as[@]}" "$work/filter-mtasts" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(cat "$work/out") err=$(cat "$work/err")
}

# check LINE...: -t with these lines more in the configuration
check() {
	printf '%s\n' "${configuration[@]}" "$@" >"$conf"
	run -t -c "$conf"
}

run -V
is "version" "$status $out" "0 filter-mtasts $("$work/mtasts" --version | awk '{ print $2 }')"
for line in "-x" "-c" "-t -x" "-c $conf more" "relative" "more than one"; do
	# shellcheck disable=SC2086
	run $line
	is "$line: a wrong command line" "$status ${err//[^:]*: */}" "64 ${err//[^:]*: */}"
	like "$line: how it is used" "$err" '^usage: filter-mtasts '
done
run
is "started by hand, not by smtpd" "$status" 64

check
is "no store" "$status" 1
like "no store: what to do" "$out" "^state_directory $state: .*mtasts init"
printf '%s\n' "${configuration[@]}" >"$conf"
"$work/mtasts" init --no-users -c "$conf" >"$work/init" 2>&1 || bail "mtasts init: $(cat "$work/init")"
check
is "all is well" "$status $out" "0 "
check "relay_ports = 4"
is "with ports" "$status $out" "0 "

check "relay_prot = 1"
is "a key that is none" "$status $out" "1 $conf:8: relay_prot: unknown key"
run -t -c "$work/none"
is "no such file" "$status $out" "1 $work/none: No such file or directory"
check "helper_directory = $work"
is "no helpers" "$status" 1
is "no helpers: both are said" "$(grep -c "^$work/mtasts-[a-z]*: .*look at helper_directory" <<<"$out")" 2
check "ca_directory = $work/none"
like "no CA directory" "$status $out" "^1 ca_directory $work/none: .*ca-certificates"
check "ca_directory = $state"
like "no certificate in it" "$status $out" "^1 ca_directory $state: no certificate by its hash"
check "relay_port = 65535" "relay_ports = 4"
like "ports beyond the last" "$status $out" "^1 .*relay_ports"
check "relay_port = 22222" "relay_ports = 0"
is "another port" "$status $out" "0 "

# hold USER-PREFIX...: a listener on the relay's port
hold() {
	"$@" /usr/bin/env PATH=/usr/bin:/bin python3 -c '
import socket, time
s = socket.socket()
s.bind(("0.0.0.0", 28027))
s.listen()
print("ready", flush=True)
time.sleep(60)' >"$work/held" &
	holder=$!
	for _ in $(seq 100); do
		[ -s "$work/held" ] && return
		sleep 0.05
	done
	bail "nobody listens on port 28027"
}
hold "${as[@]}"
check
is "the port is the running relay's" "$status $out" "0 "
kill "$holder"
wait "$holder" 2>/dev/null
holder=
: >"$work/held"

if [ "$(id -u)" = 0 ]; then
	hold
	check
	is "the port is another's" "$status $out" "1 relay_port: 28027 is another program's: set another"
	kill "$holder"
	wait "$holder" 2>/dev/null
	holder=
	as=()
	check
	like "as root" "$status $out" '^1 user: root'
	as=(setpriv --reuid nobody --regid nogroup --clear-groups)
	check
	like "not in the group" "$status $out" "^1 state_directory $state: .*'group $group'"
	as=(setpriv --reuid nobody --regid daemon --clear-groups)
	check
	like "in the group, but not by the database" "$status $out" '^1 user: nobody is not in the group daemon, .*gpasswd -a nobody daemon'
	is "in the group, but not by the database: nothing else" "$(wc -l <<<"$out")" 1
fi
tap_done
