/* SPDX-License-Identifier: ISC
 *
 * The world around a transaction: the loop over a clock that jumps from event to event, the
 * library's look-ups and MX hosts by tables.  Policies, judgements and decisions are the real
 * ones.
 */
#ifndef TESTS_RELAY_FAKE_H
#define TESTS_RELAY_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mtasts.h"
#include "opensmtpd/relay/relay.h"

enum { WORLD_NEVER = -1, WORLD_HOSTS = 10, WORLD_ADDRESSES = 6 };

struct world_domain {
	const char *name;
	enum mtasts_state state;
	const char *body; /* PUBLISHED: the policy file */
	enum mtasts_mx_state mx_state;
	struct {
		const char *name;
		int preference;
	} hosts[WORLD_HOSTS];
	bool is_secure;
	int64_t policy_ms, mx_ms; /* until they are answered */
	int error, mx_error;	  /* of their ends */
};

struct world_name {
	const char *name;
	const char *addresses[WORLD_ADDRESSES]; /* none: the name has none */
	bool is_unknown;
	int64_t ms;
};

/*
 * An MX host at its address.  Replies: NULL a good one, "" never, "-" the connection ends, "354"
 * and the like as they are.
 */
struct world_host {
	const char *ip;
	enum mtasts_tls tls;	 /* UNTRIED: VERIFIED */
	bool is_handshake_lost;	 /* STARTTLS ends the connection */
	const char *unreachable; /* no session, and why */
	const char *greeting;	 /* its own no */
	int64_t ready_ms;	 /* until the session is open; WORLD_NEVER */
	const char *mail, *rcpt, *data, *end;
	const char *early; /* said in the middle of the message */
	int64_t mail_ms, rcpt_ms, data_ms, end_ms;
	int64_t room_ms; /* until it has taken what it was sent; 0: at once */
	uint64_t limit;
};

struct world {
	/* each ends with a NULL name */
	const struct world_domain *domains;
	const struct world_name *names;
	const struct world_host *hosts;
	bool defer_on_unknown, is_recheck_lost;
	int64_t decide_ms;
	int decide_error;
	int64_t now_ms, now;
	struct buf sessions; /* "192.0.2.1 MAIL RCPT DATA . " */
	struct buf records;  /* "mx.example finding, " */
	struct buf log;
	uint64_t n_octets;		      /* of bodies that ended with a dot */
	size_t n_jobs, n_upstreams, n_timers; /* alive */
	struct relay relay;
	char sessions_text[4096], records_text[4096], log_text[65536];
};

extern struct world world;

void world_begin(const struct world_domain *domains, const struct world_name *names,
    const struct world_host *hosts);
/* Everything is gone but what the test holds. */
void world_end(void);
/* The next event, the clock jumping there; false: nothing will ever happen. */
bool world_step(void);
/* How often an MX host has taken a message for that recipient with 250. */
unsigned world_delivered(const char *recipient);

#endif
