/* SPDX-License-Identifier: ISC
 *
 * Replies of SMTP (RFC 5321 4.2) as they go from an MX host to smtpd: read with bounds, kept word
 * for word.
 */
#ifndef OPENSMTPD_PROTO_REPLY_H
#define OPENSMTPD_PROTO_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/span.h"

enum {
	REPLY_LINE_MAX =
	    2048,	      /* octets of a line that is read, CRLF not counted (512 in the RFC) */
	REPLY_LINES_MAX = 64, /* more than that is no reply */
	REPLY_TEXT_MAX = 1500, /* octets that are kept; smtpd takes no line longer than 2048 */
};

/* Plain data; copied as it is. */
struct reply {
	unsigned code;		       /* 200..599; 0: none */
	size_t n;		       /* octets of text */
	char text[REPLY_TEXT_MAX + 1]; /* whole lines, "550-5.7.1 No\r\n550 5.7.1 way\r\n"; NUL
					  after them; control characters are '?' */
};

/* One line, without CRLF, of our own: "451 4.4.1 text". */
void reply_set(struct reply *reply, unsigned code, const char *enhanced, const char *text);
void reply_printf(struct reply *reply, unsigned code, const char *enhanced, const char *fmt, ...)
    ATTR_PRINTF(4, 5);

bool reply_is_good(const struct reply *reply); /* 2xx, 3xx */

/* Where reading a reply stands; zero it before the first line of each. */
struct reply_reader {
	unsigned code;
	size_t n_lines;
};

/*
 * The next line, CRLF cut off.  1 the reply is whole, 0 more lines follow, -1 no SMTP reply (code,
 * separator, another code than the line before, too many lines).  *text is what stands behind code
 * and separator.  Lines that do not fit are left out, the last one never is.
 */
int reply_read(
    struct reply_reader *reader, struct span line, struct reply *reply, struct span *text);

#endif
