/* SPDX-License-Identifier: ISC
 *
 * Drives plans: does what they want, hands back what came of it, keeps their one timer.  Knows
 * cache and network by their tables of functions only, and decides nothing about policies.
 */
#include "engine/engine.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "engine/plan.h"

enum { FDS_MAX = 16, USED_EVERY = 3600 /* seconds */ };

struct lookups {
	struct lookup *first, *last;
};

struct lookup {
	struct lookup *next, *previous;
	struct lookups *list; /* the one of the engine's that it is in */
	struct engine *engine;
	uint64_t id;
	mtasts_lookup_fn *done; /* NULL: engine_lookup() takes the answer itself */
	void *arg;
	int64_t start_ms;
	struct plan plan;
	enum plan_want want; /* still to be done */
	bool is_over;
	struct cache_lease *lease;
	struct net_request *asked; /* answers are still to come */
	size_t n_asked;
	struct net_request *fetched;
};

struct engine {
	struct engine_config config;
	struct cache cache;
	struct net net;
	const struct clock *clock;
	const struct log *log;
	uint64_t last_id;
	size_t n_lookups;
	struct lookups ready;	/* have a want to be seen to */
	struct lookups waiting; /* for the network or their timer: maybe many, seldom walked */
	struct lookups over;	/* until they are told, in the order of their start */
	int64_t wake_ms;	/* no timer of those waiting runs out before; INT64_MAX */
	struct asks asks;
};

static struct plan_time
time_now(const struct engine *engine)
{
	return (struct plan_time){ clock_real(engine->clock), clock_mono_ms(engine->clock) };
}

/* ---- lists of look-ups ---- */

static void
list_remove(struct lookup *l)
{
	struct lookups *list = l->list;

	*(l->previous != NULL ? &l->previous->next : &list->first) = l->next;
	*(l->next != NULL ? &l->next->previous : &list->last) = l->previous;
	l->list = NULL;
}

/* Behind previous; NULL: to the beginning. */
static void
list_insert(struct lookups *list, struct lookup *previous, struct lookup *l)
{
	if (l->list != NULL)
		list_remove(l);
	l->list = list;
	l->previous = previous;
	l->next = previous != NULL ? previous->next : list->first;
	*(l->previous != NULL ? &l->previous->next : &list->first) = l;
	*(l->next != NULL ? &l->next->previous : &list->last) = l;
}

/* Among the over ones, in the order of their start: those of one turn are few. */
static void
place_over(struct engine *engine, struct lookup *l)
{
	struct lookup *previous = engine->over.last;

	while (previous != NULL && previous->id > l->id)
		previous = previous->previous;
	list_insert(&engine->over, previous, l);
}

/* Where it belongs, after something happened to it. */
static void
place(struct engine *engine, struct lookup *l)
{
	if (l->want != PLAN_WAIT) {
		if (l->list != &engine->ready)
			list_insert(&engine->ready, engine->ready.last, l);
		return;
	}
	if (l->list != &engine->waiting)
		list_insert(&engine->waiting, engine->waiting.last, l);
	if (l->plan.wake_ms < engine->wake_ms)
		engine->wake_ms = l->plan.wake_ms;
}

/* ---- what a plan wants ---- */

static void
answer_come(void *arg, size_t i, const struct net_answer *answer)
{
	struct lookup *l = arg;

	if (--l->n_asked == 0)
		l->asked = NULL; /* ends by itself */
	enum plan_want want = plan_answer(&l->plan, time_now(l->engine), i, answer);
	if (want != PLAN_WAIT)
		l->want = want;
	place(l->engine, l);
}

static void
page_come(void *arg, const struct net_page *page)
{
	struct lookup *l = arg;

	l->fetched = NULL;
	enum plan_want want = plan_page(&l->plan, time_now(l->engine), page);
	if (want != PLAN_WAIT)
		l->want = want;
	place(l->engine, l);
}

