/* SPDX-License-Identifier: ISC
 *
 * One message on its way to the recipients of one domain: route, round, then MAIL to the last dot
 * in one session with one host.
 */
#ifndef OPENSMTPD_RELAY_DELIVERY_H
#define OPENSMTPD_RELAY_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "opensmtpd/proto/reply.h"
#include "opensmtpd/relay/relay.h"
#include "opensmtpd/relay/transaction.h"

struct delivery;

enum {
	DELIVERY_ANSWER_MS = RELAY_ANSWER - 5000,
	DELIVERY_DATA_MS = 120 * 1000, /* for 354, RFC 5321 4.5.3.2.4 */
	DELIVERY_STALL_MS = 120 * 1000 /* for a host to take more of the body */
};

/*
 * Whoever is told takes note and returns; it may be from inside a call.  tag is the recipient's,
 * as delivery_rcpt() had it.
 */
struct delivery_events {
	void *arg;
	void (*rcpt)(void *arg, size_t tag, const struct reply *reply);
	void (*data)(void *arg); /* delivery_stand() is no longer DELIVERY_ASKED */
	void (*room)(void *arg);
	void (*final)(void *arg, size_t tag, const struct reply *reply);
};

/* mail and what it points at last until delivery_close().  NULL: out of memory. */
struct delivery *delivery_new(const struct relay *relay, const struct transaction_mail *mail,
    struct span domain, const struct delivery_events *events);
/*
 * No events come any more.  A message whose last dot has gone out is waited for without the
 * caller (late.h), all else is dropped unfinished.
 */
void delivery_close(struct delivery *delivery);

/* 0, or MTASTS_ENOMEM. */
int delivery_rcpt(struct delivery *delivery, size_t tag, struct span recipient, struct span notify,
    struct span orcpt, uint64_t envelope);
void delivery_envelope(struct delivery *delivery, size_t tag, uint64_t envelope);

/* How it stands with DATA, once every RCPT has been answered. */
enum delivery_stand {
	DELIVERY_NOBODY, /* no recipient was accepted */
	DELIVERY_ASKED,	 /* the host has not answered yet */
	DELIVERY_READY,	 /* 354, or the message is wanted for its age alone */
	DELIVERY_REFUSED /* delivery_reply() */
};

enum delivery_stand delivery_data(struct delivery *delivery);
enum delivery_stand delivery_stand(const struct delivery *delivery);
const struct reply *delivery_reply(const struct delivery *delivery);

/* octets so far, these among them and without the dots that were put in, are `total`. */
void delivery_body(struct delivery *delivery, struct span octets, uint64_t total);
size_t delivery_room(const struct delivery *delivery);
/* Whoever was accepted is given his final reply.  age of the message in seconds. */
void delivery_end(struct delivery *delivery, int64_t age);

#endif
