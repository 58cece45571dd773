/* SPDX-License-Identifier: ISC
 *
 * The judge of a packaged sendmail: keys good and bad, what each of sendmail's words comes to,
 * which sessions leave a record; over the engine of the tests, whose judge and decide are real.
 */
#include "socketmap/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_fake.h"
#include "guard.h"
#include "nomem.h"
#include "sample.h"
#include "socketmap/told.h"
#include "unit.h"

#define SESSION "12073/1/4AMJd2mo012073"
#define HOST	"198.51.100.7/mx.example.net"
#define KEY	"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net./end"

/* ---- keys ---- */

static int
parse(const char *key, struct verdict_request *request)
{
	struct guard guard;

	guard_init(&guard, key, strlen(key));
	int r = verdict_parse(guard.span, request);
	guard_clear(&guard);
	return r;
}

START_TEST(test_whole)
{
	struct verdict_request request;

	ck_assert_int_eq(verdict_parse(span_of(KEY), &request), 0);
	ck_assert_int_eq((int)request.kind, VERDICT_RCPT);
	ck_assert(request.has_domain);
	ck_assert_str_eq(request.domain.name, "example.net");
	ck_assert(span_is(request.attempt, "12073"));
	ck_assert(span_is(request.id, "4AMJd2mo012073"));
	ck_assert_uint_eq(request.session, 1);
	ck_assert(span_is(request.verify, "OK"));
	ck_assert(span_is(request.version, "TLSv1.3"));
	ck_assert(request.is_named);
	ck_assert_str_eq(request.mx, "mx.example.net");
	ck_assert_str_eq(request.mx_ip, "198.51.100.7");
}
END_TEST

/* Next hop and host: which domain is asked for, "-" for none. */
static const struct {
	const char *hop, *mx, *domain;
} hops[] = {
	{ "example.net.", "mx.example.net.", "example.net" },
	{ "Example.NET", "MX.Example.NET", "example.net" },
	{ "[relay.example]", "relay.example", "relay.example" }, /* t53, R3.4.1 */
	{ "[relay.example]", "[relay.example]", "relay.example" },
	{ "relay.example", "mx1.relay.example", "relay.example" },
	{ "[192.0.2.1]", "[192.0.2.1]", "-" }, /* R3.4.2 */
	{ "[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]", "-" },
	{ "192.0.2.1", "192.0.2.1", "-" },
	{ "a_b.example", "mx_1.example", "a_b.example" },
	{ "xn--bcher-kva.example", "mx.example", "xn--bcher-kva.example" },
	/* lists of hosts */
	{ "[a.example]:[b.example]", "b.example", "b.example" },
	{ "a.example:b.example", "a.example", "a.example" },
	{ "[192.0.2.1]:[b.example]", "b.example", "b.example" },
	{ "[IPv6:2001:db8::1]:b.example.", "b.example", "b.example" },
	{ "a.example,b.example", "b.example", "b.example" },
	{ "a.example:b.example", "mx.b.example", NULL },
	{ "a.example:", "mx.b.example", NULL },
	{ "[192.0.2.1]:[192.0.2.2]", "192.0.2.2", NULL },
	/* what is none */
	{ "", "mx.example.net", NULL },
	{ ".", "mx.example.net", NULL },
	{ "[]", "mx.example.net", NULL },
	{ "[", "mx.example.net", NULL },
	{ "[a.example", "mx.example.net", NULL },
	{ "b\303\274cher.example", "mx.example", NULL },
	{ "example.net", "", NULL },
	{ "example.net", ".", NULL },
	{ "example.net", "mx.example.net\\", NULL },
	{ "example.net", "\"mx.example.net\"", NULL },
	{ "example.net", "mx example.net", NULL },
	{ "example.net", "mx.example.net/example.org", NULL }, /* no name brings a slash in */
	{ "example.net/end", "mx.example.net", NULL },
	{ "u@example.net", "mx.example.net", NULL },
};

