/* SPDX-License-Identifier: ISC
 *
 * Asking the engine, once a domain and delivery.
 */
#include "exim/ask.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "maillog/maillog.h"

enum {
	DELIVERY_MS = 24 * 3600 * 1000 /* a transport's: what its delivery was told counts */
};

int64_t ask_routing_ms = 60 * 1000;

static const char out_of_order[] = "MTA-STS is out of order on this host";

static int64_t
now_ms(void)
{
	struct clock clock = clock_system();

	return clock_mono_ms(&clock);
}

/* Something is wrong on this side: as with a fault of the store. */
static void
close_for(struct told *told, const char *why)
{
	struct buf text;

	mtasts_policy_free(told->policy);
	told->policy = NULL;
	told->closed.action = MTASTS_DEFER;
	told->closed.smtp_code = 451;
	buf_init(&text, told->closed.enhanced, sizeof told->closed.enhanced);
	buf_puts(&text, "4.3.0");
	buf_init(&text, told->closed.text, sizeof told->closed.text);
	buf_puts(&text, why);
}

/* The policy, and the decision before any host is looked at: whether the domain is open at all. */
static void
tell(struct mtasts *ctx, struct told *told)
{
	int r = mtasts_lookup(ctx, told->domain, 0, 0, &told->policy);

	if (r == MTASTS_ENAME) /* R3.4.2: an address literal, or nothing that has MX records */
		return;
	if (r == 0)
		r = mtasts_decide(ctx, &told->policy, NULL, 0, 0, -1, 0, &told->closed);
	if (r == 0)
		return;
	maillog(
	    MTASTS_LOG_ERROR, "lookup domain=%s error=\"%s\"", told->domain, mtasts_strerror(r));
	close_for(told, out_of_order);
}

/*
 * Another address of the message may have been routed by the policy of before, which is in no store
 * perhaps (max_age 0, a full disk): only a policy that is not older takes its place.
 */
static void
settle(struct told *told, struct mtasts_policy *before)
{
	bool is_older = mtasts_policy_fetched(told->policy) < mtasts_policy_fetched(before);

	if (before == NULL || mtasts_policy_state(before) != MTASTS_PUBLISHED ||
	    (mtasts_policy_state(told->policy) == MTASTS_PUBLISHED && !is_older)) {
		mtasts_policy_free(before);
		return;
	}
	mtasts_policy_free(told->policy);
	told->policy = before; /* and what is closed stays closed */
}

static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s >= 0x80)
			return false;
	}
	return true;
}

struct told *
ask_policy(struct memory *memory, struct context *context, const char *domain, enum ask_for what)
{
	struct told *told = memory_find(memory, domain);
	int64_t now = now_ms();
	struct mtasts_policy *before = NULL;
	struct mtasts *ctx;

	if (told != NULL &&
	    now - told->at_ms <= (what == ASK_ROUTING ? ask_routing_ms : DELIVERY_MS))
		return told;
	if (told != NULL) {
		before = told->policy;
		told->policy = NULL;
	}
	told = memory_add(memory, domain, now);
	if (strcmp(told->domain, domain) != 0) {
		close_for(told, "the name of the domain is too long");
		return told;
	}
	if (!is_ascii(domain)) { /* its policy is under the A-label: not to be found by this name */
		close_for(told, "the name of the domain is not in A-labels");
		return told;
	}
	ctx = context_get(context);
	if (ctx == NULL)
		close_for(told, out_of_order);
	else
		tell(ctx, told);
	settle(told, before);
	return told;
}

const struct mtasts_mxset *
ask_mx(struct told *told, struct context *context)
{
	struct mtasts *ctx;

	if (told->mx != NULL || told_is_closed(told) || told->policy == NULL)
		return told->mx;
	ctx = context_get(context);
	if (ctx == NULL)
		return NULL;
	int r = mtasts_mx_lookup(ctx, told->domain, 0, &told->mx);
	if (r != 0)
		maillog(MTASTS_LOG_ERROR, "mx domain=%s error=\"%s\"", told->domain,
		    mtasts_strerror(r));
	return told->mx;
}

bool
told_is_closed(const struct told *told)
{
	return told->closed.action != MTASTS_DELIVER;
}

bool
told_needs_tls(const struct told *told)
{
	struct mtasts_attempt attempt = { .tls = MTASTS_TLS_UNTRIED };

	if (told_is_closed(told))
		return true;
	return told->policy != NULL && mtasts_judge(told->policy, &attempt).need_tls;
}

bool
told_has_names(const struct told *told)
{
	if (told_is_closed(told) || told->policy == NULL ||
	    mtasts_policy_state(told->policy) != MTASTS_PUBLISHED)
		return false;
	switch (mtasts_policy_mode(told->policy)) {
	case MTASTS_NONE:
		return false;
	case MTASTS_TESTING:
	case MTASTS_ENFORCE:
		return true;
	}
	return true;
}
