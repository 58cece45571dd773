/* SPDX-License-Identifier: ISC
 *
 * A session: the machine of smtp.h over a connection, driven by the loop.
 */
#include "opensmtpd/relay/upstream_turn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "opensmtpd/relay/outcome.h"
#include "opensmtpd/relay/tls.h"

enum {
	READ = 4096,	   /* octets of one read */
	IDLE = 3600 * 1000 /* ms; where nothing is waited for the timer is set all the same */
};

/* ---- ends ---- */

void
upstream_destroy(struct upstream *upstream)
{
	loop_timer_end(upstream->loop, &upstream->timer);
	smtp_clear(&upstream->smtp);
	free(upstream->kept);
	free(upstream);
}

void
upstream_hang_up(struct upstream *upstream)
{
	upstream->stage = STAGE_OVER;
	loop_forget(upstream->loop, &upstream->fd);
	loop_timer_end(upstream->loop, &upstream->timer);
	connection_close(&upstream->connection);
}

static void
local_address(const struct upstream *upstream, struct upstream_outcome *outcome)
{
	struct sockaddr_storage local = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof local;

	if (upstream->stage != STAGE_CONNECTING && upstream->connection.fd >= 0 &&
	    getsockname(upstream->connection.fd, (struct sockaddr *)&local, &n) == 0)
		outcome_address(outcome->local_ip, &local);
}

/* why NULL: the session is open. */
static void
tell_ready(struct upstream *upstream, const char *why)
{
	struct outcome_view view = { &upstream->smtp, upstream->certificate, upstream->reason,
		upstream->connection.is_tls_fault, why };
	struct upstream_outcome outcome;

	outcome_fill(&outcome, &view);
	buf_keep(outcome.ip, sizeof outcome.ip, span_of(upstream->ip));
	local_address(upstream, &outcome);
	if (upstream->connection.is_secure)
		buf_keep(outcome.tls_version, sizeof outcome.tls_version,
		    span_of(SSL_get_version(upstream->connection.ssl)));
	upstream->is_told = true;
	upstream->events.ready(upstream->events.arg, &outcome);
}

/* The session is over, for upstream->why. */
static void
end(struct upstream *upstream)
{
	if (upstream->stage == STAGE_OVER)
		return;
	if (!upstream->is_told)
		tell_ready(upstream, upstream->why);
	if (upstream->stage != STAGE_OVER) /* freed in ready() */
		upstream_hang_up(upstream);
	if (!upstream->is_freed)
		upstream->events.closed(upstream->events.arg, upstream->why);
}

void
upstream_fail(struct upstream *upstream, const char *why)
{
	if (upstream->why[0] == '\0')
		buf_keep(upstream->why, sizeof upstream->why, span_of(why));
}

bool
upstream_is_failed(const struct upstream *upstream)
{
	return upstream->why[0] != '\0' || upstream->stage == STAGE_OVER;
}

/* ---- the machine ---- */

void
upstream_waits(struct upstream *upstream)
{
	upstream->since_ms = loop_now_ms(upstream->loop);
}

static void
tell(struct upstream *upstream, enum smtp_event event)
{
	const struct upstream_events *events = &upstream->events;
	const struct reply *reply = &upstream->smtp.reply;

	switch (event) {
	case SMTP_READY:
		tell_ready(upstream, NULL);
		return;
	case SMTP_MAIL:
		events->mail(events->arg, reply);
		return;
	case SMTP_RCPT:
		events->rcpt(events->arg, upstream->smtp.i, reply);
		return;
	case SMTP_DATA:
		upstream->is_body = reply->code == 354;
		events->data(events->arg, reply);
		return;
	case SMTP_END:
		upstream->is_body = false;
		events->end(events->arg, reply);
		return;
	case SMTP_NOTHING:
	case SMTP_HANDSHAKE:
	case SMTP_OVER:
		return;
	}
}

static void
happened(struct upstream *upstream, enum smtp_event event)
{
	if (event != SMTP_NOTHING)
		upstream_waits(upstream);
	tell(upstream, event);
	if (upstream->stage != STAGE_OVER && upstream->smtp.is_over)
		upstream_fail(upstream, upstream->smtp.why);
}

