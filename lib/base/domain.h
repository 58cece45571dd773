/* SPDX-License-Identifier: ISC
 *
 * A domain or host name that was checked once at the border (RFC 1035 2.3.4, RFC 5321 Domain).
 * A struct domain can only be made by domain_parse(), so whoever holds one may trust it.
 */
#ifndef BASE_DOMAIN_H
#define BASE_DOMAIN_H

#include <stdbool.h>

#include "base/span.h"

enum { DOMAIN_MAX = 253 };

struct domain {
	char name[DOMAIN_MAX + 1]; /* A-labels, lower case, no final dot, NUL-terminated */
	unsigned char n;	   /* octets, NUL not counted */
};

enum domain_flags {
	DOMAIN_STRICT = 0,	    /* LDH labels that neither begin nor end with '-' */
	DOMAIN_UNDERSCORE = 1 << 0, /* '_' counts as a letter: hosts in the wild, TXT owners */
};

/*
 * Any case, with or without one final dot.  0, or MTASTS_ENAME for what cannot be a name: empty,
 * an empty label, over 63 or 253 octets, other characters, an address (a last label of digits
 * only, or a literal in brackets).  *domain is untouched then.
 */
int domain_parse(struct span s, unsigned flags, struct domain *domain);

bool domain_eq(const struct domain *a, const struct domain *b);
struct span domain_span(const struct domain *domain);

/* prefix + "." + domain, as "_mta-sts.example.net"; MTASTS_ENAME when that is too long. */
int domain_under(const char *prefix, const struct domain *domain, struct domain *out);

#endif
