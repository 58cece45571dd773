/* SPDX-License-Identifier: ISC */
#include "parse/utf8.h"

#include <string.h>

#include "guard.h"
#include "unit.h"

/* The first and last of each form of RFC 3629 4, and their neighbours that are none. */
static const struct {
	const char *in;
	size_t n;
} characters[] = {
	{ "a", 1 },
	{ "\x7f", 1 },
	{ "\x80", 0 },
	{ "\xbf", 0 },
	{ "\xc0\x80", 0 },
	{ "\xc1\xbf", 0 },
	{ "\xc2\x7f", 0 },
	{ "\xc2\x80", 2 },
	{ "\xdf\xbf", 2 },
	{ "\xdf\xc0", 0 },
	{ "\xdf", 0 },
	{ "\xe0\x9f\xbf", 0 },
	{ "\xe0\xa0\x80", 3 },
	{ "\xe1\x80\x80", 3 },
	{ "\xe1\x80", 0 },
	{ "\xe1\x80\x7f", 0 },
	{ "\xec\xbf\xbf", 3 },
	{ "\xed\x9f\xbf", 3 },
	{ "\xed\xa0\x80", 0 },
	{ "\xed\xbf\xbf", 0 },
	{ "\xee\x80\x80", 3 },
	{ "\xef\xbf\xbf", 3 },
	{ "\xf0\x8f\xbf\xbf", 0 },
	{ "\xf0\x90\x80\x80", 4 },
	{ "\xf0\x90\x80", 0 },
	{ "\xf3\xbf\xbf\xbf", 4 },
	{ "\xf3\xbf\xbf\xc0", 0 },
	{ "\xf4\x8f\xbf\xbf", 4 },
	{ "\xf4\x90\x80\x80", 0 },
	{ "\xf5\x80\x80\x80", 0 },
	{ "\xff", 0 },
	{ "ab", 1 },
	{ "", 0 },
};

START_TEST(test_take)
{
	struct guard g;

	guard_init(&g, characters[_i].in, strlen(characters[_i].in));
	ck_assert_uint_eq(utf8_take(g.span), characters[_i].n);
	guard_clear(&g);
}
END_TEST

START_TEST(test_nul)
{
	ck_assert_uint_eq(utf8_take(span_make("\0", 1)), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tcase = tcase_create("utf8");

	tcase_add_loop_test(tcase, test_take, 0, sizeof characters / sizeof characters[0]);
	tcase_add_test(tcase, test_nul);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
