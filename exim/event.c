/* SPDX-License-Identifier: ISC
 *
 * The session's world here: policies and MX names from memory or the engine, certificates and
 * records by the engine.  Events that say nothing of a connection cost nothing.
 */
#include "exim/event.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "exim/ask.h"
#include "exim/vars.h"
#include "maillog/maillog.h"

struct world {
	struct memory *memory;
	struct context *context;
};

/* ---- the session's world ---- */

static bool
is_same_name(const char *a, const char *b)
{
	return span_eq_nocase(span_of(a), span_of(b));
}

/*
 * $host is what a CNAME made of the MX record's name; the way back, for RFC 8461 4.1 speaks of the
 * latter.  A smart host named as such is its own MX host.  "": no MX record leads to it.
 */
static void
find_origin(struct world *world, struct told *told, const char *host, struct session_target *target)
{
	const struct mtasts_mxset *mx;
	const char *name = NULL;
	struct mtasts *ctx;

	if (!told_has_names(told)) {
		buf_keep(target->mx_host, sizeof target->mx_host, span_of(host));
		return;
	}
	mx = ask_mx(told, world->context);
	target->mx_secure = mx != NULL && mtasts_mxset_secure(mx);
	for (size_t i = 0; mx != NULL && i < mtasts_mxset_count(mx); i++) {
		if (is_same_name(mtasts_mxset_host(mx, i), host))
			name = mtasts_mxset_host(mx, i);
	}
	if (name == NULL && is_same_name(told->domain, host))
		name = told->domain;
	ctx = name == NULL && mx != NULL ? context_get(world->context) : NULL;
	if (ctx != NULL && mtasts_mxset_origin(ctx, mx, host, 0, &name) != 0)
		name = NULL;
	buf_keep(target->mx_host, sizeof target->mx_host, span_of(name != NULL ? name : ""));
}

static void
world_look(void *arg, const char *domain, const char *host, struct session_target *target)
{
	struct world *world = arg;
	struct told *told = ask_policy(world->memory, world->context, domain, ASK_DELIVERY);

	if (told_is_closed(told)) {
		buf_keep(target->closed, sizeof target->closed, span_of(told->closed.text));
		return;
	}
	if (told->policy == NULL)
		return;
	target->policy = mtasts_policy_copy(told->policy);
	if (target->policy == NULL)
		buf_keep(
		    target->closed, sizeof target->closed, span_of(mtasts_strerror(MTASTS_ENOMEM)));
	else
		find_origin(world, told, host, target);
}

static enum mtasts_tls
world_check(void *arg, const struct mtasts_certificate *chain, size_t n, const char *mx_host,
    char *reason, size_t cap)
{
	struct world *world = arg;
	struct mtasts *ctx = context_get(world->context);

	if (ctx != NULL)
		return mtasts_certificate_check(ctx, chain, n, mx_host, reason, cap);
	buf_keep(reason, cap, span_of("MTA-STS is out of order on this host"));
	return MTASTS_TLS_FAILED;
}

static void
world_record(void *arg, const struct mtasts_policy *policy, const struct mtasts_attempt *attempt,
    struct mtasts_verdict verdict)
{
	struct world *world = arg;
	struct mtasts *ctx = context_get(world->context);
	int r = ctx != NULL ? mtasts_record(ctx, policy, attempt, verdict) : MTASTS_EREPORT;

	if (r != 0 && r != MTASTS_EREPORT) /* which is told where it happens */
		maillog(MTASTS_LOG_ERROR, "record domain=%s error=\"%s\"",
		    mtasts_policy_domain(policy), mtasts_strerror(r));
}

/* ---- from Exim's words ---- */

static bool
kind_of(struct span name, enum session_kind *kind)
{
	static const struct {
		const char *name;
		enum session_kind kind;
	} kinds[] = {
		{ "tcp:connect", SESSION_CONNECT },
		{ "smtp:connect", SESSION_BANNER },
		{ "smtp:ehlo", SESSION_EHLO },
		{ "tls:cert", SESSION_CERT },
		{ "tcp:close", SESSION_CLOSE },
		{ "msg:host:defer", SESSION_HOST_DEFER },
		{ "dane:fail", SESSION_DANE_FAIL },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (span_is(name, kinds[i].name)) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

unsigned char *
event_der(struct span base64, size_t *n)
{
	unsigned char *der;
	size_t padding = 0;

	*n = 0;
	if (base64.n == 0 || base64.n % 4 != 0 || base64.n > LIMIT_CERTIFICATE / 3 * 4)
		return NULL;
	while (padding < 2 && base64.p[base64.n - 1 - padding] == '=')
		padding++;
	if (span_find(base64, '=') != base64.n - padding)
		return NULL;
	der = malloc(base64.n / 4 * 3);
	if (der == NULL)
		return NULL;
	int octets = EVP_DecodeBlock(der, (const unsigned char *)base64.p, (int)base64.n);
	if (octets <= (int)padding) {
		free(der);
		return NULL;
	}
	*n = (size_t)octets - padding;
	return der;
}

/* DANE's own words: "yes" and "no", or as older versions have it a number. */
static bool
is_yes(struct span s)
{
	return span_is(s, "yes") || span_is(s, "true") || span_is(s, "1");
}

static void
fill(struct session_event *event, const struct vars *vars, struct span data)
{
	event->domain = vars_get(vars, "domain");
	event->host = vars_get(vars, "host");
	event->ip = vars_get(vars, "ip");
	event->local_ip = vars_get(vars, "sip");
	event->version = vars_get(vars, "ver");
	event->sni = vars_get(vars, "sni");
	event->data = data;
	event->tlsa = vars_int(vars, "tlsa", 0);
	event->dane = is_yes(vars_get(vars, "dane"));
	event->error = vars_int(vars, "errno", 0);
	event->delivering = vars_get(vars, "id").n != 0 && vars_get(vars, "verify").n == 0;
}

/* A block that lacks one of these would be judged as if all were well. */
static const char *
missing(const struct vars *vars)
{
	static const char *const needed[] = { "event", "domain", "host", "ip", "sip", "ver", "sni",
		"errno", "id", "verify" };

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		if (!vars_has(vars, needed[i]))
			return needed[i];
	}
	return NULL;
}

static void
refuse(struct buf *out, const char *what, const char *which)
{
	buf_printf(out, "MTA-STS: event_action of the transport: %s%s", what, which);
	maillog(MTASTS_LOG_ERROR, "event error=\"%s%s\"", what, which);
}

void
event(struct memory *memory, struct context *context, struct session *session,
    const struct event_given *given, struct buf *out)
{
	struct world here = { .memory = memory, .context = context };
	struct session_world world = {
		.arg = &here, .look = world_look, .check = world_check, .record = world_record
	};
	struct session_event step = { .kind = SESSION_CONNECT };
	struct parse_error error;
	struct vars vars;

	if (vars_parse(given->block, &vars, &error) != 0) {
		refuse(out, error.why, "");
		return;
	}
	const char *name = missing(&vars);
	if (name != NULL) {
		refuse(out, "nothing given for ", name);
		return;
	}
	if (!kind_of(vars_get(&vars, "event"), &step.kind))
		return;
	fill(&step, &vars, given->data);
	unsigned char *der = event_der(given->certificate, &step.peer.n);
	step.peer.der = der;
	const char *veto = session_step(session, &world, &step);
	if (veto[0] != '\0')
		maillog(MTASTS_LOG_WARNING, "refused %s", veto);
	buf_puts(out, veto);
	free(der);
}
