#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The command without a network: every subcommand, its statuses, its JSON.  As root also what users and modes are for.
set -u
top=${top_srcdir:-.}
# shellcheck source=tests/integration/lib/tap.sh
. "$top/tests/integration/lib/tap.sh"
build=${top_builddir:-.}
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

# Out of the build tree, which other users may not reach
cp "$build/cli/.libs/mtasts" "$build"/lib/.libs/libmtasts.so* "$work" 2>/dev/null || cp "$build/cli/mtasts" "$work"
export LD_LIBRARY_PATH=$work
mtasts=$work/mtasts
storeput=$build/tests/tools/storeput

if [ "$(id -u)" = 0 ]; then
	user=daemon group=daemon helper=nobody
else
	user=$(id -un) group=$(id -gn) helper=nobody
	[ "$user" != nobody ] || helper=daemon
fi
# mtasts.conf for a host of our own
conf=$work/mtasts.conf state=$work/state
printf '%s\n' "state_directory = $state" "user = $user" "group = $group" "helper_user = $helper" >"$conf"

out='' err='' status=0
# run ARGUMENT...: sets out, err and status
run() {
	"$mtasts" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(cat "$work/out") err=$(cat "$work/err")
}

# feed TEXT ARGUMENT...: the same with escapes of printf on standard input
feed() {
	local text=$1
	shift
	# shellcheck disable=SC2059
	printf "$text" | "$mtasts" "$@" >"$work/out" 2>"$work/err"
	status=$?
	out=$(cat "$work/out") err=$(cat "$work/err")
}