static enum plan_want
do_read(struct engine *engine, struct lookup *l)
{
	const struct cache *cache = &engine->cache;
	struct hint hint = { 0 };
	struct entry *entry = NULL;
	enum cache_result got, hinted;

	if (l->plan.config.flags & MTASTS_CACHED_ONLY) {
		got = cache->peek(cache->self, &l->plan.domain, &entry, &hinted, &hint);
	} else {
		got = cache->get(cache->self, &l->plan.domain, &entry);
		hinted = cache->hint_get(cache->self, &l->plan.domain, &hint);
	}
	return plan_read(
	    &l->plan, time_now(engine), got, got == CACHE_OK ? entry : NULL, hinted, &hint);
}

/* The outcome is looked at after the lease was tried: who has just let go has left it there. */
static enum plan_want
do_lease(struct engine *engine, struct lookup *l)
{
	const struct cache *cache = &engine->cache;
	struct outcome outcome = { 0 };
	enum cache_result got =
	    cache->lease_get(cache->self, &l->plan.domain, engine->config.max_fetches, &l->lease);
	enum cache_result looked = got == CACHE_UNREADABLE
				       ? CACHE_UNREADABLE
				       : cache->outcome_get(cache->self, &l->plan.domain, &outcome);

	return plan_lease(&l->plan, time_now(engine), got, looked, &outcome);
}

/* Not even begun, for want of memory or descriptors. */
static const char *
net_refused(const struct engine *engine, int error)
{
	const char *why = mtasts_strerror(error);

	log_put(engine->log, MTASTS_LOG_ERROR, "network reason=\"%s\"", why);
	return why;
}

static enum plan_want
do_ask(struct engine *engine, struct lookup *l)
{
	struct net_answer none = { .state = NET_FAULT };

	l->n_asked = PLAN_QUESTIONS;
	int r = engine->net.resolve(engine->net.self, l->plan.questions, PLAN_QUESTIONS,
	    l->plan.config.deadline_ms, answer_come, l, &l->asked);
	if (r == 0)
		return PLAN_WAIT;
	l->asked = NULL;
	none.reason = net_refused(engine, r);
	return plan_answer(&l->plan, time_now(engine), PLAN_TXT, &none);
}

static enum plan_want
do_fetch(struct engine *engine, struct lookup *l)
{
	struct net_page none = { .state = NET_FETCH_FAULT };
	int r = engine->net.fetch(engine->net.self, &l->plan.fetch, l->plan.config.deadline_ms,
	    page_come, l, &l->fetched);

	if (r == 0)
		return PLAN_WAIT;
	l->fetched = NULL;
	none.reason = net_refused(engine, r);
	return plan_page(&l->plan, time_now(engine), &none);
}

static enum plan_want
do_store(struct engine *engine, struct lookup *l)
{
	const struct cache *cache = &engine->cache;
	struct plan *plan = &l->plan;
	enum cache_result put =
	    plan->put_entry != NULL
		? cache->put(cache->self, plan->put_entry, clock_real(engine->clock))
		: cache->hint_put(cache->self, &plan->domain, &plan->hint);

	return plan_stored(plan, time_now(engine), put);
}

/* ---- the end of a look-up ---- */

/* Let go of everything but memory. */
static void
release(struct engine *engine, struct lookup *l)
{
	if (l->asked != NULL)
		engine->net.cancel(engine->net.self, l->asked);
	if (l->fetched != NULL)
		engine->net.cancel(engine->net.self, l->fetched);
	l->asked = l->fetched = NULL;
	if (l->lease != NULL)
		engine->cache.lease_end(engine->cache.self, l->lease,
		    l->is_over && l->plan.has_outcome ? &l->plan.outcome : NULL);
	l->lease = NULL;
}

/* What is behind a FAULT was told as an error by whoever met it: one line says so, not two. */
static enum mtasts_log
answer_level(const struct mtasts_policy *policy)
{
	if (policy->state == MTASTS_FAULT || policy->source == MTASTS_FROM_STALE ||
	    policy->finding != MTASTS_NOTHING_WRONG)
		return MTASTS_LOG_WARNING;
	return MTASTS_LOG_INFO;
}

