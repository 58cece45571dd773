/* SPDX-License-Identifier: ISC
 *
 * What a request says: "map key", and which domain's policy a key asks for.  Pure.
 *
 * Keys are what Postfix looks up in smtp_tls_policy_maps (next-hop destinations) and sendmail's
 * FEATURE(`sts') in its map (the recipient's domain):
 *
 *	example.net  EXAMPLE.NET.	the domain; case and one final dot do not count
 *	example.net:587			the same, with a port or service
 *	[mx.example.net]  [..]:587	a smart host's own name (RFC 8461 3.4, R3.4.1)
 *	U-labels in UTF-8			their A-labels
 *	user@example.net		what is behind the last '@'
 *	.example.net  .net		Postfix looking for a parent's entry: none (R3.4.2)
 *	[192.0.2.1]  192.0.2.1  [IPv6:2001:db8::1]:25  2001:db8::1	addresses: none (R3.4.2)
 *	/run/lmtp, anything else	no domain: none
 */
#ifndef SOCKETMAP_REQUEST_H
#define SOCKETMAP_REQUEST_H

#include "base/domain.h"
#include "base/span.h"

enum { REQUEST_MAX = 1024 /* octets of a request */ };

/* Both are parts of the payload. */
struct request {
	struct span map;
	struct span key;
};

/* 0, or -1 where there is no map's name and a space behind it. */
int request_parse(struct span payload, struct request *request);

/* false: no domain is meant, so there is no policy; *domain is untouched then. */
bool request_domain(struct span key, struct domain *domain);

#endif
