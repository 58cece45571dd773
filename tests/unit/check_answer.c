/* SPDX-License-Identifier: ISC
 *
 * Requests to answers over a library of the tests: at once or later, shared look-ups, what is kept
 * and how long, the five seconds, and what nobody may wait behind.
 */
#include "socketmap/answer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/mxset.h"
#include "engine/policy.h"
#include "nomem.h"
#include "socketmap/known.h"
#include "socketmap_fake.h"
#include "unit.h"

#define ENFORCE(mx) "version: STSv1\nmode: enforce\nmax_age: 86400\n" mx

static const struct fake_domain domains[] = {
	{ .name = "a.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: mx.a.example\n"),
	    .stored = MTASTS_PUBLISHED },
	{ .name = "slow.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: mx.slow.example\n"),
	    .delay_ms = 2000,
	    .stored = MTASTS_UNKNOWN },
	{ .name = "late.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: mx.late.example\n"),
	    .delay_ms = 9000,
	    .stored = MTASTS_UNKNOWN },
	{ .name = "cached.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: mx.cached.example\n"),
	    .delay_ms = 9000,
	    .stored = MTASTS_PUBLISHED },
	{ .name = "gone.example",
	    .state = MTASTS_ABSENT,
	    .delay_ms = 9000,
	    .stored = MTASTS_ABSENT },
	{ .name = "wild.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: *.wild.example\n"),
	    .stored = MTASTS_PUBLISHED,
	    .mx_state = MTASTS_MX_FOUND,
	    .hosts = { "a.wild.example", "evil.example" },
	    .mx_delay_ms = 100,
	    .mx_ttl = 30 },
	{ .name = "wildlate.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: *.wild.example\n"),
	    .delay_ms = 2000,
	    .stored = MTASTS_UNKNOWN,
	    .mx_delay_ms = FAKE_NEVER },
	{ .name = "wildcached.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: *.wild.example\n"),
	    .delay_ms = 9000,
	    .stored = MTASTS_PUBLISHED,
	    .mx_delay_ms = FAKE_NEVER },
	{ .name = "wildfails.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: *.wild.example\n"),
	    .mx_error = MTASTS_EBUSY },
	{ .name = "nottl.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: *.nottl.example\n"),
	    .mx_state = MTASTS_MX_FOUND,
	    .hosts = { "a.nottl.example" } },
	{ .name = "manyttl.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: *.manyttl.example\n"),
	    .mx_state = MTASTS_MX_FOUND,
	    .hosts = { "a.manyttl.example" },
	    .mx_ttl = 604800 },
	{ .name = "brief.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: mx.brief.example\n"),
	    .expires = 1750000000 },
	{ .name = "fails.example", .error = MTASTS_ENOMEM, .stored = MTASTS_UNKNOWN },
	{ .name = "unknown.example", .state = MTASTS_UNKNOWN, .stored = MTASTS_UNKNOWN },
	{ .name = NULL },
};

enum { ASKED = 8, LOOKUPS = 4 };

/* Requests that wait, and what they were told. */
struct asking {
	struct waiter waiter;
	char answer[256];
	int n_answers;
};

static struct asking asking[ASKED];
static struct mtasts *ctx;
static struct answers *answers;
static struct clock mono;
static char storage[2 * ANSWER_MAX];
static char log_text[1024];

static void
log_take(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	(void)level;
	snprintf(log_text, sizeof log_text, "%s", text);
}

static void
open_with(bool defers)
{
	static struct log log = { log_take, NULL, MTASTS_LOG_WARNING };
	struct answers_config config = { .reply = { defers, false }, .max_lookups = LOOKUPS };

	fake_reset(domains);
	fake.has_clock = true;
	mono = fake_clock();
	ctx = fake_new();
	answers = answers_new(ctx, &config, &mono, &log);
	ck_assert_ptr_nonnull(answers);
	memset(asking, 0, sizeof asking);
	log_text[0] = '\0';
}

static void
setup(void)
{
	open_with(false);
}

static void
teardown(void)
{
	answers_free(answers);
	ck_assert_uint_eq(fake.n_under_way, 0);
	mtasts_free(ctx);
}

static void
take(struct asking *a, struct span frame)
{
	struct parse_error error;
	struct span payload;

	/* not ck_assert(), which needs memory */
	int r = netstring_next(&frame, ANSWER_MAX, &payload, &error);
	assert(r == 1 && frame.n == 0 && payload.n < sizeof a->answer);
	memcpy(a->answer, payload.p, payload.n);
	a->answer[payload.n] = '\0';
	a->n_answers++;
}

