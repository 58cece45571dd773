/* SPDX-License-Identifier: ISC
 *
 * Messages that an MX host accepted later than smtpd could be kept waiting.  smtpd was told 451 and
 * will come again; by the envelope's id it is then told what became of it, and the message is not
 * sent twice.  Memory of this process; bounded, the oldest goes first.
 */
#ifndef OPENSMTPD_RELAY_LATE_H
#define OPENSMTPD_RELAY_LATE_H

#include <stdbool.h>
#include <stdint.h>

#include "mtasts.h"
#include "opensmtpd/proto/reply.h"

struct late;

enum { LATE_MAX = 4096 /* envelopes; of those beyond the oldest is forgotten */ };

enum late_state {
	LATE_NOTHING, /* no such envelope */
	LATE_WAITING, /* the MX host has not answered yet */
	LATE_DONE     /* it has: *reply */
};

struct late *late_new(void); /* NULL: out of memory */
void late_free(struct late *late);
/* Whether it holds anything: only then is an envelope's id worth waiting for. */
bool late_is_any(const struct late *late);
/* smtpd has been told 451 for it.  0, or MTASTS_ENOMEM. */
int late_wait(struct late *late, uint64_t envelope);
/* The host answered, or (reply NULL) never will: then it is forgotten and smtpd may send again. */
void late_answer(struct late *late, uint64_t envelope, const struct reply *reply);
enum late_state late_get(const struct late *late, uint64_t envelope, struct reply *reply);
/* smtpd has been told. */
void late_forget(struct late *late, uint64_t envelope);

/*
 * Who waits for such an answer belongs to nobody else any more: late_free() ends him.  Embedded in
 * its owner; zero it first, fill end.
 */
struct late_waiter {
	void (*end)(struct late_waiter *waiter);
	struct late_waiter *next, **at; /* late's */
};

void late_keep(struct late *late, struct late_waiter *waiter);
void late_leave(struct late_waiter *waiter);

#endif
