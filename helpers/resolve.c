/* SPDX-License-Identifier: ISC
 *
 * mtasts-resolve(8): questions to the DNS by libunbound, which asks the servers of resolv.conf.
 * Every question goes out at once and is answered as soon as it can be; "could not be found out"
 * is never "is not there".  Records are handed on as the octets they are.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unbound.h>

#include "base/mem.h"
#include "sandbox/sandbox.h"
#include "serve.h"

enum { RCODE_NXDOMAIN = 3, CLASS_IN = 1 };

struct ask {
	struct ask *next;
	uint32_t id;
	int async_id;
	int64_t deadline_ms;
	struct net_question question;
};

static struct ask *asks; /* under way */
static struct ub_ctx *resolver;
static const char *resolv_conf = "/etc/resolv.conf", *trust_anchor;

/* Before anything else, for libunbound takes no options once it has begun. */
static const struct {
	const char *name, *value;
	bool is_needed;
} options[] = {
	{ "do-not-query-localhost:", "no", true }, /* where many hosts have their resolver */
	{ "edns-buffer-size:", "1232", true },	   /* never fragmented */
	{ "outgoing-range:", "192", true }, { "num-queries-per-thread:", "192", true },
	{ "msg-cache-size:", "2m", true }, { "rrset-cache-size:", "4m", true },
	{ "key-cache-size:", "1m", true }, { "neg-cache-size:", "1m", true },
	{ "infra-cache-numhosts:", "64", true }, { "harden-large-queries:", "yes", true },
	{ "harden-short-bufsize:", "yes", true }, { "val-clean-additional:", "yes", true },
	{ "max-query-restarts:", "8", false }, /* LIMIT_CNAME_CHAIN; not in old versions */
};

static int
option(int name, const char *value)
{
	if (name == 'r')
		resolv_conf = value;
	else
		trust_anchor = value;
	return value[0] == '/' ? 0 : -1;
}

static void
resolver_start(void)
{
	resolver = ub_ctx_create();
	if (resolver == NULL)
		serve_fail(errno, "libunbound does not start");
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		int r = ub_ctx_set_option(resolver, options[i].name, options[i].value);
		if (r != 0 && options[i].is_needed)
			serve_fail(0, options[i].name);
	}
	if (ub_ctx_async(resolver, 1) != 0)
		serve_fail(0, "libunbound has no threads");
	if (ub_ctx_resolvconf(resolver, resolv_conf) != 0)
		serve_fail(errno, resolv_conf);
	if (trust_anchor != NULL && access(trust_anchor, R_OK) != 0)
		serve_fail(errno, trust_anchor);
	if (trust_anchor != NULL && ub_ctx_add_ta_file(resolver, trust_anchor) != 0)
		serve_fail(0, trust_anchor);
	/* A change of its own zones, here of one that is not there, has it read its files now. */
	if (ub_ctx_zone_remove(resolver, "mtasts.invalid") != 0)
		serve_fail(0, "libunbound refuses its configuration");
}

static void
shut_in(void)
{
	static const uint16_t ports[] = { 53 };
	struct sandbox sandbox;

	sandbox_init(&sandbox);
	sandbox.ports = ports;
	sandbox.n_ports = 1;
	sandbox.datagrams = true;
	sandbox.threads = true;
	serve_shut_in(&sandbox);
}

/* ---- answers ---- */

static void
answer_unknown(const struct ask *ask, const char *reason)
{
	struct net_answer answer = { .state = NET_UNKNOWN, .reason = reason };

	serve_answer(ask->id, &answer);
}

static void
reason_of(const struct ub_result *result, struct buf *reason)
{
	static const char *const rcodes[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
		"NOTIMP", "REFUSED" };

	if (result->bogus) {
		const char *why = result->why_bogus == NULL ? "" : result->why_bogus;
		buf_puts(reason, "DNSSEC bogus: ");
		buf_put_escaped(reason, span_of(why), LIMIT_LOG_REMOTE / 2, false);
	} else if (result->rcode >= 0 && (size_t)result->rcode < sizeof rcodes / sizeof rcodes[0]) {
		buf_puts(reason, rcodes[result->rcode]);
	} else {
		buf_printf(reason, "RCODE %d", result->rcode);
	}
}

/* The records, as many as an answer holds; false when that would leave out what counts. */
static bool
records_take(const struct ub_result *result, enum net_type type, struct net_answer *answer,
    struct span *rdata)
{
	size_t n = 0;

