/* SPDX-License-Identifier: ISC
 *
 * A message as smtpd sends it after DATA (RFC 5321 4.1.1.4, 4.5.2), made fit for an MX host: the
 * only line end is CRLF, and every line that begins with a dot has one more.  Pure; the message
 * may come in parts of any size.
 */
#ifndef OPENSMTPD_PROTO_BODY_H
#define OPENSMTPD_PROTO_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

enum { BODY_HELD = 2 /* octets of earlier parts that a call may write in addition */ };

/* Zero it before each message. */
struct body {
	enum body_state {
		BODY_LINE,   /* at the beginning of a line */
		BODY_TEXT,   /* within one */
		BODY_CR,     /* behind a CR that may be a line end's */
		BODY_DOT,    /* behind a dot that begins a line */
		BODY_DOT_CR, /* and a CR */
		BODY_END
	} state;
};

/*
 * Takes octets of *in, which moves behind them: all of it, or up to the message's end (CRLF "."
 * CRLF), which body_is_end() tells.  out has room for in->n + BODY_HELD octets; so many as are
 * returned were written.  The final dot is not among them, all lines before it are whole.
 *
 * A CR or LF outside a CRLF becomes a blank, and so does NUL: whoever reads the message next may
 * take any of them for the end of a line, and what was one line here must not be two there, the
 * second of them a dot and commands behind it.  A blank keeps the number of octets and parts the
 * same words.  RFC 5321 2.3.8 forbids to pass them on; to refuse the message would be harder on
 * its sender than the host that took it was.
 */
size_t body_take(struct body *body, struct span *in, char *out);
bool body_is_end(const struct body *body);

#endif