static void
log_answer(const struct engine *engine, const struct lookup *l)
{
	const struct mtasts_policy *policy = l->plan.answer;
	const char *finding = mtasts_finding_token(policy->finding);
	bool is_published = policy->state == MTASTS_PUBLISHED;

	log_put(engine->log, answer_level(policy),
	    "lookup domain=%s state=%s mode=%s source=%s finding=%s ms=%lld reason=\"%s\"",
	    policy->domain.name, state_name(policy->state),
	    is_published ? mode_name(policy->mode) : "-", source_name(policy->source),
	    finding != NULL ? finding : "-",
	    (long long)(clock_mono_ms(engine->clock) - l->start_ms), policy->reason);
}

static void
log_oddities(const struct engine *engine, const struct plan *plan)
{
	const char *name = plan->domain.name;

	if (plan->is_spoiled)
		log_put(engine->log, MTASTS_LOG_ERROR,
		    "store domain=%s reason=\"the cached policy is damaged\"", name);
	if (plan->put_failed)
		log_put(engine->log, MTASTS_LOG_INFO,
		    "store domain=%s reason=\"the policy could not be stored\"", name);
	if (plan->is_from_future)
		log_put(engine->log, MTASTS_LOG_WARNING,
		    "clock domain=%s reason=\"the cached policy was fetched later than now\"",
		    name);
	if (plan->slips[0] != '\0' && plan->answer->source == MTASTS_FROM_NETWORK)
		log_put(engine->log, MTASTS_LOG_WARNING, "policy domain=%s slips=\"%s\"", name,
		    plan->slips);
}

static void
finish(struct engine *engine, struct lookup *l)
{
	const struct plan *plan = &l->plan;
	bool had_network = l->lease != NULL;

	l->is_over = true;
	place_over(engine, l);
	release(engine, l);
	if (plan->answer == NULL)
		return;
	log_answer(engine, l);
	log_oddities(engine, plan);
	int64_t now = clock_real(engine->clock);
	if (plan->was_used && plan->entry->used_at + USED_EVERY <= now)
		engine->cache.used(engine->cache.self, &plan->domain, now);
	if (had_network)
		engine->cache.sweep(engine->cache.self, now);
}

static void
drive(struct engine *engine, struct lookup *l)
{
	while (l->want != PLAN_WAIT) {
		enum plan_want want = l->want;
		l->want = PLAN_WAIT;
		switch (want) {
		case PLAN_WAIT:
			break;
		case PLAN_READ:
			l->want = do_read(engine, l);
			break;
		case PLAN_LEASE:
			l->want = do_lease(engine, l);
			break;
		case PLAN_ASK:
			l->want = do_ask(engine, l);
			break;
		case PLAN_FETCH:
			l->want = do_fetch(engine, l);
			break;
		case PLAN_STORE:
			l->want = do_store(engine, l);
			break;
		case PLAN_DONE:
			finish(engine, l);
			return;
		}
	}
	place(engine, l);
}

/* Those whose timer has run out; and when the next one does. */
static void
tick(struct engine *engine, struct plan_time now)
{
	struct lookup *next;

	if (now.mono_ms < engine->wake_ms)
		return;
	engine->wake_ms = INT64_MAX;
	for (struct lookup *l = engine->waiting.first; l != NULL; l = next) {
		next = l->next;
		l->want = plan_tick(&l->plan, now);
		place(engine, l);
	}
}

/* Everything that can be done without waiting, but for telling anybody. */
static void
step(struct engine *engine)
{
	struct plan_time now = time_now(engine);

	/* the network's time before the plans': it knows whose fault it is that none came */
	engine->net.process(engine->net.self);
	asks_tick(&engine->asks, &engine->net, now.mono_ms);
	tick(engine, now);
	while (engine->ready.first != NULL)
		drive(engine, engine->ready.first);
}

/* ---- look-ups ---- */

static bool
is_busy(const struct engine *engine)
{
	return engine->n_lookups + engine->asks.n >= LIMIT_LOOKUPS;
}

static int
lookup_new(struct engine *engine, const struct domain *domain, unsigned flags, int timeout_ms,
    struct lookup **lookup)
{
	struct plan_time now = time_now(engine);
	struct plan_config config = { .flags = flags,
		.deadline_ms = now.mono_ms + timeout_ms,
		.fault_delivers = engine->config.fault_delivers };

