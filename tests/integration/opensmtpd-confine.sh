#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The walls of the worker of OpenSMTPD's filter, in the lab: that all its work is possible behind them, through the real helpers, and
# that what an intruder in it would try is not: on a kernel without walls it is, so nothing else is in the way here.
#
#	stage	what "make install" made, with a prefix below it: the command and the helpers
#	build	the build tree: confined, oldkernel
# shellcheck source-path=SCRIPTDIR source=lib/lab.sh
. "$(dirname "$0")/lib/lab.sh"
: "${build:?the build tree}"
staged 10
confined=$build/tests/tools/confined
[ -x "$confined" ] || bail "not built: $confined"
cp "$confined" "$bin"
# as they are installed: a folder of their own
mkdir "$work/libexec" && mv "$bin"/mtasts-{resolve,fetch} "$work/libexec"
sed -i "s|^helper_directory = .*|helper_directory = $work/libexec|" "$conf"
sanitized=$(nm "$confined" 2>/dev/null | grep -m 1 __asan_init)
"$mtasts" init -c "$conf" >"$work/init" 2>&1 || bail "mtasts init: $(cat "$work/init")"
world=("$top/lab/run")

# The configuration as -o options
options=()
while read -r key _ value; do options+=(-o "$key=$value"); done <"$conf"

# behind WORD...: what confined says of it, behind its walls
behind() {
	"${world[@]}" "$bin/confined" "${options[@]}" "$@" 2>&1
}

# can NAME WORD...: and cannot: the one thing tried
can() {
	local name=$1
	shift
	is "can $name" "$(behind "$@" | tail -n 1)" "$1: ok"
}
cannot() {
	local name=$1
	shift
	is "cannot $name" "$(behind "$@" | tail -n 1)" "${last:-$1: Permission denied}"
}

# ---- its work ----

work_is_done() {
	local out
	out=$(behind become lookup good.example lookup nopol.example lookup badcert.example mx good.example addresses mx1.good.example \
		record good.example outdated limits)
	like "no wall is missing in this kernel" "$out" '^missing: $'
	like "root becomes the user, with one group" "$out" "^become: $(id -u daemon) $(id -g daemon) 1$"
	like "a policy is fetched and stored" "$out" '^lookup: published enforce$'
	like "another domain has none" "$out" '^lookup: absent$'
	like "MX hosts" "$out" '^mx: 0 mx1\.good\.example$'
	like "addresses" "$out" '^addresses: 0 0 [12]$'
	like "a record in the journal" "$out" '^record: ok$'
	like "nothing has changed" "$out" '^outdated: no$'
	like "limits" "$out" "^limits: core 0, descriptors all, memory ${sanitized:+un}bounded$"
	unlike "nothing is told as out of order" "$out" '^log: .*(store|helper|journal)'
	is "the journal has its line" "$(cat "$state"/journal/* | wc -l)" 1
	is "the policy is in the store" "$("$mtasts" lookup -c "$conf" --cached good.example 2>&1 | grep -c enforce)" 1
}

# By DNS over TCP, with a trust anchor of our own, and with the helpers kept for a second question
work_is_done_by_other_ways() {
	like "an answer that is only whole by TCP" "$(behind lookup t48long.example)" '^lookup: (published|absent)'
	like "with a trust anchor" "$(behind -o "trust_anchor=$LAB_DIR/trust-anchor" mx secure.example)" '^mx: 0 '
	is "one process for many" "$(behind mx good.example mx good.example mx nullmx.example | grep -c '^mx: [02]')" 3
	rm -f "$state"/policies.db*
	"$mtasts" init -c "$conf" >/dev/null 2>&1
	like "a store just made" "$(behind lookup good.example)" '^lookup: published enforce$'
}

# ---- what it cannot ----

files() {
	local file spool=$work/spool/1-H
	mkdir "$work/spool" && echo secret >"$spool" && chmod 777 "$work/spool" && chmod 666 "$spool"
	for file in /etc/passwd /etc/hosts "$conf" "$spool" /proc/self/status /proc/1/cmdline; do
		cannot "read $file" read "$file"
	done
	cannot "list the spool" read "$work/spool"
	cannot "write the spool" write "$spool"
	cannot "make a file in the spool" make "$work/spool/2-H"
	cannot "make a file in /tmp" make /tmp/confined.$$
	cannot "write a certificate" write "$(find "$LAB_DIR/pki/certs" -name '*.0' | head -n 1)"
	cannot "write resolv.conf" write "$LAB_DIR/resolv.conf"
	cannot "read another device" read /dev/zero
	can "write the store" write "$state/policies.db"
	can "make a file beside the store" make "$state/other"
	can "read resolv.conf" read "$LAB_DIR/resolv.conf"
	can "read a certificate" read "$(find "$LAB_DIR/pki/certs" -name '*.0' | head -n 1)"
}

programs() {
	cannot "run a shell" exec /bin/sh
	cannot "run what it has written" exec "$state/script"
	cannot "run mtasts" exec "$bin/mtasts"
	can "run mtasts-resolve" exec "$work/libexec/mtasts-resolve"
	can "run mtasts-fetch" exec "$work/libexec/mtasts-fetch"
}

network() {
	cannot "connect to port 26" connect 198.18.25.1 26
	cannot "connect to port 587" connect 198.18.25.1 587
	cannot "connect to a database here" connect 127.0.0.1 3306
	cannot "take a port for itself" bind 4711
	can "connect to port 25" connect 198.18.25.1 25
	can "connect to port 443" connect 198.18.1.1 443
	last="connect: ok" cannot "but choose its own address" from 198.19.0.1 198.18.25.1 25
}

