/* SPDX-License-Identifier: ISC
 *
 * The recipients of one delivery and how far each has come: to his answer, to his final reply, to
 * the answer that came too late.  Of each answer there is one.
 */
#ifndef OPENSMTPD_RELAY_RECIPIENTS_H
#define OPENSMTPD_RELAY_RECIPIENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "opensmtpd/proto/reply.h"
#include "opensmtpd/relay/late.h"

enum recipient_standing {
	RECIPIENT_ASKED, /* no answer to RCPT yet */
	RECIPIENT_GOOD,	 /* 250, a final reply is owed */
	RECIPIENT_LATE,	 /* the final reply was 451, the host's answer is waited for */
	RECIPIENT_DONE
};

struct recipient {
	size_t tag;
	enum recipient_standing standing;
	uint64_t envelope; /* 0: not known */
	int64_t asked_ms;  /* monotonic */
	struct span address, notify, orcpt;
	char *text; /* which they are parts of */
};

typedef void recipients_fn(void *arg, size_t tag, const struct reply *reply);

/* Zero it first, fill arg, rcpt, final. */
struct recipients {
	struct recipient *all;
	size_t n, cap;
	size_t n_answered; /* to RCPT */
	void *arg;
	recipients_fn *rcpt, *final;
};

void recipients_clear(struct recipients *recipients);
/* What is in `recipient` (text aside) is copied.  NULL: out of memory. */
const struct recipient *recipients_add(
    struct recipients *recipients, const struct recipient *recipient);
size_t recipients_count(const struct recipients *recipients, enum recipient_standing standing);
/* When the first without an answer was asked for; -1: all have one. */
int64_t recipients_asked_ms(const struct recipients *recipients);

/* The answer to RCPT i; to all RCPTs that have none. */
void recipients_answer(struct recipients *recipients, size_t i, const struct reply *reply);
void recipients_answer_rest(struct recipients *recipients, const struct reply *reply);
/* The final reply to all to whom one is owed. */
void recipients_finish(struct recipients *recipients, const struct reply *reply);
/*
 * Nobody is told any more, or (reply) they are told that: their answer is waited for by their
 * envelopes.  0, or MTASTS_ENOMEM: some are not remembered.
 */
int recipients_make_late(
    struct recipients *recipients, struct late *late, const struct reply *reply);
/* It has come; NULL: it never will. */
void recipients_finish_late(
    struct recipients *recipients, struct late *late, const struct reply *reply);

#endif
