/* SPDX-License-Identifier: ISC
 *
 * The table of addresses that are not of the public internet (IANA's IPv4 and IPv6
 * special-purpose address registries).
 */
#include "net/address.h"

#include <string.h>

static const struct conf_prefix refused[] = {
	{ { 0 }, 32, 8 },	      /* this network, RFC 791 3.2 */
	{ { 10 }, 32, 8 },	      /* private, RFC 1918 */
	{ { 100, 64 }, 32, 10 },      /* shared (CGNAT), RFC 6598 */
	{ { 127 }, 32, 8 },	      /* loopback, RFC 1122 3.2.1.3 */
	{ { 169, 254 }, 32, 16 },     /* link-local, RFC 3927 */
	{ { 172, 16 }, 32, 12 },      /* private, RFC 1918 */
	{ { 192, 0, 0 }, 32, 24 },    /* protocol assignments, RFC 6890 */
	{ { 192, 0, 2 }, 32, 24 },    /* documentation, RFC 5737 */
	{ { 192, 88, 99 }, 32, 24 },  /* 6to4 relay, RFC 7526 */
	{ { 192, 168 }, 32, 16 },     /* private, RFC 1918 */
	{ { 198, 18 }, 32, 15 },      /* benchmarks, RFC 2544 */
	{ { 198, 51, 100 }, 32, 24 }, /* documentation, RFC 5737 */
	{ { 203, 0, 113 }, 32, 24 },  /* documentation, RFC 5737 */
	{ { 224 }, 32, 4 },	      /* multicast, RFC 5771 */
	{ { 240 }, 32, 4 },	      /* reserved and broadcast, RFC 1112 4 */
	{ { 0x20, 0x01 }, 128, 23 },  /* protocol assignments, Teredo among them, RFC 2928 */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 128, 32 }, /* documentation, RFC 3849 */
	{ { 0x3f, 0xff }, 128, 20 },		 /* documentation, RFC 9637 */
};

static const struct conf_prefix global = { { 0x20 }, 128, 3 }; /* 2000::/3, RFC 4291 2.4 */
static const struct conf_prefix nat64 = { { 0, 0x64, 0xff, 0x9b }, 128, 96 }; /* RFC 6052 2.1 */
static const struct conf_prefix sixtofour = { { 0x20, 0x02 }, 128, 16 };      /* RFC 3056 2 */

enum { NAT64_INSIDE = 12, SIXTOFOUR_INSIDE = 2 /* octets before the IPv4 address */ };

bool
address_is_public(const uint8_t *address, size_t octets)
{
	if (octets == 16 && conf_prefix_holds(&nat64, address, octets))
		return address_is_public(address + NAT64_INSIDE, 4);
	if (octets == 16 && conf_prefix_holds(&sixtofour, address, octets))
		return address_is_public(address + SIXTOFOUR_INSIDE, 4);
	if (octets != 4 && !conf_prefix_holds(&global, address, octets))
		return false;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		if (conf_prefix_holds(&refused[i], address, octets))
			return false;
	}
	return true;
}

bool
address_is_allowed(const uint8_t *address, size_t octets, const struct conf_prefixes *allow)
{
	return conf_prefixes_hold(allow, address, octets) || address_is_public(address, octets);
}
