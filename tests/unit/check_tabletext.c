/* SPDX-License-Identifier: ISC
 *
 * The table protocol of lines: whole, in parts, several at once, and what is none.
 */
#include "opensmtpd/proto/tabletext.h"

#include <string.h>

#include "guard.h"
#include "unit.h"

#define HEAD "table|0.1|1795336346.813468|mtasts|"

static const struct {
	const char *name, *line;
	enum table_op op;
	enum table_service service;
	const char *key, *found; /* the answer "found, value"; "" none */
} cases[] = {
	{ "version", "config|smtpd-version|7.6.0", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "name", "config|tablename|mtasts", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "ready", "config|ready", TABLE_OPEN, TABLE_OTHER, "",
	    "register|domain\nregister|relayhost\nregister|ready\n" },
	{ "check", HEAD "check|domain|97a9a303|wild.example", TABLE_CHECK, TABLE_DOMAIN,
	    "wild.example", "check-result|97a9a303|found\n" },
	{ "lookup", HEAD "lookup|relayhost|aef6017c|good.example", TABLE_LOOKUP, TABLE_RELAYHOST,
	    "good.example", "lookup-result|aef6017c|found|value\n" },
	{ "fetch", HEAD "fetch|relayhost|1", TABLE_FETCH, TABLE_RELAYHOST, "",
	    "fetch-result|1|found\n" },
	{ "update", HEAD "update|478ff0d2", TABLE_UPDATE, TABLE_OTHER, "",
	    "update-result|478ff0d2|ok\n" },
	{ "bar in the key", HEAD "check|domain|1|a|b", TABLE_CHECK, TABLE_DOMAIN, "a|b",
	    "check-result|1|found\n" },
	{ "literal", HEAD "check|domain|1|[192.0.2.1]", TABLE_CHECK, TABLE_DOMAIN, "[192.0.2.1]",
	    "check-result|1|found\n" },
	{ "empty key", HEAD "check|domain|1|", TABLE_CHECK, TABLE_DOMAIN, "",
	    "check-result|1|found\n" },
	{ "another service", HEAD "lookup|mailaddr|1|u@x", TABLE_LOOKUP, TABLE_OTHER, "u@x",
	    "lookup-result|1|found|value\n" },
	{ "a version to come", "table|2.0|1795336346.813468|mtasts|check|domain|1|x", TABLE_CHECK,
	    TABLE_DOMAIN, "x", "check-result|1|found\n" },
	{ "an operation to come", HEAD "list|domain|12|x", TABLE_UNKNOWN, TABLE_DOMAIN, "x",
	    "list-result|12|error\n" },
	{ "one without service", HEAD "count|12", TABLE_UNKNOWN, TABLE_OTHER, "",
	    "count-result|12|error\n" },
	{ "check without key", HEAD "check|domain|1", TABLE_UNKNOWN, TABLE_DOMAIN, "",
	    "check-result|1|error\n" },
	{ "update with service", HEAD "update|domain|1", TABLE_UNKNOWN, TABLE_OTHER, "1",
	    "update-result|domain|error\n" },
	{ "no id", HEAD "check|domain||x", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "id that is no word", HEAD "check|domain|1 2|x", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "operation that is no word", HEAD "che ck|domain|1|x", TABLE_NOTHING, TABLE_OTHER, "",
	    "" },
	{ "no operation", HEAD, TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "nothing", "", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "a word", "table", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "bars", "||||||||", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "table and bars", "table|||||||||", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "another protocol", "EHLO client.example\r", TABLE_NOTHING, TABLE_OTHER, "", "" },
	{ "ready and more", "config|ready|x", TABLE_NOTHING, TABLE_OTHER, "", "" },
};

static void
answer_check(const struct table_question *question, enum table_result result, const char *line)
{
	struct table_answer answer = { result, "value" };
	char storage[TABLE_ANSWER_MAX + 1];
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	tabletext_format(&out, question, &answer);
	ck_assert(!out.full);
	ck_assert_str_eq(out.p, line);
}

