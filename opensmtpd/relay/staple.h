/* SPDX-License-Identifier: ISC
 *
 * What a host says itself of its certificate's revocation, in the handshake (RFC 6066 8): heeded
 * when it is bad news.  Nobody is asked elsewhere (RFC 8461 4.2 leaves it to us).
 */
#ifndef OPENSMTPD_RELAY_STAPLE_H
#define OPENSMTPD_RELAY_STAPLE_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Responses are asked for in every handshake.  1, as OpenSSL has it. */
int staple_ask(SSL_CTX *tls);
/* Of a certificate that is good otherwise: the issuer has signed that it is revoked. */
bool staple_is_revoked(SSL *ssl);

#endif