START_TEST(test_hop)
{
	struct verdict_request request;
	char key[1024];

	snprintf(key, sizeof key, "rcpt/" SESSION "/OK/SAN/TLSv1.3/198.51.100.7/%s/%s/end",
	    hops[_i].mx, hops[_i].hop);
	int r = parse(key, &request);
	ck_assert_msg((r == 0) == (hops[_i].domain != NULL), "%s: %d", key, r);
	if (r == 0)
		ck_assert_msg(
		    strcmp(request.has_domain ? request.domain.name : "-", hops[_i].domain) == 0,
		    "%s: %s", key, request.domain.name);
}
END_TEST

START_TEST(test_malformed)
{
	static const char *const keys[] = { "", "/", "rcpt", "rcpt/", "end", "RCPT/",
		"x/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net/end",
		/* cut, as sendmail cuts what is too long */
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net/en",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net/",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST,
		/* too much */
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net/end/",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net/x/end",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/" HOST "/example.net/end<TMPF>",
		/* words that the ruleset does not make */
		"rcpt//1/4AMJd2mo012073/OK/SAN/TLSv1.3/" HOST "/example.net/end",
		"rcpt/x/1/4AMJd2mo012073/OK/SAN/TLSv1.3/" HOST "/example.net/end",
		"rcpt/1/-1/4AMJd2mo012073/OK/SAN/TLSv1.3/" HOST "/example.net/end",
		"rcpt/1/99999999999/4AMJd2mo012073/OK/SAN/TLSv1.3/" HOST "/example.net/end",
		"rcpt/1/1//OK/SAN/TLSv1.3/" HOST "/example.net/end",
		"rcpt/1/1/4AMJ d2mo/OK/SAN/TLSv1.3/" HOST "/example.net/end",
		"rcpt/1/1/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/OK/SAN/TLSv1.3/" HOST "/a.example/end",
		"rcpt/" SESSION "/O K/SAN/TLSv1.3/" HOST "/example.net/end",
		"rcpt/" SESSION "/OK/san/TLSv1.3/" HOST "/example.net/end",
		"rcpt/" SESSION "/OK//TLSv1.3/" HOST "/example.net/end",
		"rcpt/" SESSION "/OK/SAN/TLS:1/" HOST "/example.net/end",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/198.51.100/mx.example.net/example.net/end",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/2001:db8::1/mx.example.net/example.net/end",
		"rcpt/" SESSION "/OK/SAN/TLSv1.3/IPv6:/mx.example.net/example.net/end" };
	struct verdict_request request = { .session = 7 };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		ck_assert_msg(parse(keys[i], &request) == -1, "%s", keys[i]);
	ck_assert_uint_eq(request.session, 7);
}
END_TEST

/* Octets of all kinds in the place of the host; and a key of sendmail's limit, and beyond. */
START_TEST(test_octets)
{
	struct verdict_request request;
	char key[2 * VERDICT_KEY];

	for (int c = 0; c < 256; c++) {
		int n = snprintf(key, sizeof key,
		    "rcpt/" SESSION "/OK/SAN/TLSv1.3/198.51.100.7/mx#.example.net/example.net/end");
		char *at = strchr(key, '#');
		*at = (char)c;
		bool is_good = is_alnum((char)c) || c == '-' || c == '_' || c == '.';
		if (c == '.' || c == '-') /* an empty label, a hyphen at the end of one */
			is_good = false;
		ck_assert_msg(
		    (verdict_parse(span_make(key, (size_t)n), &request) == 0) == is_good, "%d", c);
	}
	memset(key, 'a', sizeof key);
	memcpy(key, "rcpt/", 5);
	ck_assert_int_eq(verdict_parse(span_make(key, VERDICT_KEY), &request), -1);
	ck_assert_int_eq(verdict_parse(span_make(key, sizeof key), &request), -1);
}
END_TEST

/* No value of sendmail's is known, and it is a good key. */
START_TEST(test_least)
{
	struct verdict_request request;

	ck_assert_int_eq(verdict_parse(span_of("rcpt/1//A//-///a/b/end"), &request), 0);
	ck_assert_uint_eq(request.session, 0);
	ck_assert_str_eq(request.mx_ip, "");
	ck_assert(!request.is_named);
	ck_assert_int_eq(
	    verdict_parse(span_of("server/1/1/A/SOFTWARE/-//IPv6:2001:db8::1/a/b/end"), &request),
	    0);
	ck_assert_int_eq((int)request.kind, VERDICT_SERVER);
	ck_assert_str_eq(request.mx_ip, "2001:db8::1");
}
END_TEST

