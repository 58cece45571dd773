#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What mtasts lookup makes of a store and of helpers that are out of order: the state, the exit status, one clear line.
# What was known is never taken for absent; what is our fault is never remembered against a domain.
# shellcheck source-path=SCRIPTDIR source=lib/command.sh
. "$(dirname "$0")/lib/command.sh"

known=good.example
trap '"$top/lab/publish" good record=id=1; clean_up' EXIT

# A new domain for each look-up at the network, so that none meets what another left
mapfile -t fresh < <(awk '($2 == "-" || $2 == "signed") && $3 == "id=1" && $4 ~ /^enforce(:[^;]*)?$/ && $7 == "ok" \
    && $1 != "good" { print $1 ".example" }' "$LAB_DIR/domains")
turn=0
next_domain() {
	domain=${fresh[turn++]:-}
	[ -n "$domain" ] || bail "the lab's table has too few domains"
}

# The store, with the known policy in it; whoever controls its DNS says that there is none
warm() {
	store
	"$mtasts" config -c "$conf" >/dev/null || bail "config"
	cp -p "$work/warm"/policies.db "$work/warm"/leases "$state"
}
"$top/lab/publish" good record=id=1
mkdir "$work/warm"
store
run lookup "$known"
[ "$status" = 0 ] || bail "the known policy: $out $err"
cp -p "$state"/policies.db "$state"/leases "$work/warm"
"$top/lab/publish" good record=-

# told NAME WANTED [LINE]: the last look-up's status and state, and nothing but one line like this one
told() {
	local got why=()
	got="$status $(field state)"
	[ "$got" = "$2" ] || why+=("wanted: $2" "got:    $got")
	if [ -n "${3:-}" ]; then
		[ "$(grep -c '' <<<"$err")" = 1 ] || why+=("not one line")
		grep -qE -- "^mtasts: .*$3" <<<"$err" || why+=("no line like: $3")
	elif [ -n "$err" ]; then
		why+=("said something")
	fi
	[ "$took" -lt 3000 ] || why+=("took $took ms")
	! helpers >/dev/null || why+=("helpers are left")
	if [ ${#why[@]} -eq 0 ]; then pass "$1"; else fail "$1" "${why[@]}" "stdout: $out" "stderr: $err"; fi
}

# ---- the store cannot be read: what is fetched counts, nothing else may be concluded

unreadable() {
	local name=$1 line=$2 file=$state/policies.db
	warm
	case $name in
	garbage) head -c 30000 /dev/urandom >"$file" ;;
	empty) : >"$file" ;;
	'cut in the header') truncate -s 50 "$file" ;;
	'cut after a page') truncate -s 4096 "$file" ;;
	'zeroed pages') dd if=/dev/zero of="$file" bs=4096 seek=1 count=5 conv=notrunc status=none ;;
	'zeroed header') dd if=/dev/zero of="$file" bs=100 count=1 conv=notrunc status=none ;;
	"another's file") chown root:root "$file" && chmod 600 "$file" ;;
	'no permission') chmod 0 "$file" ;;
	'written by everybody') chmod 666 "$file" ;;
	'a link to it') mv "$file" "$state/elsewhere" && ln -s elsewhere "$file" ;;
	'a second name of it') ln "$file" "$state/elsewhere" ;;
	'a FIFO') rm "$file" && mkfifo "$file" && chown daemon:daemon "$file" ;;
	'a directory') rm "$file" && mkdir "$file" ;;
	"another program's") rm "$file" && python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.execute("CREATE TABLE t(x)"); db.commit()' "$file" && chown daemon:daemon "$file" ;;
	'directory written by everybody') chmod 777 "$state" ;;
	'directory is a link') mv "$state" "$work/elsewhere" && ln -s elsewhere "$state" ;;
	esac
	run lookup "$known"
	told "store: $name: known" '75 fault' "$line"
	run lookup --cached "$known"
	told "store: $name: known, --cached" '75 fault' "$line"
	run lookup nopol.example
	told "store: $name: no policy" '75 fault' "$line"
	next_domain
	run lookup "$domain"
	told "store: $name: fetched" '0 published' "$line"
	rm -rf "$work/elsewhere"
}

