#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A client of socket map servers, of all the manners that clients have.

usage: socketmap.py ADDRESS WHAT [ARGUMENT...]

ADDRESS is inet:PORT@HOST or unix:PATH.  In requests, keys and octets, %HH is the octet of that number.  Replies are shown
one a line, without the netstring around them, odd octets as %HH.  After them comes how it ended, if it ended: "closed",
"reset", or "silent" when an answer was due and did not come within 8 seconds.

  ask REQUEST...      on one connection, each when the one before is answered: "MILLISECONDS REPLY"
  pipe REQUEST...     on one connection, all in one piece: replies
  raw OCTETS...       these octets, a piece of them each 20 ms: replies, then "open" if the connection still is 500 ms later
  half OCTETS         these octets and no more (the sending side is closed): replies until the server closes
  splits OCTETS       for each offset a connection: the octets in two pieces, cut there; "COUNT REPLIES" of each outcome
  crowd N REQUEST...  N connections, all open before the first speaks, each with all requests in one piece: "COUNT REPLY"
                      of each kind of reply, then "slowest MILLISECONDS"
  parallel REQUEST... a connection for each request, all at once: "MILLISECONDS REPLY" in the order of the requests
  deaf N REQUEST      the request N (thousands) times on a connection that is never read, until standard input ends; says "full" once
                      the server takes no more, "taken" once it took all
  idle N              N connections that say nothing, until standard input ends; says "open", and then how many still are
  activate N COMMAND...
                      listens on ADDRESS and starts the command as systemd would, with LISTEN_FDS and descriptor 3; N times,
                      each when the one before has ended, on the same socket: "started PID", "ended STATUS"
"""
import collections
import os
import select
import socket
import sys
import time
import urllib.parse

PATIENCE = 8  # seconds for an answer


def octets(word):
    return urllib.parse.unquote_to_bytes(word)


def netstring(word):
    data = octets(word)
    return b"%d:%s," % (len(data), data)


def shown(data):
    return "".join(chr(b) if 32 <= b < 127 and b != ord("%") else "%%%02x" % b for b in data)


def parsed(address):
    kind, _, rest = address.partition(":")
    if kind == "unix":
        return socket.AF_UNIX, rest
    port, _, host = rest.partition("@")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


class Connection:
    """One connection, and what came over it."""

    def __init__(self, address, room=None):
        family, where = parsed(address)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(where)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.end = None

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the reading side tells how it ended

    def taken(self):
        """The next whole reply in what came, or None."""
        length, colon, rest = self.data.partition(b":")
        if not colon:
            return None
        if not length.isdigit():
            raise SystemExit("not a netstring: " + shown(self.data))
        n = int(length)
        if len(rest) <= n:
            return None
        if rest[n : n + 1] != b",":
            raise SystemExit("not a netstring: " + shown(self.data))
        self.data = rest[n + 1 :]
        return rest[:n]

    def receive(self, seconds):
        """What comes next; False when nothing did."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            data = self.socket.recv(65536)
        except socket.timeout:
            return False
        except ConnectionResetError:
            self.end = "reset"
            return False
        if not data:
            self.end = "closed" if not self.data else "torn"
            return False
        self.data += data
        return True

    def reply(self, seconds=PATIENCE):
        """The next reply, or None: then end says why."""
        until = time.monotonic() + seconds
        while True:
            reply = self.taken()
            if reply is not None:
                return reply
            left = until - time.monotonic()
            if self.end or left <= 0 or not self.receive(left):
                if self.end is None and time.monotonic() >= until:
                    self.end = "silent"
                if self.end:
                    return None


def milliseconds(start):
    return round((time.monotonic() - start) * 1000)


def ask(address, *requests):
    connection = Connection(address)
    for request in requests:
        start = time.monotonic()
        connection.send(netstring(request))
        reply = connection.reply()
        print(milliseconds(start), connection.end if reply is None else shown(reply), flush=True)
        if reply is None:
            connection = Connection(address)


def pipe(address, *requests):
    connection = Connection(address)
    connection.send(b"".join(map(netstring, requests)))
    for _ in requests:
        reply = connection.reply()
        if reply is None:
            break
        print(shown(reply))
    if connection.end:
        print(connection.end)


