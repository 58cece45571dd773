#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Samples of bench/opensmtpd on standard input, "SMTPD WHAT WAY VALUE...": medians, and what they come to beside each other."""
import collections
import statistics
import sys

ROWS = [
    ("relay", "sent by `relay tls` | our relay"),
    ("lifted", "the same, smtpd's limits lifted"),
    ("native", "sent to a domain without a policy"),
    ("taken-native", "taken for one"),
    ("taken-relay", "taken for one with a policy"),
]


def main():
    values, order = collections.defaultdict(list), []
    for line in sys.stdin:
        smtpd, what, way, *rest = line.split()
        values[smtpd, what, way].append([float(x) for x in rest])
        if smtpd not in order:
            order.append(smtpd)
    print("%-10s %-36s %10s %10s %8s" % ("OpenSMTPD", "messages a second", "without", "with", "ratio"))
    for smtpd in order:
        for what, words in ROWS:
            ways = [[v[0] for v in values[smtpd, what, way]] for way in ("stock", "split")]
            if all(ways):
                without, with_ = (statistics.median(w) for w in ways)
                print("%-10s %-36s %10.1f %10.1f %8.2f" % (smtpd, words, without, with_, with_ / without))
    print("\n%-10s %-36s %10s %10s %14s" % ("OpenSMTPD", "memory of the worker, KiB", "RSS", "PSS", "each, PSS"))
    for smtpd in order:
        idle = values.get((smtpd, "memory", "idle"))
        for (name, what, way), v in values.items():
            if (name, what) != (smtpd, "memory"):
                continue
            rss, pss = v[-1]
            each = "" if way == "idle" or not idle or way == "0" else "%.1f" % ((pss - idle[-1][1]) / int(way))
            print("%-10s %-36s %10d %10d %14s" % (smtpd, "idle" if way == "idle" else way + " deliveries at once", rss, pss, each))


main()
