/* SPDX-License-Identifier: ISC
 *
 * The table protocol of frames, as smtpd 6.8 sends them, whole, in parts, several at once, and what
 * is none.
 */
#include "opensmtpd/proto/tableimsg.h"

#include <string.h>

#include "guard.h"
#include "unit.h"

enum { OPEN = 2, CLOSE, UPDATE, CHECK, LOOKUP, FETCH };

/* Frame of that type; the data is put behind by who wants more. */
static size_t
frame(char *out, uint32_t type, size_t length)
{
	uint16_t n = (uint16_t)length;

	memset(out, 0, TABLEIMSG_HEADER);
	memcpy(out, &type, sizeof type);
	memcpy(out + 4, &n, sizeof n);
	return TABLEIMSG_HEADER;
}

/* int service, size_t n and that many octets of text. */
static size_t
question_frame(char *out, uint32_t type, int32_t service, size_t n, const char *text, size_t size)
{
	size_t at = frame(out, type, TABLEIMSG_HEADER + sizeof service + sizeof n + size);

	memcpy(out + at, &service, sizeof service);
	memcpy(out + at + sizeof service, &n, sizeof n);
	memcpy(out + at + sizeof service + sizeof n, text, size);
	return at + sizeof service + sizeof n + size;
}

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *name;
	uint32_t type;
	int32_t service;
	size_t n;
	const char *text;
	size_t size;
	enum table_op op;
	enum table_service is;
	const char *key;
} cases[] = {
	{ "check", CHECK, 0x002, 0, TEXT("wild.example\0"), TABLE_CHECK, TABLE_DOMAIN,
	    "wild.example" },
	{ "lookup", LOOKUP, 0x200, 0, TEXT("good.example\0"), TABLE_LOOKUP, TABLE_RELAYHOST,
	    "good.example" },
	{ "fetch", FETCH, 0x200, 0, TEXT(""), TABLE_FETCH, TABLE_RELAYHOST, "" },
	{ "another service", CHECK, 0x040, 0, TEXT("u@x\0"), TABLE_CHECK, TABLE_OTHER, "u@x" },
	{ "two services", CHECK, 0x202, 0, TEXT("x\0"), TABLE_CHECK, TABLE_OTHER, "x" },
	{ "empty key", CHECK, 0x002, 0, TEXT("\0"), TABLE_CHECK, TABLE_DOMAIN, "" },
	{ "a parameter", CHECK, 0x002, 1, TEXT("name\0value\0key\0"), TABLE_CHECK, TABLE_DOMAIN,
	    "key" },
	{ "two, empty", LOOKUP, 0x200, 2, TEXT("\0\0\0\0key\0"), TABLE_LOOKUP, TABLE_RELAYHOST,
	    "key" },
	{ "parameters of a fetch", FETCH, 0x200, 1, TEXT("a\0b\0"), TABLE_FETCH, TABLE_RELAYHOST,
	    "" },
	{ "no key", CHECK, 0x002, 0, TEXT(""), TABLE_UNKNOWN, TABLE_OTHER, NULL },
	{ "key without end", CHECK, 0x002, 0, TEXT("wild.example"), TABLE_UNKNOWN, TABLE_OTHER,
	    NULL },
	{ "octets behind the key", CHECK, 0x002, 0, TEXT("a\0b\0"), TABLE_UNKNOWN, TABLE_OTHER,
	    NULL },
	{ "octets behind a fetch", FETCH, 0x200, 0, TEXT("a\0"), TABLE_UNKNOWN, TABLE_OTHER, NULL },
	{ "half a parameter", CHECK, 0x002, 1, TEXT("name\0"), TABLE_UNKNOWN, TABLE_OTHER, NULL },
	{ "a parameter and no key", CHECK, 0x002, 1, TEXT("a\0b\0"), TABLE_UNKNOWN, TABLE_OTHER,
	    NULL },
	{ "parameters without number", CHECK, 0x002, SIZE_MAX, TEXT("a\0b\0c\0"), TABLE_UNKNOWN,
	    TABLE_OTHER, NULL },
	{ "a type to come", 8, 0x002, 0, TEXT("x\0"), TABLE_UNKNOWN, TABLE_OTHER, NULL },
	{ "our own type", 0, 0x002, 0, TEXT("x\0"), TABLE_UNKNOWN, TABLE_OTHER, NULL },
	{ "open", OPEN, 2, 0, TEXT("mtasts"), TABLE_OPEN, TABLE_OTHER, NULL },
	{ "update", UPDATE, 0, 0, TEXT(""), TABLE_UPDATE, TABLE_OTHER, NULL },
	{ "close", CLOSE, 0, 0, TEXT(""), TABLE_CLOSE, TABLE_OTHER, NULL },
};

START_TEST(one)
{
	char octets[256];
	struct table_question question;
	struct guard g;
	size_t n = question_frame(
	    octets, cases[_i].type, cases[_i].service, cases[_i].n, cases[_i].text, cases[_i].size);

	for (size_t part = 0; part < n; part++) {
		guard_init(&g, octets, part);
		struct span in = g.span;
		ck_assert_int_eq(tableimsg_next(&in, &question), 0);
		ck_assert_uint_eq(in.n, part);
		guard_clear(&g);
	}
	guard_init(&g, octets, n);
	struct span in = g.span;
	ck_assert_int_eq(tableimsg_next(&in, &question), 1);
	ck_assert_uint_eq(in.n, 0);
	ck_assert_msg(question.op == cases[_i].op, "%s: %d", cases[_i].name, (int)question.op);
	if (cases[_i].key != NULL) {
		ck_assert_msg(question.service == cases[_i].is, "%s", cases[_i].name);
		ck_assert_msg(span_is(question.key, cases[_i].key), "%s", cases[_i].name);
	}
	guard_clear(&g);
}
END_TEST