def raw(address, *pieces):
    connection = Connection(address)
    for piece in pieces:
        connection.send(octets(piece))
        time.sleep(0.02)
    while (reply := connection.reply(0.5)) is not None:
        print(shown(reply))
    print("open" if connection.end == "silent" else connection.end)


def half(address, data):
    connection = Connection(address)
    connection.send(octets(data))
    connection.socket.shutdown(socket.SHUT_WR)
    while (reply := connection.reply()) is not None:
        print(shown(reply))
    print(connection.end)


def splits(address, data):
    data = octets(data)
    outcomes = collections.Counter()
    for at in range(1, len(data)):
        connection = Connection(address)
        connection.send(data[:at])
        time.sleep(0.002)
        connection.send(data[at:])
        connection.socket.shutdown(socket.SHUT_WR)
        replies = []
        while (reply := connection.reply()) is not None:
            replies.append(shown(reply))
        outcomes[" | ".join(replies + [connection.end])] += 1
        connection.socket.close()
    for outcome, n in outcomes.most_common():
        print(n, outcome)


def gathered(connections, counts):
    """Reads counts[i] replies of connection i, whichever comes first: lists of (seconds since start, reply or end)."""
    start = time.monotonic()
    poll = select.poll()
    replies = [[] for _ in connections]
    waiting = {}
    for i, connection in enumerate(connections):
        waiting[connection.socket.fileno()] = i
        poll.register(connection.socket, select.POLLIN)
    while waiting and time.monotonic() - start < PATIENCE:
        for fd, _ in poll.poll(100):
            i = waiting[fd]
            connection = connections[i]
            connection.receive(0.001)
            while (reply := connection.taken()) is not None:
                replies[i].append((milliseconds(start), shown(reply)))
            if connection.end or len(replies[i]) == counts[i]:
                poll.unregister(fd)
                del waiting[fd]
    for i, connection in enumerate(connections):
        if len(replies[i]) < counts[i]:
            replies[i].append((milliseconds(start), connection.end or "silent"))
    return replies


def crowd(address, n, *requests):
    connections = [Connection(address) for _ in range(int(n))]
    for connection in connections:
        connection.send(b"".join(map(netstring, requests)))
    outcomes, slowest = collections.Counter(), 0
    for replies in gathered(connections, [len(requests)] * len(connections)):
        for ms, reply in replies:
            outcomes[reply] += 1
            slowest = max(slowest, ms)
    for outcome, n in sorted(outcomes.items()):
        print(n, outcome)
    print("slowest", slowest)


def parallel(address, *requests):
    connections = [Connection(address) for _ in requests]
    for connection, request in zip(connections, requests):
        connection.send(netstring(request))
    for ((ms, reply),) in gathered(connections, [1] * len(requests)):
        print(ms, reply)


def deaf(address, n, request):
    connection = Connection(address, room=4096)
    connection.socket.settimeout(1)
    said = "taken"
    data = netstring(request) * 1000
    try:
        for _ in range(int(n) // 1000):
            connection.socket.sendall(data)
    except socket.timeout:
        said = "full"
    except (BrokenPipeError, ConnectionResetError):
        said = "closed"
    print(said, flush=True)
    sys.stdin.read()


def idle(address, n):
    connections = [Connection(address) for _ in range(int(n))]
    print("open", flush=True)
    sys.stdin.read()
    left = 0
    for connection in connections:
        if not select.select([connection.socket], [], [], 0)[0]:
            left += 1
    print(left)


def activate(address, times, *command):
    family, where = parsed(address)
    listener = socket.socket(family, socket.SOCK_STREAM)
    if family != socket.AF_UNIX:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(where)
    listener.listen(128)
    for _ in range(int(times)):
        pid = os.fork()
        if pid == 0:
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
            os.execvp(command[0], command)
        print("started", pid, flush=True)
        print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


WHATS = (ask, pipe, raw, half, splits, crowd, parallel, deaf, idle, activate)

if __name__ == "__main__":
    by_name = {what.__name__: what for what in WHATS}
    if len(sys.argv) < 3 or sys.argv[2] not in by_name:
        sys.exit(__doc__)
    by_name[sys.argv[2]](sys.argv[1], *sys.argv[3:])
