/* SPDX-License-Identifier: ISC
 *
 * A session: the machine of smtp.h over a connection, driven by the loop.  Calls from outside only
 * note what is wanted and ask for a turn; all work and every event is in a turn.
 */
#include "opensmtpd/relay/upstream.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "opensmtpd/relay/connection.h"
#include "opensmtpd/relay/outcome.h"
#include "opensmtpd/relay/tls.h"

/*
 * ms.  smtpd has its answer to a recipient within RELAY_ANSWER (280 s), and the look-up and
 * another MX host have to fit into that as well: the 5 minutes that RFC 5321 4.5.3.2 lets a host
 * have for its greeting, MAIL and RCPT cannot be given.  The message itself has the RFC's times.
 */
enum {
	CONNECT = 30 * 1000,
	COMMAND = 120 * 1000, /* 4.5.3.2.4: DATA */
	STALL = 180 * 1000,   /* 4.5.3.2.5: nothing is taken of what we send */
	END = 600 * 1000,     /* 4.5.3.2.6 */
	IDLE = 3600 * 1000    /* until the timer, which is always set, is set anew */
};

enum { READ = 4096 /* octets of one read */ };

enum stage { STAGE_CONNECTING, STAGE_TALKING, STAGE_HANDSHAKE, STAGE_OVER };

struct upstream {
	struct loop *loop;
	struct mtasts *ctx;
	SSL_CTX *tls;
	const struct log *log;
	char mx_host[MTASTS_NAME_MAX + 1], helo[MTASTS_NAME_MAX + 1];
	char ip[UPSTREAM_IP_MAX];
	bool starttls;
	int connect_ms, command_ms, stall_ms, end_ms;
	struct upstream_events events;
	struct connection connection;
	struct loop_fd fd;
	struct loop_timer timer;
	struct smtp smtp;
	enum stage stage;
	int64_t since_ms; /* what is waited for is waited for since then */
	char *kept;	  /* the part of a line that has come, or NULL */
	size_t n_kept;
	enum mtasts_tls certificate;
	char reason[UPSTREAM_DETAIL_MAX];  /* its fault */
	char why[UPSTREAM_DETAIL_MAX];	   /* the session has to end; "": no */
	bool is_told;			   /* ready() was called */
	bool is_body, is_ending, is_ended; /* the message: may come, its end is wanted, is sent */
	bool is_inside_line;		   /* the last octets of the message were no CRLF */
	bool is_after_cr;
	bool is_choked;		   /* there was no room */
	bool is_in_turn, is_again; /* something was asked for in a turn */
	bool is_freed;		   /* in a turn */
};

/* ---- ends ---- */

static void
destroy(struct upstream *upstream)
{
	loop_timer_end(upstream->loop, &upstream->timer);
	smtp_clear(&upstream->smtp);
	free(upstream->kept);
	free(upstream);
}

static void
hang_up(struct upstream *upstream)
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
		hang_up(upstream);
	if (!upstream->is_freed)
		upstream->events.closed(upstream->events.arg, upstream->why);
}

static void
fail(struct upstream *upstream, const char *why)
{
	if (upstream->why[0] == '\0')
		buf_keep(upstream->why, sizeof upstream->why, span_of(why));
}

static bool
is_failed(const struct upstream *upstream)
{
	return upstream->why[0] != '\0' || upstream->stage == STAGE_OVER;
}

/* ---- the machine ---- */

static void
waits(struct upstream *upstream)
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
		waits(upstream);
	tell(upstream, event);
	if (upstream->stage != STAGE_OVER && upstream->smtp.is_over)
		fail(upstream, upstream->smtp.why);
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

	while (event != SMTP_NOTHING && !is_failed(upstream)) {
		while (smtp_next(&upstream->smtp, &line)) {
			waits(upstream);
			if (connection_write(&upstream->connection, line) != 0)
				fail(upstream, "out of memory");
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
		fail(upstream, "out of memory");
		return;
	}
	connection_secure(&upstream->connection, ssl);
	upstream->stage = STAGE_HANDSHAKE;
	waits(upstream);
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
	waits(upstream);
}

