/* SPDX-License-Identifier: ISC
 *
 * A reply of any octets: what is kept of it is lines of octets that may be there, never too many,
 * and reads as the same reply again.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/reply.h"

/* Lines end in LF. */
static int
read_all(struct span in, size_t end_n, struct reply *reply)
{
	struct reply_reader reader = { 0, 0 };
	struct span text;
	int r = 0;

	while (r == 0 && in.n != 0) {
		size_t end = span_find(in, '\n');
		struct span line = span_make(in.p, end == in.n ? end : end - end_n);
		r = reply_read(&reader, line, reply, &text);
		assert(r == -1 || text.n <= line.n);
		assert(reply->n <= REPLY_TEXT_MAX && strlen(reply->text) == reply->n);
		in = span_from(in, end + 1);
	}
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply reply = { 0, 0, "" }, again = { 0, 0, "" };

	if (read_all(span_make((const char *)data, size), 0, &reply) != 1)
		return 0;
	assert(reply.code >= 200 && reply.code < 600);
	for (size_t i = 0; i < reply.n; i++)
		assert((unsigned char)reply.text[i] >= ' ' || strchr("\t\r\n", reply.text[i]));
	assert(read_all(span_make(reply.text, reply.n), 1, &again) == 1);
	assert(again.code == reply.code && strcmp(again.text, reply.text) == 0);
	return 0;
}
