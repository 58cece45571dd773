/* SPDX-License-Identifier: ISC
 *
 * Routing: RFC 8461 4.1 on the names of the domain's MX records, before anything is connected, and
 * the delayed bounce of RFC 8461 5 that a transport of Exim's cannot give.
 */
#include "exim/route.h"

#include <string.h>

#include "base/limits.h"
#include "exim/ask.h"
#include "maillog/maillog.h"

enum { SECONDS_DIGITS = 10 };

/* An age that cannot be read is none: nothing is final then. */
static int64_t
age_of(const char *s)
{
	uint64_t value;

	if (span_u64(span_of(s), SECONDS_DIGITS, INT32_MAX, &value) != 0)
		return 0;
	return (int64_t)value;
}

/* Exim reads the text up to the end of the line: nothing in it may be one. */
static void
say(struct buf *out, const struct mtasts_decision *decision)
{
	buf_printf(out, decision->action == MTASTS_FAIL ? ":fail: %d %s " : ":defer: %d %s ",
	    decision->smtp_code, decision->enhanced);
	for (const char *p = decision->text; *p != '\0'; p++)
		buf_putc(out, is_print(*p) ? *p : '?');
}

static struct mtasts_decision
defer(const char *enhanced, const char *before, const char *domain, const char *after)
{
	struct mtasts_decision decision = { .action = MTASTS_DEFER, .smtp_code = 451 };
	struct buf text;

	buf_init(&text, decision.enhanced, sizeof decision.enhanced);
	buf_puts(&text, enhanced);
	buf_init(&text, decision.text, sizeof decision.text);
	buf_puts(&text, before);
	buf_puts(&text, domain);
	buf_puts(&text, after);
	return decision;
}

/* One attempt for each MX host, none tried.  How many. */
static size_t
attempts_of(const struct mtasts_mxset *mx, struct mtasts_attempt attempts[LIMIT_MX_HOSTS])
{
	size_t n = mtasts_mxset_count(mx);

	if (n > LIMIT_MX_HOSTS)
		n = LIMIT_MX_HOSTS;
	for (size_t i = 0; i < n; i++) {
		attempts[i] = (struct mtasts_attempt){ .mx_host = mtasts_mxset_host(mx, i),
			.tls = MTASTS_TLS_UNTRIED,
			.mx_secure = mtasts_mxset_secure(mx),
			.detail = "mx-mismatch" };
	}
	return n;
}

/*
 * A session each for the hosts that would have been tried before the first allowed one: those
 * of a better preference, or all when none is allowed.
 */
static void
record_refusals(
    struct mtasts *ctx, const struct told *told, const struct mtasts_attempt *attempts, size_t n)
{
	int best = INT32_MAX;

	for (size_t i = 0; i < n; i++) {
		int preference = mtasts_mxset_preference(told->mx, i);
		if (mtasts_judge(told->policy, &attempts[i]).deliver && preference < best)
			best = preference;
	}
	for (size_t i = 0; i < n; i++) {
		struct mtasts_verdict verdict = mtasts_judge(told->policy, &attempts[i]);
		if (verdict.deliver || mtasts_mxset_preference(told->mx, i) >= best)
			continue;
		int r = mtasts_record(ctx, told->policy, &attempts[i], verdict);
		if (r != 0 && r != MTASTS_EREPORT) /* which is told where it happens */
			maillog(MTASTS_LOG_ERROR, "record domain=%s error=\"%s\"", told->domain,
			    mtasts_strerror(r));
	}
}

/* A message of fifty recipients in the domain is routed fifty times and refused once. */
static bool
is_to_record(struct told *told, const struct route_asked *asked)
{
	struct buf id;

	if (asked->id[0] == '\0' || asked->verify[0] != '\0' ||
	    strcmp(told->recorded_for, asked->id) == 0)
		return false;
	buf_init(&id, told->recorded_for, sizeof told->recorded_for);
	buf_puts(&id, asked->id);
	return true;
}

/* An enforced policy and MX hosts to hold against it. */
static struct mtasts_decision
route_enforced(struct told *told, struct context *context, const struct route_asked *asked)
{
	struct mtasts_attempt attempts[LIMIT_MX_HOSTS];
	struct mtasts_decision decision;
	struct mtasts *ctx = context_get(context);
	size_t n = attempts_of(told->mx, attempts);

	if (ctx == NULL)
		return defer("4.3.0", "MTA-STS is out of order on this host", "", "");
	int r = mtasts_decide(
	    ctx, &told->policy, attempts, n, age_of(asked->message_age), -1, 0, &decision);
	if (r != 0) {
		maillog(MTASTS_LOG_ERROR, "decide domain=%s error=\"%s\"", told->domain,
		    mtasts_strerror(r));
		return defer("4.3.0", "MTA-STS is out of order on this host", "", "");
	}
	if (is_to_record(told, asked))
		record_refusals(ctx, told, attempts, n);
	return decision;
}

static struct mtasts_decision
route_domain(struct told *told, struct context *context, const struct route_asked *asked)
{
	struct mtasts_decision deliver = { .action = MTASTS_DELIVER };
	const struct mtasts_mxset *mx;

	if (told_is_closed(told))
		return told->closed;
	if (!told_has_names(told))
		return deliver;
	mx = ask_mx(told, context); /* of mode testing too: for the transport's records */
	if (!told_needs_tls(told))
		return deliver;
	if (mx == NULL)
		return defer("4.3.0", "MTA-STS is out of order on this host", "", "");
	switch (mtasts_mxset_state(mx)) {
	case MTASTS_MX_FOUND:
	case MTASTS_MX_IMPLICIT:
		return route_enforced(told, context, asked);
	case MTASTS_MX_NULL:
	case MTASTS_MX_NO_DOMAIN:
		return deliver; /* dnslookup finds the same and has its own words for it */
	case MTASTS_MX_UNKNOWN:
		break;
	}
	maillog(MTASTS_LOG_WARNING, "mx domain=%s state=unknown reason=\"%s\"", told->domain,
	    mtasts_mxset_reason(mx));
	return defer(
	    "4.4.3", "MX hosts of '", told->domain, "' could not be looked up; will retry");
}

void
route(struct memory *memory, struct context *context, const struct route_asked *asked,
    struct buf *out)
{
	struct mtasts_decision decision;
	struct told *told;

	if (asked->domain[0] == '\0') {
		decision = defer("4.3.0", "mtasts_route was given no domain", "", "");
	} else {
		told = ask_policy(memory, context, asked->domain, ASK_ROUTING);
		decision = route_domain(told, context, asked);
	}
	if (decision.action != MTASTS_DELIVER)
		say(out, &decision);
}
