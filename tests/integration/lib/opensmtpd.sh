# shellcheck shell=bash disable=SC2034,SC2154 # what is set here is for who sources it, and the other way round
# SPDX-License-Identifier: ISC
#
# Sends mail through the real OpenSMTPDs of tests/servers in the lab, and gathers what became of it.  Sourced, not run.
#
#	stage		what "make install" made, with a prefix below it
#	OPENSMTPDS	which to use, default both
#
# After gather there are in $got, a file each:
#
#	log queue	of smtpd; and what server.sh has
#
# smtpd listens at 198.19.0.1 for anybody, at 127.0.0.1 for this host, at port 587 for who logs in, and at its socket.
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
# shellcheck source-path=SCRIPTDIR source=server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"
OPENSMTPDS=${OPENSMTPDS:-bookworm trixie}
mtasts=$(installed bin/mtasts)
program=$(installed filter-mtasts)

# use OPENSMTPD: a fresh instance of it, not running
use() {
	[ -z "$daemon" ] || end
	smtpd=$1
	instance "opensmtpd-$smtpd"
	if [ -n "$program" ]; then
		install -d "$root/etc/mtasts"
		ln -s "$program" "$root/etc/mtasts/filter-mtasts"
		ln -s "$program" "$root/etc/mtasts/table-mtasts"
	fi
	cp "$LAB_DIR/pki/ca.pem" "$root/etc/ssl/certs/ca-certificates.crt"
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mail.sender.example \
	    -keyout "$root/etc/ssl/mail.key" -out "$root/etc/ssl/mail.crt" 2>"$got/openssl" || bail "$(cat "$got/openssl")"
	chmod 600 "$root/etc/ssl/mail.key"
	password=$(openssl passwd -6 wonderland)
}

# configure FORM [LINE...]: smtpd.conf, of this form, with these lines before its rules:
#
#	stock		nothing of ours; its relay has the options in $relay
#	split		only domains not known to be without a policy are ours
#	strict		all are
#
# What virtual addresses there are is in $virtuals.
configure() {
	local form=$1 filter= only=
	shift
	[ "$form" = stock ] || filter='filter mtasts'
	{
		cat <<-END
		pki lab cert "/etc/ssl/mail.crt"
		pki lab key "/etc/ssl/mail.key"
		table users { "alice" = "$password" }
		table virtuals { ${virtuals:+$virtuals,} "@sender.example" = "alice" }
		smtp max-message-size 100M
		END
		[ "$form" = stock ] || cat <<-END
		table mtasts mtasts:/etc/mtasts.conf
		filter mtasts proc-exec "filter-mtasts" group mtasts
		END
		cat <<-END
		listen on 198.19.0.1 port 25 $filter
		listen on 127.0.0.1 port 25 $filter
		listen on 198.19.0.1 port 587 tls-require pki lab auth <users> $filter
		listen on socket $filter
		action "box" mda "cat >>/tmp/box" virtual <virtuals>
		END
		case $form in
		stock) echo "action \"outbound\" relay ${relay:-}" ;;
		split) printf '%s\n' "action \"mtasts\" relay domain <mtasts> ${relay:-} filter mtasts" 'action "outbound" relay' ;;
		strict) echo "action \"mtasts\" relay domain <mtasts> ${relay:-} filter mtasts" ;;
		esac
		printf '%s\n' "$@" 'match from any for domain "sender.example" action "box"'
		case $form in
		stock) only='any action "outbound"' ;;
		split) printf 'match %sfor domain <mtasts> action "mtasts"\n' '' 'auth from any '; only='any action "outbound"' ;;
		strict) only='any action "mtasts"' ;;
		esac
		printf 'match %sfor %s\n' '' "$only" 'auth from any ' "$only"
	} >"$root/etc/smtpd.conf"
}

# begin: smtpd, until end; one that has mail left goes on with it.  It logs to syslog: what its processes say to a terminal runs
# together.
begin() {
	begin_daemon smtpd -F
}

end() {
	end_daemon
	daemon=
}

# restart: a smtpd that remembers nothing but its queue
restart() {
	end
	begin
}

smtpctl() {
	run smtpctl "$@"
}

# Forget all mail, logs and records.
forget() {
	smtpctl remove all >/dev/null 2>&1
	rm -f "$root/tmp/box"
	listen
}

# From here on
listen() {
	listen_common
}

gather() {
	gather_common
	grep -a ' smtpd\[' "$got/syslog" | sed 's/^<[0-9]*>.* smtpd\[[0-9]*\]: //' >"$got/log"
	smtpctl show queue >"$got/queue" 2>/dev/null || : >"$got/queue"
}

# client ARGUMENT...: tests/tools/smtpclient.py on this host; its answers are in $got/output
client() {
	nsenter --net="/run/netns/$LAB_NAME-sender" "$top/tests/tools/smtpclient.py" "$@" >"$got/output" 2>&1
}

# stranger ARGUMENT...: the same on another host
stranger() {
	ip netns exec "$LAB_NAME-world" "$top/tests/tools/smtpclient.py" "$@" >"$got/output" 2>&1
}

# submit [OPTION...] -- RECIPIENT...: mail of this host
submit() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	client "${options[@]}" 127.0.0.1:25 "${@:2}"
}