static void
on_answer(struct waiter *waiter, struct span frame)
{
	take((struct asking *)waiter, frame);
}

/* As the server does; what is at once is told at once. */
static const char *
ask(int i, const char *request)
{
	struct asking *a = &asking[i];
	struct buf out;

	memset(a, 0, sizeof *a);
	buf_init(&out, storage, sizeof storage);
	if (answers_now(answers, span_of(request), &out)) {
		take(a, span_make(out.p, out.n));
		return a->answer;
	}
	a->waiter.payload = span_of(request);
	a->waiter.done = on_answer;
	answers_later(answers, &a->waiter);
	return a->answer;
}

static void
run(int64_t ms)
{
	fake.now_ms += ms;
	fake.now = 1750000000 + (fake.now_ms - 1000000) / 1000;
	answers_run(answers);
}

static const char a_reply[] = "OK secure match=mx.a.example servername=hostname";

START_TEST(at_once)
{
	ck_assert_str_eq(ask(0, "postfix .example"), "NOTFOUND ");
	ck_assert_str_eq(ask(0, "postfix 192.0.2.1"), "NOTFOUND ");
	ck_assert_int_eq(strncmp(ask(0, "postfix"), "PERM ", 5), 0);
	ck_assert_uint_eq(fake.n_started, 0);
	ck_assert(!answers_is_due(answers));
}
END_TEST

START_TEST(later_then_at_once)
{
	ck_assert_str_eq(ask(0, "postfix a.example"), "");
	ck_assert(answers_is_due(answers));
	run(0);
	ck_assert(!answers_is_due(answers));
	ck_assert_str_eq(asking[0].answer, a_reply);
	ck_assert_str_eq(ask(1, "sts [A.example.]:25"), a_reply);
	run(ANSWER_KEEP - 1);
	ck_assert_str_eq(ask(1, "postfix a.example"), a_reply);
	ck_assert_uint_eq(fake.n_started, 1);
	run(1);
	ck_assert_str_eq(ask(2, "postfix a.example"), "");
	run(0);
	ck_assert_str_eq(asking[2].answer, a_reply);
	ck_assert_uint_eq(fake.n_started, 2);
	ck_assert_int_eq(asking[0].n_answers, 1);
}
END_TEST

START_TEST(never_past_expiry)
{
	ask(0, "postfix brief.example");
	run(0);
	ck_assert_str_eq(asking[0].answer, "OK secure match=mx.brief.example servername=hostname");
	ck_assert_str_eq(ask(1, "postfix brief.example"), "");
	run(0);
	ck_assert_uint_eq(fake.n_started, 2);
	ck_assert_str_eq(asking[1].answer, asking[0].answer);
}
END_TEST

