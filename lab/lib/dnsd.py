#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The name server that misbehaves: serves whole zones as any other does, but for the questions it is told to answer wrongly.

usage: dnsd.py CONF

CONF (made by make.py): address, zones {name: file}, odd {"NAME TYPE": WORD or [[rdata...]...]}. The words are servfail,
refused, timeout, truncated, slow=SECONDS; a list holds the sets to give in turn, the last one for good.
"""
import json
import socket
import socketserver
import sys
import threading
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone


class World:
    def __init__(self, conf):
        self.zones = {
            dns.name.from_text(name): dns.zone.from_file(file, dns.name.from_text(name), relativize=False)
            for name, file in conf["zones"].items()
        }
        self.odd = conf["odd"]
        self.asked = {}  # "NAME TYPE" -> how often, where there are turns
        self.lock = threading.Lock()

    def answer(self, query, is_tcp):
        """The answer to a query, or None to stay silent."""
        question = query.question[0]
        reply = dns.message.make_response(query)
        key = "%s %s" % (question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype))
        odd = self.odd.get(key)
        if odd == "timeout":
            return None
        if odd in ("servfail", "refused"):
            reply.set_rcode(dns.rcode.from_text(odd))
        elif odd == "truncated" and not is_tcp:
            reply.flags |= dns.flags.TC | dns.flags.AA
        elif isinstance(odd, list):
            reply.flags |= dns.flags.AA
            reply.answer.append(dns.rrset.from_text(question.name, 0, "IN", question.rdtype, *self.turn(key, odd)))
        else:
            if odd is not None and odd.startswith("slow="):
                time.sleep(float(odd[5:]))
            self.from_zone(question, reply)
        return reply

    def turn(self, key, sets):
        with self.lock:
            n = self.asked.get(key, 0)
            self.asked[key] = n + 1
        return sets[min(n, len(sets) - 1)]

    def from_zone(self, question, reply):
        """What an ordinary server says, as far as these zones need it: they have no wildcards and delegate nothing."""
        zone = next((self.zones[o] for o in sorted(self.zones, reverse=True) if question.name.is_subdomain(o)), None)
        if zone is None:
            reply.set_rcode(dns.rcode.REFUSED)
            return
        reply.flags |= dns.flags.AA
        for kind in question.rdtype, dns.rdatatype.CNAME:
            found = zone.get_rrset(question.name, kind)
            if found is not None:
                reply.answer.append(found)
                return
        reply.authority.append(zone.get_rrset(zone.origin, dns.rdatatype.SOA))
        if not any(name.is_subdomain(question.name) for name in zone.nodes):
            reply.set_rcode(dns.rcode.NXDOMAIN)


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        wire, sock = self.request
        reply = self.server.world.answer(dns.message.from_wire(wire), False)
        if reply is not None:
            sock.sendto(reply.to_wire(), self.client_address)


class Tcp(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self):
        while (size := self.rfile.read(2)) != b"":
            query = dns.message.from_wire(self.rfile.read(int.from_bytes(size, "big")))
            reply = self.server.world.answer(query, True)
            if reply is not None:
                wire = reply.to_wire()
                self.wfile.write(len(wire).to_bytes(2, "big") + wire)


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        conf = json.load(f)
    world = World(conf)
    udp = socketserver.ThreadingUDPServer((conf["address"], 53), Udp)
    tcp = TcpServer((conf["address"], 53), Tcp)
    udp.daemon_threads = True
    udp.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    udp.world = tcp.world = world
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    print("ready", flush=True)
    udp.serve_forever()


if __name__ == "__main__":
    main()
