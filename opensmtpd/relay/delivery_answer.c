/* SPDX-License-Identifier: ISC
 *
 * What recipients are told, until when, and how a delivery ends.
 */
#include "opensmtpd/relay/delivery_inside.h"

#include <stdlib.h>

#include "opensmtpd/relay/account.h"

int64_t
delivery_now_ms(const struct delivery *d)
{
	return loop_now_ms(d->relay->loop);
}

/* ---- answers ---- */

void
delivery_say(const struct delivery *d, const struct reply *reply, struct span recipient, size_t n)
{
	const struct account account = { .domain = route_domain(d->route),
		.policy = route_policy(d->route),
		.mx_host = d->host,
		.outcome = &d->outcome,
		.recipient = recipient,
		.n = n,
		.reply = reply };

	if (n != 0)
		account_log(&account, d->relay->log);
}

/* The same for all of that standing. */
static void
say_all(const struct delivery *d, const struct reply *reply, enum recipient_standing standing)
{
	delivery_say(d, reply, span_of(""), recipients_count(&d->recipients, standing));
}

void
delivery_answer_rest(struct delivery *d, const struct reply *reply)
{
	if (!reply_is_good(reply))
		say_all(d, reply, RECIPIENT_ASKED);
	recipients_answer_rest(&d->recipients, reply);
}

void
delivery_finish(struct delivery *d, const struct reply *reply)
{
	say_all(d, reply, RECIPIENT_GOOD);
	recipients_finish(&d->recipients, reply);
}

/* The host has answered those who were told 451; NULL: it never will. */
static void
finish_late(struct delivery *d, const struct reply *reply)
{
	if (reply != NULL)
		say_all(d, reply, RECIPIENT_LATE);
	recipients_finish_late(&d->recipients, d->relay->late, reply);
}

void
delivery_make_late(struct delivery *d, const struct reply *reply)
{
	if (reply != NULL)
		say_all(d, reply, RECIPIENT_GOOD);
	if (recipients_make_late(&d->recipients, d->relay->late, reply) != 0)
		log_put(d->relay->log, MTASTS_LOG_ERROR, "relay domain=%s error=\"%s\"",
		    route_domain(d->route), mtasts_strerror(MTASTS_ENOMEM));
}

/* ---- time ---- */

void
delivery_wake_in(struct delivery *d, int64_t ms)
{
	(void)loop_timer_set(d->relay->loop, &d->timer, ms); /* set already: cannot fail */
}

int64_t
delivery_answer_due_ms(const struct delivery *d)
{
	int64_t asked = recipients_asked_ms(&d->recipients);

	return asked >= 0 ? asked + DELIVERY_ANSWER_MS : 0;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

void
delivery_set_timer(struct delivery *d)
{
	int64_t at = delivery_now_ms(d) + DELIVERY_IDLE_MS;

	at = sooner(at, d->due_ms);
	at = sooner(at, delivery_answer_due_ms(d));
	if (d->round != NULL && round_state(d->round) != ROUND_OVER)
		at = sooner(at, round_wake_ms(d->round));
	delivery_wake_in(d, at - delivery_now_ms(d));
}

void
delivery_enter(struct delivery *d, enum stage stage, int64_t limit_ms)
{
	d->stage = stage;
	d->due_ms = limit_ms != 0 ? delivery_now_ms(d) + limit_ms : 0;
	delivery_set_timer(d);
}

/* ---- ends ---- */

static void
let_go(struct delivery *d)
{
	round_free(d->round);
	d->round = NULL;
	upstream_free(d->upstream);
	d->upstream = NULL;
}

void
delivery_over(struct delivery *d)
{
	enum stage was = d->stage;

	let_go(d);
	delivery_enter(d, STAGE_OVER, 0);
	delivery_answer_rest(d, &d->reply);
	finish_late(d, was == STAGE_END ? &d->reply : NULL);
	if (d->is_ended)
		delivery_finish(d, &d->reply);
	else if (was == STAGE_DATA)
		d->events.data(d->events.arg);
	else if (was == STAGE_BODY)
		d->events.room(d->events.arg);
}

void
delivery_over_with(struct delivery *d, unsigned code, const char *enhanced, const char *words)
{
	reply_set(&d->reply, code, enhanced, words);
	delivery_over(d);
}

void
delivery_over_by_loss(struct delivery *d, const char *why)
{
	reply_printf(&d->reply, 451, "4.4.2", "Lost connection with %s: %s", d->host, why);
	if (d->stage == STAGE_END)
		finish_late(d, NULL);
	delivery_over(d);
}

void
delivery_hold(struct delivery *d)
{
	struct reply good;

	let_go(d);
	delivery_enter(d, STAGE_HELD, 0);
	reply_set(&good, 250, "2.1.5", "Recipient is held until the message has been seen");
	delivery_answer_rest(d, &good);
}

void
delivery_destroy(struct delivery *d)
{
	let_go(d);
	loop_timer_end(d->relay->loop, &d->timer);
	route_free(d->route);
	recipients_clear(&d->recipients);
	free(d);
}

void
delivery_destroy_if_closed(struct delivery *d)
{
	if (d->mail != NULL || d->stage != STAGE_OVER)
		return;
	late_leave(&d->waiter);
	delivery_destroy(d);
}