START_TEST(shared)
{
	for (int i = 0; i < 4; i++)
		ask(i, i % 2 == 0 ? "postfix slow.example" : "sts slow.example.");
	run(1000);
	ask(4, "postfix slow.example");
	ck_assert_uint_eq(fake.n_started, 1);
	ck_assert_uint_eq(answers_waiting(answers), 5);
	run(1000);
	ck_assert_uint_eq(answers_waiting(answers), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(
		    asking[i].answer, "OK secure match=mx.slow.example servername=hostname");
}
END_TEST

/* A slow one holds up nobody. */
START_TEST(beside_a_slow_one)
{
	ask(0, "postfix late.example");
	run(0);
	ask(1, "postfix a.example");
	run(0);
	ck_assert_str_eq(asking[1].answer, a_reply);
	ck_assert_str_eq(ask(2, "postfix a.example"), a_reply);
	ck_assert_str_eq(asking[0].answer, "");
}
END_TEST

START_TEST(in_five_seconds)
{
	int timeout_ms = -1;

	ask(0, "postfix late.example");
	run(0);
	(void)answers_pollfds(answers, NULL, 0, &timeout_ms);
	ck_assert_int_eq(timeout_ms, ANSWER_WAIT);
	run(1000);
	ask(1, "postfix late.example");
	run(ANSWER_WAIT - 1001);
	ck_assert_str_eq(asking[0].answer, "");
	run(1);
	ck_assert_str_eq(asking[0].answer, "NOTFOUND ");
	ck_assert_str_eq(asking[1].answer, "");
	run(1000);
	ck_assert_str_eq(asking[1].answer, "NOTFOUND ");
	/* the look-up went on, and who comes later has it at once */
	ask(2, "postfix late.example");
	run(9000 - ANSWER_WAIT - 1000);
	ck_assert_str_eq(asking[2].answer, "OK secure match=mx.late.example servername=hostname");
	ck_assert_uint_eq(fake.n_started, 1);
}
END_TEST

START_TEST(in_five_seconds_deferred)
{
	teardown();
	open_with(true);
	ask(0, "postfix late.example");
	run(ANSWER_WAIT);
	ck_assert_str_eq(
	    asking[0].answer, "TIMEOUT MTA-STS policy of 'late.example' was not found out in time");
	ck_assert_ptr_nonnull(strstr(log_text, "domain=late.example"));
	ask(1, "postfix unknown.example");
	run(0);
	ck_assert_int_eq(strncmp(asking[1].answer, "TEMP ", 5), 0);
}
END_TEST

/* R10.2.1: whoever makes the DNS slow must not make a cached policy go away. */
START_TEST(late_with_a_cached_policy)
{
	ask(0, "postfix cached.example");
	ask(1, "postfix gone.example");
	run(ANSWER_WAIT);
	ck_assert_str_eq(asking[0].answer, "OK secure match=mx.cached.example servername=hostname");
	ck_assert_str_eq(asking[1].answer, "NOTFOUND ");
}
END_TEST

static const char wild_reply[] = "OK secure match=a.wild.example servername=hostname";

START_TEST(pattern)
{
	ask(0, "postfix wild.example");
	run(0);
	ck_assert_str_eq(asking[0].answer, "");
	ask(1, "postfix wild.example");
	run(99);
	ck_assert_str_eq(asking[0].answer, "");
	run(1);
	ck_assert_str_eq(asking[0].answer, wild_reply);
	ck_assert_str_eq(asking[1].answer, wild_reply);
	ck_assert_uint_eq(fake.n_mx_started, 1);
	/* the hosts outlive the policy, so that this is as fast as without a pattern */
	run(ANSWER_KEEP);
	ask(2, "postfix wild.example");
	run(0);
	ck_assert_str_eq(asking[2].answer, wild_reply);
	ck_assert_uint_eq(fake.n_mx_started, 1);
	/* and go when the DNS said so */
	run(29 * 1000);
	ask(3, "postfix wild.example");
	run(0);
	ck_assert_str_eq(asking[3].answer, "");
	run(100);
	ck_assert_str_eq(asking[3].answer, wild_reply);
	ck_assert_uint_eq(fake.n_mx_started, 2);
}
END_TEST

/* The hosts grow too old while the policy is fresh. */
START_TEST(pattern_hosts_too_old)
{
	ask(0, "postfix nottl.example");
	run(0);
	run(0);
	ck_assert_int_eq(asking[0].n_answers, 1);
	run(ANSWER_KEEP / 2);
	ck_assert_str_eq(ask(1, "postfix nottl.example"), asking[0].answer);
	ck_assert_uint_eq(fake.n_mx_started, 1);
	run(ANSWER_KEEP);
	ask(2, "postfix nottl.example");
	run(0);
	run(0);
	ck_assert_str_eq(asking[2].answer, asking[0].answer);
	ck_assert_uint_eq(fake.n_mx_started, 2);
}
END_TEST

START_TEST(pattern_hosts_an_hour)
{
	ask(0, "postfix manyttl.example");
	run(0);
	run(0);
	run((ANSWER_MX_MAX - 1) * 1000);
	ask(1, "postfix manyttl.example");
	run(0);
	ck_assert_int_eq(asking[1].n_answers, 1);
	ck_assert_uint_eq(fake.n_mx_started, 1);
	run(1000);
	ask(2, "postfix manyttl.example");
	run(0);
	run(0);
	ck_assert_int_eq(asking[2].n_answers, 1);
	ck_assert_uint_eq(fake.n_mx_started, 2);
}
END_TEST

/* Policy and hosts together have the five seconds; a cached policy that needs hosts fails closed.
 */
START_TEST(pattern_late)
{
	ask(0, "postfix wildlate.example");
	ask(1, "postfix wildcached.example");
	run(2000);
	run(ANSWER_WAIT - 2001);
	ck_assert_str_eq(asking[0].answer, "");
	run(1);
	ck_assert_int_eq(
	    strncmp(asking[0].answer, "TIMEOUT MX hosts of 'wildlate.example'", 38), 0);
	ck_assert_int_eq(
	    strncmp(asking[1].answer, "TIMEOUT MX hosts of 'wildcached.example'", 40), 0);
}
END_TEST

START_TEST(pattern_fails)
{
	ask(0, "postfix wildfails.example");
	run(0);
	ck_assert_int_eq(strncmp(asking[0].answer, "TEMP ", 5), 0);
}
END_TEST

/* Beyond the limit the store alone is asked, and cached answers come all the same. */
START_TEST(too_many)
{
	static const char *const names[LOOKUPS] = { "postfix slow.example", "postfix late.example",
		"postfix gone.example", "postfix wildlate.example" };

	for (int i = 0; i < LOOKUPS; i++)
		ask(i, names[i]);
	run(0);
	ck_assert_str_eq(ask(4, "postfix a.example"), a_reply);
	ck_assert_str_eq(ask(4, "postfix cached.example"),
	    "OK secure match=mx.cached.example servername=hostname");
	ck_assert_int_eq(strncmp(ask(5, "postfix unknown.example"), "TEMP ", 5), 0);
	/* a pattern needs a look-up of its own */
	ck_assert_int_eq(strncmp(ask(6, "postfix wild.example"), "TEMP ", 5), 0);
	ck_assert_uint_eq(fake.n_started, LOOKUPS);
}
END_TEST

START_TEST(cannot_begin)
{
	ck_assert_int_eq(strncmp(ask(0, "postfix fails.example"), "TEMP ", 5), 0);
	ck_assert_uint_eq(answers_waiting(answers), 0);
}
END_TEST

/* Who goes away is not told; the look-up goes on for the others. */
START_TEST(cancelled)
{
	ask(0, "postfix slow.example");
	ask(1, "postfix slow.example");
	answers_cancel(answers, &asking[0].waiter);
	answers_cancel(answers, &asking[0].waiter);
	run(2000);
	ck_assert_int_eq(asking[0].n_answers, 0);
	ck_assert_int_eq(asking[1].n_answers, 1);
	answers_cancel(answers, &asking[1].waiter);
}
END_TEST

START_TEST(freed_with_some_under_way)
{
	ask(0, "postfix slow.example");
	ask(1, "postfix wild.example");
	run(0);
	ck_assert_uint_eq(fake.n_under_way, 2);
}
END_TEST

/* Every allocation fails in its turn: each request has one answer, or is refused. */
START_TEST(no_memory)
{
	static const char *const requests[] = { "postfix a.example", "postfix wild.example" };

	for (size_t r = 0; r < 2; r++) {
		for (size_t n = 0; n < 12; n++) {
			teardown();
			open_with(false);
			nomem_after(n);
			ask(0, requests[r]);
			(void)nomem_end();
			run(0);
			run(100);
			ck_assert_int_eq(asking[0].n_answers, 1);
			ck_assert(strncmp(asking[0].answer, "OK ", 3) == 0 ||
				  strncmp(asking[0].answer, "TEMP ", 5) == 0);
			ck_assert_uint_eq(answers_waiting(answers), 0);
		}
	}
}
END_TEST

#define SENDMAIL(mx, domain)                                                                       \
	"mtastsd rcpt/12073/1/4AMJd2mo012073/OK/SAN/TLSv1.3/198.51.100.7/" mx "/" domain "/end"

/* Judged anew each time, by the same policy; a pattern needs no MX hosts there. */
START_TEST(verdicts)
{
	ck_assert_str_eq(ask(0, SENDMAIL("mx.a.example", "a.example")), "");
	ask(1, SENDMAIL("evil.example", "a.example"));
	ask(2, "postfix a.example");
	run(0);
	ck_assert_str_eq(asking[0].answer, "OK ok");
	ck_assert_int_eq(strncmp(asking[1].answer, "OK E:451:", 9), 0);
	ck_assert_str_eq(asking[2].answer, a_reply);
	ck_assert_int_eq(strncmp(ask(3, SENDMAIL("evil.example", "a.example")), "OK E:451:", 9), 0);
	ck_assert_str_eq(ask(3, SENDMAIL("mx.a.example", "a.example")), "OK ok");
	ck_assert_uint_eq(fake.n_started, 1);
	ask(4, SENDMAIL("a.wild.example", "wild.example"));
	run(0);
	ck_assert_str_eq(asking[4].answer, "OK ok");
	ck_assert_uint_eq(fake.n_mx_started, 0);
	ck_assert_uint_gt(fake.n_records, 0);
}
END_TEST

START_TEST(verdicts_at_once)
{
	ck_assert_int_eq(strncmp(ask(0, "mtastsd rubbish"), "OK E:451:4.3.0:", 15), 0);
	ck_assert_str_eq(ask(0, SENDMAIL("mx.a.example", "[192.0.2.1]")), "OK ok");
	ck_assert_uint_eq(fake.n_started, 0);
}
END_TEST

START_TEST(verdicts_late)
{
	ask(0, SENDMAIL("mx.late.example", "late.example"));
	ask(1, SENDMAIL("evil.example", "cached.example"));
	ask(2, SENDMAIL("mx.fails.example", "fails.example"));
	ck_assert_int_eq(strncmp(asking[2].answer, "OK E:451:4.3.0:", 15), 0);
	run(ANSWER_WAIT);
	ck_assert_str_eq(asking[0].answer, "OK ok"); /* UNKNOWN, and on_unknown = deliver */
	ck_assert_int_eq(strncmp(asking[1].answer, "OK E:451:", 9), 0);
}
END_TEST

/* The table forgets who was asked for longest ago. */
START_TEST(bounded)
{
	struct known_table *table = known_new();
	struct domain domain;
	char name[32];

	ck_assert_ptr_nonnull(table);
	for (int i = 0; i < KNOWN_MAX + 100; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_int_eq(domain_parse(span_of(name), 0, &domain), 0);
		struct known *known = known_get(table, &domain);
		ck_assert_ptr_nonnull(known);
		if (i == 7)
			known->is_asking = true;
		ck_assert_int_eq(domain_parse(span_of("d8.example"), 0, &domain), 0);
		if (i >= 8)
			ck_assert_ptr_nonnull(known_find(table, &domain));
	}
	ck_assert_uint_eq(known_count(table), KNOWN_MAX);
	static const struct {
		const char *name;
		bool is_known;
	} some[] = { { "d6.example", false }, { "d7.example", true }, { "d8.example", true },
		{ "d9.example", false }, { "d32867.example", true } };
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
		ck_assert_int_eq(domain_parse(span_of(some[i].name), 0, &domain), 0);
		ck_assert_msg(
		    (known_find(table, &domain) != NULL) == some[i].is_known, "%s", some[i].name);
	}
	known_free(table);
}
END_TEST

