/* SPDX-License-Identifier: ISC
 *
 * The client's side of an SMTP session (RFC 5321) for one message: lines of the host's come in,
 * what to send and what has happened come out.  No I/O and no clock.
 *
 *   smtp_line()   a line came	     -> event
 *   smtp_local()  an answer of ours -> event   } after every call of the others, until there is
 *   smtp_next()   a line to be sent	        } nothing
 *
 * The order of answers is that of the commands.  After SMTP_OVER (smtp->why says why) there is
 * nothing more of all three.
 */
#ifndef OPENSMTPD_PROTO_SMTP_H
#define OPENSMTPD_PROTO_SMTP_H

#include <stdbool.h>
#include <stddef.h>

#include "mtasts.h"
#include "opensmtpd/proto/command.h"
#include "opensmtpd/proto/extensions.h"
#include "opensmtpd/proto/reply.h"

enum smtp_event {
	SMTP_NOTHING,	/* more has to come */
	SMTP_READY,	/* MAIL may be sent; once */
	SMTP_HANDSHAKE, /* TLS, now; anything that was read already is an attack.  Then
			   smtp_secured() */
	SMTP_MAIL,	/* reply is the answer to it, and so on */
	SMTP_RCPT,	/* to recipient i, counted from 0 */
	SMTP_DATA,	/* 354, or a no */
	SMTP_END,	/* to the message; before its end only a no */
	SMTP_OVER	/* code of reply not 0: the host's no that ended it */
};

/* What has become of STARTTLS. */
enum smtp_tls {
	SMTP_TLS_NOT_ASKED, /* not wanted, or the session did not come so far */
	SMTP_TLS_NOT_OFFERED,
	SMTP_TLS_ASKED,	  /* no answer yet, or none that can be gone on from */
	SMTP_TLS_REFUSED, /* 4xx or 5xx: smtp->reply of SMTP_READY */
	SMTP_TLS_AGREED,  /* 220 */
	SMTP_TLS_UP
};

struct smtp_command;

/* The caller's storage; read what is marked so, touch nothing. */
struct smtp {
	/* to be read */
	struct reply reply;		/* of the last event */
	size_t i;			/* of SMTP_RCPT */
	enum smtp_tls tls;		/* of this session */
	struct extensions extensions;	/* from SMTP_READY on */
	char host[MTASTS_NAME_MAX + 1]; /* its own name, of EHLO or else of its greeting; "" */
	bool is_over;			/* also behind another event */
	const char *why;		/* static, when it is over */
	/* its own */
	const char *helo;
	struct reply_reader reader;
	struct smtp_command *first, **last, **unsent; /* answers are awaited from first to unsent */
	struct reply *refusal;			      /* of MAIL */
	size_t n_awaited;
	size_t n_answered, n_good; /* recipients; good: accepted */
	bool wants_tls, is_utf8, is_body, is_refused;
};

/* helo is borrowed; when it is no name that can be sent the session is over at once. */
void smtp_init(struct smtp *smtp, const char *helo, bool wants_tls);
void smtp_clear(struct smtp *smtp);

/* The next line of in, its end cut off.  1, 0 there is none yet, -1 it will be too long. */
int smtp_split(struct span *in, struct span *line);

enum smtp_event smtp_line(struct smtp *smtp, struct span line);
enum smtp_event smtp_local(struct smtp *smtp);
/* With its CRLF; the span holds until the next call of any. */
bool smtp_next(struct smtp *smtp, struct span *line);

/* TLS is up: what was said before is forgotten (RFC 3207 4.2). */
void smtp_secured(struct smtp *smtp);

/* After SMTP_READY, in this order; each is answered.  The message goes between SMTP_DATA with 354
 * and smtp_end(). */
void smtp_mail(struct smtp *smtp, const struct command_mail *mail);
void smtp_rcpt(struct smtp *smtp, const struct command_rcpt *rcpt);
void smtp_data(struct smtp *smtp);
void smtp_end(struct smtp *smtp);
/* QUIT would be read as such. */
bool smtp_may_quit(const struct smtp *smtp);

/* Whether an answer of the host's is awaited, its greeting's too. */
bool smtp_awaits(const struct smtp *smtp);

#endif
