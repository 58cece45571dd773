/* SPDX-License-Identifier: ISC
 *
 * The recipients of one message that a transaction was given, and their final replies, which come
 * in any order and are told in theirs (RFC 2033 4.2).
 */
#ifndef OPENSMTPD_RELAY_FINALS_H
#define OPENSMTPD_RELAY_FINALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "opensmtpd/proto/reply.h"

struct final {
	size_t line;   /* which RCPT of the message it was, counted from 0: those refused count */
	bool is_good;  /* has a final reply */
	bool is_named; /* its envelope is known to the transaction */
	unsigned code; /* of the final reply; 0: not yet */
	char *text;    /* NULL: there was no memory for it */
	size_t n_text;
};

/* Zero it first. */
struct finals {
	struct final *all;
	size_t n, cap;
	size_t n_good;
	size_t n_told; /* of all: those before are done */
};

void finals_clear(struct finals *finals);
/* One more, without an answer yet.  0, or MTASTS_ENOMEM. */
int finals_add(struct finals *finals, size_t line);
/* What the transaction says of one that it has. */
void finals_good(struct finals *finals, size_t i);
void finals_put(struct finals *finals, size_t i, const struct reply *reply);
/* The next one's final reply, written to out: true; false: it is not known yet, or there is none.
 */
bool finals_tell(struct finals *finals, struct buf *out);
bool finals_are_told(const struct finals *finals);

#endif
