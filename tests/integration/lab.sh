#!/bin/bash
# SPDX-License-Identifier: ISC
# The lab itself: its commands do what lab/README says, and every row of its table is in the world as it stands there.
# shellcheck disable=SC2317 # functions that other functions call by name
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
lab=$top/lab
if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 77
fi
unset LAB_DIR
export LAB_NAME=${LAB_NAME:-mtasts}-lab
dir=/tmp/$LAB_NAME-lab
work=$(mktemp -d)
number=0 failures=0

# ok NAME STATUS: one test, passed when STATUS is 0
ok() {
	number=$((number + 1))
	if [ "$2" = 0 ]; then
		echo "ok $number - $1"
	else
		failures=$((failures + 1))
		echo "not ok $number - $1"
		sed 's/^/# /' "$work/out" 2>/dev/null
	fi
}

# try NAME CMD...: CMD succeeds
try() {
	local name=$1
	shift
	"$@" >"$work/out" 2>&1 </dev/null
	ok "$name" $?
}

# is NAME WANTED CMD...: CMD prints just that
is() {
	local name=$1 wanted=$2 seen
	shift 2
	seen=$("$@" 2>&1 </dev/null)
	printf 'seen:   %s\nwanted: %s\n' "$seen" "$wanted" >"$work/out"
	[ "$seen" = "$wanted" ]
	ok "$name" $?
}

# fails NAME PATTERN CMD...: CMD fails and says so
fails() {
	local name=$1 pattern=$2
	shift 2
	! "$@" >"$work/out" 2>&1 </dev/null && grep -q "$pattern" "$work/out"
	ok "$name" $?
}

finish() {
	"$lab/down" >/dev/null 2>&1
	LAB_NAME=$LAB_NAME-2 "$lab/down" >/dev/null 2>&1
	rm -rf "$work"
}
trap finish EXIT

