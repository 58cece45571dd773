/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 4 and 5 before and after the connections: which hosts may be tried at all, and what is
 * said when all of them have failed.
 */
#include "opensmtpd/relay/route.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/buf.h"
#include "base/domain.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "opensmtpd/proto/hostaddress.h"
#include "opensmtpd/proto/mxorder.h"

/* What the library is asked. */
enum question { ASK_POLICY, ASK_MX, ASK_DECISION, QUESTIONS };

struct route {
	const struct relay *relay;
	enum route_state state;
	route_fn *settled;
	route_decided_fn *decided;
	void (*go_on)(struct route *route); /* after a decision that lets it */
	void *arg, *decided_arg;
	bool is_asked[QUESTIONS];
	uint64_t ids[QUESTIONS];
	struct mtasts_policy *policy; /* NULL: not known, a literal's, or being decided upon */
	struct mtasts_mxset *mx;      /* NULL: not known, or a literal's */
	const char *policy_word;      /* for the log */
	bool is_literal;
	struct sockaddr_storage literal;
	struct reply reply;
	char domain[DOMAIN_MAX + 1];
	char own[DOMAIN_MAX + 1];
	char address[HOSTADDRESS_TEXT];
	size_t n;
	struct route_host hosts[LIMIT_MX_HOSTS];
};

static void
settle(struct route *route, enum route_state state)
{
	route->state = state;
	route->settled(route->arg);
}

static void
nowhere(struct route *route, unsigned code, const char *enhanced, const char *what)
{
	reply_printf(&route->reply, code, enhanced, "%s: %s", route->domain, what);
	settle(route, ROUTE_NOWHERE);
}

static void
out_of_order(struct route *route, int error)
{
	log_put(route->relay->log, MTASTS_LOG_ERROR, "relay domain=%s error=\"%s\"", route->domain,
	    mtasts_strerror(error));
	reply_set(&route->reply, 451, "4.3.0", "MTA-STS is out of order on this host");
	settle(route, ROUTE_NOWHERE);
}

static void
out_of_order_if(struct route *route, int error)
{
	if (error != 0)
		out_of_order(route, error);
}

/* ---- the judge ---- */

static struct mtasts_verdict
verdict_of(const struct route *route, const struct mtasts_attempt *attempt)
{
	if (route->is_literal) /* no name, no policy */
		return (struct mtasts_verdict){ .deliver = 1 };
	return mtasts_judge(route->policy, attempt);
}

static struct mtasts_attempt
untried(const struct route *route, const char *mx_host)
{
	return (struct mtasts_attempt){ .mx_host = mx_host,
		.tls = MTASTS_TLS_UNTRIED,
		.mx_secure = mtasts_mxset_secure(route->mx) };
}

/* ---- decisions ---- */

static int
ask_decision(struct route *route, const struct mtasts_attempt *attempts, size_t n, int64_t age,
    int64_t bounce_after, mtasts_decide_fn *done)
{
	int r = mtasts_decide_start(route->relay->ctx, route->policy, attempts, n, age,
	    bounce_after, 0, done, route, &route->ids[ASK_DECISION]);

	if (r == 0) {
		route->policy = NULL; /* lent */
		route->is_asked[ASK_DECISION] = true;
	}
	return r;
}

/* The decision as a reply; false: there is nothing to say. */
static bool
decision_says(struct reply *reply, const struct mtasts_decision *decision)
{
	switch (decision->action) {
	case MTASTS_DELIVER:
		return false;
	case MTASTS_DEFER:
	case MTASTS_FAIL:
		break;
	}
	reply_set(reply, (unsigned)decision->smtp_code, decision->enhanced, decision->text);
	return true;
}

static void
on_beforehand(
    void *arg, int error, struct mtasts_policy *policy, const struct mtasts_decision *decision)
{
	struct route *route = arg;

	route->is_asked[ASK_DECISION] = false;
	route->policy = policy;
	if (error != 0)
		out_of_order(route, error);
	else if (decision_says(&route->reply, decision))
		settle(route, ROUTE_NOWHERE);
	else
		route->go_on(route);
}

/* Before any host is tried, and whatever the message's age: go_on where nothing speaks against it.
 */
static int
ask_beforehand(struct route *route, const struct mtasts_attempt *attempts, size_t n,
    int64_t bounce_after, void (*go_on)(struct route *route))
{
	route->go_on = go_on;
	return ask_decision(route, attempts, n, 0, bounce_after, on_beforehand);
}

/* ---- MX hosts ---- */

static uint64_t
seed(const struct route *route)
{
	uint64_t value;

	if (RAND_bytes((unsigned char *)&value, sizeof value) != 1)
		value = (uint64_t)clock_mono_ms(route->relay->clock);
	return value;
}

