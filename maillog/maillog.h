/* SPDX-License-Identifier: ISC
 *
 * The log of what runs inside a mail server or under it: syslog, facility mail, one line at a time.
 */
#ifndef MAILLOG_MAILLOG_H
#define MAILLOG_MAILLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "mtasts.h"

/* What lines are said to come from: "mtasts-exim".  Each program has one. */
extern const char maillog_name[];

/* As mtasts_new() wants it; arg is not looked at. */
void maillog_line(void *arg, enum mtasts_log level, const char *text);

/* The same, formatted; cut at 1000 octets. */
void maillog(enum mtasts_log level, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Whether this process or one it was forked from has told this error within the last minute. */
bool maillog_is_told(const char *text, int64_t now_ms);

/* "<22>Nov  1 07:05:09 mtasts-exim[123]: text" (RFC 3164 4.1), for the test.  Octets written. */
size_t maillog_format(
    char *line, size_t cap, enum mtasts_log level, int64_t now, long pid, const char *text);

#endif
