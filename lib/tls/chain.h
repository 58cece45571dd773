/* SPDX-License-Identifier: ISC
 *
 * A peer's certificates against the MX host's name: RFC 8461 4.2, by libcrypto alone.  Makes no
 * connection and looks nothing up; a server hands it what it saw.
 */
#ifndef TLS_CHAIN_H
#define TLS_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/domain.h"
#include "mtasts.h"

struct chain_trust; /* the loaded CA directory: made once, used for many */

/* ca_directory holds certificates by hash; nothing is read before it is needed. NULL: no memory. */
struct chain_trust *chain_trust_new(const char *ca_directory);
void chain_trust_free(struct chain_trust *trust);

/*
 * chain[0] is the host's own.  now: instant to judge at.  VERIFIED, WRONG_NAME, EXPIRED, UNTRUSTED
 * (not yet valid is UNTRUSTED, R4.2.1), or FAILED for what cannot be judged: no certificate, not
 * DER, octets behind it, beyond LIMIT_CERTIFICATES, a CA directory that cannot be read, no memory.
 * reason gets words for a log, names in it escaped, "" when VERIFIED.
 * Where several things are wrong the first of expired, untrusted, name is told.
 */
enum mtasts_tls chain_check(struct chain_trust *trust, const struct mtasts_certificate *chain,
    size_t n, const struct domain *host, int64_t now, char *reason, size_t cap);

#endif