	while (n < WIRE_RECORDS && result->data[n] != NULL) {
		rdata[n] = span_make(result->data[n], (size_t)result->len[n]);
		n++;
	}
	answer->n = n;
	answer->rdata = rdata;
	bool is_cut = result->data[n] != NULL && (type == NET_TXT || type == NET_MX);
	return !is_cut && wire_answer_fits(answer, type);
}

static enum net_state
state_of(const struct ub_result *result)
{
	if (result->bogus)
		return NET_UNKNOWN;
	if (result->havedata)
		return NET_ANSWERED;
	if (result->nxdomain && result->rcode == RCODE_NXDOMAIN)
		return NET_NO_NAME;
	return result->rcode == 0 ? NET_NO_DATA : NET_UNKNOWN;
}

static void
answer_result(const struct ask *ask, const struct ub_result *result)
{
	struct net_answer answer = { .reason = "" };
	struct span rdata[WIRE_RECORDS];
	char text[WIRE_TEXT + 1];
	struct buf reason;

	answer.state = state_of(result);
	answer.secure = result->secure != 0;
	answer.ttl = result->ttl < 0 ? 0 : (uint32_t)result->ttl;
	answer.canonical = ask->question.name;
	if (result->canonname != NULL &&
	    domain_parse(span_of(result->canonname), DOMAIN_UNDERSCORE, &answer.canonical) != 0)
		answer.canonical.n = 0; /* no name that anybody here could use */
	if (answer.state == NET_UNKNOWN) {
		buf_init(&reason, text, sizeof text);
		reason_of(result, &reason);
		answer_unknown(ask, reason.p);
		return;
	}
	if (answer.state == NET_ANSWERED &&
	    !records_take(result, ask->question.type, &answer, rdata)) {
		answer_unknown(ask, "record set is malformed or too large");
		return;
	}
	serve_answer(ask->id, &answer);
}

static void
ask_end(struct ask *ask)
{
	struct ask **at = &asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	free(ask);
}

static void
resolved(void *arg, int error, struct ub_result *result)
{
	struct ask *ask = arg;

	if (error != 0 || result == NULL)
		answer_unknown(ask, ub_strerror(error));
	else
		answer_result(ask, result);
	ub_resolve_free(result);
	ask_end(ask);
}

/* ---- questions ---- */

static void
ask_begin(const struct wire_message *message)
{
	struct wire_question wire;
	struct ask *ask = mem_zero(1, sizeof *ask);

	if (ask == NULL)
		serve_fail(ENOMEM, "a question");
	if (message->type != WIRE_QUESTION || wire_question_parse(message->payload, &wire) != 0)
		serve_malformed();
	*ask = (struct ask){ asks, message->id, 0, serve_now_ms() + wire.ms, wire.question };
	asks = ask;
	int r = ub_resolve_async(resolver, ask->question.name.name, (int)ask->question.type,
	    CLASS_IN, ask, resolved, &ask->async_id);
	if (r != 0) {
		answer_unknown(ask, ub_strerror(r));
		ask_end(ask);
	}
}

/* Those whose time is over; the milliseconds until the next, -1 none. */
static int
asks_expire(void)
{
	int64_t now = serve_now_ms(), wait = -1;
	struct ask *next;

	for (struct ask *ask = asks; ask != NULL; ask = next) {
		next = ask->next;
		int64_t left = ask->deadline_ms - now;
		if (left <= 0) {
			(void)ub_cancel(resolver, ask->async_id); /* resolved() is not called */
			answer_unknown(ask, "time-out");
			ask_end(ask);
		} else if (wait < 0 || left < wait) {
			wait = left;
		}
	}
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

int
main(int argc, char **argv)
{
	static const struct serve_program program = { "mtasts-resolve",
		"[-r resolv.conf] [-t trust-anchor]", "Puts questions to the DNS", "r:t:", option };
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { -1, POLLIN, 0 } };

	serve_begin(&program, argc, argv);
	resolver_start();
	shut_in();
	fds[1].fd = ub_fd(resolver);
	for (;;) {
		if (poll(fds, 2, asks_expire()) < 0) {
			if (errno != EINTR)
				serve_fail(errno, "poll");
			continue;
		}
		if (fds[0].revents != 0)
			serve_requests(ask_begin);
		if (fds[1].revents != 0)
			(void)ub_process(resolver);
	}
}