static void
take_hosts(struct route *route)
{
	struct mxorder_host all[LIMIT_MX_HOSTS];
	bool needs_tls[LIMIT_MX_HOSTS];
	size_t order[LIMIT_MX_HOSTS], n = mtasts_mxset_count(route->mx);

	for (size_t i = 0; i < n; i++) {
		struct mtasts_attempt attempt = untried(route, mtasts_mxset_host(route->mx, i));
		struct mtasts_verdict verdict = verdict_of(route, &attempt);
		all[i] = (struct mxorder_host){ .name = attempt.mx_host,
			.preference = mtasts_mxset_preference(route->mx, i),
			.is_allowed = verdict.deliver };
		needs_tls[i] = verdict.need_tls;
	}
	route->n = mxorder(all, n, route->own, seed(route), order);
	for (size_t i = 0; i < route->n; i++) {
		route->hosts[i] = (struct route_host){ .name = all[order[i]].name,
			.preference = all[order[i]].preference,
			.is_allowed = all[order[i]].is_allowed,
			.needs_tls = needs_tls[order[i]],
			.tls = MTASTS_TLS_UNTRIED };
	}
	if (route->n != 0)
		settle(route, ROUTE_HOSTS);
	else
		nowhere(route, 550, "5.4.6", "mail loops back to this host, its best MX host");
}

/* The domain takes no mail, says DNS. */
static void
no_mail(struct route *route)
{
	if (mtasts_mxset_state(route->mx) == MTASTS_MX_NULL)
		nowhere(route, 556, "5.1.10", "takes no mail (null MX)"); /* RFC 7505 4.2 */
	else
		nowhere(route, 550, "5.1.2", "no such domain");
}

/*
 * A policy that asks for verified hosts is not ended by an answer that nobody has signed: the
 * domain is one with a single host that is not in the policy, and that is never final.
 */
static void
no_mail_if_believed(struct route *route)
{
	struct mtasts_attempt nobody = untried(route, NULL);

	if (mtasts_mxset_secure(route->mx))
		no_mail(route);
	else
		out_of_order_if(route, ask_beforehand(route, &nobody, 1, INT64_MAX, no_mail));
}

static void
take_mx(struct route *route)
{
	switch (mtasts_mxset_state(route->mx)) {
	case MTASTS_MX_FOUND:
	case MTASTS_MX_IMPLICIT:
		take_hosts(route);
		return;
	case MTASTS_MX_NULL:
	case MTASTS_MX_NO_DOMAIN:
		no_mail_if_believed(route);
		return;
	case MTASTS_MX_UNKNOWN:
		break;
	}
	nowhere(route, 451, "4.4.3", "its MX hosts could not be found out; will retry");
}

/* ---- policy ---- */

/* Both answers are here. */
static void
take(struct route *route)
{
	switch (mtasts_policy_state(route->policy)) {
	case MTASTS_PUBLISHED:
	case MTASTS_ABSENT:
		take_mx(route);
		return;
	case MTASTS_UNKNOWN:
	case MTASTS_FAULT:
		break;
	}
	out_of_order_if(route, ask_beforehand(route, NULL, 0, -1, take_mx));
}

static void
answer_taken(struct route *route, enum question question, int error)
{
	route->is_asked[question] = false;
	if (route->state != ROUTE_ASKING)
		return; /* the other answer was an error */
	if (error != 0)
		out_of_order(route, error);
	else if (!route->is_asked[ASK_POLICY] && !route->is_asked[ASK_MX])
		take(route);
}

static void
on_policy(void *arg, int error, struct mtasts_policy *policy)
{
	struct route *route = arg;

	route->policy = policy;
	if (error == 0)
		route->policy_word = mtasts_policy_state(policy) == MTASTS_PUBLISHED
					 ? mode_name(mtasts_policy_mode(policy))
					 : state_name(mtasts_policy_state(policy));
	answer_taken(route, ASK_POLICY, error);
}

static void
on_mx(void *arg, int error, struct mtasts_mxset *set)
{
	struct route *route = arg;

	route->mx = set;
	answer_taken(route, ASK_MX, error);
}

/* ---- from outside ---- */

static void
ignore(void *arg)
{
	(void)arg;
}

static int
ask(struct route *route)
{
	struct mtasts *ctx = route->relay->ctx;
	int r = mtasts_start(ctx, route->domain, 0, 0, on_policy, route, &route->ids[ASK_POLICY]);

	route->is_asked[ASK_POLICY] = r == 0;
	if (r != 0)
		return r;
	r = mtasts_mx_start(ctx, route->domain, 0, on_mx, route, &route->ids[ASK_MX]);
	route->is_asked[ASK_MX] = r == 0;
	return r;
}

static void
take_literal(struct route *route)
{
	route->is_literal = true;
	route->policy_word = "literal";
	hostaddress_text(&route->literal, route->address);
	route->hosts[route->n++] = (struct route_host){
		.name = route->address, .is_allowed = true, .tls = MTASTS_TLS_UNTRIED
	};
	settle(route, ROUTE_HOSTS);
}

