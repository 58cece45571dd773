/* SPDX-License-Identifier: ISC
 *
 * What is answered to whom, and when.  The host's own replies go through as they are; where it has
 * none to give, this says 451.
 */
#include "opensmtpd/relay/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "opensmtpd/relay/account.h"
#include "opensmtpd/relay/late.h"
#include "opensmtpd/relay/recipients.h"
#include "opensmtpd/relay/round.h"
#include "opensmtpd/relay/route.h"
#include "opensmtpd/relay/upstream.h"

enum stage {
	STAGE_ROUTE,  /* policy and MX hosts are being found out */
	STAGE_ROUND,  /* hosts are being tried */
	STAGE_MAIL,   /* one is open, MAIL and RCPTs are sent */
	STAGE_RCPT,   /* it has taken MAIL: nobody else is tried any more */
	STAGE_DATA,   /* asked */
	STAGE_BODY,   /* 354 */
	STAGE_END,    /* the last dot is sent */
	STAGE_HELD,   /* failed by policy: the message's age decides */
	STAGE_DECIDE, /* it is being decided */
	STAGE_OVER    /* `reply` is all that is left to say */
};

struct delivery {
	const struct relay *relay;
	const struct transaction_mail *mail; /* NULL: closed, and waits for the host's answer */
	struct delivery_events events;
	enum stage stage;
	bool is_ended;
	struct route *route;
	struct round *round;	   /* until the host has taken MAIL */
	struct upstream *upstream; /* from then on */
	struct upstream_outcome outcome;
	char host[DOMAIN_MAX + 1];
	struct loop_timer timer; /* always set */
	struct late_waiter waiter;
	int64_t due_ms; /* of the stage; 0: none */
	int64_t age;	/* of the message, seconds */
	struct recipients recipients;
	struct reply reply;
};

enum { IDLE_MS = 3600 * 1000, LATE_GRACE_MS = 30 * 1000 };

static int64_t
now_ms(const struct delivery *d)
{
	return loop_now_ms(d->relay->loop);
}

/* ---- answers ---- */

/* One line for those who share an answer: recipient is empty when it is not about one alone. */
static void
say(const struct delivery *d, const struct reply *reply, struct span recipient, size_t n)
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
	say(d, reply, span_of(""), recipients_count(&d->recipients, standing));
}

static void
answer_rest(struct delivery *d, const struct reply *reply)
{
	if (!reply_is_good(reply))
		say_all(d, reply, RECIPIENT_ASKED);
	recipients_answer_rest(&d->recipients, reply);
}

static void
finish_good(struct delivery *d, const struct reply *reply)
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

/* reply NULL: smtpd has gone. */
static void
make_late(struct delivery *d, const struct reply *reply)
{
	if (reply != NULL)
		say_all(d, reply, RECIPIENT_GOOD);
	if (recipients_make_late(&d->recipients, d->relay->late, reply) != 0)
		log_put(d->relay->log, MTASTS_LOG_ERROR, "relay domain=%s error=\"%s\"",
		    route_domain(d->route), mtasts_strerror(MTASTS_ENOMEM));
}

/* ---- time ---- */

static void
wake_in(struct delivery *d, int64_t ms)
{
	(void)loop_timer_set(d->relay->loop, &d->timer, ms); /* set already: cannot fail */
}

