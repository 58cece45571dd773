# SPDX-License-Identifier: ISC
"""The names of the lab: a zone a domain below a signed "example", and what knot, unbound and dnsd.py must know of them."""
import os
import subprocess
import time

import table
import web

KEYMGR = "/usr/sbin/keymgr"
BAD_DS = "1 13 2 " + "ab" * 32  # belongs to no key: what stands below it is bogus


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


def is_odd_record(word):
    return word in (*table.UNSERVED, "truncated") or word.startswith("slow=")


def is_odd(row):
    return is_odd_record(row.record) or row.mx in table.UNSERVED or len(row.mx_turns) > 1 or row.https_kind == "addrservfail"


def make(lab, hosts):
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
        if "v6dead" in host.modifiers:
            add_address(zones, host.name, table.NOWHERE)
        if "tlsa" in host.modifiers:
            zones.add("_25._tcp." + host.name, "TLSA", lab.pki.tlsa(host.certificate))
        if "badtlsa" in host.modifiers:
            zones.add("_25._tcp." + host.name, "TLSA", "3 1 1 " + "ab" * 32)
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
    elif row.record in ("truncated", "bogus") or row.record.startswith("slow="):
        zones.add(txt, "TXT", quote(b"v=STSv1; id=1;"))
    for record in row.records:
        zones.add(txt, "TXT", quote(record))
    for preference, host in (row.mx_turns or [[]])[0]:
        zones.add(row.fqdn, "MX", "%d %s" % (preference, "." if host == "." else dot(host)))
    if row.https_kind.startswith("cname="):
        zones.add("mta-sts." + row.fqdn, "CNAME", "mta-sts.%s." % (row.https_kind[6:] + ".example"))
        return
    for address in web.addresses(lab, row):
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


def write(lab, zones):
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
        if is_odd_record(row.record):
            odd["_mta-sts.%s. TXT" % row.fqdn] = row.record
        if row.mx in table.UNSERVED:
            odd["%s. MX" % row.fqdn] = row.mx
        if len(row.mx_turns) > 1:
            odd["%s. MX" % row.fqdn] = [["%d %s." % mx for mx in turn] for turn in row.mx_turns]
        if row.https_kind == "addrservfail":
            odd.update({"mta-sts.%s. %s" % (row.fqdn, kind): "servfail" for kind in ("A", "AAAA")})
    files = {dot(z.name): lab.path("zones", z.name + ".zone") for z in zones.values() if z.is_odd}
    return {"address": table.ODD_NAMED, "zones": files, "odd": odd}
