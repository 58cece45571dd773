#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Makes everything the lab's servers need from the table in DIR/domains: zones, certificates, policies, configurations.

usage: make.py DIR [DOMAIN COLUMN=WORD...]

With a domain, its row is changed first. Prints a word for every file that is not as it was: "zone NAME", or a server's
name. Reads and writes below DIR alone.
"""
import concurrent.futures
import gzip
import json
import os
import subprocess
import sys
import time

import table
from pki import Pki

KEYMGR = "/usr/sbin/keymgr"
BAD_DS = "1 13 2 " + "ab" * 32  # belongs to no key: what stands below it is bogus
UNSERVED = "servfail", "timeout", "refused"


class Lab:
    def __init__(self, directory):
        self.dir = directory
        self.changed = []
        self.rows = table.read(self.path("domains"))
        self.pki = Pki(self.path("pki"))
        self.addresses = table.Addresses(self.path("addresses.json"))

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def put(self, name, content, word):
        """Write a file if its content is new; word is what to tell the caller then."""
        path = self.path(name)
        if isinstance(content, str):
            content = content.encode("ascii")
        if os.path.exists(path):
            with open(path, "rb") as f:
                if f.read() == content:
                    return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as f:
            f.write(content)
        os.rename(path + ".new", path)
        if word and word not in self.changed:
            self.changed.append(word)

    def put_json(self, name, value, word):
        self.put(name, json.dumps(value, indent=1, sort_keys=True), word)


# --- mail hosts


class MailHost:
    def __init__(self, name, behaviour, modifiers):
        self.name, self.behaviour, self.modifiers = name, behaviour, modifiers
        self.address, self.certificate = None, None


def mail_hosts(lab):
    """All mail hosts of the table by name, with address and certificate where the lab plays them."""
    hosts = {}
    for row in lab.rows:
        for name, behaviour, modifiers in row.hosts:
            if name in hosts:
                raise table.TableError("%s: mail host %s is defined twice" % (row.domain, name))
            hosts[name] = MailHost(name, behaviour, modifiers)
    for row in lab.rows:
        for _, name in [mx for turn in row.mx_turns for mx in turn]:
            if name != "." and name not in hosts:
                raise table.TableError("%s: mail host %s is defined nowhere" % (row.domain, name))
    aliases = {}
    for host in hosts.values():
        if host.behaviour.startswith("cname="):
            aliases.setdefault(host.behaviour[6:] + ".example", []).append(host.name)
    fixed = {"sender": table.SENDER, "down": table.CLOSED[0], "unreachable": table.SILENT[0]}
    for host in hosts.values():
        if host.behaviour.startswith("cname=") or host.behaviour == "noaddr":
            continue
        host.address = fixed.get(host.behaviour) or lab.addresses.of(table.MAIL_NET, host.name)
        if host.behaviour not in fixed:
            kind = host.behaviour if host.behaviour in table.CERTIFICATES else "good"
            more = aliases.get(host.name, ()) if kind == "good" else ()
            host.certificate = lab.pki.get(kind, host.name, host.address, host.behaviour == "tls11", more)
    return hosts


# --- names


class Zone:
    def __init__(self, name, is_signed=False, is_odd=False):
        self.name, self.is_signed, self.is_odd = name, is_signed, is_odd
        self.records = []

    def text(self, serial):
        lines = ["%s 300 SOA ns.example. hostmaster.example. %d 3600 600 86400 60" % (dot(self.name), serial)]
        lines.append("%s 300 NS %s." % (dot(self.name), "odd.example" if self.is_odd else "ns.example"))
        return "\n".join(lines + self.records) + "\n"


class Zones(dict):
    """The zones by name without the final dot; the root is ''."""

    def holding(self, name, above=False):
        """The zone that a name is in; above: the zone that a zone of this name hangs in."""
        labels = name.split(".") if name else []
        for i in range(1 if above else 0, len(labels) + 1):
            zone = self.get(".".join(labels[i:]))
            if zone is not None:
                return zone
        raise KeyError(name)

    def add(self, name, kind, data, zone=None):
        (zone or self.holding(name)).records.append("%s 60 %s %s" % (dot(name), kind, data))


def dot(name):
    return name + "."


def quote(text):
    """One TXT record in a zone file's words: strings of up to 255 octets, every octet that is not plain as \\DDD."""
    parts = [text[i : i + 255] for i in range(0, len(text), 255)] or [b""]
    plain = [c for c in range(0x20, 0x7F) if c not in b'"\\']
    return " ".join('"%s"' % "".join(chr(c) if c in plain else "\\%03d" % c for c in p) for p in parts)


