/* SPDX-License-Identifier: ISC
 *
 * The inside of a delivery, for its three files alone: delivery.c, what is called from outside and
 * the timer; delivery_session.c, what route, round and upstream say; delivery_answer.c, what
 * recipients are told and how it ends.
 */
#ifndef OPENSMTPD_RELAY_DELIVERY_INSIDE_H
#define OPENSMTPD_RELAY_DELIVERY_INSIDE_H

#include "base/domain.h"
#include "opensmtpd/relay/delivery.h"
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
	struct recipients recipients;
	struct reply reply;
};

enum { DELIVERY_IDLE_MS = 3600 * 1000 };

/* ---- time ---- */
int64_t delivery_now_ms(const struct delivery *d);
/* Of the timer, which is set already: cannot fail. */
void delivery_wake_in(struct delivery *d, int64_t ms);
/* When the first RCPT without an answer has waited long enough; 0: there is none. */
int64_t delivery_answer_due_ms(const struct delivery *d);
void delivery_set_timer(struct delivery *d);
/* limit_ms 0: the stage lasts as long as it does. */
void delivery_enter(struct delivery *d, enum stage stage, int64_t limit_ms);

/* ---- answers ---- */
/* One line in the log for those n who share an answer; recipient is empty but for one alone. */
void delivery_say(
    const struct delivery *d, const struct reply *reply, struct span recipient, size_t n);
void delivery_answer_rest(struct delivery *d, const struct reply *reply);
void delivery_finish(struct delivery *d, const struct reply *reply);
/* Whoever is owed a final reply is told that one (NULL: nobody is) and waits for the host's. */
void delivery_make_late(struct delivery *d, const struct reply *reply);

/* ---- ends ---- */
/* d->reply is all that is left to say: at once, or when the message has ended. */
void delivery_over(struct delivery *d);
void delivery_over_with(struct delivery *d, unsigned code, const char *enhanced, const char *words);
void delivery_over_by_loss(struct delivery *d, const char *why);
/* The policy has the last word, and the message's age is not known before DATA. */
void delivery_hold(struct delivery *d);
void delivery_destroy(struct delivery *d);
/* Nobody but late.h knows of it any more: with the last answer it goes. */
void delivery_destroy_if_closed(struct delivery *d);

/* ---- what the others say ---- */
void delivery_on_route(void *arg);
void delivery_look_at_round(struct delivery *d);

#endif
