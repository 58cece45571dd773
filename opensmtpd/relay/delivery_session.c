/* SPDX-License-Identifier: ISC
 *
 * From the route over the round to the host's replies.  They go through as they are; where the
 * host has none to give, or one out of place, 451 is said.
 */
#include "opensmtpd/relay/delivery_inside.h"

#include "base/buf.h"

/* ---- the round ---- */

static void
send_envelope(struct delivery *d)
{
	struct upstream *upstream = round_upstream(d->round);

	upstream_mail(upstream, d->mail->sender, &d->mail->params);
	for (size_t i = 0; i < d->recipients.n; i++) {
		const struct recipient *r = &d->recipients.all[i];
		upstream_rcpt(upstream, r->address, r->notify, r->orcpt);
	}
}

static void
keep_names(struct delivery *d)
{
	buf_keep(d->host, sizeof d->host, span_of(round_host(d->round)));
	d->outcome = *round_outcome(d->round);
}

void
delivery_look_at_round(struct delivery *d)
{
	switch (round_state(d->round)) {
	case ROUND_TRYING:
		delivery_enter(d, STAGE_ROUND, 0);
		return;
	case ROUND_OPEN:
		keep_names(d);
		delivery_enter(d, STAGE_MAIL, 0);
		send_envelope(d);
		return;
	case ROUND_OVER:
		break;
	}
	keep_names(d);
	d->reply = *round_reply(d->round);
	if (round_is_refused(d->round))
		delivery_hold(d);
	else
		delivery_over(d);
}

static void
on_round(void *arg)
{
	delivery_look_at_round(arg);
}

static void
on_ready(void *arg, const struct upstream_outcome *outcome)
{
	struct delivery *d = arg;

	if (d->round == NULL)
		return;
	round_ready(d->round, outcome);
	delivery_look_at_round(d);
}

/* ---- the session ---- */

/* 2xx, or a no.  What is neither where both would do must not pass for a yes. */
static const struct reply *
sane(struct delivery *d, const struct reply *reply)
{
	if (reply->code / 100 == 2 || reply->code >= 400)
		return reply;
	reply_printf(&d->reply, 451, "4.5.0", "%s: an answer out of place", d->host);
	return &d->reply;
}

static void
on_mail(void *arg, const struct reply *reply)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_MAIL)
		return;
	d->upstream = round_take(d->round);
	round_free(d->round);
	d->round = NULL;
	if (reply->code / 100 == 2) {
		delivery_enter(d, STAGE_RCPT, 0);
		return;
	}
	d->reply = *sane(d, reply);
	delivery_over(d);
}

/* Every recipient there is was sent to this host, in their order. */
static void
on_rcpt(void *arg, size_t i, const struct reply *reply)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_RCPT || i >= d->recipients.n)
		return;
	reply = sane(d, reply);
	if (!reply_is_good(reply))
		delivery_say(d, reply, d->recipients.all[i].address, 1);
	recipients_answer(&d->recipients, i, reply);
	delivery_set_timer(d);
}

static void
on_data(void *arg, const struct reply *reply)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_DATA)
		return;
	if (reply->code == 354) {
		delivery_enter(d, STAGE_BODY, 0);
		d->events.data(d->events.arg);
		return;
	}
	d->reply = *reply;
	if (reply_is_good(reply)) /* 2xx: the body would be taken for commands */
		reply_printf(&d->reply, 451, "4.5.0", "%s: an answer out of place", d->host);
	delivery_over(d);
}

static void
on_room(void *arg)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_BODY)
		return;
	if (upstream_room(d->upstream) != 0)
		delivery_enter(d, STAGE_BODY, 0);
	d->events.room(d->events.arg);
}

static void
on_end(void *arg, const struct reply *reply)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_END && d->stage != STAGE_BODY)
		return;
	d->reply = *sane(d, reply);
	if (d->stage == STAGE_BODY && reply_is_good(&d->reply)) /* to half a message: no yes */
		reply_printf(&d->reply, 451, "4.5.0", "%s: an answer out of place", d->host);
	delivery_over(d);
	delivery_destroy_if_closed(d);
}

static void
on_closed(void *arg, const char *why)
{
	struct delivery *d = arg;

	if (d->round != NULL && (d->stage == STAGE_MAIL || d->stage == STAGE_ROUND)) {
		round_lost(d->round, why);
		delivery_look_at_round(d);
		return;
	}
	if (d->upstream == NULL)
		return;
	delivery_over_by_loss(d, why);
	delivery_destroy_if_closed(d);
}

/* ---- the route ---- */

static void
begin_round(struct delivery *d)
{
	struct round_config config = { .relay = d->relay,
		.route = d->route,
		.helo = d->mail->helo,
		.from = d->mail->from,
		.until_ms = delivery_now_ms(d) + ROUND_TIME,
		.events = { .arg = d,
		    .ready = on_ready,
		    .mail = on_mail,
		    .rcpt = on_rcpt,
		    .data = on_data,
		    .room = on_room,
		    .end = on_end,
		    .closed = on_closed },
		.changed = on_round };

	d->round = round_new(&config);
	if (d->round == NULL)
		delivery_over_with(d, 451, "4.3.0", mtasts_strerror(MTASTS_ENOMEM));
	else
		delivery_look_at_round(d);
}

void
delivery_on_route(void *arg)
{
	struct delivery *d = arg;

	switch (route_state(d->route)) {
	case ROUTE_ASKING:
		return;
	case ROUTE_HOSTS:
		begin_round(d);
		return;
	case ROUTE_NOWHERE:
		break;
	}
	d->reply = *route_reply(d->route);
	delivery_over(d);
}
