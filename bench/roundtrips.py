#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Reads tcpdump's lines; counts the runs of our packets that an answer follows, and what was in them.

The lab has no distance, so session tickets come between our Finished and the GET that left right
behind it: packets of ours that follow each other within NEAR did not wait for an answer.
"""
import re
import sys

NEAR = 0.001  # seconds
LINE = re.compile(r"^([\d.]+) (\S+)\s+(In|Out) +IP6? (\S+) > (\S+): (.*)$")


def packets():
    seen = set()
    for line in sys.stdin:
        m = LINE.match(line)
        if not m:
            continue
        at, _, _way, src, dst, rest = m.groups()
        dns = src.endswith(".53") or dst.endswith(".53")
        ours = dst.endswith(".53") or dst.endswith(".443")
        # on loopback a packet may be seen going out and coming in: seen takes it once
        length = re.search(r"length (\d+)", rest)
        data = dns or "[S" in rest or (length and int(length.group(1)) > 0)
        if not data or (src, dst, rest) in seen:
            continue
        seen.add((src, dst, rest))
        if dns:
            what = re.search(r"(TXT|AAAA|A)\?", rest)
            what = "DNS " + (what.group(1) if what else "answer")
        elif "[S" in rest:
            what = "TCP SYN"
        else:
            what = "TLS %s octets" % length.group(1)
        yield float(at), ours, what


def main():
    flights = []
    for at, ours, what in packets():
        if not flights or flights[-1][0] != ours:
            flights.append((ours, at, []))
        flights[-1][2].append(what)
    merged = []
    for ours, at, whats in flights:
        before = [f for f in merged if f[0]]
        if ours and before and at - before[-1][3] < NEAR and before[-1][2][-1][:3] == whats[0][:3] == "TLS":
            before[-1][2].extend(whats)
            before[-1][3] = at
        else:
            merged.append([ours, at, whats, at])
    flights = [tuple(f[:3]) for f in merged]
    trips = 0
    start = flights[0][1] if flights else 0
    for i, (ours, at, whats) in enumerate(flights):
        if ours and i + 1 < len(flights):
            trips += 1
            print("%8.2f ms  trip %d: %s" % ((at - start) * 1000, trips, ", ".join(whats)))
    print("%d round trips (aim: 4, of which 1 DNS, 1 TCP, 1 TLS, 1 HTTP)" % trips)


main()
