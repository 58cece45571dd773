/* SPDX-License-Identifier: ISC
 *
 * A private PKI for tests: certificates of any kind, good and bad, made on the spot.
 */
#ifndef TESTS_PKI_H
#define TESTS_PKI_H

#include <stdint.h>

#include <openssl/x509.h>

struct pki_cert {
	X509 *x;
	EVP_PKEY *key;
	unsigned char *der; /* of x */
	int n;		    /* octets of der */
};

/* What a certificate shall say; NULL and 0 leave it out. */
struct pki_want {
	const char *subject;	       /* common name */
	const struct pki_cert *issuer; /* NULL: self-signed */
	int64_t not_before, not_after; /* instants */
	const char *san;	       /* "DNS:a.example,IP:192.0.2.1" */
	const char *constraints;       /* "critical,CA:TRUE" */
	const char *usage;	       /* extended key usage: "clientAuth" */
	const char *names;	       /* name constraints: "permitted;DNS:other.example" */
	int rsa_bits;		       /* 0: a P-256 key */
	const char *digest;	       /* NULL: SHA256 */
	const char *raw_dns;	       /* a subjectAltName with these octets, ... */
	int raw_dns_n;		       /* ... so many of them */
	int has_unknown_critical;      /* an extension nobody knows */
};

/* Aborts when libcrypto cannot. */
struct pki_cert pki_make(const struct pki_want *want);
void pki_clear(struct pki_cert *cert);

/* Put a CA into a directory under its hash, as c_rehash does; the path is in path. */
void pki_install(const struct pki_cert *cert, const char *directory, char *path, size_t cap);

#endif