static void
handshake_go(struct upstream *upstream)
{
	int r = connection_handshake(&upstream->connection);

	if (r < 0)
		fail(upstream, upstream->connection.why);
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
		fail(upstream, "more behind the answer to STARTTLS");
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
		fail(upstream, "out of memory");
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
			fail(upstream, n < 0 ? upstream->connection.why : "connection lost");
		return false;
	}
	struct span in = span_make(storage, upstream->n_kept + (size_t)n), line;
	while (!is_failed(upstream) && (r = smtp_split(&in, &line)) == 1)
		line_take(upstream, line, in);
	if (r < 0)
		fail(upstream, "a line without end");
	if (!is_failed(upstream))
		rest_keep(upstream, in);
	return upstream->stage == STAGE_TALKING;
}

/* ---- turns ---- */

static void
connect_go(struct upstream *upstream)
{
	int r = connection_finish(&upstream->connection);

	if (r < 0)
		fail(upstream, upstream->connection.why);
	if (r <= 0)
		return;
	upstream->stage = STAGE_TALKING;
	waits(upstream);
}

static void
flush(struct upstream *upstream)
{
	if (connection_flush(&upstream->connection) != 0)
		waits(upstream);
	if (!upstream->is_choked || upstream_room(upstream) < UPSTREAM_ROOM / 2)
		return;
	upstream->is_choked = false;
	if (upstream->is_body)
		upstream->events.room(upstream->events.arg);
}

