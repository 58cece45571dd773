# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What the lab's commands share: where things are, and starting and ending its servers. Sourced, not run.

umask 022 # helpers and mail users read what we write
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LAB_NAME=${LAB_NAME:-mtasts}
LAB_DIR=${LAB_DIR:-/tmp/$LAB_NAME-lab}
python=/usr/bin/python3 # the system's, for it has dnspython
world=$LAB_NAME-world sender=$LAB_NAME-sender
export LAB_NAME LAB_DIR PYTHONDONTWRITEBYTECODE=1

# in the order in which they are started
# shellcheck disable=SC2034 # for the commands
servers="knot dnsd nginx httpsd loopback smtpd unbound"

die() {
	echo "lab: $*" >&2
	exit 1
}

in_world() { ip netns exec "$world" "$@"; }
in_sender() { ip netns exec "$sender" "$@"; }

# The lab must be up, and nobody else change it meanwhile.
lock() {
	[ "$(id -u)" = 0 ] || die "needs root"
	mkdir -p "$LAB_DIR"
	if [ -L "$LAB_DIR" ] || [ "$(stat -c %u "$LAB_DIR")" != 0 ]; then die "$LAB_DIR is not ours"; fi
	exec 9>"$LAB_DIR/lock"
	flock -w 60 9 || die "$LAB_DIR is locked"
}

netns_of() {
	case $1 in
	unbound | loopback) echo "$sender" ;;
	*) echo "$world" ;;
	esac
}

# Whether a server runs: a process of the number we wrote down, in the namespace where we put it.
is_up() {
	local pid
	read -r pid 2>/dev/null <"$LAB_DIR/pid/$1" && [ "/proc/$pid/ns/net" -ef "/run/netns/$(netns_of "$1")" ]
}

start() {
	local name=$1 command
	case $name in
	knot) command=(/usr/sbin/knotd -c "$LAB_DIR/knot.conf") ;;
	unbound) command=(/usr/sbin/unbound -d -c "$LAB_DIR/unbound.conf") ;;
	nginx) command=(/usr/sbin/nginx -c "$LAB_DIR/nginx.conf") ;;
	loopback) command=("$python" "$here/lib/httpsd.py" "$LAB_DIR/loopback.json") ;;
	*) command=("$python" "$here/lib/$name.py" "$LAB_DIR/$name.json") ;;
	esac
	: >"$LAB_DIR/log/$name.out"
	setsid ip netns exec "$(netns_of "$name")" "${command[@]}" >>"$LAB_DIR/log/$name.out" 2>&1 </dev/null 9>&- &
	echo $! >"$LAB_DIR/pid/$name"
}

stop() {
	local name=$1 pid
	if is_up "$name"; then
		pid=$(cat "$LAB_DIR/pid/$name")
		kill "$pid"
		for _ in $(seq 60); do
			is_up "$name" || break
			sleep 0.05
		done
		if is_up "$name"; then kill -KILL "$pid"; fi
	fi
	rm -f "$LAB_DIR/pid/$name"
}

# Whether a server serves.
is_ready() {
	case $1 in
	knot) grep -q "server started" "$LAB_DIR/log/knot" 2>/dev/null ;;
	unbound) /usr/sbin/unbound-control -c "$LAB_DIR/unbound.conf" status >/dev/null 2>&1 ;;
	nginx) in_world bash -c '</dev/tcp/198.18.1.1/443' 2>/dev/null ;;
	*) grep -q ^ready "$LAB_DIR/log/$1.out" ;;
	esac
}

# Waits until a server serves; if it does not, ends with what it said last.
await() {
	local name=$1
	for _ in $(seq 100); do
		kill -0 "$(cat "$LAB_DIR/pid/$name")" 2>/dev/null || break
		if is_ready "$name"; then return; fi
		sleep 0.05
	done
	echo "lab: $name did not come up; it said:" >&2
	tail -n 5 "$LAB_DIR/log/$name.out" >&2
	case $name in
	knot | nginx) tail -n 5 "$LAB_DIR/log/$name" >&2 ;;
	unbound) tail -n 5 "$LAB_DIR/log/dns" >&2 ;;
	esac
	exit 1
}

# All addresses of the world that its servers listen on.
add_addresses() {
	sed "s/^.*:.*\$/addr replace &\/128 dev lo nodad/; /^addr/!s/.*/addr replace &\/32 dev lo/" "$LAB_DIR/addresses" |
		ip -n "$world" -batch -
}
