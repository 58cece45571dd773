#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Makes everything the lab's servers need from the table in DIR/domains: zones, certificates, policies, configurations.

usage: make.py DIR [DOMAIN COLUMN=WORD...]

With a domain, its row is changed first. Prints a word for every file that is not as it was: "zone NAME", or a server's
name. Reads and writes below DIR alone.
"""
import concurrent.futures
import json
import os
import sys

import names
import table
import web
from pki import Pki


class Lab:
    def __init__(self, directory):
        self.dir = directory
        self.changed = []
        self.rows = table.read(self.path("domains"))
        self.pki = Pki(self.path("pki"))
        self.addresses = table.Addresses(self.path("addresses.json"))

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

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
        net = table.MAIL_NET6 if "v6" in host.modifiers else table.MAIL_NET
        host.address = fixed.get(host.behaviour) or lab.addresses.of(net, host.name)
        if host.behaviour not in fixed:
            kind = host.behaviour if host.behaviour in table.CERTIFICATES else "good"
            more = aliases.get(host.name, ()) if kind == "good" else ()
            host.certificate = lab.pki.get(kind, host.name, host.address, host.behaviour == "tls11", more)
    return hosts


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
        found |= {a for a in web.addresses(lab, row) if table.is_in_world(a)}
    return sorted(found - {*table.SILENT, table.NOWHERE})


def make_certificates(lab):
    """The certificates of the policy hosts, on both processors; those of the mail hosts follow one by one."""
    rows = [r for r in lab.rows if r.https_kind not in ("-", "noaddr") and web.addresses(lab, r)]
    plain = [r for r in rows if r.https_kind not in ("expired", "notyet")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda row: web.certificate(lab, row), plain))


def main():
    lab = Lab(sys.argv[1])
    if len(sys.argv) > 2:
        change(lab, sys.argv[2], sys.argv[3:])
    for row in lab.rows:
        row.check()
    make_certificates(lab)
    hosts = mail_hosts(lab)
    zones = names.make(lab, hosts)
    names.write(lab, zones)
    web.write_bodies(lab)
    lab.put("root-hints", ". 3600 IN NS ns.example.\nns.example. 3600 IN A %s\n" % table.NAMED[0], "unbound")
    lab.put("unbound.conf", names.unbound_conf(lab, zones), "unbound")
    lab.put("nginx.conf", web.nginx_conf(lab), "nginx")
    lab.put_json("dnsd.json", names.dnsd_conf(lab, zones), "dnsd")
    lab.put_json("httpsd.json", web.httpsd_conf(lab, "world"), "httpsd")
    lab.put_json("loopback.json", web.httpsd_conf(lab, "sender"), "loopback")
    lab.put_json("smtpd.json", smtpd_conf(lab, hosts), "smtpd")
    lab.put("addresses", "".join(a + "\n" for a in world_addresses(lab, hosts)), "addresses")
    lab.addresses.save()
    table.write(lab.path("domains"), lab.rows)
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


if __name__ == "__main__":
    try:
        main()
    except (table.TableError, RuntimeError) as e:
        sys.exit("lab: %s" % e)
