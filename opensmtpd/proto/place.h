/* SPDX-License-Identifier: ISC
 *
 * Where a domain's mail waits for the relay: a loopback address of its own, so that smtpd keeps a
 * queue and connections for each domain and a slow one holds up no other.  Pure.
 *
 * Nobody outside can choose a name that has its place where another's is: the hash is SHA-256 over
 * a secret of this process and the domain in lower case, scaled to the number of places.  smtpd
 * asks for the place in each attempt and ends with who has told it, so another secret after a
 * start moves nothing.
 *
 * Places are 127.x.y.z with x 1..191, y 0..255, z 1..254: 12,419,584 of them.  127.0.0.0/16 is
 * other services' (localhost, 127.0.0.53, 127.0.1.1), 127.192.0.0/10 Tor's, and a last octet of 0
 * or 255 is taken for a network or broadcast by some.  Two domains may share a place.
 */
#ifndef OPENSMTPD_PROTO_PLACE_H
#define OPENSMTPD_PROTO_PLACE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
	PLACE_URL_MAX = 32, /* octets of "lmtp://[127.191.255.254]:65535", NUL counted */
	PLACE_KEY = 16
};

struct place_key {
	unsigned char octets[PLACE_KEY]; /* chance */
};

struct place {
	uint32_t address; /* host order */
	uint16_t port;
};

/*
 * n_ports 0: an address of 127/8, and port.  Else 127.0.0.1 and one of so many ports from port on,
 * as far as there are ports.
 */
struct place place_of(
    const struct place_key *key, struct span domain, uint16_t port, unsigned n_ports);
void place_put_url(struct buf *out, struct place place);

#endif
