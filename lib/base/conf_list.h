/* SPDX-License-Identifier: ISC
 *
 * Values of mtasts.conf(5) that are lists, with blanks between: address prefixes, domains.
 */
#ifndef BASE_CONF_LIST_H
#define BASE_CONF_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/domain.h"
#include "base/span.h"

enum {
	CONF_PREFIXES_MAX = 32,
	CONF_DOMAINS_MAX = 16384, /* octets of a list of domains */
};

/* An address prefix, v4 as v4 (4 octets) and v6 as v6 (16). */
struct conf_prefix {
	uint8_t address[16];
	uint8_t family_bits; /* 32 or 128 */
	uint8_t bits;
};

struct conf_prefixes {
	size_t n;
	struct conf_prefix prefixes[CONF_PREFIXES_MAX];
};

struct conf_domains {
	size_t n;		      /* octets in use */
	char names[CONF_DOMAINS_MAX]; /* A-labels in lower case, a blank after each */
};

/*
 * An address prefix "198.18.0.0/15", "fd00::/8", or a single address.  0, or -1 for anything
 * else, bits after the prefix included.
 */
int conf_prefix_parse(struct span s, struct conf_prefix *prefix);
bool conf_prefix_holds(const struct conf_prefix *prefix, const uint8_t *address, size_t octets);
/* All of a value: NULL, or why it is refused, *prefixes untouched. */
const char *conf_prefixes_parse(struct span value, struct conf_prefixes *prefixes);
void conf_prefixes_format(struct buf *out, const struct conf_prefixes *prefixes);
/* One of them does. */
bool conf_prefixes_hold(
    const struct conf_prefixes *prefixes, const uint8_t *address, size_t octets);
const char *conf_domains_parse(struct span value, struct conf_domains *domains);
void conf_domains_format(struct buf *out, const struct conf_domains *domains);
/* The domain itself is in the list; those below it are others. */
bool conf_domains_hold(const struct conf_domains *domains, const struct domain *domain);

#endif
