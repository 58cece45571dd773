/* SPDX-License-Identifier: ISC
 *
 * SipHash-2-4 as its paper gives it.  Octets are taken in little-endian order on every machine,
 * for the sums are stored.
 */
#include "cache/hash.h"

#include <stddef.h>

static uint64_t
rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(uint64_t *v)
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* n octets (at most 8) as a little-endian number. */
static uint64_t
load(const char *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return word;
}

void
hash_init(struct hash *h, const uint8_t *key)
{
	uint64_t k[2] = { 0, 0 };

	for (unsigned i = 0; key != NULL && i < HASH_KEY; i++)
		k[i / 8] |= (uint64_t)key[i] << (8 * (i % 8));
	h->v[0] = k[0] ^ 0x736f6d6570736575;
	h->v[1] = k[1] ^ 0x646f72616e646f6d;
	h->v[2] = k[0] ^ 0x6c7967656e657261;
	h->v[3] = k[1] ^ 0x7465646279746573;
}

void
hash_u64(struct hash *h, uint64_t word)
{
	h->v[3] ^= word;
	sip_round(h->v);
	sip_round(h->v);
	h->v[0] ^= word;
}

void
hash_span(struct hash *h, struct span s)
{
	size_t i;

	for (i = 0; s.n - i >= 8; i += 8)
		hash_u64(h, load(s.p + i, 8));
	hash_u64(h, load(s.p + i, s.n - i) | (uint64_t)s.n << 56);
}

uint64_t
hash_end(struct hash *h)
{
	h->v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(h->v);
	return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}
