/* SPDX-License-Identifier: ISC
 *
 * What is said on one LMTP connection (RFC 2033), without the connection: octets in, replies out,
 * and a transaction a message.  Commands are taken one after the other, whether they come
 * pipelined (RFC 2920) or not: while one has no answer the next stays where it is.
 */
#ifndef OPENSMTPD_RELAY_DIALOGUE_H
#define OPENSMTPD_RELAY_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/span.h"
#include "opensmtpd/proto/body.h"
#include "opensmtpd/proto/lmtp.h"
#include "opensmtpd/proto/received.h"
#include "opensmtpd/proto/reply.h"
#include "opensmtpd/relay/announced.h"
#include "opensmtpd/relay/finals.h"
#include "opensmtpd/relay/relay.h"

enum {
	DIALOGUE_IN = 4096, /* octets that are given at once; a command line fits */
	DIALOGUE_NAME_MAX = 64
};

struct dialogue_config {
	const struct relay *relay;
	const struct announcement *announcement;
	struct sockaddr_storage from; /* see transaction.h */
	char name[DIALOGUE_NAME_MAX]; /* ours */
	void (*wake)(void *arg);      /* the transaction has said something: from the loop */
	void *arg;
};

struct dialogue {
	struct dialogue_config config;
	enum dialogue_state {
		DIALOGUE_COMMAND, /* a command is next */
		DIALOGUE_RCPT,	  /* the transaction has its recipient */
		DIALOGUE_DATA,	  /* its DATA */
		DIALOGUE_BODY,
		DIALOGUE_FINAL, /* the message has been taken, final replies are owed */
		DIALOGUE_OVER	/* when out has been written */
	} state;
	char helo[LMTP_NAME_MAX + 1]; /* "": it has not said LHLO */
	struct buf out;		      /* to be written, and emptied then */
	char text[REPLY_TEXT_MAX + 1];
	/* the message; transaction NULL: there is none */
	struct transaction *transaction;
	struct finals finals;
	size_t n_mails;	  /* that were answered well: the message is the last of them */
	size_t n_rcpts;	  /* lines, the refused ones too: as smtpd reports them */
	size_t n_named;	  /* of finals: those before have their envelope */
	int64_t named_by; /* ms: until then the next RCPT waits for its envelope; 0: it does not */
	bool is_refused;  /* DATA was: the transaction is over */
	bool smtputf8;
	struct body body;
	struct received received;
	bool is_dated; /* the transaction knows when it was received */
};

/* It begins with the greeting in out. */
void dialogue_init(struct dialogue *dialogue, const struct dialogue_config *config);
void dialogue_clear(struct dialogue *dialogue);

/* Octets of in that were taken; none while out is not empty or an answer is waited for. */
size_t dialogue_take(struct dialogue *dialogue, struct span in);
/* smtpd said more about this connection. */
void dialogue_told(struct dialogue *dialogue);
/* The loop's ms at which dialogue_take() is to be called again, or INT64_MAX. */
int64_t dialogue_due(const struct dialogue *dialogue);
/* A final reply is put into out, if it is there: the one before has been read (pace.h). */
bool dialogue_tell_final(struct dialogue *dialogue);
/* Final replies are still owed. */
bool dialogue_owes_finals(const struct dialogue *dialogue);
bool dialogue_is_over(const struct dialogue *dialogue);

#endif
