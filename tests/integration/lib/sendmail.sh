# shellcheck shell=bash disable=SC2034 # what is set here is for who sources it
# SPDX-License-Identifier: ISC
#
# Sends mail through the real sendmails of tests/servers in the lab, and gathers what became of it.  Sourced, not run.
#
#	stage		what "make install" made, with a prefix below it: libmtasts, mtasts, the helpers
#	SENDMAILS	which to use, of those a test is for
#
# After send, queue_run, smtp there are in $got, a file each, what server.sh has, and
#
#	output		of the program
#	queue		the control files of what waits
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
# shellcheck source-path=SCRIPTDIR source=server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

mtasts=$(installed bin/mtasts)

# The lines of the .mc that switch us on: empty for a sendmail without us
feature="FEATURE(\`mtasts')"

# What only one of them has
own=

# use NAME: a fresh instance of sendmail-NAME, configured.  Sets pristine, the root it was made from
use() {
	sendmail=$1
	own=
	[ "$sendmail" != full ] || own="define(\`confDANE', \`true')"
	instance "sendmail-$sendmail"
	# sendmail looks for libmtasts where the system's libraries are.
	dirname "$(find "$stage" -name 'libmtasts.so.*' | head -n 1)" >>"$root/etc/ld.so.conf"
	run ldconfig
	pristine=$(cat "$root/root")
	rm -rf "$got/cf"
	cp -a "$pristine/usr/share/sendmail/cf" "$got/cf"
	cp "$top"/sendmail/mtasts*.m4 "$got/cf/feature"
	cp -a "$LAB_DIR/pki/ca.pem" "$LAB_DIR/pki/certs" "$root/etc/mail"
	printf '%s\n' '#!/bin/sh' 'cat >>/tmp/box' >"$root/etc/mail/box"
	chmod 755 "$root/etc/mail/box"
	: >"$root/etc/mail/statistics"
	configure
	program -bi >"$got/output" 2>&1 || bail "no aliases: $(cat "$got/output")"
}

