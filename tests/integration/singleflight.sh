#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Single flight across processes (f36) and failed ids left alone (f34, f35), with real helpers in the lab: 100 processes at
# once, half of them root and half a mail server's user, all with umask 077.
#
#	stage	what "make install" made, with a prefix below it
# shellcheck source-path=SCRIPTDIR source=lib/lab.sh
. "$(dirname "$0")/lib/lab.sh"
staged 30
mkdir "$work/out" "$work/asked" "$bin/real"
chmod 1777 "$work/out" "$work/asked"

# Each mtasts-resolve that is started leaves a directory (a helper may not write to files).
mv "$bin/mtasts-resolve" "$bin/real"
cat >"$bin/mtasts-resolve" <<EOF
#!/bin/sh
mkdir "$work/asked/\$\$"
exec "$bin/real/mtasts-resolve" "\$@"
EOF
chmod 755 "$bin/mtasts-resolve"
"$work/bin/mtasts" init -c "$conf" >"$work/init" 2>&1 || bail "mtasts init: $(cat "$work/init")"

# What each of the processes does; runs in the sender's namespace.  Arguments: how many, then those of mtasts lookup.
cat >"$work/burst" <<EOF
umask 077
n=\$1
shift
for ((i = 0; i < n; i++)); do
	as=
	[ \$((i % 2)) = 0 ] || as="setpriv --reuid=mail --regid=mail --groups=\$(id -g mail),\$(getent group daemon | cut -d: -f3)"
	(\$as $work/bin/mtasts lookup -c $conf "\$@" >$work/out/\$i 2>$work/out/\$i.err; echo \$? >$work/out/\$i.status) &
done
wait
EOF

# burst N ARGUMENT...: N processes at once; events is where the lab's log of it begins.  They are nice to the resolver.
burst() {
	rm -rf "$work"/out/* "$work"/asked/*
	events=$("$top/lab/log" --mark)
	"$top/lab/run" nice -n 19 bash "$work/burst" "$@"
}

# events WORD...: how many of the burst
events() {
	"$top/lab/log" --since "$events" --count "$@"
}

# answered N REGEX: so many said so, with status 0
answered() {
	local n=0 i
	for ((i = 0; i < $1; i++)); do
		[ "$(cat "$work/out/$i.status")" = 0 ] && grep -qE -- "$2" "$work/out/$i" && n=$((n + 1))
	done
	echo $n
}

# within NAME GOT FROM TO
within() {
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then pass "$1"; else fail "$1" "wanted: $3 to $4" "got:    $2"; fi
}

some_output() {
	head -n 20 "$work/out/0" "$work/out/1" "$work/out/0.err" "$work/out/1.err" 2>/dev/null | sed 's/^/# /'
}

burst 100 slow.example
is "f36: everyone is answered" "$(answered 100 '^mode: +enforce')" 100
# a resolver that is late is asked again by the same helper: that is no second look-up
is "f36: one helper asks the DNS" "$(find "$work/asked" -mindepth 1 | wc -l)" 1
within "f36: one TXT burst" "$(events dns name=_mta-sts.slow.example type=TXT)" 1 4
within "f36: addresses are asked for once" "$(events dns name=mta-sts.slow.example type=A)" 1 4
is "f36: one GET" "$(events get host=mta-sts.slow.example)" 1
# shellcheck disable=SC2154 # lib/tap.sh counts them
[ "$tap_failures" -eq 0 ] || some_output
is "f36: state files are the owner's, whatever umask and user" \
	"$(find "$state" -type f ! \( -user daemon -group daemon -perm 660 \))" ""

burst 100 slow.example
is "f36: the next hundred ask nothing" "$(events name=_mta-sts.slow.example) $(events host=mta-sts.slow.example)" "0 0"

burst 100 nopol.example
is "f36: absent, everyone is answered" "$(answered 100 '^state: +absent')" 100
is "f36: absent, one TXT burst" "$(events dns name=_mta-sts.nopol.example type=TXT)" 1

burst 50 f17expired.example
is "f34: a certificate that has expired, everyone is answered" "$(answered 50 'sts-webpki-invalid')" 50
burst 50 closed.example
is "f34: no connection, everyone is answered" "$(answered 50 'sts-policy-fetch-error')" 50
from=$SECONDS
burst 50 s404.example
is "f34: status 404, everyone is answered" "$(answered 50 'sts-policy-fetch-error')" 50
is "f34: one GET" "$(events get host=mta-sts.s404.example)" 1
burst 50 s404.example
is "f34: and none for five minutes" "$(events get host=mta-sts.s404.example)" 0
"$top/lab/publish" s404.example record=id=2 >&2
burst 20 s404.example
is "f35: another id, one GET" "$(events get host=mta-sts.s404.example)" 1
is "f35: not within ten seconds of the last" "$((SECONDS - from >= 10))" 1

# A leader that dies leaves no lock behind
events=$("$top/lab/log" --mark)
"$top/lab/run" "$work/bin/mtasts" lookup -c "$conf" slow2.example >/dev/null 2>&1 &
runner=$!
disown
for ((i = 0; i < 50; i++)); do
	leader=$(pgrep -f "^$work/bin/mtasts lookup .*slow2") && break
	sleep 0.02
done
sleep 0.4
kill -9 "${leader:-0}" 2>/dev/null
while kill -0 "$runner" 2>/dev/null; do sleep 0.02; done
rm -f "$work"/out/*
"$top/lab/run" bash "$work/burst" 20 slow2.example
is "a leader is killed: the others are answered" "$(answered 20 '^mode: +enforce')" 20
is "a leader is killed: one more GET" "$(events get host=mta-sts.slow2.example)" 2
tap_done
