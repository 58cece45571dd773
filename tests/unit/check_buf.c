/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <string.h>

#include "unit.h"

START_TEST(test_fits)
{
	char storage[16];
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	ck_assert_str_eq(b.p, "");
	buf_puts(&b, "abc");
	buf_putc(&b, '-');
	buf_printf(&b, "%d", 42);
	buf_put(&b, span_make("xyz", 2));
	buf_put(&b, span_make(NULL, 0));
	ck_assert_str_eq(b.p, "abc-42xy");
	ck_assert_uint_eq(b.n, 8);
	ck_assert(!b.full);
}
END_TEST

START_TEST(test_cut)
{
	char storage[6] = "......";
	struct buf b;

	buf_init(&b, storage, 5);
	buf_puts(&b, "abcd");
	ck_assert(!b.full);
	buf_puts(&b, "");
	buf_printf(&b, "%s", "");
	ck_assert(!b.full);
	buf_putc(&b, 'e');
	ck_assert(b.full);
	buf_printf(&b, "%s", "fgh");
	ck_assert_str_eq(b.p, "abcd");
	ck_assert_uint_eq(b.n, 4);
	ck_assert_int_eq(storage[5], '.');
}
END_TEST

START_TEST(test_cut_printf)
{
	char storage[5];
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	buf_printf(&b, "%s", "abcdef");
	ck_assert(b.full);
	ck_assert_str_eq(b.p, "abcd");
	buf_putc(&b, 'x');
	ck_assert_str_eq(b.p, "abcd");
}
END_TEST

START_TEST(test_one_octet)
{
	char storage[1];
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	buf_printf(&b, "%s", "a");
	buf_puts(&b, "a");
	ck_assert(b.full);
	ck_assert_str_eq(b.p, "");
}
END_TEST

static const struct {
	const char *in;
	size_t n, max;
	bool word;
	const char *out;
} escapes[] = {
	{ "plain", 5, 200, true, "plain" },
	{ "two words=1", 11, 200, false, "two words=1" },
	{ "two words='1'", 13, 200, true, "two\\x20words\\x3D\\x271\\x27" },
	{ "a\"b\\c", 5, 200, false, "a\\x22b\\x5Cc" },
	{ "a\"b\\c", 5, 200, true, "a\\x22b\\x5Cc" },
	{ "a\0b\r\n\t", 6, 200, false, "a\\x00b\\x0D\\x0A\\x09" },
	{ "\x7f\x80\xff", 3, 200, false, "\\x7F\\x80\\xFF" },
	{ "abcdef", 6, 6, false, "abcdef" },
	{ "abcdef", 6, 5, false, "abcde..." },
	{ "", 0, 0, true, "" },
	{ "a", 1, 0, true, "..." },
};

START_TEST(test_keep)
{
	char out[4] = "old";

	buf_keep(out, sizeof out, span_of("ab"));
	ck_assert_str_eq(out, "ab");
	buf_keep(out, sizeof out, span_of("abcdef"));
	ck_assert_str_eq(out, "abc");
	buf_keep(out, sizeof out, span_make("", 0));
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(test_escaped)
{
	char storage[100];
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	buf_put_escaped(
	    &b, span_make(escapes[_i].in, escapes[_i].n), escapes[_i].max, escapes[_i].word);
	ck_assert_str_eq(b.p, escapes[_i].out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tcase = tcase_create("buf");

	tcase_add_test(tcase, test_fits);
	tcase_add_test(tcase, test_cut);
	tcase_add_test(tcase, test_cut_printf);
	tcase_add_test(tcase, test_one_octet);
	tcase_add_test(tcase, test_keep);
	tcase_add_loop_test(tcase, test_escaped, 0, sizeof escapes / sizeof escapes[0]);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
