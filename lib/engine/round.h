/* SPDX-License-Identifier: ISC
 *
 * A decision from the strikes to the recheck (RFC 8461 5: nothing is final before one), to be
 * waited for or for an event loop.  What is decided is decide.c's affair.
 */
#ifndef ENGINE_ROUND_H
#define ENGINE_ROUND_H

#include "engine/decide.h"
#include "engine/engine.h"

struct round {
	const struct cache *cache;
	const struct mtasts_attempt *attempts; /* borrowed during the call only */
	size_t n;
	int64_t message_age; /* seconds */
	int64_t now;	     /* instant */
	int timeout_ms;	     /* of the recheck */
	struct decide_config config;
};

/* As mtasts_decide(). */
int round_wait(struct engine *engine, const struct round *round, struct mtasts_policy **policy,
    struct mtasts_decision *decision);
/* As mtasts_decide_start(). */
int round_start(struct engine *engine, const struct round *round, struct mtasts_policy *policy,
    mtasts_decide_fn *done, void *arg, uint64_t *id);

#endif