# configure [LINE...]: sendmail.cf, made of a .mc with our feature, and these lines before its mailers
# shellcheck disable=SC2120 # the tests give lines
configure() {
	local dir=$root/etc/mail
	cat >"$dir/sendmail.mc" <<-END
	VERSIONID(\`of the tests')
	OSTYPE(\`linux')
	define(\`confDOMAIN_NAME', \`mail.sender.example')
	define(\`confCW_FILE', \`-o /etc/mail/local-host-names')
	define(\`confDONT_PROBE_INTERFACES', \`True')
	define(\`confCACERT', \`/etc/mail/ca.pem')
	define(\`confCACERT_PATH', \`/etc/mail/certs')
	define(\`confTO_ICONNECT', \`5s')
	define(\`confTO_CONNECT', \`5s')
	define(\`confTO_IDENT', \`0')
	define(\`confLOG_LEVEL', \`12')
	define(\`LOCAL_MAILER_PATH', \`/etc/mail/box')
	define(\`LOCAL_MAILER_ARGS', \`box \$u')
	define(\`STATUS_FILE', \`/etc/mail/statistics')
	LOCAL_DOMAIN(\`sender.example')
	FEATURE(\`accept_unresolvable_domains')
	RELAY_DOMAIN(\`198.19.0')
	DAEMON_OPTIONS(\`Name=MTA, Addr=198.19.0.1')
	$own
	$feature
	$(printf '%s\n' "$@")
	MAILER(\`local')
	MAILER(\`smtp')
	END
	m4 "-D_CF_DIR_=$got/cf/" "$got/cf/m4/cf.m4" "$dir/sendmail.mc" >"$dir/sendmail.cf" 2>"$got/m4" &&
		[ ! -s "$got/m4" ] || bail "no configuration: $(cat "$got/m4")"
}

# Forget all mail, logs, records and what sendmail remembers of hosts.
forget() {
	find "$root/var/spool/mqueue" "$root/var/lib/sendmail" -mindepth 1 -delete 2>/dev/null
	rm -f "$root/tmp/box"
	listen
}

# From here on
listen() {
	listen_common
}

gather() {
	gather_common
	cat "$root"/var/spool/mqueue/[qhQ]f* 2>/dev/null | tr -d '\0' >"$got/queue"
}

# program ARGUMENT...: sendmail as the mail server, not as what hands mail to it; none takes so long
program() {
	run timeout 100 sendmail -Am -C/etc/mail/sendmail.cf "$@"
}

# message ARGUMENT...: of alice
message() {
	printf 'From: alice@sender.example\nTo: you\nSubject: test\n\nA test.\n' |
	    program -oem -f alice@sender.example "$@" >"$got/output" 2>&1
}

# send RECIPIENT...: one message, delivered at once
send() {
	forget
	message -odi "$@"
	gather
}

# queue RECIPIENT...: a message that waits
queue() {
	message -odq "$@"
}

# queue_run [ARGUMENT...]: all that waits, whether its time has come or not, by one process
queue_run() {
	listen
	program -OMinQueueAge=0 -OQueueSortOrder=time -v "$@" -qf >"$got/output" 2>&1
	gather
}

# aged SECONDS: what waits is that much older
aged() {
	local file
	for file in "$root"/var/spool/mqueue/qf*; do
		perl -i -pe 's/^T(\d+)/"T" . ($1 - '"$1"')/e' "$file"
	done
}

# smtp_answer: the lines of an answer at the descriptor
smtp_answer() {
	local line
	while IFS= read -r -t 60 line <&"$1"; do
		echo "${line%$'\r'}"
		[ "${line:3:1}" = - ] || return
	done
}

# smtp [LINE...]: the lines given to sendmail as an SMTP client would, each when the one before is answered (it takes
# nothing before its greeting); its answers are in $got/output
smtp() {
	local line text='' pid
	listen
	coproc program -odi -bs 2>"$got/errors"
	pid=$COPROC_PID # bash forgets it as soon as it has ended
	{
		smtp_answer "${COPROC[0]}"
		for line in 'EHLO client.example' "$@" QUIT; do
			printf '%s\r\n' "$line" >&"${COPROC[1]}"
			[ "$line" != . ] || text=
			[ -n "$text" ] || smtp_answer "${COPROC[0]}"
			[ "$line" != DATA ] || text=1
		done
	} >"$got/output"
	wait "$pid"
	gather
}

# daemon [ARGUMENT...]: one that queues nothing of its own accord, until end_daemon
daemon() {
	begin_daemon sendmail -Am -C/etc/mail/sendmail.cf -bD "$@"
}

# log_of RECIPIENT: the last line of the log about an attempt to deliver to it
log_of() {
	grep -E "[ <,]to=([^ ]*,)?<?$1>?(,| )" "$got/syslog" | grep ' stat=' | grep -v 'stat=queued' | tail -n 1
}

# outcome [RECIPIENT]: in one word: delivered, deferred, bounced, or lost when sendmail says nothing
outcome() {
	local line
	line=$(if [ $# -gt 0 ]; then log_of "$1"; else grep -E ' mailer=(esmtp|smtp|relay), .* stat=' "$got/syslog" | tail -n 1; fi)
	case $line in
	*' stat=Sent'*) echo delivered ;;
	*' dsn=4'*) echo deferred ;;
	*' dsn=5'*) echo bounced ;;
	*) echo lost ;;
	esac
}

# dsn FIELD [RECIPIENT]: this field of the last bounce, of its part about the recipient, continuation lines joined
dsn() {
	perl -0777 -ne '
		my ($field, $recipient) = @ARGV_;
		BEGIN { our @ARGV_ = splice @ARGV, 0, 2 }
		s/\n[ \t]+/ /g;
		for my $part (split /\n\n+/) {
			next unless $part =~ /^Final-Recipient:.*\Q$recipient\E/mi;
			$last = $1 if $part =~ /^\Q$field\E: *(.*)$/mi;
		}
		END { print "$last\n" if defined $last }' "$1" "${2:-}" "$got/box"
}

# All there is to know about a failure
story() {
	story_of output syslog journal smtp queue box
}

# taken: host/TLS/SNI of the hosts that took mail, without ".example"
taken() {
	local line
	grep ' event=accepted ' "$got/smtp" | while read -r line; do
		echo "$(word host "$line")/$(word tls "$line")/$(word sni "$line")"
	done | sed 's/\.example\b//g' | paste -sd, | grep . || echo -
}