def is_odd(row):
    odd_record = row.record in (*UNSERVED, "truncated")
    return odd_record or row.mx in UNSERVED or len(row.mx_turns) > 1 or row.https_kind == "addrservfail"


def make_zones(lab, hosts):
    zones = Zones({"": Zone("", True), "example": Zone("example", True)})
    for row in lab.rows:
        if not row.names.startswith("cname:"):
            zones[row.fqdn] = Zone(row.fqdn, row.names == "signed", is_odd(row))
        if row.record == "bogus":
            zones["_mta-sts." + row.fqdn] = Zone("_mta-sts." + row.fqdn)
    for name, *addresses in ("ns.example", *table.NAMED), ("odd.example", table.ODD_NAMED):
        for address in addresses:
            add_address(zones, name, address)
            add_address(zones, name, address, zones[""])  # glue
    for row in lab.rows:
        add_row(lab, zones, row)
    for host in hosts.values():
        if host.behaviour.startswith("cname="):
            zones.add(host.name, "CNAME", dot(host.behaviour[6:] + ".example"))
        elif host.address:
            add_address(zones, host.name, host.address)
        if "tlsa" in host.modifiers:
            zones.add("_25._tcp." + host.name, "TLSA", lab.pki.tlsa(host.certificate))
        if "badtlsa" in host.modifiers:
            zones.add("_25._tcp." + host.name, "TLSA", "3 0 1 " + "ab" * 32)
    delegate(lab, zones)
    return zones


def add_address(zones, name, address, zone=None):
    zones.add(name, "AAAA" if ":" in address else "A", address, zone)


def add_row(lab, zones, row):
    txt = "_mta-sts." + row.fqdn
    if row.names.startswith("cname:"):
        zones.add(row.fqdn, "CNAME", dot(row.names[6:] + ".example"))
    if row.record.startswith("cname:"):
        zones.add(txt, "CNAME", dot("_mta-sts." + row.record[6:] + ".example"))
    elif row.record == "nodata":
        zones.add(txt, "HINFO", "none none")
    elif row.record in ("truncated", "bogus"):
        zones.add(txt, "TXT", quote(b"v=STSv1; id=1;"))
    for record in row.records:
        zones.add(txt, "TXT", quote(record))
    for preference, host in (row.mx_turns or [[]])[0]:
        zones.add(row.fqdn, "MX", "%d %s" % (preference, "." if host == "." else dot(host)))
    for address in web_addresses(lab, row):
        add_address(zones, "mta-sts." + row.fqdn, address)


def delegate(lab, zones):
    """NS records, and DS for what is signed, in the zone above each zone."""
    for zone in list(zones.values()):
        if zone.name == "":
            continue
        parent = zones.holding(zone.name, above=True)
        parent.records.append("%s 300 NS %s." % (dot(zone.name), "odd.example" if zone.is_odd else "ns.example"))
        is_bogus = zone.name.startswith("_mta-sts.") or any(r.fqdn == zone.name and r.names == "bogus" for r in lab.rows)
        if is_bogus:
            parent.records.append("%s 300 DS %s" % (dot(zone.name), BAD_DS))


def write_zones(lab, zones):
    signed = [z for z in zones.values() if z.is_signed]
    names = [z.name for z in zones.values() if not z.is_odd]
    lab.put("knot.conf", knot_conf(lab, names, {z.name for z in signed}), "knot")
    for zone in signed:
        ds = keys(lab, dot(zone.name))
        if zone.name:
            zones.holding(zone.name, above=True).records.append("%s 300 DS %s" % (dot(zone.name), ds))
        else:
            lab.put("trust-anchor", ". IN DS %s\n" % ds, "unbound")
    for zone in zones.values():
        name = "zones/%s.zone" % (zone.name or "root")
        serial = 1
        if os.path.exists(lab.path(name)):
            with open(lab.path(name), encoding="ascii") as f:
                serial = int(f.readline().split()[5])
                f.seek(0)
                if f.read() == zone.text(serial):
                    continue
        lab.put(name, zone.text(max(serial + 1, int(time.time()))), "dnsd" if zone.is_odd else "zone " + dot(zone.name))


