# SPDX-License-Identifier: ISC
"""The lab's certification authorities and certificates, made by openssl(1) when first asked for, and then kept."""
import base64
import hashlib
import os
import ssl
import subprocess

REQ = "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=x\n"
CA = """[ca]
default_ca=lab
[lab]
database={dir}/index
rand_serial=yes
unique_subject=no
new_certs_dir={dir}
default_md=sha256
policy=any
x509_extensions=leaf
[any]
commonName=supplied
[leaf]
subjectAltName=DNS:{name}
"""


def public_key_hash(certificate):
    """SHA-256 of the public key in a certificate, DER."""
    done = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-pubkey", "-noout"], input=certificate, capture_output=True, check=True
    )
    pem = done.stdout.decode().splitlines()
    return hashlib.sha256(base64.b64decode("".join(pem[1:-1]))).digest()


class Pki:
    def __init__(self, directory):
        self.dir = directory
        os.makedirs(directory, exist_ok=True)
        self._write("req.cnf", REQ)
        for ca, name in ("ca", "Lab CA"), ("otherca", "Unknown CA"):
            if not os.path.exists(self._path(ca + ".pem")):
                self._self_signed(ca, name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
        if not os.path.exists(self._path("certs")):
            os.makedirs(self._path("certs"))
            os.link(self._path("ca.pem"), self._path("certs/lab-ca.pem"))
            self._openssl("rehash", self._path("certs"))

    def get(self, kind, name, address="192.0.2.1", rsa=False, more=()):
        """The file with key and certificate of this kind (table.CERTIFICATES) for a host of this name.

        more: further names the same host is reached by.
        """
        base = "%s/%s" % ("rsa-" + kind if rsa else kind, "+".join([name, *more]))
        path = self._path(base + ".pem")
        if os.path.exists(path):
            return path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        parent = name.split(".", 1)[1]
        san = {
            "wrongname": "DNS:other.example",
            "sibling": "DNS:other." + parent,
            "wildcard": "DNS:*." + parent,
            "partialwild": "DNS:%s*.%s" % (name[0], parent),
            "tldwild": "DNS:*." + parent.split(".")[-1],
            "iponly": "IP:" + address,
        }.get(kind, ",".join("DNS:" + n for n in [name, *more]))
        if kind in ("expired", "notyet"):
            self._dated(base, name, kind)
        elif kind == "selfsigned":
            self._self_signed(base, name, "subjectAltName=" + san)
        elif kind == "cnonly":
            self._issued(base, name, "ca", rsa)
        else:
            issuer = "otherca" if kind == "unknownca" else "ca"
            subject = {"wrongname": "other.example", "sibling": "other." + parent}.get(kind, name)
            self._issued(base, subject, issuer, rsa, "subjectAltName=" + san)
        with open(path, "a", encoding="ascii") as out, open(self._path(base + ".key"), encoding="ascii") as key:
            out.write(key.read())
        return path

    def tlsa(self, path):
        """The TLSA record that fits a certificate file: DANE-EE, public key, SHA-256, which all mail servers know."""
        with open(path, encoding="ascii") as f:
            pem = f.read()
        pem = pem[: pem.index("-----END CERTIFICATE-----") + 26]
        return "3 1 1 " + public_key_hash(ssl.PEM_cert_to_DER_cert(pem)).hex()

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="ascii") as f:
            f.write(text)

    def _openssl(self, *args):
        done = subprocess.run(["openssl", *args], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError("openssl %s: %s" % (" ".join(args), done.stderr))

    def _request(self, base, name, rsa, *args):
        key = ["-newkey", "rsa:2048"] if rsa else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self._openssl("req", "-config", self._path("req.cnf"), *key, "-nodes", "-subj", "/CN=" + name[:64],
                      "-keyout", self._path(base + ".key"), *args)

    def _self_signed(self, base, name, *extensions):
        extensions = [a for e in extensions for a in ("-addext", e)]
        self._request(base, name, False, "-x509", "-days", "365", "-out", self._path(base + ".pem"), *extensions)

    def _issued(self, base, name, ca, rsa, *extensions):
        extensions = [a for e in extensions for a in ("-addext", e)]
        self._request(base, name, rsa, "-x509", "-days", "365", "-out", self._path(base + ".pem"),
                      "-CA", self._path(ca + ".pem"), "-CAkey", self._path(ca + ".key"), *extensions)

    def _dated(self, base, name, kind):
        """A certificate of the past or of the future: only the ca command sets both dates."""
        start, end = ("20240101000000Z", "20240201000000Z") if kind == "expired" else ("20900101000000Z", "20910101000000Z")
        self._write("ca.cnf", CA.format(dir=self.dir, name=name))
        self._write("index", "")
        self._request(base, name, False, "-new", "-out", self._path("csr"))
        self._openssl("ca", "-batch", "-notext", "-config", self._path("ca.cnf"), "-in", self._path("csr"),
                      "-cert", self._path("ca.pem"), "-keyfile", self._path("ca.key"), "-startdate", start, "-enddate", end,
                      "-out", self._path(base + ".pem"))
