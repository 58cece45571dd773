/* SPDX-License-Identifier: ISC
 *
 * What smtpd is still to be told of each recipient of a transaction: noted when it becomes known,
 * given one at a time.
 */
#ifndef OPENSMTPD_RELAY_ANSWERS_H
#define OPENSMTPD_RELAY_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opensmtpd/proto/reply.h"
#include "opensmtpd/relay/late.h"

enum answer_standing {
	ANSWER_ASKED,  /* that to RCPT is not known */
	ANSWER_KNOWN,  /* it is, and has not been given */
	ANSWER_GOOD,   /* 250 was given, a final reply is owed */
	ANSWER_FINISH, /* it is known */
	ANSWER_DONE
};

struct answer {
	enum answer_standing standing;
	bool is_remembered; /* an MX host has the message since an earlier attempt (late.h) */
	uint64_t envelope;  /* 0: not known */
	/* The words: a struct reply is much for each of a thousand.  NULL: no memory for them. */
	unsigned code;
	size_t n_text;
	char *text;
};

/* Zero it first. */
struct answers {
	struct answer *all;
	size_t n, cap;
	size_t n_lost, n_lost_given; /* recipients behind those, for whom there was no memory */
};

void answers_clear(struct answers *answers);
/* One more recipient; false: there is no memory for him, and he will be told so. */
bool answers_add(struct answers *answers, uint64_t envelope);

/* Only the first of each is taken. */
void answers_note_rcpt(struct answers *answers, size_t i, const struct reply *reply);
void answers_note_final(struct answers *answers, size_t i, const struct reply *reply);
/* The message has ended: whoever is remembered has his final reply already. */
void answers_note_end(struct answers *answers);

bool answers_is_any_owed(const struct answers *answers); /* to a RCPT */
/* A recipient who was accepted because a host has the message already. */
bool answers_is_any_remembered(const struct answers *answers);

enum answers_due { ANSWERS_NOTHING, ANSWERS_RCPT, ANSWERS_FINAL };

/* The next that is to be given, with whose it is; it counts as given. */
enum answers_due answers_next(
    struct answers *answers, bool is_ended, size_t *i, struct reply *reply);

/* smtpd has gone before it was told that a host has the message: it will be told next time. */
void answers_remember(const struct answers *answers, struct late *late);

#endif
