/* SPDX-License-Identifier: ISC
 *
 * Transactions of the tests: answers by the local part of who is asked for, and everything that was
 * said to them is written down.
 *
 * RCPT: "no*" 550, "busy*" 451, others 250.  DATA: 354, 554 for a sender "nodata*".  Final: "bad*"
 * 550 of two lines, "defer*" 451, others 250, each with the address in it.
 */
#ifndef TESTS_TRANSACTION_FAKE_H
#define TESTS_TRANSACTION_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "opensmtpd/relay/transaction.h"

enum { FAKE_RCPTS = TRANSACTION_RCPTS_MAX, FAKE_BODY = 1 << 20, FAKE_NEVER = -1 };

/* In memory that processes share; zero it first. */
struct fake_record {
	/* how it is to be; ms */
	int rcpt_ms, data_ms, final_ms; /* FAKE_NEVER: no answer */
	bool is_reversed;		/* final replies: the last recipient's first */
	size_t room;			/* octets that are taken in a row; 0: any */
	int room_ms;			/* after which there is room again */
	bool is_full;			/* transaction_new() fails */
	/* what has been; of the last message */
	int n_new, n_freed;
	char sender[600], helo[256], envid[128];
	bool smtputf8, is_8bit;
	uint64_t size;
	struct sockaddr_storage from;
	int64_t received; /* -1: not said */
	size_t n_rcpts;
	char rcpts[FAKE_RCPTS][64];
	uint64_t envelopes[FAKE_RCPTS];
	bool is_ended, is_freed_early; /* before all final replies */
	size_t n_body;		       /* octets; the first of them are kept */
	size_t n_waiting;	       /* the most that were taken without room */
	char body[FAKE_BODY];
};

/* record is borrowed until the last transaction is freed. */
void fake_transactions(struct fake_record *record);
/* Everything that is owed is said now, whatever its time; false: nothing was. */
bool fake_say(void);

#endif
