/* SPDX-License-Identifier: ISC */
#include "report/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "guard.h"
#include "unit.h"

/* The example of record.c, octet by octet. */
static const char example[] =
    "v1 at=1750000000 domain=a.example type=sts mode=enforce id=20160831085700Z result=failure "
    "finding=certificate-expired policy=sts-policy-fetch-error mx=mx.a.example helo=mx.a.example "
    "ip=192.0.2.1 local=198.51.100.2 detail=certificate\\x20has\\x20expired pattern=*.a.example "
    "string=version:\\x20STSv1 string=mode:\\x20enforce .";

static char line_storage[RECORD_LINE_MAX + 1], text_storage[RECORD_LINE_MAX + 1];

static struct record
example_record(void)
{
	return (struct record){ .at = 1750000000,
		.domain = { "a.example", 9 },
		.type = RECORD_STS,
		.mode = MTASTS_ENFORCE,
		.policy_id = span_of("20160831085700Z"),
		.finding = MTASTS_CERTIFICATE_EXPIRED,
		.policy_finding = MTASTS_STS_POLICY_FETCH_ERROR,
		.mx_host = span_of("mx.a.example"),
		.mx_helo = span_of("mx.a.example"),
		.mx_ip = span_of("192.0.2.1"),
		.local_ip = span_of("198.51.100.2"),
		.detail = span_of("certificate has expired"),
		.n_mx_patterns = 1,
		.mx_patterns = { span_of("*.a.example") },
		.n_policy_strings = 2,
		.policy_strings = { span_of("version: STSv1"), span_of("mode: enforce") } };
}

static const char *
format(const struct record *record)
{
	struct buf line;

	buf_init(&line, line_storage, sizeof line_storage);
	ck_assert_int_eq(record_format(record, &line), 0);
	ck_assert_uint_le(line.n, RECORD_LINE_MAX);
	ck_assert_ptr_null(memchr(line.p, '\n', line.n));
	return line.p;
}

static int
parse(const char *p, size_t n, struct record *record, struct parse_error *error)
{
	struct guard g;

	guard_init(&g, p, n);
	int r = record_parse(g.span, text_storage, sizeof text_storage, record, error);
	guard_clear(&g);
	return r;
}

static struct record
parsed(const char *line)
{
	struct record record;
	struct parse_error error = { .why = "" };

	ck_assert_msg(
	    parse(line, strlen(line), &record, &error) == 0, "%s at %zu", error.why, error.at);
	return record;
}

static void
same_strings(const struct span *a, size_t n, const struct span *b, size_t m)
{
	ck_assert_uint_eq(n, m);
	for (size_t i = 0; i < n; i++)
		ck_assert(span_eq(a[i], b[i]));
}

static void
same(const struct record *a, const struct record *b)
{
	ck_assert_int_eq(a->at, b->at);
	ck_assert_str_eq(a->domain.name, b->domain.name);
	ck_assert_int_eq(a->type, b->type);
	ck_assert_int_eq(a->mode, b->mode);
	ck_assert_int_eq(a->success, b->success);
	ck_assert_int_eq(a->finding, b->finding);
	ck_assert_int_eq(a->policy_finding, b->policy_finding);
	ck_assert(span_eq(a->policy_id, b->policy_id));
	ck_assert(span_eq(a->mx_host, b->mx_host));
	ck_assert(span_eq(a->mx_helo, b->mx_helo));
	ck_assert(span_eq(a->mx_ip, b->mx_ip));
	ck_assert(span_eq(a->local_ip, b->local_ip));
	ck_assert(span_eq(a->detail, b->detail));
	same_strings(a->mx_patterns, a->n_mx_patterns, b->mx_patterns, b->n_mx_patterns);
	same_strings(
	    a->policy_strings, a->n_policy_strings, b->policy_strings, b->n_policy_strings);
}

START_TEST(test_example)
{
	struct record record = example_record();

	ck_assert_str_eq(format(&record), example);
	struct record back = parsed(example);
	same(&record, &back);
}
END_TEST

START_TEST(test_least)
{
	struct record record = { .domain = { "b.example", 9 }, .success = true };
	static const char line[] = "v1 at=0 domain=b.example type=no-policy-found result=success .";

	ck_assert_str_eq(format(&record), line);
	struct record back = parsed(line);
	same(&record, &back);
}
END_TEST