/* ---- answers ---- */

static struct mtasts *ctx;
static struct verdict *verdict;

static const struct fake_domain nothing[] = { { .name = NULL } };

static void
setup(void)
{
	fake_reset(nothing);
	ck_assert_int_eq(mtasts_new(NULL, NULL, NULL, &ctx), 0);
	verdict = verdict_new();
	ck_assert_ptr_nonnull(verdict);
}

static void
teardown(void)
{
	verdict_free(verdict);
	mtasts_free(ctx);
}

static const char *
ask(const struct mtasts_policy *policy, const char *key)
{
	static char storage[VERDICT_ANSWER];
	struct verdict_request request;
	struct buf out;

	ck_assert_msg(verdict_parse(span_of(key), &request) == 0, "%s", key);
	buf_init(&out, storage, sizeof storage);
	verdict_answer(verdict, ctx, policy, &request, &out);
	ck_assert(!out.full);
	return storage;
}

#define REFUSED(reason)                                                                            \
	"E:451:4.7.5:\"Remote certificate failed MTA-STS validation. Reason: " reason              \
	"; will retry\""
#define OUTSIDE "E:451:4.4.8:\"MX hosts of 'example.net' failed MTA-STS validation; will retry\""

/* What sendmail says of TLS, what is answered where the policy is enforced, what is recorded. */
static const struct {
	const char *name, *tls, *answer, *record;
} words[] = {
	{ "good", "OK/SAN/TLSv1.3", "ok", "success" },
	{ "TLS 1.2", "OK/SAN/TLSv1.2", "ok", "success" },
	{ "another's certificate", "OK/NOSAN/TLSv1.3", REFUSED("certificate-host-mismatch"),
	    "certificate-host-mismatch no name in the certificate is the host's" },
	{ "no word of the name", "OK/-/TLSv1.3", REFUSED("certificate-host-mismatch"),
	    "certificate-host-mismatch no name in the certificate is the host's" },
	{ "TLS 1.1 (R7.2.1)", "OK/SAN/TLSv1.1", REFUSED("validation-failure"),
	    "validation-failure TLSv1.1" },
	{ "TLS 1.0", "OK/SAN/TLSv1", REFUSED("validation-failure"), "validation-failure TLSv1" },
	{ "SSL", "OK/NOSAN/SSLv3", REFUSED("validation-failure"), "validation-failure SSLv3" },
	{ "no version", "OK/SAN/", REFUSED("validation-failure"),
	    "validation-failure no TLS version" },
	{ "chain", "FAIL/SAN/TLSv1.3", REFUSED("certificate-not-trusted"),
	    "certificate-not-trusted verify=FAIL" },
	{ "no certificate", "NO/NOSAN/TLSv1.3", REFUSED("validation-failure"),
	    "validation-failure no certificate" },
	{ "not asked for", "NOT/NOSAN/TLSv1.3", REFUSED("validation-failure"),
	    "validation-failure no certificate" },
	{ "no STARTTLS", "NONE/NOSAN/", REFUSED("starttls-not-supported"),
	    "starttls-not-supported not offered" },
	{ "454", "TEMP/SAN/", REFUSED("starttls-not-supported"), "starttls-not-supported refused" },
	{ "502", "PROTOCOL/SAN/", REFUSED("starttls-not-supported"),
	    "starttls-not-supported refused" },
	{ "handshake", "SOFTWARE/SAN/", REFUSED("validation-failure"),
	    "validation-failure handshake failed" },
	{ "in clear", "CLEAR/SAN/", REFUSED("validation-failure"), "" },
	{ "our own", "CONFIG/SAN/TLSv1.3", REFUSED("validation-failure"), "" },
	{ "unheard of", "NEW/SAN/TLSv1.3", REFUSED("validation-failure"),
	    "validation-failure verify=NEW" },
	{ "nothing", "/SAN/TLSv1.3", REFUSED("validation-failure"), "validation-failure verify=" },
	{ "case", "ok/SAN/TLSv1.3", REFUSED("validation-failure"), "validation-failure verify=ok" },
	{ "DANE", "TRUSTED/NOSAN/TLSv1.3", "ok", "dane success" },
	{ "DANE failed", "DANE_FAIL/SAN/TLSv1.3", REFUSED("validation-failure"),
	    "dane validation-failure verify=DANE_FAIL" },
	{ "DANE and no TLS", "DANE_NOTLS/NOSAN/", REFUSED("starttls-not-supported"),
	    "dane starttls-not-supported verify=DANE_NOTLS" },
};

