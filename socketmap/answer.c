/* SPDX-License-Identifier: ISC
 *
 * One request, one answer.  Decides nothing about policies: that is the library's and reply.c's.
 */
#include "socketmap/answer.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "socketmap/known.h"
#include "socketmap/question.h"

struct answers {
	struct mtasts *ctx;
	struct answers_config config;
	const struct clock *clock;
	const struct log *log;
	struct known_table *known;
	struct verdict *verdict;
	int64_t now_ms;
	struct waiter *soonest, *latest; /* by deadline, which is the order they came in */
	size_t n_waiting;
	bool is_due;
	size_t n_lookups; /* under way, of policies and of MX hosts */
	struct asked *asked;
	char payload[REPLY_MAX], frame[ANSWER_MAX];
};

/* A look-up under way: the library's callbacks know no more than this. */
struct asked {
	struct asked *next, **at;
	struct answers *answers;
	struct known *known;
	uint64_t id;
};

/* ---- replies ---- */

static void
frame_put(struct buf *out, const struct buf *payload)
{
	netstring_format(out, span_make(payload->p, payload->n));
}

/* What policy and MX hosts come to; kept, so that it is made once. */
static struct span
frame_make(struct answers *a, struct known *known, enum reply_form form)
{
	struct buf payload, frame;

	buf_init(&payload, a->payload, sizeof a->payload);
	if (reply_format(&payload, known->policy, known->set, form, &a->config.reply))
		log_put(a->log, MTASTS_LOG_WARNING, "answer domain=%s reply=\"%s\"",
		    known->domain.name, payload.p);
	buf_init(&frame, a->frame, sizeof a->frame);
	frame_put(&frame, &payload);
	assert(!frame.full);
	struct span whole = span_make(frame.p, frame.n);
	known_put_frame(a->known, known, form, whole);
	return whole;
}

/* The policy has to wait for MX hosts; those that are too old are none. */
static bool
lacks_mx(const struct answers *a, const struct known *known)
{
	return known->needs_mx && (known->set == NULL || known->set_until <= a->now_ms);
}

static struct span
frame_of(struct answers *a, struct known *known, enum reply_form form)
{
	const struct known_frame *made = &known->frames[form];

	return made->p != NULL ? span_make(made->p, made->n) : frame_make(a, known, form);
}

/* ---- requests ---- */

static bool
is_fresh(const struct answers *a, const struct known *known)
{
	return known->policy != NULL && known->policy_until > a->now_ms;
}

/* What the judge says; policy NULL: none could be had. */
static void
verdict_put(struct answers *a, const struct question *question, const struct mtasts_policy *policy,
    struct buf *out)
{
	struct buf text;

	buf_init(&text, a->payload, sizeof a->payload);
	buf_puts(&text, "OK ");
	if (question->is_verdict_good)
		verdict_answer(a->verdict, a->ctx, policy, &question->verdict, &text);
	else
		verdict_refuse(&text);
	frame_put(out, &text);
}

/* What needs no policy. */
static void
plain_put(struct answers *a, const struct question *question, struct buf *out)
{
	struct buf text;

	if (question->kind == QUESTION_VERDICT_NOW) {
		verdict_put(a, question, NULL, out);
		return;
	}
	buf_init(&text, a->payload, sizeof a->payload);
	if (question->kind == QUESTION_MALFORMED)
		reply_malformed(&text);
	else
		reply_not_found(&text);
	frame_put(out, &text);
}

bool
answers_now(struct answers *a, struct span payload, struct buf *out)
{
	struct question question;

	question_parse(payload, &question);
	if (!question_needs_policy(&question)) {
		plain_put(a, &question, out);
		return true;
	}
	struct known *known = known_find(a->known, &question.domain);
	if (known == NULL || !is_fresh(a, known))
		return false;
	if (question.kind == QUESTION_VERDICT)
		verdict_put(a, &question, known->policy, out);
	else if (lacks_mx(a, known))
		return false;
	else
		buf_put(out, frame_of(a, known, question.form));
	return true;
}

/* ---- those who wait ---- */

static void
list_add(struct waiter *w)
{
	struct waiters *list = &w->known->waiters[w->has_policy];

	w->next = NULL;
	w->previous = list->last;
	*(list->last != NULL ? &list->last->next : &list->first) = w;
	list->last = w;
}