/* When the first RCPT without an answer has waited long enough. */
static int64_t
answer_due_ms(const struct delivery *d)
{
	int64_t asked = recipients_asked_ms(&d->recipients);

	return asked >= 0 ? asked + DELIVERY_ANSWER_MS : 0;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

static void
set_timer(struct delivery *d)
{
	int64_t at = now_ms(d) + IDLE_MS;

	at = sooner(at, d->due_ms);
	at = sooner(at, answer_due_ms(d));
	if (d->round != NULL && round_state(d->round) != ROUND_OVER)
		at = sooner(at, round_wake_ms(d->round));
	wake_in(d, at - now_ms(d));
}

static void
enter(struct delivery *d, enum stage stage, int64_t limit_ms)
{
	d->stage = stage;
	d->due_ms = limit_ms != 0 ? now_ms(d) + limit_ms : 0;
	set_timer(d);
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

/* d->reply is all that is left to say: at once, or when the message has ended. */
static void
over(struct delivery *d)
{
	enum stage was = d->stage;

	let_go(d);
	enter(d, STAGE_OVER, 0);
	answer_rest(d, &d->reply);
	finish_late(d, was == STAGE_END ? &d->reply : NULL);
	if (d->is_ended)
		finish_good(d, &d->reply);
	else if (was == STAGE_DATA)
		d->events.data(d->events.arg);
	else if (was == STAGE_BODY)
		d->events.room(d->events.arg);
}

static void
over_with(struct delivery *d, unsigned code, const char *enhanced, const char *words)
{
	reply_set(&d->reply, code, enhanced, words);
	over(d);
}

static void
over_by_loss(struct delivery *d, const char *why)
{
	reply_printf(&d->reply, 451, "4.4.2", "Lost connection with %s: %s", d->host, why);
	if (d->stage == STAGE_END)
		finish_late(d, NULL);
	over(d);
}

/* The policy has the last word, and the message's age is not known before DATA. */
static void
hold(struct delivery *d)
{
	struct reply good;

	let_go(d);
	enter(d, STAGE_HELD, 0);
	reply_set(&good, 250, "2.1.5", "Recipient is held until the message has been seen");
	answer_rest(d, &good);
}

static void
destroy(struct delivery *d)
{
	let_go(d);
	loop_timer_end(d->relay->loop, &d->timer);
	route_free(d->route);
	recipients_clear(&d->recipients);
	free(d);
}

/* Nobody but late.h knows of it any more: with the last answer it goes. */
static void
destroy_if_closed(struct delivery *d)
{
	if (d->mail != NULL || d->stage != STAGE_OVER)
		return;
	late_leave(&d->waiter);
	destroy(d);
}

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

static void
look_at_round(struct delivery *d)
{
	switch (round_state(d->round)) {
	case ROUND_TRYING:
		enter(d, STAGE_ROUND, 0);
		return;
	case ROUND_OPEN:
		keep_names(d);
		enter(d, STAGE_MAIL, 0);
		send_envelope(d);
		return;
	case ROUND_OVER:
		break;
	}
	keep_names(d);
	d->reply = *round_reply(d->round);
	if (round_is_refused(d->round))
		hold(d);
	else
		over(d);
}

static void
on_round(void *arg)
{
	look_at_round(arg);
}

static void
on_ready(void *arg, const struct upstream_outcome *outcome)
{
	struct delivery *d = arg;

	if (d->round == NULL)
		return;
	round_ready(d->round, outcome);
	look_at_round(d);
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
		enter(d, STAGE_RCPT, 0);
		return;
	}
	d->reply = *sane(d, reply);
	over(d);
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
		say(d, reply, d->recipients.all[i].address, 1);
	recipients_answer(&d->recipients, i, reply);
	set_timer(d);
}

static void
on_data(void *arg, const struct reply *reply)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_DATA)
		return;
	if (reply->code == 354) {
		enter(d, STAGE_BODY, 0);
		d->events.data(d->events.arg);
		return;
	}
	d->reply = *reply;
	if (reply_is_good(reply)) /* 2xx: the body would be taken for commands */
		reply_printf(&d->reply, 451, "4.5.0", "%s: an answer out of place", d->host);
	over(d);
}

static void
on_room(void *arg)
{
	struct delivery *d = arg;

	if (d->stage != STAGE_BODY)
		return;
	if (upstream_room(d->upstream) != 0)
		enter(d, STAGE_BODY, 0);
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
	over(d);
	destroy_if_closed(d);
}

static void
on_closed(void *arg, const char *why)
{
	struct delivery *d = arg;

	if (d->round != NULL && (d->stage == STAGE_MAIL || d->stage == STAGE_ROUND)) {
		round_lost(d->round, why);
		look_at_round(d);
		return;
	}
	if (d->upstream == NULL)
		return;
	over_by_loss(d, why);
	destroy_if_closed(d);
}

/* ---- the route ---- */