# sendmail [OPTION...] RECIPIENT...: what a user of this host does
sendmail() {
	printf 'Subject: test\n\nA test.\n' | run setpriv --reuid=1000 --regid=1000 --clear-groups env USER=alice LOGNAME=alice sendmail "$@" >"$got/output" 2>&1
}

# log_of RECIPIENT: what smtpd said of each attempt to deliver to it
log_of() {
	grep -aF " to=<$1> " "$root/tmp/syslog" | grep -a ' delivery ' | sed 's/^<[0-9]*>.* smtpd\[[0-9]*\]: //'
}

# settled SECONDS RECIPIENT...: waits until smtpd has said something of each
settled() {
	local until=$((SECONDS + $1)) recipient
	shift
	for recipient; do
		until [ -n "$(log_of "$recipient")" ]; do
			[ "$SECONDS" -lt "$until" ] || return 1
			sleep 0.1
		done
	done
}

# send RECIPIENT...: a message for each, and waits until smtpd has made an attempt to deliver each
send() {
	forget
	submit -s -- "$@"
	settled 60 "$@"
	gather
}

# again RECIPIENT...: another attempt for all that waits, and the end of it for these
again() {
	listen
	smtpctl schedule all >/dev/null 2>&1
	settled 60 "$@"
	gather
}

# aged SECONDS: what waits was received so much earlier
aged() {
	local file
	find "$root/var/spool/smtpd/queue" -name message | while read -r file; do
		perl -MPOSIX=strftime -MTime::Local -0777 -i -pe '
			my %month = do { my $i = 0; map { $_ => $i++ } qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec) };
			s/(\d+) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) \+0000/
			    strftime("%e %b %Y %H:%M:%S +0000", gmtime(timegm($6, $5, $4, $1, $month{$2}, $3) - '"$1"'))/e' "$file"
	done
}

# outcome RECIPIENT: of the last attempt, in one word: delivered, deferred, bounced, or lost when smtpd says nothing
outcome() {
	case $(log_of "$1" | tail -n 1) in
	*' result="Ok" '*) echo delivered ;;
	*' result="TempFail" '*) echo deferred ;;
	*' result="PermFail" '*) echo bounced ;;
	*) echo lost ;;
	esac
}

# said RECIPIENT: the text of the last attempt
said() {
	log_of "$1" | tail -n 1 | sed -E 's/.* stat="(.*)"$/\1/'
}

# via RECIPIENT: how smtpd brought it there last: by our relay, or natively
via() {
	case $(log_of "$1" | tail -n 1) in
	*' relay="127.'* | *' relay="[127.'*) echo relay ;;
	*' relay="'*) echo native ;;
	esac
}

# taken RECIPIENT: host/TLS/SNI of the hosts that took mail for it, without ".example"
taken() {
	local line
	grep -F " rcpt=$1 " "$got/smtp" | grep ' event=accepted ' | while read -r line; do
		echo "$(word host "$line")/$(word tls "$line")/$(word sni "$line")"
	done | sed 's/\.example\b//g' | paste -sd, | grep . || echo -
}

# records_of DOMAIN: type:mx:what of its records, in their order
records_of() {
	grep -F " domain=$1 " "$got/journal" >"$got/journal.one"
	local line
	while read -r line; do
		echo "$(word type "$line"):$(word mx "$line" | sed 's/\.example$//'):$(word finding "$line" | grep . || word result "$line")"
	done <"$got/journal.one" | paste -sd,
}

# answers: what the client was told, without the times
answers() {
	sed -E 's/^rcpt ([^ ]+) [0-9]+/\1/; s/ [0-9a-f]{8} Message accepted.*/ accepted/' "$got/output"
}

# descendants PID
descendants() {
	local pid
	for pid in $(pgrep -P "$1"); do
		echo "$pid"
		descendants "$pid"
	done
}

# processes: those of ours that this smtpd has: "filter PID", "worker PID", "table PID"
processes() {
	local pid
	for pid in $(descendants "$daemon"); do
		[ "/proc/$pid/exe" -ef "$program" ] || continue
		if grep -qz '^/etc/mtasts.conf$' "/proc/$pid/cmdline"; then
			echo "table $pid"
		elif [ "/proc/$(ps -o ppid= -p "$pid" | tr -d ' ')/exe" -ef "$program" ]; then
			echo "worker $pid"
		else
			echo "filter $pid"
		fi
	done 2>/dev/null
}

# process WORD: its number
process() {
	processes | sed -n "s/^$1 //p"
}

# All there is to know about a failure [of RECIPIENT]
story() {
	if [ $# -eq 0 ]; then
		story_of output syslog journal smtp queue box
		return
	fi
	local domain=${1#*@}
	log_of "$1"
	grep -hF "$domain" "$got/journal" "$got/smtp" "$got/queue" "$got/output"
	grep -aE 'mtasts|warn|filter' "$got/log" | tail -n 10
	tail -n 5 "$got/syslog"
}

# each PART...: runs these parts of a test; what there is to know when one fails follows it
each() {
	local part before
	for part; do
		before=$tap_failures
		$part
		[ "$tap_failures" = "$before" ] && continue
		gather
		diag "$(story)"
	done
}
