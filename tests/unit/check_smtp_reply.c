/* SPDX-License-Identifier: ISC
 *
 * Replies: read as they come, kept word for word, safe whatever a host says, never longer than
 * smtpd can take.
 */
#include "opensmtpd/proto/reply.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "unit.h"

/* Lines of in end in LF alone; the result is of the last line that was read. */
static int
read_all(const char *in, size_t n, struct reply *reply, struct span *text)
{
	struct reply_reader reader = { 0, 0 };
	struct span rest = span_make(in, n);
	int r = 0;

	while (r == 0 && rest.n != 0) {
		size_t end = span_find(rest, '\n');
		r = reply_read(&reader, span_make(rest.p, end), reply, text);
		rest = span_from(rest, end + 1);
	}
	return r;
}

static const struct {
	const char *name, *in;
	int result;
	unsigned code;
	const char *text;
} cases[] = {
	/* RFC 5321 4.2, 4.3.2, D.1 */
	{ "greeting", "220 foo.com Simple Mail Transfer Service Ready\n", 1, 220,
	    "220 foo.com Simple Mail Transfer Service Ready\r\n" },
	{ "multi-line, 4.2.1",
	    "250-First line\n250-Second line\n250-234 Text beginning with numbers\n250 The last "
	    "line\n",
	    1, 250,
	    "250-First line\r\n250-Second line\r\n250-234 Text beginning with numbers\r\n250 The "
	    "last line\r\n" },
	{ "EHLO, D.1", "250-foo.com greets bar.com\n250-8BITMIME\n250-SIZE\n250-DSN\n250 HELP\n", 1,
	    250,
	    "250-foo.com greets bar.com\r\n250-8BITMIME\r\n250-SIZE\r\n250-DSN\r\n250 HELP\r\n" },
	{ "code alone", "250\n", 1, 250, "250\r\n" },
	{ "code and blank", "250 \n", 1, 250, "250 \r\n" },
	{ "first line empty", "550-\n550 no\n", 1, 550, "550-\r\n550 no\r\n" },
	{ "last line a code alone", "550-no\n550\n", 1, 550, "550-no\r\n550\r\n" },
	{ "enhanced codes",
	    "550-5.1.1 The account does not exist.\n550 5.1.1  see https://a.example\n", 1, 550,
	    "550-5.1.1 The account does not exist.\r\n550 5.1.1  see https://a.example\r\n" },
	{ "354", "354 go\n", 1, 354, "354 go\r\n" },
	{ "599", "599 no\n", 1, 599, "599 no\r\n" },
	{ "tab", "550 a\tb\n", 1, 550, "550 a\tb\r\n" },
	{ "UTF-8", "550 5.1.1 Empf\xc3\xa4nger \xe2\x82\xac \xf0\x9f\x93\xaa\n", 1, 550,
	    "550 5.1.1 Empf\xc3\xa4nger \xe2\x82\xac \xf0\x9f\x93\xaa\r\n" },
	{ "Latin-1", "550 Empf\xe4nger\n", 1, 550, "550 Empf?nger\r\n" },
	{ "UTF-8 cut off", "550 \xe2\x82\n", 1, 550, "550 ??\r\n" },
	{ "overlong UTF-8", "550 \xc0\x8a\n", 1, 550, "550 ??\r\n" },
	{ "control characters of ISO 8859 in UTF-8", "550 \xc2\x85\xc2\x9b\xc2\xa0\n", 1, 550,
	    "550 ????\xc2\xa0\r\n" },
	{ "carriage return inside", "550 a\r550 b\n", 1, 550, "550 a?550 b\r\n" },
	{ "escape, bell, delete", "550 \033[2J\a\177\n", 1, 550, "550 ?[2J??\r\n" },
	{ "more to come", "250-a\n", 0, 250, "250-a\r\n" },
	{ "empty line", "\n", -1, 0, NULL },
	{ "two digits", "25\n", -1, 0, NULL },
	{ "no digits", "abc hello\n", -1, 0, NULL },
	{ "four digits", "2500 hello\n", -1, 0, NULL },
	{ "1xx", "100 wait\n", -1, 0, NULL },
	{ "0xx", "050 hello\n", -1, 0, NULL },
	{ "6xx", "600 hello\n", -1, 0, NULL },
	{ "sign", "+50 hello\n", -1, 0, NULL },
	{ "blank before it", " 250 hello\n", -1, 0, NULL },
	{ "tab for a blank", "250\thello\n", -1, 0, NULL },
	{ "another code", "250-a\n550 b\n", -1, 0, NULL },
	{ "no code in a line of many", "250-a\nhello\n", -1, 0, NULL },
	{ "HTTP", "HTTP/1.1 400 Bad Request\n", -1, 0, NULL },
	{ "SSH", "SSH-2.0-OpenSSH_9.2\n", -1, 0, NULL },
};

