/* SPDX-License-Identifier: ISC
 *
 * Nothing is sent to a host but by the judge's word; what is said at the end is the last host's,
 * and final only where every host was.
 */
#include "opensmtpd/relay/round.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "opensmtpd/proto/hostaddress.h"

enum { SMTP_PORT = 25, LOOKUP_MS = 15 * 1000 };

struct round {
	struct round_config config;
	enum round_state state;
	size_t host;	/* the next one is the next in order */
	size_t n_hosts; /* that were looked up */
	struct sockaddr_storage addresses[HOSTADDRESS_MAX];
	size_t n_addresses, address; /* as host */
	int64_t host_until_ms, until_ms;
	bool is_asked;
	uint64_t ask;
	struct upstream *upstream;
	bool in_clear; /* the handshake failed with this address just now */
	bool is_refused;
	bool is_any_transient; /* a host may do better next time */
	size_t n_without_address;
	struct reply reply;
	struct upstream_outcome outcome;
	const char *tried; /* name of the last host */
};

static int64_t
now_ms(const struct round *round)
{
	return loop_now_ms(round->config.relay->loop);
}

static const struct route_host *
host_of(const struct round *round)
{
	return route_host(round->config.route, round->host - 1);
}

/* ---- what is said in the end ---- */

static void
fail(struct round *round, const char *words)
{
	char ip[HOSTADDRESS_TEXT] = "";

	if (round->address != 0)
		hostaddress_text(&round->addresses[round->address - 1], ip);
	reply_printf(&round->reply, 451, "4.4.1", "%s%s%s%s: %s", host_of(round)->name,
	    ip[0] != '\0' ? " [" : "", ip, ip[0] != '\0' ? "]" : "", words);
	round->is_any_transient = true;
}

/*
 * The host's own no.  A permanent one counts where every host said so; and where the policy wants
 * a verified host, only from one that is: anybody on the way could have said it.
 */
static void
fail_by_reply(struct round *round, const struct upstream_outcome *outcome)
{
	const struct reply *said = &outcome->reply;
	bool is_believed = !host_of(round)->needs_tls || outcome->tls == MTASTS_TLS_VERIFIED;
	char storage[REPLY_TEXT_MAX];
	struct buf words;

	if (said->code >= 500 && !is_believed) {
		buf_init(&words, storage, sizeof storage);
		buf_puts(&words, "refused before it was verified: ");
		buf_put(&words, span_make(said->text, strcspn(said->text, "\r\n")));
		fail(round, storage);
	} else if (said->code < 500) {
		round->reply = *said;
		round->is_any_transient = true;
	} else if (!round->is_any_transient) {
		round->reply = *said;
	}
}

/* RFC 5321 5.1: MX hosts without an address; an answer, but one that nobody has verified. */
static void
say_without_address(struct round *round)
{
	struct route *route = round->config.route;

	if (round->n_without_address == route_count(route) && !host_of(round)->needs_tls)
		reply_printf(&round->reply, 550, "5.4.4", "%s: its MX hosts have no address",
		    route_domain(route));
}

static void
over(struct round *round)
{
	round->state = ROUND_OVER;
	if (round->host != 0)
		say_without_address(round);
	if (round->reply.code == 0)
		reply_printf(&round->reply, 451, "4.4.1", "%s: no MX host could be tried",
		    route_domain(round->config.route));
}

/* ---- attempts ---- */

/* The current host was not reached: no session with this address of it, or with any. */
static void
unreached(struct round *round, const char *words)
{
	struct mtasts_attempt attempt = { .tls = MTASTS_TLS_UNREACHED };

	(void)route_judge(round->config.route, round->host - 1, &attempt, !round->in_clear);
	fail(round, words);
}

static struct mtasts_verdict
judge(struct round *round, const struct upstream_outcome *outcome)
{
	struct mtasts_attempt attempt = { .tls = outcome->tls,
		.mx_ip = outcome->ip[0] != '\0' ? outcome->ip : NULL,
		.mx_helo = outcome->helo[0] != '\0' ? outcome->helo : NULL,
		.local_ip = outcome->local_ip[0] != '\0' ? outcome->local_ip : NULL,
		.detail = outcome->detail[0] != '\0' ? outcome->detail : NULL };

	/* in clear after a broken handshake: that is on record */
	return route_judge(round->config.route, round->host - 1, &attempt, !round->in_clear);
}

static void
refuse_name(struct round *round)
{
	struct mtasts_attempt attempt = { .tls = MTASTS_TLS_UNTRIED };

	(void)route_judge(round->config.route, round->host - 1, &attempt, true);
	round->is_refused = true;
}