	if (is_busy(engine))
		return MTASTS_EBUSY;
	struct lookup *l = mem_zero(1, sizeof *l);
	if (l == NULL)
		return MTASTS_ENOMEM;
	l->engine = engine;
	l->id = ++engine->last_id;
	l->start_ms = now.mono_ms;
	l->want = plan_start(&l->plan, domain, &config, now);
	place(engine, l);
	engine->n_lookups++;
	*lookup = l;
	return 0;
}

static void
lookup_free(struct engine *engine, struct lookup *l)
{
	list_remove(l);
	engine->n_lookups--;
	plan_clear(&l->plan);
	free(l);
}

/* Its answer, which is the caller's; the look-up is gone. */
static int
lookup_take(struct engine *engine, struct lookup *l, struct mtasts_policy **policy)
{
	int error = l->plan.error;

	*policy = l->plan.answer;
	l->plan.answer = NULL; /* given to the caller */
	lookup_free(engine, l);
	return error;
}

int
engine_start(struct engine *engine, const struct domain *domain, unsigned flags, int timeout_ms,
    mtasts_lookup_fn *done, void *arg, uint64_t *id)
{
	struct lookup *l = NULL;
	int r = lookup_new(engine, domain, flags, timeout_ms, &l);

	if (r != 0)
		return r;
	l->done = done;
	l->arg = arg;
	*id = l->id;
	return 0;
}

int
engine_ask(struct engine *engine, struct ask *ask, const struct net_question *questions, size_t n,
    int timeout_ms)
{
	if (is_busy(engine))
		return MTASTS_EBUSY;
	ask->id = engine->last_id + 1;
	ask->deadline_ms = clock_mono_ms(engine->clock) + timeout_ms;
	int r = asks_start(&engine->asks, &engine->net, ask, questions, n);
	if (r == 0)
		engine->last_id++;
	return r;
}

void
engine_cancel(struct engine *engine, uint64_t id)
{
	if (asks_cancel(&engine->asks, &engine->net, id))
		return;
	struct lookups *lists[] = { &engine->ready, &engine->waiting, &engine->over };
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct lookup *l = lists[i]->first;
		while (l != NULL && (l->id != id || l->done == NULL))
			l = l->next;
		if (l == NULL)
			continue;
		release(engine, l);
		lookup_free(engine, l);
		return;
	}
}

/* The first that is over and has a callback to run, begun no later than last_id; or NULL. */
static struct lookup *
over_next(const struct engine *engine, uint64_t last_id)
{
	struct lookup *l = engine->over.first;

	while (l != NULL && (l->done == NULL || l->id > last_id))
		l = l->next;
	return l;
}

static void
tell_lookups(struct engine *engine, uint64_t last_id)
{
	struct mtasts_policy *policy;
	struct lookup *l;

	while ((l = over_next(engine, last_id)) != NULL) {
		mtasts_lookup_fn *done = l->done;
		void *arg = l->arg;
		int error = lookup_take(engine, l, &policy);
		done(arg, error, policy);
	}
}

/* Callbacks may start and cancel: the lists are looked at anew for each, up to the last there was.
 */
void
engine_process(struct engine *engine)
{
	uint64_t last_id = engine->last_id;

	step(engine);
	tell_lookups(engine, last_id);
	asks_tell(&engine->asks, last_id); /* after what some of them wait for */
}

/* Until the next timer of a look-up, or before it; 0 when one is over and its callback is due. */
static int
next_ms(const struct engine *engine, bool is_telling)
{
	int64_t now_ms = clock_mono_ms(engine->clock), next = -1;
	int64_t wake_ms = asks_wake(&engine->asks, is_telling, now_ms);

	if (wake_ms >= 0)
		next = wake_ms > now_ms ? wake_ms - now_ms : 0;
	if (engine->ready.first != NULL || (is_telling && over_next(engine, UINT64_MAX) != NULL))
		return 0;
	if (engine->waiting.first != NULL) {
		int64_t left = engine->wake_ms > now_ms ? engine->wake_ms - now_ms : 0;
		if (next < 0 || left < next)
			next = left;
	}
	return next > INT32_MAX ? INT32_MAX : (int)next;
}