static void
begin_round(struct delivery *d)
{
	struct round_config config = { .relay = d->relay,
		.route = d->route,
		.helo = d->mail->helo,
		.from = d->mail->from,
		.until_ms = now_ms(d) + ROUND_TIME,
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
		over_with(d, 451, "4.3.0", mtasts_strerror(MTASTS_ENOMEM));
	else
		look_at_round(d);
}

static void
on_route(void *arg)
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
	over(d);
}

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
		over(d);
		return;
	case STAGE_DATA:
	case STAGE_BODY:
		reply_printf(&d->reply, 451, "4.4.2", "%s: no answer in time", d->host);
		over(d);
		return;
	case STAGE_END:
		if (d->mail == NULL || recipients_count(&d->recipients, RECIPIENT_GOOD) == 0) {
			over_by_loss(d, "no answer to the message");
			return;
		}
		reply_printf(&d->reply, 451, "4.4.2",
		    "%s: still waiting for the answer to the message", d->host);
		make_late(d, &d->reply);
		enter(d, STAGE_END, ROUND_END_MS - DELIVERY_ANSWER_MS + LATE_GRACE_MS);
		return;
	case STAGE_DECIDE:
		over_with(d, 451, "4.3.0", "MTA-STS gave no decision in time");
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
	int64_t answer_due = answer_due_ms(d);

	wake_in(d, IDLE_MS); /* first of all: there is room for it now */
	if (d->stage == STAGE_ROUTE && route_state(d->route) != ROUTE_ASKING) {
		on_route(d);
		return;
	}
	if ((d->due_ms != 0 && d->due_ms <= now_ms(d)) ||
	    (answer_due != 0 && answer_due <= now_ms(d))) {
		out_of_time(d);
		destroy_if_closed(d);
		return;
	}
	if (d->round != NULL) {
		enum round_state was = round_state(d->round);
		round_tick(d->round);
		if (round_state(d->round) != was || was == ROUND_TRYING) {
			look_at_round(d);
			return;
		}
	}
	set_timer(d);
}

/* ---- from outside ---- */

static void
on_late_end(struct late_waiter *waiter)
{
	struct delivery *d =
	    (struct delivery *)((char *)waiter - offsetof(struct delivery, waiter));

	destroy(d);
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
		d->route = route_new(relay, domain, mail->helo, on_route, d);
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
		destroy(d);
		return;
	}
	make_late(d, NULL);
	d->mail = NULL;
	enter(d, STAGE_END, ROUND_END_MS + LATE_GRACE_MS);
	late_keep(d->relay->late, &d->waiter);
}

int
delivery_rcpt(struct delivery *d, size_t tag, struct span recipient, struct span notify,
    struct span orcpt, uint64_t envelope)
{
	const struct recipient given = { .tag = tag,
		.envelope = envelope,
		.asked_ms = now_ms(d),
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
		answer_rest(d, &good);
		break;
	case STAGE_DATA:
	case STAGE_BODY:
	case STAGE_END:
	case STAGE_DECIDE:
		reply_set(&good, 503, "5.5.1", "Too late for a recipient");
		answer_rest(d, &good);
		break;
	case STAGE_OVER:
		answer_rest(d, &d->reply);
		break;
	}
	if (d->stage != STAGE_ROUTE || route_state(d->route) == ROUTE_ASKING)
		set_timer(d);
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
		over_with(d, 503, "5.5.1", "No recipient was accepted");
	if (d->stage == STAGE_RCPT) {
		enter(d, STAGE_DATA, DELIVERY_DATA_MS);
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
		over(d);
		return;
	}
	upstream_body(d->upstream, octets);
	if (upstream_room(d->upstream) == 0 && d->due_ms == 0)
		enter(d, STAGE_BODY, DELIVERY_STALL_MS);
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
	over(d);
}

void
delivery_end(struct delivery *d, int64_t age)
{
	d->is_ended = true;
	if (d->stage == STAGE_BODY) {
		enter(d, STAGE_END, DELIVERY_ANSWER_MS);
		upstream_end(d->upstream);
	} else if (d->stage == STAGE_HELD) {
		enter(d, STAGE_DECIDE, DELIVERY_ANSWER_MS);
		if (route_decide(d->route, age, on_decided, d) != 0)
			over_with(d, 451, "4.3.0", "MTA-STS is out of order on this host");
	} else if (d->stage == STAGE_OVER) {
		finish_good(d, &d->reply);
	}
}
