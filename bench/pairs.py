#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""usage: pairs.py NAME WHAT WITHOUT WITH: files of "wall user system" seconds, pair by pair; a row of medians in ms."""
import statistics
import sys

WHAT = {"good": "enforce", "tgood": "testing", "nopol": "none"}


def read(path):
    with open(path) as f:
        rows = [tuple(float(x) * 1000 for x in line.split()) for line in f]
    return [(wall, user + system) for wall, user, system in rows]


def main():
    name, what = sys.argv[1:3]
    without, with_ = read(sys.argv[3]), read(sys.argv[4])
    if not without or len(without) != len(with_):
        sys.exit("pairs: %d and %d samples" % (len(without), len(with_)))
    added = [statistics.median(b[i] - a[i] for a, b in zip(without, with_)) for i in (0, 1)]
    base = [statistics.median(a[i] for a in without) for i in (0, 1)]
    wall = statistics.median(b[0] for b in with_)
    print("%-10s %-10s %10.1f %10.1f %10.1f %8.2f %10.1f %10.1f"
          % (name, WHAT.get(what, what), base[0], wall, added[0], wall / base[0], base[1], added[1]))


main()