/* Policies are large; they go when they are too old, not when somebody else comes. */
START_TEST(forgotten)
{
	static const char *const names[] = { "a.example", "b.example", "c.example", "d.example" };
	struct known_table *table = known_new();
	struct known *known[4];
	struct domain domain;

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(domain_parse(span_of(names[i]), 0, &domain), 0);
		known[i] = known_get(table, &domain);
		known_put_policy(table, known[i], policy_new(&domain, MTASTS_ABSENT), 1000 + i);
		known_put_frame(table, known[i], REPLY_POSTFIX, span_of("x"));
	}
	known_put_set(table, known[1], calloc(1, sizeof(struct mtasts_mxset)), 9000);
	known[2]->is_asking_mx = true;
	known_expire(table, 999);
	ck_assert_uint_eq(known_count(table), 4);
	known_expire(table, 1002);
	ck_assert_uint_eq(known_count(table), 3);
	ck_assert(
	    domain_parse(span_of(names[0]), 0, &domain) == 0 && known_find(table, &domain) == NULL);
	ck_assert(known[1]->policy == NULL && known[1]->set != NULL);
	ck_assert(known[1]->frames[REPLY_POSTFIX].p == NULL);
	ck_assert_ptr_nonnull(known[2]->policy);
	ck_assert_ptr_nonnull(known[3]->policy);
	known_put_policy(table, known[1], policy_new(&domain, MTASTS_ABSENT), 2000);
	known[2]->is_asking_mx = false;
	known_expire(table, 1003);
	ck_assert_uint_eq(known_count(table), 1);
	known_free(table);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("answer");
	TCase *tests = tcase_create("answer");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, at_once);
	tcase_add_test(tests, later_then_at_once);
	tcase_add_test(tests, never_past_expiry);
	tcase_add_test(tests, shared);
	tcase_add_test(tests, beside_a_slow_one);
	tcase_add_test(tests, in_five_seconds);
	tcase_add_test(tests, in_five_seconds_deferred);
	tcase_add_test(tests, late_with_a_cached_policy);
	tcase_add_test(tests, pattern);
	tcase_add_test(tests, pattern_hosts_too_old);
	tcase_add_test(tests, pattern_hosts_an_hour);
	tcase_add_test(tests, pattern_late);
	tcase_add_test(tests, pattern_fails);
	tcase_add_test(tests, too_many);
	tcase_add_test(tests, cannot_begin);
	tcase_add_test(tests, cancelled);
	tcase_add_test(tests, freed_with_some_under_way);
	tcase_add_test(tests, no_memory);
	tcase_add_test(tests, verdicts);
	tcase_add_test(tests, verdicts_at_once);
	tcase_add_test(tests, verdicts_late);
	tcase_add_test(tests, bounded);
	tcase_add_test(tests, forgotten);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