START_TEST(one)
{
	struct reply reply = { 0, 0, "" };
	struct span text;
	struct guard g;

	guard_init(&g, cases[_i].in, strlen(cases[_i].in));
	int r = read_all(g.span.p, g.span.n, &reply, &text);
	guard_clear(&g);
	ck_assert_msg(r == cases[_i].result, "%s: %d", cases[_i].name, r);
	if (r < 0)
		return;
	ck_assert_msg(reply.code == cases[_i].code, "%s: %u", cases[_i].name, reply.code);
	ck_assert_msg(
	    strcmp(reply.text, cases[_i].text) == 0, "%s: %s", cases[_i].name, reply.text);
	ck_assert_uint_eq(reply.n, strlen(reply.text));
}
END_TEST

START_TEST(nul)
{
	static const char in[] = "550 a\0b\n";
	struct reply reply = { 0, 0, "" };
	struct span text;

	ck_assert_int_eq(read_all(in, sizeof in - 1, &reply, &text), 1);
	ck_assert_str_eq(reply.text, "550 a?b\r\n");
	ck_assert_uint_eq(text.n, 3);
	ck_assert_mem_eq(text.p, "a\0b", 3);
}
END_TEST

START_TEST(text_behind_the_code)
{
	struct reply reply = { 0, 0, "" };
	struct span text;

	ck_assert_int_eq(read_all("250-SIZE 1000\n", 14, &reply, &text), 0);
	ck_assert(span_is(text, "SIZE 1000"));
	ck_assert_int_eq(read_all("250\n", 4, &reply, &text), 1);
	ck_assert_uint_eq(text.n, 0);
}
END_TEST

START_TEST(lines_without_end)
{
	struct reply_reader reader = { 0, 0 };
	struct reply reply = { 0, 0, "" };
	struct span text;

	for (int i = 0; i < REPLY_LINES_MAX; i++)
		ck_assert_int_eq(reply_read(&reader, span_of("250-x"), &reply, &text), 0);
	ck_assert_int_eq(reply_read(&reader, span_of("250 x"), &reply, &text), -1);
	ck_assert_uint_le(reply.n, REPLY_TEXT_MAX);
}
END_TEST

/* The first lines and the last one are what is left of a reply that is too long. */
START_TEST(too_many_for_the_room)
{
	struct reply_reader reader = { 0, 0 };
	struct reply reply = { 0, 0, "" };
	struct span text;
	char line[128];

	for (int i = 0; i < 20; i++) {
		int n = snprintf(line, sizeof line, "550-5.7.1 line %02d %060d", i, 0);
		ck_assert_int_eq(reply_read(&reader, span_make(line, (size_t)n), &reply, &text), 0);
		ck_assert_uint_le(reply.n, REPLY_TEXT_MAX);
	}
	int n = snprintf(line, sizeof line, "550 5.7.1 the last %090d", 0);
	ck_assert_int_eq(reply_read(&reader, span_make(line, (size_t)n), &reply, &text), 1);
	ck_assert_uint_le(reply.n, REPLY_TEXT_MAX);
	ck_assert_uint_eq(reply.n, strlen(reply.text));
	ck_assert_ptr_eq(strstr(reply.text, "550-5.7.1 line 00"), reply.text);
	ck_assert_ptr_nonnull(strstr(reply.text, "line 08"));
	ck_assert_ptr_null(strstr(reply.text, "line 12"));
	ck_assert_ptr_nonnull(strstr(reply.text, "\r\n550 5.7.1 the last 0"));
	ck_assert_str_eq(reply.text + reply.n - 2, "\r\n");
}
END_TEST