txt() { "$lab/run" kdig +short @127.0.0.1 "_mta-sts.$1.example" TXT; }
get() {
	"$lab/run" curl -sS --max-time 5 --noproxy '*' --cacert "$dir/pki/ca.pem" --capath "$dir/pki/certs" \
		"https://mta-sts.$1.example/.well-known/mta-sts.txt" "${@:2}" | tr -d '\r'
}
status() { get "$1" -o /dev/null -w '%{http_code}'; }
pids() { cat "$dir"/pid/*; }
send() { "$lab/run" /usr/bin/python3 "$work/send.py" "$@"; }

cat >"$work/send.py" <<'EOF'
import smtplib, sys
with smtplib.SMTP(sys.argv[1], 25, local_hostname="mail.sender.example", timeout=5) as smtp:
    smtp.starttls()
    smtp.sendmail("a@sender.example", sys.argv[2:], "Subject: x\n\nhello\n")
EOF

"$lab/down" >/dev/null 2>&1

# --- up, run
fails "run says that no lab is up" "is not up" "$lab/run" true
fails "publish says that no lab is up" "is not up" "$lab/publish" good
try "up" "$lab/up"
before=$(pids)
try "up once more" "$lab/up"
is "up once more leaves the servers alone" "$before" pids
is "run has the sender's resolv.conf" "nameserver 127.0.0.1" "$lab/run" sed -n 1p /etc/resolv.conf
is "run passes the command's status on" 7 bash -c "'$lab/run' sh -c 'exit 7'; echo \$?"
try "the world cannot reach the machine's own network" bash -c "! '$lab/run' --world ip route get 192.0.2.77"
is "the other side of the sender's only link is the world" 1 bash -c "'$lab/run' ip -o link | grep -vc LOOPBACK"

# --- every row
"$lab/selftest" >"$work/rows" 2>"$work/out"
grep -qE '^1\.\.[1-9]' "$work/rows"
ok "selftest ran" $?
while IFS= read -r line; do
	case $line in
	"ok "*) ok "${line#*- }" 0 ;;
	"not ok "*)
		name=${line#*- }
		read -r _ seen && read -r _ wanted
		printf '%s\n' "$seen" "$wanted" >"$work/out"
		ok "$name" 1
		;;
	esac
done <"$work/rows"

# --- selftest notices a world that is otherwise
mkdir "$work/other"
ln -s "$dir/pki" "$work/other/pki"
cat >"$work/other/domains" <<'EOF'
good       -      id=2     testing 10:mx2 good       404
wrongname  -      id=1     enforce 10:mx  good       expired
t43        -      -        enforce 10:mx  wrongname  ok
nopol      signed servfail enforce 10:mx  notls      ok
EOF
"$lab/run" /usr/bin/python3 "$lab/lib/selftest.py" "$work/other" >"$work/out" 2>&1
is "selftest fails each of 12 checks that must fail" 12 grep -c '^not ok' "$work/out"

# --- publish
try "publish an id and a policy" "$lab/publish" good id=2 policy=testing:mx1,*.good
is "the record is the new one" '"v=STSv1; id=2;"' txt good
is "the policy is the new one" "version: STSv1 mode: testing mx: mx1.good.example mx: *.good.example max_age: 604800" \
	bash -c "$(declare -f get); lab='$lab' dir='$dir' get good | paste -sd' '"
try "publish in a signed zone" "$lab/publish" dane.example record=id=9
is "its record is the new one, and secure" 1 bash -c "'$lab/run' kdig @127.0.0.1 +adflag _mta-sts.dane.example TXT | grep -c 'Flags:.* ad'"
is "its record is the new one" '"v=STSv1; id=9;"' txt dane
try "remove a record" "$lab/publish" good record=-
is "the record is gone" "" txt good
try "break a policy host" "$lab/publish" good https=503
is "the policy host is broken" 503 status good
try "mend them" "$lab/publish" good id=3 https=ok policy=enforce
is "the record is back" '"v=STSv1; id=3;"' txt good
is "the policy host is back" 200 status good
try "break a name server" "$lab/publish" good record=servfail
is "the record cannot be found out" 1 bash -c "'$lab/run' kdig @127.0.0.1 _mta-sts.good.example TXT | grep -c SERVFAIL"
try "another mail host" "$lab/publish" good record=id=3 mail=notls
fails "the mail host is another" "STARTTLS extension not supported" send mx1.good.example u@good.example
try "what is given in turn begins anew" "$lab/publish" flip
is "the first answer" "10 mx.flip.example." "$lab/run" kdig +short @127.0.0.1 flip.example MX
is "the second answer" "10 evil.attacker.example." "$lab/run" kdig +short @127.0.0.1 flip.example MX
fails "a word that the table does not know" "no such word for https" "$lab/publish" good https=wrong
fails "a domain that is not in the table" "no domain nosuch.example" "$lab/publish" nosuch id=1
is "what was refused changed nothing" 200 status good
try "the table as it was" "$lab/publish" --all "$lab/domains"
is "the record is as it was" '"v=STSv1; id=1;"' txt good

# --- log
mark=$("$lab/log" --mark)
txt good >/dev/null
get good >/dev/null
send mx1.good.example u@good.example v@good.example
is "one question is counted" 1 "$lab/log" --since "$mark" --count dns name=_mta-sts.good.example type=TXT
is "one GET is counted" 1 "$lab/log" --since "$mark" --count get host=mta-sts.good.example status=200
is "a recipient is an accepted line" 2 "$lab/log" --since "$mark" --count smtp event=accepted host=mx1.good.example
is "nothing went to the attacker" 0 "$lab/log" --since "$mark" --count event=accepted attacker=yes
send evil.attacker.example u@badmx.example
is "what goes to the attacker is seen" 1 "$lab/log" --since "$mark" --count event=accepted attacker=yes rcpt=u@badmx.example
id=$("$lab/log" --since "$mark" attacker=yes event=accepted | sed -n 's/.* id=\([^ ]*\).*/\1/p')
try "the message is kept" grep -q hello "$dir/mail/$id"

# --- what goes wrong is said
kill "$(cat "$dir/pid/smtpd")"
squatter='import socket, time
s = socket.create_server(("198.18.25.1", 25)); print("ready", flush=True); time.sleep(60)'
sleep 0.5
"$lab/run" --world /usr/bin/python3 -c "$squatter" >"$work/squatter" &
squatter=$!
for _ in $(seq 50); do
	grep -q ready "$work/squatter" && break
	sleep 0.1
done
fails "a server that cannot start is named" "smtpd did not come up" "$lab/publish" good mail=notls
fails "with its last words" "Address already in use" "$lab/publish" good
kill "$squatter"
wait "$squatter" 2>/dev/null
try "up mends a lab that is half down" "$lab/up"
is "with the table as it was" '"v=STSv1; id=1;"' txt good

# --- several labs, down
try "a second lab beside the first" env LAB_NAME="$LAB_NAME-2" "$lab/up"
try "a change in the second" env LAB_NAME="$LAB_NAME-2" "$lab/publish" good id=77
is "is none in the first" '"v=STSv1; id=1;"' txt good
mapfile -t first < <(pids)
try "down of the second" env LAB_NAME="$LAB_NAME-2" "$lab/down"
is "leaves the first alone" '"v=STSv1; id=1;"' txt good
try "down, but keep the directory" "$lab/down" --keep
try "the logs are still there" test -s "$dir/log/dns"
try "down" "$lab/down"
try "down once more" "$lab/down"
is "no namespace is left" "" bash -c "ip netns list | grep '^$LAB_NAME-' || :"
is "no directory is left" "" bash -c "ls -d $dir* /etc/netns/$LAB_NAME-* 2>/dev/null || :"
is "no server is left" "" bash -c "for p in ${first[*]}; do readlink /proc/\$p/exe; done"

echo "1..$number"
exit $((failures > 0))
