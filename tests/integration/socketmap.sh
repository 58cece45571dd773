#!/bin/bash
# SPDX-License-Identifier: ISC
#
# `mtasts socketmap` as its clients see it: keys of all forms, netstrings whole and in pieces, clients that misbehave, policies that
# would reach into the client's syntax, look-ups that take long, and its own end.
#
#	stage	what "make install" made, with a prefix below it
# shellcheck source-path=SCRIPTDIR source=lib/command.sh
. "$(dirname "$0")/lib/command.sh"
# shellcheck source-path=SCRIPTDIR source=lib/socketmap.sh
. "$top/tests/integration/lib/socketmap.sh"
socketmap=(nsenter "--net=/run/netns/$LAB_NAME-sender" "$mtasts" socketmap -c "$conf")
cp "$conf" "$work/plain.conf"

good='OK secure match=mx1.good.example servername=hostname'
none='NOTFOUND ' # with its blank, as socketmap_table(5) has it

# Forty domains whose policy host never answers, in the lab's table for this test
{
	cat "$top/lab/domains"
	for i in $(seq 40); do echo "cold$i - id=1 enforce:mx - - silent"; done
} >"$work/domains"
"$top/lab/publish" --all "$work/domains" >&2 || bail "the lab does not take its table"

# renew: the server anew, with an empty store
renew() {
	[ -z "$map_server" ] || stop
	store
	serve
}

# setting LINE...: the configuration of the lab, and these
setting() {
	cp "$work/plain.conf" "$conf"
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$conf"
}

# within NAME MILLISECONDS LIMIT
within() {
	if [ "$2" -le "$3" ]; then pass "$1"; else fail "$1" "took $2 ms, wanted $3 at most"; fi
}

mkfifo "$work/hold" # clients that read it stay until descriptor 8, its writing end, is closed

# repeat N TEXT: that many times
repeat() {
	local i
	for ((i = 0; i < $1; i++)); do printf '%s' "$2"; done
}

# replies: reads "DOMAIN REPLY" lines, REPLY an extended regular expression, asks all on one connection and compares
replies() {
	local domain wanted i=0 asked=() expected=() names=() got
	while read -r domain wanted; do
		[ "$wanted" != NOTFOUND ] || wanted=$none # read took its blank
		names+=("$domain") asked+=("postfix $domain.example") expected+=("$wanted")
	done
	client ask "${asked[@]}" >"$work/replies"
	while read -r _ got; do
		[ "$got" != NOTFOUND ] || got=$none
		like "$part: ${names[i]}" "$got" "^${expected[i]}\$"
		i=$((i + 1))
	done <"$work/replies"
	is "$part: replies" "$i" "${#names[@]}"
}