def keys(lab, zone):
    """The DS record of a zone's key, which is made the first time."""
    name = "ds/" + (zone[:-1] or "root")
    if not os.path.exists(lab.path(name)):
        keymgr = [KEYMGR, "-c", lab.path("knot.conf"), zone]
        run(*keymgr, "generate", "ksk=yes", "zsk=yes", "algorithm=ecdsap256sha256")
        lab.put(name, next(line for line in run(*keymgr, "ds").splitlines() if line.split()[4] == "2"), None)
    with open(lab.path(name), encoding="ascii") as f:
        return f.read().split(None, 2)[2]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(command), done.stderr or done.stdout))
    return done.stdout


def knot_conf(lab, names, signed):
    conf = [
        "server:",
        "  rundir: " + lab.path("run"),
        "  listen: [%s]" % ", ".join(table.NAMED),
        "  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1",
        "control:\n  listen: " + lab.path("run/knot.ctl"),
        "log:\n- target: %s\n  any: info" % lab.path("log/knot"),
        "database:\n  storage: " + lab.path("knot"),
        "policy:\n- id: lab\n  manual: on",
        "template:",
        "- id: default\n  storage: %s\n  zonefile-sync: -1\n  semantic-checks: off" % lab.path("zones"),
        "- id: signed\n  storage: %s\n  zonefile-sync: -1\n  semantic-checks: off\n  zonefile-load: difference-no-serial"
        "\n  journal-content: all\n  dnssec-signing: on\n  dnssec-policy: lab" % lab.path("zones"),
        "zone:",
    ]
    for name in sorted(names):
        conf.append("- domain: %s\n  file: %s.zone" % (dot(name), name or "root"))
        if name in signed:
            conf.append("  template: signed")
    return "\n".join(conf) + "\n"


def unbound_conf(lab, zones):
    conf = """server:
	directory: "%(dir)s"
	username: ""
	chroot: ""
	pidfile: ""
	use-syslog: no
	logfile: "%(dir)s/log/dns"
	log-queries: yes
	verbosity: 0
	interface: 127.0.0.1
	num-threads: 1
	module-config: "validator iterator"
	trust-anchor-file: "%(dir)s/trust-anchor"
	root-hints: "%(dir)s/root-hints"
	unblock-lan-zones: yes
	insecure-lan-zones: yes
	aggressive-nsec: no
	infra-keep-probing: yes
	infra-host-ttl: 1
remote-control:
	control-enable: yes
	control-use-cert: no
	control-interface: "%(dir)s/run/unbound.ctl"
""" % {"dir": lab.dir}
    # what may change from one question to the next must not be remembered
    for zone in zones.values():
        if zone.is_odd:
            conf += 'stub-zone:\n\tname: "%s"\n\tstub-addr: %s\n\tstub-no-cache: yes\n' % (zone.name, table.ODD_NAMED)
    return conf


def dnsd_conf(lab, zones):
    """For dnsd.py: its zones, and the questions it answers otherwise than from the zone."""
    odd = {}
    for row in lab.rows:
        if row.record in (*UNSERVED, "truncated"):
            odd["_mta-sts.%s. TXT" % row.fqdn] = row.record
        if row.mx in UNSERVED:
            odd["%s. MX" % row.fqdn] = row.mx
        if len(row.mx_turns) > 1:
            odd["%s. MX" % row.fqdn] = [["%d %s." % mx for mx in turn] for turn in row.mx_turns]
        if row.https_kind == "addrservfail":
            odd.update({"mta-sts.%s. %s" % (row.fqdn, kind): "servfail" for kind in ("A", "AAAA")})
    files = {dot(z.name): lab.path("zones", z.name + ".zone") for z in zones.values() if z.is_odd}
    return {"address": table.ODD_NAMED, "zones": files, "odd": odd}


# --- policy hosts


def web_addresses(lab, row):
    kind = row.https_kind
    if kind in ("-", "noaddr", "addrservfail"):
        return []
    if row.https_addresses:
        return row.https_addresses
    if row.is_odd_https:
        return [lab.addresses.of(table.ODD_WEB_NET, "mta-sts." + row.fqdn)]
    return {
        "tls11": [table.OLD_WEB],
        "silent": [table.SILENT[0]],
        "closed": [table.CLOSED[0]],
        "v6silent": [table.WEB[0], table.SILENT[1]],
        "v6closed": [table.WEB[0], table.CLOSED[1]],
    }.get(kind, table.WEB)


