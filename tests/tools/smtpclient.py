#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Hands mail to a server as the clients of a submission service do.

usage: smtpclient.py [OPTION...] ADDRESS:PORT RECIPIENT...

  -f ADDRESS        the sender, default alice@sender.example; "-" for the null sender
  -u USER:PASSWORD  STARTTLS (any certificate) and AUTH PLAIN first
  -m FILE           the message, octet for octet as it goes after DATA, final dot included if it has one; default: a short one
  -s                a transaction for each recipient, not one for all
  -n COUNT          as many messages of each kind, fifty on a connection
  -r                no DATA: RSET after the recipients

Prints the server's answers: "rcpt RECIPIENT MILLISECONDS ANSWER", "data ANSWER" and what else was refused, an answer's lines joined
by "/".
"""
import argparse
import base64
import socket
import ssl
import sys
import time

MESSAGE = b"From: alice@sender.example\r\nTo: you\r\nSubject: test\r\n\r\nA test.\r\n"
PATIENCE = 60  # seconds for an answer
AT_ONCE = 50  # messages on a connection


class Client:
    def __init__(self, address, credentials):
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host.strip("[]"), int(port)), PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.must("greeting", self.answer())
        self.must("EHLO", self.ask("EHLO client.example"))
        if credentials:
            self.log_in(credentials)

    def log_in(self, credentials):
        self.must("STARTTLS", self.ask("STARTTLS"))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")
        self.must("EHLO", self.ask("EHLO client.example"))
        user, _, password = credentials.partition(":")
        plain = base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode()
        self.must("AUTH", self.ask("AUTH PLAIN " + plain))

    def answer(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                return "/".join(lines + ["closed"])
            lines.append(line.decode("latin-1").rstrip("\r\n"))
            if lines[-1][3:4] != "-":
                return "/".join(lines)

    def ask(self, line):
        self.sock.sendall(line.encode("latin-1") + b"\r\n")
        return self.answer()

    @staticmethod
    def must(what, answer):
        if answer[0] not in "23":
            print(what, answer)
            sys.exit(1)

    def transaction(self, sender, recipients, message):
        """message None: RSET instead of it"""
        self.must("MAIL", self.ask("MAIL FROM:<%s>" % sender))
        taken = 0
        for recipient in recipients:
            begin = time.monotonic()
            answer = self.ask("RCPT TO:<%s>" % recipient)
            print("rcpt", recipient, int((time.monotonic() - begin) * 1000), answer)
            taken += answer.startswith("2")
        if not taken or message is None:
            self.ask("RSET")
            return
        self.must("DATA", self.ask("DATA"))
        self.sock.sendall(message)
        print("data", self.answer())


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-f", dest="sender", default="alice@sender.example")
    parser.add_argument("-u", dest="credentials")
    parser.add_argument("-m", dest="file")
    parser.add_argument("-s", dest="is_single", action="store_true")
    parser.add_argument("-n", dest="count", type=int, default=1)
    parser.add_argument("-r", dest="is_reset", action="store_true")
    parser.add_argument("address")
    parser.add_argument("recipients", nargs="+")
    args = parser.parse_args()
    message = MESSAGE
    if args.file:
        with open(args.file, "rb") as f:
            message = f.read()
    if not message.endswith(b"\r\n.\r\n"):
        message += b".\r\n"
    sender = "" if args.sender == "-" else args.sender
    transactions = ([[r] for r in args.recipients] if args.is_single else [args.recipients]) * args.count
    for i, recipients in enumerate(transactions):
        if i % AT_ONCE == 0:
            client = Client(args.address, args.credentials)
        client.transaction(sender, recipients, None if args.is_reset else message)
        if i % AT_ONCE == AT_ONCE - 1 or i == len(transactions) - 1:
            client.ask("QUIT")


if __name__ == "__main__":
    main()
