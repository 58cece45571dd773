/* SPDX-License-Identifier: ISC
 *
 * SipHash-2-4 (Aumasson and Bernstein, 2012): 64 bits over a few words and strings.  With a
 * secret key nobody can make two names meet (leases); with the key zero it finds damage (rows).
 */
#ifndef CACHE_HASH_H
#define CACHE_HASH_H

#include <stdint.h>

#include "base/span.h"

enum { HASH_KEY = 16 }; /* octets */

struct hash {
	uint64_t v[4];
};

/* key NULL: all zero. */
void hash_init(struct hash *h, const uint8_t *key);
void hash_u64(struct hash *h, uint64_t word);
/* Ends with its length: "ab","c" is not "a","bc".  One call alone gives SipHash of s. */
void hash_span(struct hash *h, struct span s);
uint64_t hash_end(struct hash *h);

#endif