def web_certificate(lab, row):
    kind = row.https_kind if row.https_kind in table.CERTIFICATES else "good"
    return lab.pki.get(kind, "mta-sts." + row.fqdn, table.WEB[0], rsa=row.https_kind == "tls11")


def write_bodies(lab):
    """The octets each policy host gives out, where the table says: padded or packed."""
    for row in lab.rows:
        body = row.policy_body
        name = "www/%s/mta-sts.txt" % row.fqdn
        if body is None:
            if os.path.exists(lab.path(name)):
                os.unlink(lab.path(name))
            continue
        kind, _, value = row.https_kind.partition("=")
        if kind == "big":
            body = padded(body, int(value))
        elif kind == "gzip":
            body = gzip.compress(body, mtime=0)
        elif kind == "gzipbomb":
            body = gzip.compress(padded(body, 10 << 20), mtime=0)
        lab.put(name, body, None)


def padded(body, size):
    """A policy of exactly this many octets: the rest is extension fields of up to 1000 octets."""
    lines, room = [body], size - len(body)
    while room > 0:
        n = room if room <= 1000 else min(1000, room - 10)
        lines.append(b"x: " + b"a" * (n - 5) + b"\r\n")
        room -= n
    return b"".join(lines)


def nginx_conf(lab):
    conf = """daemon off;
user root;
pid %(dir)s/run/nginx.own.pid;
error_log %(dir)s/log/nginx info;
worker_processes 1;
events { worker_connections 512; }
http {
	access_log off;
	log_format lab '$msec get host=$host sni=$ssl_server_name tls=$ssl_protocol status=$status method=$request_method uri=$request_uri '
		'to=$server_addr http=$server_protocol agent="$http_user_agent" encoding="$http_accept_encoding" '
		'conditional="$http_if_none_match$http_if_modified_since" cookie="$http_cookie"';
	types { }
	default_type text/plain;
	server_tokens off;
	client_body_temp_path %(dir)s/run/nginx.body;
	proxy_temp_path %(dir)s/run/nginx.proxy;
	fastcgi_temp_path %(dir)s/run/nginx.fastcgi;
	uwsgi_temp_path %(dir)s/run/nginx.uwsgi;
	scgi_temp_path %(dir)s/run/nginx.scgi;
	ssl_protocols TLSv1.2 TLSv1.3;
	server_names_hash_bucket_size 128;
	server_names_hash_max_size 1024;
""" % {"dir": lab.dir}
    default = lab.pki.get("good", "web.example")
    for addresses, extra in (table.WEB, ""), ((table.OLD_WEB,), "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; "):
        conf += "\tserver { %s%sssl_certificate %s; ssl_certificate_key %s; access_log %s lab; return 421; }\n" % (
            "".join("listen %s ssl default_server; " % socket_of(a) for a in addresses), extra, default, default,
            lab.path("log/https"))
    for row in lab.rows:
        if row.https_kind not in ("-", "noaddr", "silent", "closed", "addrservfail") and not row.is_odd_https:
            conf += nginx_server(lab, row)
    return conf + "}\n"


def socket_of(address):
    return "[%s]:443" % address if ":" in address else address + ":443"


def nginx_server(lab, row):
    """A server that gives the policy at its well-known place, and at /moved, where its redirections lead."""
    kind = row.https_kind
    mine = [a for a in web_addresses(lab, row) if table.is_in_world(a) and a not in table.SILENT + table.CLOSED]
    file = lab.path("www", row.fqdn, "mta-sts.txt")
    body = (row.policy_body or b"").decode("latin-1")
    text = body.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n").replace("$", "")
    action = "alias %s;" % file
    if kind[:3].isdigit():
        status, _, other = kind.partition("-")
        if status.startswith("3") and status != "304":
            where = "mta-sts.good.example/.well-known/mta-sts.txt" if other else "mta-sts.%s/moved" % row.fqdn
            action = "return %s https://%s;" % (status, where)
        else:
            action = 'return %s "%s";' % (status, text)
    elif kind in ("gzip", "gzipbomb"):
        action += " add_header Content-Encoding gzip;"
    elif kind == "html":
        action += " default_type text/html;"
    elif kind == "notype":
        action += ' default_type "";'
    elif kind == "charset":
        action += ' default_type "text/plain; charset=utf-8";'
    elif kind == "cached":
        action += ' add_header Cache-Control "public, max-age=31536000, immutable"; expires max;'
    tls = "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; " if kind == "tls11" else ""
    certificate = web_certificate(lab, row)
    return """	server {
		server_name mta-sts.%s;
		%sssl_certificate %s; ssl_certificate_key %s;
		%saccess_log %s lab;
		location = /.well-known/mta-sts.txt { %s }
		location = /moved { alias %s; }
		location / { return 404; }
	}
""" % (row.fqdn, "".join("listen %s ssl; " % socket_of(a) for a in mine), certificate, certificate, tls,
       lab.path("log/https"), action, file)


