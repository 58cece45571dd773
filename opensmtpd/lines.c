/* SPDX-License-Identifier: ISC */
#include "opensmtpd/lines.h"

#include <string.h>

/* What belongs to the line that has begun; the number of octets taken. */
static size_t
keep(struct lines *lines, struct span octets)
{
	size_t n = span_find(octets, '\n'), room = LINES_MAX - lines->n;

	if (lines->is_skipping)
		return n;
	if (n > room)
		n = room;
	memcpy(lines->octets + lines->n, octets.p, n);
	lines->n += n;
	return n;
}

static void
give(struct lines *lines, bool is_cut, lines_fn *fn, void *arg)
{
	struct span line = span_make(lines->octets, lines->n);

	lines->n = 0;
	lines->is_skipping = is_cut;
	fn(arg, line, is_cut);
}

void
lines_take(struct lines *lines, struct span octets, lines_fn *fn, void *arg)
{
	while (octets.n != 0) {
		octets = span_from(octets, keep(lines, octets));
		if (octets.n == 0)
			return;
		bool is_end = octets.p[0] == '\n';
		if (!lines->is_skipping)
			give(lines, !is_end, fn, arg);
		if (is_end) {
			lines->is_skipping = false;
			octets = span_from(octets, 1);
		}
	}
}