unreadable garbage 'policies\.db: file is not a database'
unreadable empty 'policies\.db is empty or cut off: run mtasts init'
unreadable 'cut in the header' 'policies\.db is empty or cut off: run mtasts init'
unreadable 'cut after a page' 'policies\.db'
unreadable 'zeroed pages' 'policies\.db.*malformed'
unreadable 'zeroed header' 'policies\.db: '
unreadable "another's file" 'policies\.db belongs neither to the user nor to the group'
unreadable 'no permission' 'policies\.db: unable to open database file .*Permission denied'
unreadable 'written by everybody' 'policies\.db can be written by everybody'
unreadable 'a link to it' 'policies\.db is not a plain file'
unreadable 'a second name of it' 'policies\.db has more than one name'
unreadable 'a FIFO' 'policies\.db is not a plain file'
unreadable 'a directory' 'policies\.db is not a plain file'
unreadable "another program's" 'policies\.db: not a store of mtasts'
unreadable 'directory written by everybody' "$state can be written by everybody"
unreadable 'directory is a link' "$state is not a directory"

warm
rm "$state"/policies.db*
run lookup "$known"
told 'store: never initialised' '78 ' "no store in $state: run 'mtasts init'"
rm -rf "$state"
run lookup "$known"
told 'store: no directory' '78 ' "no store in $state: run 'mtasts init'"

# Bits flipped anywhere: whatever is made of them, the policy is there or cannot be read, and nothing crashes.
bits=() faults=0
for seed in {1..40}; do
	warm
	python3 -c 'import random, sys
random.seed(int(sys.argv[2]))
with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read())
    for _ in range(1 << random.randrange(9)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    f.seek(0); f.write(data)' "$state/policies.db" "$seed"
	run lookup "$known"
	case "$status $(field state) $(field mode)" in
	'75 fault -') faults=$((faults + 1)) && [ "$(wc -l <"$work/err")" = 1 ] || bits+=("seed $seed: not one line: $err") ;;
	'0 published enforce') ;;
	*) bits+=("seed $seed: $status $out $err") ;;
	esac