keys() {
	local request wanted i=0 got requests=() expected=() long
	long=$(repeat 60 abc.)
	renew
	while IFS='|' read -r request wanted; do
		requests+=("$request") expected+=("$wanted")
	done <<-END
	postfix good.example|$good
	sts good.example|$good
	QUERY good.example|$good
	QUERYwithTLSRPT good.example|$good
	no-such-map good.example|$good
	postfix GOOD.Example|$good
	postfix good.example.|$good
	postfix good.example:25|$good
	postfix [good.example]|$good
	postfix [good.example]:587|$good
	postfix [Good.Example.]:smtp|$good
	postfix .good.example|$none
	postfix .example|$none
	postfix example|$none
	postfix mx1.good.example|$none
	postfix [mx1.good.example]|$none
	postfix 198.18.25.1|$none
	postfix [198.18.25.1]|$none
	postfix [198.18.25.1]:25|$none
	postfix fd18::25|$none
	postfix [fd18::25]|$none
	postfix [IPv6:fd18::25]|$none
	postfix [ipv6:fd18::25]:25|$none
	postfix ${long}good.example|$none
	postfix $(repeat 64 a).good.example|$none
	postfix $(repeat 900 a)|$none
	postfix g%ff%feod.example|$none
	postfix good.example%00|$none
	postfix %00good.example|$none
	postfix good.example%0a|$none
	postfix good.example%0d%0a|$none
	postfix good.example%20wrongname.example|$none
	postfix good..example|$none
	postfix good.example..|$none
	postfix .|$none
	postfix *.good.example|$none
	postfix [good.example|$none
	postfix good.example]|$none
	postfix []|$none
	postfix []:25|$none
	postfix b%c3%bccher.example|OK secure match=mx.xn--bcher-kva.example servername=hostname
	postfix xn--bcher-kva.example|OK secure match=mx.xn--bcher-kva.example servername=hostname
	END
	client ask "${requests[@]}" >"$work/replies"
	while read -r _ got; do
		[ "$got" != NOTFOUND ] || got=$none
		is "key: $(cut -c 1-60 <<<"${requests[i]}")" "$got" "${expected[i]}"
		i=$((i + 1))
	done <"$work/replies"
	is "key: all are answered" "$i" "${#requests[@]}"

	# Neither OK nor silence; what is no request may also end the connection
	for request in '' ' ' postfix 'postfix ' ' good.example' "postfix $(repeat 5000 a)" 'postfix%00good.example'; do
		unlike "no key: '$(cut -c 1-60 <<<"$request")'" "$(answer "$request")" '^(OK|silent|reset)|^$'
	done
	is "key: and then as ever" "$(answer 'postfix good.example')" "$good"
	stop
	is "key: the server is well" "$status" 0
}

