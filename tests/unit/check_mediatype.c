/* SPDX-License-Identifier: ISC */
#include "parse/mediatype.h"

#include <string.h>

#include "guard.h"
#include "unit.h"

static const struct {
	const char *value;
	bool is_text_plain;
} types[] = {
	{ "text/plain", true },
	{ "TEXT/Plain", true },
	{ " text/plain\t", true },
	{ "text/plain; charset=utf-8", true },
	{ "text/plain;charset=\"us-ascii\"", true },
	{ "text/plain ; format=flowed; x=text/html", true },
	{ "text/plain;", true },
	{ "", false },
	{ ";", false },
	{ "text/html", false },
	{ "text/plainly", false },
	{ "text/plai", false },
	{ "text /plain", false },
	{ "text/plain, text/html", false },
	{ "text/plain charset=utf-8", false },
	{ "application/octet-stream", false },
	{ "application/x; text/plain", false },
};

START_TEST(test_type)
{
	struct guard g;

	guard_init(&g, types[_i].value, strlen(types[_i].value));
	ck_assert_msg(
	    mediatype_is_text_plain(g.span) == types[_i].is_text_plain, "%s", types[_i].value);
	guard_clear(&g);
}
END_TEST

START_TEST(test_nul)
{
	ck_assert(!mediatype_is_text_plain(span_make("text/plain\0", 11)));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mediatype");
	TCase *tcase = tcase_create("mediatype");

	tcase_add_loop_test(tcase, test_type, 0, sizeof types / sizeof types[0]);
	tcase_add_test(tcase, test_nul);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