done
diag "$faults of 40 unreadable"
if [ ${#bits[@]} -eq 0 ] && [ "$faults" -gt 0 ]; then pass 'store: flipped bits'; else fail 'store: flipped bits' "${bits[@]}"; fi

# ---- it can be read, but not written: what is known counts, and what is fetched

unwritable() {
	local name=$1 line=$2
	run lookup "$known"
	told "store: $name: known" '0 published' "$line"
	is "store: $name: known, from the store" "$(field source)" stale
	run lookup --cached "$known"
	told "store: $name: known, --cached" '0 published' # it writes nothing
	run lookup nopol.example
	told "store: $name: no policy" '0 absent' "$line"
	next_domain
	run lookup "$domain"
	told "store: $name: fetched" '0 published' "$line"
	is "store: $name: fetched, from the network" "$(field source)" network
}

# fill LEFT: the disk of the state directory, so that as many octets can be written yet
fill() {
	dd if=/dev/zero of="$state/fill" bs=4k status=none 2>/dev/null
	[ "$1" = 0 ] || truncate -s "-$1" "$state/fill"
}

mount_warm() {
	store
	mount -t tmpfs -o size=512k,mode=2770,uid="$(id -u daemon)",gid="$(id -g daemon)" mtasts-test "$state"
	"$mtasts" init -c "$conf" --no-users >"$work/init" 2>&1 || bail "init: $(cat "$work/init")"
	cp -p "$work/warm"/policies.db "$work/warm"/leases "$state"
	rm -f "$state"/policies.db-*
}

for left in 0 4096 36864; do
	mount_warm
	fill $left
	unwritable "disk full but for $left octets" 'policies\.db.*(disk is full|No space left)'
	umount "$state"
done

warm
mount --bind "$state" "$state"
mount -o remount,bind,ro "$state"
unwritable 'read-only' '(read-only file system|readonly database)'
umount "$state"

warm
rm "$state/leases"
run lookup nopol.example
told 'leases: missing' '0 absent' 'the file of leases is missing: run mtasts init'
warm
: >"$state/leases"
next_domain
run lookup "$domain"
told 'leases: empty' '0 published' 'the file of leases is damaged: remove it and run mtasts init'

# ---- the helpers: what is in the store counts, nothing else may be concluded

# broken NAME PROGRAM LINE [OPTION...]: known and new; PROGRAM is whom it is about, "" both.  Options in place of the configuration's
sick=$work/sick
broken() {
	local name=$1 program=$2 line=$3
	shift 3
	warm
	run lookup "$@" "$known"
	if [ "$program" = mtasts-fetch ]; then line_known= ; else line_known=$line; fi
	told "$name: known" '0 published' "$line_known"
	is "$name: known, from the store" "$(field mode) $(field source)" 'enforce stale'
	run lookup "$@" nopol.example
	if [ "$program" = mtasts-fetch ]; then
		told "$name: no policy" '0 absent'
	else
		told "$name: no policy" '75 fault' "$line"
	fi
	next_domain
	run lookup "$@" "$domain"
	told "$name: new" '75 fault' "$line"
	"$mtasts" cache show -c "$conf" "$domain" >/dev/null 2>&1
	is "$name: new, nothing kept" $? 66
	used+=("$domain")
}

used=()
both_sick() {
	for program in mtasts-resolve mtasts-fetch; do
		rm -rf "$sick"
		cp -r "$bin" "$sick"
		rm "$sick/$program"
		"$1" "$sick/$program"
		broken "$program $2" "$program" "helper program=$program reason=\"$3" -o "helper_directory=$sick" -o deadline=1s
	done
}

script() {
	cat >"$1"
	chmod 755 "$1"
}
missing() { :; }
plain() { cp "$bin/mtasts-fetch" "$1" && chmod 644 "$1"; }
exits() { script "$1" <<<'#!/bin/sh'; }
babbles() { script "$1" <<<$'#!/bin/sh\nexec cat /dev/urandom'; }
hangs() { script "$1" <<<$'#!/bin/sh\nexec sleep 30'; }
crashes() { script "$1" <<<$'#!/bin/sh\nkill -SEGV $$'; }
mute() { script "$1" <<<$'#!/bin/sh\nexec cat >/dev/null'; }
both_sick missing 'missing' 'execve: No such file or directory'
both_sick plain 'not executable' 'execve: Permission denied'
both_sick exits 'exits at once' 'ended'
both_sick babbles 'babbles' '(malformed message|ended)'
both_sick hangs 'hangs' 'no answer in time'
both_sick mute 'says nothing' 'no answer in time'
both_sick crashes 'crashes' 'ended'

broken 'helper user: none' '' 'helper program=mtasts-resolve reason="no user nosuchuser"' -o helper_user=nosuchuser
broken 'helper user: root' '' 'helper program=mtasts-resolve reason="user root is root"' -o helper_user=root
broken 'resolv.conf: missing' '' 'helper program=mtasts-resolve reason=".*/nowhere.*No such file' -o resolv_conf=/nowhere
install -m 600 "$LAB_DIR/resolv.conf" "$work/private"
broken 'resolv.conf: not permitted' '' 'helper program=mtasts-resolve reason=".*/private: Permission denied' -o "resolv_conf=$work/private"
mkdir "$work/nothing"
broken 'CA directory: missing' mtasts-fetch 'helper program=mtasts-fetch reason="/nowhere: No such file' -o ca_directory=/nowhere
broken 'CA directory: empty' mtasts-fetch 'helper program=mtasts-fetch reason="no certificate by its hash' -o "ca_directory=$work/nothing"
cp "$LAB_DIR/pki/ca.pem" "$work/nothing"
broken 'CA directory: without hashes' mtasts-fetch 'reason="no certificate by its hash' -o "ca_directory=$work/nothing"
ln -s ca.pem.gone "$work/nothing/0123abcd.0"
broken 'CA directory: its links lead nowhere' mtasts-fetch 'reason="no certificate' -o "ca_directory=$work/nothing"
mkdir "$work/shut" && chmod 700 "$work/shut"
broken 'CA directory: not permitted' mtasts-fetch 'reason=".*Permission denied' -o "ca_directory=$work/shut"

# None of that is held against the domains.
sleep 10
run lookup "${used[@]}"
is 'when all is in order again' "$status $(grep -c ' published  *enforce ' <<<"$out")" "0 ${#used[@]}"
tap_done
