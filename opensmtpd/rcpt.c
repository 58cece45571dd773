/* SPDX-License-Identifier: ISC
 *
 * Policy, then MX hosts, then the decision, each by the library's callbacks and all within one
 * deadline.
 */
#include "opensmtpd/rcpt.h"

#include <stdlib.h>

#include "base/mem.h"

/* One question on its way. */
struct rcpt {
	struct rcpts *rcpts;
	struct rcpt *next, **at;
	uint64_t question;
	struct domain domain;
	int64_t end_ms; /* monotonic */
	uint64_t id;	/* of what the library is at */
	struct mtasts_policy *policy;
	struct mtasts_mxset *mx;
};

struct rcpts {
	struct loop *loop;
	struct mtasts *ctx;
	int64_t deadline_ms;
	const struct log *log;
	rcpt_fn *fn;
	void *arg;
	struct rcpt *first;
	size_t n;
};

static void
rcpt_free(struct rcpt *rcpt)
{
	*rcpt->at = rcpt->next;
	if (rcpt->next != NULL)
		rcpt->next->at = rcpt->at;
	rcpt->rcpts->n--;
	mtasts_policy_free(rcpt->policy);
	mtasts_mxset_free(rcpt->mx);
	free(rcpt);
}

static void
answer(struct rcpt *rcpt, const struct mtasts_decision *decision)
{
	struct rcpts *rcpts = rcpt->rcpts;
	uint64_t question = rcpt->question;

	rcpt_free(rcpt);
	rcpts->fn(rcpts->arg, question, decision);
}

/* 0: none. */
static int
left_ms(const struct rcpt *rcpt)
{
	int64_t left = rcpt->end_ms - loop_now_ms(rcpt->rcpts->loop);

	if (left <= 0)
		return 0;
	return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* ---- the decision ---- */

static struct mtasts_attempt
untried(const struct rcpt *rcpt, size_t i)
{
	return (struct mtasts_attempt){ .mx_host = mtasts_mxset_host(rcpt->mx, i),
		.mx_secure = mtasts_mxset_secure(rcpt->mx),
		.tls = MTASTS_TLS_UNTRIED };
}

/*
 * A host that is in the policy is the relay's affair: it may do better in the next attempt,
 * whatever strikes there are against it in this very second.
 */
static bool
is_any_allowed(const struct rcpt *rcpt)
{
	for (size_t i = 0; i < mtasts_mxset_count(rcpt->mx); i++) {
		struct mtasts_attempt attempt = untried(rcpt, i);
		if (mtasts_judge(rcpt->policy, &attempt).deliver)
			return true;
	}
	return false;
}

static void
decided(void *arg, int error, struct mtasts_policy *policy, const struct mtasts_decision *decision)
{
	struct rcpt *rcpt = arg;
	struct rcpts *rcpts = rcpt->rcpts;

	rcpt->policy = policy;
	if (error != 0 || decision->action != MTASTS_FAIL || is_any_allowed(rcpt)) {
		answer(rcpt, NULL);
		return;
	}
	log_put(rcpts->log, MTASTS_LOG_INFO, "rcpt domain=%s refused=\"%d %s\"", rcpt->domain.name,
	    decision->smtp_code, decision->enhanced);
	answer(rcpt, decision);
}

static int
decide(struct rcpt *rcpt)
{
	size_t n = mtasts_mxset_count(rcpt->mx);
	struct mtasts_attempt *attempts = mem_zero(n, sizeof *attempts);

	if (attempts == NULL)
		return MTASTS_ENOMEM;
	for (size_t i = 0; i < n; i++)
		attempts[i] = untried(rcpt, i);
	int r = mtasts_decide_start(rcpt->rcpts->ctx, rcpt->policy, attempts, n, 0, 0,
	    left_ms(rcpt), decided, rcpt, &rcpt->id);
	if (r == 0)
		rcpt->policy = NULL; /* it comes back with the decision */
	free(attempts);
	return r;
}

/* ---- the MX hosts ---- */

static void
mx_come(void *arg, int error, struct mtasts_mxset *set)
{
	struct rcpt *rcpt = arg;

	rcpt->mx = set;
	if (error != 0 || mtasts_mxset_count(set) == 0 || left_ms(rcpt) == 0 ||
	    is_any_allowed(rcpt) || decide(rcpt) != 0)
		answer(rcpt, NULL);
}

/* ---- the policy ---- */

static void
policy_come(void *arg, int error, struct mtasts_policy *policy)
{
	struct rcpt *rcpt = arg;
	int left = left_ms(rcpt);

	rcpt->policy = policy;
	if (error != 0 || left == 0 || mtasts_policy_state(policy) != MTASTS_PUBLISHED ||
	    mtasts_policy_mode(policy) != MTASTS_ENFORCE ||
	    mtasts_mx_start(rcpt->rcpts->ctx, rcpt->domain.name, left, mx_come, rcpt, &rcpt->id) !=
		0)
		answer(rcpt, NULL);
}

void
rcpts_ask(struct rcpts *rcpts, uint64_t question, const struct domain *domain)
{
	struct rcpt *rcpt = rcpts->n < RCPT_MAX ? mem_zero(1, sizeof *rcpt) : NULL;

	if (rcpt == NULL) {
		rcpts->fn(rcpts->arg, question, NULL);
		return;
	}
	rcpt->rcpts = rcpts;
	rcpt->question = question;
	rcpt->domain = *domain;
	rcpt->end_ms = loop_now_ms(rcpts->loop) + rcpts->deadline_ms;
	rcpt->next = rcpts->first;
	rcpt->at = &rcpts->first;
	if (rcpt->next != NULL)
		rcpt->next->at = &rcpt->next;
	rcpts->first = rcpt;
	rcpts->n++;
	if (mtasts_start(
		rcpts->ctx, rcpt->domain.name, 0, left_ms(rcpt), policy_come, rcpt, &rcpt->id) != 0)
		answer(rcpt, NULL);
}

struct rcpts *
rcpts_new(struct loop *loop, struct mtasts *ctx, int64_t deadline_ms, const struct log *log,
    rcpt_fn *fn, void *arg)
{
	struct rcpts *rcpts = mem_zero(1, sizeof *rcpts);

	if (rcpts == NULL)
		return NULL;
	rcpts->loop = loop;
	rcpts->ctx = ctx;
	rcpts->deadline_ms = deadline_ms;
	rcpts->log = log;
	rcpts->fn = fn;
	rcpts->arg = arg;
	return rcpts;
}

void
rcpts_free(struct rcpts *rcpts)
{
	if (rcpts == NULL)
		return;
	while (rcpts->first != NULL) {
		mtasts_cancel(rcpts->ctx, rcpts->first->id);
		rcpt_free(rcpts->first);
	}
	free(rcpts);
}

size_t
rcpts_count(const struct rcpts *rcpts)
{
	return rcpts->n;
}
