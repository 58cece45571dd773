/* SPDX-License-Identifier: ISC
 *
 * Places and reasons as people read them.
 */
#include "parse/reason.h"

void
reason_warn(const struct reason_sink *sink, struct parse_error slip)
{
	if (sink != NULL)
		sink->fn(sink->arg, &slip);
}

void
reason_put(struct buf *out, enum reason_unit unit, const struct parse_error *error)
{
	struct span why = span_of(error->why);
	size_t n = span_find(why, '#');

	if (error->line != 0 && unit == REASON_LINE)
		buf_printf(out, "line %zu: ", error->line);
	if (error->line != 0 && unit == REASON_RECORD)
		buf_printf(out, "record %zu, octet %zu: ", error->line, error->at + 1);
	buf_put(out, span_make(why.p, n));
	if (n < why.n) {
		buf_printf(out, "%zu", error->number);
		buf_put(out, span_from(why, n + 1));
	}
}