static void
begin(struct route *route, struct span text)
{
	struct domain domain;
	struct buf escaped;

	buf_init(&escaped, route->domain, sizeof route->domain);
	if (hostaddress_literal(text, &route->literal) == 0) {
		buf_put(&escaped, text);
		take_literal(route);
	} else if (domain_parse(text, DOMAIN_UNDERSCORE, &domain) != 0) {
		buf_put_escaped(&escaped, text, LIMIT_LOG_REMOTE, true);
		nowhere(route, 550, "5.1.2", "not a domain name");
	} else {
		buf_put(&escaped, domain_span(&domain));
		out_of_order_if(route, ask(route));
	}
}

struct route *
route_new(
    const struct relay *relay, struct span domain, const char *own, route_fn *settled, void *arg)
{
	struct route *route = mem_zero(1, sizeof *route);

	if (route == NULL)
		return NULL;
	route->relay = relay;
	route->policy_word = "-";
	buf_keep(route->own, sizeof route->own, span_of(own));
	route->settled = ignore; /* until this returns */
	begin(route, domain);
	route->settled = settled;
	route->arg = arg;
	return route;
}

void
route_free(struct route *route)
{
	if (route == NULL)
		return;
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (route->is_asked[i])
			mtasts_cancel(route->relay->ctx, route->ids[i]);
	}
	mtasts_policy_free(route->policy);
	mtasts_mxset_free(route->mx);
	free(route);
}

enum route_state
route_state(const struct route *route)
{
	return route->state;
}

const struct reply *
route_reply(const struct route *route)
{
	return &route->reply;
}

const char *
route_domain(const struct route *route)
{
	return route->domain;
}

const char *
route_policy(const struct route *route)
{
	return route->policy_word;
}

size_t
route_count(const struct route *route)
{
	return route->n;
}

const struct route_host *
route_host(const struct route *route, size_t i)
{
	return &route->hosts[i];
}

const struct sockaddr_storage *
route_literal(const struct route *route)
{
	return route->is_literal ? &route->literal : NULL;
}

/* ---- attempts ---- */

/*
 * How much an attempt tells of its host, which has several addresses: that it is in order, that
 * its TLS is not, that there was nobody (an address family that this site does not have), nothing.
 */
static int
weight(enum mtasts_tls tls)
{
	switch (tls) {
	case MTASTS_TLS_UNTRIED:
		return 0;
	case MTASTS_TLS_UNREACHED:
		return 1;
	case MTASTS_TLS_NOT_OFFERED:
	case MTASTS_TLS_WRONG_NAME:
	case MTASTS_TLS_EXPIRED:
	case MTASTS_TLS_UNTRUSTED:
	case MTASTS_TLS_FAILED:
		return 2;
	case MTASTS_TLS_VERIFIED:
		return 3;
	}
	return 0;
}

struct mtasts_verdict
route_judge(struct route *route, size_t i, struct mtasts_attempt *attempt, bool is_recorded)
{
	struct route_host *host = &route->hosts[i];

	attempt->mx_host = host->name;
	attempt->mx_secure = !route->is_literal && mtasts_mxset_secure(route->mx);
	if (weight(attempt->tls) >= weight(host->tls))
		host->tls = attempt->tls;
	struct mtasts_verdict verdict = verdict_of(route, attempt);
	if (!is_recorded || route->is_literal)
		return verdict;
	int r = mtasts_record(route->relay->ctx, route->policy, attempt, verdict);
	if (r != 0 && r != MTASTS_EREPORT) /* which is told where it happens */
		log_put(route->relay->log, MTASTS_LOG_ERROR, "record domain=%s error=\"%s\"",
		    route->domain, mtasts_strerror(r));
	return verdict;
}

static void
on_decided(
    void *arg, int error, struct mtasts_policy *policy, const struct mtasts_decision *decision)
{
	struct route *route = arg;
	struct reply reply = { .code = 0 };

	route->is_asked[ASK_DECISION] = false;
	route->policy = policy;
	if (error != 0)
		reply_set(&reply, 451, "4.3.0", "MTA-STS is out of order on this host");
	else
		(void)decision_says(&reply, decision);
	route->decided(route->decided_arg, &reply);
}

int
route_decide(struct route *route, int64_t message_age, route_decided_fn *done, void *arg)
{
	struct mtasts_attempt attempts[LIMIT_MX_HOSTS];

	route->decided = done;
	route->decided_arg = arg;
	for (size_t i = 0; i < route->n; i++) {
		attempts[i] = untried(route, route->hosts[i].name);
		attempts[i].tls = route->hosts[i].tls;
	}
	return ask_decision(route, attempts, route->n, message_age, -1, on_decided);
}
