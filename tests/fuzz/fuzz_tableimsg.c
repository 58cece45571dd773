/* SPDX-License-Identifier: ISC
 *
 * What smtpd says to a table, in frames: every question has its one answer, and no octet of a frame
 * is taken before it is whole.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/tableimsg.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size), before = in;
	struct table_answer answer = { TABLE_FOUND, "lmtp://[127.1.2.3]:10027" };
	struct table_question question, again;
	char text[TABLE_ANSWER_MAX + 1];
	uint16_t length;
	struct buf out;

	for (; tableimsg_next(&in, &question) == 1; before = in) {
		struct span part = span_make(before.p, before.n - in.n - 1);
		assert(tableimsg_next(&part, &again) == 0);
		assert(question.key.n <= part.n);
		buf_init(&out, text, sizeof text);
		tableimsg_format(&out, &question, &answer);
		assert(!out.full && (out.n == 0) == (question.op == TABLE_CLOSE));
		if (out.n == 0)
			continue;
		memcpy(&length, out.p + 4, sizeof length);
		assert(length == out.n);
	}
	assert(in.p == before.p && in.n == before.n);
	return 0;
}
