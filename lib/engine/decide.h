/* SPDX-License-Identifier: ISC
 *
 * Policy x attempts of this round x age of the message x recheck -> what to do and what to say,
 * for all adapters.  Pure; the only home of the codes and texts of a refusal.
 *
 * An enforced policy (RFC 8461 5), one attempt for each MX host of the domain:
 *
 * - any host that passed, or may still be tried         DELIVER
 * - no host is in the policy                            DEFER 451 4.4.8, final 550 5.4.8
 * - the others failed by TLS or certificate             DEFER 451 4.7.5, final 550 5.7.5
 * - nothing has failed but hosts that were unreachable  DELIVER: the server's own affair
 *
 * Strikes stand for failures of an earlier round of this message: they make a failure final, but
 * never keep anybody from trying again.  Final means: the message is old enough, every host has
 * failed by policy (unreachable is no policy failure, and DANE's failures stay transient), and
 * the recheck has completed.
 */
#ifndef ENGINE_DECIDE_H
#define ENGINE_DECIDE_H

#include "cache/cache.h"
#include "engine/judge.h"

struct decide_round {
	const struct mtasts_attempt *attempts;
	size_t n;
	const struct strike *strikes; /* those that count against this message */
	size_t n_strikes;
	int64_t message_age; /* seconds */
	bool is_rechecked;   /* a recheck completed now, and policy is what it found in force */
};

struct decide_config {
	int64_t bounce_after; /* seconds; 0: at once */
	bool defer_on_unknown;
};

/*
 * 0: decided.  1: would be final, and is when a recheck completes: *decision is what holds as
 * long as it has not.  Ask for one, then call again with the policy it gave.
 */
int decide(const struct mtasts_policy *policy, const struct decide_round *round,
    const struct decide_config *config, struct mtasts_decision *decision);

#endif