static void
records_are(const char *name, const char *host, const char *what)
{
	char wanted[512] = "";

	if (what[0] != '\0')
		snprintf(wanted, sizeof wanted, "%s %s\n", host, what);
	ck_assert_msg(strcmp(fake.records, wanted) == 0, "%s: %s", name, fake.records);
}

START_TEST(test_words)
{
	struct mtasts_policy *policy =
	    sample_policy(MTASTS_PUBLISHED, "enforce", "mx: mx.example.net\n");
	char key[512];

	snprintf(key, sizeof key, "rcpt/" SESSION "/%s/" HOST "/example.net./end", words[_i].tls);
	const char *answer = ask(policy, key);
	ck_assert_msg(strcmp(answer, words[_i].answer) == 0, "%s: %s", words[_i].name, answer);
	records_are(words[_i].name, "mx.example.net", words[_i].record);
	mtasts_policy_free(policy);
}
END_TEST

/* The same where it is only tested: what is wrong is recorded, and nothing refused but by DANE. */
START_TEST(test_words_testing)
{
	struct mtasts_policy *policy =
	    sample_policy(MTASTS_PUBLISHED, "testing", "mx: mx.example.net\n");
	char key[512];

	snprintf(key, sizeof key, "rcpt/" SESSION "/%s/" HOST "/example.net./end", words[_i].tls);
	bool is_dane = strncmp(words[_i].tls, "DANE_", 5) == 0;
	const char *answer = ask(policy, key);
	ck_assert_msg((strcmp(answer, "ok") == 0) != is_dane, "%s: %s", words[_i].name, answer);
	records_are(words[_i].name, "mx.example.net", words[_i].record);
	mtasts_policy_free(policy);
}
END_TEST

