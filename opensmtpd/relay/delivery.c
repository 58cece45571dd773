/* SPDX-License-Identifier: ISC
 *
 * What is called from outside, and the timer.
 */
#include "opensmtpd/relay/delivery_inside.h"

#include <stdlib.h>

#include "base/mem.h"

enum { LATE_GRACE_MS = 30 * 1000 /* beyond the upstream's own time */ };

/* ---- the timer ---- */

static void
out_of_time(struct delivery *d)
{
	switch (d->stage) {
	case STAGE_ROUTE:
	case STAGE_ROUND:
	case STAGE_MAIL:
	case STAGE_RCPT:
		reply_printf(
		    &d->reply, 451, "4.4.1", "%s: no answer in time", route_domain(d->route));
		delivery_over(d);
		return;
	case STAGE_DATA:
	case STAGE_BODY:
		reply_printf(&d->reply, 451, "4.4.2", "%s: no answer in time", d->host);
		delivery_over(d);
		return;
	case STAGE_END:
		if (d->mail == NULL || recipients_count(&d->recipients, RECIPIENT_GOOD) == 0) {
			delivery_over_by_loss(d, "no answer to the message");
			return;
		}
		reply_printf(&d->reply, 451, "4.4.2",
		    "%s: still waiting for the answer to the message", d->host);
		delivery_make_late(d, &d->reply);
		delivery_enter(d, STAGE_END, ROUND_END_MS - DELIVERY_ANSWER_MS + LATE_GRACE_MS);
		return;
	case STAGE_DECIDE:
		delivery_over_with(d, 451, "4.3.0", "MTA-STS gave no decision in time");
		return;
	case STAGE_HELD:
	case STAGE_OVER:
		return;
	}
}

static void
on_timer(void *arg)
{
	struct delivery *d = arg;
	int64_t answer_due = delivery_answer_due_ms(d);

	delivery_wake_in(d, DELIVERY_IDLE_MS); /* first of all: there is room for it now */
	if (d->stage == STAGE_ROUTE && route_state(d->route) != ROUTE_ASKING) {
		delivery_on_route(d);
		return;
	}
	if ((d->due_ms != 0 && d->due_ms <= delivery_now_ms(d)) ||
	    (answer_due != 0 && answer_due <= delivery_now_ms(d))) {
		out_of_time(d);
		delivery_destroy_if_closed(d);
		return;
	}
	if (d->round != NULL) {
		enum round_state was = round_state(d->round);
		round_tick(d->round);
		if (round_state(d->round) != was || was == ROUND_TRYING) {
			delivery_look_at_round(d);
			return;
		}
	}
	delivery_set_timer(d);
}

/* ---- from outside ---- */

static void
on_late_end(struct late_waiter *waiter)
{
	struct delivery *d =
	    (struct delivery *)((char *)waiter - offsetof(struct delivery, waiter));

	delivery_destroy(d);
}