static void
list_remove(struct waiter *w)
{
	struct waiters *list = &w->known->waiters[w->has_policy];

	*(w->previous != NULL ? &w->previous->next : &list->first) = w->next;
	*(w->next != NULL ? &w->next->previous : &list->last) = w->previous;
}

/* From now on for MX hosts alone. */
static void
wait_on(struct waiter *w)
{
	list_remove(w);
	w->has_policy = true;
	list_add(w);
}

static void
wait_begin(struct answers *a, struct waiter *w, struct known *known)
{
	w->known = known;
	w->has_policy = is_fresh(a, known);
	list_add(w);
	w->deadline_ms = a->now_ms + ANSWER_WAIT;
	w->later = NULL;
	w->sooner = a->latest;
	if (a->latest != NULL)
		a->latest->later = w;
	else
		a->soonest = w;
	a->latest = w;
	a->n_waiting++;
}

static void
wait_end(struct answers *a, struct waiter *w)
{
	list_remove(w);
	if (w->sooner != NULL)
		w->sooner->later = w->later;
	else
		a->soonest = w->later;
	if (w->later != NULL)
		w->later->sooner = w->sooner;
	else
		a->latest = w->sooner;
	w->known = NULL;
	a->n_waiting--;
}

static void
waiter_tell(struct answers *a, struct waiter *w, struct span frame)
{
	if (w->known != NULL)
		wait_end(a, w);
	w->done(w, frame);
}

static void
waiter_tell_text(struct answers *a, struct waiter *w, const struct buf *text)
{
	struct buf frame;

	buf_init(&frame, a->frame, sizeof a->frame);
	frame_put(&frame, text);
	waiter_tell(a, w, span_make(frame.p, frame.n));
}

static void
waiter_tell_verdict(struct answers *a, struct waiter *w, const struct question *question,
    const struct mtasts_policy *policy)
{
	struct buf frame;

	buf_init(&frame, a->frame, sizeof a->frame);
	verdict_put(a, question, policy, &frame);
	waiter_tell(a, w, span_make(frame.p, frame.n));
}

/* By a policy that is there, and by MX hosts where it needs them. */
static void
waiter_answer(struct answers *a, struct waiter *w)
{
	struct question question;

	question_parse(w->payload, &question);
	if (question.kind == QUESTION_VERDICT)
		waiter_tell_verdict(a, w, &question, w->known->policy);
	else
		waiter_tell(a, w, frame_of(a, w->known, question.form));
}

/* error: why nothing can be asked. */
static void
waiter_refuse(struct answers *a, struct waiter *w, int error)
{
	struct question question;
	struct buf text;

	question_parse(w->payload, &question);
	if (question.kind == QUESTION_VERDICT) {
		waiter_tell_verdict(a, w, &question, NULL);
		return;
	}
	buf_init(&text, a->payload, sizeof a->payload);
	reply_busy(&text, error);
	waiter_tell_text(a, w, &text);
}

/* ---- look-ups ---- */

static struct asked *
asked_new(struct answers *a, struct known *known)
{
	struct asked *asked = mem_zero(1, sizeof *asked);

	if (asked == NULL)
		return NULL;
	asked->answers = a;
	asked->known = known;
	asked->next = a->asked;
	asked->at = &a->asked;
	if (a->asked != NULL)
		a->asked->at = &asked->next;
	a->asked = asked;
	a->n_lookups++;
	return asked;
}

static void
asked_free(struct asked *asked)
{
	*asked->at = asked->next;
	if (asked->next != NULL)
		asked->next->at = asked->at;
	asked->answers->n_lookups--;
	free(asked);
}

/* Of those who have a policy, or have none yet; NULL: nobody waits. */
static struct waiter *
waiter_first(const struct known *known, bool has_policy)
{
	return known->waiters[has_policy].first;
}

static void
refuse_all(struct answers *a, struct known *known, bool has_policy, int error)
{
	struct waiter *w;

	while ((w = waiter_first(known, has_policy)) != NULL)
		waiter_refuse(a, w, error);
}