/* Remote text can be neither a second word nor a second line, nor the mark that ends one. */
START_TEST(test_hostile)
{
	static const char octets[] = "a b=c\n\"v1 at=1\\ \r\0'\x7f\xc3\xa9 .";
	struct record record = example_record();

	record.mx_helo = record.detail = span_make(octets, sizeof octets - 1);
	record.policy_strings[0] = record.mx_patterns[0] = record.detail;
	record.policy_strings[1] = span_make("", 0);
	const char *line = format(&record);
	ck_assert_ptr_nonnull(strstr(
	    line, " helo=a\\x20b\\x3Dc\\x0A\\x22v1\\x20at\\x3D1\\x5C\\x20\\x0D\\x00\\x27\\x7F"));
	ck_assert_ptr_null(strstr(line + 1, RECORD_BEGIN));
	struct record back = parsed(line);
	same(&record, &back);
}
END_TEST

/* Every octet in every place. */
START_TEST(test_all_octets)
{
	char text[256];
	struct record record = example_record();

	for (int i = 0; i < 256; i++)
		text[i] = (char)i;
	record.mx_helo = span_make(text, 255);
	record.detail = span_make(text, 256);
	record.policy_strings[0] = record.detail;
	struct record back = parsed(format(&record));
	same(&record, &back);
}
END_TEST

/* Each word, type and finding survives the way there and back. */
START_TEST(test_values)
{
	struct record record = example_record();

	record.finding = (enum mtasts_finding)_i;
	record.policy_finding = (enum mtasts_finding)(MTASTS_DANE_REQUIRED - _i);
	record.type = (enum record_type)(_i % 3);
	record.mode = record.type == RECORD_STS ? (enum mtasts_mode)(_i / 3 % 3) : MTASTS_NONE;
	if (record.type != RECORD_STS)
		record.policy_id = span_make("", 0);
	record.success = _i % 2 != 0;
	struct record back = parsed(format(&record));
	same(&record, &back);
}
END_TEST

static char long_text[65536];

START_TEST(test_policy_strings_go_first)
{
	struct record record = example_record();

	memset(long_text, 'x', sizeof long_text);
	record.n_policy_strings = 4;
	for (size_t i = 0; i < 4; i++)
		record.policy_strings[i] = span_make(long_text, RECORD_STRING_MAX);
	struct record back = parsed(format(&record));
	record.n_policy_strings = 0;
	same(&record, &back);
}
END_TEST

START_TEST(test_patterns_go_next)
{
	struct record record = example_record();

	memset(long_text, '=', sizeof long_text);
	record.n_mx_patterns = RECORD_STRINGS_MAX;
	for (size_t i = 0; i < RECORD_STRINGS_MAX; i++)
		record.mx_patterns[i] = span_make(long_text, RECORD_NAME_MAX);
	struct record back = parsed(format(&record));
	record.n_policy_strings = record.n_mx_patterns = 0;
	same(&record, &back);
}
END_TEST

/* The attempt itself fits, whatever a server says of itself. */
START_TEST(test_fields_are_cut)
{
	struct record record = example_record();
	struct span all = span_make(long_text, sizeof long_text);

	memset(long_text, '\n', sizeof long_text);
	record.mx_host = record.mx_helo = record.mx_ip = record.local_ip = all;
	record.detail = record.policy_id = all;
	struct record back = parsed(format(&record));
	ck_assert_uint_eq(back.mx_host.n, RECORD_NAME_MAX);
	ck_assert_uint_eq(back.mx_helo.n, RECORD_NAME_MAX);
	ck_assert_uint_eq(back.mx_ip.n, RECORD_ADDRESS_MAX);
	ck_assert_uint_eq(back.detail.n, LIMIT_DETAIL);
	ck_assert_uint_eq(back.policy_id.n, LIMIT_ID);
	ck_assert_uint_eq(back.n_policy_strings, 2);
}
END_TEST

START_TEST(test_refused)
{
	struct record record = example_record();
	struct buf line;
	char small[64];

	buf_init(&line, small, sizeof small);
	ck_assert_int_eq(record_format(&record, &line), -1);
	record.at = -1;
	buf_init(&line, line_storage, sizeof line_storage);
	ck_assert_int_eq(record_format(&record, &line), -1);
}
END_TEST

