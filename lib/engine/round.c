/* SPDX-License-Identifier: ISC
 *
 * Strikes are read once, at the beginning; the policy is looked up anew only where its refusal
 * would be final.
 */
#include "engine/round.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/strikes.h"

/* ---- the rules, for both forms ---- */

static bool
is_any_untried(const struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		if (round->attempts[i].tls == MTASTS_TLS_UNTRIED)
			return true;
	}
	return false;
}

/* As decide(). */
static int
decide_first(const struct round *round, const struct mtasts_policy *policy,
    struct strike strikes[LIMIT_MX_HOSTS], struct decide_round *first,
    struct mtasts_decision *decision)
{
	*first = (struct decide_round){ .attempts = round->attempts,
		.n = round->n,
		.strikes = strikes,
		.message_age = round->message_age };
	if (policy_enforces(policy) && is_any_untried(round))
		first->n_strikes = strikes_against(round->cache, &policy->domain,
		    round->now - round->message_age, round->now, strikes, LIMIT_MX_HOSTS);
	return decide(policy, first, &round->config, decision);
}

/*
 * The policy that was acted upon up to now may be in no store (max_age 0, a full disk): a look-up
 * that finds nothing out does not end it, nor does an older one (R10.2.1).
 */
static bool
is_in_force(const struct mtasts_policy *rechecked, const struct mtasts_policy *before)
{
	return rechecked->state == MTASTS_PUBLISHED &&
	       (rechecked->rechecked || rechecked->fetched_at >= before->fetched_at);
}

/* rechecked is taken; *policy is the one in force, and *decision what follows from it. */
static void
decide_rechecked(struct mtasts_policy *rechecked, struct decide_round *first,
    const struct decide_config *config, struct mtasts_policy **policy,
    struct mtasts_decision *decision)
{
	if (!is_in_force(rechecked, *policy)) {
		policy_free(rechecked);
		return;
	}
	policy_free(*policy);
	*policy = rechecked;
	first->is_rechecked = rechecked->rechecked;
	(void)decide(rechecked, first, config, decision);
}

/* ---- to be waited for ---- */

int
round_wait(struct engine *engine, const struct round *round, struct mtasts_policy **policy,
    struct mtasts_decision *decision)
{
	struct strike strikes[LIMIT_MX_HOSTS];
	struct mtasts_policy *rechecked = NULL;
	struct mtasts_decision made;
	struct decide_round first;

	if (decide_first(round, *policy, strikes, &first, &made) != 0) {
		int r = engine_lookup(
		    engine, &(*policy)->domain, MTASTS_RECHECK, round->timeout_ms, &rechecked);
		if (r != 0)
			return r;
		decide_rechecked(rechecked, &first, &round->config, policy, &made);
	}
	*decision = made;
	return 0;
}

/* ---- for an event loop ---- */

struct round_ask {
	struct ask ask;
	struct engine *engine;
	uint64_t lookup; /* the recheck under way; 0: none */
	mtasts_decide_fn *done;
	void *arg;
	int error;
	struct mtasts_policy *policy;
	struct mtasts_decision decision;
	struct decide_round round; /* of what is copied here */
	struct decide_config config;
	struct mtasts_attempt *attempts;
	struct strike *strikes;
	char *names; /* of the attempts' MX hosts */
};

static void
ask_tell(struct ask *ask)
{
	struct round_ask *mine = (struct round_ask *)ask;
	struct mtasts_policy *policy = mine->policy;

	mine->policy = NULL; /* given to the callback */
	mine->done(mine->arg, mine->error, policy, mine->error == 0 ? &mine->decision : NULL);
}

static void
ask_free(struct ask *ask)
{
	struct round_ask *mine = (struct round_ask *)ask;

	if (mine->lookup != 0)
		engine_cancel(mine->engine, mine->lookup);
	policy_free(mine->policy);
	free(mine->attempts);
	free(mine->strikes);
	free(mine->names);
	free(mine);
}

static void
recheck_come(void *arg, int error, struct mtasts_policy *rechecked)
{
	struct round_ask *mine = arg;

	mine->lookup = 0;
	mine->ask.is_over = true;
	mine->error = error;
	if (error == 0)
		decide_rechecked(
		    rechecked, &mine->round, &mine->config, &mine->policy, &mine->decision);
}

/* Of an attempt's words a decision needs the host's name alone. */
static int
attempts_copy(struct round_ask *mine, const struct round *from)
{
	size_t octets = 1;

	for (size_t i = 0; i < from->n; i++)
		octets +=
		    from->attempts[i].mx_host != NULL ? strlen(from->attempts[i].mx_host) + 1 : 0;
	mine->attempts = mem_zero(from->n, sizeof mine->attempts[0]);
	mine->names = mem_zero(octets, 1);
	if (mine->attempts == NULL || mine->names == NULL)
		return MTASTS_ENOMEM;
	char *at = mine->names;
	for (size_t i = 0; i < from->n; i++) {
		struct mtasts_attempt *copy = &mine->attempts[i];
		*copy = from->attempts[i];
		copy->mx_ip = copy->mx_helo = copy->local_ip = copy->detail = NULL;
		if (copy->mx_host == NULL)
			continue;
		size_t n = strlen(copy->mx_host) + 1;
		copy->mx_host = memcpy(at, copy->mx_host, n);
		at += n;
	}
	mine->round.attempts = mine->attempts;
	return 0;
}

static int
strikes_copy(struct round_ask *mine, const struct strike *strikes)
{
	mine->strikes = mem_zero(mine->round.n_strikes, sizeof strikes[0]);
	if (mine->strikes == NULL)
		return MTASTS_ENOMEM;
	if (mine->round.n_strikes != 0)
		memcpy(mine->strikes, strikes, mine->round.n_strikes * sizeof strikes[0]);
	mine->round.strikes = mine->strikes;
	return 0;
}

/* Decided at once, or the recheck begins. */
static int
begin(struct round_ask *mine, const struct round *round, const struct mtasts_policy *policy)
{
	struct strike strikes[LIMIT_MX_HOSTS];

	mine->config = round->config;
	if (decide_first(round, policy, strikes, &mine->round, &mine->decision) == 0) {
		mine->ask.is_over = true;
		return 0;
	}
	int r = attempts_copy(mine, round);
	if (r == 0)
		r = strikes_copy(mine, strikes);
	if (r != 0)
		return r;
	return engine_start(mine->engine, &policy->domain, MTASTS_RECHECK, round->timeout_ms,
	    recheck_come, mine, &mine->lookup);
}

int
round_start(struct engine *engine, const struct round *round, struct mtasts_policy *policy,
    mtasts_decide_fn *done, void *arg, uint64_t *id)
{
	static const struct ask_kind kind = { NULL, ask_tell, ask_free };
	struct round_ask *mine = mem_zero(1, sizeof *mine);

	if (mine == NULL)
		return MTASTS_ENOMEM;
	mine->ask.kind = &kind;
	mine->engine = engine;
	mine->done = done;
	mine->arg = arg;
	int r = begin(mine, round, policy);
	if (r == 0)
		r = engine_ask(engine, &mine->ask, NULL, 0, round->timeout_ms);
	if (r != 0) {
		ask_free(&mine->ask);
		return r;
	}
	mine->policy = policy; /* taken */
	*id = mine->ask.id;
	return 0;
}
