/* SPDX-License-Identifier: ISC
 *
 * TLS to MX hosts as RFC 8461 wants it: OpenSSL shakes hands with anybody, and libmtasts says what
 * the certificate is worth.
 */
#ifndef OPENSMTPD_RELAY_TLS_H
#define OPENSMTPD_RELAY_TLS_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "mtasts.h"

/* For one connection to mx_host, which is the SNI unless it is an address.  NULL: out of memory. */
SSL *tls_new(SSL_CTX *tls, int fd, const char *mx_host);
/* Why the last call of OpenSSL failed: its reason in words, or "connection lost". */
const char *tls_why(void);
/* The peer's certificates against mx_host; reason as mtasts_certificate_check() gives it. */
enum mtasts_tls tls_check(
    struct mtasts *ctx, SSL *ssl, const char *mx_host, char *reason, size_t cap);

#endif
