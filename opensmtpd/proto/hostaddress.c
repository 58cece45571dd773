/* SPDX-License-Identifier: ISC
 *
 * Addresses that no MX host can have are those that would make us speak with ourselves or with a
 * whole network.
 */
#include "opensmtpd/proto/hostaddress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/buf.h"

static const struct conf_prefixes refused = {
	.n = 7,
	.prefixes = {
	    { { 0 }, 32, 8 },			/* this network, RFC 791 3.2 */
	    { { 127 }, 32, 8 },			/* loopback, RFC 1122 3.2.1.3 */
	    { { 224 }, 32, 4 },			/* multicast, RFC 5771 */
	    { { 255, 255, 255, 255 }, 32, 32 }, /* broadcast, RFC 919 7 */
	    { { 0 }, 128, 128 },		/* unspecified, RFC 4291 2.5.2 */
	    { { [15] = 1 }, 128, 128 },		/* loopback, RFC 4291 2.5.3 */
	    { { 0xff }, 128, 8 },		/* multicast, RFC 4291 2.7 */
	},
};

static const struct conf_prefix mapped = { { [10] = 0xff, [11] = 0xff }, 128, 96 };

enum { MAPPED_INSIDE = 12 /* octets before the IPv4 address, RFC 4291 2.5.5.2 */ };

/* ---- which ---- */

static bool
is_usable(const uint8_t *address, size_t octets, const struct conf_prefixes *allow)
{
	if (allow != NULL && conf_prefixes_hold(allow, address, octets))
		return true;
	if (octets == 16 && conf_prefix_holds(&mapped, address, octets))
		return is_usable(address + MAPPED_INSIDE, 4, allow);
	return !conf_prefixes_hold(&refused, address, octets);
}

bool
hostaddress_is_usable(const struct sockaddr_storage *address, const struct conf_prefixes *allow)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->ss_family == AF_INET) {
		memcpy(&v4, address, sizeof v4);
		return is_usable((const uint8_t *)&v4.sin_addr, 4, allow);
	}
	if (address->ss_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof v6);
	return is_usable(v6.sin6_addr.s6_addr, 16, allow);
}

/* ---- in which order ---- */

/* The next usable one of the family from *at on; n: there is none. */
static size_t
next_of(const struct sockaddr_storage *addresses, size_t n, size_t at, sa_family_t family,
    const struct conf_prefixes *allow)
{
	while (at < n &&
	       (addresses[at].ss_family != family || !hostaddress_is_usable(&addresses[at], allow)))
		at++;
	return at;
}

size_t
hostaddress_order(const struct sockaddr_storage *addresses, size_t n, sa_family_t family,
    const struct conf_prefixes *allow, struct sockaddr_storage out[HOSTADDRESS_MAX])
{
	static const sa_family_t families[] = { AF_INET6, AF_INET };
	size_t at[] = { family == AF_INET ? n : 0, family == AF_INET6 ? n : 0 };
	size_t count = 0;

	while (count < HOSTADDRESS_MAX && (at[0] < n || at[1] < n)) {
		for (size_t f = 0; f < 2 && count < HOSTADDRESS_MAX; f++) {
			at[f] = next_of(addresses, n, at[f], families[f], allow);
			if (at[f] < n)
				out[count++] = addresses[at[f]++];
		}
	}
	return count;
}

/* ---- as text ---- */

int
hostaddress_literal(struct span literal, struct sockaddr_storage *address)
{
	static const char tag[] = "IPv6:";
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	char text[HOSTADDRESS_TEXT];
	struct span inside;

	if (literal.n < 2 || literal.p[0] != '[' || literal.p[literal.n - 1] != ']')
		return -1;
	inside = span_make(literal.p + 1, literal.n - 2);
	bool is_v6 = inside.n >= sizeof tag - 1 &&
		     span_eq_nocase(span_make(inside.p, sizeof tag - 1), span_of(tag));
	if (is_v6)
		inside = span_from(inside, sizeof tag - 1);
	if (inside.n >= sizeof text || memchr(inside.p, '\0', inside.n) != NULL)
		return -1;
	buf_keep(text, sizeof text, inside);
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text,
		is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1)
		return -1;
	memset(address, 0, sizeof *address);
	if (is_v6)
		memcpy(address, &v6, sizeof v6);
	else
		memcpy(address, &v4, sizeof v4);
	return 0;
}

void
hostaddress_text(const struct sockaddr_storage *address, char text[HOSTADDRESS_TEXT])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	const char *r = NULL;

	memcpy(&v4, address, sizeof v4);
	memcpy(&v6, address, sizeof v6);
	if (address->ss_family == AF_INET)
		r = inet_ntop(AF_INET, &v4.sin_addr, text, HOSTADDRESS_TEXT);
	else if (address->ss_family == AF_INET6)
		r = inet_ntop(AF_INET6, &v6.sin6_addr, text, HOSTADDRESS_TEXT);
	if (r == NULL)
		text[0] = '\0';
}
