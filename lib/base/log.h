/* SPDX-License-Identifier: ISC
 *
 * One line at a time to the callback of the context: key=value pairs after a fixed word, remote
 * bytes escaped by who writes the line (buf_put_escaped).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"
#include "mtasts.h"

struct log {
	mtasts_log_fn *fn; /* NULL discards */
	void *arg;
	enum mtasts_log level; /* lines below are not even formatted */
};

/* log NULL is fine.  A line is cut at 1000 octets; control characters become \xHH. */
void log_put(const struct log *log, enum mtasts_log level, const char *fmt, ...) ATTR_PRINTF(3, 4);

#endif
