/* SPDX-License-Identifier: ISC
 *
 * The recipients of one message that a transaction was given, and their final replies, which come
 * in any order and are told in theirs (RFC 2033 4.2).
 */
#ifndef OPENSMTPD_RELAY_RCPTS_H
#define OPENSMTPD_RELAY_RCPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "opensmtpd/proto/reply.h"

struct rcpt {
	size_t line;   /* which RCPT of the message it was, counted from 0: those refused count */
	bool is_good;  /* has a final reply */
	bool is_named; /* its envelope is known to the transaction */
	unsigned final_code; /* 0: not yet */
	char *final;	     /* NULL: there was no memory for it */
	size_t n_final;
};

/* Zero it first. */
struct rcpts {
	struct rcpt *all;
	size_t n, cap;
	size_t n_good;
	size_t n_told; /* of all: those before are done */
};

void rcpts_clear(struct rcpts *rcpts);
/* One more, without an answer yet.  0, or MTASTS_ENOMEM. */
int rcpts_add(struct rcpts *rcpts, size_t line);
/* What the transaction says of one that it has. */
void rcpts_good(struct rcpts *rcpts, size_t i);
void rcpts_final(struct rcpts *rcpts, size_t i, const struct reply *reply);
/* The next one's final reply, written to out: true; false: it is not known yet, or there is none.
 */
bool rcpts_tell(struct rcpts *rcpts, struct buf *out);
bool rcpts_are_told(const struct rcpts *rcpts);

#endif
