# shellcheck shell=bash disable=SC2034,SC2154 # what is set here is for who sources it; lab.sh sets the rest
# SPDX-License-Identifier: ISC
#
# What the tests of all mail servers share: an instance of one of tests/servers in the lab, its syslog, its mtasts.conf
# and store, and what the lab and the journal say afterwards.  Sourced after lab.sh, not run.
#
#	stage	what "make install" made, with a prefix below it
#
# There are in $got, a file each, after gather_common:
#
#	syslog		of the server and of ours
#	smtp		what the mail hosts of the lab saw, lines of lab/log
#	journal		the records written
#	box		mail for sender.example, bounces that is
got=$work
export MTASTS_TREE=$stage:$LAB_DIR

# installed PATH: where it is below $stage, or nothing
installed() {
	find "$stage" -path "*/$1" | head -n 1
}

# run COMMAND...: inside the root of the server in use
run() {
	"$top/tests/servers/run" "$server" "$@"
}

# instance SERVER: a fresh one of it, with a syslog, the lab's mtasts.conf and a store.  Sets server, and root, its directory
instance() {
	server=$1
	read -r root < <("$top/tests/servers/run" -f -d "$server") || bail "no $server"
	perl "$here/lib/syslogd.pl" "$root/dev/log" "$root/tmp/syslog" >"$got/syslogd" &
	children+=($!)
	for _ in $(seq 100); do
		[ -s "$got/syslogd" ] && break
		sleep 0.02
	done
	# shellcheck disable=SC2119
	settings
	[ -z "$mtasts" ] || store
}

# A store as init makes it
store() {
	run "$mtasts" init >"$got/init" 2>&1 || bail "mtasts init: $(cat "$got/init")"
}

# settings [LINE...]: mtasts.conf, the lab's and these
# shellcheck disable=SC2120 # the tests give lines
settings() {
	printf '%s\n' "ca_directory = $LAB_DIR/pki/certs" 'allow_addresses = 198.18.0.0/15 fd18::/16' 'deadline = 5s' "trust_anchor = $LAB_DIR/trust-anchor" \
	    "$@" >"${root:?}/etc/mtasts.conf"
}

# From here on
listen_common() {
	: >"$root/tmp/syslog"
	rm -rf "$root"/var/lib/mtasts/journal/*
	mark=$("$top/lab/log" --mark)
}

gather_common() {
	cat "$root"/var/lib/mtasts/journal/* >"$got/journal" 2>/dev/null || : >"$got/journal"
	cp "$root/tmp/syslog" "$got/syslog"
	"$top/lab/log" --since "$mark" smtp >"$got/smtp"
	cat "$root/tmp/box" >"$got/box" 2>/dev/null || : >"$got/box"
}

# accepted [WORD...]: who took mail, as "recipient host TLS", one a line
accepted() {
	local line
	grep ' event=accepted ' "$got/smtp" | while read -r line; do
		echo "$(word rcpt "$line") $(word host "$line") $(word tls "$line")"
	done
}

# word KEY LINE: its value in a line of key=value words
word() {
	sed -nE "s/(^|.* )$1=([^ ]*).*/\\2/p" <<<"$2"
}

# records: "type mx what" of each record, what being success or the finding
records() {
	local line
	while read -r line; do
		echo "$(word type "$line") $(word mx "$line") $(word finding "$line" | grep . || word result "$line")"
	done <"$got/journal"
}

# story_of FILE...: those of $got, as much of them as explains a failure
story_of() {
	local file
	for file; do
		[ -s "$got/$file" ] || continue
		echo "$file:"
		grep -a -v -e ' event=eof' -e ' event=quit' "$got/$file" | cut -c 1-400 | sed 's/^/  /'
	done
}

# begin_daemon COMMAND...: a server at port 25 of 198.19.0.1, until end_daemon
daemon=
begin_daemon() {
	"$top/tests/servers/run" "$server" "$@" >"$got/daemon" 2>&1 &
	daemon=$!
	children+=("$daemon")
	for _ in $(seq 100); do
		ip netns exec "$LAB_NAME-world" bash -c '</dev/tcp/198.19.0.1/25' 2>/dev/null && return
		sleep 0.05
	done
	bail "the daemon does not listen: $(cat "$got/daemon")"
}

end_daemon() {
	kill "$daemon"
	wait "$daemon" 2>/dev/null
}
