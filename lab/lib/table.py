# SPDX-License-Identifier: ISC
"""The table of domains: reading and writing it, and what its words mean for names, hosts and addresses.

A name of one label is inside the row's domain; one of several labels, and a domain, lacks only ".example".
"""
import ipaddress
import json
import os
import re
import urllib.parse

COLUMNS = "domain names record policy mx mail https note".split()

# Addresses: the link between the two namespaces, and what stands behind it in the world.
SENDER = "198.19.0.1"
NAMED = ("198.18.0.53", "fd18::53")  # knot: all ordinary zones
ODD_NAMED = "198.18.0.54"  # dnsd.py: zones that misbehave
WEB = ("198.18.1.1", "fd18:1::1")  # nginx: policy hosts, told apart by SNI
OLD_WEB = "198.18.1.2"  # nginx with TLS 1.0 and 1.1 only
SILENT = ("198.18.254.1", "fd18:fe::1")  # nobody: packets vanish
NOWHERE = "fd18:fc::1"  # no such host: a router says so
CLOSED = ("198.18.253.1", "fd18:fd::1")  # a host without servers: connections are refused
ODD_WEB_NET = "198.18.2."  # httpsd.py: an address a policy host
MAIL_NET = "198.18.25."  # smtpd.py: an address a mail host
MAIL_NET6 = "fd18:25::"  # the same for those that have IPv6 only

# The words of the table, as patterns. README says what they mean.
CERTIFICATES = """good wrongname selfsigned expired notyet unknownca cnonly wildcard partialwild tldwild sibling
    iponly""".split()
ODD_HTTPS = "trickle endless bigheader manyheaders http09 garbage hang hangtls close closebody short delay 304".split()
OTHER_HTTPS = """ok html notype charset cached gzip gzipbomb tls11 noaddr addrservfail silent closed v6silent v6closed
    v6unreachable""".split()
OTHER_MAIL = """sni notls stripped st250 st454 st502 tls11 alert tlsclose rcpt450 rcpt550 long550 data451 end451 end550 banner554 mute down
    unreachable noaddr sender attacker""".split()
UNSERVED = "servfail", "timeout", "refused"
NUMBER = "[0-9]+(?:[.][0-9]+)?"
WORDS = {
    "domain": "[a-z0-9.-]+",
    "names": "-|signed|bogus|cname:[a-z0-9.-]+",
    "record": "-|nodata|bogus|truncated|%s|slow=%s|long=[0-9]+|cname:[a-z0-9.-]+|(id=|txt:)[^&]*(&(id=|txt:)[^&]*)*"
        % ("|".join(UNSERVED), NUMBER),
    "policy": "-|(enforce|testing|none)(:[^:;,]+(,[^:;,]+)*)?(;max_age=[0-9]+)?|raw:.*",
    "mx": "-|a|[.]|%s|%s" % ("|".join(UNSERVED), "[0-9]+:[a-z0-9.-]+([,|][0-9]+:[a-z0-9.-]+)*"),
    "mail": "{0}(,{0})*".format(
        "(-|(%s|(slow|lazy|enddelay)=%s|size=[0-9]+|helo=[a-z0-9.-]+|cname=[a-z0-9.-]+)([+](tlsa|badtlsa|attacker|v6|v6dead))*)"
        % ("|".join(CERTIFICATES + OTHER_MAIL), NUMBER)),
    "https": "-|(%s|big=[0-9]+|cname=[a-z0-9.-]+|delay=%s|[2345][0-9][0-9]|30[12378]-other)(@[0-9a-f.:]+(,[0-9a-f.:]+)*)?"
        % ("|".join(CERTIFICATES + OTHER_HTTPS + [k for k in ODD_HTTPS if k != "delay"]), NUMBER),
}


class TableError(Exception):
    pass