static void
mx_come(void *arg, int error, struct mtasts_mxset *set)
{
	struct asked *asked = arg;
	struct answers *a = asked->answers;
	struct known *known = asked->known;
	struct waiter *w;

	asked_free(asked);
	known->is_asking_mx = false;
	if (error != 0) {
		refuse_all(a, known, true, error);
		return;
	}
	int64_t ttl = mtasts_mxset_ttl(set);
	ttl = ttl > ANSWER_MX_MAX ? ANSWER_MX_MAX : ttl;
	int64_t keep_ms = ttl * 1000 > ANSWER_KEEP ? ttl * 1000 : ANSWER_KEEP;
	known_put_set(a->known, known, set, a->now_ms + keep_ms);
	while ((w = waiter_first(known, true)) != NULL)
		waiter_answer(a, w);
}

static int
mx_ask(struct answers *a, struct known *known)
{
	if (known->is_asking_mx)
		return 0;
	if (a->n_lookups >= a->config.max_lookups)
		return MTASTS_EBUSY;
	struct asked *asked = asked_new(a, known);
	if (asked == NULL)
		return MTASTS_ENOMEM;
	int r =
	    mtasts_mx_start(a->ctx, known->domain.name, ANSWER_WAIT, mx_come, asked, &asked->id);
	if (r != 0) {
		asked_free(asked);
		return r;
	}
	known->is_asking_mx = true;
	return 0;
}

/* How long a policy may be kept without asking the library again: ms, monotonic. */
static int64_t
policy_until(const struct answers *a, const struct mtasts_policy *policy)
{
	int64_t keep = ANSWER_KEEP;

	if (mtasts_policy_state(policy) == MTASTS_PUBLISHED) {
		int64_t left = mtasts_policy_expires(policy) - clock_real(a->clock);
		if (left < 0)
			left = 0;
		if (left * 1000 < keep)
			keep = left * 1000;
	}
	return a->now_ms + keep;
}

/* A policy came: who waited for it has it, or waits for MX hosts now. */
static void
policy_take(struct answers *a, struct known *known, struct mtasts_policy *policy)
{
	struct waiter *w;

	known_put_policy(a->known, known, policy, policy_until(a, policy));
	bool wants_mx = lacks_mx(a, known);
	while ((w = waiter_first(known, false)) != NULL) {
		wait_on(w);
		if (w->is_verdict || !wants_mx)
			waiter_answer(a, w);
	}
	if (waiter_first(known, true) == NULL)
		return;
	int r = mx_ask(a, known);
	if (r != 0)
		refuse_all(a, known, true, r);
}

static void
policy_come(void *arg, int error, struct mtasts_policy *policy)
{
	struct asked *asked = arg;
	struct answers *a = asked->answers;
	struct known *known = asked->known;

	asked_free(asked);
	known->is_asking = false;
	if (error != 0)
		refuse_all(a, known, false, error);
	else
		policy_take(a, known, policy);
}

/* What the store alone has; NULL: it cannot even be asked. */
static struct mtasts_policy *
policy_stored(struct answers *a, const struct known *known)
{
	struct mtasts_policy *policy = NULL;
	int r = mtasts_lookup(a->ctx, known->domain.name, MTASTS_CACHED_ONLY, 0, &policy);

	return r == 0 ? policy : NULL;
}

/* Everybody is told what the store alone has; or nobody, where that settles nothing: *unknown. */
static bool
policy_take_stored(struct answers *a, struct known *known, struct mtasts_policy **unknown)
{
	*unknown = policy_stored(a, known);
	if (*unknown == NULL || mtasts_policy_state(*unknown) == MTASTS_UNKNOWN)
		return false;
	policy_take(a, known, *unknown);
	*unknown = NULL; /* given to known */
	return true;
}

/* 0 also when the store had it and everybody was told. */
static int
policy_ask(struct answers *a, struct known *known)
{
	if (known->is_asking)
		return 0;
	if (a->n_lookups >= a->config.max_lookups) {
		struct mtasts_policy *unknown;
		bool is_settled = policy_take_stored(a, known, &unknown);
		mtasts_policy_free(unknown);
		return is_settled ? 0 : MTASTS_EBUSY;
	}
	struct asked *asked = asked_new(a, known);
	if (asked == NULL)
		return MTASTS_ENOMEM;
	int r = mtasts_start(a->ctx, known->domain.name, 0, 0, policy_come, asked, &asked->id);
	if (r != 0) {
		asked_free(asked);
		return r;
	}
	known->is_asking = true;
	return 0;
}

