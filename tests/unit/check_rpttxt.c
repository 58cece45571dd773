/* SPDX-License-Identifier: ISC
 *
 * RFC 8460 3, rows r01 to r20.
 */
#include "parse/rpttxt.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "guard.h"
#include "unit.h"

#define R "v=TLSRPTv1; rua="

/* targets: "mailto mailbox" or "https host port path", one a line; NULL: no reports. */
static const struct {
	const char *name, *record, *targets;
	size_t warnings;
} cases[] = {
	{ "r01", "v=TLSRPTv1;rua=mailto:reports@example.com", "mailto reports@example.com\n", 0 },
	{ "r02", R "https://reporting.example.com/v1/tlsrpt",
	    "https reporting.example.com 443 /v1/tlsrpt\n", 0 },
	{ "r03", R "mailto:a@b.example , \t https://c.example/x  ",
	    "mailto a@b.example\nhttps c.example 443 /x\n", 1 },
	{ "r04", "v=TLSRPTv1 ; rua=mailto:x@x.example; rua=mailto:y@x.example",
	    "mailto x@x.example\nmailto y@x.example\n", 0 },
	{ "r05", R "mailto:a@b.example; ext=yes", "mailto a@b.example\n", 0 },
	{ "r05 first", "v=TLSRPTv1; ext=yes; rua=mailto:a@b.example;", "mailto a@b.example\n", 0 },
	{ "r05 bad", R "mailto:a@b.example; ext=y=s", NULL, 0 },
	{ "r06", "v=TLSRPTv1", NULL, 0 },
	{ "r06 delimiter", "v=TLSRPTv1;", NULL, 0 },
	{ "r06 extension", "v=TLSRPTv1; ext=1", NULL, 0 },
	{ "r06 upper case", "v=TLSRPTv1; RUA=mailto:a@b.example", NULL, 0 },
	{ "r07", R "", NULL, 0 },
	{ "r07 commas", R ",, ,", NULL, 0 },
	{ "r07 comma at the end", R "mailto:a@b.example,", NULL, 0 },
	{ "r07 blank first", R " mailto:a@b.example", NULL, 0 },
	{ "r08", R "noscheme", "", 1 },
	{ "r09 http", R "http://x.example/", "", 1 },
	{ "r09 ftp", R "ftp://x.example/", "", 1 },
	{ "r09 file", R "file:///etc/passwd", "", 1 },
	{ "r09 beside", R "http://x.example/,mailto:a@b.example", "mailto a@b.example\n", 1 },
	{ "r09 upper case", R "HTTPS://X.Example/P,MailTo:A@X.example",
	    "https x.example 443 /P\nmailto A@x.example\n", 0 },
	{ "r10 comma", R "mailto:a%2Cb@x.example", "mailto \"a,b\"@x.example\n", 0 },
	{ "r10 all three", R "mailto:a%21b%3bc@x.example,https://x.example/a%2Cb",
	    "mailto \"a!b;c\"@x.example\nhttps x.example 443 /a%2Cb\n", 0 },
	{ "r10 in the domain", R "mailto:a@x%2Eexample", "mailto a@x.example\n", 0 },
	{ "r10 cut", R "mailto:a%2", "", 1 },
	{ "r10 no digits", R "mailto:a%zz@x.example", "", 1 },
	{ "r10 line end", R "mailto:a%0d%0aBcc:b@x.example", "", 1 },
	{ "r10 NUL", R "mailto:a%00@x.example", "", 1 },
	{ "r10 8-bit", R "mailto:%c3%a9@x.example", "", 1 },
	{ "r10 quote", R "mailto:a%22%5C%20b@x.example", "mailto \"a\\\"\\\\ b\"@x.example\n", 0 },
	{ "r10 second at", R "mailto:a%40b@x.example", "mailto \"a@b\"@x.example\n", 0 },
	{ "r11", R "mailto:a@x.example?subject=foo", "mailto a@x.example\n", 0 },
	{ "r11 size", R "mailto:a@x.example!10m", "mailto a@x.example\n", 0 },
	{ "r11 size, https", R "https://x.example/r!5", "https x.example 443 /r\n", 0 },
	{ "r12", R "mailto:a@x.example other", NULL, 0 },
	{ "r15 longer", "v=TLSRPTv10; rua=mailto:a@x.example", NULL, 0 },
	{ "r15 lower", "v=tlsrptv1; rua=mailto:a@x.example", NULL, 0 },
	{ "r17", R "mailto:x@vendor.example", "mailto x@vendor.example\n", 0 },
	{ "r18", R "https://127.0.0.1/", "", 1 },
	{ "r18 IPv6", R "https://[::1]/", "", 1 },
	{ "r18 number", R "https://2130706433/", "", 1 },
	{ "r18 user", R "https://x.example@127.0.0.1/", "", 1 },
	{ "r18 user before a name", R "https://user:pw@x.example/", "", 1 },
	{ "r19", R "tls@example.com", "", 1 },
	{ "https without a path", R "https://x.example", "https x.example 443 /\n", 0 },
	{ "https with a query alone", R "https://x.example?a=b", "https x.example 443 /?a=b\n", 0 },
	{ "https with a fragment", R "https://x.example/a#b", "https x.example 443 /a\n", 0 },
	{ "https with a port", R "https://x.example:8443/a", "https x.example 8443 /a\n", 0 },
	{ "https with an empty port", R "https://x.example:/a", "https x.example 443 /a\n", 0 },
	{ "https with port 0", R "https://x.example:0/a", "", 1 },
	{ "https with port 65536", R "https://x.example:65536/a", "", 1 },
	{ "https without a host", R "https:///a", "", 1 },
	{ "https without slashes", R "https:x.example/a", "", 1 },
	{ "https alone", R "https:", "", 1 },
	{ "mailto alone", R "mailto:", "", 1 },
	{ "mailto without a local part", R "mailto:@x.example", "", 1 },
	{ "mailto without a domain", R "mailto:a@", "", 1 },
	{ "mailto at an address", R "mailto:a@[192.0.2.1]", "", 1 },
	{ "mailto like an option", R "mailto:-oQ/tmp@x.example", "mailto \"-oQ/tmp\"@x.example\n",
	    0 },
	{ "mailto with dots", R "mailto:.a..b.@x.example", "mailto \".a..b.\"@x.example\n", 0 },
	{ "mailto with a plus", R "mailto:a+b.c@x.example", "mailto a+b.c@x.example\n", 0 },
	{ "8-bit", R "mailto:\xc3\xa9@x.example", NULL, 0 },
};

