#!/bin/bash
# SPDX-License-Identifier: ISC
# Much mail through the relay: many recipients, many domains, large messages and odd ones; each delivered once, and as it was.
#
#	OPENSMTPDS	which to use, default both
# shellcheck source-path=SCRIPTDIR source=lib/opensmtpd.sh
. "$(dirname "$0")/lib/opensmtpd.sh"
# shellcheck disable=SC2154 # what runs the tests sets it
[ -n "$program" ] || { echo "1..0 # SKIP no filter-mtasts below $stage"; exit 77; }

# drained SECONDS: whether the queue is empty by then
drained() {
	local until=$((SECONDS + $1))
	while smtpctl show queue 2>/dev/null | grep -q .; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.2
	done
}

# once NAME RECIPIENT...: smtpd has said Ok for each once, and a host has taken it once
once() {
	local name=$1
	shift
	gather
	printf '%s\n' "$@" | sort >"$got/wanted"
	grep -a ' result="Ok" ' "$got/log" | grep -oE ' to=<[^>]*>' | sed 's/ to=<//; s/>//' | sort >"$got/ok"
	grep ' event=accepted ' "$got/smtp" | grep -oE ' rcpt=[^ ]*' | sed 's/ rcpt=//' | sort >"$got/accepted"
	is "$smtpd: $name: Ok, each once" "$(diff "$got/wanted" "$got/ok" | head -n 5)" ''
	is "$smtpd: $name: taken, each once" "$(diff "$got/wanted" "$got/accepted" | head -n 5)" ''
}

# One transaction of a hundred recipients: smtpd gets a hundred answers, at its own pace.
recipients() {
	local i to=()
	for ((i = 0; i < 100; i++)); do to+=("u$i@good.example"); done
	forget
	submit -- "${to[@]}"
	drained 30
	once "100 recipients" "${to[@]}"
	is "$smtpd: 100 recipients: one message" "$(grep -oE ' id=[^ ]*' "$got/smtp" | sort -u | wc -l)" 1
	unlike "$smtpd: 100 recipients: nothing smtpd cannot take" "$(cat "$got/log")" 'too much data'
}

# A thousand messages, two hundred domains, half of them with a policy, and all by the relay: smtpd by itself would take
# minutes, for it is one host that has them all
domains() {
	local i n to=() from=$SECONDS
	for ((i = 0; i < 200; i++)); do
		for n in 1 2 3 4 5; do to+=("u$n@l$i.example"); done
	done
	configure strict
	restart
	forget
	smtpctl pause mta >/dev/null
	submit -s -- "${to[@]}"
	smtpctl resume mta >/dev/null
	drained 120
	once "1000 messages to 200 domains" "${to[@]}"
	is "$smtpd: 1000 messages: by the relay" "$(grep -a ' result="Ok" ' "$got/log" | grep -ac ' relay="127\.')" 1000
	diag "$smtpd: 1000 messages: $((SECONDS - from)) s, worker $(peak) KiB at most"
	configure split
	restart
}

# the most memory that the worker ever had, in KiB
peak() {
	sed -nE 's/^VmHWM:[ \t]*([0-9]+) kB/\1/p' "/proc/$(process worker)/status"
}

# body FILE: of a message in a file, lines ending as they come
body() {
	perl -0777 -pe 's/^.*?\r?\n\r?\n//s' "$1"
}

# stored RECIPIENT: the file of the last message that a host of the lab took for it
stored() {
	echo "$LAB_DIR/mail/$(grep ' event=accepted ' "$got/smtp" | grep -F " rcpt=$1 " | tail -n 1 | sed -E 's/.* id=([^ ]*).*/\1/')"
}

