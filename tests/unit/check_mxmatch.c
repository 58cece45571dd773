/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 4.1.  m15 (U-labels) is the command's, m19 (null MX) the mail server's, m21 (CNAME) of
 * whoever gives the name: all hand over the name of the MX record.
 */
#include "parse/mxmatch.h"

#include <string.h>

#include "guard.h"
#include "unit.h"

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define N190                                                                                       \
	L63 "." L63 "."                                                                            \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

enum answer { YES, NO, NO_PATTERN, ADDRESS, NO_HOST };

static const struct {
	const char *name, *pattern, *host;
	enum answer answer;
} cases[] = {
	{ "m01", "mail.example.com", "mail.example.com", YES },
	{ "m02", "mail.example.com", "MAIL.EXAMPLE.COM.", YES },
	{ "m02 pattern", "MAIL.Example.COM", "mail.example.com", YES },
	{ "m03", "*.example.com", "mail.example.com", YES },
	{ "m04", "*.example.com", "example.com", NO },
	{ "m05", "*.example.com", "foo.bar.example.com", NO },
	{ "m06", "*.example.com", "badexample.com", NO },
	{ "m07", "*.example.com", ".example.com", NO_HOST },
	{ "m08", "*.com", "example.com", YES },
	{ "m08 deeper", "*.com", "mail.example.com", NO },
	{ "m09", "mail.example.com", "mail.example.com.evil.net", NO },
	{ "m09 wildcard", "*.example.com", "mail.example.com.evil.net", NO },
	{ "m10", "mail.example.com", "xmail.example.com", NO },
	{ "m11", ".example.com", "mail.example.com", NO_PATTERN },
	{ "m12", "*", "mail.example.com", NO_PATTERN },
	{ "m12 dot", "*.", "mail.example.com", NO_PATTERN },
	{ "m12 dots", "*..", "mail.example.com", NO_PATTERN },
	{ "m13", "mail.*.example.com", "mail.a.example.com", NO_PATTERN },
	{ "m14", "*.*.example.com", "a.b.example.com", NO_PATTERN },
	{ "m14 partial", "m*.example.com", "mail.example.com", NO_PATTERN },
	{ "m14 partial, star first", "*l.example.com", "mail.example.com", NO_PATTERN },
	{ "m15 A-label", "xn--mnchen-3ya.example", "XN--MNCHEN-3YA.example", YES },
	{ "m16", "mail.example.com.", "mail.example.com", YES },
	{ "m16 wildcard", "*.example.com.", "mail.example.com.", YES },
	{ "m17", "192.0.2.1", "mail.example.com", ADDRESS },
	{ "m17 IPv6", "2001:db8::1", "mail.example.com", ADDRESS },
	{ "m17 mapped", "::ffff:192.0.2.1", "mail.example.com", ADDRESS },
	{ "m17 literal", "[192.0.2.1]", "mail.example.com", ADDRESS },
	{ "m17 literal IPv6", "[IPv6:2001:db8::1]", "mail.example.com", ADDRESS },
	{ "m17 dot", "192.0.2.1.", "mail.example.com", ADDRESS },
	{ "m17 like one", "1.2.3.4.5", "mail.example.com", ADDRESS },
	{ "m17 number", "25", "mail.example.com", ADDRESS },
	{ "m17 host", "mail.example.com", "192.0.2.1", NO_HOST },
	{ "m17 wildcard", "*.0.2.1", "mail.example.com", ADDRESS },
	{ "m17 port", "192.0.2.1:25", "mail.example.com", NO_PATTERN },
	{ "m17 half", "[192.0.2.1", "mail.example.com", NO_PATTERN },
	{ "m17 brackets", "[]", "mail.example.com", NO_PATTERN },
	{ "m17 name in brackets", "[mail.example.com]", "mail.example.com", NO_PATTERN },
	{ "m18", "example.com", "example.com", YES },
	{ "m22", "*.example.com", L63 ".example.com", YES },
	{ "m23 label of 63", L63 ".example.com", L63 ".example.com", YES },
	{ "m23 label of 64", L63 "a.example.com", "mail.example.com", NO_PATTERN },
	{ "m23 253", N190 "." L63 ".", "mail.example.com", NO_PATTERN },
	{ "m23 wildcard of 253",
	    "*." N190 "."
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "x." N190 "."
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    YES },
	{ "m23 wildcard of 255",
	    "*." N190 "."
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "x.example", NO_PATTERN },
	{ "underscore", "mx_1.example.com", "mx_1.example.com", YES },
	{ "underscore under a wildcard", "*.example.com", "mx_1.example.com", YES },
	{ "last label only", "example", "example", YES },
	{ "wildcard against one label", "*.example", "example", NO },
	{ "empty", "", "example", NO_PATTERN },
	{ "dot", ".", "example", NO_PATTERN },
	{ "blank", "mail example", "example", NO_PATTERN },
	{ "8-bit", "m\xc3\xb8x.example", "example", NO_PATTERN },
	{ "hyphen", "-a.example", "example", NO_PATTERN },
	{ "option of a mail server", "mail.example:ssl=no", "example", NO_PATTERN },
};

