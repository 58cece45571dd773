/* SPDX-License-Identifier: ISC
 *
 * Requests to answers: at once from what was found out in the last moment, else by a look-up that
 * all who ask for the same domain share.
 *
 * A policy is kept for ANSWER_KEEP at most, and never past its expiry: the answer is then no older
 * than one that was on its way for that long, while a mail server that opens a hundred sessions to
 * a domain costs one look into the store.  MX hosts are kept for as long as the DNS said.
 *
 * Every answer comes within ANSWER_WAIT.  A look-up that takes longer goes on until the library's
 * own deadline, for the store and for those who ask next; who waits gets what the store has.
 */
#ifndef SOCKETMAP_ANSWER_H
#define SOCKETMAP_ANSWER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "mtasts.h"
#include "socketmap/netstring.h"
#include "socketmap/reply.h"

enum {
	ANSWER_KEEP = 1000, /* ms */
	/* ms; sendmail's FEATURE(`sts') waits for 5000, the way there and back included */
	ANSWER_WAIT = 4500,
	ANSWER_MX_MAX = 3600,			     /* seconds that MX hosts are kept, at most */
	ANSWER_MAX = REPLY_MAX + NETSTRING_HEAD + 2, /* octets of an answer, its NUL counted */
};

struct answers;
struct known;
struct waiter;

/* frame: the whole answer, a netstring; valid during the call.  May not call back. */
typedef void answer_fn(struct waiter *waiter, struct span frame);

/* A request that waits.  Its maker owns it, and fills in the first two. */
struct waiter {
	struct span payload;		/* as long as it waits */
	answer_fn *done;		/* called once, unless cancelled */
	struct waiter *next, *previous; /* of those for the same domain who wait for the same */
	struct waiter *sooner, *later;
	struct known *known; /* NULL: waits no more */
	int64_t deadline_ms;
	bool is_verdict; /* by the map mtastsd */
	bool has_policy; /* waits for MX hosts alone */
};

struct answers_config {
	struct reply_config reply;
	size_t max_lookups; /* under way at once; beyond it the store alone is asked */
};

/* All borrowed until answers_free().  NULL: out of memory. */
struct answers *answers_new(struct mtasts *ctx, const struct answers_config *config,
    const struct clock *clock, const struct log *log);
/* Who waits hears no more. */
void answers_free(struct answers *answers);

/* Look at the clock: before the first request of a wake-up. */
void answers_tick(struct answers *answers);

/*
 * Maps: "mtastsd" is verdict.h's; all others answer as Postfix wants it.
 *
 * true: the answer to a request stands at the end of out, which must have ANSWER_MAX of room.
 * false: nothing is known, ask answers_later().
 */
bool answers_now(struct answers *answers, struct span payload, struct buf *out);
/* waiter->done may be called before this returns. */
void answers_later(struct answers *answers, struct waiter *waiter);
/* Nothing happens to one that waits no more. */
void answers_cancel(struct answers *answers, struct waiter *waiter);
size_t answers_waiting(const struct answers *answers);

/* What the library waits for, as mtasts_pollfds(), and for how long at most nothing can happen. */
size_t answers_pollfds(struct answers *answers, struct pollfd *fds, size_t cap, int *timeout_ms);
/* When one of those is ready, the time is over, or answers_is_due(). */
void answers_run(struct answers *answers);
/* answers_later() was called since. */
bool answers_is_due(const struct answers *answers);

#endif
