# shellcheck shell=bash disable=SC2154 # root is of who sources the server's lib
# SPDX-License-Identifier: ISC
#
# What we add to one delivery of a real mail server: the same message to the same host by the same program, with and
# without our lines in its configuration, in turns.  Wall and processor time (the server's and that of everything it
# waited for) in ms; the policy is cached.  Sourced by exim and sendmail here.
#
#	ROUNDS	pairs of deliveries, default 60
rounds=${ROUNDS:-60}

pairs_head() {
	printf '%-10s %-10s %10s %10s %10s %8s %10s %10s\n' "$1" policy 'without' 'with' 'added' ratio \
		'cpu without' 'cpu added'
}

# pairs SERVER FILE COMMAND...: a row for each kind of policy.  FILE.with and FILE.without take the place of the
# configuration FILE; COMMAND, inside the root, takes the recipient and a message.
pairs() {
	local name=$1 file=$2 domain mark accepted records
	shift 2
	printf 'From: alice@sender.example\nTo: you\nSubject: test\n\nA test.\n' >"$root/tmp/message"
	for domain in good tgood nopol; do
		# one of each to warm up
		cat >"$root/tmp/pairs" <<-END
		TIMEFORMAT='%R %U %S'
		deliver() { $* u@$domain.example </tmp/message; }
		use() { cp $file.\$1 $file; }
		for way in with without; do use \$way; deliver; : >/tmp/times.\$way; done
		for i in \$(seq $rounds); do
			for way in with without; do
				use \$way
				{ time deliver 2>/dev/null; } 2>>/tmp/times.\$way
			done
		done
		END
		mark=$("$top/lab/log" --mark)
		rm -rf "$root"/var/lib/mtasts/journal/*
		run bash /tmp/pairs
		accepted=$("$top/lab/log" --since "$mark" --count event=accepted "rcpt=u@$domain.example")
		records=$(cat "$root"/var/lib/mtasts/journal/* | wc -l)
		[ "$accepted.$records" = "$((2 * rounds + 2)).$((rounds + 1))" ] ||
			bail "$name, $domain: $accepted accepted, $records with a record, of $rounds pairs"
		python3 "$top/bench/pairs.py" "$name" "$domain" "$root"/tmp/times.{without,with}
	done
}
