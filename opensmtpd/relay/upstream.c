/* SPDX-License-Identifier: ISC
 *
 * What a session's owner may call.  Calls only note what is wanted and ask for a turn.
 */
#include "opensmtpd/relay/upstream.h"

#include <poll.h>
#include <stdlib.h>

#include "base/mem.h"
#include "opensmtpd/relay/outcome.h"
#include "opensmtpd/relay/upstream_turn.h"

/*
 * ms.  smtpd has its answer to a recipient within RELAY_ANSWER (280 s), and the look-up and
 * another MX host have to fit into that as well: the 5 minutes that RFC 5321 4.5.3.2 lets a host
 * have for its greeting, MAIL and RCPT cannot be given.  The message itself has the RFC's times.
 */
enum {
	CONNECT = 30 * 1000,
	COMMAND = 120 * 1000, /* 4.5.3.2.4: DATA */
	STALL = 180 * 1000,   /* 4.5.3.2.5: nothing is taken of what we send */
	END = 600 * 1000      /* 4.5.3.2.6 */
};

static void
on_fd(void *arg, short events)
{
	(void)events;
	upstream_turn(arg);
}

static void
on_timer(void *arg)
{
	upstream_turn(arg);
}

/* The timer is set: this cannot fail. */
static void
ask_for_turn(struct upstream *upstream)
{
	upstream->is_again = true;
	if (!upstream->is_in_turn && upstream->stage != STAGE_OVER)
		(void)loop_timer_set(upstream->loop, &upstream->timer, 0);
}

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
	upstream_fail(upstream, *why);
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
		upstream_fail(upstream, upstream->smtp.why);
	upstream_waits(upstream);
	if (open_socket(upstream, config, why) != 0 ||
	    loop_timer_set(upstream->loop, &upstream->timer,
		upstream_is_failed(upstream) ? 0 : upstream->connect_ms) != 0) {
		upstream_hang_up(upstream);
		upstream_destroy(upstream);
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
		upstream_hang_up(upstream);
	}
	if (upstream->is_in_turn)
		upstream->is_freed = true;
	else
		upstream_destroy(upstream);
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
		upstream_waits(upstream);
	line_follow(upstream, octets);
	if (connection_send(&upstream->connection, octets) != 0)
		upstream_fail(upstream, "out of memory");
	if (upstream_room(upstream) == 0)
		upstream->is_choked = true;
	if (connection_unsent(&upstream->connection) != 0 || upstream->connection.is_broken ||
	    upstream_is_failed(upstream))
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