/* The final dot goes when all before it has gone: no answer to it can come earlier. */
static void
message_end(struct upstream *upstream)
{
	if (!upstream->is_ending || connection_unsent(&upstream->connection) != 0)
		return;
	upstream->is_ending = upstream->is_body = false;
	upstream->is_ended = true;
	smtp_end(&upstream->smtp);
}

/* Lines that may go, and answers of our own. */
static void
commands_go(struct upstream *upstream)
{
	enum smtp_event event = SMTP_MAIL;
	struct span line;

	while (event != SMTP_NOTHING && !upstream_is_failed(upstream)) {
		while (smtp_next(&upstream->smtp, &line)) {
			upstream_waits(upstream);
			if (connection_write(&upstream->connection, line) != 0)
				upstream_fail(upstream, "out of memory");
		}
		event = smtp_local(&upstream->smtp);
		happened(upstream, event);
	}
}

/* ---- TLS ---- */

static void
handshake_begin(struct upstream *upstream)
{
	SSL *ssl = tls_new(upstream->tls, upstream->connection.fd, upstream->mx_host);

	if (ssl == NULL) {
		upstream_fail(upstream, "out of memory");
		return;
	}
	connection_secure(&upstream->connection, ssl);
	upstream->stage = STAGE_HANDSHAKE;
	upstream_waits(upstream);
}

static void
handshake_done(struct upstream *upstream)
{
	SSL *ssl = upstream->connection.ssl;

	upstream->certificate = tls_check(
	    upstream->ctx, ssl, upstream->mx_host, upstream->reason, sizeof upstream->reason);
	log_put(upstream->log, MTASTS_LOG_DEBUG,
	    "tls mx=%s ip=%s version=%s cipher=%s reason=\"%s\"", upstream->mx_host, upstream->ip,
	    SSL_get_version(ssl), SSL_get_cipher_name(ssl), upstream->reason);
	upstream->stage = STAGE_TALKING;
	smtp_secured(&upstream->smtp);
	upstream_waits(upstream);
}

static void
handshake_go(struct upstream *upstream)
{
	int r = connection_handshake(&upstream->connection);

	if (r < 0)
		upstream_fail(upstream, upstream->connection.why);
	if (r > 0)
		handshake_done(upstream);
}

/* ---- lines of the host ---- */

/* CVE-2011-0411: what stands behind the 220 was not said by who has the certificate. */
static void
line_take(struct upstream *upstream, struct span line, struct span rest)
{
	enum smtp_event event = smtp_line(&upstream->smtp, line);

	if (event != SMTP_HANDSHAKE)
		happened(upstream, event);
	else if (rest.n != 0)
		upstream_fail(upstream, "more behind the answer to STARTTLS");
	else
		handshake_begin(upstream);
	commands_go(upstream);
}

/* What is left of in is kept until there is more. */
static void
rest_keep(struct upstream *upstream, struct span in)
{
	free(upstream->kept);
	upstream->kept = in.n == 0 ? NULL : mem_dup(in.p, in.n);
	upstream->n_kept = upstream->kept == NULL ? 0 : in.n;
	if (in.n != 0 && upstream->kept == NULL)
		upstream_fail(upstream, "out of memory");
}

/* false: there is nothing more to be read now. */
static bool
lines_read(struct upstream *upstream)
{
	char storage[REPLY_LINE_MAX + 2 + READ];
	int n, r = 1;

	if (upstream->n_kept != 0)
		memcpy(storage, upstream->kept, upstream->n_kept);
	n = connection_read(&upstream->connection, storage + upstream->n_kept, READ);
	if (n <= 0) {
		if (n < 0 || upstream->connection.is_broken)
			upstream_fail(
			    upstream, n < 0 ? upstream->connection.why : "connection lost");
		return false;
	}
	struct span in = span_make(storage, upstream->n_kept + (size_t)n), line;
	while (!upstream_is_failed(upstream) && (r = smtp_split(&in, &line)) == 1)
		line_take(upstream, line, in);
	if (r < 0)
		upstream_fail(upstream, "a line without end");
	if (!upstream_is_failed(upstream))
		rest_keep(upstream, in);
	return upstream->stage == STAGE_TALKING;
}

