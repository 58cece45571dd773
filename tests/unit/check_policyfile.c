/* SPDX-License-Identifier: ISC
 *
 * What tests/vectors/policies.txt does not say of the policy: what is kept, places, reasons.
 */
#include "parse/policyfile.h"

#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "nomem.h"
#include "unit.h"

/* RFC 8461 3.2, figure 1 */
static const char example[] = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
			      "mx: *.example.net\r\nmx: backupmx.example.com\r\n"
			      "max_age: 604800\r\n";

START_TEST(test_example)
{
	struct policyfile *policy;
	struct parse_error error;
	struct guard g;

	guard_init(&g, example, sizeof example - 1);
	ck_assert_int_eq(policyfile_parse(g.span, NULL, &policy, &error), 0);
	guard_clear(&g); /* nothing of the input is borrowed */
	ck_assert_int_eq(policy->mode, MTASTS_ENFORCE);
	ck_assert_uint_eq(policy->max_age, 604800);
	ck_assert_uint_eq(policy->n_mx, 3);
	ck_assert_str_eq(policy->mx[0].name, "mail.example.com");
	ck_assert(!policy->mx[0].is_wildcard);
	ck_assert_str_eq(policy->mx[1].name, "*.example.net");
	ck_assert(policy->mx[1].is_wildcard);
	ck_assert_uint_eq(policy->mx[1].n, strlen("*.example.net"));
	ck_assert_str_eq(policy->mx[2].name, "backupmx.example.com");
	ck_assert_uint_eq(policy->n_lines, 6);
	ck_assert(span_is(policy->lines[0], "version: STSv1"));
	ck_assert(span_is(policy->lines[3], "mx: *.example.net"));
	ck_assert(span_is(policy->lines[5], "max_age: 604800"));
	policyfile_free(policy);
}
END_TEST

/* RFC 8460 4.2, policy-string: the lines as served, unknown ones too, empty ones not. */
START_TEST(test_lines)
{
	static const char body[] = "\nversion:STSv1 \nx:  y  z\t\r\nmode: none\nMX: B\n"
				   "mx: 192.0.2.1\nmx: A.example.\nmax_age: 99999999";
	static const char *const lines[] = { "version:STSv1", "x:  y  z", "mode: none", "MX: B",
		"mx: 192.0.2.1", "mx: A.example.", "max_age: 99999999" };
	struct policyfile *policy;
	struct parse_error error;

	ck_assert_int_eq(policyfile_parse(span_of(body), NULL, &policy, &error), 0);
	ck_assert_uint_eq(policy->n_lines, sizeof lines / sizeof lines[0]);
	for (size_t i = 0; i < policy->n_lines; i++)
		ck_assert_msg(span_is(policy->lines[i], lines[i]), "%s", lines[i]);
	ck_assert_uint_eq(policy->n_mx, 1);
	ck_assert_str_eq(policy->mx[0].name, "a.example");
	ck_assert_uint_eq(policy->max_age, 31557600);
	policyfile_free(policy);
}
END_TEST

START_TEST(test_format)
{
	struct policyfile *policy;
	struct parse_error error;
	char storage[300];
	struct buf out;

	ck_assert_int_eq(policyfile_parse(span_of(example), NULL, &policy, &error), 0);
	buf_init(&out, storage, sizeof storage);
	policyfile_format(policy, &out);
	ck_assert_str_eq(out.p,
	    "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mail.example.com\n"
	    "mx: *.example.net\nmx: backupmx.example.com\n");
	policyfile_free(policy);
}
END_TEST

#define HEAD "version: STSv1\nmode: enforce\n"

static const struct {
	const char *body;
	size_t at; /* octets */
	const char *sentence;
} refusals[] = {
	{ "", 0, "version is missing" },
	{ "version: STSv1\nmax_age: 1\n", 26, "mode is missing" },
	{ HEAD "mx: a.example\n", 43, "max_age is missing" },
	{ HEAD "max_age: 1\n", 40, "no mx is left that a host could match" },
	{ HEAD "max_age: 1\nmx: ::1\n", 48, "no mx is left that a host could match" },
	{ HEAD "max_age: 00000604800\n", 38, "line 3: max_age has 11 digits" },
	{ HEAD "max_age: \n", 38, "line 3: max_age is empty" },
	{ HEAD "max_age: 60s\n", 40, "line 3: max_age is not a number of seconds" },
	{ "version: STSv2\n", 9, "line 1: version is not STSv1" },
	{ "version: STSv1\nmode: Enforce", 21,
	    "line 2: mode is none of 'enforce', 'testing', 'none'" },
	{ "\xef\xbb\xbfversion: STSv1\n", 0, "line 1: byte order mark before the first field" },
	{ "<html>\n", 0, "line 1: no ':' in the line" },
	{ "# x: y\n", 0, "line 1: field name is not made of letters, digits, '_', '-', '.'" },
	{ "version : STSv1\n", 0,
	    "line 1: field name is not made of letters, digits, '_', '-', '.'" },
	{ "version: STSv1\rmode: enforce\r", 14, "line 1: CR without LF" },
	{ "version: STSv1\n\nx: a\x01", 20, "line 3: control character in the policy" },
	{ "x: a\tb\n", 4, "line 1: tab inside the value of a field" },
	{ "x: \xfc\n", 3, "line 1: the value of a field is not UTF-8" },
	{ HEAD "mx: \n", 33, "line 3: mx is empty" },
	{ HEAD "mx:\t*\n", 33, "line 3: mx has '*' other than as its whole left-most label" },
	{ HEAD "mx: a..b\n", 33, "line 3: mx has an empty label" },
	{ HEAD "mx: a.b, c.d\n", 33,
	    "line 3: mx has an octet that is no letter, digit, '-' or '.'" },
	{ HEAD "mx: a b\n", 33, "line 3: mx has a blank in its name" },
	{ HEAD "mx: a.b-\n", 33, "line 3: mx has a label that begins or ends with '-'" },
};