static void
count(void *arg, const struct parse_error *slip)
{
	ck_assert_uint_gt(slip->line, 0);
	++*(size_t *)arg;
}

static void
targets_put(struct buf *out, const struct rpttxt *record)
{
	for (size_t i = 0; i < record->n; i++) {
		const struct rpttxt_target *target = &record->target[i];
		switch (target->scheme) {
		case RPTTXT_MAILTO:
			buf_printf(out, "mailto %s\n", target->text);
			break;
		case RPTTXT_HTTPS:
			buf_printf(out, "https %s %u %s\n", target->host.name,
			    (unsigned)target->port, target->text);
			break;
		}
	}
}

START_TEST(test_record)
{
	struct rpttxt record;
	struct parse_error error = { 0 };
	size_t warnings = 0;
	struct reason_sink sink = { count, &warnings };
	char storage[1000];
	struct buf out;
	struct guard g;

	guard_init(&g, cases[_i].record, strlen(cases[_i].record));
	int r = rpttxt_parse(&g.span, 1, &sink, &record, &error);
	ck_assert_msg(
	    r == (cases[_i].targets == NULL ? -1 : 0), "%s: %s", cases[_i].name, error.why);
	if (r == 0) {
		buf_init(&out, storage, sizeof storage);
		targets_put(&out, &record);
		ck_assert_msg(
		    strcmp(out.p, cases[_i].targets) == 0, "%s: %s", cases[_i].name, out.p);
		ck_assert_msg(warnings == cases[_i].warnings, "%s: %zu", cases[_i].name, warnings);
	} else {
		ck_assert_ptr_nonnull(error.why);
	}
	guard_clear(&g);
}
END_TEST

START_TEST(test_set)
{
	struct span set[3] = { span_of(R "mailto:a@x.example"), span_of(R "mailto:b@x.example"),
		span_of("v=spf1 -all") };
	struct rpttxt record;
	struct parse_error error = { 0 };

	/* r13 */
	ck_assert_int_eq(rpttxt_parse(set, 3, NULL, &record, &error), -1);
	ck_assert_uint_eq(error.number, 2);
	/* r14 */
	ck_assert_int_eq(rpttxt_parse(set + 1, 2, NULL, &record, &error), 0);
	ck_assert_str_eq(record.target[0].text, "b@x.example");
	ck_assert_int_eq(rpttxt_parse(set, 0, NULL, &record, &error), -1);
}
END_TEST

/* r20: forty URIs; the first sixteen are kept, however long quoting makes them. */
START_TEST(test_many)
{
	char text[LIMIT_TXT_SET];
	struct rpttxt record;
	struct parse_error error;
	size_t warnings = 0;
	struct reason_sink sink = { count, &warnings };
	struct buf out;

	buf_init(&out, text, sizeof text);
	buf_puts(&out, R);
	for (int i = 0; i < 40; i++)
		buf_printf(&out, "%smailto:a%d%s@x.example", i == 0 ? "" : ",", i,
		    "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
		    "\"");
	ck_assert(!out.full);
	struct span one = span_make(out.p, out.n);
	ck_assert_int_eq(rpttxt_parse(&one, 1, &sink, &record, &error), 0);
	ck_assert_uint_eq(record.n, LIMIT_RUA);
	ck_assert_uint_eq(warnings, 40 - LIMIT_RUA);
	ck_assert_str_eq(record.target[LIMIT_RUA - 1].host.name, "x.example");
}
END_TEST

START_TEST(test_long)
{
	char text[LIMIT_TXT_SET + 1];
	struct rpttxt record;
	struct parse_error error;

	memset(text, 'a', sizeof text);
	struct span one = span_make(text, LIMIT_TXT_SET);
	memcpy(text, R "https://x.example/", strlen(R "https://x.example/"));
	ck_assert_int_eq(rpttxt_parse(&one, 1, NULL, &record, &error), 0);
	ck_assert_uint_eq(
	    strlen(record.target[0].text), LIMIT_TXT_SET - strlen(R "https://x.example"));
	one.n++;
	ck_assert_int_eq(rpttxt_parse(&one, 1, NULL, &record, &error), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rpttxt");
	TCase *tcase = tcase_create("rpttxt");

	tcase_add_loop_test(tcase, test_record, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, test_set);
	tcase_add_test(tcase, test_many);
	tcase_add_test(tcase, test_long);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
