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
	/* octets of a line that is read, CRLF not counted (512 in RFC 5321 4.5.3.1.5) */
	REPLY_LINE_MAX = 2048,
	REPLY_LINES_MAX = 64, /* more than that is no reply */
	/*
	 * Octets that are kept.  smtpd reads no line longer than 2047, glues the lines into as
	 * much, and writes them into a bounce behind the address as one line, for which RFC 5321
	 * 4.5.3.1.6 has 998.
	 */
	REPLY_TEXT_MAX = 900,
};

/* Plain data; copied as it is. */
struct reply {
	unsigned code; /* 200..599; 0: none */
	size_t n;      /* octets of text */
	/*
	 * Whole lines, "550-5.7.1 No\r\n550 5.7.1 way\r\n", NUL after them.  Of octets only
	 * tabs, printable ASCII and UTF-8 without its control characters; for each other a '?'.
	 */
	char text[REPLY_TEXT_MAX + 1];
};

/* One line of our own, "451 4.4.1 text"; enhanced may be "". */
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
 * separator, another code than the line before, too many lines).  *text, when it is not -1, is
 * what stands behind code and separator, as it came.  In reply lines that do not fit are left out;
 * the last one never is, but cut.
 */
int reply_read(
    struct reply_reader *reader, struct span line, struct reply *reply, struct span *text);

#endif
