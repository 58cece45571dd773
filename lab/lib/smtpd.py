#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The mail hosts: one behaviour an address, port 25. Every event is a line of the log, every message accepted a file.

usage: smtpd.py CONF

CONF (made by make.py): log, mail (directory), default (certificate for who sends no SNI), hosts {address: {name,
behaviour, modifiers, certificate}}. README lists the behaviours.
"""
import itertools
import json
import os
import socket
import ssl
import sys
import threading
import time
import warnings

from events import Log

LIMIT = 300  # seconds between two commands
MUTE = 120  # seconds of silence
LINE = 8192  # octets


class Host:
    def __init__(self, address, conf, server):
        self.address, self.server, self.name = address, server, conf["name"]
        self.behaviour, _, self.word = conf["behaviour"].partition("=")
        self.is_attacker = self.behaviour == "attacker" or "attacker" in conf["modifiers"]
        self.context = self.make_context(conf["certificate"])
        self.default = self.make_context(server.default) if self.behaviour == "sni" else self.context
        self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, 25))
        self.sock.listen(128)

    def make_context(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.behaviour == "tls11":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        if self.behaviour == "alert":
            context.set_ciphers("NULL:@SECLEVEL=0")  # no cipher in common: a handshake_failure alert
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate)
        context.sni_callback = self.choose
        return context

    def choose(self, sock, name, _):
        sock.lab_sni = name
        if self.behaviour == "sni" and name == self.name:
            sock.context = self.context

    def serve(self):
        while True:
            sock, peer = self.sock.accept()
            threading.Thread(target=Session(self, sock, peer).run, daemon=True).start()


class Session:
    def __init__(self, host, sock, peer):
        self.host, self.sock, self.tls, self.sni = host, sock, None, None
        self.sock.settimeout(LIMIT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = next(host.server.counter)
        self.peer = peer[0]
        self.file = sock.makefile("rb")
        self.sender, self.rcpts = None, []

    def log(self, event, **fields):
        host = self.host
        host.server.log.write("smtp", event=event, host=host.name, attacker="yes" if host.is_attacker else "no",
                              behaviour=host.behaviour, to=host.address, conn=self.number, **fields)

    def say(self, *lines):
        if self.host.behaviour == "slow":
            time.sleep(float(self.host.word))
        self.sock.sendall("".join(line + "\r\n" for line in lines).encode())

    def run(self):
        self.log("connect", **{"from": self.peer})
        try:
            self.talk()
        except (OSError, ssl.SSLError) as e:
            self.log("error", why=e)
        finally:
            self.sock.close()

    def talk(self):
        behaviour = self.host.behaviour
        if behaviour == "mute":
            time.sleep(MUTE)
            return
        if behaviour == "banner554":
            self.say("554 5.3.2 no mail here")
        else:
            self.say("220 %s ESMTP" % self.helo())
        commands = {"EHLO": self.ehlo, "HELO": self.ehlo, "STARTTLS": self.starttls, "MAIL": self.mail, "RCPT": self.rcpt,
                    "DATA": self.data, "RSET": self.rset, "NOOP": self.noop}
        while True:
            line = self.file.readline(LINE)
            if not line:
                self.log("eof")
                return
            text = line.decode("latin-1").strip()
            verb = text.split(" ")[0].upper()
            if verb == "QUIT":
                self.say("221 2.0.0 bye")
                self.log("quit")
                return
            if verb not in commands:
                self.say("500 5.5.1 what is that?")
            elif commands[verb](text) is False:
                return

    def helo(self):
        return self.host.word + ".example" if self.host.behaviour == "helo" else self.host.name

    def ehlo(self, text):
        self.log("ehlo", name=text.partition(" ")[2], tls=self.tls)
        offers = [] if self.tls or self.host.behaviour in ("notls", "stripped") else ["STARTTLS"]
        size = self.host.word if self.host.behaviour == "size" else "104857600"
        offers = [self.helo(), "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", *offers, "SIZE " + size]
        self.say(*["250-" + o for o in offers[:-1]], "250 " + offers[-1])

    def starttls(self, _):
        """Take the connection to TLS, or what this host does instead. False ends the session."""
        behaviour = self.host.behaviour
        refusal = {"st454": "454 4.7.0 TLS is not available now", "st502": "502 5.5.1 not implemented",
                   "st250": "250 2.0.0 what was that?",
                   "notls": "502 5.5.1 not implemented", "stripped": "502 5.5.1 not implemented"}.get(behaviour)
        if refusal:
            self.log("starttls", reply=refusal[:3])
            self.say(refusal)
            return True
        self.log("starttls", reply=220)
        self.say("220 2.0.0 go ahead")
        if behaviour == "tlsclose":
            self.sock.recv(LINE)
            return False
        try:
            self.sock = self.host.default.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError) as e:
            self.log("tlsfail", why=getattr(e, "reason", None) or e)
            return False
        self.file = self.sock.makefile("rb")
        self.tls, self.sni = self.sock.version(), getattr(self.sock, "lab_sni", None)
        resumed = "yes" if self.sock.session_reused else "no"
        self.log("tls", tls=self.tls, sni=self.sni, cipher=self.sock.cipher()[0], resumed=resumed)
        self.rset_state()
        return True

    def rset_state(self):
        self.sender, self.rcpts = None, []

    def rset(self, _):
        self.rset_state()
        self.say("250 2.0.0 ok")

    def noop(self, _):
        self.say("250 2.0.0 ok")

    def mail(self, text):
        self.sender = address(text)
        self.log("mail", sender=self.sender, tls=self.tls)
        self.say("250 2.1.0 ok")

    def rcpt(self, text):
        to = address(text)
        refusal = {"rcpt450": ["450 4.2.1 mailbox busy"], "rcpt550": ["550 5.1.1 no such user"],
                   "long550": ["550-5.1.1 no such user,", "550-5.1.1 and there never was:", "550 5.1.1 see <%s>" % to]}
        refusal = refusal.get(self.host.behaviour)
        self.log("rcpt", rcpt=to, reply=refusal[0][:3] if refusal else 250, tls=self.tls)
        if not refusal:
            self.rcpts.append(to)
        self.say(*(refusal or ["250 2.1.5 ok"]))

    def data(self, _):
        if not self.rcpts:
            self.say("503 5.5.1 no recipient")
            return
        if self.host.behaviour == "data451":
            self.say("451 4.3.0 try again later")
            return
        self.say("354 go ahead")
        if self.host.behaviour == "lazy":
            time.sleep(float(self.host.word))
        lines = []
        while (line := self.file.readline(LINE)) != b".\r\n":
            if not line:
                self.log("eof")
                return
            lines.append(line[1:] if line.startswith(b".") else line)
        refusal = {"end451": "451 4.3.2 come back later", "end550": "550 5.6.0 not this message"}.get(self.host.behaviour)
        if refusal:
            self.rset_state()
            self.say(refusal)
            return
        queue_id = "%s-%d" % (self.host.name, next(self.host.server.messages))
        with open(os.path.join(self.host.server.mail, queue_id), "wb") as f:
            f.writelines(lines)
        for rcpt in self.rcpts:
            self.log("accepted", id=queue_id, sender=self.sender, rcpt=rcpt, tls=self.tls, sni=self.sni)
        self.rset_state()
        if self.host.behaviour == "enddelay":
            time.sleep(float(self.host.word))
        self.say("250 2.0.0 queued as " + queue_id)


def address(text):
    """What stands between < and > in MAIL FROM or RCPT TO."""
    return text.partition("<")[2].partition(">")[0] or "<>"


class Server:
    def __init__(self, conf):
        self.log, self.mail, self.default = Log(conf["log"]), conf["mail"], conf["default"]
        self.counter, self.messages = itertools.count(1), itertools.count(int(time.time() * 1000))
        self.hosts = [Host(address, host, self) for address, host in conf["hosts"].items()]


def main():
    warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is deprecated: that is what it is there for
    with open(sys.argv[1], encoding="ascii") as f:
        conf = json.load(f)
    os.makedirs(conf["mail"], exist_ok=True)
    server = Server(conf)
    for host in server.hosts:
        threading.Thread(target=host.serve).start()
    print("ready", flush=True)


if __name__ == "__main__":
    main()