struct delivery *
delivery_new(const struct relay *relay, const struct transaction_mail *mail, struct span domain,
    const struct delivery_events *events)
{
	struct delivery *d = mem_zero(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->relay = relay;
	d->mail = mail;
	d->events = *events;
	d->recipients.arg = events->arg;
	d->recipients.rcpt = events->rcpt;
	d->recipients.final = events->final;
	d->host[0] = '-';
	d->timer.fn = on_timer;
	d->timer.arg = d;
	d->waiter.end = on_late_end;
	if (loop_timer_set(relay->loop, &d->timer, 0) == 0)
		d->route = route_new(relay, domain, mail->helo, delivery_on_route, d);
	if (d->route == NULL) {
		loop_timer_end(relay->loop, &d->timer);
		free(d);
		return NULL;
	}
	return d;
}

void
delivery_close(struct delivery *d)
{
	if (d == NULL)
		return;
	if (d->stage != STAGE_END) {
		delivery_destroy(d);
		return;
	}
	delivery_make_late(d, NULL);
	d->mail = NULL;
	delivery_enter(d, STAGE_END, ROUND_END_MS + LATE_GRACE_MS);
	late_keep(d->relay->late, &d->waiter);
}

int
delivery_rcpt(struct delivery *d, size_t tag, struct span recipient, struct span notify,
    struct span orcpt, uint64_t envelope)
{
	const struct recipient given = { .tag = tag,
		.envelope = envelope,
		.asked_ms = delivery_now_ms(d),
		.address = recipient,
		.notify = notify,
		.orcpt = orcpt };
	const struct recipient *r = recipients_add(&d->recipients, &given);
	struct upstream *upstream = d->round != NULL ? round_upstream(d->round) : d->upstream;
	struct reply good;

	if (r == NULL)
		return MTASTS_ENOMEM;
	switch (d->stage) {
	case STAGE_ROUTE:
	case STAGE_ROUND:
		break;
	case STAGE_MAIL:
	case STAGE_RCPT:
		upstream_rcpt(upstream, r->address, r->notify, r->orcpt);
		break;
	case STAGE_HELD:
		reply_set(&good, 250, "2.1.5", "Recipient is held until the message has been seen");
		delivery_answer_rest(d, &good);
		break;
	case STAGE_DATA:
	case STAGE_BODY:
	case STAGE_END:
	case STAGE_DECIDE:
		reply_set(&good, 503, "5.5.1", "Too late for a recipient");
		delivery_answer_rest(d, &good);
		break;
	case STAGE_OVER:
		delivery_answer_rest(d, &d->reply);
		break;
	}
	if (d->stage != STAGE_ROUTE || route_state(d->route) == ROUTE_ASKING)
		delivery_set_timer(d);
	return 0;
}

void
delivery_envelope(struct delivery *d, size_t tag, uint64_t envelope)
{
	for (size_t i = 0; i < d->recipients.n; i++) {
		if (d->recipients.all[i].tag == tag)
			d->recipients.all[i].envelope = envelope;
	}
}

enum delivery_stand
delivery_stand(const struct delivery *d)
{
	if (recipients_count(&d->recipients, RECIPIENT_GOOD) == 0)
		return DELIVERY_NOBODY;
	switch (d->stage) {
	case STAGE_ROUTE:
	case STAGE_ROUND:
	case STAGE_MAIL:
	case STAGE_RCPT:
	case STAGE_DATA:
		return DELIVERY_ASKED;
	case STAGE_BODY:
	case STAGE_END:
	case STAGE_HELD:
	case STAGE_DECIDE:
		return DELIVERY_READY;
	case STAGE_OVER:
		break;
	}
	return DELIVERY_REFUSED;
}

enum delivery_stand
delivery_data(struct delivery *d)
{
	if (d->stage == STAGE_RCPT && recipients_count(&d->recipients, RECIPIENT_GOOD) == 0)
		delivery_over_with(d, 503, "5.5.1", "No recipient was accepted");
	if (d->stage == STAGE_RCPT) {
		delivery_enter(d, STAGE_DATA, DELIVERY_DATA_MS);
		upstream_data(d->upstream);
	}
	return delivery_stand(d);
}

const struct reply *
delivery_reply(const struct delivery *d)
{
	return &d->reply;
}

void
delivery_body(struct delivery *d, struct span octets, uint64_t total)
{
	uint64_t limit = d->stage == STAGE_BODY ? upstream_size_limit(d->upstream) : 0;

	if (d->stage != STAGE_BODY)
		return;
	if (limit != 0 && total > limit) { /* RFC 1870 6.3 */
		reply_printf(&d->reply, 552, "5.3.4",
		    "%s takes no message of more than %llu octets", d->host,
		    (unsigned long long)limit);
		delivery_over(d);
		return;
	}
	upstream_body(d->upstream, octets);
	if (upstream_room(d->upstream) == 0 && d->due_ms == 0)
		delivery_enter(d, STAGE_BODY, DELIVERY_STALL_MS);
}

size_t
delivery_room(const struct delivery *d)
{
	return d->stage == STAGE_BODY ? upstream_room(d->upstream) : UPSTREAM_ROOM;
}

static void
on_decided(void *arg, const struct reply *reply)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_DECIDE)
		return;
	if (reply->code != 0)
		d->reply = *reply; /* else what the round has to say */
	delivery_over(d);
}

void
delivery_end(struct delivery *d, int64_t age)
{
	d->is_ended = true;
	if (d->stage == STAGE_BODY) {
		delivery_enter(d, STAGE_END, DELIVERY_ANSWER_MS);
		upstream_end(d->upstream);
	} else if (d->stage == STAGE_HELD) {
		delivery_enter(d, STAGE_DECIDE, DELIVERY_ANSWER_MS);
		if (route_decide(d->route, age, on_decided, d) != 0)
			delivery_over_with(d, 451, "4.3.0", "MTA-STS is out of order on this host");
	} else if (d->stage == STAGE_OVER) {
		delivery_finish(d, &d->reply);
	}
}