/* ---- turns ---- */

static void
connect_go(struct upstream *upstream)
{
	int r = connection_finish(&upstream->connection);

	if (r < 0)
		upstream_fail(upstream, upstream->connection.why);
	if (r <= 0)
		return;
	upstream->stage = STAGE_TALKING;
	upstream_waits(upstream);
}

static void
flush(struct upstream *upstream)
{
	if (connection_flush(&upstream->connection) != 0)
		upstream_waits(upstream);
	if (!upstream->is_choked || upstream_room(upstream) < UPSTREAM_ROOM / 2)
		return;
	upstream->is_choked = false;
	if (upstream->is_body)
		upstream->events.room(upstream->events.arg);
}

/* Everything that can be said now. */
static void
say(struct upstream *upstream)
{
	commands_go(upstream);
	if (!upstream_is_failed(upstream))
		flush(upstream);
	if (!upstream_is_failed(upstream))
		message_end(upstream);
	commands_go(upstream);
	if (!upstream_is_failed(upstream))
		flush(upstream);
}

/* First it is heard what the host has said: an answer that was there before the dot is none to it.
 */
static void
talk(struct upstream *upstream)
{
	bool is_more = true;

	while (is_more) {
		upstream->is_again = false;
		is_more = lines_read(upstream);
		if (upstream_is_failed(upstream) || upstream->stage != STAGE_TALKING)
			return;
		say(upstream);
		if (upstream_is_failed(upstream))
			return;
		is_more = is_more || upstream->is_again;
	}
}

static int64_t
limit_of(const struct upstream *upstream)
{
	if (upstream->stage == STAGE_CONNECTING)
		return upstream->connect_ms;
	if (connection_unsent(&upstream->connection) != 0 && upstream->is_body)
		return upstream->stall_ms;
	if (upstream->is_ended && smtp_awaits(&upstream->smtp))
		return upstream->end_ms;
	if (upstream->stage == STAGE_HANDSHAKE || smtp_awaits(&upstream->smtp))
		return upstream->command_ms;
	return IDLE;
}

static const char *
late_words(const struct upstream *upstream)
{
	if (upstream->stage == STAGE_CONNECTING)
		return "connecting timed out";
	if (upstream->stage == STAGE_HANDSHAKE)
		return "TLS handshake timed out";
	return upstream->is_body ? "the host takes nothing of the message" : "no answer in time";
}

static bool
is_late(const struct upstream *upstream)
{
	bool is_idle = limit_of(upstream) == IDLE;

	return !is_idle && loop_now_ms(upstream->loop) >= upstream->since_ms + limit_of(upstream);
}

static void
step(struct upstream *upstream)
{
	if (!upstream_is_failed(upstream) && upstream->stage == STAGE_CONNECTING)
		connect_go(upstream);
	while (!upstream_is_failed(upstream) && upstream->stage != STAGE_CONNECTING) {
		enum stage before = upstream->stage;
		if (before == STAGE_HANDSHAKE)
			handshake_go(upstream);
		else
			talk(upstream);
		if (upstream->stage == before)
			break;
	}
	if (!upstream_is_failed(upstream) && is_late(upstream))
		upstream_fail(upstream, late_words(upstream));
}

/* Watched for what it waits for now; the timer is free, for its turn has come, or was set. */
static void
settle(struct upstream *upstream)
{
	short events = connection_events(&upstream->connection);
	int64_t left = upstream->since_ms + limit_of(upstream) - loop_now_ms(upstream->loop);

	if (upstream->stage == STAGE_CONNECTING)
		events = POLLOUT;
	if (loop_watch(upstream->loop, &upstream->fd, events) != 0 ||
	    loop_timer_set(upstream->loop, &upstream->timer, left) != 0)
		upstream_fail(upstream, "out of memory");
}

void
upstream_turn(struct upstream *upstream)
{
	upstream->is_in_turn = true;
	step(upstream);
	if (!upstream_is_failed(upstream))
		settle(upstream);
	if (upstream_is_failed(upstream))
		end(upstream);
	upstream->is_in_turn = false;
	if (upstream->is_freed)
		upstream_destroy(upstream);
}
