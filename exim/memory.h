/* SPDX-License-Identifier: ISC
 *
 * What this delivery was told, by domain, in plain memory: the router's process fills it, the
 * transport forked from it inherits it and uses it first.  So a policy that the router acted upon
 * is the policy the transport acts upon, even if the store has lost it in between (a full disk,
 * max_age 0).  Bounded: the entry longest unused makes room, and its domain is looked up again.
 */
#ifndef EXIM_MEMORY_H
#define EXIM_MEMORY_H

#include "base/domain.h"
#include "mtasts.h"

enum {
	MEMORY_DOMAINS = 128,
	MEMORY_ID = 32 /* octets of a message id, NUL counted: 17 to Exim 4.96, 24 from 4.97 */
};

struct told {
	char domain[DOMAIN_MAX + 1];   /* as Exim routes by it; "": free */
	int64_t at_ms;		       /* when, monotonic */
	uint64_t used;		       /* order of use */
	struct mtasts_policy *policy;  /* NULL: no name that could have a policy */
	struct mtasts_mxset *mx;       /* NULL: not asked yet */
	struct mtasts_decision closed; /* its action is not DELIVER: nothing may be sent, and why */
	char recorded_for[MEMORY_ID];  /* id of the message its refusals were recorded for */
};

struct memory {
	struct told told[MEMORY_DOMAINS];
	uint64_t uses;
};

/* NULL: nothing is known.  Valid until the next memory_add(). */
struct told *memory_find(struct memory *memory, const char *domain);
/* An empty entry, in place of what was told of the domain before. */
struct told *memory_add(struct memory *memory, const char *domain, int64_t now_ms);
void memory_clear(struct memory *memory);

#endif
