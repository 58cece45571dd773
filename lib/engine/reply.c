/* SPDX-License-Identifier: ISC
 *
 * How a look-up ends.  RFC 8461 3.3, 5.1: an unexpired policy binds, whatever else failed; R6.0.1:
 * what is reported of that.
 */
#include "engine/reply.h"

#include <string.h>

bool
reply_is_live(const struct plan *plan, struct plan_time now)
{
	return plan->cached == CACHED_POLICY && !entry_is_expired(plan->entry, now.real);
}

/* R6.0.1: nothing is reportable where the cached mode is none. */
static bool
is_reportable(const struct plan *plan)
{
	return plan->cached != CACHED_POLICY || plan->file->mode != MTASTS_NONE;
}

enum plan_want
reply_done(struct plan *plan)
{
	plan->phase = PHASE_DONE;
	return PLAN_DONE;
}

enum plan_want
reply_fail(struct plan *plan, int error)
{
	policy_free(plan->answer);
	plan->answer = NULL;
	plan->error = error;
	plan->has_outcome = false;
	return reply_done(plan);
}

/* Those who wait for the lease learn of what we found out, not of what we heard from others. */
static void
outcome_make(struct plan *plan, struct plan_time now)
{
	struct buf reason;

	plan->outcome = (struct outcome){ .at_ms = now.mono_ms,
		.state = plan->answer->state,
		.source = plan->answer->source,
		.finding = plan->answer->finding };
	buf_init(&reason, plan->outcome.reason, sizeof plan->outcome.reason);
	buf_puts(&reason, plan->answer->reason);
	plan->has_outcome = plan->has_lease && plan->phase != PHASE_READ_OUTCOME;
}

static int
answer_make(struct plan *plan, struct plan_time now, enum mtasts_state state,
    enum mtasts_finding finding, const char *reason)
{
	struct buf text;

	plan->answer = policy_new(&plan->domain, state);
	if (plan->answer == NULL)
		return MTASTS_ENOMEM;
	plan->answer->finding = finding;
	plan->answer->fault_delivers = plan->config.fault_delivers;
	buf_init(&text, plan->answer->reason, sizeof plan->answer->reason);
	if (plan->cached == CACHED_UNREADABLE && state == MTASTS_FAULT)
		buf_puts(&text, "state is unreadable; ");
	buf_puts(&text, reason);
	if (plan->txt == EVIDENCE_RECORD)
		memcpy(plan->answer->id, plan->record.id, sizeof plan->answer->id);
	outcome_make(plan, now);
	return 0;
}

enum plan_want
reply_none(struct plan *plan, struct plan_time now, enum mtasts_state state,
    enum mtasts_finding finding, const char *reason)
{
	int r = answer_make(plan, now, state, finding, reason);

	return r != 0 ? reply_fail(plan, r) : reply_done(plan);
}

enum plan_want
reply_policy(struct plan *plan, struct plan_time now, enum mtasts_source source,
    enum mtasts_finding finding, const char *reason)
{
	int r = answer_make(plan, now, MTASTS_PUBLISHED, finding, reason);

	if (r != 0)
		return reply_fail(plan, r);
	policy_publish(plan->answer, source, plan->file);
	plan->file = NULL; /* given to the answer */
	memcpy(plan->answer->id, plan->entry->id, sizeof plan->answer->id);
	plan->answer->fetched_at = plan->entry->fetched_at;
	plan->answer->expires = entry_expires(plan->entry);
	plan->outcome.source = source;
	plan->was_used =
	    source != MTASTS_FROM_NETWORK && (plan->config.flags & MTASTS_CACHED_ONLY) == 0;
	return reply_done(plan);
}

enum plan_want
reply_stale(
    struct plan *plan, struct plan_time now, enum mtasts_finding finding, const char *reason)
{
	if (!is_reportable(plan))
		finding = MTASTS_NOTHING_WRONG;
	return reply_policy(plan, now, MTASTS_FROM_STALE, finding, reason);
}

enum plan_want
reply_unknown(struct plan *plan, struct plan_time now, const char *reason)
{
	if (plan->cached == CACHED_UNREADABLE)
		return reply_none(plan, now, MTASTS_FAULT, MTASTS_NOTHING_WRONG, reason);
	if (reply_is_live(plan, now))
		return reply_stale(plan, now, MTASTS_STS_POLICY_FETCH_ERROR, reason);
	return reply_none(plan, now, MTASTS_UNKNOWN, MTASTS_NOTHING_WRONG, reason);
}

enum plan_want
reply_fault(struct plan *plan, struct plan_time now, const char *reason)
{
	if (reply_is_live(plan, now))
		return reply_stale(plan, now, MTASTS_NOTHING_WRONG, reason);
	return reply_none(plan, now, MTASTS_FAULT, MTASTS_NOTHING_WRONG, reason);
}
