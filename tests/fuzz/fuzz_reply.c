/* SPDX-License-Identifier: ISC
 *
 * A pipe as a parent reads it.  What was understood is, written again, the same octets.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "net/wire.h"

/* 1 when the message was understood. */
static int
put_again(const struct wire_message *m, struct buf *out)
{
	struct wire_answer a;
	struct wire_page p;
	struct wire_note n;

	if (m->type == WIRE_ANSWER && wire_answer_parse(m->payload, &a) == 0) {
		(void)wire_answer_fits(&a.answer, (enum net_type)(m->id & 31));
		return wire_answer_format(out, m->id, &a.answer) == 0;
	}
	if (m->type == WIRE_PAGE && wire_page_parse(m->payload, &p) == 0)
		return wire_page_format(out, m->id, &p.page) == 0;
	return m->type == WIRE_NOTE && m->id == 0 && wire_note_parse(m->payload, &n) == 0 &&
	       wire_note_format(out, n.fatal, n.error, n.text) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char again[LIMIT_FRAME + 1];
	struct span in = span_make((const char *)data, size), before = in;
	struct wire_message m;
	struct buf out;

	for (; wire_next(&in, &m) == 1; before = in) {
		buf_init(&out, again, sizeof again);
		if (put_again(&m, &out))
			assert(
			    span_eq(span_make(out.p, out.n), span_make(before.p, before.n - in.n)));
	}
	return 0;
}
