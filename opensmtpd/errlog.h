/* SPDX-License-Identifier: ISC
 *
 * The log of filter and worker: lines to standard error, from where smtpd takes them to its own.
 * Nobody waits for it: lines that it does not take at once are lost, and counted.
 */
#ifndef OPENSMTPD_ERRLOG_H
#define OPENSMTPD_ERRLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "mtasts.h"

/* Zero it, but for fd. */
struct errlog {
	int fd;
	size_t n_lost;
	bool is_torn; /* half a line went last */
};

/* A mtasts_log_fn; arg is the errlog. */
void errlog_line(void *arg, enum mtasts_log level, const char *text);

#endif
