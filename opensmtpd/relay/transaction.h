/* SPDX-License-Identifier: ISC
 *
 * One message of smtpd's on its way: from MAIL to the last reply.  Each recipient domain has a
 * delivery of its own (policy, MX hosts, connection); their answers come back here, recipient by
 * recipient.
 *
 * Calls return at once, events come from the loop and never from inside a call; every event that
 * is owed comes within RELAY_ANSWER.
 */
#ifndef OPENSMTPD_RELAY_TRANSACTION_H
#define OPENSMTPD_RELAY_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"
#include "opensmtpd/proto/reply.h"
#include "opensmtpd/relay/relay.h"
#include "opensmtpd/relay/upstream.h"

struct transaction;

enum { TRANSACTION_RCPTS_MAX = 1000 /* smtpd puts at most 1000 envelopes into a task */ };

struct transaction_mail {
	struct span sender;	       /* without <>; "" is the null sender */
	struct upstream_params params; /* as smtpd said them */
	const char *helo;	       /* smtpd's own name, of its LHLO */
	struct sockaddr_storage from;  /* its source address where it has chosen one; ss_family 0:
					  any */
};

struct transaction_events {
	void *arg;
	/* The answer to RCPT i.  Good ones are followed by a final reply after the message's end.
	 */
	void (*rcpt)(void *arg, size_t i, const struct reply *reply);
	/* 354, or no: then the transaction is over and no final reply follows. */
	void (*data)(void *arg, const struct reply *reply);
	void (*room)(void *arg); /* transaction_room() is no longer 0 */
	void (*final)(void *arg, size_t i, const struct reply *reply); /* in any order */
};

/* Everything is copied.  NULL: out of memory. */
struct transaction *transaction_new(const struct relay *relay, const struct transaction_mail *mail,
    const struct transaction_events *events);
/*
 * Over, or smtpd has gone: what was not accepted by an MX host is dropped before its end, and an
 * answer that an MX host still owes to a whole message is waited for without us (late.h).
 */
void transaction_free(struct transaction *transaction);

/*
 * recipient without <>; notify and orcpt (RFC 3461) may be empty.  envelope: smtpd's id of it
 * (report tx-envelope), 0 when it is not known yet.
 */
void transaction_rcpt(struct transaction *transaction, struct span recipient, struct span notify,
    struct span orcpt, uint64_t envelope);
/* It became known. */
void transaction_envelope(struct transaction *transaction, size_t i, uint64_t envelope);

void transaction_data(struct transaction *transaction);
/* When the message was received first (its topmost Received); without a call it counts as new. */
void transaction_received(struct transaction *transaction, int64_t at);
/* As body.h makes them.  All are taken, whatever transaction_room() says. */
void transaction_body(struct transaction *transaction, struct span octets);
size_t transaction_room(const struct transaction *transaction);
void transaction_end(struct transaction *transaction);

#endif
