#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A real Exim whose store or helpers are out of order, while an attacker answers for the domain's DNS: mail to a domain
# whose policy is known reaches nobody unprotected, there is one clear error line a delivery, and nothing panics.
# Exim here is Debian 12's; exim-faults.sh has the main cases for the others.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"
exim=bookworm
use "$exim"
state=$root/var/lib/mtasts db=$root/var/lib/mtasts/policies.db
finish() {
	! mountpoint -q "$state" || umount -R "$state"
	"$top/lab/publish" good record=id=1 mx=10:mx1 mail=good
	clean_up
}
trap finish EXIT

# The store with the policy of good.example in it, as it was before
keep=$got/keep
mkdir "$keep"
warm() {
	! mountpoint -q "$state" || umount -R "$state"
	[ ! -d "$state" ] || find "$state" -mindepth 1 -delete
	run "$mtasts" init >"$got/init" 2>&1 || bail "mtasts init: $(cat "$got/init")"
	[ ! -e "$keep/policies.db" ] || cp -p "$keep"/* "$state"
}
"$top/lab/publish" good record=id=1 mx=10:mx1 mail=good
warm
run "$mtasts" lookup good.example >"$got/output" 2>&1 || bail "lookup: $(cat "$got/output")"
cp -p "$db" "$state/leases" "$keep"
spoof() { "$top/lab/publish" good record=- mx=10:evil.attacker mail=-; }
honest() { "$top/lab/publish" good record=id=1 mx=10:mx1 mail=good; }

# delivery NAME OUTCOME MAINLOG ERRORS [ERROR]: what became of the last message: a regular expression that Exim's line matches,
# how many error lines there are, and what the one of them matches
delivery() {
	local why=() errors
	errors=$(grep -c '^<19>' "$got/syslog")
	[ "$(outcome)" = "$2" ] || why+=("wanted: $2, got: $(outcome)")
	grep -E '(==|=>|\*\*) ' "$got/mainlog" | grep -qE -- "$3" || why+=("no line in the main log like: $3")
	[ "$errors" = "$4" ] || why+=("$errors error lines, wanted $4")
	[ -z "${5:-}" ] || grep '^<19>' "$got/syslog" | grep -qE -- "$5" || why+=("no error line like: $5")
	[ ! -s "$got/panic" ] || why+=("a line in the panic log")
	! grep -q ' event=accepted .*attacker=yes\|attacker=yes.* event=accepted ' "$got/smtp" || why+=("the attacker has it")
	[ "$2" = delivered ] || [ -z "$(accepted)" ] || why+=("somebody took it")
	if [ ${#why[@]} -eq 0 ]; then pass "$1"; else fail "$1" "${why[@]}" "$(story)"; fi
}

# ---- the store cannot be read

break_store() {
	case $1 in
	garbage) head -c 30000 /dev/urandom >"$db" ;;
	empty) : >"$db" ;;
	'cut off') truncate -s 8192 "$db" ;;
	'zeroed pages') dd if=/dev/zero of="$db" bs=4096 seek=1 count=5 conv=notrunc status=none ;;
	'flipped bits') python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read())
    for i in range(4096, len(data)): data[i] ^= 8 * (i % 7 == 0)
    f.seek(0); f.write(data)' "$db" ;;
	"another's file") chown root:root "$db" && chmod 600 "$db" ;;
	'no permission') chmod 0 "$db" ;;
	'a link') mv "$db" "$state/elsewhere" && ln -s elsewhere "$db" ;;
	'never initialised') rm -f "$state"/policies.db* ;;
	'no directory') find "$state" -delete ;;
	esac
}

unreadable() {
	warm
	break_store "$1"
	send u@good.example
	delivery "store: $1: known, and the attacker has its DNS" deferred ' 451 4\.3\.0 ' 1 "$2"
	honest
	send u@tgood.example
	delivery "store: $1: fetched" delivered 'H=mx\.tgood\.example ' 1 "$2"
	send u@badmx.example
	delivery "store: $1: fetched, and no host of its is good" deferred ' 451 4\.4\.8 ' 1 "$2"
	send u@nopol.example
	delivery "store: $1: no policy" deferred ' 451 4\.3\.0 ' 1 "$2"
	settings 'cache_fault = deliver'
	send u@nopol.example
	delivery "store: $1: no policy, cache_fault = deliver" delivered 'H=mx\.nopol\.example ' 1 "$2"
	settings
	spoof
}

spoof
unreadable garbage 'file is not a database'
unreadable empty 'is empty or cut off: run mtasts init'
unreadable 'cut off' 'policies\.db'
unreadable 'zeroed pages' 'policies\.db'
unreadable 'flipped bits' 'policies\.db'
unreadable "another's file" 'belongs neither'
unreadable 'no permission' 'Permission denied'
unreadable 'a link' 'not a plain file'
unreadable 'never initialised' 'run mtasts init'
unreadable 'no directory' 'run mtasts init'

# ---- it can be read, but not written

unwritable() {
	send u@good.example
	delivery "store: $1: known, and the attacker has its DNS" deferred ' 451 4\.4\.8 ' 1 "$2"
	honest
	send u@good.example
	delivery "store: $1: known" delivered 'H=mx1\.good\.example ' 1 "$2"
	send u@selfsigned.example
	delivery "store: $1: fetched, and its host is bad" deferred ' T=remote_smtp defer ' 1 "$2"
	send u@nopol.example
	delivery "store: $1: no policy" delivered 'H=mx\.nopol\.example ' 1 "$2"
	spoof
}

warm
ids=$(awk -F: '$1 == "mtasts" { print "uid=" $3 ",gid=" $4 }' "$root/etc/passwd")
mount -t tmpfs -o "size=512k,mode=2770,$ids" mtasts-test "$state"
run "$mtasts" init >"$got/init" 2>&1 || bail "mtasts init: $(cat "$got/init")"
rm -f "$db"*
cp -p "$keep"/* "$state"
dd if=/dev/zero of="$state/fill" bs=4k status=none 2>/dev/null
unwritable 'disk full' '(No space left|disk is full)'
umount "$state"

warm
mount --bind "$state" "$state"
mount -o remount,bind,ro "$state"
unwritable 'read-only' '[Rr]ead-?only'
umount "$state"

# ---- the helpers

# broken NAME WHO LINE SETTING...: with the resolver or the fetcher out of order
broken() {
	local name=$1 who=$2 line=$3
	shift 3
	warm
	settings "$@"
	send u@good.example
	if [ "$who" = fetch ]; then
		delivery "$name: known, and the attacker has its DNS" deferred ' 451 4\.4\.8 ' 0
	else
		delivery "$name: known, and the attacker has its DNS" deferred ' 451 4\.' 1 "$line"
	fi
	send u@tgood.example
	delivery "$name: new" deferred ' 451 4\.3\.0 ' 1 "$line"
	send u@badmx.example
	delivery "$name: new, and no host of its is good" deferred ' 451 4\.3\.0 ' 1 "$line"
	send u@nopol.example
	if [ "$who" = fetch ]; then
		delivery "$name: no policy" delivered 'H=mx\.nopol\.example ' 0
	else
		delivery "$name: no policy" deferred ' 451 4\.3\.0 ' 1 "$line"
	fi
	settings
}

helpers=$(dirname "$(find "$stage" -name mtasts-fetch -type f | head -n 1)")
sick=$root/home/sick
# sicken PROGRAM HOW
sicken() {
	rm -rf "$sick"
	cp -r "$helpers" "$sick"
	chmod 755 "$sick"
	local file=$sick/mtasts-$1
	case $2 in
	missing) rm "$file" ;;
	'not executable') chmod 644 "$file" ;;
	'exits at once') printf '#!/bin/sh\n' >"$file" ;;
	babbles) printf '#!/bin/sh\nexec cat /dev/urandom\n' >"$file" ;;
	hangs) printf '#!/bin/sh\nexec sleep 20\n' >"$file" ;;
	crashes) printf '#!/bin/sh\nkill -SEGV $%s\n' $ >"$file" ;;
	esac
}
for who in resolve fetch; do
	for how in missing 'not executable' 'exits at once' babbles hangs crashes; do
		sicken $who "$how"
		broken "mtasts-$who $how" $who "helper program=mtasts-$who reason=\"" 'helper_directory = /home/sick' 'deadline = 1s'
	done
done
broken 'no helper user' resolve 'no user nosuchuser' 'helper_user = nosuchuser'
broken 'no resolv.conf' resolve '/nowhere: No such file' 'resolv_conf = /nowhere'
broken 'no CA directory' fetch '/nowhere: No such file' 'ca_directory = /nowhere'
run mkdir -p /home/empty
broken 'empty CA directory' fetch 'no certificate by its hash' 'ca_directory = /home/empty'

# ---- the plugin looks at certificates by itself: without authorities no host is good

honest
warm
settings 'ca_directory = /nowhere'
send u@good.example
delivery 'no CA directory: known' deferred ' T=remote_smtp defer ' 1 '/nowhere'
is 'no CA directory: known: not reported' "$(records)" ''
settings

# ---- the store goes between router and transport: what the router was told counts

# lost NAME COMMAND
lost() {
	warm
	printf '%s\n' "$2" >"$root/home/break"
	# shellcheck disable=SC2016 # Exim's
	configure 's|^  connect_timeout.*|&\n  helo_data = ${run{/bin/sh /home/break}{$primary_hostname}{$primary_hostname}}|'
	send u@selfsigned.example
	delivery "lost: $1: certificate of nobody" deferred ' T=remote_smtp defer ' 1
	warm
	send u@good.example
	delivery "lost: $1: good host" delivered 'H=mx1\.good\.example .* CV=yes ' 1
	configure
}
lost 'removed' 'rm -f /var/lib/mtasts/policies.db*'
lost 'emptied' ': >/var/lib/mtasts/policies.db; rm -f /var/lib/mtasts/policies.db-*'
lost 'garbage' 'head -c 40000 /dev/urandom >/var/lib/mtasts/policies.db; rm -f /var/lib/mtasts/policies.db-*'

# All that would prove nothing if the attacker could not have had the mail.
spoof
configure '/^\.include/d'
send u@good.example
is 'without the plugin the attacker has it' "$(grep -c 'event=accepted .*attacker=yes' "$got/smtp")" 1
tap_done
