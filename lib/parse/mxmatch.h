/* SPDX-License-Identifier: ISC
 *
 * The mx patterns of a policy (RFC 8461 3.2, sts-policy-mx) and what they match (4.1).
 */
#ifndef PARSE_MXMATCH_H
#define PARSE_MXMATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/domain.h"
#include "base/span.h"

/* A checked pattern.  Its name lies in storage the maker chose. */
struct mxpattern {
	const char *name; /* "mx.example.net" or "*.example.net": lower case, no final dot, NUL */
	unsigned char n;  /* octets, "*." counted, NUL not */
	bool is_wildcard;
};

enum { MXPATTERN_MAX = DOMAIN_MAX }; /* a longer one, "*." counted, could match no name */

enum mxmatch_kind {
	MXMATCH_INVALID = -1, /* no name at all */
	MXMATCH_NAME = 0,     /* *pattern is set */
	MXMATCH_ADDRESS = 1   /* an IP address, or a name that ends like one: can match nothing */
};

enum mxmatch_slip {			 /* R3.2.5: against the grammar, but clear */
	MXMATCH_SLIP_DOT = 1 << 0,	 /* a final dot */
	MXMATCH_SLIP_UNDERSCORE = 1 << 1 /* '_' in a label */
};

/*
 * The value of an mx field, without blanks around it.  storage has room for MXPATTERN_MAX + 1
 * octets (value.n + 1 are enough) and must live as long as the pattern.  *slips gets flags of enum
 * mxmatch_slip, with MXMATCH_INVALID *why gets static text and nothing else is written.
 */
enum mxmatch_kind mxmatch_parse(
    struct span value, char *storage, struct mxpattern *pattern, unsigned *slips, const char **why);

/*
 * RFC 8461 4.1: the names are equal, or "*." stands for exactly one left-most label.  host is the
 * MX record's name, not what a CNAME makes of it.
 */
bool mxmatch_holds(const struct mxpattern *pattern, const struct domain *host);
/* Any of the n patterns. */
bool mxmatch_any(const struct mxpattern *patterns, size_t n, const struct domain *host);

#endif
