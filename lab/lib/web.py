# SPDX-License-Identifier: ISC
"""The policy hosts: their addresses, certificates and files, and what nginx and httpsd.py must know of them."""
import gzip
import os

import table


def addresses(lab, row):
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
        "v6unreachable": [table.WEB[0], table.NOWHERE],
    }.get(kind, table.WEB)


def certificate(lab, row):
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
	log_format lab '$msec get host=$host sni=$ssl_server_name tls=$ssl_protocol status=$status method=$request_method '
		'uri=$request_uri to=$server_addr http=$server_protocol encoding=$http_accept_encoding if_none_match=$http_if_none_match '
		'if_modified_since=$http_if_modified_since cookie=$http_cookie agent=$http_user_agent';
	types { }
	default_type text/plain;
	server_tokens off;
	client_body_temp_path %(dir)s/run/nginx.body;
	proxy_temp_path %(dir)s/run/nginx.proxy;
	fastcgi_temp_path %(dir)s/run/nginx.fastcgi;
	uwsgi_temp_path %(dir)s/run/nginx.uwsgi;
	scgi_temp_path %(dir)s/run/nginx.scgi;
	ssl_protocols TLSv1.2 TLSv1.3;
	server_names_hash_bucket_size 512;
	server_names_hash_max_size 1024;
""" % {"dir": lab.dir}
    default = lab.pki.get("good", "web.example")
    for sockets, extra in (table.WEB, ""), ((table.OLD_WEB,), "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; "):
        conf += "\tserver { %s%sssl_certificate %s; ssl_certificate_key %s; access_log %s lab; return 421; }\n" % (
            "".join("listen %s ssl default_server; " % socket_of(a) for a in sockets), extra, default, default,
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
    nobody = *table.SILENT, *table.CLOSED, table.NOWHERE
    mine = [a for a in addresses(lab, row) if table.is_in_world(a) and a not in nobody]
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
    pem = certificate(lab, row)
    return """	server {
		server_name mta-sts.%s;
		%sssl_certificate %s; ssl_certificate_key %s;
		%saccess_log %s lab;
		location = /.well-known/mta-sts.txt { %s }
		location = /moved { alias %s; }
		location / { return 404; }
	}
""" % (row.fqdn, "".join("listen %s ssl; " % socket_of(a) for a in mine), pem, pem, tls,
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
            mine, kind = addresses(lab, row), row.https_kind
        elif side == "sender" and any(not table.is_in_world(a) for a in row.https_addresses):
            mine, kind = ["0.0.0.0", "::"], "ok"
        else:
            continue
        host["certificate"] = certificate(lab, row)
        for address in mine:
            listener = listeners.setdefault(address, {"kind": kind, "hosts": {}})
            listener["hosts"]["mta-sts." + row.fqdn] = host
    return {"log": lab.path("log/https"), "listeners": listeners}
