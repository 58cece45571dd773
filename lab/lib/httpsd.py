#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The policy hosts that nginx cannot play: one misbehaviour an address, port 443.

usage: httpsd.py CONF

CONF (made by make.py): log, listeners {address: {kind, hosts {name: {certificate, body}}}}. The kinds are the functions
below, and README's words for the policy host. Every wait is bounded.
"""
import json
import socket
import ssl
import sys
import threading
import time

from events import Log

LIMIT = 120  # seconds a connection may last, whatever its kind


class Client:
    """One connection after its TLS handshake."""

    def __init__(self, sock, host, body, word):
        self.sock, self.host, self.body, self.word = sock, host, body, word

    def send(self, data):
        self.sock.sendall(data)

    def header(self, *fields, status="200 OK"):
        lines = ["HTTP/1.1 " + status, "Content-Type: text/plain", "Connection: close", *fields]
        self.send("".join(line + "\r\n" for line in lines).encode() + b"\r\n")

    def whole(self):
        self.header("Content-Length: %d" % len(self.body))
        self.send(self.body)

    def slowly(self, data, pause):
        """Give data out octet by octet, for as long as a connection may last."""
        end = time.monotonic() + LIMIT
        for octet in data:
            if time.monotonic() > end:
                return
            self.send(bytes([octet]))
            time.sleep(pause)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def ok(client):
    client.whole()


def trickle(client):
    client.header("Content-Length: %d" % len(client.body))
    client.slowly(client.body, 10)


def endless(client):
    client.header("Transfer-Encoding: chunked")
    client.send(chunk(client.body))
    line = chunk(b"x: " + b"a" * 995 + b"\r\n")
    for _ in range(1 << 20):  # a GiB, if anybody takes it
        client.send(line)


def bigheader(client):
    client.header("X-Big: " + "a" * (1 << 20), "Content-Length: %d" % len(client.body))
    client.send(client.body)


def manyheaders(client):
    client.header(*["X-%d: %s" % (i, "a" * 100) for i in range(1000)], "Content-Length: %d" % len(client.body))
    client.send(client.body)


def http09(client):
    client.send(client.body)


def garbage(client):
    client.send(b"\x00\xff\x00\xffHTTP 200 fine\r\n\r\n" + client.body)


def hangtls(_):
    time.sleep(LIMIT)


def closebody(client):
    client.header("Transfer-Encoding: chunked")
    client.send(b"%x\r\n%s" % (len(client.body) + 10, client.body))


def short(client):
    client.header("Content-Length: %d" % (len(client.body) + 100))
    client.send(client.body)


def delay(client):
    time.sleep(min(float(client.word), LIMIT))
    client.whole()


def not_modified(client):
    client.header('ETag: "1"', status="304 Not Modified")


KINDS = (ok, trickle, endless, bigheader, manyheaders, http09, garbage, hangtls, closebody, short, delay)
KINDS = {"304": not_modified, **{function.__name__: function for function in KINDS}}


class Listener:
    def __init__(self, address, conf, log):
        self.address, self.hosts, self.log = address, conf["hosts"], log
        self.kind, _, self.word = conf["kind"].partition("=")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.sock.bind((address, 443))
        self.sock.listen(128)
        self.contexts = {name: self.context(host["certificate"]) for name, host in self.hosts.items()}

    def context(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = self.choose
        return context

    def choose(self, sock, name, _):
        sock.lab_sni = name
        if name in self.contexts:
            sock.context = self.contexts[name]

    def serve(self):
        while True:
            sock, peer = self.sock.accept()
            threading.Thread(target=self.client, args=(sock, peer), daemon=True).start()

    def client(self, sock, peer):
        sock.settimeout(LIMIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        here = {"to": sock.getsockname()[0], "from": peer[0], "kind": self.kind}
        self.log.write("connect", **here)
        try:
            with sock:
                if self.kind == "close":
                    return
                if self.kind == "hang":
                    time.sleep(LIMIT)
                    return
                self.talk(sock, here)
        except (OSError, ssl.SSLError) as e:
            self.log.write("end", **here, why=e)

    def talk(self, sock, here):
        default = next(iter(self.contexts))
        with self.contexts[default].wrap_socket(sock, server_side=True) as tls:
            sni = getattr(tls, "lab_sni", None)
            request = tls.makefile("rb")
            words = request.readline(8192).decode("latin-1").split()
            fields = {}
            while (line := request.readline(8192).decode("latin-1").rstrip("\r\n")) and len(fields) < 100:
                name, _, value = line.partition(":")
                fields[name.lower()] = value.strip()
            if len(words) != 3:
                return
            name = sni if sni in self.hosts else default
            self.log.write("get", host=fields.get("host"), sni=sni, tls=tls.version(), status=self.kind, method=words[0],
                uri=words[1], **here, http=words[2], encoding=fields.get("accept-encoding"),
                if_none_match=fields.get("if-none-match"), if_modified_since=fields.get("if-modified-since"),
                cookie=fields.get("cookie"), agent=fields.get("user-agent"))
            with open(self.hosts[name]["body"], "rb") as f:
                KINDS[self.kind](Client(tls, name, f.read(), self.word))


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        conf = json.load(f)
    log = Log(conf["log"])
    threads = [threading.Thread(target=Listener(a, l, log).serve) for a, l in conf["listeners"].items()]
    for thread in threads:
        thread.start()
    print("ready", flush=True)


if __name__ == "__main__":
    main()
