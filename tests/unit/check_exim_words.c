/* SPDX-License-Identifier: ISC
 *
 * What Exim hands the plugin as text: the block of variables, SMTP replies, base64; and the line
 * the plugin hands to the system log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exim/event.h"
#include "exim/reply.h"
#include "exim/vars.h"
#include "guard.h"
#include "maillog/maillog.h"
#include "unit.h"

static const struct {
	const char *name, *block;
	int result;
	const char *value; /* of "host" */
} blocks[] = {
	{ "one", "host=mx1.a.example", 0, "mx1.a.example" },
	{ "one with its newline", "host=mx1.a.example\n", 0, "mx1.a.example" },
	{ "among others", "event=tcp:connect\nhost=a\nip=192.0.2.1\n", 0, "a" },
	{ "empty value", "host=\nip=192.0.2.1\n", 0, "" },
	{ "missing", "event=tcp:connect\n", 0, "" },
	{ "value with '='", "host=a=b\n", 0, "a=b" },
	{ "empty lines", "\n\nhost=a\n\n", 0, "a" },
	{ "nothing", "", 0, "" },
	{ "name that begins like it", "hostname=b\nhost=a\n", 0, "a" },
	{ "name twice", "host=a\nhost=b\n", -1, NULL },
	{ "no '='", "host=a\nip\n", -1, NULL },
	{ "no name", "=a\n", -1, NULL },
	{ "carriage return", "host=a\r\n", -1, NULL },
	{ "escape", "host=\033[2J\n", -1, NULL },
};

START_TEST(block)
{
	struct vars vars = { .n = 99 };
	struct parse_error error = { .why = NULL };
	struct guard g;

	guard_init(&g, blocks[_i].block, strlen(blocks[_i].block));
	int r = vars_parse(g.span, &vars, &error);
	ck_assert_msg(r == blocks[_i].result, "%s: %d", blocks[_i].name, r);
	if (r == 0)
		ck_assert_msg(
		    span_is(vars_get(&vars, "host"), blocks[_i].value), "%s", blocks[_i].name);
	else
		ck_assert_msg(error.why != NULL && vars.n == 99, "%s", blocks[_i].name);
	guard_clear(&g);
}
END_TEST

START_TEST(block_nul)
{
	static const char octets[] = "host=a\0b\n";
	struct vars vars;
	struct parse_error error;

	ck_assert_int_eq(vars_parse(span_make(octets, sizeof octets - 1), &vars, &error), -1);
}
END_TEST

START_TEST(block_lines)
{
	char text[VARS_MAX * 8 + 8];
	struct vars vars;
	struct parse_error error;
	struct buf out;

	buf_init(&out, text, sizeof text);
	for (int i = 0; i < VARS_MAX; i++)
		buf_printf(&out, "n%d=v\n", i);
	ck_assert_int_eq(vars_parse(span_make(text, out.n), &vars, &error), 0);
	buf_puts(&out, "n=v\n");
	ck_assert_int_eq(vars_parse(span_make(text, out.n), &vars, &error), -1);
	ck_assert_uint_eq(error.line, VARS_MAX + 1);
}
END_TEST

START_TEST(block_numbers)
{
	struct vars vars;
	struct parse_error error;

	ck_assert_int_eq(
	    vars_parse(span_of("a=-38\nb=8\nc=\nd=x\ne=99999999999\nf=--1\n"), &vars, &error), 0);
	ck_assert_int_eq(vars_int(&vars, "a", 7), -38);
	ck_assert_int_eq(vars_int(&vars, "b", 7), 8);
	ck_assert_int_eq(vars_int(&vars, "c", 7), 7);
	ck_assert_int_eq(vars_int(&vars, "d", 7), 7);
	ck_assert_int_eq(vars_int(&vars, "e", 7), 7);
	ck_assert_int_eq(vars_int(&vars, "f", 7), 7);
	ck_assert_int_eq(vars_int(&vars, "g", 7), 7);
}
END_TEST

