/* SPDX-License-Identifier: ISC
 *
 * Lines of smtpd-tables(7).  A question whose kind is not known is answered all the same, by its
 * own words and "error": smtpd waits for an answer without end.
 */
#include "opensmtpd/proto/tabletext.h"

enum { WORD_MAX = 32, ID_MAX = 64 /* octets that are repeated */ };

static const struct {
	const char *word;
	enum table_op op;
} ops[] = {
	{ "check", TABLE_CHECK },
	{ "lookup", TABLE_LOOKUP },
	{ "fetch", TABLE_FETCH },
	{ "update", TABLE_UPDATE },
};

/* Up to the next '|', which *rest moves behind; all of it when there is none. */
static struct span
field_take(struct span *rest)
{
	struct span field = span_make(rest->p, span_find(*rest, '|'));

	*rest = span_from(*rest, field.n + 1);
	return field;
}

static enum table_op
op_of(struct span word)
{
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		if (span_is(word, ops[i].word))
			return ops[i].op;
	}
	return TABLE_UNKNOWN;
}

static enum table_service
service_of(struct span word)
{
	if (span_is(word, "domain"))
		return TABLE_DOMAIN;
	return span_is(word, "relayhost") ? TABLE_RELAYHOST : TABLE_OTHER;
}

static bool
is_word(struct span s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return true;
}

/* Behind "table|": version|time|name|operation|[service|]id[|key] */
static void
question_parse(struct span rest, struct table_question *question)
{
	struct span service, word;

	for (int i = 0; i < 3; i++)
		(void)field_take(&rest);
	word = field_take(&rest);
	enum table_op op = op_of(word);
	bool has_service = op != TABLE_UPDATE && span_find(rest, '|') < rest.n;
	service = has_service ? field_take(&rest) : span_make(rest.p, 0);
	bool has_key = span_find(rest, '|') < rest.n;
	struct span id = field_take(&rest);
	if (!is_word(word, WORD_MAX) || !is_word(id, ID_MAX))
		return;
	if (has_service != (op != TABLE_UPDATE) ||
	    has_key != (op == TABLE_CHECK || op == TABLE_LOOKUP))
		op = TABLE_UNKNOWN;
	*question = (struct table_question){ op, service_of(service), rest, word, id };
}

int
tabletext_next(struct span *in, struct table_question *question)
{
	size_t n = span_find(*in, '\n');
	struct span line = span_make(in->p, n), rest = line;
	bool is_long = n > TABLE_QUESTION_MAX;

	if (n == in->n && !is_long)
		return 0;
	*question = (struct table_question){ .op = TABLE_NOTHING, .service = TABLE_OTHER };
	if (span_is(line, "config|ready"))
		question->op = TABLE_OPEN;
	else if (!is_long && span_is(field_take(&rest), "table"))
		question_parse(rest, question);
	*in = span_from(*in, n + 1);
	return 1;
}

void
tabletext_format(
    struct buf *out, const struct table_question *question, const struct table_answer *answer)
{
	if (question->op == TABLE_OPEN)
		buf_puts(out, "register|domain\nregister|relayhost\nregister|ready\n");
	if (question->id.n == 0)
		return;
	buf_put(out, question->word);
	buf_puts(out, "-result|");
	buf_put(out, question->id);
	if (question->op == TABLE_UNKNOWN || answer->result == TABLE_ERROR)
		buf_puts(out, "|error");
	else if (question->op == TABLE_UPDATE)
		buf_puts(out, "|ok");
	else
		buf_puts(out, answer->result == TABLE_FOUND ? "|found" : "|not-found");
	if (question->op == TABLE_LOOKUP && answer->result == TABLE_FOUND)
		buf_printf(out, "|%s", answer->value);
	buf_putc(out, '\n');
}
