/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static char last[2000];
static int lines;

static void
remember(void *arg, enum mtasts_log level, const char *text)
{
	snprintf(last, sizeof last, "%s%d %s", (const char *)arg, (int)level, text);
	lines++;
}

static char name[] = "-";
static const struct log info = { .fn = remember, .arg = name, .level = MTASTS_LOG_INFO };

START_TEST(test_level)
{
	log_put(&info, MTASTS_LOG_DEBUG, "x");
	ck_assert_int_eq(lines, 0);
	log_put(&info, MTASTS_LOG_INFO, "lookup domain=%s n=%d", "a.example", 3);
	ck_assert_str_eq(last, "-2 lookup domain=a.example n=3");
	log_put(&info, MTASTS_LOG_ERROR, "y");
	ck_assert_str_eq(last, "-0 y");
	ck_assert_int_eq(lines, 2);
}
END_TEST

START_TEST(test_nobody)
{
	struct log silent = { .fn = NULL, .level = MTASTS_LOG_DEBUG };

	log_put(NULL, MTASTS_LOG_ERROR, "x");
	log_put(&silent, MTASTS_LOG_ERROR, "x");
	ck_assert_int_eq(lines, 0);
}
END_TEST

START_TEST(test_one_line)
{
	log_put(&info, MTASTS_LOG_INFO, "a\r\nb%cc\x1b\x7f\xc3", 0);
	ck_assert_str_eq(last, "-2 a\\x0D\\x0Ab\\x00c\\x1B\\x7F\xc3");
}
END_TEST

START_TEST(test_cut)
{
	char text[1500];

	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	log_put(&info, MTASTS_LOG_INFO, "%s", text);
	ck_assert_uint_eq(strlen(last), 3 + 1000);
	memset(text, '\n', sizeof text - 1);
	log_put(&info, MTASTS_LOG_INFO, "%s", text);
	ck_assert_uint_eq(strlen(last), 3 + 1000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	tcase_add_test(tcase, test_level);
	tcase_add_test(tcase, test_nobody);
	tcase_add_test(tcase, test_one_line);
	tcase_add_test(tcase, test_cut);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