static enum answer
ask(struct span value, const char *host_text)
{
	char storage[MXPATTERN_MAX + 1];
	struct mxpattern pattern;
	struct domain host;
	const char *why = NULL;
	unsigned slips;

	switch (mxmatch_parse(value, storage, &pattern, &slips, &why)) {
	case MXMATCH_INVALID:
		ck_assert_ptr_nonnull(why);
		return NO_PATTERN;
	case MXMATCH_ADDRESS:
		return ADDRESS;
	case MXMATCH_NAME:
		break;
	}
	ck_assert_uint_eq(pattern.n, strlen(pattern.name));
	if (domain_parse(span_of(host_text), DOMAIN_UNDERSCORE, &host) != 0)
		return NO_HOST;
	return mxmatch_holds(&pattern, &host) ? YES : NO;
}

START_TEST(test_match)
{
	struct guard g;

	guard_init(&g, cases[_i].pattern, strlen(cases[_i].pattern));
	enum answer answer = ask(g.span, cases[_i].host);
	ck_assert_msg(answer == cases[_i].answer, "%s: %d", cases[_i].name, (int)answer);
	guard_clear(&g);
}
END_TEST

START_TEST(test_nul)
{
	ck_assert_int_eq(ask(span_make("a\0.example", 10), "example"), NO_PATTERN);
	ck_assert_int_eq(ask(span_make("192.0.2.1\0", 10), "example"), NO_PATTERN);
}
END_TEST

START_TEST(test_slips)
{
	char storage[MXPATTERN_MAX + 1];
	struct mxpattern pattern;
	const char *why;
	unsigned slips = 99;

	ck_assert_int_eq(
	    mxmatch_parse(span_of("*.A.example"), storage, &pattern, &slips, &why), MXMATCH_NAME);
	ck_assert_uint_eq(slips, 0);
	ck_assert_str_eq(pattern.name, "*.a.example");
	ck_assert_int_eq(
	    mxmatch_parse(span_of("a.example."), storage, &pattern, &slips, &why), MXMATCH_NAME);
	ck_assert_uint_eq(slips, MXMATCH_SLIP_DOT);
	ck_assert_str_eq(pattern.name, "a.example");
	ck_assert_int_eq(mxmatch_parse(span_of("*.a_b.example."), storage, &pattern, &slips, &why),
	    MXMATCH_NAME);
	ck_assert_uint_eq(slips, MXMATCH_SLIP_DOT | MXMATCH_SLIP_UNDERSCORE);
	ck_assert_str_eq(pattern.name, "*.a_b.example");
}
END_TEST

/* m20, and R4.1.1 for a policy without patterns */
START_TEST(test_any)
{
	char storage[2][MXPATTERN_MAX + 1];
	struct mxpattern patterns[2];
	struct domain host;
	const char *why;
	unsigned slips;

	ck_assert_int_eq(
	    mxmatch_parse(span_of("a.example"), storage[0], &patterns[0], &slips, &why),
	    MXMATCH_NAME);
	ck_assert_int_eq(
	    mxmatch_parse(span_of("*.b.example"), storage[1], &patterns[1], &slips, &why),
	    MXMATCH_NAME);
	ck_assert_int_eq(domain_parse(span_of("mx.b.example"), 0, &host), 0);
	ck_assert(mxmatch_any(patterns, 2, &host));
	ck_assert(!mxmatch_any(patterns, 1, &host));
	ck_assert(!mxmatch_any(patterns, 0, &host));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mxmatch");
	TCase *tcase = tcase_create("mxmatch");

	tcase_add_loop_test(tcase, test_match, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, test_nul);
	tcase_add_test(tcase, test_slips);
	tcase_add_test(tcase, test_any);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
