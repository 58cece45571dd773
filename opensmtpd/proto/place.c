/* SPDX-License-Identifier: ISC
 *
 * Domain to loopback address.
 */
#include "opensmtpd/proto/place.h"

enum { X_FIRST = 1, X_N = 191, Y_N = 256, Z_FIRST = 1, Z_N = 254, PORTS = 65536 };

static uint32_t
hash(struct span domain)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < domain.n; i++) {
		h ^= (unsigned char)to_lower(domain.p[i]);
		h *= 16777619u;
	}
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	return h ^ h >> 16;
}

struct place
place_of(struct span domain, uint16_t port, unsigned n_ports)
{
	uint64_t h = hash(domain);

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