def httpsd_conf(lab, side):
    """For httpsd.py: its addresses, what it does on each, and the hosts it is there.

    In the world these are the policy hosts that nginx cannot play; in the sender's own host, one for every policy host
    whose address leads back there.
    """
    listeners = {}
    for row in lab.rows:
        host = {"certificate": None, "body": lab.path("www", row.fqdn, "mta-sts.txt")}
        if side == "world" and row.is_odd_https:
            addresses, kind = web_addresses(lab, row), row.https_kind
        elif side == "sender" and any(not table.is_in_world(a) for a in row.https_addresses):
            addresses, kind = ["0.0.0.0", "::"], "ok"
        else:
            continue
        host["certificate"] = web_certificate(lab, row)
        for address in addresses:
            listener = listeners.setdefault(address, {"kind": kind, "hosts": {}})
            listener["hosts"]["mta-sts." + row.fqdn] = host
    return {"log": lab.path("log/https"), "listeners": listeners}


def smtpd_conf(lab, hosts):
    played = {
        h.address: {"name": h.name, "behaviour": h.behaviour, "modifiers": h.modifiers, "certificate": h.certificate}
        for h in hosts.values() if h.certificate
    }
    return {"log": lab.path("log/smtp"), "mail": lab.path("mail"), "hosts": played,
            "default": lab.pki.get("wrongname", "mx.other.example")}


def world_addresses(lab, hosts):
    """All addresses that the world's servers listen on, and the closed one."""
    found = {*table.NAMED, table.ODD_NAMED, *table.WEB, table.OLD_WEB, *table.CLOSED}
    found |= {h.address for h in hosts.values() if h.certificate}
    for row in lab.rows:
        found |= {a for a in web_addresses(lab, row) if table.is_in_world(a)}
    return sorted(found - set(table.SILENT))


def make_certificates(lab):
    """The certificates of the policy hosts, on both processors; those of the mail hosts follow one by one."""
    rows = [r for r in lab.rows if r.https_kind not in ("-", "noaddr") and web_addresses(lab, r)]
    plain = [r for r in rows if r.https_kind not in ("expired", "notyet")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda row: web_certificate(lab, row), plain))


def main():
    lab = Lab(sys.argv[1])
    if len(sys.argv) > 2:
        change(lab, sys.argv[2], sys.argv[3:])
    make_certificates(lab)
    hosts = mail_hosts(lab)
    zones = make_zones(lab, hosts)
    write_zones(lab, zones)
    write_bodies(lab)
    lab.put("root-hints", ". 3600 IN NS ns.example.\nns.example. 3600 IN A %s\n" % table.NAMED[0], "unbound")
    lab.put("unbound.conf", unbound_conf(lab, zones), "unbound")
    lab.put("nginx.conf", nginx_conf(lab), "nginx")
    lab.put_json("dnsd.json", dnsd_conf(lab, zones), "dnsd")
    lab.put_json("httpsd.json", httpsd_conf(lab, "world"), "httpsd")
    lab.put_json("loopback.json", httpsd_conf(lab, "sender"), "loopback")
    lab.put_json("smtpd.json", smtpd_conf(lab, hosts), "smtpd")
    lab.put("addresses", "".join(a + "\n" for a in world_addresses(lab, hosts)), "addresses")
    lab.addresses.save()
    print("\n".join(lab.changed))


def change(lab, domain, settings):
    domain = domain.removesuffix(".example")
    row = next((r for r in lab.rows if r.domain == domain), None)
    if row is None:
        raise table.TableError("no domain %s.example in the table" % domain)
    for setting in settings:
        column, _, word = setting.partition("=")
        if column == "id":
            column, word = "record", setting
        if column not in table.COLUMNS[1:-1] or not word or word.split() != [word]:
            raise table.TableError("%s: not COLUMN=WORD" % setting)
        setattr(row, column, word)
    table.write(lab.path("domains"), lab.rows)


if __name__ == "__main__":
    try:
        main()
    except (table.TableError, RuntimeError) as e:
        sys.exit("lab: %s" % e)
