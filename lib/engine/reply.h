/* SPDX-License-Identifier: ISC
 *
 * The ends of a plan: answers, and what those who wait for the lease are told.  For plan.c alone.
 *
 * Each makes plan->answer and gives PLAN_DONE; without memory plan->error is set instead.
 */
#ifndef ENGINE_REPLY_H
#define ENGINE_REPLY_H

#include "engine/plan.h"

/* A policy that binds stands in the store: RFC 8461 5.1, "unexpired". */
bool reply_is_live(const struct plan *plan, struct plan_time now);

/* The answer is made already. */
enum plan_want reply_done(struct plan *plan);
enum plan_want reply_fail(struct plan *plan, int error);

/* ABSENT, UNKNOWN, FAULT. */
enum plan_want reply_none(struct plan *plan, struct plan_time now, enum mtasts_state state,
    enum mtasts_finding finding, const char *reason);
/* PUBLISHED: what stands in plan->entry, whose parsed body goes over. */
enum plan_want reply_policy(struct plan *plan, struct plan_time now, enum mtasts_source source,
    enum mtasts_finding finding, const char *reason);
/* The old policy, since no newer one was to be had: RFC 8461 3.3, R3.3.8. */
enum plan_want reply_stale(
    struct plan *plan, struct plan_time now, enum mtasts_finding finding, const char *reason);
/* Nothing was found out: an unexpired policy binds, else it stays open. */
enum plan_want reply_unknown(struct plan *plan, struct plan_time now, const char *reason);
/* Our own helpers fail: what binds still binds, and nothing else may be concluded (rule 4). */
enum plan_want reply_fault(struct plan *plan, struct plan_time now, const char *reason);

#endif