void
answers_later(struct answers *a, struct waiter *w)
{
	struct question question;

	question_parse(w->payload, &question);
	assert(question_needs_policy(&question));
	a->is_due = true;
	w->is_verdict = question.kind == QUESTION_VERDICT;
	struct known *known = known_get(a->known, &question.domain);
	if (known == NULL) {
		w->known = NULL;
		waiter_refuse(a, w, MTASTS_ENOMEM);
		return;
	}
	wait_begin(a, w, known);
	int r = w->has_policy ? mx_ask(a, known) : policy_ask(a, known);
	if (r != 0)
		refuse_all(a, known, w->has_policy, r);
}

void
answers_cancel(struct answers *a, struct waiter *w)
{
	if (w->known != NULL)
		wait_end(a, w);
}

size_t
answers_waiting(const struct answers *a)
{
	return a->n_waiting;
}

/* ---- time ---- */

static void
waiter_tell_late(struct answers *a, struct waiter *w, const struct mtasts_policy *unknown)
{
	const struct domain *domain = &w->known->domain;
	struct question question;
	struct buf text;

	question_parse(w->payload, &question);
	if (question.kind == QUESTION_VERDICT) {
		waiter_tell_verdict(a, w, &question, unknown);
		return;
	}
	buf_init(&text, a->payload, sizeof a->payload);
	if (w->has_policy)
		reply_mx_late(&text, domain);
	else
		reply_late(&text, domain, &a->config.reply);
	waiter_tell_text(a, w, &text);
}

/*
 * One is late, and with it all of its domain whose time is over.  The look-up goes on.  A policy
 * that is cached binds, however long the DNS takes.
 */
static void
waiter_late(struct answers *a, struct waiter *w)
{
	struct mtasts_policy *unknown = NULL;
	struct known *known = w->known;

	if (!w->has_policy && policy_take_stored(a, known, &unknown) && w->known == NULL)
		return;
	bool has_policy = w->has_policy;
	log_put(a->log, MTASTS_LOG_WARNING, "answer domain=%s reason=\"no %s in time\"",
	    known->domain.name, has_policy ? "MX hosts" : "policy");
	do
		waiter_tell_late(a, w, unknown);
	while ((w = waiter_first(known, has_policy)) != NULL && w->deadline_ms <= a->now_ms);
	mtasts_policy_free(unknown);
}

size_t
answers_pollfds(struct answers *a, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	size_t n = mtasts_pollfds(a->ctx, fds, cap, timeout_ms);

	if (a->soonest != NULL) {
		int64_t left = a->soonest->deadline_ms - clock_mono_ms(a->clock);
		if (left < 0)
			left = 0;
		if (*timeout_ms < 0 || left < *timeout_ms)
			*timeout_ms = (int)left;
	}
	return n;
}

void
answers_run(struct answers *a)
{
	answers_tick(a);
	a->is_due = false;
	known_expire(a->known, a->now_ms);
	(void)mtasts_process(a->ctx); /* fails for a fork()ed copy alone */
	while (a->soonest != NULL && a->soonest->deadline_ms <= a->now_ms)
		waiter_late(a, a->soonest);
}

bool
answers_is_due(const struct answers *a)
{
	return a->is_due;
}

void
answers_tick(struct answers *a)
{
	a->now_ms = clock_mono_ms(a->clock);
}

/* ---- all of it ---- */

struct answers *
answers_new(struct mtasts *ctx, const struct answers_config *config, const struct clock *clock,
    const struct log *log)
{
	struct answers *a = mem_zero(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->known = known_new();
	a->verdict = verdict_new();
	if (a->known == NULL || a->verdict == NULL) {
		answers_free(a);
		return NULL;
	}
	a->ctx = ctx;
	a->config = *config;
	a->clock = clock;
	a->log = log;
	answers_tick(a);
	return a;
}

void
answers_free(struct answers *a)
{
	if (a == NULL)
		return;
	while (a->soonest != NULL)
		wait_end(a, a->soonest);
	while (a->asked != NULL) {
		mtasts_cancel(a->ctx, a->asked->id);
		asked_free(a->asked);
	}
	known_free(a->known);
	verdict_free(a->verdict);
	free(a);
}
