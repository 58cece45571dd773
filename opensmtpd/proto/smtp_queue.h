/* SPDX-License-Identifier: ISC
 *
 * The commands of an SMTP session, for smtp.c alone: those at the head of the queue were sent and
 * are answered in their order, the rest waits for its turn.  The greeting is the answer to a
 * command that nobody sent.
 */
#ifndef OPENSMTPD_PROTO_SMTP_QUEUE_H
#define OPENSMTPD_PROTO_SMTP_QUEUE_H

#include "opensmtpd/proto/smtp.h"

enum smtp_kind {
	KIND_GREETING,
	KIND_EHLO,
	KIND_HELO,
	KIND_STARTTLS,
	KIND_MAIL,
	KIND_RCPT,
	KIND_DATA,
	KIND_DOT
};

struct smtp_command {
	struct smtp_command *next;
	enum smtp_kind kind;
	/* what we answer to it ourselves, or 0: it is sent */
	unsigned code;
	const char *enhanced, *text;
	size_t n;
	char line[]; /* with CRLF */
};

/* SMTP_OVER.  why: static text. */
enum smtp_event smtp_over(struct smtp *smtp, const char *why);

/* NULL: out of memory, the session is over. */
struct smtp_command *smtp_queue_put(struct smtp *smtp, enum smtp_kind kind, struct span line);
/* EHLO or HELO with our name. */
void smtp_queue_hello(struct smtp *smtp, enum smtp_kind kind);
/* The line of the first unsent one has gone, or will not go. */
void smtp_queue_pass(struct smtp *smtp);
/* The first one was answered. */
void smtp_queue_shift(struct smtp *smtp);

#endif