/* A line cut off anywhere is no record. */
START_TEST(test_torn)
{
	for (size_t n = 0; n < sizeof example - 1; n++) {
		struct record record = { .at = 4711 };
		struct parse_error error;
		ck_assert_msg(parse(example, n, &record, &error) == -1, "%zu octets", n);
		ck_assert_int_eq(record.at, 4711);
		ck_assert_ptr_nonnull(error.why);
	}
}
END_TEST

static const struct {
	const char *line, *why;
} malformed[] = {
	{ "v2 at=1 domain=a.example type=sts result=success .", "not a record of this version" },
	{ "v1 domain=a.example at=1 type=sts result=success .", "words out of order" },
	{ "v1 at=1 at=1 domain=a.example type=sts result=success .", "words out of order" },
	{ "v1 at=1 type=sts result=success .", "words out of order" },
	{ "v1 at=1 domain=a.example result=success .", "words out of order" },
	{ "v1 at=1 domain=a.example type=sts finding=validation-failure .", "words out of order" },
	{ "v1 at=1 domain=a.example type=sts .", "cut off" },
	{ "v1 at=1 domain=a.example type=sts result=success . ", "cut off" },
	{ "v1 at=1 domain=a.example type=sts result=success  .", "cut off" },
	{ "v1 at=1  domain=a.example type=sts result=success .", "not a word of a record" },
	{ "v1 at=-1 domain=a.example type=sts result=success .", "no such value" },
	{ "v1 at=9223372036854775808 domain=a.example type=sts result=success .", "no such value" },
	{ "v1 at=1 domain=a..example type=sts result=success .", "no such value" },
	{ "v1 at=1 domain=a.example type=other result=success .", "no such value" },
	{ "v1 at=1 domain=a.example type=tlsa mode=none result=success .", "no such value" },
	{ "v1 at=1 domain=a.example type=sts result=maybe .", "no such value" },
	{ "v1 at=1 domain=a.example type=sts result=failure finding=- .", "no such value" },
	{ "v1 at=1 domain=a.example type=sts result=failure mx= .", "no such value" },
	{ "v1 at=1 domain=a.example type=sts result=failure other=x .", "not a word of a record" },
	{ "v1 at=1 domain=a.example type=sts result=failure mx .", "not a word of a record" },
	{ "v1 at=1 domain=a.example type=sts result=failure mx=a\\ .", "value is not escaped" },
	{ "v1 at=1 domain=a.example type=sts result=failure mx=a\\x4 .", "value is not escaped" },
	{ "v1 at=1 domain=a.example type=sts result=failure mx=a\\x0a .", "value is not escaped" },
	{ "v1 at=1 domain=a.example type=sts result=failure mx=a=b .", "value is not escaped" },
	{ "v1 at=1 domain=a.example type=sts result=failure mx=a\tb .", "value is not escaped" },
};

START_TEST(test_malformed)
{
	struct record record;
	struct parse_error error = { .why = "taken" };

	ck_assert_int_eq(
	    parse(malformed[_i].line, strlen(malformed[_i].line), &record, &error), -1);
	ck_assert_msg(
	    strcmp(error.why, malformed[_i].why) == 0, "%s: %s", malformed[_i].line, error.why);
}
END_TEST

START_TEST(test_storage_too_small)
{
	struct record record;
	struct parse_error error;
	char small[20];

	ck_assert_int_eq(record_parse(span_of(example), small, sizeof small, &record, &error), -1);
	ck_assert_int_eq(record_parse(span_of(example), small, 0, &record, &error), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");

	tcase_add_test(tcase, test_example);
	tcase_add_test(tcase, test_least);
	tcase_add_test(tcase, test_hostile);
	tcase_add_test(tcase, test_all_octets);
	tcase_add_loop_test(tcase, test_values, 0, MTASTS_DANE_REQUIRED + 1);
	tcase_add_test(tcase, test_policy_strings_go_first);
	tcase_add_test(tcase, test_patterns_go_next);
	tcase_add_test(tcase, test_fields_are_cut);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_torn);
	tcase_add_loop_test(tcase, test_malformed, 0, sizeof malformed / sizeof malformed[0]);
	tcase_add_test(tcase, test_storage_too_small);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
