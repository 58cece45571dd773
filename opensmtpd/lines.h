/* SPDX-License-Identifier: ISC
 *
 * Octets as they come, given on as lines.  Of a line that is too long the beginning is given and
 * the rest skipped.
 */
#ifndef OPENSMTPD_LINES_H
#define OPENSMTPD_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

enum { LINES_MAX = 16 * 1024 /* octets of a line */ };

/* line: without newline, valid during the call. */
typedef void lines_fn(void *arg, struct span line, bool is_cut);

/* Zero it first. */
struct lines {
	size_t n;
	bool is_skipping; /* the rest of a line that was given already */
	char octets[LINES_MAX];
};

void lines_take(struct lines *lines, struct span octets, lines_fn *fn, void *arg);

#endif
