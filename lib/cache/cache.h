/* SPDX-License-Identifier: ISC
 *
 * What the engine asks of a cache, as a table of functions: the store fills it, so do the fakes
 * of the tests and, later, the shared tier.  Every answer tells "nothing there" from "could not
 * be read", and nothing here ever turns the second into the first.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/domain.h"
#include "base/limits.h"
#include "cache/entry.h"
#include "mtasts.h"

enum cache_result {
	CACHE_OK,	  /* done; of a get: found */
	CACHE_NOTHING,	  /* answered: there is no such row */
	CACHE_REFUSED,	  /* put: a newer row stands there; lease: another holds it */
	CACHE_UNREADABLE, /* disk, damage, permissions, memory: nothing may be concluded */
};

/*
 * What is remembered of a domain beside its policy; may be lost at any time.  All zero: nothing.
 * A hint never hides a policy: policies are read first.
 */
struct hint {
	int64_t absent_until;	      /* instant; answered "absent" or "no usable record" */
	int64_t agreed_until;	      /* instant; the TXT record had the cached policy's id */
	char failed_id[LIMIT_ID + 1]; /* this id's fetch failed, "" if none */
	enum mtasts_finding failed_finding;
	int64_t failed_until; /* instant; RFC 8461 3.3: five minutes */
	int64_t get_at;	      /* instant of the last GET that was begun, good or bad */
};

/* How a look-up under a lease ended, for those who waited for it. */
struct outcome {
	int64_t at_ms; /* monotonic clock, milliseconds */
	enum mtasts_state state;
	enum mtasts_source source;
	enum mtasts_finding finding;
	char reason[128]; /* escaped for a log */
};

/* An MX host of a domain that failed by policy in the latest round. */
struct strike {
	struct domain mx;
	enum mtasts_finding finding;
	int64_t at; /* instant */
};

struct cache_lease; /* held until it is given back, or until its process dies */

/* Rows of one domain as `mtasts cache list` shows them; return nonzero to stop. */
typedef int cache_each_fn(void *arg, const struct entry *entry);

struct cache {
	void *self;

	/* *entry is the caller's.  Expired rows are given too. */
	enum cache_result (*get)(void *self, const struct domain *domain, struct entry **entry);
	/*
	 * get() and hint_get() in one, for who must not be held up: nothing is written, and where
	 * another's lock would have to be waited for it is CACHE_UNREADABLE.
	 */
	enum cache_result (*peek)(void *self, const struct domain *domain, struct entry **entry,
	    enum cache_result *hinted, struct hint *hint);
	/*
	 * Durable before it returns.  The newer fetch wins: CACHE_REFUSED when the row there is
	 * as new or newer than entry, unless that row is dated after now (it always loses); and
	 * when entry itself is.
	 */
	enum cache_result (*put)(void *self, const struct entry *entry, int64_t now);
	/* The administrator's word; hints and strikes of the domain go too. */
	enum cache_result (*drop)(void *self, const struct domain *domain);
	enum cache_result (*each)(void *self, cache_each_fn *each, void *arg);
	/* Best effort, at most once an hour a row is written. */
	void (*used)(void *self, const struct domain *domain, int64_t now);
	/* Rows expired for LIMIT_KEEP_EXPIRED, hints and outcomes gone by; at most a few a call. */
	void (*sweep)(void *self, int64_t now);

	enum cache_result (*hint_get)(void *self, const struct domain *domain, struct hint *hint);
	enum cache_result (*hint_put)(
	    void *self, const struct domain *domain, const struct hint *hint);

	/*
	 * Single flight: the right to look a domain up.  CACHE_OK and *lease; CACHE_REFUSED when
	 * another process (or another look-up of this one) has it, or max_fetches are under way on
	 * this host.  Never waits.  A lease ends with its process, however that ends.
	 */
	enum cache_result (*lease_get)(void *self, const struct domain *domain,
	    unsigned max_fetches, struct cache_lease **lease);
	/* Leave the outcome for those who wait, then let go.  outcome NULL: nothing was found out.
	 */
	void (*lease_end)(void *self, struct cache_lease *lease, const struct outcome *outcome);
	enum cache_result (*outcome_get)(
	    void *self, const struct domain *domain, struct outcome *outcome);

	/* At most cap; *n is how many there are.  Older than LIMIT_STRIKE are left out. */
	enum cache_result (*strikes_get)(void *self, const struct domain *domain, int64_t now,
	    struct strike *strikes, size_t cap, size_t *n);
	enum cache_result (*strike_put)(
	    void *self, const struct domain *domain, const struct strike *strike);
	/* mx NULL: all of the domain's. */
	enum cache_result (*strike_end)(
	    void *self, const struct domain *domain, const struct domain *mx);
};

#endif
