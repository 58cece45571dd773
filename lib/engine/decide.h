/* SPDX-License-Identifier: ISC
 *
 * Policy x attempts of this round x age of the message x recheck -> what to do and what to say,
 * for all adapters.  Pure; the only home of the codes and texts of a refusal.
 */
#ifndef ENGINE_DECIDE_H
#define ENGINE_DECIDE_H

#include "engine/judge.h"

struct decide_config {
	int64_t bounce_after; /* seconds */
	bool deliver_on_fault;
	bool defer_on_unknown;
};

/*
 * attempts: one for each MX host of the domain; those UNTRIED that an earlier round left a strike
 * against carry that strike's TLS state (decide_strike()).  0: decided; 1: would be final, and is
 * when a recheck completes: ask for one, then call again with the policy it gave, whose rechecked
 * says whether it did complete.
 */
int decide(const struct mtasts_policy *policy, const struct mtasts_attempt *attempts, size_t n,
    int64_t message_age, const struct decide_config *config, struct mtasts_decision *decision);

/* The TLS state a strike's finding stands for. */
enum mtasts_tls decide_strike(enum mtasts_finding finding);

#endif