netstrings() {
	local request='20:postfix good.example,' octets=() i name bad silent
	renew
	is "a netstring in one packet" "$(client raw "$request")" "$good"$'\n'open
	for ((i = 0; i < ${#request}; i++)); do octets+=("${request:i:1}"); done
	is "octet by octet" "$(client raw "${octets[@]}")" "$good"$'\n'open
	is "cut at every offset" "$(client splits "$request")" "$((${#request} - 1)) $good | closed"
	is "two, cut at every offset" "$(client splits "$request$request")" "$((2 * ${#request} - 1)) $good | $good | closed"
	is "two and a half in a packet" "$(client raw "$request${request}20:postfix" " good.example,")" \
		"$good"$'\n'"$good"$'\n'"$good"$'\n'open
	# The answers come in the order of the questions, the one that takes a second among them
	is "answers in order" "$(client pipe 'postfix slow.example' 'postfix good.example' 'postfix nopol.example' 'postfix slow.example')" \
		"OK secure match=mx.slow.example servername=hostname"$'\n'"$good"$'\n'"$none"$'\n'"OK secure match=mx.slow.example servername=hostname"
	# shellcheck disable=SC2046
	is "five thousand in one piece" "$(client pipe $(repeat 5000 'postfix%20good.example ') | sort | uniq -c | sed 's/^ *//')" "5000 $good"

	# What is no netstring ends its connection and no other
	client idle 5 <"$work/hold" >"$work/idle" &
	silent=$!
	exec 8>"$work/hold"
	while IFS='|' read -r name bad; do
		like "malformed: $name" "$(client raw "$bad")" '^(closed|reset)$'
		like "malformed: $name, after a good one" "$(client raw "$request$bad" | paste -sd '|')" "^$good\\|(closed|reset)\$"
	done <<-END
	letters|abc
	no digits|:postfix good.example,
	a leading zero|020:postfix good.example,
	two zeros|00:,
	a sign|+20:postfix good.example,
	negative|-20:postfix good.example,
	a blank before|%2020:postfix good.example,
	a blank after|20%20:postfix good.example,
	no colon|20postfix good.example,
	no comma|20:postfix good.example%0a
	no comma, an octet more|19:postfix good.example,
	hexadecimal|0x14:postfix good.example,
	huge|99999999:
	over 64 bits|18446744073709551636:postfix good.example,
	over all|$(repeat 100 9)
	NUL|%00
	a line|GET / HTTP/1.1%0d%0a%0d%0a
	TLS|%16%03%01%02%00%01%00%01%fc%03%03
	END
	exec 8>&-
	wait "$silent"
	is "malformed: others are still connected" "$(tail -n 1 "$work/idle")" 5
	is "malformed: others are answered" "$(client raw "$request")" "$good"$'\n'open
	is "malformed: the server is the same" "$(kill -0 "$map_server" && echo yes)" yes
	is "half closed, and answered" "$(client half "$request")" "$good"$'\n'closed
	is "half closed, and two answered" "$(client half "$request$request")" "$good"$'\n'"$good"$'\n'closed
	is "half closed, one that takes a second" "$(client half '21:postfix slow2.example,')" \
		"OK secure match=mx.slow2.example servername=hostname"$'\n'closed
	is "half closed in a netstring" "$(client half '20:postfix good')" closed
	is "half closed at once" "$(client half '')" closed
	is "no answer is waited for" "$(client raw "$request" >/dev/null & wait; client raw "$request")" "$good"$'\n'open
}

clients() {
	local i pids=() out
	renew
	answer 'postfix good.example' >/dev/null
	# connections without a word do not stand in the way
	client idle 100 <"$work/hold" >"$work/idle" &
	pids+=($!)
	exec 8>"$work/hold"
	for i in 1 2 3; do
		client deaf 2000000 'postfix good.example' <"$work/hold" 8>&- >"$work/deaf.$i" &
		pids+=($!)
	done
	for ((i = 0; i < 200; i++)); do
		[ -s "$work/deaf.1" ] && [ -s "$work/deaf.2" ] && [ -s "$work/deaf.3" ] && [ -s "$work/idle" ] && break
		sleep 0.05
	done
	like "a client that never reads is not read for ever" "$(cat "$work"/deaf.*)" '^(full|closed)$'
	unlike "a client that never reads: none of the three is" "$(cat "$work"/deaf.*)" '^taken$'
	out=$(client crowd 200 'postfix good.example' 'postfix good.example' 'postfix nopol.example')
	is "two hundred connections at once" "$(grep -v ^slowest <<<"$out")" "200 $none"$'\n'"400 $good"
	within "two hundred connections: the slowest answer" "$(sed -n 's/^slowest //p' <<<"$out")" 3000
	diag "slowest of 600 answers: $(sed -n 's/^slowest //p' <<<"$out") ms"
	if ! nm "$bin/mtasts" 2>/dev/null | grep -q -m 1 __asan_init; then
		i=$(awk '/^VmRSS:/ {print $2}' "/proc/$map_server/status")
		diag "the server's memory: $i KiB"
		if [ "$i" -le 32768 ]; then pass "bounded memory"; else fail "bounded memory" "$i KiB"; fi
	fi
	exec 8>&-
	wait "${pids[@]}"
	is "and the silent ones are still connected" "$(tail -n 1 "$work/idle")" 100

	# come and go
	for i in $(seq 20); do client raw '' >/dev/null & pids+=($!); done
	wait "${pids[@]}" 2>/dev/null
	is "descriptors of those who went are closed" "$(sleep 0.3; find "/proc/$map_server/fd" -mindepth 1 | wc -l | awk '{print $1 < 40}')" 1
}

# ---- what is answered ----

policies() {
	renew
	replies <<-END
	good      $good
	aonly     OK secure match=aonly.example servername=hostname
	badmx     OK secure match=mx.badmx.example servername=hostname
	mixed     OK secure match=mx1.mixed.example:mx2.mixed.example servername=hostname
	m20       OK secure match=mx[12].m20.example(:mx[12].m20.example)? servername=hostname
	cdom      OK secure match=mx1.good.example servername=hostname
	tgood     $none
	tself     $none
	tbadmx    $none
	none      $none
	nopol     $none
	nopol2    $none
	t43       $none
	f18self   $none
	s404      $none
	badpolicy $none
	END
	# found out a second time from the store
	replies <<-END
	good      $good
	tgood     $none
	none      $none
	nopol     $none
	s404      $none
	END
}

# What a policy may say must not reach the client's syntax
injection() {
	local body i reply
	renew
	replies <<-END
	mxattr    $none
	mxcolon   $none
	mxstar    $none
	mxroot    $none
	mxdot     $none
	mxip      $none
	END
	# A policy with as many patterns as fit is one like another: its mail is delivered, and no client chokes on the reply
	body='version:%20STSv1%0d%0amode:%20enforce%0d%0amax_age:%20604800%0d%0a'
	body+=$(for ((i = 0; i < 2000; i++)); do printf 'mx:%%20mx%s.many.example%%0d%%0a' "$i"; done)
	"$top/lab/publish" many.example record=id=2 "policy=raw:${body}mx:%20mx.many.example%0d%0a" >&2
	reply=$(answer 'postfix many.example')
	like "2001 patterns: the domain's own MX is among the names" "$reply" '^OK secure match=([a-z0-9.:-]+:)?mx\.many\.example(:[a-z0-9.:-]+)? servername=hostname$'
	if [ ${#reply} -le 4096 ]; then pass "2001 patterns: a short reply"; else fail "2001 patterns: a short reply" "${#reply} octets"; fi
}

# RFC 8461 4.1: the wildcard is one label.  Clients take match=.x for any depth, so they are given names.
wildcards() {
	local denied="TEMP MX hosts of '[a-z.]*' failed MTA-STS validation"
	renew
	replies <<-END
	wild      OK secure match=a.wild.example servername=hostname
	mixmx     OK secure match=mx2.mixmx.example servername=hostname
	wilds     OK secure match=mx1.wilds.example:mx2.wilds.example servername=hostname
	deep      $denied
	wildnone  $denied
	wildmx    TEMP .*
	END
	unlike "wildcards: none is handed on" "$(cat "$work/replies")" 'match=(.*:)?[.*]'
	# another MX, as soon as the DNS lets go of the first (TTL 0)
	is "wildcards: an MX" "$(answer 'postfix wildflip.example')" "OK secure match=mx1.wildflip.example servername=hostname"
	sleep 1.1
	is "wildcards: another MX" "$(answer 'postfix wildflip.example')" "OK secure match=mx2.wildflip.example servername=hostname"
}

# All that was found out of DNS is forgotten, as it is after its time to live: the hints in the store, and what the server and its
# helpers remember.  Policies are not.
hints_lost() {
	stop
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store: store.execute("DELETE FROM hint")' "$state/policies.db"
	serve
}

# A policy once known is kept, whatever DNS and HTTPS say, until a newer one is fetched
stale() {
	local change kept='OK secure match=mx.provider.example servername=hostname'
	renew
	is "stale: fetched" "$(answer 'postfix provider.example')" "$kept"
	while read -r change; do
		# shellcheck disable=SC2086 # words
		"$top/lab/publish" provider.example $change >&2
		hints_lost
		is "stale: $change" "$(answer 'postfix provider.example')" "$kept"
	done <<-END
	record=servfail
	record=timeout
	record=-
	record=nodata
	record=txt:v=spf1
	record=id=2 https=closed
	record=id=3 https=expired
	record=id=4 https=404
	record=id=5 https=ok policy=raw:junk
	END
	"$top/lab/publish" provider.example record=id=6 policy=enforce mx=10:mx9 mail=good >&2
	hints_lost
	is "stale: a newer policy" "$(answer 'postfix provider.example')" 'OK secure match=mx9.provider.example servername=hostname'
	"$top/lab/publish" provider.example record=id=7 policy=none >&2
	hints_lost
	is "stale: a newer one that says none" "$(answer 'postfix provider.example')" "$none"
}

unknown() {
	local reply
	setting 'on_unknown = deliver'
	renew
	replies <<-END
	t45servfail $none
	t45refused  $none
	t47         $none
	END
	setting 'on_unknown = defer'
	renew
	replies <<-END
	t45servfail TEMP .*
	t45refused  TEMP .*
	t47         TEMP .*
	good        $good
	nopol       $none
	END
	setting
}

faults() {
	local junk wrongname='OK secure match=mx.wrongname.example servername=hostname'
	renew
	mv "$bin/mtasts-resolve" "$bin/away"
	like "fault: no mtasts-resolve" "$(answer 'postfix wrongname.example')" '^TEMP '
	mv "$bin/away" "$bin/mtasts-resolve"
	sleep 1.1 # what was found out in the last second counts
	is "fault: mtasts-resolve is back" "$(answer 'postfix wrongname.example')" "$wrongname"
	stop
	mv "$bin/mtasts-fetch" "$bin/away"
	serve
	like "fault: no mtasts-fetch" "$(answer 'postfix expired.example')" '^TEMP '
	is "fault: what is cached is answered" "$(answer 'postfix wrongname.example')" "$wrongname"
	mv "$bin/away" "$bin/mtasts-fetch"
	is "fault: mtasts-fetch is back" "$(answer 'postfix mixed.example')" 'OK secure match=mx1.mixed.example:mx2.mixed.example servername=hostname'
	stop
	is "fault: it ends as ever" "$status" 0

	# A store that cannot be read: whether the server starts or not, nobody is told that there is no policy; one that
	# can be fetched now is as good as any
	for junk in 'not a store' "$(printf 'not a data base at all, but as long as one: %8000s' x)"; do
		store
		rm "$state"/policies.db*
		printf '%s' "$junk" >"$state/policies.db"
		chown daemon:daemon "$state/policies.db" && chmod 660 "$state/policies.db"
		refused "fault: a store of ${#junk} octets of junk"
	done
	store
	rm "$state"/policies.db*
	refused "fault: no store"
	rm -rf "$state"
	refused "fault: no directory"
	store
	run lookup good.example
	# all pages but the first
	"$mtasts" cache -c "$conf" list >/dev/null
	python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("PRAGMA wal_checkpoint(TRUNCATE)")' "$state/policies.db"
	rm -f "$state"/policies.db-*
	head -c 200000 /dev/zero | tr '\0' '\252' |
		dd of="$state/policies.db" bs=1 seek=4096 count=$(($(stat -c %s "$state/policies.db") - 4096)) conv=notrunc 2>/dev/null
	refused "fault: a damaged store"
	store

	# cache_fault = deliver is the administrator's word
	setting 'cache_fault = deliver'
	renew
	mv "$bin/mtasts-resolve" "$bin/away"
	is "fault: no mtasts-resolve, cache_fault = deliver" "$(answer 'postfix wrongname.example')" "$none"
	mv "$bin/away" "$bin/mtasts-resolve"
	stop
	setting
}

# refused NAME: the server does not start, or answers TEMP
refused() {
	"${socketmap[@]}" -l "$address" >"$work/map.out" 2>"$work/refused" </dev/null &
	map_server=$!
	children+=("$map_server")
	if listening; then
		like "$1" "$(answer 'postfix nopol.example')" '^TEMP '
		is "$1: a policy that is there now" "$(answer 'postfix good.example')" "$good"
		stop
	else
		wait "$map_server"
		like "$1: status" $? '^(69|71|74|75|78)$'
		like "$1: says" "$(cat "$work/refused")" .
		map_server=
	fi
}

# ---- time ----

# One GET, however many ask
storms() {
	local mark out
	renew
	mark=$("$top/lab/log" --mark)
	out=$(client crowd 50 'postfix slow.example')
	is "fifty at once" "$(grep -v ^slowest <<<"$out")" '50 OK secure match=mx.slow.example servername=hostname'
	is "fifty at once: one GET" "$("$top/lab/log" --since "$mark" --count get host=mta-sts.slow.example)" 1
	out=$(client crowd 50 'postfix s404.example' 'postfix s404.example')
	is "a hundred that fail" "$(grep -v ^slowest <<<"$out")" "100 $none"
	is "a hundred that fail: one GET" "$("$top/lab/log" --since "$mark" --count get host=mta-sts.s404.example)" 1
	out=$(client crowd 50 'postfix slow.example' 'postfix s404.example' 'postfix slow.example')
	is "and later" "$("$top/lab/log" --since "$mark" --count get)" 2
	mark=$("$top/lab/log" --mark)
	out=$(client crowd 20 'postfix slow.example' 'postfix slow.example' 'postfix s404.example')
	is "what is known costs no question" "$("$top/lab/log" --since "$mark" --count name=_mta-sts.slow.example)" 0
}

# Every answer within five seconds, and what is cached at once
cold() {
	local requests=() i slowest ms asking reply name
	renew
	client ask 'postfix good.example' 'postfix mixed.example' >/dev/null
	for name in tarpit hang hangtls silent f27 t45timeout mxtimeout; do requests+=("postfix $name.example"); done
	for i in $(seq 40); do requests+=("postfix cold$i.example"); done
	client parallel "${requests[@]}" >"$work/cold" &
	asking=$!
	sleep 0.3
	slowest=0
	for i in 1 2 3 4 5 6; do
		while read -r ms reply; do
			[ "$ms" -le "$slowest" ] || slowest=$ms
			[ "$reply" = "$good" ] || fail "meanwhile: cached" "got: $reply"
		done < <(client ask 'postfix good.example' 'postfix good.example')
		sleep 0.3
	done
	within "while forty wait: the slowest of twelve cached answers" "$slowest" 500
	diag "slowest of twelve: $slowest ms"
	slowest=$(client ask 'postfix nopol.example' | cut -d ' ' -f 1)
	within "while forty wait: a domain not yet known" "$slowest" 5300
	wait "$asking"
	is "cold: all are answered" "$(grep -cE '^[0-9]+ (OK|NOTFOUND|TEMP)' "$work/cold")" "${#requests[@]}"
	within "cold: the slowest of ${#requests[@]}" "$(sort -n "$work/cold" | tail -n 1 | cut -d ' ' -f 1)" 5300
	diag "slowest of ${#requests[@]}: $(sort -n "$work/cold" | tail -n 1 | cut -d ' ' -f 1) ms"
	sed "s/^[0-9]* //" "$work/cold" | sort | uniq -c | sed 's/^/# /'
	# One connection that waits for a cold answer may send others; other connections do not notice
	for name in tarpit hang silent; do
		ms=$(client ask "postfix $name.example" | cut -d ' ' -f 1)
		within "$name: again" "$ms" 5300
	done
}

# A look-up may take longer than an answer
late() {
	local ms reply
	setting 'deadline = 15s'
	"$top/lab/publish" slow.example https=delay=6 >&2
	"$top/lab/publish" slow2.example https=delay=6 >&2
	renew
	client ask 'postfix slow.example' 'postfix good.example' >"$work/late" &
	sleep 1
	# who comes later waits no shorter, and gets the same
	client ask 'postfix slow.example' >"$work/later" &
	wait $!
	read -r ms reply <"$work/late"
	is "late: nothing is known yet" "$reply" NOTFOUND
	within "late: its answer" "$ms" 5000
	is "late: the next request of that connection" "$(tail -n 1 "$work/late" | cut -d ' ' -f 2-)" "$good"
	read -r ms reply <"$work/later"
	within "late: an answer to who came later" "$ms" 5000
	sleep 1.5
	is "late: the look-up went on" "$(answer 'postfix slow.example')" 'OK secure match=mx.slow.example servername=hostname'
	setting 'deadline = 15s' 'on_unknown = defer'
	renew
	like "late: on_unknown = defer" "$(answer 'postfix slow2.example')" '^(TIMEOUT|TEMP) '

	# it ends in time, too, and who waits is answered
	client half '20:postfix hang.example,' >"$work/flight" &
	sleep 0.3
	ms=${EPOCHREALTIME/./}
	stop
	within "SIGTERM: with a look-up that hangs" $(((${EPOCHREALTIME/./} - ms) / 1000)) 5300
	is "SIGTERM: with a look-up that hangs: status" "$status" 0
	wait
	like "SIGTERM: with a look-up that hangs: an answer" "$(head -n 1 "$work/flight")" '^(TIMEOUT|TEMP) '
	setting
	"$top/lab/publish" --all "$work/domains" >&2
}

# More than it can do at once
crowded() {
	local requests=() i ms reply slowest=0 asking=() plain=("${socketmap[@]}")
	# descriptors: who finds none waits, at no cost, and is served when others have gone
	socketmap=(prlimit --nofile=64:64 "${plain[@]}")
	renew
	answer 'postfix good.example' >/dev/null
	client idle 200 <"$work/hold" >"$work/idle" &
	asking=($!)
	exec 8>"$work/hold"
	sleep 0.5
	client ask 'postfix good.example' 8>&- >"$work/crowded" &
	asking+=($!)
	ms=$(awk '{print $14 + $15}' "/proc/$map_server/stat")
	sleep 1.5
	ms=$((($(awk '{print $14 + $15}' "/proc/$map_server/stat") - ms) * 1000 / $(getconf CLK_TCK)))
	if [ "$ms" -le 300 ]; then pass "no descriptors: no busy loop"; else fail "no descriptors: no busy loop" "$ms ms of processor time in 1500 ms"; fi
	exec 8>&-
	wait "${asking[@]}"
	is "no descriptors: served when others have gone" "$(cut -d ' ' -f 2- "$work/crowded")" "$good"
	socketmap=("${plain[@]}")

	# look-ups: beyond some number the store alone is asked; what is there is answered as ever
	setting 'max_fetches = 2'
	renew
	client ask 'postfix good.example' >/dev/null
	for i in $(seq 40); do requests+=("postfix cold$i.example"); done
	client parallel "${requests[@]}" >"$work/cold" &
	asking=($!)
	sleep 0.3
	for i in 1 2 3 4 5 6; do
		read -r ms reply < <(client ask 'postfix good.example')
		[ "$ms" -le "$slowest" ] || slowest=$ms
		[ "$reply" = "$good" ] || fail "two fetches at most: cached" "got: $reply"
		sleep 0.3
	done
	within "two fetches at most, forty wanted: the slowest of six cached answers" "$slowest" 500
	wait "${asking[@]}"
	is "two fetches at most: all are answered" "$(grep -cE '^[0-9]+ (OK|NOTFOUND|TEMP|TIMEOUT)' "$work/cold")" 40
	within "two fetches at most: the slowest of forty" "$(sort -n "$work/cold" | tail -n 1 | cut -d ' ' -f 1)" 5300
	setting

	# who does not wait for his answer harms nobody who does
	renew
	asking=()
	for i in 1 2 3 4 5; do
		client raw '20:postfix slow.example,' >/dev/null &
		asking+=($!)
	done
	is "others have gone" "$(answer 'postfix slow.example')" 'OK secure match=mx.slow.example servername=hostname'
	wait "${asking[@]}"
}

# SIGHUP: another configuration, for the same clients
reload() {
	local asking
	setting
	"$top/lab/publish" --all "$work/domains" >&2
	renew
	is "SIGHUP: before" "$(answer 'postfix t45servfail.example')" "$none"
	client ask 'postfix slow.example' 'postfix good.example' 'postfix t45refused.example' >"$work/flight" &
	asking=$!
	sleep 0.3
	setting 'on_unknown = defer'
	kill -HUP "$map_server"
	wait "$asking"
	is "SIGHUP: what is under way is answered" "$(sed -n '1s/^[0-9]* //p' "$work/flight")" 'OK secure match=mx.slow.example servername=hostname'
	is "SIGHUP: the connection goes on" "$(sed -n '2s/^[0-9]* //p' "$work/flight")" "$good"
	like "SIGHUP: under the new configuration" "$(sed -n '3s/^[0-9]* //p' "$work/flight")" '^TEMP '
	like "SIGHUP: for all" "$(answer 'postfix t45servfail.example')" '^TEMP '
	setting 'on_unknown = perhaps'
	kill -HUP "$map_server"
	sleep 0.3
	like "SIGHUP: a wrong one is told of" "$(tail -n 3 "$work/map.log")" 'on_unknown'
	like "SIGHUP: and changes nothing" "$(answer 'postfix t47.example')" '^TEMP '
	setting
	stop
	is "SIGHUP: status" "$status" 0
}

# ---- its own end ----

shutdown() {
	local i
	renew
	client half '20:postfix slow.example,' >"$work/flight" &
	client ask 'postfix good.example' 'postfix slow2.example' >"$work/flight2" &
	sleep 0.4
	stop
	is "SIGTERM: status" "$status" 0
	wait
	is "SIGTERM: what was in flight is answered" "$(head -n 1 "$work/flight")" 'OK secure match=mx.slow.example servername=hostname'
	is "SIGTERM: and on the other connection" "$(sed 's/^[0-9]* //' "$work/flight2")" "$good"$'\n''OK secure match=mx.slow2.example servername=hostname'
	is "SIGTERM: nobody listens" "$(client raw '' 2>&1 | grep -o 'Connection refused')" 'Connection refused'
	is "SIGTERM: no helper is left" "$(helpers | wc -l)" 0

	# at once when there is nothing to wait for, though clients are connected
	serve
	client idle 20 < <(sleep 3) >"$work/idle" &
	sleep 0.3
	i=${EPOCHREALTIME/./}
	stop
	within "SIGTERM: with idle clients" $(((${EPOCHREALTIME/./} - i) / 1000)) 1500
	is "SIGTERM: with idle clients: status" "$status" 0
	wait

	serve
	kill -INT "$map_server"
	wait "$map_server"
	is "SIGINT: status" $? 0
	# the port is free at once
	serve
	is "started again" "$(answer 'postfix good.example')" "$good"
	stop
}

sockets() {
	local keep=$address other
	renew
	stop
	install -d -o daemon "$work/run"
	address=unix:$work/run/socket
	serve
	is "a socket in the file system" "$(answer 'postfix good.example')" "$good"
	like "its place: whoever may enter the directory may ask" "$(stat -c %a "$work/run/socket")" '^(666|777|660|770)$'
	stop
	is "a socket in the file system: status" "$status" 0
	is "and it is gone" "$([ -e "$work/run/socket" ] || echo gone)" gone
	# what a killed one leaves does not stop the next
	serve
	kill -KILL "$map_server"
	wait "$map_server" 2>/dev/null
	serve
	is "after a killed one" "$(answer 'postfix good.example')" "$good"
	stop

	# as systemd starts it: the socket is not its own, and outlives it
	address=$keep
	"${socketmap[@]:0:2}" "$top/tests/tools/socketmap.py" "$address" activate 2 "$mtasts" socketmap -c "$conf" \
		>"$work/activated" 2>>"$work/map.log" </dev/null &
	other=$!
	children+=("$other")
	map_server=$other
	listening || fail "activated: nobody listens" "$(cat "$work/map.log")"
	is "activated" "$(answer 'postfix good.example')" "$good"
	kill "$(sed -n 's/^started //p' "$work/activated")"
	# comes when the first has gone or is about to, and the second is not yet there
	is "activated: nobody is turned away in a restart" "$(answer 'postfix good.example')" "$good"
	for _ in $(seq 100); do
		[ "$(grep -c ^started "$work/activated")" = 2 ] && break
		sleep 0.05
	done
	kill "$(sed -n 's/^started //p' "$work/activated" | tail -n 1)"
	wait "$other"
	is "activated: both ended well" "$(grep -c '^ended 0$' "$work/activated")" 2
	address=$keep map_server=
}

manners() {
	local out
	store
	out=$("$mtasts" socketmap -c "$conf" -l nonsense 2>&1)
	is "an address that is none: status" $? 64
	like "an address that is none: says" "$out" 'nonsense'
	address=inet:8462@127.0.0.1
	serve
	out=$(inside timeout 5 "$mtasts" socketmap -c "$conf" -l "$address" 2>&1)
	like "a port that is taken: status" "$?" '^(69|71|73|74|75|1)$'
	like "a port that is taken: says" "$out" '8462'
	stop
	address=inet:8461@::1
	serve
	is "IPv6" "$(answer 'postfix good.example')" "$good"
	stop
	address=inet:8461@127.0.0.1
}

parts=${*:-keys netstrings clients policies injection wildcards stale unknown faults storms cold late crowded reload shutdown sockets manners}
for part in $parts; do $part; done
tap_done
