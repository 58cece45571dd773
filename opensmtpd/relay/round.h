/* SPDX-License-Identifier: ISC
 *
 * One round through a domain's MX hosts: host by host and address by address (RFC 5321 5.1) until
 * an SMTP session is open that the policy lets through, or there is nobody left.  Each gets its
 * share of the time, so that a tarpit does not eat the others'.
 */
#ifndef OPENSMTPD_RELAY_ROUND_H
#define OPENSMTPD_RELAY_ROUND_H

#include <stdbool.h>

#include "opensmtpd/relay/relay.h"
#include "opensmtpd/relay/route.h"
#include "opensmtpd/relay/upstream.h"

enum {
	ROUND_HOSTS = 8,	      /* that are connected in one round */
	ROUND_TIME = 200 * 1000,      /* ms of all of it */
	ROUND_CONNECT_MS = 30 * 1000, /* for one address to take the connection, at most */
	ROUND_END_MS = 600 * 1000     /* for the answer to the final dot, RFC 5321 4.5.3.2.6 */
};

struct round;

enum round_state {
	ROUND_TRYING,
	ROUND_OPEN, /* round_upstream() may be sent MAIL */
	ROUND_OVER  /* nobody is left */
};

struct round_config {
	const struct relay *relay;
	struct route *route; /* ROUTE_HOSTS; borrowed, as helo is */
	const char *helo;
	struct sockaddr_storage from;
	int64_t until_ms; /* monotonic */
	/* Of every upstream.  ready() has to call round_ready(). */
	struct upstream_events events;
	/* The state may have changed, not from inside a call. */
	void (*changed)(void *arg);
};

/* Begins at once.  NULL: out of memory. */
struct round *round_new(const struct round_config *config);
void round_free(struct round *round);

enum round_state round_state(const struct round *round);
struct upstream *round_upstream(const struct round *round);
/* The one that is open belongs to the caller from here on. */
struct upstream *round_take(struct round *round);

void round_ready(struct round *round, const struct upstream_outcome *outcome);
/* The session ended, while it was being made or before it had answered MAIL. */
void round_lost(struct round *round, const char *why);
/* When round_tick() wants to be called, monotonic ms. */
int64_t round_wake_ms(const struct round *round);
void round_tick(struct round *round);

/* Of the last session; not tried any: zeroed. */
const struct upstream_outcome *round_outcome(const struct round *round);
const char *round_host(const struct round *round); /* of the last attempt, "-": none */
/* ROUND_OVER: the policy refused at least one host, so it has the word (route_decide). */
bool round_is_refused(const struct round *round);
/* ROUND_OVER: what there is to say when the policy has nothing to. */
const struct reply *round_reply(const struct round *round);

#endif