/* ---- one address ---- */

static struct sockaddr_storage
with_port(const struct sockaddr_storage *address)
{
	struct sockaddr_storage to = *address;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->ss_family == AF_INET6) {
		memcpy(&v6, address, sizeof v6);
		v6.sin6_port = htons(SMTP_PORT);
		memcpy(&to, &v6, sizeof v6);
	} else {
		memcpy(&v4, address, sizeof v4);
		v4.sin_port = htons(SMTP_PORT);
		memcpy(&to, &v4, sizeof v4);
	}
	return to;
}

/* An equal part of what is left, for each who still may be tried. */
static int64_t
share_until(const struct round *round, int64_t until_ms, size_t parts)
{
	int64_t left = until_ms - now_ms(round);

	return now_ms(round) + (left > 0 ? left / (int64_t)(parts != 0 ? parts : 1) : 0);
}

static bool
connect_to(struct round *round, const struct sockaddr_storage *address)
{
	int64_t left = round->until_ms - now_ms(round);
	struct upstream_config config = { .loop = round->config.relay->loop,
		.ctx = round->config.relay->ctx,
		.tls = round->config.relay->tls,
		.log = round->config.relay->log,
		.mx_host = host_of(round)->name,
		.helo = round->config.helo,
		.to = with_port(address),
		.from = round->config.from,
		.starttls = !round->in_clear,
		.connect_ms = (int)(left < ROUND_CONNECT_MS ? left : ROUND_CONNECT_MS),
		.end_ms = ROUND_END_MS };
	const char *why = "";

	if (config.connect_ms <= 0)
		config.connect_ms = 1;
	round->upstream = upstream_new(&config, &round->config.events, &why);
	if (round->upstream == NULL)
		fail(round, why); /* our own trouble: nothing that the host did */
	return round->upstream != NULL;
}

static bool
next_address(struct round *round)
{
	while (round->address < round->n_addresses && now_ms(round) < round->host_until_ms) {
		size_t left = round->n_addresses - round->address;
		round->until_ms = share_until(round, round->host_until_ms, left);
		round->in_clear = false;
		if (connect_to(round, &round->addresses[round->address++]))
			return true;
	}
	return false;
}

/* ---- one host ---- */

/* Those that may still be connected, the current one among them. */
static size_t
hosts_left(const struct round *round)
{
	size_t n = 1;

	for (size_t i = round->host; i < route_count(round->config.route); i++)
		n += route_host(round->config.route, i)->is_allowed ? 1 : 0;
	return n < ROUND_HOSTS - round->n_hosts + 1 ? n : ROUND_HOSTS - round->n_hosts + 1;
}

static void go_on(struct round *round);

static void
take_addresses(struct round *round, const struct mtasts_addresses *addresses)
{
	struct sockaddr_storage all[2 * LIMIT_ADDRESSES];
	size_t n = mtasts_addresses_count(addresses), count = 0;

	for (size_t i = 0; i < n && count < sizeof all / sizeof all[0]; i++) {
		if (mtasts_addresses_get(addresses, i, &all[count]) == 0)
			count++;
	}
	round->n_addresses = hostaddress_order(
	    all, count, round->config.from.ss_family, round->config.relay->allow, round->addresses);
	if (round->n_addresses == 0)
		unreached(round, "none of its addresses can be another host's, or be reached from "
				 "the source address that was chosen");
}

static void
on_addresses(void *arg, int error, struct mtasts_addresses *addresses)
{
	struct round *round = arg;

	round->is_asked = false;
	if (error != 0) {
		fail(round, mtasts_strerror(error));
	} else {
		switch (mtasts_addresses_state(addresses)) {
		case MTASTS_ADDRESSES_FOUND:
			take_addresses(round, addresses);
			break;
		case MTASTS_ADDRESSES_NONE:
			unreached(round, "has no address");
			round->n_without_address++;
			break;
		case MTASTS_ADDRESSES_UNKNOWN:
			unreached(round, "its addresses could not be found out");
			break;
		}
	}
	mtasts_addresses_free(addresses);
	go_on(round);
	round->config.changed(round->config.events.arg);
}