START_TEST(over_long)
{
	static char line[REPLY_LINE_MAX];
	struct reply_reader reader = { 0, 0 };
	struct reply reply = { 0, 0, "" };
	struct span text;

	memset(line, 'x', sizeof line);
	memcpy(line, "550-", 4);
	ck_assert_int_eq(reply_read(&reader, span_make(line, sizeof line), &reply, &text), 0);
	ck_assert_uint_eq(reply.n, REPLY_TEXT_MAX);
	ck_assert_uint_eq(text.n, sizeof line - 4);
	line[3] = ' ';
	ck_assert_int_eq(reply_read(&reader, span_make(line, sizeof line), &reply, &text), 1);
	ck_assert_uint_eq(reply.n, REPLY_TEXT_MAX);
	ck_assert_uint_eq(reply.n, strlen(reply.text));
	ck_assert_mem_eq(reply.text, "550 x", 5);
}
END_TEST

/* A character that does not fit any more is left out, not cut in two. */
START_TEST(characters_stay_whole)
{
	static char line[REPLY_LINE_MAX];
	struct span text;

	for (size_t shift = 0; shift < 4; shift++) {
		struct reply_reader reader = { 0, 0 };
		struct reply reply = { 0, 0, "" };
		memcpy(line, "550 xxxx", 8);
		for (size_t at = 4 + shift; at + 4 <= sizeof line; at += 4)
			memcpy(line + at, "\xf0\x9f\x93\xaa", 4);
		ck_assert_int_eq(
		    reply_read(&reader, span_make(line, sizeof line - 4), &reply, &text), 1);
		ck_assert_uint_le(reply.n, REPLY_TEXT_MAX);
		ck_assert_uint_gt(reply.n, REPLY_TEXT_MAX - 4);
		ck_assert_mem_eq(reply.text + reply.n - 6, "\xf0\x9f\x93\xaa\r\n", 6);
	}
}
END_TEST

START_TEST(of_our_own)
{
	static char text[2 * REPLY_TEXT_MAX];
	struct reply reply;

	reply_set(&reply, 451, "4.4.1", "connection refused");
	ck_assert_str_eq(reply.text, "451 4.4.1 connection refused\r\n");
	ck_assert_uint_eq(reply.code, 451);
	ck_assert(!reply_is_good(&reply));
	reply_set(&reply, 354, "", "go on");
	ck_assert_str_eq(reply.text, "354 go on\r\n");
	ck_assert(reply_is_good(&reply));
	reply_printf(&reply, 550, "5.7.1", "%s: %d\n250 ok", "a\rb", 7);
	ck_assert_str_eq(reply.text, "550 5.7.1 a?b: 7?250 ok\r\n");
	memset(text, 'x', sizeof text - 1);
	reply_set(&reply, 550, "5.7.1", text);
	ck_assert_uint_le(reply.n, REPLY_TEXT_MAX);
	ck_assert_str_eq(reply.text + reply.n - 3, "x\r\n");
}
END_TEST

START_TEST(good_ones)
{
	static const unsigned good[] = { 200, 220, 250, 299, 354, 399 },
			      bad[] = { 0, 199, 400, 421, 550, 599 };
	struct reply reply = { 0, 0, "" };

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		reply.code = good[i];
		ck_assert(reply_is_good(&reply));
		reply.code = bad[i];
		ck_assert(!reply_is_good(&reply));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtp_reply");
	TCase *tests = tcase_create("smtp_reply");

	tcase_add_loop_test(tests, one, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, nul);
	tcase_add_test(tests, text_behind_the_code);
	tcase_add_test(tests, lines_without_end);
	tcase_add_test(tests, too_many_for_the_room);
	tcase_add_test(tests, over_long);
	tcase_add_test(tests, characters_stay_whole);
	tcase_add_test(tests, of_our_own);
	tcase_add_test(tests, good_ones);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