START_TEST(test_reason)
{
	struct policyfile *policy = NULL;
	struct parse_error error = { 0 };
	char storage[200];
	struct buf out;
	struct guard g;

	guard_init(&g, refusals[_i].body, strlen(refusals[_i].body));
	ck_assert_int_eq(policyfile_parse(g.span, NULL, &policy, &error), POLICYFILE_INVALID);
	ck_assert_ptr_null(policy);
	buf_init(&out, storage, sizeof storage);
	reason_put(&out, REASON_LINE, &error);
	ck_assert_str_eq(out.p, refusals[_i].sentence);
	ck_assert_msg(error.at == refusals[_i].at, "%s: at %zu", out.p, error.at);
	guard_clear(&g);
}
END_TEST

START_TEST(test_nul)
{
	struct policyfile *policy = NULL;
	struct parse_error error = { 0 };

	ck_assert_int_eq(
	    policyfile_parse(span_make("x: a\0b\n", 7), NULL, &policy, &error), POLICYFILE_INVALID);
	ck_assert_str_eq(error.why, "NUL in the policy");
	ck_assert_uint_eq(error.at, 4);
}
END_TEST

static void
remember(void *arg, const struct parse_error *slip)
{
	reason_put(arg, REASON_LINE, slip);
	buf_puts(arg, "\n");
}

/* R3.2.5 */
static const struct {
	const char *body, *slips;
} warnings[] = {
	{ HEAD "mx: a.example\nmax_age: 31557600\nmode: none\nmax_age: 99999999999\n", "" },
	{ HEAD "mx: a.example\nmax_age: 31557601\n",
	    "line 4: max_age is over 31557600, which is what counts\n" },
	{ "\n" HEAD "mx: a.example\n \nmax_age: 1\n\n",
	    "line 1: empty line\nline 5: empty line\nline 7: empty line\n" },
	{ HEAD "mx: a_b.example.\nmax_age: 1\n",
	    "line 3: mx ends in a dot\nline 3: mx has an underscore\n" },
	{ HEAD "mx: 192.0.2.1\nmx: a.example\nmax_age: 1\n",
	    "line 3: mx is an address, which matches no host: dropped\n" },
	{ HEAD "mx: a.example\nmax_age: 1\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:",
	    "line 5: unknown field without value\nline 5: field name has 33 characters\n" },
};

START_TEST(test_warning)
{
	struct policyfile *policy;
	struct parse_error error;
	char storage[300];
	struct buf out;
	struct reason_sink sink = { remember, &out };

	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(policyfile_parse(span_of(warnings[_i].body), &sink, &policy, &error), 0);
	ck_assert_str_eq(out.p, warnings[_i].slips);
	policyfile_free(policy);
}
END_TEST

START_TEST(test_nomem)
{
	struct policyfile *policy = NULL;
	struct parse_error error;
	int r = MTASTS_ENOMEM;

	for (size_t n = 0; r != 0; n++) {
		nomem_after(n);
		r = policyfile_parse(span_of(example), NULL, &policy, &error);
		size_t asked = nomem_end();
		ck_assert_uint_le(asked, 1); /* one allocation */
		ck_assert(r == 0 || (r == MTASTS_ENOMEM && policy == NULL));
	}
	policyfile_free(policy);
	policyfile_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policyfile");
	TCase *tcase = tcase_create("policyfile");

	tcase_add_test(tcase, test_example);
	tcase_add_test(tcase, test_lines);
	tcase_add_test(tcase, test_format);
	tcase_add_loop_test(tcase, test_reason, 0, sizeof refusals / sizeof refusals[0]);
	tcase_add_test(tcase, test_nul);
	tcase_add_loop_test(tcase, test_warning, 0, sizeof warnings / sizeof warnings[0]);
	tcase_add_test(tcase, test_nomem);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
