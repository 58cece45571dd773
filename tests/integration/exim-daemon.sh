#!/bin/bash
# SPDX-License-Identifier: ISC
# Exim as it runs on a mail server: a daemon, whose reception processes (Exim's user, SIGCHLD ignored) verify recipients,
# and whose delivery processes (root) route, many of them at once.
# shellcheck source-path=SCRIPTDIR source=lib/exim.sh
. "$(dirname "$0")/lib/exim.sh"

# client N RECIPIENT...: N messages at once, each in a session of its own; its answers, "code text", sorted
client() {
	ip netns exec "$LAB_NAME-world" /usr/bin/python3 - "$@" <<-'END' | sort
	import smtplib, sys, threading

	def say(code, text):
	    sys.stdout.write("%d %s\n" % (code, text))

	def session(number):
	    with smtplib.SMTP("198.19.0.1", 25, "world.example", 60) as smtp:
	        smtp.ehlo()
	        smtp.mail("alice@sender.example")
	        codes = []
	        for recipient in sys.argv[2:]:
	            code, text = smtp.rcpt(recipient)
	            codes.append(code)
	            say(code, text.decode().replace("\n", " "))
	        if 250 in codes:
	            say(smtp.data("Subject: %d\n\nA test.\n" % number)[0], "taken")

	threads = [threading.Thread(target=session, args=(i,)) for i in range(int(sys.argv[1]))]
	for t in threads: t.start()
	for t in threads: t.join()
	END
}

# until_delivered N: waits until N recipients are done with, or not for more than 20 s
until_delivered() {
	for _ in $(seq 200); do
		gather
		[ "$(grep -c -E ' (=>|->|==|\*\*) ' "$got/mainlog")" -lt "$1" ] || return
		sleep 0.1
	done
}

for exim in $EXIMS; do
	use "$exim"
	configure 's/^MTASTS_TRANSPORT/smtp_accept_max = 100\nsmtp_accept_queue_per_connection = 0\n&/'
	forget
	begin_daemon exim4 -bdf -q1h

	listen
	is "$exim: cold look-up in a reception process" "$(client 1 u@good.example)" "$(printf '250 Accepted\n250 taken')"
	until_delivered 1
	is "$exim: and delivery" "$(outcome) $(accepted)" 'delivered u@good.example mx1.good.example TLSv1.3'
	listen
	like "$exim: MX outside the policy" "$(client 1 u@badmx.example)" '^451 4\.4\.8 MX hosts of .badmx\.example.'

	# Thirty at once, the reception processes under Exim's user and the deliveries as root: one fetch.
	listen
	answers=$(client 30 u@slow.example)
	is "$exim: 30 at once: all taken" "$(grep -c '^250 taken' <<<"$answers")" 30
	until_delivered 30
	is "$exim: 30 at once: all delivered over TLS" "$(accepted | uniq -c | tr -s ' ')" ' 30 u@slow.example mx.slow.example TLSv1.3'
	is "$exim: 30 at once: one fetch" "$("$top/lab/log" --since "$mark" --count get host=mta-sts.slow.example)" 1
	is "$exim: 30 at once: 30 records" "$(records | sort | uniq -c | tr -s ' ')" ' 30 sts mx.slow.example success'
	is "$exim: nothing in the panic log" "$(cat "$got/panic")" ''

	# The daemon's own children, and ours among them, are gone.
	sleep 1
	# shellcheck disable=SC2154 # lib/server.sh sets daemon
	is "$exim: no child is left" "$(ps -o stat=,args= --ppid "$daemon")" ''
	end_daemon
done
tap_done
