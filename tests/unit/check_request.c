/* SPDX-License-Identifier: ISC
 *
 * Which domain a key means: as Postfix and sendmail write them, and as they do not.
 */
#include "socketmap/request.h"

#include <string.h>

#include "guard.h"
#include "unit.h"

static const struct {
	const char *payload, *map, *key; /* map NULL: malformed */
} payloads[] = {
	{ "postfix example.net", "postfix", "example.net" },
	{ "sts example.net", "sts", "example.net" },
	{ "postfix ", "postfix", "" },
	{ "postfix a b", "postfix", "a b" },
	{ "postfix  a", "postfix", " a" },
	{ "", NULL, NULL },
	{ " ", NULL, NULL },
	{ " example.net", NULL, NULL },
	{ "example.net", NULL, NULL },
};

START_TEST(payload)
{
	struct request request = { { NULL, 7 }, { NULL, 7 } };
	struct guard g;

	guard_init(&g, payloads[_i].payload, strlen(payloads[_i].payload));
	int r = request_parse(g.span, &request);
	ck_assert_int_eq(r, payloads[_i].map != NULL ? 0 : -1);
	if (r == 0) {
		ck_assert(span_is(request.map, payloads[_i].map));
		ck_assert(span_is(request.key, payloads[_i].key));
	} else {
		ck_assert_uint_eq(request.map.n, 7);
	}
	guard_clear(&g);
}
END_TEST

static const struct {
	const char *key, *domain; /* NULL: none is meant */
} keys[] = {
	/* the bare domain */
	{ "example.net", "example.net" },
	{ "EXAMPLE.Net", "example.net" },
	{ "example.net.", "example.net" },
	{ "a.b.c.example.net", "a.b.c.example.net" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "_x.example.net", "_x.example.net" },
	{ "localhost", "localhost" },
	/* with a port */
	{ "example.net:25", "example.net" },
	{ "example.net:submission", "example.net" },
	{ "example.net.:25", "example.net" },
	/* hosts of one's own choice, R3.4.1 */
	{ "[mx.example.net]", "mx.example.net" },
	{ "[mx.example.net]:587", "mx.example.net" },
	{ "[MX.example.net.]:smtp", "mx.example.net" },
	/* addresses, with a domain behind them */
	{ "user@example.net", "example.net" },
	{ "\"a@b\"@example.net", "example.net" },
	{ "user@[mx.example.net]:25", "mx.example.net" },
	/* U-labels */
	{ "b\303\274cher.example", "xn--bcher-kva.example" },
	{ "B\303\234CHER.example", "xn--bcher-kva.example" },
	{ "[b\303\274cher.example]:25", "xn--bcher-kva.example" },
	{ "stra\303\237e.example", "xn--strae-oqa.example" },
	/* a parent's entry, R3.4.2 */
	{ ".example.net", NULL },
	{ ".net", NULL },
	{ ".", NULL },
	{ ".b\303\274cher.example", NULL },
	{ "[.example.net]", NULL },
	/* address literals, R3.4.2 */
	{ "192.0.2.1", NULL },
	{ "[192.0.2.1]", NULL },
	{ "[192.0.2.1]:25", NULL },
	{ "192.0.2.1:25", NULL },
	{ "2001:db8::1", NULL },
	{ "[2001:db8::1]", NULL },
	{ "[2001:db8::1]:25", NULL },
	{ "[IPv6:2001:db8::1]:25", NULL },
	{ "[ipv6:2001:db8::1]", NULL },
	{ "user@[192.0.2.1]", NULL },
	/* no names */
	{ "", NULL },
	{ " ", NULL },
	{ "example..net", NULL },
	{ "example.net..", NULL },
	{ " example.net", NULL },
	{ "example.net ", NULL },
	{ "example.net example.org", NULL },
	{ "-example.net", NULL },
	{ "example.net:", NULL },
	{ "example.net:25:25", NULL },
	{ "example.net:2 5", NULL },
	{ "example.net:/x", NULL },
	{ ":25", NULL },
	{ "[]", NULL },
	{ "[]:25", NULL },
	{ "[example.net", NULL },
	{ "example.net]", NULL },
	{ "[example.net]x", NULL },
	{ "[example.net]25", NULL },
	{ "[example.net]:", NULL },
	{ "[[example.net]]", NULL },
	{ "user@", NULL },
	{ "/var/run/lmtp", NULL },
	{ "*.example.net", NULL },
	{ "example.net\r\nx", NULL },
	{ "b\374cher.example", NULL }, /* ISO 8859-1 */
	{ "\303", NULL },
	{ "a\xe2\x80\x8b.example\xff", NULL },
};

START_TEST(key)
{
	struct domain domain = { .name = "untouched" };
	struct guard g;

	guard_init(&g, keys[_i].key, strlen(keys[_i].key));
	bool is = request_domain(g.span, &domain);
	ck_assert_msg(is == (keys[_i].domain != NULL), "'%s': %d", keys[_i].key, is);
	ck_assert_msg(strcmp(domain.name, is ? keys[_i].domain : "untouched") == 0, "'%s': %s",
	    keys[_i].key, domain.name);
	guard_clear(&g);
}
END_TEST

START_TEST(key_with_nul)
{
	static const char ascii[] = "example.net\0.evil.example", utf8[] = "b\303\274\0.example";
	struct domain domain;

	ck_assert(!request_domain(span_make(ascii, sizeof ascii - 1), &domain));
	ck_assert(!request_domain(span_make(utf8, sizeof utf8 - 1), &domain));
}
END_TEST

/* 253 octets are a name, 254 are none; nor is whatever a request can hold at most. */
START_TEST(key_long)
{
	char text[REQUEST_MAX];
	struct domain domain;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 2 == 0 ? 'a' : '.';
	ck_assert(request_domain(span_make(text, 253), &domain));
	ck_assert(!request_domain(span_make(text, 255), &domain));
	ck_assert(!request_domain(span_make(text, sizeof text), &domain));
	memset(text, '\303', sizeof text);
	ck_assert(!request_domain(span_make(text, sizeof text), &domain));
	for (size_t i = 0; i + 1 < sizeof text; i += 2)
		memcpy(text + i, "\303\274", 2);
	ck_assert(!request_domain(span_make(text, sizeof text), &domain));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("request");
	TCase *tests = tcase_create("request");

	tcase_add_loop_test(tests, payload, 0, (int)(sizeof payloads / sizeof payloads[0]));
	tcase_add_loop_test(tests, key, 0, (int)(sizeof keys / sizeof keys[0]));
	tcase_add_test(tests, key_with_nul);
	tcase_add_test(tests, key_long);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