START_TEST(one)
{
	char line[512];
	struct table_question question;
	struct guard g;
	size_t n = strlen(cases[_i].line);

	memcpy(line, cases[_i].line, n);
	line[n] = '\n';
	for (size_t part = 0; part <= n; part++) { /* not whole: nothing is taken */
		guard_init(&g, line, part);
		struct span in = g.span;
		ck_assert_int_eq(tabletext_next(&in, &question), 0);
		ck_assert_uint_eq(in.n, part);
		guard_clear(&g);
	}
	guard_init(&g, line, n + 1);
	struct span in = g.span;
	ck_assert_int_eq(tabletext_next(&in, &question), 1);
	ck_assert_uint_eq(in.n, 0);
	ck_assert_msg(question.op == cases[_i].op, "%s: %d", cases[_i].name, (int)question.op);
	ck_assert_msg(question.service == cases[_i].service, "%s", cases[_i].name);
	if (question.op == TABLE_CHECK || question.op == TABLE_LOOKUP)
		ck_assert_msg(span_is(question.key, cases[_i].key), "%s", cases[_i].name);
	answer_check(&question, TABLE_FOUND, cases[_i].found);
	guard_clear(&g);
}
END_TEST

START_TEST(other_answers)
{
	static const char lines[] = HEAD "check|domain|1|x\n" HEAD "lookup|relayhost|2|x\n" HEAD
					 "fetch|domain|3\n" HEAD "update|4\n";
	struct span in = span_of(lines);
	struct table_question question;

	ck_assert_int_eq(tabletext_next(&in, &question), 1);
	answer_check(&question, TABLE_NOT_FOUND, "check-result|1|not-found\n");
	answer_check(&question, TABLE_ERROR, "check-result|1|error\n");
	ck_assert_int_eq(tabletext_next(&in, &question), 1);
	answer_check(&question, TABLE_NOT_FOUND, "lookup-result|2|not-found\n");
	answer_check(&question, TABLE_ERROR, "lookup-result|2|error\n");
	ck_assert_int_eq(tabletext_next(&in, &question), 1);
	answer_check(&question, TABLE_NOT_FOUND, "fetch-result|3|not-found\n");
	ck_assert_int_eq(tabletext_next(&in, &question), 1);
	answer_check(&question, TABLE_ERROR, "update-result|4|error\n");
	ck_assert_int_eq(tabletext_next(&in, &question), 0);
}
END_TEST

/* A NUL ends no key. */
START_TEST(nul_in_a_key)
{
	static const char line[] = HEAD "check|domain|1|good.example\0.evil.example\n";
	struct span in = span_make(line, sizeof line - 1);
	struct table_question question;

	ck_assert_int_eq(tabletext_next(&in, &question), 1);
	ck_assert_uint_eq(question.key.n, strlen("good.example") + strlen(".evil.example") + 1);
}
END_TEST

/* A line that grows without end is dropped, and the next one is read again. */
START_TEST(endless_line)
{
	static char text[TABLE_QUESTION_MAX + 64];
	struct table_question question;

	memset(text, 'a', sizeof text);
	struct span in = span_make(text, TABLE_QUESTION_MAX);
	ck_assert_int_eq(tabletext_next(&in, &question), 0);
	in = span_make(text, TABLE_QUESTION_MAX + 1);
	ck_assert_int_eq(tabletext_next(&in, &question), 1);
	ck_assert_int_eq(question.op, TABLE_NOTHING);
	ck_assert_uint_eq(in.n, 0);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof(table)[0])

int
main(void)
{
	Suite *suite = suite_create("tabletext");
	TCase *tests = tcase_create("tabletext");

	tcase_add_loop_test(tests, one, 0, N(cases));
	tcase_add_test(tests, other_answers);
	tcase_add_test(tests, nul_in_a_key);
	tcase_add_test(tests, endless_line);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