/* RFC 8461 4.1: the MX name, DANE or not; DANE of an unsigned domain's MX proves nothing. */
START_TEST(test_outside)
{
	struct mtasts_policy *policy =
	    sample_policy(MTASTS_PUBLISHED, "enforce", "mx: *.example.net\n");

	ck_assert_str_eq(ask(policy, KEY), "ok");
	fake.records[0] = '\0';
	ck_assert_str_eq(
	    ask(policy, "rcpt/" SESSION "/OK/SAN/TLSv1.3/198.51.100.7/mx.attacker.example/b/end"),
	    OUTSIDE);
	records_are("name", "mx.attacker.example", "validation-failure");
	ck_assert_str_eq(
	    ask(policy, "rcpt/1/2/A/TRUSTED/SAN/TLSv1.3/198.51.100.7/a.b.example.net/b/end"),
	    OUTSIDE);
	ck_assert_str_eq(
	    ask(policy, "rcpt/1/3/A/OK/SAN/TLSv1.3/198.51.100.7/198.51.100.7/b/end"), OUTSIDE);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(test_states)
{
	static const char broken[] = "rcpt/" SESSION "/NONE/NOSAN//" HOST "/example.net/end";
	struct mtasts_policy *none = sample_policy(MTASTS_PUBLISHED, "none", "");
	struct mtasts_policy *absent = sample_policy(MTASTS_ABSENT, "", "");
	struct mtasts_policy *unknown = sample_policy(MTASTS_UNKNOWN, "", "");
	struct mtasts_policy *fault = sample_policy(MTASTS_FAULT, "", "");

	ck_assert_str_eq(ask(none, broken), "ok");
	records_are("none", "mx.example.net", "starttls-not-supported not offered");
	verdict_free(verdict);
	mtasts_free(ctx);
	setup();
	ck_assert_str_eq(ask(absent, broken), "ok");
	records_are("absent", "mx.example.net", "starttls-not-supported not offered");
	ck_assert_str_eq(ask(unknown, broken), "ok");
	fake.defer_on_unknown = true;
	fake.records[0] = '\0';
	ck_assert_str_eq(ask(unknown, "rcpt/1/1/B/OK/SAN/TLSv1.3/" HOST "/example.net/end"),
	    "E:451:4.4.3:\"MTA-STS policy of 'example.net' could not be found out; will retry\"");
	ck_assert_str_eq(ask(fault, "rcpt/1/1/C/OK/SAN/TLSv1.3/" HOST "/example.net/end"),
	    "E:451:4.3.0:\"MTA-STS state of this host is unreadable\"");
	ck_assert_str_eq(ask(NULL, "rcpt/1/1/D/OK/SAN/TLSv1.3/" HOST "/example.net/end"),
	    "E:451:4.3.0:\"MTA-STS is out of order on this host\"");
	records_are("nothing was sent", "", "");
	fault->fault_delivers = true;
	ck_assert_str_eq(ask(fault, broken), "ok");
	/* R3.4.2: nobody's domain */
	ck_assert_str_eq(
	    ask(NULL, "rcpt/1/1/E/NONE/NOSAN//192.0.2.1/[192.0.2.1]/[192.0.2.1]/end"), "ok");
	mtasts_policy_free(none);
	mtasts_policy_free(absent);
	mtasts_policy_free(unknown);
	mtasts_policy_free(fault);
}
END_TEST

/* A domain as long as there are: the text is cut, not the quotes. */
START_TEST(test_long)
{
	struct domain domain;
	char name[DOMAIN_MAX + 1];

	for (size_t i = 0; i < DOMAIN_MAX; i++)
		name[i] = i % 60 == 59 ? '.' : 'a';
	name[DOMAIN_MAX] = '\0';
	ck_assert_int_eq(domain_parse(span_of(name), 0, &domain), 0);
	struct mtasts_policy *policy = policy_new(&domain, MTASTS_UNKNOWN);
	fake.defer_on_unknown = true;
	const char *answer = ask(policy, KEY);
	ck_assert_uint_eq(strlen(answer), strlen("E:451:4.4.3:\"\"") + VERDICT_TEXT);
	ck_assert_int_eq(answer[strlen(answer) - 1], '"');
	mtasts_policy_free(policy);
}
END_TEST

/* ---- one record a session and domain ---- */

START_TEST(test_once)
{
	static const struct {
		const char *key;
		int records;
	} steps[] = {
		{ KEY, 1 },
		{ KEY, 1 }, /* the next recipient */
		{ "rcpt/12073/1/4AMJd2mo012073/OK/SAN/TLSv1.3/198.51.100.7/mx.example.net/b/end",
		    2 },
		{ KEY, 2 },
		{ "rcpt/12073/2/4AMJd2mo012073/OK/SAN/TLSv1.3/" HOST "/example.net/end", 3 },
		{ "rcpt/12073/2/4AMJd2mo012073/OK/SAN/TLSv1.3/" HOST "/example.net/end", 3 },
		{ "rcpt/12074/2/4AMJd2mo012073/OK/SAN/TLSv1.3/" HOST "/example.net/end", 4 },
		{ "rcpt/12074/2/4AMJd2mo012099/OK/SAN/TLSv1.3/" HOST "/example.net/end", 5 },
		{ "rcpt/12074/2/4AMJd2mo012099/OK/SAN/TLSv1.3/198.51.100.8/mx.example.net/"
		  "example.net/end",
		    6 },
		{ "rcpt/12074/2/4AMJd2mo012099/OK/SAN/TLSv1.3/198.51.100.8/m.example.net/"
		  "example.net/end",
		    7 },
		/* a handshake that breaks, and the same host in clear: sendmail's
		   TLSFallbacktoClear */
		{ "server/7/1/X/SOFTWARE/-//" HOST "/example.net/end", 8 },
		{ "rcpt/7/2/X/CLEAR/NOSAN//" HOST "/example.net/end", 8 },
		/* refused STARTTLS: tls_server first, then the recipients */
		{ "server/8/1/X/TEMP/-//" HOST "/example.net/end", 9 },
		{ "rcpt/8/1/X/TEMP/NOSAN//" HOST "/example.net/end", 9 },
	};
	struct mtasts_policy *policy =
	    sample_policy(MTASTS_PUBLISHED, "testing", "mx: *.example.net\n");

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		int lines = 0;
		ck_assert_str_eq(ask(policy, steps[i].key), "ok");
		for (const char *p = fake.records; *p != '\0'; p++)
			lines += *p == '\n' ? 1 : 0;
		ck_assert_msg(lines == steps[i].records, "%zu: %d", i, lines);
	}
	mtasts_policy_free(policy);
}
END_TEST

