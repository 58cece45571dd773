/* SPDX-License-Identifier: ISC
 *
 * Which addresses of an MX host are connected and in which order.  Pure.
 */
#ifndef OPENSMTPD_PROTO_HOSTADDRESS_H
#define OPENSMTPD_PROTO_HOSTADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/conf.h"
#include "base/span.h"

enum {
	HOSTADDRESS_MAX = 4, /* of one host that are tried in one round */
	HOSTADDRESS_TEXT = 46
};

/*
 * May be some other host's: not "this network", loopback, multicast or broadcast, as such or as
 * IPv4 inside IPv6.  A private address may be an MX host's.  A prefix of allow (NULL: none)
 * wins over all of it.
 */
bool hostaddress_is_usable(
    const struct sockaddr_storage *address, const struct conf_prefixes *allow);

/*
 * Those of the n that are usable and of the family (AF_UNSPEC: of both), IPv6 and IPv4 by turns
 * (RFC 8305 4), at most HOSTADDRESS_MAX into out.  How many.
 */
size_t hostaddress_order(const struct sockaddr_storage *addresses, size_t n, sa_family_t family,
    const struct conf_prefixes *allow, struct sockaddr_storage out[HOSTADDRESS_MAX]);

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3), port 0.  0, or -1 for anything else. */
int hostaddress_literal(struct span literal, struct sockaddr_storage *address);
/* Without brackets and port. */
void hostaddress_text(const struct sockaddr_storage *address, char text[HOSTADDRESS_TEXT]);

#endif