/* Numbers of parameters whose octets cannot be there are not counted to their end. */
START_TEST(many_parameters)
{
	static char octets[TABLE_QUESTION_MAX], text[TABLE_QUESTION_MAX];
	struct table_question question;
	size_t head = TABLEIMSG_HEADER + sizeof(int32_t) + sizeof(size_t);
	size_t size = TABLE_QUESTION_MAX - head - 1, right = (size - 1) / 2; /* all are empty */

	for (size_t n = 0; n < size + 100; n++) {
		if (n % 97 != 0 && (n + 3 < right || n > right + 3))
			continue;
		size_t all = question_frame(octets, CHECK, 2, n, text, size);
		struct span in = span_make(octets, all);
		ck_assert_int_eq(tableimsg_next(&in, &question), 1);
		ck_assert_int_eq(question.op, n == right ? TABLE_CHECK : TABLE_UNKNOWN);
	}
}
END_TEST

START_TEST(no_frames)
{
	static const uint16_t lengths[] = { 0, 1, 15, TABLE_QUESTION_MAX + 1, UINT16_MAX };
	char octets[TABLEIMSG_HEADER];
	struct table_question question;

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		frame(octets, CHECK, lengths[i]);
		struct span in = span_make(octets, sizeof octets);
		ck_assert_int_eq(tableimsg_next(&in, &question), -1);
		ck_assert_uint_eq(in.n, sizeof octets);
	}
	frame(octets, CHECK, TABLE_QUESTION_MAX);
	struct span in = span_make(octets, sizeof octets);
	ck_assert_int_eq(tableimsg_next(&in, &question), 0);
}
END_TEST

START_TEST(several)
{
	char octets[4096];
	size_t n = 0;
	struct table_question question;

	for (int i = 0; i < 50; i++)
		n += question_frame(
		    octets + n, i % 2 == 0 ? CHECK : LOOKUP, 2, 0, TEXT("x.example\0"));
	struct span in = span_make(octets, n);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(tableimsg_next(&in, &question), 1);
		ck_assert_int_eq(question.op, i % 2 == 0 ? TABLE_CHECK : TABLE_LOOKUP);
		ck_assert(span_is(question.key, "x.example"));
	}
	ck_assert_int_eq(tableimsg_next(&in, &question), 0);
}
END_TEST

/* As smtpd's table_proc.c reads it: OK, no more and no less than it wants. */
static void
answer_check(
    enum table_op op, enum table_result result, size_t n, int32_t number, const char *value)
{
	struct table_question question = { .op = op, .service = TABLE_OTHER };
	struct table_answer answer = { result, "lmtp://[127.7.146.175]:10027" };
	char storage[TABLE_ANSWER_MAX + 1];
	uint32_t type;
	uint16_t length;
	int32_t got;
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	tableimsg_format(&out, &question, &answer);
	ck_assert(!out.full);
	ck_assert_uint_eq(out.n, n);
	if (n == 0)
		return;
	memcpy(&type, out.p, sizeof type);
	memcpy(&length, out.p + 4, sizeof length);
	ck_assert_uint_eq(type, 0);
	ck_assert_uint_eq(length, n);
	for (size_t i = 6; i < TABLEIMSG_HEADER; i++)
		ck_assert_int_eq(out.p[i], 0);
	if (n > TABLEIMSG_HEADER) {
		memcpy(&got, out.p + TABLEIMSG_HEADER, sizeof got);
		ck_assert_int_eq(got, number);
	}
	if (value != NULL)
		ck_assert_str_eq(out.p + TABLEIMSG_HEADER + sizeof got, value);
}

START_TEST(answers)
{
	static const char url[] = "lmtp://[127.7.146.175]:10027";

	answer_check(TABLE_OPEN, TABLE_FOUND, 16, 0, NULL);
	answer_check(TABLE_NOTHING, TABLE_FOUND, 0, 0, NULL);
	answer_check(TABLE_CLOSE, TABLE_FOUND, 0, 0, NULL);
	answer_check(TABLE_UPDATE, TABLE_FOUND, 20, 1, NULL);
	answer_check(TABLE_CHECK, TABLE_FOUND, 20, 1, NULL);
	answer_check(TABLE_CHECK, TABLE_NOT_FOUND, 20, 0, NULL);
	answer_check(TABLE_CHECK, TABLE_ERROR, 20, -1, NULL);
	answer_check(TABLE_LOOKUP, TABLE_FOUND, 20 + sizeof url, 1, url);
	answer_check(TABLE_LOOKUP, TABLE_NOT_FOUND, 20, 0, NULL);
	answer_check(TABLE_LOOKUP, TABLE_ERROR, 20, -1, NULL);
	answer_check(TABLE_FETCH, TABLE_NOT_FOUND, 20, 0, NULL);
	answer_check(TABLE_UNKNOWN, TABLE_FOUND, 20, -1, NULL);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof(table)[0])

int
main(void)
{
	Suite *suite = suite_create("tableimsg");
	TCase *tests = tcase_create("tableimsg");

	tcase_set_timeout(tests, 60); /* under sanitizers, on a busy machine */
	tcase_add_loop_test(tests, one, 0, N(cases));
	tcase_add_test(tests, many_parameters);
	tcase_add_test(tests, no_frames);
	tcase_add_test(tests, several);
	tcase_add_test(tests, answers);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
