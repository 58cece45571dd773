/* SPDX-License-Identifier: ISC
 *
 * What is remembered of MX hosts that an enforced policy refused, so that a failure can be final
 * although the server asks again before it connects (Exim's router) or at another time.
 */
#ifndef ENGINE_STRIKES_H
#define ENGINE_STRIKES_H

#include "cache/cache.h"
#include "engine/policy.h"

/*
 * The strikes against the domain that count against a message received at that instant: what
 * happened before says nothing about its own tries.  At most cap; how many.  0 too when the store
 * cannot be read.
 */
size_t strikes_against(const struct cache *cache, const struct domain *domain, int64_t received,
    int64_t now, struct strike *strikes, size_t cap);

/*
 * After an attempt under an enforced policy: a strike for a refused session, the end of the host's
 * for one that was not reached, of all of the domain's for a good one.  DANE's failures and hosts
 * outside the policy leave none.  Writes only what changes something.
 */
void strikes_note(const struct cache *cache, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict, int64_t now);

#endif
