/* SPDX-License-Identifier: ISC
 *
 * What tests/vectors/policies.txt does not say of the record: ids, places, reasons.
 */
#include "parse/ststxt.h"

#include <string.h>

#include "guard.h"
#include "parse/txtset.h"
#include "unit.h"

static const struct {
	const char *record, *id;
} ids[] = {
	{ "v=STSv1; id=20160831085700Z;", "20160831085700Z" }, /* RFC 8461 3.1 */
	{ "v=STSv1; id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ "v=STSv1;\tx=y ;id=Z9\t; ", "Z9" },
	{ "v=STSv1; id=a; id=b;", "a" },
	{ "v=STSv1; id=a  ", "a" },
};

START_TEST(test_id)
{
	struct ststxt record, again;
	struct parse_error error;
	char storage[100];
	struct buf out;
	struct guard g;

	guard_init(&g, ids[_i].record, strlen(ids[_i].record));
	ck_assert_int_eq(ststxt_parse(&g.span, 1, NULL, &record, &error), 0);
	ck_assert_str_eq(record.id, ids[_i].id);
	guard_clear(&g);

	buf_init(&out, storage, sizeof storage);
	ststxt_format(&record, &out);
	struct span text = span_make(out.p, out.n);
	ck_assert_int_eq(ststxt_parse(&text, 1, NULL, &again, &error), 0);
	ck_assert_str_eq(again.id, record.id);
}
END_TEST

/* Sets of up to three records; the sentence says which, where and why. */
static const struct {
	const char *records[3], *sentence;
} refusals[] = {
	{ { NULL }, "no record begins with v=STSv1;" },
	{ { "v=spf1 -all", "v=STSv10; id=a;" }, "no record begins with v=STSv1;" },
	{ { "v=STSv1; id=a", "x", "v=STSv1; id=b" },
	    "2 records begin with v=STSv1;, only one may" },
	{ { "v=STSv1;" }, "record 1, octet 9: id is missing" },
	{ { "x", "v=STSv1; id=;" }, "record 2, octet 13: id is empty" },
	{ { "v=STSv1; id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	    "record 1, octet 13: id has 33 characters" },
	{ { "v=STSv1; id=2016-08" }, "record 1, octet 13: id is not made of letters and digits" },
	{ { "v=STSv1; id=a;; x=1" }, "record 1, octet 15: empty field" },
	{ { "v=STSv1; id=a; x" }, "record 1, octet 16: no '=' in the field" },
	{ { "v=STSv1; id=a; -=1" },
	    "record 1, octet 16: field name is not made of letters, digits, '_', '-', '.'" },
	{ { "v=STSv1; id=a; x=b=c" },
	    "record 1, octet 19: the value of a field has a blank, '=' or "
	    "an octet that is not visible ASCII" },
};

START_TEST(test_reason)
{
	struct span records[3];
	struct ststxt record = { "untouched" };
	struct parse_error error = { 0 };
	char storage[200];
	struct buf out;
	size_t n = 0;

	for (; n < 3 && refusals[_i].records[n] != NULL; n++)
		records[n] = span_of(refusals[_i].records[n]);
	ck_assert_int_eq(ststxt_parse(records, n, NULL, &record, &error), -1);
	ck_assert_str_eq(record.id, "untouched");
	buf_init(&out, storage, sizeof storage);
	reason_put(&out, REASON_RECORD, &error);
	ck_assert_str_eq(out.p, refusals[_i].sentence);
}
END_TEST

static void
remember(void *arg, const struct parse_error *slip)
{
	reason_put(arg, REASON_RECORD, slip);
	buf_puts(arg, "\n");
}

static const struct {
	const char *record, *slips;
} warnings[] = {
	{ "v=STSv1; id=a; ", "" },
	{ "v=STSv1; id=a ", "record 1, octet 14: blanks after the last field\n" },
	{ "v=STSv1; id=a; x=; y=1", "record 1, octet 18: unknown field without value\n" },
	{ "v=STSv1; id=a; aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=; ",
	    "record 1, octet 50: unknown field without value\n"
	    "record 1, octet 16: field name has 33 characters\n" },
};

START_TEST(test_warning)
{
	struct span text = span_of(warnings[_i].record);
	struct ststxt record;
	struct parse_error error;
	char storage[300];
	struct buf out;
	struct reason_sink sink = { remember, &out };

	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(ststxt_parse(&text, 1, &sink, &record, &error), 0);
	ck_assert_str_eq(out.p, warnings[_i].slips);
}
END_TEST

static const struct {
	const char *rdata;
	size_t n;
	const char *text; /* NULL: malformed */
} joins[] = {
	{ "", 0, "" },
	{ "\0", 1, "" },
	{ "\3abc", 4, "abc" },
	{ "\3abc\0\2de", 8, "abcde" }, /* R3.1.2 */
	{ "\4abc", 4, NULL },
	{ "\3abc\1", 5, NULL },
	{ "\xff"
	  "a",
	    2, NULL },
};

START_TEST(test_join)
{
	struct guard g;
	char storage[16];
	struct span text;

	guard_init(&g, joins[_i].rdata, joins[_i].n);
	int r = txtset_join(g.span, storage, &text);
	ck_assert_int_eq(r, joins[_i].text == NULL ? -1 : 0);
	if (r == 0)
		ck_assert(span_is(text, joins[_i].text));
	guard_clear(&g);
}
END_TEST

START_TEST(test_join_long)
{
	char rdata[256], storage[256];
	struct span text;

	memset(rdata, 'a', sizeof rdata);
	rdata[0] = (char)255;
	ck_assert_int_eq(txtset_join(span_make(rdata, 256), storage, &text), 0);
	ck_assert_uint_eq(text.n, 255);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ststxt");
	TCase *tcase = tcase_create("ststxt");

	tcase_add_loop_test(tcase, test_id, 0, sizeof ids / sizeof ids[0]);
	tcase_add_loop_test(tcase, test_reason, 0, sizeof refusals / sizeof refusals[0]);
	tcase_add_loop_test(tcase, test_warning, 0, sizeof warnings / sizeof warnings[0]);
	tcase_add_loop_test(tcase, test_join, 0, sizeof joins / sizeof joins[0]);
	tcase_add_test(tcase, test_join_long);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
