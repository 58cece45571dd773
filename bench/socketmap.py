#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Reads what bench/socketmap measured, a run a line; prints medians, and how ours compares."""
import statistics
import sys
from collections import defaultdict

SERVERS = {
    "mtasts": "mtasts socketmap",
    "uvloop": "postfix-mta-sts-resolver + uvloop",
    "plain": "postfix-mta-sts-resolver",
    "raw": "no look-up at all (raw limit)",
}
ROWS = {
    "1": "1 connection",
    "16": "16 connections",
    "256": "256 connections",
    "idle": "16 connections, and 5000 that say nothing",
    "hanging": "16 connections, and 900 that ask for new domains while the DNS hangs",
}


def read():
    """{(row, server): [(rate, p50, p99, processor us a request)...]}, {when: {server: KiB}}"""
    runs, memory = defaultdict(list), defaultdict(dict)
    for line in sys.stdin:
        row, server, *figures = line.split()
        if row == "memory":
            memory[" ".join(figures[1:])][server] = int(figures[0])
            continue
        requests, rate, p50, p99, after, before = map(float, figures)
        runs[row, server].append((rate, p50, p99, (after - before) / requests))
    return runs, memory


def main():
    runs, memory = read()
    if not runs:
        sys.exit("socketmap: no samples")
    print("%-36s %12s %9s %9s %9s   %s" % ("", "requests/s", "p50 us", "p99 us", "cpu us", "ours: rate, p50"))
    print("%-36s %42s   aim: 5.0 x more, 6.0 x less" % ("", ""))
    for row, title in ROWS.items():
        print(title)
        ours = [statistics.median(x) for x in zip(*runs[row, "mtasts"])]
        for server, name in SERVERS.items():
            if (row, server) not in runs:
                continue
            rate, p50, p99, spent = (statistics.median(x) for x in zip(*runs[row, server]))
            print("  %-34s %12.0f %9.1f %9.1f %9.2f" % (name, rate, p50, p99, spent), end="")
            print("" if server == "mtasts" else "   %.1f x, %.1f x" % (ours[0] / rate, p50 / ours[1]))
    for when, sizes in memory.items():
        print("memory %s (aim: under 10 MiB)" % when)
        for server, kib in sizes.items():
            print("  %-34s %8.1f MiB" % (SERVERS[server], kib / 1024))


main()
