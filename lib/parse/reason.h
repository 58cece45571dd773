/* SPDX-License-Identifier: ISC
 *
 * What a parser has to say beside its value: the one thing that made it stop (struct parse_error),
 * and the slips it forgave on the way (the same struct, handed to a sink as they are met).
 */
#ifndef PARSE_REASON_H
#define PARSE_REASON_H

#include "base/buf.h"
#include "base/span.h"

/* Who wants to hear of slips; parsers take NULL for nobody. */
struct reason_sink {
	void (*fn)(void *arg, const struct parse_error *slip);
	void *arg;
};

/* What struct parse_error's line counts. */
enum reason_unit {
	REASON_LINE,  /* lines of a file: "line 3: max_age has 11 digits" */
	REASON_RECORD /* records of a TXT set: "record 1, octet 12: id has 33 characters" */
};

void reason_warn(const struct reason_sink *sink, struct parse_error slip);
/* The sentence; only "why" where line is 0.  Holds nothing of the remote's text. */
void reason_put(struct buf *out, enum reason_unit unit, const struct parse_error *error);

#endif