# gives NAME STATUS [OUT [ERR]]: what run or feed found, texts as regular expressions, "" for nothing at all
gives() {
	local why=()
	[ "$status" = "$2" ] || why+=("status $status, wanted $2")
	if [ $# -ge 3 ]; then
		if [ -z "$3" ]; then
			[ -z "$out" ] || why+=("output not wanted")
		else
			grep -qE -- "$3" <<<"$out" || why+=("no output like $3")
		fi
	fi
	if [ $# -ge 4 ]; then
		if [ -z "$4" ]; then
			[ -z "$err" ] || why+=("words on stderr not wanted")
		else
			grep -qE -- "$4" <<<"$err" || why+=("no words on stderr like $4")
		fi
	fi
	if [ ${#why[@]} -eq 0 ]; then pass "$1"; else fail "$1" "${why[@]}" "stdout: $out" "stderr: $err"; fi
}

# json NAME EXPRESSION: the output is JSON of which the Python expression over j holds
json() {
	local why
	if why=$(python3 -c 'import json, sys
j = json.load(sys.stdin)
assert eval(sys.argv[1]), j' "$2" <<<"$out" 2>&1); then pass "$1"; else fail "$1" "$2" "$out" "$why"; fi
}

# ---- the command itself
run --version
gives "--version" 0 '^mtasts [0-9.]+$' ''
run --help
gives "--help" 0 '^usage: mtasts' ''
run
gives "no command" 64 '' 'a command is needed'
run nosuch
gives "unknown command" 64 '' "no command 'nosuch'"
run --nosuch
gives "unknown option" 64 ''
run $'no\nsuch\e[31m'
gives "an argument moves no cursor" 64 '' '^mtasts: no command .no\\x0[Aa]such\\x1[Bb]'
for command in $("$mtasts" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	run "$command" --help
	gives "$command --help" 0 "^usage: mtasts $command" ''
	run "$command" --nosuch
	gives "$command --nosuch" 64 '' "^mtasts $command: "
done

# ---- config
run config -c /dev/null
gives "config" 0 '^bounce_after = 1d$' ''
"$mtasts" config -c "$conf" -o bounce_after=90m -o allow_addresses='192.0.2.0/24 2001:db8::/32' -o on_unknown=defer >"$work/1.conf"
"$mtasts" -c "$work/1.conf" config >"$work/2.conf"
is "config: read back it is the same" "$(cat "$work/2.conf")" "$(cat "$work/1.conf")"
like "config: what -o said" "$(cat "$work/1.conf")" '^bounce_after = 90m$'
run -o deadline=5s config -c /dev/null -o max_fetches=7 --json
json "config: --json, options before and behind" 'j["deadline"] == "5s" and j["max_fetches"] == "7"'
run config -c "$work/nosuch"
gives "config: no such file" 78 '' 'nosuch: No such file'
run config -c /dev/null --json -o state_directory=$'/\xff'
json "config: --json of octets that are no UTF-8" 'j["state_directory"] == "/\\xFF"'
printf 'group = x\nfoo = bar\n' >"$work/bad.conf"
run config -c "$work/bad.conf"
gives "config: place and reason" 78 '' 'bad.conf:2: foo: unknown key'
run config -c /dev/null -o deadline=soon
gives "config: a bad -o" 78 '' 'deadline: not a duration'
run config -o deadline
gives "config: -o without a value" 64 '' 'KEY=VALUE'
run config x
gives "config: an argument too many" 64
"$mtasts" config -c /dev/null >/dev/full 2>"$work/err"
is "config: nowhere to write" "$?" 73

# ---- lint record
run lint record 'v=STSv1; id=20160831085700Z;'
gives "lint record" 0 '^id: 20160831085700Z$' ''
run lint record 'v=spf1 -all' 'v=STSv1; id=a;' ''
gives "lint record: one of a set" 0 '^id: a$' ''
run lint record 'v=STSv1; id=a;' 'v=STSv1; id=b;'
gives "lint record: two" 65 '' .
run lint record 'v=spf1 -all'
gives "lint record: none" 65 '' .
run lint record 'v=STSv1; id=abcdefghijklmnopqrstuvwxyz1234567;'
gives "lint record: place and reason" 65 '' '^record 1, octet [0-9]+: '
run lint record $'v=STSv1; id=a\x01;'
gives "lint record: a control character" 65 ''
run lint record 'v=STSv1; id=a  '
gives "lint record: a slip is a warning" 0 '^id: a$' '^warning: record 1'
run lint --strict record 'v=STSv1; id=a  '
gives "lint record: --strict" 65 '' '^record 1'
run lint record --json 'v=STSv1; id=a  '
json "lint record: --json" 'j["valid"] and j["id"] == "a" and len(j["warnings"]) == 1 and j["error"] is None'
run lint record --json 'v=STSv1;'
json "lint record: --json of an invalid one" 'not j["valid"] and j["error"]'
is "lint record: --json keeps the status" "$status" 65
run lint record
gives "lint record: nothing given" 64

# ---- lint policy
good='version: STSv1\nmode: enforce\nmx: mx.a.example\nmx: *.b.example\nmax_age: 604800\n'
feed "$good" lint policy
gives "lint policy: standard input" 0 '^max_age: 604800$' ''
is "lint policy: key: value lines" "$out" $'version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.a.example\nmx: *.b.example'
feed "$good" lint policy -
gives "lint policy: -" 0 '^mode: enforce$' ''
# shellcheck disable=SC2059
printf "$good" >"$work/policy"
run lint policy "$work/policy"
gives "lint policy: a file" 0 '^mx: \*\.b\.example$' ''
run lint policy "$work/nosuch"
gives "lint policy: no such file" 66 '' 'nosuch: No such file'
run lint policy "$work"
gives "lint policy: a directory" 66 '' 'directory'
feed 'version: STSv1\nmode: enforce\nmax_age: 12345678901\nmx: a.example\n' lint policy
gives "lint policy: place and reason" 65 '' '^line 3: max_age has 11 digits$'
feed 'version: STSv1\r\nmode: none\r\nmax_age: 0' lint policy
gives "lint policy: CR LF, no last line end" 0 '^mode: none$' ''
feed 'version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 99999999\n' lint policy
gives "lint policy: max_age is clamped" 0 '^max_age: 31557600$' '^warning: line 4'
feed 'version: STSv1\nmode: enforce\n\nmx: a.example.\nmax_age: 86400\n' lint policy
gives "lint policy: slips are warnings" 0 '^mx: a.example$' '^warning: line 3'
feed 'version: STSv1\nmode: enforce\n\nmx: a.example.\nmax_age: 86400\n' lint policy --strict
gives "lint policy: --strict" 65 '' '^line 3'
feed 'version: STSv1\nmode: enforce\n\nmx: a.example.\nmax_age: 86400\n' lint policy --json
json "lint policy: --json" 'j["valid"] and j["mode"] == "enforce" and j["mx"] == ["a.example"] and len(j["warnings"]) == 2'
feed 'version: STSv1\nmode: enforce\n\nmx: a.example\nmax_age: 86400\n' lint policy --json --strict
json "lint policy: --json --strict" 'not j["valid"] and "mode" not in j'
feed '' lint policy
gives "lint policy: nothing" 65 '' .
feed 'version: STSv1\0\nmode: none\nmax_age: 1\n' lint policy
gives "lint policy: NUL" 65 '' '^line 1'
head -c 70000 /dev/zero | tr '\0' 'a' >"$work/big"
run lint policy "$work/big"
gives "lint policy: over 64 KiB" 65 '' '64 KiB'
run lint policy /dev/zero
gives "lint policy: without end" 65
run lint policy a b
gives "lint policy: two files" 64
if [ "$(id -u)" != 0 ]; then
	chmod 0 "$work/big"
	run lint policy "$work/big"
	gives "lint policy: not permitted" 77
fi

# ---- lint match: the rows of RFC 8461 4.1
long=$(printf 'a%.0s' {1..63})
while read -r name pattern host wanted; do
	run lint match "$pattern" "$host"
	gives "lint match $name: $pattern $host" "$wanted"
done <<-EOF
	m01 mail.example.com mail.example.com 0
	m02 mail.example.com MAIL.EXAMPLE.COM. 0
	m03 *.example.com mail.example.com 0
	m04 *.example.com example.com 1
	m05 *.example.com foo.bar.example.com 1
	m06 *.example.com badexample.com 1
	m07 *.example.com .example.com 1
	m08 *.com example.com 0
	m09 mail.example.com mail.example.com.evil.net 1
	m10 mail.example.com xmail.example.com 1
	m11 .example.com mail.example.com 65
	m12 * anything 65
	m13 mail.*.example.com mail.a.example.com 65
	m14 *.*.example.com a.b.example.com 65
	m15 xn--mnchen-3ya.example münchen.example 0
	m16 mail.example.com. mail.example.com 0
	m17 192.0.2.1 192.0.2.1 1
	m18 example.com example.com 0
	m22 *.example.com $long.example.com 0
	m23 ${long}a.example.com ${long}a.example.com 65
EOF
run lint match mail.example.com. mail.example.com --strict
gives "lint match m16: --strict" 65 '' 'dot'
run lint match '*.a.example' mx.a.example --json
json "lint match: --json" 'j["valid"] and j["matches"]'
run lint match '*.a.example' a.example --json
json "lint match: --json, no match" 'j["valid"] and not j["matches"]'
is "lint match: --json keeps the status" "$status" 1
run lint match a
gives "lint match: one argument" 64
run lint
gives "lint: of what?" 64
run lint nosuch
gives "lint nosuch" 64

# ---- lint over all vectors
out=$(python3 - "$top/tests/vectors/policies.txt" "$mtasts" <<'EOF'
import os, re, shlex, subprocess, sys

def unescape(words):
    """The C escapes of the vectors' quoted words, to octets."""
    out = []
    for word in re.findall(r'"((?:[^"\\]|\\.)*)"', words):
        out.append(word.encode("utf-8").decode("unicode_escape").encode("latin-1", "surrogateescape"))
    return out

vectors, one = [], None
for line in open(sys.argv[1], encoding="utf-8", errors="surrogateescape"):
    line = line.rstrip("\n")
    if line.startswith("["):
        one = {"id": line[1:line.index("]")], "txt": [], "body": None, "status": 200, "repeat": b"", "type": None}
        vectors.append(one)
    elif one is not None and line:
        key, _, rest = line.partition(" ")
        if key == "txt":
            one["txt"].append(b"".join(unescape(rest)))
        elif key == "body":
            one["body"] = (one["body"] or b"") + b"".join(unescape(rest))
        elif key == "repeat":
            count, _, text = rest.partition(" ")
            one["repeat"] = b"".join(b"".join(unescape(text)).replace(b"%", b"%d" % i) for i in range(int(count)))
        elif key in ("expect", "status", "type"):
            one[key] = rest
bad = done = 0
good = (b"version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\n"
        b"max_age: 604800\n")
for v in vectors:
    kind = v["id"][0] if re.match(r"[tp][0-9]", v["id"]) and v["status"] == 200 and v["type"] is None else ""
    if kind == "t" and all(b"\0" not in t for t in v["txt"]):
        r = subprocess.run([sys.argv[2], "lint", "record"] + v["txt"], capture_output=True)
    elif kind == "p":
        r = subprocess.run([sys.argv[2], "lint", "policy"], input=(good if v["body"] is None else v["body"]) + v["repeat"], capture_output=True)
    else:
        continue
    done += 1
    expect = v["expect"]
    wanted = 65 if expect == "reject" else 0
    warns = expect in ("clamp", "reject*", "drop-mx")
    if r.returncode != wanted or (wanted == 0 and (b"warning: " in r.stderr) != warns) or (wanted == 65 and not r.stderr):
        print("bad", v["id"], expect, r.returncode, r.stderr)
        bad += 1
print("vectors:", done, "bad:", bad)
EOF
)
like "lint: all vectors of record and policy" "$out" '^vectors: [0-9]{2,} bad: 0$'

# ---- init
mkdir "$work/none"
run cache list -c "$conf"
gives "cache: no store yet" 78 '' "^mtasts: no store in $state: run 'mtasts init'$"
run init -c "$conf" --no-users
gives "init" 0 "^directory $state: made \(2770 $user:$group\)$"
like "init: the store" "$out" "^store $state/policies.db: made$"
like "init: the lease file" "$out" "^lease file $state/leases: made$"
is "init: modes" "$(stat -c '%a %U:%G' "$state" "$state/journal" "$state/policies.db" "$state/leases" | tr '\n' ' ')" \
	"2770 $user:$group 2770 $user:$group 660 $user:$group 660 $user:$group "
before=$(stat -c '%n %i %a %U %G' "$state" "$state"/*)
run init -c "$conf" --no-users
gives "init twice" 0 "^directory $state: is there"
unlike "init twice: makes nothing" "$out" 'made|mended|added'
is "init twice: changes nothing" "$(stat -c '%n %i %a %U %G' "$state" "$state"/*)" "$before"
chmod 0750 "$state"
run init -c "$conf" --no-users
gives "init: a mode is mended" 0 "^directory $state: mended"
is "init: to what it has to be" "$(stat -c %a "$state")" 2770
rm "$state/leases"
run init -c "$conf" --no-users
gives "init: what is missing is made" 0 "^lease file $state/leases: made$"
chmod 0777 "$state"
run init -c "$conf" --no-users
gives "init: writable by everybody" 73 '^group .* is there$' "$state: is there and writable by everybody"
chmod 2770 "$state"
ln -s "$state" "$work/link"
run init -c "$conf" --no-users -o "state_directory=$work/link"
gives "init: a link" 73 '^group .* is there$' "$work/link: is there and not a directory"
echo precious >"$work/file"
run init -c "$conf" --no-users -o "state_directory=$work/file"
gives "init: a file" 73 '^group .* is there$' "$work/file: is there and not a directory"
run init -c "$conf" --no-users -o "state_directory=$work/no/such"
gives "init: no parent" 73 '^group .* is there$' "$work/no: No such file"
mkdir "$work/open"
chmod 0777 "$work/open"
run init -c "$conf" --no-users -o "state_directory=$work/open/state"
gives "init: a parent that is everybody's" 73 '^group .* is there$' "$work/open: writable by everybody"
run init -c "$conf" --no-users -o group=nosuchgroup
gives "init: no such group" 78 '' 'no group nosuchgroup'
run init -c "$conf" --no-users -o user=nosuchuser
gives "init: no such user" 78 '^group .* is there$' 'no user nosuchuser'
run init -c "$conf" --no-users -o "helper_user=$user"
gives "init: the helper is not the owner" 78 '^group .* is there$' "user $user is to touch no state"
run init x
gives "init: an argument too many" 64
rm -rf "$state/journal"
mkdir "$work/elsewhere"
ln -s "$work/elsewhere" "$state/journal"
run init -c "$conf" --no-users
gives "init: the journal is a link" 73 '^group .* is there$' "$state/journal"
is "init: nothing came of it" "$(ls -A "$work/elsewhere")" ""
rm "$state/journal"
run init -c "$conf" --no-users
gives "init: whole again" 0
if [ "$(id -u)" = 0 ]; then
	mkdir "$work/other"
	chmod 2770 "$work/other"
	run init -c "$conf" --no-users -o "state_directory=$work/other"
	gives "init: another's" 73 '^group .* is there$' "$work/other: is there and another user's"
	out=$(setpriv --reuid=nobody --regid=nogroup --clear-groups "$mtasts" init -c "$conf" 2>&1)
	is "init: not root" "$?" 77
	like "init: not root, in words" "$out" 'not permitted'
	out=$(setpriv --reuid=nobody --regid=nogroup --clear-groups "$mtasts" cache list -c "$conf" 2>&1)
	is "cache: not in the group" "$?" 77
	like "cache: not in the group, in words" "$out" "^mtasts: $state: not permitted: be root or in the group $group$"
	out=$(setpriv --reuid=nobody --regid="$group" --clear-groups "$mtasts" cache list -c "$conf" 2>&1)
	is "cache: in the group" "$?" 0
fi

# Accounts are made in an /etc of the test's own
accounts() {
	cp -a /etc "$work/etc" && mount --bind "$work/etc" /etc || exit 99
	"$mtasts" init -o "state_directory=$work/fresh" -o user=mtsx -o group=mtsx -o helper_user=mtsxh --mail-user nobody --mail-user root
	echo "status $?"
	id -Gn nobody
	getent passwd mtsxh
	"$mtasts" init -o "state_directory=$work/fresh" -o user=mtsx -o group=mtsx -o helper_user=mtsxh --mail-user nobody
	echo "again $?"
	"$mtasts" init -o "state_directory=$work/fresh" -o user=mtsx -o group=mtsx -o helper_user=mtsxh --mail-user nosuchuser
	echo "nosuch $?"
	"$mtasts" init -o "state_directory=$work/fresh" -o user=mtsx -o group=mtsx -o helper_user=nobody
	echo "helper $?"
}
export -f accounts
export work mtasts
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	out=$(unshare -m bash -c accounts 2>&1)
	like "init: makes the group" "$out" '^group mtsx: made$'
	like "init: makes the owner" "$out" '^user mtsx: made$'
	like "init: makes the helpers' user" "$out" '^user mtsxh: made$'
	like "init: puts the mail server's user into the group" "$out" '^user nobody: added to the group mtsx$'
	like "init: says what that takes" "$out" '^restart the mail server'
	like "init: root needs no group" "$out" '^user root: may use the store$'
	like "init: all is in place" "$out" '^status 0$'
	like "init: so it is" "$out" '^nogroup.* mtsx$'
	like "init: the helpers' user has no shell" "$out" '^mtsxh:.*nologin$'
	like "init: again" "$out" '^again 0$'
	like "init: no such mail user" "$out" '^mtasts: no user nosuchuser$'
	like "init: no such mail user, status" "$out" '^nosuch 78$'
	like "init: the helpers' user in the group" "$out" '^helper 78$'
	is "init: the system's accounts are as they were" "$(getent passwd mtsx)" ""
fi

# What packages ship instead
if command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" = 0 ]; then
	mkdir -p "$work/root/etc"
	systemd-sysusers --root="$work/root" "$build/dist/sysusers.d/mtasts.conf" >"$work/err" 2>&1
	is "sysusers.d: taken" "$?" 0
	like "sysusers.d: the owner" "$(cat "$work/root/etc/passwd")" '^mtasts:.*:MTA-STS policies:.*nologin$'
	like "sysusers.d: the helpers' user" "$(cat "$work/root/etc/passwd")" '^mtasts-helper:.*nologin$'
	systemd-tmpfiles --root="$work/root" --create "$build/dist/tmpfiles.d/mtasts.conf" >"$work/err" 2>&1
	is "tmpfiles.d: directories" "$(cd "$work/root" && find . -type d -name '[mj]*' -path '*mtasts*' -printf '%m %f ')" \
		'2770 mtasts 2770 journal '
else
	diag "no systemd-sysusers here: dist/ is not tried"
fi

# ---- cache
now=$(date +%s)
# put DOMAIN ID FETCHED TEXT
put() {
	# shellcheck disable=SC2059
	printf "$4" | "$storeput" "$state" "$1" "$2" "$3" || diag "storeput $1 failed"
}
put a.example id1 "$((now - 60))" "$good"
put old.example id2 "$((now - 700000))" "$good"
put t.example '' "$((now - 60))" 'version: STSv1\nmode: testing\nmx: x.example\nmax_age: 86400\n'
run cache list -c "$conf"
gives "cache list" 0 '^a\.example +valid +enforce +id1 ' ''
like "cache list: an expired one" "$out" '^old\.example +expired +enforce +id2 '
is "cache list: columns are aligned" "$(awk '{print index($0, $3)}' <<<"$out" | sort -u | wc -l)" 1
run cache list --json -c "$conf"
json "cache list: --json" '[e["domain"] for e in j] == ["a.example", "old.example", "t.example"] and j[2]["mode"] == "testing" and j[2]["id"] is None'
run cache show A.Example. -c "$conf"
gives "cache show" 0 '^mode: enforce$' ''
like "cache show: patterns" "$out" '^mx: \*\.b\.example$'
like "cache show: instants" "$out" "^fetched: $(date -u -d "@$((now - 60))" +%Y-%m-%dT%H:%M:%SZ)$"
run cache show a.example --json -c "$conf"
json "cache show: --json" 'j["domain"] == "a.example" and j["mx"] == ["mx.a.example", "*.b.example"] and j["max_age"] == 604800 and j["fetched"].endswith("Z")'
run cache show nosuch.example -c "$conf"
gives "cache show: nothing there" 66 '' 'nosuch.example: nothing cached'
run cache show 'no such name' -c "$conf"
gives "cache show: no name" 65 '' 'not a domain name'
run cache show bücher.example -c "$conf"
gives "cache show: a U-label (t54)" 66 '' 'xn--bcher-kva.example: nothing cached'
run cache drop a.example -c "$conf"
gives "cache drop" 0 '^a.example: dropped \(mode enforce\)$' ''
run cache drop a.example -c "$conf"
gives "cache drop: once" 66
run cache show a.example -c "$conf"
gives "cache drop: gone" 66
run cache list -c "$conf"
gives "cache drop: the others stay" 0 '^t\.example +valid +testing'
run cache
gives "cache: what?" 64
run cache show -c "$conf"
gives "cache show: of what?" 64
run cache list x -c "$conf"
gives "cache list: an argument too many" 64

# The administrator's word is logged
logged() {
	mkdir "$work/dev" && for device in null zero full random urandom; do
		cp -a "/dev/$device" "$work/dev/$device" || exit 99
	done
	mount --bind "$work/dev" /dev || exit 99
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
s.settimeout(20)
open(sys.argv[1], "w").close()
print(s.recv(2000).decode())' "$work/listening" &
	for _ in {1..100}; do
		[ -e "$work/listening" ] && break
		sleep 0.1
	done
	"$mtasts" cache drop t.example -c "$conf"
	wait
}
export -f logged
export conf
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	out=$(unshare -m bash -c logged 2>&1)
	like "cache drop: syslog, facility mail" "$out" \
		'^<21>.*mtasts\[[0-9]+\]: cache drop domain=t.example mode=testing id=- fetched=.* by=root'
fi

# A store that is damaged is no empty one
cp "$state/policies.db" "$work/kept"
rm -f "$state"/policies.db-*
printf 'this is not a database, and never was one' >"$state/policies.db"
run cache list -c "$conf"
gives "cache: a damaged store" 75 '' "store in $state: "
run cache show t.example -c "$conf"
gives "cache show: a damaged store" 75
cp "$work/kept" "$state/policies.db"

tap_done
