/* SPDX-License-Identifier: ISC
 *
 * A line of smtpd's to a filter: what is read out of it lies in it, and an answer to it is one
 * whole line about the same question.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/event.h"

static void
inside(struct span part, struct span line)
{
	assert(part.n == 0 || (part.p >= line.p && part.p + part.n <= line.p + line.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = span_make((const char *)data, size);
	char text[EVENT_LINE_MAX + 1];
	struct event event;
	struct buf out;

	event_parse(line, &event);
	inside(event.key, line);
	inside(event.value, line);
	inside(event.user, line);
	inside(event.recipient, line);
	assert(strlen(event.domain) <= event.recipient.n);
	if (event.kind != EVENT_RCPT)
		return 0;
	buf_init(&out, text, sizeof text);
	event_put_reject(&out, event.session, event.token, 550, "5.4.8", event.domain);
	assert(!out.full && span_find(span_make(out.p, out.n), '\n') == out.n - 1);
	return 0;
}
