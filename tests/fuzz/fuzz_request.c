/* SPDX-License-Identifier: ISC
 *
 * A pipe as a helper reads it.  What was understood is, written again, the same octets.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "net/wire.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char again[LIMIT_FRAME + 1];
	struct span in = span_make((const char *)data, size), before = in;
	struct wire_message m;
	struct wire_question q;
	struct wire_get g;
	struct buf out;

	for (; wire_next(&in, &m) == 1; before = in) {
		buf_init(&out, again, sizeof again);
		if (m.type == WIRE_QUESTION && wire_question_parse(m.payload, &q) == 0)
			assert(wire_question_format(&out, m.id, q.ms, &q.question) == 0);
		else if (m.type == WIRE_GET && wire_get_parse(m.payload, &g) == 0)
			assert(wire_get_format(&out, m.id, g.ms, &g.fetch) == 0);
		else
			continue;
		assert(span_eq(span_make(out.p, out.n), span_make(before.p, before.n - in.n)));
	}
	return 0;
}
