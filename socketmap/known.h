/* SPDX-License-Identifier: ISC
 *
 * What was found out of each domain in the last moment: its policy, its MX hosts, the replies made
 * of them.  A table with bounds: beyond them who was asked for longest ago goes.
 */
#ifndef SOCKETMAP_KNOWN_H
#define SOCKETMAP_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/domain.h"
#include "mtasts.h"
#include "socketmap/reply.h"

enum {
	KNOWN_MAX = 32768,	 /* domains */
	KNOWN_OCTETS = 64 << 20, /* of memory, as far as it is counted */
};

struct waiter;

/* In the order they came. */
struct waiters {
	struct waiter *first, *last;
};

struct known_frame {
	char *p; /* NULL: not made yet */
	size_t n;
};

struct known {
	struct known *chain;	      /* of the same bucket */
	struct known *newer, *older;  /* by last use */
	struct known *later, *sooner; /* of those with a policy: by when it came */
	uint32_t hash;
	size_t octets; /* counted for it */
	struct domain domain;

	struct mtasts_policy *policy;		/* NULL: none was found out yet, or it is too old */
	bool needs_mx;				/* reply_needs_mx() of it */
	int64_t policy_until;			/* ms, monotonic: good until then */
	struct mtasts_mxset *set;		/* NULL as above */
	int64_t set_until;			/* ms, monotonic */
	struct known_frame frames[REPLY_FORMS]; /* replies made of policy and set, as netstrings */

	bool is_asking;		   /* a look-up of the policy is under way */
	bool is_asking_mx;	   /* one of the MX hosts is */
	struct waiters waiters[2]; /* for the policy; for MX hosts, having it */
};

struct known_table;

/* NULL: out of memory. */
struct known_table *known_new(void);
void known_free(struct known_table *table);

/* NULL: nothing is known of it.  Who is found was used now. */
struct known *known_find(struct known_table *table, const struct domain *domain);
/* The same, and what is not there is made; NULL: out of memory. */
struct known *known_get(struct known_table *table, const struct domain *domain);

/* These three own what they are given from then on, and make the replies forgotten. */
void known_put_policy(
    struct known_table *table, struct known *known, struct mtasts_policy *policy, int64_t until);
void known_put_set(
    struct known_table *table, struct known *known, struct mtasts_mxset *set, int64_t until);
/* A copy of the frame is kept; without memory none is, which does no harm. */
void known_put_frame(
    struct known_table *table, struct known *known, enum reply_form form, struct span frame);

/* Policies that are too old go, and so does who has nothing else; who is waited for stays. */
void known_expire(struct known_table *table, int64_t now_ms);
size_t known_count(const struct known_table *table);

#endif