static const struct {
	const char *reply, *name;
	bool starttls;
} replies[] = {
	{ "220 mx1.a.example ESMTP ready", "mx1.a.example", false },
	{ "250-mx1.a.example Hello\n250-SIZE 1000\n250-STARTTLS\n250 HELP", "mx1.a.example", true },
	{ "250-mx1.a.example\r\n250 STARTTLS\r\n", "mx1.a.example", true },
	{ "250-mx1.a.example\n250 starttls", "mx1.a.example", true },
	{ "250-mx1.a.example\n250 STARTTLS \n", "mx1.a.example", true },
	{ "250-[192.0.2.1] hi\n250 SIZE", "[192.0.2.1]", false },
	{ "250 STARTTLS", "STARTTLS", false }, /* that is its name */
	{ "250-mx1.a.example\n250 STARTTLSX", "mx1.a.example", false },
	{ "250-mx1.a.example\n250 X STARTTLS", "mx1.a.example", false },
	{ "250-mx1.a.example\n550 STARTTLS", "mx1.a.example", false },
	{ "502 unknown command", "", false },
	{ "220 <script>", "", false },
	{ "220", "", false },
	{ "22", "", false },
	{ "", "", false },
	{ "\n\n250 STARTTLS", "", true },
};

START_TEST(reply)
{
	struct guard g;

	guard_init(&g, replies[_i].reply, strlen(replies[_i].reply));
	ck_assert_msg(span_is(reply_name(g.span), replies[_i].name), "%s", replies[_i].reply);
	ck_assert_msg(
	    reply_offers_starttls(g.span) == replies[_i].starttls, "%s", replies[_i].reply);
	guard_clear(&g);
}
END_TEST

static const struct {
	const char *base64, *octets;
} encoded[] = {
	{ "Z29vZA==", "good" },
	{ "d3Jvbmc=", "wrong" },
	{ "YWJj", "abc" },
	{ "", NULL },
	{ "Z29vZA=", NULL },
	{ "Z29vZA", NULL },
	{ "====", NULL },
	{ "Z2*vZA==", NULL },
};

START_TEST(base64)
{
	size_t n = 99;
	unsigned char *der = event_der(span_of(encoded[_i].base64), &n);

	if (encoded[_i].octets == NULL) {
		ck_assert_ptr_null(der);
		ck_assert_uint_eq(n, 0);
		return;
	}
	ck_assert_uint_eq(n, strlen(encoded[_i].octets));
	ck_assert_int_eq(memcmp(der, encoded[_i].octets, n), 0);
	free(der);
}
END_TEST

START_TEST(log_line)
{
	char line[200];

	setenv("TZ", "UTC", 1);
	tzset();
	size_t n = maillog_format(
	    line, sizeof line, MTASTS_LOG_WARNING, 1193900709, 123, "lookup domain=a.example");
	ck_assert_str_eq(line, "<20>Nov  1 07:05:09 mtasts-exim[123]: lookup domain=a.example");
	ck_assert_uint_eq(n, strlen(line));
	maillog_format(line, 30, MTASTS_LOG_ERROR, 1193900709, 123, "cut");
	ck_assert_uint_eq(strlen(line), 29);
}
END_TEST

/* Once a cause; anew after a minute, or when others came between. */
START_TEST(log_told)
{
	char line[40];

	ck_assert(!maillog_is_told("store file=\"x\" doing=\"read\" reason=\"full\"", 1000));
	ck_assert(maillog_is_told("store file=\"x\" doing=\"read\" reason=\"full\"", 1000));
	ck_assert(maillog_is_told("store file=\"x\" doing=\"write\" reason=\"gone\"", 2000));
	ck_assert(maillog_is_told("journal file=\"y\" reason=\"full\"", 2000));
	ck_assert(!maillog_is_told("helper program=x reason=\"gone\"", 2000));
	ck_assert(!maillog_is_told("helper program=x reason=\"ended\"", 2000));
	ck_assert(maillog_is_told("helper program=x reason=\"gone\"", 3000));
	ck_assert(!maillog_is_told("journal file=\"y\" reason=\"full\"", 61000));
	for (int i = 0; i < 8; i++) {
		snprintf(line, sizeof line, "helper program=%d", i);
		ck_assert(!maillog_is_told(line, 62000));
		ck_assert(maillog_is_told(line, 62000));
	}
	ck_assert(!maillog_is_told("store file=\"x\" doing=\"read\" reason=\"full\"", 62000));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("exim_words");
	TCase *words = tcase_create("words");

	tcase_add_loop_test(words, block, 0, sizeof blocks / sizeof blocks[0]);
	tcase_add_test(words, block_nul);
	tcase_add_test(words, block_lines);
	tcase_add_test(words, block_numbers);
	tcase_add_loop_test(words, reply, 0, sizeof replies / sizeof replies[0]);
	tcase_add_loop_test(words, base64, 0, sizeof encoded / sizeof encoded[0]);
	tcase_add_test(words, log_line);
	tcase_add_test(words, log_told);
	suite_add_tcase(suite, words);
	return unit_main(suite);
}