class Row:
    """One line of the table, as written; the properties below say what it means."""

    def __init__(self, words, note="", comment=()):
        self.note, self.comment = note, list(comment)
        for column, word in zip(COLUMNS, words):
            setattr(self, column, word)

    def check(self):
        for column, word in zip(COLUMNS, self.words()):
            if not re.fullmatch(WORDS[column], word):
                raise TableError("%s: %s: no such word for %s" % (self.domain, word, column))
        for address in self.https_addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError as e:
                raise TableError("%s: %s" % (self.domain, e)) from e
        if self.record == "bogus" and self.names != "signed":
            raise TableError("%s: only a signed domain can have a bogus record" % self.domain)

    def words(self):
        return [getattr(self, column) for column in COLUMNS[:-1]]

    @property
    def fqdn(self):
        return self.domain + ".example"

    def name(self, word):
        """The full name of a host or pattern that this row speaks of."""
        return word + "." + self.fqdn if "." not in word else word + ".example"

    @property
    def mx_turns(self):
        """The MX sets of this domain, given out one after the other, the last one for good: lists of (preference, host)."""
        if self.mx in ("-", "a", *UNSERVED):
            return []
        return [[self._mx(item) for item in turn.split(",")] for turn in self.mx.split("|")]

    def _mx(self, item):
        if item == ".":
            return 0, "."
        preference, host = item.split(":")
        return int(preference), self.name(host)

    @property
    def hosts(self):
        """The mail hosts this row defines: (name, behaviour, modifiers)."""
        if self.mx == "a":
            names = [self.fqdn]
        else:
            names = [host for turn in self.mx_turns for _, host in turn]
        behaviours = self.mail.split(",")
        if self.mail == "-" or (self.mx_turns and self.mx == "."):
            return []
        if len(names) != len(behaviours):
            raise TableError("%s: %d MX, but %d mail hosts" % (self.domain, len(names), len(behaviours)))
        return [(name, b.split("+")[0], b.split("+")[1:]) for name, b in zip(names, behaviours) if b != "-"]

    @property
    def https_kind(self):
        return self.https.split("@")[0]

    @property
    def https_addresses(self):
        """The addresses of the policy host where the row names them itself (KIND@ADDRESS,ADDRESS)."""
        return self.https.split("@")[1].split(",") if "@" in self.https else []

    @property
    def is_odd_https(self):
        return self.https_kind.split("=")[0] in ODD_HTTPS

    @property
    def records(self):
        """The TXT records at _mta-sts, bytes each; [] where there are none or the column holds a keyword."""
        if self.record.startswith("cname:"):
            return []
        return [self._text(r) for r in self.record.split("&") if r.startswith(("id=", "txt:", "long="))]

    def _text(self, word):
        if word.startswith("id="):
            return b"v=STSv1; id=%s;" % word[3:].encode()
        if word.startswith("long="):
            return b"v=STSv1; id=1; x=".ljust(int(word[5:]) - 1, b"a") + b";"
        return urllib.parse.unquote_to_bytes(word[4:])

    @property
    def policy_body(self):
        """The policy file, or None."""
        if self.policy == "-":
            return None
        if self.policy.startswith("raw:"):
            return urllib.parse.unquote_to_bytes(self.policy[4:])
        head, *options = self.policy.split(";")
        options = dict(o.split("=") for o in options)
        mode, _, patterns = head.partition(":")
        if patterns:
            patterns = [self.name(p) for p in patterns.split(",")]
        elif self.mx == "a":
            patterns = [self.fqdn]
        else:
            patterns = [host for _, host in (self.mx_turns or [[]])[0] if host != "."]
        lines = ["version: STSv1", "mode: " + mode] + ["mx: " + p for p in patterns]
        lines.append("max_age: " + options.get("max_age", "604800"))
        return "".join(line + "\r\n" for line in lines).encode()


def read(path):
    rows, comment = [], []
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                comment.append(line)
                continue
            words = line.split(None, len(COLUMNS) - 1)
            if len(words) < len(COLUMNS) - 1:
                raise TableError("%s:%d: %d columns, not %d" % (path, number, len(words), len(COLUMNS)))
            note = words[7].strip() if len(words) > 7 else ""
            rows.append(Row(words[:7], note, comment))
            comment = []
    if len({r.domain for r in rows}) != len(rows):
        raise TableError("%s: a domain stands there twice" % path)
    return rows


def write(path, rows):
    with open(path + ".new", "w", encoding="ascii") as f:
        for row in rows:
            f.writelines(row.comment)
            f.write(" ".join(word.ljust(16) for word in row.words()) + " " + row.note + "\n")
    os.rename(path + ".new", path)


class Addresses:
    """Which address each host has; kept in a file, so that a change of the table moves nobody."""

    def __init__(self, path):
        self.path, self.given = path, {}
        if os.path.exists(path):
            with open(path, encoding="ascii") as f:
                self.given = json.load(f)

    def of(self, net, name):
        if name not in self.given:
            self.given[name] = net + str(1 + sum(a.startswith(net) for a in self.given.values()))
        return self.given[name]

    def save(self):
        with open(self.path, "w", encoding="ascii") as f:
            json.dump(self.given, f, indent=1)


def is_in_world(address):
    """Whether the world can have this address; the others lead a connection back into the sender's own host, or nowhere."""
    a = ipaddress.ip_address(address)
    if a.version == 6 and (a.ipv4_mapped or a.is_link_local):
        return False
    return not (a.is_loopback or a.is_multicast or a.is_unspecified or address == "255.255.255.255" or address == SENDER)