# Fifty megabytes: they go through, and stay nowhere.
large() {
	local before after
	before=$(peak)
	{ printf 'Subject: large\r\n\r\n'; yes '.A line of a large message, which begins with a dot, for that costs one more.' |
	    head -n 660000 | sed 's/$/\r/'; } >"$work/large"
	forget
	perl -pe 's/^\./../' "$work/large" >"$work/stuffed"
	submit -m "$work/stuffed" -- u@good.example
	settled 120 u@good.example
	gather
	is "$smtpd: 50 MB" "$(outcome u@good.example) $(via u@good.example)" 'delivered relay'
	is "$smtpd: 50 MB: as they were" "$(body "$(stored u@good.example)" | sha256sum)" "$(body "$work/large" | sha256sum)"
	after=$(peak)
	if [ $((after - before)) -lt 8192 ]; then pass "$smtpd: 50 MB: the worker does not hold them"
	else fail "$smtpd: 50 MB: the worker does not hold them" "$before KiB, then $after KiB"; fi
	rm -f "$work/large" "$work/stuffed"
}

# odd NAME: the body of a message, as it goes after DATA; smtpd itself ends lines at LF and drops NUL
odd() {
	case $1 in
	dots) printf '..\r\n...\r\n..x\r\nx.\r\n' ;;
	cr) printf 'a\rb\r\n\r.\r\n\r..\r\n' ;;
	crcr) printf 'a\r\r\n..\r\r\nMAIL FROM:<evil@attacker.example>\r\r\n' ;;
	lf) printf 'a\n..\nMAIL FROM:<evil@attacker.example>\nb\r\n' ;;
	crdot) printf 'x\r..\r\nMAIL FROM:<evil@attacker.example>\r\n' ;;
	eight) printf 'gr\xc3\xbc\xc3\x9fe \xff\xfe\x80\r\n' ;;
	long) head -c 990 /dev/zero | tr '\0' x; printf '\r\n'; head -c 1998 /dev/zero | tr '\0' y; printf '\r\n' ;;
	blank) printf '\r\n\r\n \r\n\t\r\n\r\n' ;;
	none) ;;
	telnet) printf '\xff\xf4\xff\xfd\x06\r\n' ;;
	esac
}

# What a message is made of goes through as smtpd's own client would bring it, and never becomes another message: a CR
# that ends no line is a blank then (opensmtpd/proto/body.h).
odd_ones() {
	local name to=() before
	before=$(find "$LAB_DIR/mail" -type f | wc -l)
	forget
	for name in dots cr crcr lf crdot eight long blank none telnet; do
		{ printf 'Subject: odd\r\n\r\n'; odd $name; } >"$work/odd"
		submit -m "$work/odd" -- "$name@good.example" "$name@nopol2.example"
		to+=("$name@good.example" "$name@nopol2.example")
	done
	settled 20 "${to[@]}"
	drained 20
	gather
	is "$smtpd: odd: as many as were sent" $(($(find "$LAB_DIR/mail" -type f | wc -l) - before)) ${#to[@]}
	for name in dots cr crcr lf crdot eight long blank none telnet; do
		is "$smtpd: odd: $name: by the relay as without it" "$(via "$name@good.example") $(via "$name@nopol2.example")
$(body "$(stored "$name@good.example")" | od -c)" "relay native
$(body "$(stored "$name@nopol2.example")" | perl -0777 -pe 's/\r(?!\n)/ /g' | od -c)"
	done
	is "$smtpd: odd: nothing of the attacker's" "$(grep -c 'sender=evil' "$got/smtp")" 0
}

# the lab with two hundred domains more; half of them have a policy
{
	cat "$top/lab/domains"
	echo 'load - - - 10:mx good - takes mail of many domains'
	for ((i = 0; i < 100; i++)); do echo "l$i - id=1 enforce:mx.load 10:mx.load - ok load"; done
	for ((i = 100; i < 200; i++)); do echo "l$i - - - 10:mx.load - - load"; done
} >"$work/domains"
"$top/lab/publish" --all "$work/domains" >&2 || bail "the lab does not take its domains"

parts=${*:-recipients domains large odd_ones}
for opensmtpd in $OPENSMTPDS; do
	use "$opensmtpd"
	configure split
	begin
	# shellcheck disable=SC2086 # words
	each $parts
	end
done
tap_done
