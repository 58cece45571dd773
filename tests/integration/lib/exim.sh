# shellcheck shell=bash disable=SC2034 # what is set here is for who sources it
# SPDX-License-Identifier: ISC
#
# Sends mail through the real Exims of tests/servers/exim in the lab, and gathers what became of it.  Sourced, not run.
#
#	stage	what "make install" made, with a prefix below it: the plugin, its includes, mtasts, the helpers
#	EXIMS	which to use, default all three
#
# After send or queue_run there are in $got, a file each:
#
#	mainlog panic syslog	of Exim and of the plugin
#	smtp			what the mail hosts of the lab saw, lines of lab/log
#	journal			the records written
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
EXIMS=${EXIMS:-bookworm trixie openssl}

plugin=$(find "$stage" -name exim.so -path '*/mtasts/*' | head -n 1)
[ -n "$plugin" ] || { echo "1..0 # SKIP no mtasts/exim.so below $stage"; exit 77; }
includes=$(dirname "$(find "$stage" -path '*/mtasts/exim/main.inc' | head -n 1)")
[ -f "$includes/main.inc" ] || bail "no mtasts/exim/main.inc below $stage"
mtasts=$(find "$stage" -path '*/bin/mtasts' | head -n 1)
got=$work
export MTASTS_TREE=$stage:$LAB_DIR

# run COMMAND...: inside the root of the Exim in use
run() {
	"$top/tests/servers/exim-run" "$exim" "$@"
}

# use EXIM: a fresh instance of it, with a store, and a syslog
use() {
	exim=$1
	{ read -r root && read -r pristine; } < <("$top/tests/servers/exim-run" -f -d "$exim") || bail "no Exim $exim"
	perl "$here/lib/syslogd.pl" "$root/dev/log" "$root/tmp/syslog" >"$got/syslogd" &
	children+=($!)
	for _ in $(seq 100); do
		[ -s "$got/syslogd" ] && break
		sleep 0.02
	done
	# shellcheck disable=SC2119
	settings
	if [ -n "$mtasts" ]; then
		run "$mtasts" init >"$got/init" 2>&1 || bail "mtasts init: $(cat "$got/init")"
	fi
	configure
}

# settings [LINE...]: mtasts.conf, the lab's and these
# shellcheck disable=SC2120 # the tests give lines
settings() {
	printf '%s\n' "ca_directory = $LAB_DIR/pki/certs" 'allow_addresses = 198.18.0.0/15 fd18::/16' 'deadline = 5s' "trust_anchor = $LAB_DIR/trust-anchor" \
	    "$@" >"$root/etc/mtasts.conf"
}

# configure [SED...]: Exim's configuration.  The sed commands change it, our includes in it being copies; a command
# that changes nothing is a mistake of the test.
configure() {
	local file dir=$root/etc/exim4 command
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$includes"/*.inc "$dir"
	cat >"$dir/exim4.conf" <<-END
	primary_hostname = mail.sender.example
	qualify_domain = sender.example
	domainlist local_domains = sender.example
	keep_environment =
	log_selector = +tls_certificate_verified +tls_cipher +tls_peerdn +outgoing_interface
	tls_advertise_hosts =
	local_interfaces = 198.19.0.1
	acl_smtp_rcpt = acl_rcpt
	remote_max_parallel = 1
	MTASTS_TRANSPORT = remote_smtp
	.include /etc/exim4/main.inc
	begin acl
	acl_rcpt:
	  accept verify = recipient
	begin routers
	.include /etc/exim4/router.inc
	dnslookup:
	  driver = dnslookup
	  domains = ! +local_domains
	  ignore_target_hosts = <; 0.0.0.0 ; 127.0.0.0/8 ; ::1
	  transport = remote_smtp
	  no_more
	local:
	  driver = accept
	  transport = box
	begin transports
	remote_smtp:
	  driver = smtp
	  tls_verify_certificates = $LAB_DIR/pki/ca.pem
	  connect_timeout = 5s
	.include /etc/exim4/transport.inc
	box:
	  driver = appendfile
	  file = /tmp/box
	  user = Debian-exim
	begin retry
	* * F,4h,1s
	END
	for command; do
		cat "$dir"/* >"$got/before"
		sed -i -E "$command" "$dir"/*
		cat "$dir"/* | cmp -s - "$got/before" && bail "the configuration has nothing for: $command"
	done
	return 0
}

# Forget all mail, logs, records and what Exim remembers of hosts.
forget() {
	rm -rf "$root"/var/spool/exim4/{db,input,msglog}/* "$root"/var/log/exim4/* "$root"/var/lib/mtasts/journal/*
	rm -f "$root/tmp/box"
	: >"$root/tmp/syslog"
	listen
}

# From here on
listen() {
	: >"$root/tmp/syslog"
	rm -rf "$root"/var/log/exim4/* "$root"/var/lib/mtasts/journal/*
	mark=$("$top/lab/log" --mark)
}

gather() {
	cat "$root/var/log/exim4/mainlog" >"$got/mainlog" 2>/dev/null || : >"$got/mainlog"
	cat "$root/var/log/exim4/paniclog" >"$got/panic" 2>/dev/null || : >"$got/panic"
	cat "$root"/var/lib/mtasts/journal/* >"$got/journal" 2>/dev/null || : >"$got/journal"
	cp "$root/tmp/syslog" "$got/syslog"
	"$top/lab/log" --since "$mark" smtp >"$got/smtp"
	cat "$root/tmp/box" >"$got/box" 2>/dev/null || : >"$got/box"
}

# message: of alice, in $sender if set
message() {
	printf 'From: alice@sender.example\nTo: you\nSubject: test\n\nA test.\n' |
	    run exim4 "$@" >"$got/output" 2>&1
}

# send RECIPIENT...: one message, delivered at once
send() {
	forget
	message -odi -f alice@sender.example "$@"
	gather
}

# queue RECIPIENT...: a message that waits
queue() {
	message -odq -f alice@sender.example "$@"
}

# queue_run: all that waits, whether its time has come or not
queue_run() {
	listen
	run exim4 -qf >"$got/output" 2>&1
	gather
}

# smtp [LINE...]: the lines given to Exim as an SMTP client would, after its greeting; its answers are in $got/output
smtp() {
	listen
	printf '%s\r\n' 'EHLO client.example' "$@" QUIT | run exim4 -odi -bs -oMa 198.19.0.2 >"$got/output" 2>"$got/errors"
	gather
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

# The outcome of the message in one word: delivered, deferred, bounced, frozen, or lost when Exim says nothing
outcome() {
	if grep -q ' \*\* ' "$got/mainlog"; then echo bounced
	elif grep -q ' == ' "$got/mainlog"; then echo deferred
	elif grep -q ' => ' "$got/mainlog"; then echo delivered
	else echo lost
	fi
}

# All there is to know about a failure
story() {
	local file
	for file in output mainlog panic syslog journal smtp; do
		[ -s "$got/$file" ] || continue
		echo "$file:"
		grep -v -e ' event=eof' -e ' event=quit' "$got/$file" | cut -c 1-400 | sed 's/^/  /'
	done
}
