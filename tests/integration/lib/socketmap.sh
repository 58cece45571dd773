# shellcheck shell=bash disable=SC2034,SC2154 # what is set here is for who sources it, and the other way round
# SPDX-License-Identifier: ISC
#
# `mtasts socketmap` in the lab and clients of it.  Sourced, not run, after lab.sh.
#
#	socketmap	an array: the command that becomes the server, all but its addresses
address=inet:8461@127.0.0.1
map_server=

# serve [OPTION...]: the server, on $address; $map_server is its number
serve() {
	"${socketmap[@]}" -l "$address" "$@" >"$work/map.out" 2>>"$work/map.log" </dev/null &
	map_server=$!
	children+=("$map_server")
	listening || bail "mtasts socketmap does not listen: $(tail -n 5 "$work/map.log")"
}

# listening: waits until somebody takes connections at $address
listening() {
	local i
	for ((i = 0; i < 100; i++)); do
		client raw '' 2>/dev/null | grep -qx open && return
		kill -0 "$map_server" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# client WHAT [ARGUMENT...]: tests/tools/socketmap.py, in the sender's network
client() {
	nsenter --net="/run/netns/$LAB_NAME-sender" "$top/tests/tools/socketmap.py" "$address" "$@"
}

# answer REQUEST: the reply to it
answer() {
	client ask "$1" | cut -d ' ' -f 2-
}

# stop: SIGTERM to the server; its status is in $status
stop() {
	kill "$map_server"
	wait "$map_server"
	status=$?
	map_server=
}