static void
talk(struct upstream *upstream)
{
	bool is_more = true;

	while (!is_failed(upstream) && upstream->stage == STAGE_TALKING &&
	       (is_more || upstream->is_again)) {
		upstream->is_again = false;
		commands_go(upstream);
		flush(upstream);
		message_end(upstream);
		commands_go(upstream);
		if (!is_failed(upstream))
			flush(upstream);
		is_more = !is_failed(upstream) && lines_read(upstream);
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
	if (!is_failed(upstream) && upstream->stage == STAGE_CONNECTING)
		connect_go(upstream);
	while (!is_failed(upstream) && upstream->stage != STAGE_CONNECTING) {
		enum stage before = upstream->stage;
		if (before == STAGE_HANDSHAKE)
			handshake_go(upstream);
		else
			talk(upstream);
		if (upstream->stage == before)
			break;
	}
	if (!is_failed(upstream) && is_late(upstream))
		fail(upstream, late_words(upstream));
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
		fail(upstream, "out of memory");
}

static void
turn(struct upstream *upstream)
{
	upstream->is_in_turn = true;
	step(upstream);
	if (!is_failed(upstream))
		settle(upstream);
	if (is_failed(upstream))
		end(upstream);
	upstream->is_in_turn = false;
	if (upstream->is_freed)
		destroy(upstream);
}

static void
on_fd(void *arg, short events)
{
	(void)events;
	turn(arg);
}

static void
on_timer(void *arg)
{
	turn(arg);
}

/* The timer is set: this cannot fail. */
static void
ask_for_turn(struct upstream *upstream)
{
	upstream->is_again = true;
	if (!upstream->is_in_turn && upstream->stage != STAGE_OVER)
		(void)loop_timer_set(upstream->loop, &upstream->timer, 0);
}

/* ---- to be called ---- */

static int
default_ms(int wanted, int otherwise)
{
	return wanted > 0 ? wanted : otherwise;
}

static void
config_keep(struct upstream *upstream, const struct upstream_config *config)
{
	upstream->loop = config->loop;
	upstream->ctx = config->ctx;
	upstream->tls = config->tls;
	upstream->log = config->log;
	upstream->starttls = config->starttls;
	upstream->connect_ms = default_ms(config->connect_ms, CONNECT);
	upstream->command_ms = default_ms(config->command_ms, COMMAND);
	upstream->stall_ms = default_ms(config->stall_ms, STALL);
	upstream->end_ms = default_ms(config->end_ms, END);
	buf_keep(upstream->mx_host, sizeof upstream->mx_host, span_of(config->mx_host));
	buf_keep(upstream->helo, sizeof upstream->helo, span_of(config->helo));
	outcome_address(upstream->ip, &config->to);
}

/* What the address is to blame for is told in ready(). */
static int
open_socket(struct upstream *upstream, const struct upstream_config *config, const char **why)
{
	bool is_ours = false;

	if (connection_open(&upstream->connection, &config->to, &config->from, &is_ours) == 0) {
		upstream->fd.fd = upstream->connection.fd;
		if (loop_watch(upstream->loop, &upstream->fd, POLLOUT) == 0)
			return 0;
		*why = "out of memory";
		return -1;
	}
	*why = upstream->connection.why;
	if (is_ours)
		return -1;
	fail(upstream, *why);
	return 0;
}

struct upstream *
upstream_new(
    const struct upstream_config *config, const struct upstream_events *events, const char **why)
{
	struct upstream *upstream = mem_zero(1, sizeof *upstream);

	*why = "out of memory";
	if (upstream == NULL)
		return NULL;
	config_keep(upstream, config);
	upstream->events = *events;
	upstream->fd = (struct loop_fd){ .fd = -1, .fn = on_fd, .arg = upstream };
	upstream->timer = (struct loop_timer){ .fn = on_timer, .arg = upstream };
	smtp_init(&upstream->smtp, upstream->helo, upstream->starttls);
	if (upstream->smtp.is_over)
		fail(upstream, upstream->smtp.why);
	waits(upstream);
	if (open_socket(upstream, config, why) != 0 ||
	    loop_timer_set(upstream->loop, &upstream->timer,
		is_failed(upstream) ? 0 : upstream->connect_ms) != 0) {
		hang_up(upstream);
		destroy(upstream);
		return NULL;
	}
	return upstream;
}

/* RFC 5321 4.1.1.10; nobody waits for its answer. */
static void
say_quit(struct upstream *upstream)
{
	struct connection *connection = &upstream->connection;

	if (upstream->stage != STAGE_TALKING || !smtp_may_quit(&upstream->smtp) ||
	    connection_unsent(connection) != 0)
		return;
	if (connection_write(connection, span_of("QUIT\r\n")) == 0)
		(void)connection_flush(connection);
}

void
upstream_free(struct upstream *upstream)
{
	if (upstream == NULL)
		return;
	if (upstream->stage != STAGE_OVER) {
		say_quit(upstream);
		hang_up(upstream);
	}
	if (upstream->is_in_turn)
		upstream->is_freed = true;
	else
		destroy(upstream);
}

void
upstream_mail(struct upstream *upstream, struct span sender, const struct upstream_params *params)
{
	struct command_mail mail = { .sender = sender,
		.ret = params->ret,
		.envid = params->envid,
		.size = params->size,
		.smtputf8 = params->smtputf8,
		.is_8bit = params->is_8bit };

	smtp_mail(&upstream->smtp, &mail);
	ask_for_turn(upstream);
}

void
upstream_rcpt(
    struct upstream *upstream, struct span recipient, struct span notify, struct span orcpt)
{
	struct command_rcpt rcpt = { recipient, notify, orcpt };

	smtp_rcpt(&upstream->smtp, &rcpt);
	ask_for_turn(upstream);
}

void
upstream_data(struct upstream *upstream)
{
	smtp_data(&upstream->smtp);
	ask_for_turn(upstream);
}

/* Whether the message is in the middle of a line after these octets. */
static void
line_follow(struct upstream *upstream, struct span octets)
{
	char last = octets.p[octets.n - 1];
	bool is_after_cr = octets.n > 1 ? octets.p[octets.n - 2] == '\r' : upstream->is_after_cr;

	upstream->is_inside_line = !(last == '\n' && is_after_cr);
	upstream->is_after_cr = last == '\r';
}

void
upstream_body(struct upstream *upstream, struct span octets)
{
	if (!upstream->is_body || upstream->is_ending || octets.n == 0)
		return;
	if (connection_unsent(&upstream->connection) == 0)
		waits(upstream);
	line_follow(upstream, octets);
	if (connection_send(&upstream->connection, octets) != 0)
		fail(upstream, "out of memory");
	if (upstream_room(upstream) == 0)
		upstream->is_choked = true;
	if (connection_unsent(&upstream->connection) != 0 || upstream->connection.is_broken ||
	    is_failed(upstream))
		ask_for_turn(upstream);
}

size_t
upstream_room(const struct upstream *upstream)
{
	size_t unsent = connection_unsent(&upstream->connection);

	return unsent < UPSTREAM_ROOM ? UPSTREAM_ROOM - unsent : 0;
}

void
upstream_end(struct upstream *upstream)
{
	if (!upstream->is_body)
		return;
	if (upstream->is_inside_line)
		upstream_body(upstream, span_of("\r\n"));
	upstream->is_ending = true;
	ask_for_turn(upstream);
}

uint64_t
upstream_size_limit(const struct upstream *upstream)
{
	return upstream->smtp.extensions.size_limit;
}
