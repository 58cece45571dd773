#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Proves that the running lab is as its table says: looks at every row as a sender would, and prints TAP.

usage: selftest.py DIR   (in the sender's namespace, right after lab/publish: each answer given in turn is at its first)

What each word of the table must look like from outside stands here once more, in tables of their own: seen is a short
text, wanted a pattern it must match whole.
"""
import concurrent.futures
import gzip
import os
import re
import smtplib
import socket
import ssl
import sys
import time
import warnings

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import table
from pki import public_key_hash

WAIT = 2.5  # seconds until we call something silent
ENOUGH = 2 << 20  # octets after which we call something endless

CERTIFICATE = {
    "wrongname": "Hostname mismatch.*",
    "sibling": "Hostname mismatch.*",
    "cnonly": "Hostname mismatch.*",
    "partialwild": "Hostname mismatch.*",
    "tldwild": "Hostname mismatch.*",
    "iponly": "Hostname mismatch.*",
    "selfsigned": "self-signed certificate",
    "unknownca": "unable to get local issuer certificate",
    "expired": "certificate has expired",
    "notyet": "certificate is not yet valid",
}

HTTPS = {
    **CERTIFICATE,
    "-": "no address: NXDOMAIN",
    "noaddr": "no address: NXDOMAIN",
    "addrservfail": "no address: SERVFAIL",
    "ok": "200 the policy",
    "good": "200 the policy",
    "wildcard": "200 the policy",
    "html": "200 text/html the policy",
    "notype": "200 no type the policy",
    "charset": "200 text/plain; charset=utf-8 the policy",
    "cached": "200 cached the policy",
    "gzip": "200 gzip the policy",
    "gzipbomb": "200 gzip the policy and 10485760 octets",
    "tls11": "TLS: .*, an old client: 200 the policy",
    "silent": "silent",
    "closed": "refused",
    "v6silent": "200 the policy, silent",
    "v6closed": "200 the policy, refused",
    "v6unreachable": "200 the policy, unreachable",
    "cname": "200 the policy",
    "trickle": "200 the beginning, then silent",
    "endless": "200 endless",
    "bigheader": "200 a header of 10[0-9]{5} octets the policy",
    "manyheaders": "200 a header of 1[0-9]{5} octets the policy",
    "http09": "no status: the policy",
    "garbage": "no status: .*",
    "hang": "silent in TLS",
    "hangtls": "silent after TLS",
    "close": "closed in TLS",
    "closebody": "200 cut short",
    "short": "200 cut short",
    "304": "304",
    "204": "204",
}

MAIL = {
    **{kind: "TLS: " + seen for kind, seen in CERTIFICATE.items()},
    "good": "accepted",
    "wildcard": "accepted",
    "attacker": "accepted",
    "sni": "accepted",
    "slow": "accepted",
    "lazy": "accepted",
    "enddelay": "accepted",
    "size": "accepted",
    "helo": "accepted as odd.name.example",
    "notls": "no STARTTLS",
    "stripped": "no STARTTLS",
    "st250": "STARTTLS 250",
    "st454": "STARTTLS 454",
    "st502": "STARTTLS 502",
    "tls11": "TLS: .*, an old client: accepted",
    "alert": "TLS: SSLV3_ALERT_HANDSHAKE_FAILURE",
    "tlsclose": "closed in TLS",
    "rcpt450": "RCPT 450",
    "rcpt550": "RCPT 550",
    "long550": "RCPT 550",
    "data451": "DATA 451",
    "end451": "DATA 451",
    "end550": "DATA 550",
    "banner554": "banner 554",
    "mute": "silent",
    "down": "refused",
    "unreachable": "silent",
    "noaddr": "no address: NXDOMAIN",
}


class Failed(Exception):
    """What we saw instead of an answer."""


def ask(name, kind):
    """The resolver's answer, or Failed with its response code."""
    query = dns.message.make_query(name, kind, want_dnssec=False, use_edns=True, payload=1232)
    query.flags |= dns.flags.AD
    try:
        answer, _ = dns.query.udp_with_fallback(query, "127.0.0.1", WAIT)
    except dns.exception.Timeout as e:
        raise Failed("silent") from e
    if answer.rcode() != dns.rcode.NOERROR:
        raise Failed(dns.rcode.to_text(answer.rcode()))
    return answer


def records(answer, kind):
    kind = dns.rdatatype.from_text(kind)
    return [rdata for rrset in answer.answer if rrset.rdtype == kind for rdata in rrset]


def addresses(name):
    """The addresses of a name, IPv4 first."""
    found = []
    for kind in "A", "AAAA":
        try:
            found += [r.address for r in records(ask(name, kind), kind)]
        except Failed as e:
            raise Failed("no address: %s" % e) from e
    return found


def connect(address, port):
    try:
        sock = socket.create_connection((address, port), WAIT)
    except ConnectionRefusedError as e:
        raise Failed("refused") from e
    except TimeoutError as e:
        raise Failed("silent") from e
    except OSError as e:
        raise Failed("unreachable") from e
    sock.settimeout(WAIT)
    return sock


class Clients:
    """TLS as policies ask for it; and as a client does that speaks TLS 1.1 and nothing newer."""

    def __init__(self, directory):
        ca = os.path.join(directory, "pki/ca.pem")
        self.strict, self.old = ssl.create_default_context(cafile=ca), ssl.create_default_context(cafile=ca)
        self.strict.hostname_checks_common_name = False
        self.old.set_ciphers("ALL:@SECLEVEL=0")
        self.old.minimum_version, self.old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1


def handshake_failure(e):
    """What an exception of a handshake says."""
    if isinstance(e, ssl.SSLCertVerificationError):
        return e.verify_message
    if isinstance(e, TimeoutError):
        return "silent in TLS"
    if isinstance(e, (ssl.SSLZeroReturnError, ssl.SSLEOFError, ConnectionResetError)):
        return "closed in TLS"
    return "TLS: %s" % (isinstance(e, ssl.SSLError) and e.reason or e)


# --- what a row should look like


def wanted_records(row, rows, seen=()):
    """The texts of a row's record as the sender should get them, or a response code."""
    if row.domain in seen:
        return "SERVFAIL"
    if row.names == "bogus" or row.record in ("bogus", "servfail", "refused"):
        return "SERVFAIL"
    if row.record in ("-", "timeout", "nodata"):
        return {"-": "NXDOMAIN", "timeout": "silent|SERVFAIL", "nodata": ""}[row.record]
    if row.record.startswith("cname:"):
        return wanted_records(rows[row.record[6:]], rows, (*seen, row.domain))
    return "|".join(sorted(repr(r) for r in (row.records or [b"v=STSv1; id=1;"])))


def is_secure(row):
    return row.names == "signed" or row.names.startswith("cname:")


def check_record(row, rows, _):
    wanted, begin = wanted_records(row, rows), time.monotonic()
    try:
        answer = ask("_mta-sts." + row.fqdn, "TXT")
    except Failed as e:
        return str(e) in wanted.split("|"), str(e), wanted
    seen = "|".join(sorted(repr(b"".join(r.strings)) for r in records(answer, "TXT")))
    if row.record.startswith("slow=") and time.monotonic() - begin < float(row.record[5:]):
        seen += " too early"
    has_ad = bool(answer.flags & dns.flags.AD)
    wanted_ad = is_secure(row) and not row.record.startswith("cname:")
    return (seen, has_ad) == (wanted, wanted_ad), "%s AD=%s" % (seen, has_ad), "%s AD=%s" % (wanted, wanted_ad)


def check_mx(row, rows, _):
    wanted = [["%d %s" % mx for mx in turn] for turn in row.mx_turns] or [[]]
    if row.names.startswith("cname:"):
        wanted = [["%d %s" % mx for mx in rows[row.names[6:]].mx_turns[0]]]
    code = "SERVFAIL" if row.names == "bogus" or row.mx in ("servfail", "refused", "timeout") else None
    seen = []
    for _ in range(len(wanted) + (len(wanted) > 1)):
        try:
            answer = ask(row.fqdn, "MX")
            seen.append(["%d %s" % (r.preference, r.exchange.to_text(True) or ".") for r in records(answer, "MX")])
            if bool(answer.flags & dns.flags.AD) != (row.names == "signed"):
                return False, "AD is wrong", row.names
        except Failed as e:
            if row.mx == "timeout" and str(e) == "silent":
                return True, "", ""
            return str(e) == code, str(e), str(code)
    wanted += [wanted[-1]] * (len(seen) - len(wanted))  # the last one for good
    return [sorted(s) for s in seen] == [sorted(w) for w in wanted], str(seen), str(wanted)


# --- policy hosts


def fetch(row, address, tls):
    """One GET: what came back, in a few words."""
    with connect(address, 443) as sock:
        try:
            sock = tls.wrap_socket(sock, server_hostname="mta-sts." + row.fqdn)
        except OSError as e:
            raise Failed(handshake_failure(e)) from e
        with sock:
            request = "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.%s\r\nConnection: close\r\n\r\n"
            sock.sendall((request % row.fqdn).encode())
            raw, is_silent = read_all(sock)
    return describe(row, raw, is_silent)


def read_all(sock):
    """What the server says: until it ends, falls silent, or has said enough."""
    parts, size = [], 0
    try:
        while size < ENOUGH and (part := sock.recv(65536)):
            parts.append(part)
            size += len(part)
    except TimeoutError:
        return b"".join(parts), True
    except OSError:
        pass
    return b"".join(parts), False


def describe(row, raw, is_silent):
    policy = row.policy_body or b""
    if is_silent and not raw:
        return "silent after TLS"
    if not raw.startswith(b"HTTP/1.1 "):
        return "no status: " + ("the policy" if raw == policy else repr(raw[:20]))
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    words = [head.split()[1].decode()]
    if len(raw) >= ENOUGH:
        return words[0] + " endless"
    if "location" in fields:
        return words[0] + " to " + fields["location"]
    if words[0] in ("204", "304"):
        return words[0]
    if len(head) > 10000:
        words.append("a header of %d octets" % len(head))
    kind = fields.get("content-type", "no type")
    if kind != "text/plain":
        words.append(kind)
    if "immutable" in fields.get("cache-control", ""):
        words.append("cached")
    if is_silent and policy.startswith(body):
        return words[0] + " the beginning, then silent"
    if int(fields.get("content-length", len(body) + 1)) > len(body):
        return words[0] + " cut short"
    if "content-encoding" in fields:
        words.append(fields["content-encoding"])
        body = gzip.decompress(body)
    if body == policy:
        words.append("the policy")
    elif policy and body.startswith(policy):
        words.append("the policy and %d octets" % len(body))
    return " ".join(words)


def wanted_https(row):
    kind, _, value = row.https_kind.partition("=")
    if kind == "big":
        return "200 the policy and %s octets" % value
    if kind == "delay":
        return "200 the policy" if float(value) < WAIT else "silent after TLS"
    if kind[:2] == "30" and kind != "304":
        where = "mta-sts.good.example/.well-known/mta-sts.txt" if "other" in kind else "mta-sts.%s/moved" % row.fqdn
        return "%s to https://%s" % (kind[:3], where)
    if kind[:3].isdigit() and kind not in HTTPS:
        return kind + " the policy"
    if row.names == "bogus":
        return "no address: SERVFAIL"
    if row.policy == "-" and kind == "ok":
        return "404 text/html"
    if row.https_addresses:
        return ", ".join({"200 the policy" if leads_somewhere(a) else "unreachable" for a in row.https_addresses})
    return HTTPS[kind]


def leads_somewhere(address):
    return table.is_in_world(address) or not address.startswith(("224.", "255.", "fe80:", "ff02:"))


def check_https(row, _, clients):
    wanted = wanted_https(row)
    begin = time.monotonic()
    seen = []
    try:
        found = addresses("mta-sts." + row.fqdn)
    except Failed as e:
        found, seen = [], [str(e)]
    for address in found:
        try:
            seen.append(fetch(row, address, clients.strict))
        except Failed as e:
            seen.append(str(e))
    if row.https_kind == "tls11":
        seen.append("an old client: " + fetch(row, found[0], clients.old))
    if row.https_kind.startswith("delay") and time.monotonic() - begin < min(WAIT, float(row.https_kind[6:])):
        seen.append("too early")
    if len(set(seen)) == 1:  # the same by IPv4 and IPv6
        seen = seen[:1]
    return re.fullmatch(wanted, ", ".join(seen), re.DOTALL) is not None, ", ".join(seen), wanted


# --- mail hosts


def deliver(row, name, tls):
    """Bring one message to a mail host as strictly as a policy asks for: how far it got, in a few words."""
    found = addresses(name)
    if not found:
        raise Failed("no address: none")
    connect(found[0], 25).close()
    smtp = smtplib.SMTP(timeout=max(WAIT, 5) if "slow" in row.mail else WAIT, local_hostname="mail.sender.example")
    smtp._host = name  # what starttls() verifies and sends as SNI, while we connect by address
    try:
        code, _ = smtp.connect(found[0], 25)
        smtp._host = name
        if code != 220:
            return "banner %d" % code
        smtp.ehlo()
        if not smtp.has_extn("starttls"):
            return "no STARTTLS"
        code, _ = smtp.docmd("STARTTLS")
        if code != 220:
            return "STARTTLS %d" % code
        try:
            smtp.sock = tls.wrap_socket(smtp.sock, server_hostname=name)
        except OSError as e:
            seen = handshake_failure(e)
            return seen if seen.startswith(("TLS: ", "closed")) else "TLS: " + seen
        smtp.file = None
        check_tlsa(row, name, smtp.sock.getpeercert(True))
        _, helo = smtp.ehlo()
        smtp.mail("selftest@sender.example")
        code, _ = smtp.rcpt("u@" + row.fqdn)
        if code != 250:
            return "RCPT %d" % code
        try:
            code, _ = smtp.data("Subject: selftest\r\n\r\n.hello\r\n")
        except smtplib.SMTPDataError as e:
            return "DATA %d" % e.smtp_code
        if code != 250:
            return "DATA %d" % code
        helo = helo.decode().split("\n")[0]
        return "accepted" if helo == name else "accepted as " + helo
    except (TimeoutError, smtplib.SMTPServerDisconnected) as e:
        return "silent" if "timed out" in str(e) else "closed: %s" % e
    finally:
        smtp.close()


def check_tlsa(row, name, certificate):
    modifiers = next(m for n, _, m in row.hosts if n == name)
    if not {"tlsa", "badtlsa"} & set(modifiers):
        return
    answer = ask("_25._tcp." + name, "TLSA")
    fits = any(r.cert == public_key_hash(certificate) for r in records(answer, "TLSA"))
    if fits != ("tlsa" in modifiers) or not answer.flags & dns.flags.AD:
        raise Failed("TLSA is wrong")


def check_host(row, name, behaviour, modifiers, clients):
    kind, tls = behaviour.split("=")[0], clients.strict
    wanted = "no address: SERVFAIL" if row.names == "bogus" else MAIL[kind]
    if "tlsa" in modifiers and kind in CERTIFICATE:  # DANE does not ask who signed it, nor for whom
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode, wanted = False, ssl.CERT_NONE, "accepted"
    try:
        seen = deliver(row, name, tls)
        if kind == "tls11":
            seen += ", an old client: " + deliver(row, name, clients.old)
    except Failed as e:
        seen = str(e)
    return re.fullmatch(wanted, seen) is not None, seen, wanted


def checks(rows, clients):
    """All there is to check: (name, function without arguments)."""
    by_domain = {row.domain: row for row in rows}
    for row in rows:
        for what, check in ("record", check_record), ("mx", check_mx), ("https", check_https):
            yield "%s %s" % (row.fqdn, what), lambda row=row, check=check: check(row, by_domain, clients)
        for name, behaviour, modifiers in row.hosts:
            if behaviour != "sender" and not behaviour.startswith("cname="):
                host = name, behaviour, modifiers
                yield "%s %s" % (name, behaviour), lambda row=row, host=host: check_host(row, *host, clients)


def main():
    directory = sys.argv[1]
    warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is deprecated: that is why we try it
    rows = table.read(os.path.join(directory, "domains"))
    todo = list(checks(rows, Clients(directory)))
    print("1..%d" % len(todo))
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        for number, ((name, _), done) in enumerate(zip(todo, [pool.submit(f) for _, f in todo]), 1):
            try:
                is_ok, seen, wanted = done.result()
            except Exception as e:  # a check that breaks is a check that fails; the others go on
                is_ok, seen, wanted = False, repr(e), "no exception"
            print("%s %d - %s" % ("ok" if is_ok else "not ok", number, name), flush=True)
            if not is_ok:
                failures += 1
                print("# seen:   %s\n# wanted: %s" % (seen, wanted), flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