# Another process of the same user, outside
processes() {
	local pid abi
	setpriv --reuid=daemon --regid=daemon --clear-groups sleep 300 &
	pid=$!
	children+=("$pid")
	abi=$(behind signal "$pid" | tail -n 1)
	if [ "$abi" = "signal: ok" ] && [ "$(uname -r | cut -d. -f1)" -lt 6 ]; then
		pass "cannot signal others # SKIP this kernel's Landlock knows no signals"
	else
		is "cannot signal others" "$abi" "signal: Operation not permitted"
	fi
	last="trace: killed" cannot "trace others" trace "$pid"
}

calls() {
	is "system calls that it has no use for are not there" "$(behind calls | tail -n 1)" "calls:"
	last="code: Function not implemented" cannot "make code" code
}

# ---- what changes around it ----

outdated() {
	local certs=$work/certs out
	local resolv=/tmp/confined-resolv.$$ # in a folder that is everybody's
	cp -a "$LAB_DIR/pki/certs" "$certs" && cp "$LAB_DIR/resolv.conf" "$resolv" && chmod 755 "$certs"

	# changes NAME COMMAND: behind the walls for two seconds, in which it happens
	changes() {
		(sleep 1 && eval "$2") &
		is "outdated: $1" "$(behind -o "ca_directory=$certs" -o "resolv_conf=$resolv" outdated wait 2 outdated | grep outdated | tr '\n' ' ')" \
			"outdated: no outdated: ${3:-yes} "
	}
	changes "the folder of the helpers is another" 'mv "$work/libexec" "$work/old" && cp -a "$work/old" "$work/libexec"'
	changes "resolv.conf is another" 'cp -p "$resolv" "$resolv.new" && mv "$resolv.new" "$resolv"'
	changes "there is one certificate more" 'cp "$(find "$certs" -name "*.0" | head -n 1)" "$certs/12345678.9"'
	changes "the state directory is another" 'mv "$state" "$state.old" && cp -a "$state.old" "$state"'
	changes "a file more in the state directory is nothing" 'touch "$state/more"' no
	rm -f "$resolv"
	# an upgrade of the helpers, and a resolv.conf in a folder of its own, go on being reached
	mkdir "$work/resolver" && resolv=$work/resolver/resolv.conf && cp "$LAB_DIR/resolv.conf" "$resolv"
	(sleep 1 && for p in "$work"/libexec/mtasts-*; do cp -p "$p" "$p.new" && mv "$p.new" "$p"; done
		cp "$resolv" "$resolv.new" && mv "$resolv.new" "$resolv") &
	out=$(behind -o "resolv_conf=$resolv" mx good.example wait 2 outdated mx good.example)
	is "new helpers and a new resolv.conf in its own folder are used" "$(grep -E '^(mx|outdated)' <<<"$out" | tr '\n' ' ')" \
		"mx: 0 mx1.good.example outdated: no mx: 0 mx1.good.example "
}

# ---- who must not, and kernels that cannot ----

refusals() {
	like "root that has no user to become" "$(behind -o user=nobody-there)" '^confined: confine_become: no user nobody-there$'
	like "root that has no group to become" "$(behind -o group=nobody-there)" '^confined: confine_become: no group nobody-there$'
	like "root that is to become root" "$(behind -o user=root)" '^confined: confine_become: user root is root$'
	like "root's group" "$(behind -o group=root)" "^confined: confine_become: group root is root's$"
	world+=(setpriv --reuid=daemon --regid=daemon --clear-groups)
	like "who is not root stays who he is" "$(behind -o user=nobody become lookup good.example)" "^become: $(id -u daemon) "
	like "and works" "$(behind lookup good.example)" '^lookup: published enforce$'
	world=("$top/lab/run")
}

old_kernel() {
	local out
	[ -x "$build/tests/tools/oldkernel" ] || { pass "an old kernel # SKIP built without seccomp"; return; }
	world+=("$build/tests/tools/oldkernel")
	out=$(behind lookup t48.example mx good.example record good.example)
	like "an old kernel: says what is missing" "$out" '^missing: no Landlock in this kernel; no seccomp in this kernel$'
	like "an old kernel: looks up" "$out" '^lookup: '
	like "an old kernel: MX hosts" "$out" '^mx: 0 mx1'
	like "an old kernel: records" "$out" '^record: ok$'
	# what the walls forbid, and nothing else
	can "without walls read /etc/passwd" read /etc/passwd
	can "without walls read the configuration" read "$conf"
	can "without walls write the spool" write "$work/spool/1-H"
	can "without walls make a file in the spool" make "$work/spool/3-H"
	can "without walls run a shell" exec "$bin/mtasts"
	can "without walls run what it has written" exec "$state/script"
	last="connect: Connection refused" cannot "without walls but find port 26 closed" connect 198.18.25.1 26
	can "without walls take a port" bind 4711
	can "without walls signal others" signal "${children[0]}"
	can "without walls make code" code
	like "without walls the system calls are there" "$(behind calls)" '^calls: mount umount2 .* a world of its own$'
	world=("$top/lab/run")
}

cp /bin/true "$state/script" && chmod 755 "$state/script"
parts=${*:-work_is_done work_is_done_by_other_ways files programs network processes calls outdated refusals old_kernel}
for part in $parts; do $part; done
tap_done
