/* SPDX-License-Identifier: ISC */
#include "base/domain.h"

#include <string.h>

#include "guard.h"
#include "mtasts.h"
#include "unit.h"

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define N253                                                                                       \
	L63 "." L63 "." L63 "."                                                                    \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *in;
	unsigned flags;
	const char *out; /* NULL: no name */
} names[] = {
	{ "example.net", 0, "example.net" },
	{ "EXAMPLE.Net.", 0, "example.net" }, /* t51 */
	{ "localhost", 0, "localhost" },
	{ "xn--bcher-kva.example", 0, "xn--bcher-kva.example" },
	{ "1.example", 0, "1.example" },
	{ "a.b1", 0, "a.b1" },
	{ L63 ".example", 0, L63 ".example" },
	{ L63 "a.example", 0, NULL },
	{ N253, 0, N253 },
	{ N253 ".", 0, N253 },
	{ N253 "a", 0, NULL }, /* t50: 254 octets */
	{ "", 0, NULL },
	{ ".", 0, NULL },
	{ "..", 0, NULL },
	{ ".example.com", 0, NULL },
	{ "example..com", 0, NULL },
	{ "example.com..", 0, NULL },
	{ "-a.example", 0, NULL },
	{ "a-.example", 0, NULL },
	{ "a--b.example", 0, "a--b.example" },
	{ "a_b.example", 0, NULL },
	{ "a_b.example", DOMAIN_UNDERSCORE, "a_b.example" },
	{ "_mta-sts.example", DOMAIN_UNDERSCORE, "_mta-sts.example" },
	{ "b\xc3\xbc"
	  "cher.example",
	    0, NULL },
	{ "a b.example", 0, NULL },
	{ " a.example", 0, NULL },
	{ "a.example\n", 0, NULL },
	{ "*.example", 0, NULL },
	{ "192.0.2.1", 0, NULL },
	{ "192.0.2.1.", 0, NULL },
	{ "[192.0.2.1]", 0, NULL }, /* t50 */
	{ "[IPv6:2001:db8::1]", 0, NULL },
	{ "2001:db8::1", 0, NULL },
	{ "10", 0, NULL },
	{ "a.example:25", 0, NULL },
	{ "user@a.example", 0, NULL },
};

START_TEST(test_parse)
{
	struct domain domain;
	struct guard g;

	memset(&domain, 0x5a, sizeof domain);
	guard_init(&g, names[_i].in, strlen(names[_i].in));
	int r = domain_parse(g.span, names[_i].flags, &domain);
	ck_assert_msg(r == (names[_i].out != NULL ? 0 : MTASTS_ENAME), "\"%s\"", names[_i].in);
	if (r == 0) {
		ck_assert_str_eq(domain.name, names[_i].out);
		ck_assert_uint_eq(domain.n, strlen(names[_i].out));
	} else {
		ck_assert_int_eq(domain.name[0], 0x5a);
	}
	guard_clear(&g);
}
END_TEST

START_TEST(test_nul)
{
	struct domain domain;

	ck_assert_int_eq(domain_parse(span_make("a\0.example", 10), 0, &domain), MTASTS_ENAME);
	ck_assert_int_eq(domain_parse(span_make(NULL, 0), 0, &domain), MTASTS_ENAME);
}
END_TEST

START_TEST(test_eq)
{
	struct domain a, b, c;

	ck_assert_int_eq(domain_parse(span_of("A.example."), 0, &a), 0);
	ck_assert_int_eq(domain_parse(span_of("a.EXAMPLE"), 0, &b), 0);
	ck_assert_int_eq(domain_parse(span_of("b.example"), 0, &c), 0);
	ck_assert(domain_eq(&a, &b));
	ck_assert(!domain_eq(&a, &c));
}
END_TEST

START_TEST(test_under)
{
	struct domain domain, under;

	ck_assert_int_eq(domain_parse(span_of("example.net"), 0, &domain), 0);
	ck_assert_int_eq(domain_under("_mta-sts", &domain, &under), 0);
	ck_assert_str_eq(under.name, "_mta-sts.example.net");
	ck_assert_int_eq(domain_under("_smtp._tls", &domain, &under), 0);
	ck_assert_str_eq(under.name, "_smtp._tls.example.net");
	ck_assert_int_eq(domain_parse(span_of(N253), 0, &domain), 0);
	ck_assert_int_eq(domain_under("mta-sts", &domain, &under), MTASTS_ENAME);
	/* 253 - 245 = 8 octets are left: "mta-sts." fits, "_mta-sts." does not */
	ck_assert_int_eq(domain_parse(span_from(span_of(N253), 8), 0, &domain), 0);
	ck_assert_int_eq(domain_under("mta-sts", &domain, &under), 0);
	ck_assert_uint_eq(under.n, 253);
	ck_assert_int_eq(domain_under("_mta-sts", &domain, &under), MTASTS_ENAME);
}
END_TEST

START_TEST(test_under_itself)
{
	struct domain domain;

	ck_assert_int_eq(domain_parse(span_of("example.net"), 0, &domain), 0);
	ck_assert_int_eq(domain_under("a", &domain, &domain), 0);
	ck_assert_str_eq(domain.name, "a.example.net");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("domain");
	TCase *tcase = tcase_create("domain");

	tcase_add_loop_test(tcase, test_parse, 0, sizeof names / sizeof names[0]);
	tcase_add_test(tcase, test_nul);
	tcase_add_test(tcase, test_eq);
	tcase_add_test(tcase, test_under);
	tcase_add_test(tcase, test_under_itself);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
