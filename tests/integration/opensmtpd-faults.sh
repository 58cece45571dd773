#!/bin/bash
# SPDX-License-Identifier: ISC
# What goes wrong around the relay, and what must not come of it: hosts that hang beside good ones, others who speak to the relay's port,
# domains that share an address of it, processes that die, a resolver that is dead, a host that
# fails again and again.
#
#	build		the build tree
#	OPENSMTPDS	which to use, default both
# shellcheck source-path=SCRIPTDIR source=lib/opensmtpd.sh
. "$(dirname "$0")/lib/opensmtpd.sh"
# shellcheck disable=SC2154 # what runs the tests sets it
[ -n "$program" ] || { echo "1..0 # SKIP no filter-mtasts below $stage"; exit 77; }

# fared RECIPIENT...: "outcome way" of each
fared() {
	local to
	for to; do echo "$(outcome "$to") $(via "$to")"; done
}

# copies RECIPIENT: how many an MX host of the lab has taken for it since $began
copies() {
	"$top/lab/log" --since "$began" --count event=accepted "rcpt=$1"
}

# address_of DOMAIN: where the table sends its mail, by what smtpd says of it: ADDRESS:PORT
address_of() {
	grep -a "$(log_of "u@$1.example" | tail -n 1 | cut -d ' ' -f 1) mta connecting" "$root/tmp/syslog" | tail -n 1 |
	    sed -nE 's/.* address=lmtp:\/\/([^ ]*) .*/\1/p'
}

in_sender() {
	nsenter --net="/run/netns/$LAB_NAME-sender" "$@"
}

# Mail to hosts that say nothing, and to a domain whose policy host says nothing, keeps nobody else's mail.
tarpit() {
	local from
	"$top/lab/publish" relayed mail=mute
	forget
	submit -n 6 -- u@relayed.example
	submit -n 3 -- u@mxaway.example
	submit -- u@tarpit.example &
	sleep 0.5
	from=$(date +%s%N)
	client 127.0.0.1:25 u@good.example
	like "$smtpd: tarpit: the good one is asked at once" "$(cat "$got/output")" '^rcpt u@good.example [0-9]{1,3} 250 '
	settled 10 u@good.example
	gather
	is "$smtpd: tarpit: the good one" "$(fared u@good.example)" 'delivered relay'
	from=$((($(date +%s%N) - from) / 1000000))
	if [ $from -lt 3000 ]; then pass "$smtpd: tarpit: at once"; else fail "$smtpd: tarpit: at once" "$from ms"; fi
	wait $!
	settled 30 u@tarpit.example
	is "$smtpd: tarpit: its own mail" "$(fared u@tarpit.example)" 'delivered relay'
	restart
	"$top/lab/publish" relayed mail=good
	again u@relayed.example
	settled 10 u@relayed.example
	is "$smtpd: tarpit: when it speaks" "$(fared u@relayed.example)" 'delivered relay'
}

# Files behind the worker's walls are exchanged while a host keeps it busy: another worker has what is new, the first one finishes.
exchanged() {
	local first from
	"$top/lab/publish" relayed mail=enddelay=14
	forget
	submit -- u@relayed.example
	sleep 1
	first=$(process worker)
	from=$(date +%s)
	touch "$LAB_DIR/pki/certs"
	for _ in $(seq 100); do
		[ "$(process worker | wc -l)" = 1 ] || break
		sleep 0.1
	done
	is "$smtpd: exchanged: two workers" "$(process worker | wc -l)" 2
	submit -- u@good.example
	settled 10 u@good.example
	gather
	is "$smtpd: exchanged: what is new" "$(fared u@good.example)" 'delivered relay'
	[ $(($(date +%s) - from)) -lt 12 ] && pass "$smtpd: exchanged: it did not wait" || fail "$smtpd: exchanged: it did not wait"
	settled 20 u@relayed.example
	gather
	is "$smtpd: exchanged: what was under way" "$(fared u@relayed.example)" 'delivered relay'
	for _ in $(seq 200); do [ "$(process worker | wc -l)" = 1 ] && break; sleep 0.1; done
	is "$smtpd: exchanged: the successor stays" "$(process worker | grep -cx "$first") $(process worker | wc -l)" '0 1'
	"$top/lab/publish" relayed mail=good
}

