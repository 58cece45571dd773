/* SPDX-License-Identifier: ISC
 *
 * What smtpd says to a table, in lines: every question has its one answer, and reading in two parts
 * reads the same.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/tabletext.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size), before = in;
	struct table_answer answer = { TABLE_FOUND, "lmtp://[127.1.2.3]:10027" };
	struct table_question question, again;
	char text[TABLE_ANSWER_MAX + 1];
	struct buf out;

	for (; tabletext_next(&in, &question) == 1; before = in) {
		struct span line = span_make(before.p, before.n - in.n), part = line;
		part.n = line.n - 1;
		assert(part.n > TABLE_QUESTION_MAX || tabletext_next(&part, &again) == 0);
		assert(question.key.n <= line.n);
		buf_init(&out, text, sizeof text);
		tabletext_format(&out, &question, &answer);
		assert(!out.full && strlen(out.p) == out.n);
		assert((question.op == TABLE_NOTHING) == (out.n == 0));
		assert(out.n == 0 || out.p[out.n - 1] == '\n');
		if (question.op > TABLE_OPEN)
			assert(span_find(span_make(out.p, out.n), '\n') == out.n - 1);
	}
	assert(in.p == before.p && in.n == before.n);
	return 0;
}