static size_t
pollfds(struct engine *engine, bool is_telling, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	int timeout = -1, next = next_ms(engine, is_telling);
	size_t n = engine->net.pollfds(engine->net.self, fds, cap, &timeout);

	*timeout_ms = next >= 0 && (timeout < 0 || next < timeout) ? next : timeout;
	return n;
}

size_t
engine_pollfds(struct engine *engine, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	return pollfds(engine, true, fds, cap, timeout_ms);
}

/* ---- blocking ---- */

/* Until something happens, a timer runs out, or a signal comes. */
static void
sleep_until_event(struct engine *engine, int64_t deadline_ms)
{
	struct pollfd fds[FDS_MAX];
	int timeout = -1;
	size_t n = pollfds(engine, false, fds, FDS_MAX, &timeout);
	int64_t left = deadline_ms - clock_mono_ms(engine->clock);

	if (left < 0)
		left = 0;
	if (timeout < 0 || timeout > left)
		timeout = left > INT32_MAX ? INT32_MAX : (int)left;
	(void)poll(fds, n < FDS_MAX ? (nfds_t)n : FDS_MAX, timeout);
}

int
engine_lookup(struct engine *engine, const struct domain *domain, unsigned flags, int timeout_ms,
    struct mtasts_policy **policy)
{
	struct mtasts_policy *answer = NULL;
	struct lookup *l = NULL;
	int r = lookup_new(engine, domain, flags, timeout_ms, &l);

	if (r != 0)
		return r;
	drive(engine, l); /* what needs no network is over without a system call more */
	while (!l->is_over) {
		sleep_until_event(engine, l->plan.config.deadline_ms);
		step(engine);
	}
	r = lookup_take(engine, l, &answer);
	if ((flags & MTASTS_CACHED_ONLY) == 0)
		engine->net.rest(engine->net.self);
	if (r == 0)
		*policy = answer;
	return r;
}

void
engine_ask_wait(struct engine *engine, struct ask *ask)
{
	step(engine);
	while (!ask->is_over) {
		sleep_until_event(engine, ask->deadline_ms);
		step(engine);
	}
	asks_take(&engine->asks, ask);
	engine->net.rest(engine->net.self);
}

struct questions {
	net_answer_fn *done;
	void *arg;
	size_t n_open;
};

static void
question_answered(void *arg, size_t i, const struct net_answer *answer)
{
	struct questions *questions = arg;

	questions->n_open--;
	questions->done(questions->arg, i, answer);
}

int
engine_resolve(struct engine *engine, const struct net_question *questions, size_t n,
    int timeout_ms, net_answer_fn *done, void *arg)
{
	struct questions open = { done, arg, n };
	struct net_request *request = NULL;
	int64_t deadline_ms = clock_mono_ms(engine->clock) + timeout_ms;
	int r = engine->net.resolve(
	    engine->net.self, questions, n, deadline_ms, question_answered, &open, &request);

	if (r != 0)
		return r;
	step(engine);
	while (open.n_open != 0 && clock_mono_ms(engine->clock) < deadline_ms) {
		sleep_until_event(engine, deadline_ms);
		step(engine);
	}
	if (open.n_open != 0)
		engine->net.cancel(engine->net.self, request);
	engine->net.rest(engine->net.self);
	return 0;
}

/* ---- the engine ---- */

struct engine *
engine_new(const struct engine_config *config, const struct cache *cache, const struct net *net,
    const struct clock *clock, const struct log *log)
{
	struct engine *engine = mem_zero(1, sizeof *engine);

	if (engine == NULL)
		return NULL;
	engine->config = *config;
	engine->cache = *cache;
	engine->net = *net;
	engine->clock = clock;
	engine->log = log;
	engine->wake_ms = INT64_MAX;
	return engine;
}

void
engine_free(struct engine *engine, bool is_child)
{
	if (engine == NULL)
		return;
	struct lookups *lists[] = { &engine->ready, &engine->waiting, &engine->over };
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		while (lists[i]->first != NULL) {
			if (!is_child)
				release(engine, lists[i]->first);
			lookup_free(engine, lists[i]->first);
		}
	}
	/* last: what they have under way as look-ups is gone by now */
	asks_clear(&engine->asks, is_child ? NULL : &engine->net);
	free(engine);
}
