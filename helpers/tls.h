/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 3.3: the policy host's certificate must be valid for the host by a DNS-ID; a common
 * name, or a wildcard inside a label, does not count.  libcurl's own check is milder, so
 * OpenSSL's is switched on beside it.
 */
#ifndef HELPERS_TLS_H
#define HELPERS_TLS_H

#include <openssl/ssl.h>

#include "base/buf.h"

/* What went wrong with a certificate, filled in during the handshake. */
struct tls_check {
	const char *host;
	bool is_revoked; /* said a stapled OCSP response (RFC 6960), signed by its issuer */
	bool is_ended;	 /* the peer has closed its side of TLS itself: nobody cut it off */
};

/* check lives as long as connections of context.  0, or -1. */
int tls_prepare(SSL_CTX *context, struct tls_check *check);

/* Words for a result of X509_verify_cert(), as RFC 8460's reader wants them. */
const char *tls_words(long verify_result);

#endif