/* tls_server is never the one to refuse: it would refuse for all domains of the session. */
START_TEST(test_server)
{
	struct mtasts_policy *policy =
	    sample_policy(MTASTS_PUBLISHED, "enforce", "mx: mx.example.net\n");

	ck_assert_str_eq(ask(policy, "server/1/1/A/SOFTWARE/-//" HOST "/example.net/end"), "ok");
	records_are("handshake", "mx.example.net", "validation-failure handshake failed");
	mtasts_policy_free(policy);
}
END_TEST

/* Bounded: who was heard of long ago is new, who was heard of just now is not. */
START_TEST(test_bounded)
{
	struct told *told = told_new();
	struct verdict_request first, request;
	char key[256];

	ck_assert_ptr_nonnull(told);
	ck_assert_int_eq(verdict_parse(span_of(KEY), &first), 0);
	ck_assert(told_is_first(told, &first));
	for (unsigned i = 0; i < 200000; i++) {
		snprintf(
		    key, sizeof key, "rcpt/9/%u/Q%u/OK/SAN/TLSv1.3/" HOST "/a.example/end", i, i);
		ck_assert_int_eq(verdict_parse(span_of(key), &request), 0);
		ck_assert(told_is_first(told, &request));
		ck_assert(!told_is_first(told, &request));
	}
	ck_assert(told_is_first(told, &first));
	told_free(told);
	told_free(NULL);
	verdict_free(NULL);
}
END_TEST

START_TEST(test_nomem)
{
	struct mtasts_policy *policy =
	    sample_policy(MTASTS_PUBLISHED, "enforce", "mx: mx.example.net\n");
	struct verdict_request good, bad;
	bool is_out = true;
	size_t n;

	ck_assert_int_eq(verdict_parse(span_of(KEY), &good), 0);
	ck_assert_int_eq(
	    verdict_parse(span_of("rcpt/1/1/A/NONE/NOSAN//" HOST "/example.net/end"), &bad), 0);
	for (n = 0; is_out && n < 100; n++) {
		char storage[2][VERDICT_ANSWER];
		struct buf out[2];
		struct verdict *made;
		nomem_after(n);
		made = verdict_new();
		for (size_t i = 0; i < 2 && made != NULL; i++) {
			buf_init(&out[i], storage[i], sizeof storage[i]);
			verdict_answer(made, ctx, policy, i == 0 ? &good : &bad, &out[i]);
		}
		is_out = nomem_end() > n;
		if (made == NULL)
			continue;
		ck_assert(strcmp(storage[0], "ok") == 0 || strstr(storage[0], "451:4.3.0") != NULL);
		ck_assert_msg(strncmp(storage[1], "E:451:4.", 8) == 0, "%zu: %s", n, storage[1]);
		verdict_free(made);
	}
	ck_assert_uint_gt(n, 4);
	ck_assert_uint_lt(n, 100);
	mtasts_policy_free(policy);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *keys = tcase_create("key"), *answers = tcase_create("answer");
	int n_words = sizeof words / sizeof words[0];

	tcase_add_test(keys, test_whole);
	tcase_add_loop_test(keys, test_hop, 0, sizeof hops / sizeof hops[0]);
	tcase_add_test(keys, test_malformed);
	tcase_add_test(keys, test_octets);
	tcase_add_test(keys, test_least);
	suite_add_tcase(suite, keys);
	tcase_add_checked_fixture(answers, setup, teardown);
	tcase_add_loop_test(answers, test_words, 0, n_words);
	tcase_add_loop_test(answers, test_words_testing, 0, n_words);
	tcase_add_test(answers, test_outside);
	tcase_add_test(answers, test_states);
	tcase_add_test(answers, test_long);
	tcase_add_test(answers, test_once);
	tcase_add_test(answers, test_server);
	tcase_add_test(answers, test_bounded);
	tcase_add_test(answers, test_nomem);
	suite_add_tcase(suite, answers);
	return unit_main(suite);
}