/* Whether there is something to wait for. */
static bool
ask_addresses(struct round *round)
{
	int64_t left = round->host_until_ms - now_ms(round);
	const struct sockaddr_storage *literal = route_literal(round->config.route);
	int r;

	if (literal != NULL) {
		round->n_addresses = hostaddress_order(literal, 1, round->config.from.ss_family,
		    round->config.relay->allow, round->addresses);
		if (round->n_addresses == 0)
			fail(round, "not an address of another host");
		return false;
	}
	r = mtasts_addresses_start(round->config.relay->ctx, host_of(round)->name,
	    (int)(left < LOOKUP_MS ? left : LOOKUP_MS), on_addresses, round, &round->ask);
	if (r != 0)
		fail(round, mtasts_strerror(r));
	round->is_asked = r == 0;
	return round->is_asked;
}

/* To the next host; false: there is none to be waited for. */
static bool
next_host(struct round *round)
{
	round->address = round->n_addresses = 0;
	round->tried = route_host(round->config.route, round->host)->name;
	round->host++;
	if (!host_of(round)->is_allowed) {
		refuse_name(round);
		return false;
	}
	round->n_hosts++;
	round->host_until_ms = share_until(round, round->config.until_ms, hosts_left(round));
	round->until_ms = round->host_until_ms;
	return ask_addresses(round);
}

/* Addresses of this host, then the next host's, until there is something to wait for. */
static void
go_on(struct round *round)
{
	while (!next_address(round)) {
		if (round->host == route_count(round->config.route) ||
		    round->n_hosts == ROUND_HOSTS || now_ms(round) >= round->config.until_ms) {
			over(round);
			return;
		}
		if (next_host(round))
			return;
	}
}

/* ---- from outside ---- */

struct round *
round_new(const struct round_config *config)
{
	struct round *round = mem_zero(1, sizeof *round);

	if (round == NULL)
		return NULL;
	round->config = *config;
	round->tried = "-";
	go_on(round);
	return round;
}

static void
drop(struct round *round)
{
	if (round->is_asked)
		mtasts_cancel(round->config.relay->ctx, round->ask);
	round->is_asked = false;
	upstream_free(round->upstream);
	round->upstream = NULL;
}

void
round_free(struct round *round)
{
	if (round == NULL)
		return;
	drop(round);
	free(round);
}

enum round_state
round_state(const struct round *round)
{
	return round->state;
}

struct upstream *
round_upstream(const struct round *round)
{
	return round->upstream;
}

struct upstream *
round_take(struct round *round)
{
	struct upstream *upstream = round->upstream;

	round->upstream = NULL;
	return upstream;
}

/* The judge's word, and what it is bound to: a session that is one, verified where it must be. */
static bool
may_send(const struct upstream_outcome *outcome, struct mtasts_verdict verdict)
{
	if (!outcome->is_open || !verdict.deliver)
		return false;
	return !verdict.need_tls || outcome->tls == MTASTS_TLS_VERIFIED;
}

/* RFC 7435 4: opportunistic TLS that breaks is none; once, with the same address. */
static bool
try_in_clear(
    struct round *round, const struct upstream_outcome *outcome, struct mtasts_verdict verdict)
{
	if (outcome->is_open || !outcome->is_handshake_lost || round->in_clear ||
	    verdict.need_tls || !verdict.deliver)
		return false;
	round->in_clear = true;
	return connect_to(round, &round->addresses[round->address - 1]);
}

void
round_ready(struct round *round, const struct upstream_outcome *outcome)
{
	struct mtasts_verdict verdict = judge(round, outcome);

	round->outcome = *outcome;
	if (may_send(outcome, verdict)) {
		round->state = ROUND_OPEN;
		return;
	}
	drop(round);
	if (try_in_clear(round, outcome, verdict))
		return;
	if (!verdict.deliver)
		round->is_refused = true;
	if (outcome->reply.code >= 400)
		fail_by_reply(round, outcome);
	else
		fail(round, outcome->detail[0] != '\0' ? outcome->detail : "no session");
	go_on(round);
}

void
round_lost(struct round *round, const char *why)
{
	drop(round);
	round->state = ROUND_TRYING;
	fail(round, why);
	go_on(round);
}

int64_t
round_wake_ms(const struct round *round)
{
	return round->until_ms;
}

void
round_tick(struct round *round)
{
	if (round->state == ROUND_OVER || now_ms(round) < round->until_ms)
		return;
	drop(round);
	if (round->state == ROUND_TRYING)
		unreached(round, "no answer in time");
	else
		fail(round, "no answer to MAIL in time");
	round->state = ROUND_TRYING;
	go_on(round);
}

const struct upstream_outcome *
round_outcome(const struct round *round)
{
	return &round->outcome;
}

const char *
round_host(const struct round *round)
{
	return round->tried;
}

bool
round_is_refused(const struct round *round)
{
	return round->is_refused;
}

const struct reply *
round_reply(const struct round *round)
{
	return &round->reply;
}
