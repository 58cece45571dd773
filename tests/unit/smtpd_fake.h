/* SPDX-License-Identifier: ISC
 *
 * smtpd as a transaction sees it: one command after the other, each when the one before was
 * answered.  Asserts what is promised of every answer: it comes from the loop, once, in time.
 */
#ifndef TESTS_SMTPD_FAKE_H
#define TESTS_SMTPD_FAKE_H

#include <sys/socket.h>

#include "base/buf.h"
#include "opensmtpd/relay/transaction.h"

enum { SMTPD_RCPTS = TRANSACTION_RCPTS_MAX + 8 };

/* What a message here has without the dots that were put in, octets. */
enum { SMTPD_OCTETS = 58 };

enum smtpd_leave {
	SMTPD_STAYS,
	SMTPD_LEAVES_AT_RCPT,
	SMTPD_LEAVES_IN_BODY,
	SMTPD_LEAVES_AFTER_END,
	SMTPD_LEAVES_AND_NOTHING_RUNS /* so too, and the world stands still */
};

struct smtpd {
	struct transaction *t;
	struct buf told;
	char told_text[8192];
	size_t n;
	unsigned rcpts[SMTPD_RCPTS], finals[SMTPD_RCPTS]; /* codes; 0: not told */
	unsigned data;
	unsigned n_codes[6]; /* answers to RCPT, by their first digit */
	bool is_room, is_inside;
	unsigned answers_left; /* frees the transaction from inside that many-th answer; 0: never */
};

/* A whole transaction; rcpts with a blank between; envelope: of the first, 0 of none. */
void smtpd_send(struct smtpd *smtpd, const char *rcpts, int64_t age, uint64_t envelope);
void smtpd_send_from(struct smtpd *smtpd, const char *rcpts, sa_family_t family);
void smtpd_leave_after(
    struct smtpd *smtpd, const char *rcpts, uint64_t envelope, enum smtpd_leave leave);
void smtpd_flood(struct smtpd *smtpd, const char *rcpt, size_t n);

/* The same in two steps: until it is answered, and its end with all that comes after. */
void smtpd_begin(
    struct smtpd *smtpd, const char *rcpts, int64_t age, uint64_t envelope, sa_family_t family);
void smtpd_end(struct smtpd *smtpd);

/*
 * The same, but that it leaves from inside an answer, the answers-th from now on (0: never), and
 * that there may be no memory for a transaction: -1.
 */
int smtpd_try(
    struct smtpd *smtpd, const char *rcpts, int64_t age, uint64_t envelope, unsigned answers);

#endif