# The relay is no open one: it serves connections that smtpd has announced, by both their ends.
foreigners() {
	local there port range
	send u@good.example
	there=$(address_of good)
	is "$smtpd: a foreigner" "$(in_sender "$top/tests/tools/smtpclient.py" "$there" u@wrongname.example | cut -c 1-18)" 'greeting 421 4.7.0'
	# smtpd's own source port, towards another address
	"$top/lab/publish" relayed mail=mute
	forget
	submit -- u@relayed.example
	for _ in $(seq 50); do
		port=$(in_sender ss -Htn state established dport = :10027 | awk -v there="$there" '$4 != there { print $3 }' |
		    grep ^127 | grep -oE '[0-9]+$' | head -n 1)
		[ -n "$port" ] && break
		sleep 0.1
	done
	range=$(in_sender cat /proc/sys/net/ipv4/ip_local_port_range)
	in_sender sh -c "echo $port $port >/proc/sys/net/ipv4/ip_local_port_range"
	is "$smtpd: a foreigner with smtpd's port" \
	    "$(in_sender "$top/tests/tools/smtpclient.py" "$there" u@wrongname.example | cut -c 1-18)" 'greeting 421 4.7.0'
	in_sender sh -c "echo $range >/proc/sys/net/ipv4/ip_local_port_range"
	"$top/lab/publish" relayed mail=good
	restart
}

# One address of the relay for all domains: one connection, one transaction, and yet each has its own policy.
shared() {
	local to
	settings 'relay_ports = 1'
	restart
	forget
	to=(u@good.example u@wrongname.example u@tself.example u@expired.example u@rcpt550.example u@cname.example)
	submit -- "${to[@]}"
	settled 30 "${to[@]}"
	gather
	is "$smtpd: one address: each domain its own" "$(fared "${to[@]}")" "$(printf '%s\n' 'delivered relay' 'deferred relay' \
	    'delivered relay' 'deferred relay' 'bounced relay' 'delivered relay')"
	is "$smtpd: one address: one transaction" "$(for to in "${to[@]}"; do log_of "$to"; done | cut -d ' ' -f 1 | sort -u | wc -l)" 1
	is "$smtpd: one address: nobody has what is not his" "$(taken u@wrongname.example) $(taken u@expired.example)" '- -'
	settings
	restart
}

# is_back: waits for the next worker; who dies often is started again less and less often
is_back() {
	local i
	for ((i = 0; i < 200; i++)); do
		[ -z "$(process worker)" ] || return 0
		sleep 0.1
	done
}

# A host that failed a moment ago may do better later: the filter refuses nobody for it.
burst() {
	forget
	submit -n 20 -- u@selfsigned.example
	is "$smtpd: a burst to a host that fails" "$(grep -c '^rcpt u@selfsigned.example [0-9]* 250 ' "$got/output")" 20
}

# The worker dies while a message is on its way: it is delivered once, sooner or later.
killed() {
	local i dd=$work/large
	began=$("$top/lab/log" --mark)
	forget
	"$top/lab/publish" relayed mail=lazy=1
	{ printf 'Subject: large\r\n\r\n'; yes 'What is on its way is not there yet.' | head -n 80000 | sed 's/$/\r/'; } >"$dd"
	submit -m "$dd" -- u@relayed.example
	for ((i = 1; i <= 4; i++)); do
		for _ in $(seq 100); do
			"$top/lab/log" --since "$mark" event=rcpt rcpt=u@relayed.example | grep -q . && break
			sleep 0.05
		done
		sleep 0.$((RANDOM % 8))
		kill -9 "$(process worker)"
		settled 20 u@relayed.example || break
		[ "$(outcome u@relayed.example)" = deferred ] || break
		is_back
		listen
		smtpctl schedule all >/dev/null 2>&1
	done
	if [ "$i" -gt 2 ]; then pass "$smtpd: worker killed: and it waits"; else fail "$smtpd: worker killed: and it waits" "$(story u@relayed.example)"; fi
	"$top/lab/publish" relayed mail=good
	[ "$(outcome u@relayed.example)" = delivered ] || again u@relayed.example
	[ "$(outcome u@relayed.example)" = delivered ] || again u@relayed.example
	is "$smtpd: worker killed: delivered once" "$(outcome u@relayed.example) $(copies u@relayed.example)" 'delivered 1'
	isnt_gone
}

isnt_gone() {
	if kill -0 "$daemon" 2>/dev/null; then pass "$smtpd: smtpd goes on"; else fail "$smtpd: smtpd goes on" "$(tail -n 5 "$got/daemon")"; fi
}

