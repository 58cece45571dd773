/* SPDX-License-Identifier: ISC
 *
 * imsg frames of smtpd's table processes.  Numbers are copied out of the octets, for nothing there
 * is aligned.
 */
#include "opensmtpd/proto/tableimsg.h"

#include <string.h>

/* The types that smtpd sends, and the services it asks for (its smtpd-api.h). */
enum { OK, FAIL, OPEN, CLOSE, UPDATE, CHECK, LOOKUP, FETCH };
enum { SERVICE_DOMAIN = 0x002, SERVICE_RELAYHOST = 0x200 };

struct header {
	uint32_t type;
	uint16_t length; /* octets of the frame */
	uint16_t flags;
	uint32_t peer;
	uint32_t pid;
};

_Static_assert(sizeof(struct header) == TABLEIMSG_HEADER, "the header has holes");

/* The next size octets of *rest, which moves behind them. */
static bool
number_take(struct span *rest, void *number, size_t size)
{
	if (rest->n < size)
		return false;
	memcpy(number, rest->p, size);
	*rest = span_from(*rest, size);
	return true;
}

/* Text up to its NUL. */
static bool
string_take(struct span *rest, struct span *s)
{
	*s = span_make(rest->p, span_find(*rest, '\0'));
	if (s->n == rest->n)
		return false;
	*rest = span_from(*rest, s->n + 1);
	return true;
}

/* int service, parameters, and a key where there is one.  false: not of that form. */
static bool
question_parse(struct span data, bool has_key, struct table_question *question)
{
	struct span skipped;
	int32_t service;
	size_t n;

	if (!number_take(&data, &service, sizeof service) || !number_take(&data, &n, sizeof n))
		return false;
	if (n > data.n) /* each takes two octets at least */
		return false;
	for (; n > 0; n--) {
		if (!string_take(&data, &skipped) || !string_take(&data, &skipped))
			return false;
	}
	if (has_key && !string_take(&data, &question->key))
		return false;
	question->service = service == SERVICE_DOMAIN	   ? TABLE_DOMAIN
			    : service == SERVICE_RELAYHOST ? TABLE_RELAYHOST
							   : TABLE_OTHER;
	return data.n == 0;
}

static enum table_op
op_parse(uint32_t type, struct span data, struct table_question *question)
{
	switch (type) {
	case OPEN:
		return TABLE_OPEN;
	case CLOSE:
		return TABLE_CLOSE;
	case UPDATE:
		return TABLE_UPDATE;
	case CHECK:
		return question_parse(data, true, question) ? TABLE_CHECK : TABLE_UNKNOWN;
	case LOOKUP:
		return question_parse(data, true, question) ? TABLE_LOOKUP : TABLE_UNKNOWN;
	case FETCH:
		return question_parse(data, false, question) ? TABLE_FETCH : TABLE_UNKNOWN;
	}
	return TABLE_UNKNOWN; /* a number from outside, not an enum */
}

int
tableimsg_next(struct span *in, struct table_question *question)
{
	struct span rest = *in;
	struct header header;

	if (!number_take(&rest, &header, sizeof header))
		return 0;
	if (header.length < sizeof header || header.length > TABLE_QUESTION_MAX)
		return -1;
	size_t n = header.length - sizeof header;
	if (rest.n < n)
		return 0;
	*question = (struct table_question){ .service = TABLE_OTHER };
	question->op = op_parse(header.type, span_make(rest.p, n), question);
	*in = span_from(rest, n);
	return 1;
}

static int32_t
result_of(const struct table_question *question, const struct table_answer *answer)
{
	if (question->op == TABLE_UNKNOWN || answer->result == TABLE_ERROR)
		return -1;
	return answer->result == TABLE_FOUND ? 1 : 0;
}

void
tableimsg_format(
    struct buf *out, const struct table_question *question, const struct table_answer *answer)
{
	struct header header = { .type = OK, .length = sizeof header };
	int32_t result = result_of(question, answer);
	struct span value = { NULL, 0 };

	if (question->op == TABLE_NOTHING || question->op == TABLE_CLOSE)
		return;
	if (question->op != TABLE_OPEN)
		header.length += sizeof result;
	if (question->op == TABLE_LOOKUP && result == 1) {
		value = span_make(answer->value, strlen(answer->value) + 1);
		header.length = (uint16_t)(header.length + value.n);
	}
	buf_put(out, span_make((const char *)&header, sizeof header));
	if (question->op != TABLE_OPEN)
		buf_put(out, span_make((const char *)&result, sizeof result));
	buf_put(out, value);
}
