#!/bin/bash
# SPDX-License-Identifier: ISC
# What is out of order on this host: the plugin, the store, the helpers, the disk.  Mail to a domain whose policy is
# known never goes out unprotected, and there is one clear line.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"
[ -n "$mtasts" ] || { echo "1..0 # SKIP no mtasts below $stage"; exit 77; }

# refused NAME DOMAIN [REGEX]: mail for the domain is deferred, no host took it; Exim's line about it matches
refused() {
	local why=
	[ "$(outcome)" = deferred ] || why="not deferred"
	[ -z "$(accepted)" ] || why="somebody took it"
	grep -qE "== .*@$2.*${3:-}" "$got/mainlog" || why="no such line in the main log: ${3:-}"
	if [ -n "$why" ]; then fail "$exim: $1" "$why" "$(story)"; else pass "$exim: $1"; fi
}

# warm DOMAIN...: their policies into the store
warm() {
	run "$mtasts" lookup "$@" >"$got/output" 2>&1 || bail "lookup: $(cat "$got/output")"
}

# A store as init makes it
store() {
	! mountpoint -q "$root/var/lib/mtasts" || umount "$root/var/lib/mtasts"
	find "$root/var/lib/mtasts" -mindepth 1 -delete
	run "$mtasts" init >"$got/init" 2>&1 || bail "mtasts init: $(cat "$got/init")"
}

database() {
	find "$root/var/lib/mtasts" -maxdepth 1 -type f -size +8k ! -name '*-wal' ! -name '*-shm' | head -n 1
}

out_of_order=' 451 4\.3\.0 '
for exim in $EXIMS; do
	use "$exim"

	configure 's|^MTASTS_TRANSPORT|MTASTS_SO = /nowhere/exim.so\n&|'
	send u@selfsigned.example
	refused 'no plugin' selfsigned ' R=mtasts defer .*/nowhere/exim\.so'
	send u@nopol.example
	refused 'no plugin, no policy' nopol ' R=mtasts defer '
	configure '/^\.include .*router.inc/d'
	send u@selfsigned.example
	is "$exim: no plugin: open without our router" "$(accepted)" 'u@selfsigned.example mx.selfsigned.example TLSv1.3'

	configure
	find "$root/var/lib/mtasts" -mindepth 1 -delete
	send u@selfsigned.example
	refused 'store never initialised' selfsigned
	like "$exim: store never initialised: the log says what to do" "$(cat "$got/syslog")" '<19>.*mtasts init'
	send u@nopol.example
	refused 'store never initialised, no policy' nopol "$out_of_order"
	settings 'cache_fault = deliver'
	send u@nopol.example
	is "$exim: store never initialised, no policy, cache_fault = deliver" "$(outcome)" delivered
	settings

	# Damage of several kinds, with DNS silent about the domain: what was cached is all there is.
	for damage in cut emptied zeroed garbled; do
		store
		warm selfsigned.example good.example
		file=$(database)
		rm -f "$file-wal" "$file-shm"
		case $damage in
		cut) truncate -s 5000 "$file" ;;
		emptied) truncate -s 0 "$file" ;;
		zeroed) dd bs=4096 seek=1 count=8 conv=notrunc status=none if=/dev/zero of="$file" ;;
		garbled) dd bs=1 seek=20 count=80 conv=notrunc status=none if=/dev/urandom of="$file" ;;
		esac
		"$top/lab/publish" selfsigned record=servfail
		send u@selfsigned.example
		refused "store $damage" selfsigned "$out_of_order"
		"$top/lab/publish" selfsigned record=id=1
		send u@selfsigned.example
		refused "store $damage, policy fetched anew" selfsigned
	done

	store
	warm selfsigned.example good.example
	mount --bind "$root/var/lib/mtasts" "$root/var/lib/mtasts"
	mount -o remount,bind,ro "$root/var/lib/mtasts"
	send u@selfsigned.example
	refused 'read-only store' selfsigned
	store

	# A full disk cannot keep what the router has just learnt; the transport knows it all the same.
	find "$root/var/lib/mtasts" -mindepth 1 -delete
	mount -t tmpfs -o size=2m,mode=2770 mtasts-test "$root/var/lib/mtasts"
	run "$mtasts" init >"$got/init" 2>&1
	dd if=/dev/zero of="$root/var/lib/mtasts/fill" bs=4k status=none 2>/dev/null
	send u@selfsigned.example
	refused 'full disk' selfsigned
	rm -f "$root/var/lib/mtasts/fill"
	umount "$root/var/lib/mtasts"
	store
	"$top/lab/publish" selfsigned 'policy=enforce;max_age=0'
	send u@selfsigned.example
	refused 'max_age 0' selfsigned ' T=remote_smtp defer '
	"$top/lab/publish" selfsigned policy=enforce

	store
	settings 'helper_directory = /nowhere'
	send u@selfsigned.example
	refused 'no helpers' selfsigned "$out_of_order"
	settings

	# Known and not to be fetched now: the policy stands.  Neither known nor to be fetched: as without one, or not.
	store
	warm selfsigned.example
	"$top/lab/publish" selfsigned record=id=2 https=closed
	send u@selfsigned.example
	refused 'policy host down, policy cached' selfsigned ' T=remote_smtp defer '
	"$top/lab/publish" selfsigned record=servfail https=ok
	send u@selfsigned.example
	refused 'DNS fails, policy cached' selfsigned ' T=remote_smtp defer '
	store
	send u@selfsigned.example
	is "$exim: DNS fails, nothing cached" "$(outcome)" delivered
	settings 'on_unknown = defer'
	send u@selfsigned.example
	refused 'DNS fails, nothing cached, on_unknown = defer' selfsigned
	settings
	"$top/lab/publish" selfsigned record=id=1

	# The transport writes records with the groups of Exim's user.
	for taken_out in '' '/^initgroups/d'; do
		configure ${taken_out:+"$taken_out"}
		store
		send u@good.example
		case $taken_out,$(records) in
		,*success) pass "$exim: the transport can write" ;;
		,*) fail "$exim: the transport can write" "$(story)" ;;
		*,*success) fail "$exim: the transport can write: not without our line" "$(story)" ;;
		*) is "$exim: the transport can write: not without our line" "$(outcome)" delivered ;;
		esac
	done
done
tap_done