# Many messages, and a worker that dies again and again: none is lost.
storm() {
	local i to=() lost=0 more=0 n
	restart
	began=$("$top/lab/log" --mark)
	forget
	"$top/lab/publish" relayed mail=slow=0.02
	for ((i = 0; i < 60; i++)); do to+=("u$i@relayed.example"); done
	submit -s -- "${to[@]}"
	for ((i = 0; i < 3; i++)); do
		sleep 0.$((1 + RANDOM % 3))
		kill -9 "$(process worker)"
		is_back
	done
	restart # it keeps away for a while from where nobody answered
	for _ in $(seq 30); do
		smtpctl schedule all >/dev/null 2>&1
		sleep 1
		smtpctl show queue | grep -q . || break
	done
	for i in "${to[@]}"; do
		n=$(copies "$i")
		if [ "$n" -eq 0 ]; then lost=$((lost + 1)); elif [ "$n" -gt 1 ]; then more=$((more + n - 1)); fi
	done
	is "$smtpd: storm: none is lost, none is left" "$lost $(smtpctl show queue | wc -l)" '0 0'
	# One may have been accepted just when the worker died: SMTP knows no better (RFC 5321 6.1).
	diag "$smtpd: storm: $more delivered again"
	isnt_gone
	"$top/lab/publish" relayed mail=good
}

# No name can be found out: nobody is kept waiting for long, nothing is lost.
no_names() {
	local unbound from=$SECONDS
	unbound=$(cat "$LAB_DIR/pid/unbound")
	forget
	kill -STOP "$unbound"
	# by the socket: smtpd itself greets no client whose name it cannot find out
	sendmail u@slow.example
	from=$((SECONDS - from))
	if [ $from -lt 10 ]; then pass "$smtpd: no resolver: not for long"; else fail "$smtpd: no resolver: not for long" "$from s"; fi
	# smtpd asks for the name of the relay's address before it goes there: it may take its time
	sleep 8
	gather
	is "$smtpd: no resolver: it waits" "$(taken u@slow.example) $(grep -c 'u@slow.example|' "$got/queue")" '- 1'
	kill -CONT "$unbound"
	sleep 1
	again u@slow.example
	is "$smtpd: the resolver is back" "$(fared u@slow.example)" 'delivered relay'
	isnt_gone
}

# A host that answers the message later than smtpd can wait: smtpd is told to come again, and then what became of it; nothing is
# sent twice.  The program is one that thinks smtpd very impatient.
late() {
	# shellcheck disable=SC2154 # what runs the tests sets it
	local hasty=$build/tests/tools/.libs/filter-hasty # not the script around it
	end
	cp "$hasty" "$root/etc/mtasts/hasty"
	ln -sf hasty "$root/etc/mtasts/filter-mtasts"
	begin
	"$top/lab/publish" relayed mail=enddelay=10
	began=$("$top/lab/log" --mark)
	send u@relayed.example
	is "$smtpd: late: deferred" "$(fared u@relayed.example)" 'deferred relay'
	again u@relayed.example
	is "$smtpd: late: still waiting" "$(fared u@relayed.example)" 'deferred relay'
	sleep 7
	again u@relayed.example
	is "$smtpd: late: told" "$(fared u@relayed.example) $(said u@relayed.example | cut -d ' ' -f 1)" 'delivered relay 250'
	is "$smtpd: late: sent once" "$(copies u@relayed.example)" 1
	"$top/lab/publish" relayed mail=good
	end
	ln -sf "$program" "$root/etc/mtasts/filter-mtasts"
	begin
}

# Without the table there is no smtpd; the mail waits for the next.
no_table() {
	"$top/lab/publish" relayed mail=rcpt450
	send u@relayed.example
	kill -9 "$(process table)"
	submit -- u@relayed.example || :
	for _ in $(seq 100); do
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	if kill -0 "$daemon" 2>/dev/null; then fail "$smtpd: table killed: smtpd ends"; else pass "$smtpd: table killed: smtpd ends"; fi
	wait "$daemon" 2>/dev/null
	is "$smtpd: table killed: and so do we" "$(processes)" ''
	"$top/lab/publish" relayed mail=good
	begin
	again u@relayed.example
	is "$smtpd: and started again" "$(fared u@relayed.example)" 'delivered relay'
}

# shared and exchanged come first: what waits for a host that hangs would keep all others, and the worker
parts=${*:-shared exchanged tarpit foreigners killed storm no_names late no_table}
for opensmtpd in $OPENSMTPDS; do
	use "$opensmtpd"
	configure split
	begin
	# shellcheck disable=SC2086 # words
	each $parts
	end
done
tap_done
