/* SPDX-License-Identifier: ISC
 *
 * What answers mean, and the words for it: what people will read in their logs.
 */
#include "engine/evidence.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "unit.h"

enum { MANY = LIMIT_TXT_RECORDS + 1 };

static struct guard guards[MANY];
static struct span rdata[MANY];

/* One string a record; more than 255 octets go into several. */
static void
record_put(size_t i, const char *text, size_t n)
{
	char out[LIMIT_TXT_SET + 64], *p = out;

	while (n != 0) {
		size_t part = n < 255 ? n : 255;
		*p++ = (char)part;
		memcpy(p, text, part);
		p += part;
		text += part;
		n -= part;
	}
	guard_init(&guards[i], out, (size_t)(p - out));
	rdata[i] = guards[i].span;
}

static enum evidence_txt
weigh(enum net_state state, size_t n, char *words, size_t cap)
{
	struct net_answer answer = {
		.state = state, .n = n, .rdata = rdata, .reason = "timed out"
	};
	struct ststxt record;
	struct buf reason;

	buf_init(&reason, words, cap);
	enum evidence_txt txt = evidence_txt(&answer, NULL, &record, &reason);
	if (txt == EVIDENCE_RECORD)
		ck_assert_str_eq(record.id, "A");
	for (size_t i = 0; i < n; i++)
		guard_clear(&guards[i]);
	return txt;
}

static const struct {
	enum net_state state;
	const char *text;
	enum evidence_txt txt;
	const char *reason;
} records[] = {
	{ NET_ANSWERED, "v=STSv1; id=A;", EVIDENCE_RECORD, "" },
	{ NET_ANSWERED, "v=spf1", EVIDENCE_ABSENT, "no record begins with v=STSv1;" },
	{ NET_ANSWERED, "v=STSv1; id=;", EVIDENCE_ABSENT, "record 1, octet 13: id is empty" },
	{ NET_NO_DATA, NULL, EVIDENCE_ABSENT, "no TXT record" },
	{ NET_NO_NAME, NULL, EVIDENCE_ABSENT, "no TXT record" },
	{ NET_UNKNOWN, NULL, EVIDENCE_UNKNOWN, "timed out" },
	{ NET_FAULT, NULL, EVIDENCE_FAULT, "timed out" },
};

START_TEST(test_txt)
{
	char words[256];
	size_t n = 0;

	if (records[_i].text != NULL)
		record_put(n++, records[_i].text, strlen(records[_i].text));
	ck_assert_int_eq(
	    (int)weigh(records[_i].state, n, words, sizeof words), (int)records[_i].txt);
	ck_assert_str_eq(words, records[_i].reason);
}
END_TEST

/* As many records, and as many octets, as there may be; and one more. */
START_TEST(test_limits)
{
	static char large[LIMIT_TXT_SET + 1];
	char words[256];
	size_t n;

	for (n = 0; n < LIMIT_TXT_RECORDS; n++)
		record_put(n, n == 7 ? "v=STSv1; id=A;" : "x", n == 7 ? 14 : 1);
	ck_assert_int_eq((int)weigh(NET_ANSWERED, n, words, sizeof words), EVIDENCE_RECORD);
	for (n = 0; n < MANY; n++)
		record_put(n, n == 7 ? "v=STSv1; id=A;" : "x", n == 7 ? 14 : 1);
	ck_assert_int_eq((int)weigh(NET_ANSWERED, n, words, sizeof words), EVIDENCE_ABSENT);
	ck_assert_str_eq(words, "too many TXT records");

	memset(large, 'x', sizeof large);
	record_put(0, "v=STSv1; id=A;", 14);
	record_put(1, large, LIMIT_TXT_SET - 14 - 17); /* lengths counted: 17 strings */
	ck_assert_int_eq((int)weigh(NET_ANSWERED, 2, words, sizeof words), EVIDENCE_RECORD);
	record_put(0, "v=STSv1; id=A;", 14);
	record_put(1, large, LIMIT_TXT_SET);
	ck_assert_int_eq((int)weigh(NET_ANSWERED, 2, words, sizeof words), EVIDENCE_ABSENT);
	ck_assert_str_eq(words, "TXT records too large");
}
END_TEST

/* Strings that are longer than their record are the resolver's doing. */
START_TEST(test_malformed)
{
	char words[256];

	guard_init(&guards[0], "\x20v=STSv1; id=A;", 15);
	rdata[0] = guards[0].span;
	ck_assert_int_eq((int)weigh(NET_ANSWERED, 1, words, sizeof words), EVIDENCE_UNKNOWN);
	ck_assert_str_eq(words, "TXT record is malformed");
}
END_TEST

#define GOOD "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 60\n"

static const struct {
	enum net_fetch_state state;
	unsigned status;
	const char *type, *body;
	int result;
	enum mtasts_finding finding;
	const char *reason;
} pages[] = {
	{ NET_FETCHED, 200, "text/plain", GOOD, 0, 0, "" },
	{ NET_FETCHED, 404, "text/plain", GOOD, 1, MTASTS_STS_POLICY_FETCH_ERROR, "status 404" },
	{ NET_FETCHED, 204, "text/plain", GOOD, 1, MTASTS_STS_POLICY_FETCH_ERROR, "status 204" },
	{ NET_FETCHED, 200, "text/html", GOOD, 1, MTASTS_STS_POLICY_INVALID,
	    "media type is not text/plain: text/html" },
	{ NET_FETCHED, 200, "a b=\"\x01\"", GOOD, 1, MTASTS_STS_POLICY_INVALID,
	    "media type is not text/plain: a\\x20b\\x3D\\x22\\x01\\x22" },
	{ NET_FETCHED, 200, "text/plain", "mode: enforce\n", 1, MTASTS_STS_POLICY_INVALID,
	    "version is missing" },
	{ NET_FETCHED, 200, "text/plain", "version: STSv1\nmode: x\n", 1, MTASTS_STS_POLICY_INVALID,
	    "line 2: mode is none of 'enforce', 'testing', 'none'" },
	{ NET_BAD_CERTIFICATE, 0, "", "", 1, MTASTS_STS_WEBPKI_INVALID, "expired" },
	{ NET_FETCH_FAILED, 0, "", "", 1, MTASTS_STS_POLICY_FETCH_ERROR, "expired" },
};

START_TEST(test_page)
{
	enum mtasts_finding finding = MTASTS_NOTHING_WRONG;
	struct policyfile *file = NULL;
	struct net_page page = { .state = pages[_i].state,
		.status = pages[_i].status,
		.media_type = span_of(pages[_i].type),
		.body = span_of(pages[_i].body),
		.reason = "expired" };
	struct buf reason;
	char words[256];

	buf_init(&reason, words, sizeof words);
	ck_assert_int_eq(evidence_page(&page, NULL, &file, &finding, &reason), pages[_i].result);
	ck_assert_int_eq((int)finding, (int)pages[_i].finding);
	ck_assert_str_eq(words, pages[_i].reason);
	ck_assert((file != NULL) == (pages[_i].result == 0));
	policyfile_free(file);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("evidence");
	TCase *tcase = tcase_create("evidence");

	tcase_add_loop_test(tcase, test_txt, 0, sizeof records / sizeof records[0]);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_malformed);
	tcase_add_loop_test(tcase, test_page, 0, sizeof pages / sizeof pages[0]);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
