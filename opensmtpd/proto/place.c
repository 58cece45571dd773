/* SPDX-License-Identifier: ISC
 *
 * Domain to loopback address.
 */
#include "opensmtpd/proto/place.h"

#include <openssl/sha.h>

enum {
	X_FIRST = 1,
	X_N = 191,
	Y_N = 256,
	Z_FIRST = 1,
	Z_N = 254,
	PORTS = 65536,
	DOMAIN_OCTETS = 255 /* that count: smtpd has no longer ones */
};

static uint32_t
hash(const struct place_key *key, struct span domain)
{
	unsigned char digest[SHA256_DIGEST_LENGTH] = { 0 };
	char octets[PLACE_KEY + DOMAIN_OCTETS + 1];
	struct buf in;

	buf_init(&in, octets, sizeof octets);
	buf_put(&in, span_make((const char *)key->octets, sizeof key->octets));
	for (size_t i = 0; i < domain.n && !in.full; i++)
		buf_putc(&in, to_lower(domain.p[i]));
	(void)SHA256((const unsigned char *)in.p, in.n, digest); /* else all have one place */
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
	       digest[3];
}

struct place
place_of(const struct place_key *key, struct span domain, uint16_t port, unsigned n_ports)
{
	uint64_t h = hash(key, domain);

	if (n_ports > 0) {
		uint64_t n = n_ports < (unsigned)PORTS - port ? n_ports : (unsigned)PORTS - port;
		return (struct place){ 127u << 24 | 1, (uint16_t)(port + (h * n >> 32)) };
	}
	uint32_t i = (uint32_t)(h * ((uint64_t)X_N * Y_N * Z_N) >> 32);
	uint32_t x = X_FIRST + i / (Y_N * Z_N), y = i / Z_N % Y_N, z = Z_FIRST + i % Z_N;
	return (struct place){ 127u << 24 | x << 16 | y << 8 | z, port };
}

void
place_put_url(struct buf *out, struct place place)
{
	uint32_t a = place.address;

	buf_printf(out, "lmtp://[%u.%u.%u.%u]:%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255,
	    (unsigned)place.port);
}
