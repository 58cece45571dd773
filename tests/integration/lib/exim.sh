# shellcheck shell=bash disable=SC2034 # what is set here is for who sources it
# SPDX-License-Identifier: ISC
#
# Sends mail through the real Exims of tests/servers in the lab, and gathers what became of it.  Sourced, not run.
#
#	stage	what "make install" made, with a prefix below it: the plugin, its includes, mtasts, the helpers
#	EXIMS	which to use, default all three
#
# After send or queue_run there are in $got, a file each:
#
#	mainlog panic	of Exim; and what server.sh has
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
# shellcheck source-path=SCRIPTDIR source=server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"
EXIMS=${EXIMS:-bookworm trixie openssl}

mtasts=$(installed bin/mtasts)
plugin=$(installed mtasts/exim.so)
[ -n "$plugin" ] || { echo "1..0 # SKIP no mtasts/exim.so below $stage"; exit 77; }
includes=$(dirname "$(installed mtasts/exim/main.inc)")
[ -f "$includes/main.inc" ] || bail "no mtasts/exim/main.inc below $stage"

# use EXIM: a fresh instance of it, configured.  Sets pristine, the root it was made from
use() {
	exim=$1
	instance "exim-$exim"
	pristine=$(cat "$root/root")
	configure
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
	rm -rf "$root"/var/spool/exim4/{db,input,msglog}/*
	rm -f "$root/tmp/box"
	listen
}

# From here on
listen() {
	listen_common
	rm -rf "$root"/var/log/exim4/*
}

gather() {
	cat "$root/var/log/exim4/mainlog" >"$got/mainlog" 2>/dev/null || : >"$got/mainlog"
	cat "$root/var/log/exim4/paniclog" >"$got/panic" 2>/dev/null || : >"$got/panic"
	gather_common
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
	story_of output mainlog panic syslog journal smtp
}
