/* SPDX-License-Identifier: ISC
 *
 * Netstrings: whole, in parts, several at once, and what is none.
 */
#include "socketmap/netstring.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "unit.h"

enum { MAX = 1024 };

static const struct {
	const char *name, *in;
	int result;
	const char *payload;
	size_t left; /* octets behind it */
} cases[] = {
	{ "one", "5:hello,", 1, "hello", 0 },
	{ "empty", "0:,", 1, "", 0 },
	{ "two", "5:hello,1:x,", 1, "hello", 4 },
	{ "comma and colon inside", "5:a,b:c,", 1, "a,b:c", 0 },
	{ "nothing", "", 0, NULL, 0 },
	{ "digits", "10", 0, NULL, 0 },
	{ "zero", "0", 0, NULL, 0 },
	{ "no payload yet", "5:", 0, NULL, 0 },
	{ "a part of it", "5:hel", 0, NULL, 0 },
	{ "all but the comma", "5:hello", 0, NULL, 0 },
	{ "no comma", "5:hello!", -1, NULL, 0 },
	{ "too short for its length", "4:hello,", -1, NULL, 0 },
	{ "too long for its length", "5:hell,5:hello,", -1, NULL, 0 },
	{ "no length", ":hello,", -1, NULL, 0 },
	{ "no colon", "5hello,", -1, NULL, 0 },
	{ "sign", "-5:hello,", -1, NULL, 0 },
	{ "plus", "+5:hello,", -1, NULL, 0 },
	{ "blank", " 5:hello,", -1, NULL, 0 },
	{ "blank before the colon", "5 :hello,", -1, NULL, 0 },
	{ "hexadecimal", "0x5:hello,", -1, NULL, 0 },
	{ "leading zero", "05:hello,", -1, NULL, 0 },
	{ "leading zeros, seen early", "00", -1, NULL, 0 },
	{ "HTTP", "GET / HTTP/1.0\r\n\r\n", -1, NULL, 0 },
	{ "line end between two", "\n1:x,", -1, NULL, 0 },
	{ "too much, seen before it comes", "1025", -1, NULL, 0 },
	{ "far too much", "99999999999999999999999999999999", -1, NULL, 0 },
	{ "octets of no letters", "1:\377,", 1, "\377", 0 },
};

START_TEST(one)
{
	struct parse_error error = { .why = NULL };
	struct span in, payload = { NULL, 0 };
	struct guard g;

	guard_init(&g, cases[_i].in, strlen(cases[_i].in));
	in = g.span;
	int r = netstring_next(&in, MAX, &payload, &error);
	ck_assert_msg(r == cases[_i].result, "%s: %d", cases[_i].name, r);
	if (r == 1) {
		ck_assert_msg(span_is(payload, cases[_i].payload), "%s", cases[_i].name);
		ck_assert_msg(in.n == cases[_i].left, "%s: %zu left", cases[_i].name, in.n);
	} else {
		ck_assert_msg(in.p == g.span.p && in.n == g.span.n, "%s: moved", cases[_i].name);
		ck_assert_msg((error.why != NULL) == (r < 0), "%s", cases[_i].name);
	}
	guard_clear(&g);
}
END_TEST

/* Every beginning of a good one wants more, and no octet of it is taken before it is whole. */
START_TEST(byte_by_byte)
{
	static const char whole[] = "19:postfix example.net,";
	struct parse_error error;
	struct span payload;

	for (size_t n = 0; n < sizeof whole - 1; n++) {
		struct guard g;
		guard_init(&g, whole, n);
		struct span in = g.span;
		ck_assert_int_eq(netstring_next(&in, MAX, &payload, &error), 0);
		ck_assert_uint_eq(in.n, n);
		guard_clear(&g);
	}
	struct span in = span_of(whole);
	ck_assert_int_eq(netstring_next(&in, MAX, &payload, &error), 1);
	ck_assert(span_is(payload, "postfix example.net"));
}
END_TEST

START_TEST(pipelined)
{
	char text[8192];
	struct parse_error error;
	struct span in, payload;
	struct buf out;

	buf_init(&out, text, sizeof text);
	for (int i = 0; i < 300; i++) {
		char number[8];
		int n = snprintf(number, sizeof number, "%d", i * i);
		netstring_format(&out, span_make(number, (size_t)n));
	}
	ck_assert(!out.full);
	in = span_make(out.p, out.n);
	for (int i = 0; i < 300; i++) {
		uint64_t value;
		ck_assert_int_eq(netstring_next(&in, MAX, &payload, &error), 1);
		ck_assert_int_eq(span_u64(payload, 8, 100000, &value), 0);
		ck_assert_uint_eq(value, (uint64_t)(i * i));
	}
	ck_assert_int_eq(netstring_next(&in, MAX, &payload, &error), 0);
}
END_TEST

START_TEST(largest)
{
	char text[MAX + 32], payload[MAX];
	struct parse_error error;
	struct span in, taken;
	struct buf out;

	memset(payload, ',', sizeof payload);
	buf_init(&out, text, sizeof text);
	netstring_format(&out, span_make(payload, sizeof payload));
	in = span_make(out.p, out.n);
	ck_assert_int_eq(netstring_next(&in, MAX, &taken, &error), 1);
	ck_assert_uint_eq(taken.n, MAX);
	in = span_make(out.p, out.n);
	ck_assert_int_eq(netstring_next(&in, MAX - 1, &taken, &error), -1);
	ck_assert_uint_eq(error.number, MAX - 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("netstring");
	TCase *tests = tcase_create("netstring");

	tcase_add_loop_test(tests, one, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, byte_by_byte);
	tcase_add_test(tests, pipelined);
	tcase_add_test(tests, largest);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
