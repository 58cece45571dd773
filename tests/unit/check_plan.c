/* SPDX-License-Identifier: ISC
 *
 * What scenarios cannot say of a plan: events that come late, twice or in any order, and what must
 * hold whatever comes.
 */
#include "engine/plan.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

enum { NOW = 1750000000, START_MS = 5000, DEADLINE_MS = START_MS + 15000, EVENTS_MAX = 400 };

static const char enforce[] = "version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 86400\n";

static struct plan_time
at(int64_t ms)
{
	return (struct plan_time){ NOW + (ms - START_MS) / 1000, ms };
}

static struct domain
example(void)
{
	struct domain domain;

	ck_assert_int_eq(domain_parse(span_of("example.com"), 0, &domain), 0);
	return domain;
}

static struct entry *
entry_of(const char *id, int64_t fetched_at)
{
	struct domain domain = example();

	return entry_new(&domain, fetched_at, 86400, span_of(id), span_of(enforce));
}

static enum plan_want
begin(struct plan *plan, unsigned flags)
{
	struct domain domain = example();
	struct plan_config config = { .flags = flags, .deadline_ms = DEADLINE_MS };

	return plan_start(plan, &domain, &config, at(START_MS));
}

static struct net_answer
txt(const char *record, char *storage)
{
	static struct span rdata;

	storage[0] = (char)strlen(record);
	memcpy(storage + 1, record, strlen(record));
	rdata = span_make(storage, strlen(record) + 1);
	return (struct net_answer){ .state = NET_ANSWERED, .ttl = 300, .n = 1, .rdata = &rdata };
}

static struct net_answer
address(void)
{
	static const char octets[4] = { (char)198, 18, 0, 1 };
	static struct span rdata;

	rdata = span_make(octets, 4);
	return (struct net_answer){ .state = NET_ANSWERED, .n = 1, .rdata = &rdata };
}

static struct net_page
page(const char *body)
{
	return (struct net_page){ .state = NET_FETCHED,
		.status = 200,
		.media_type = span_of("text/plain"),
		.body = span_of(body),
		.reason = "" };
}

/* Nothing changes a plan that is done. */
START_TEST(test_late)
{
	struct plan plan;
	struct net_answer none = { .state = NET_NO_NAME, .ttl = 60 };
	struct net_page good = page(enforce);
	struct outcome outcome = { .at_ms = START_MS + 1, .state = MTASTS_ABSENT };

	ck_assert_int_eq((int)begin(&plan, 0), PLAN_READ);
	ck_assert_int_eq((int)plan_read(&plan, at(START_MS), CACHE_OK, entry_of("A", NOW - 5),
			     CACHE_OK, &(struct hint){ .agreed_until = NOW + 60 }),
	    PLAN_DONE);
	struct mtasts_policy *answer = plan.answer;
	ck_assert_int_eq((int)answer->source, MTASTS_FROM_CACHE);
	ck_assert_int_eq(
	    (int)plan_read(&plan, at(START_MS), CACHE_OK, entry_of("B", NOW), CACHE_NOTHING, NULL),
	    PLAN_WAIT);
	ck_assert_int_eq(
	    (int)plan_lease(&plan, at(START_MS + 2), CACHE_REFUSED, CACHE_OK, &outcome), PLAN_WAIT);
	ck_assert_int_eq((int)plan_answer(&plan, at(START_MS + 2), PLAN_TXT, &none), PLAN_WAIT);
	ck_assert_int_eq((int)plan_answer(&plan, at(START_MS + 2), 7, &none), PLAN_WAIT);
	ck_assert_int_eq((int)plan_page(&plan, at(START_MS + 2), &good), PLAN_WAIT);
	ck_assert_int_eq((int)plan_stored(&plan, at(START_MS + 2), CACHE_OK), PLAN_WAIT);
	ck_assert_int_eq((int)plan_tick(&plan, at(DEADLINE_MS + 1)), PLAN_WAIT);
	ck_assert_ptr_eq(plan.answer, answer);
	plan_clear(&plan);
}
END_TEST

/* The whole way of a first contact, want by want. */
START_TEST(test_first_contact)
{
	struct plan plan;
	char storage[64];
	struct net_answer record = txt("v=STSv1; id=A;", storage), a = address();
	struct net_answer none = { .state = NET_NO_DATA };
	struct net_page good = page(enforce);
	struct plan_time now = at(START_MS);

	ck_assert_int_eq((int)begin(&plan, 0), PLAN_READ);
	ck_assert_int_eq(
	    (int)plan_read(&plan, now, CACHE_NOTHING, NULL, CACHE_NOTHING, NULL), PLAN_LEASE);
	ck_assert_int_eq((int)plan_lease(&plan, now, CACHE_OK, CACHE_NOTHING, NULL), PLAN_READ);
	ck_assert_int_eq(
	    (int)plan_read(&plan, now, CACHE_NOTHING, NULL, CACHE_NOTHING, NULL), PLAN_ASK);
	ck_assert_str_eq(plan.questions[PLAN_TXT].name.name, "_mta-sts.example.com");
	ck_assert_str_eq(plan.questions[PLAN_A].name.name, "mta-sts.example.com");
	ck_assert_int_eq((int)plan_answer(&plan, now, PLAN_AAAA, &none), PLAN_WAIT);
	ck_assert_int_eq((int)plan_answer(&plan, now, PLAN_AAAA, &a), PLAN_WAIT); /* twice */
	ck_assert_int_eq((int)plan_answer(&plan, now, PLAN_QUESTIONS, &a), PLAN_WAIT);
	ck_assert_int_eq((int)plan_answer(&plan, now, PLAN_TXT, &record), PLAN_WAIT);
	ck_assert_int_eq((int)plan_answer(&plan, now, PLAN_A, &a), PLAN_STORE);
	ck_assert_ptr_null(plan.put_entry);
	ck_assert_int_eq((int)plan.hint.get_at, NOW);
	ck_assert_int_eq((int)plan_stored(&plan, now, CACHE_OK), PLAN_FETCH);
	ck_assert_uint_eq(plan.fetch.n, 1);
	ck_assert_mem_eq(plan.fetch.addresses[0].address, "\306\022\0\001", 4);
	ck_assert_uint_eq(plan.fetch.addresses[0].octets, 4);
	ck_assert_str_eq(plan.fetch.path, "/.well-known/mta-sts.txt");
	ck_assert_int_eq((int)plan_page(&plan, now, &good), PLAN_STORE);
	ck_assert_ptr_nonnull(plan.put_entry);
	ck_assert_int_eq((int)plan_stored(&plan, now, CACHE_OK), PLAN_STORE);
	ck_assert_ptr_null(plan.put_entry);
	ck_assert_int_eq((int)plan_stored(&plan, now, CACHE_OK), PLAN_DONE);
	ck_assert_int_eq((int)plan.answer->mode, MTASTS_ENFORCE);
	ck_assert(plan.has_outcome);
	plan_clear(&plan);
}
END_TEST

/* ---- whatever comes ---- */

static uint32_t
chance(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

static enum plan_want
any_read(struct plan *plan, struct plan_time now, uint32_t *seed, bool keeps_policy)
{
	struct hint hint = { .absent_until = NOW + chance(seed, 9000),
		.agreed_until = chance(seed, 2) ? now.real + chance(seed, 9000) : 0,
		.failed_id = "B",
		.failed_finding = MTASTS_STS_WEBPKI_INVALID,
		.failed_until = now.real + chance(seed, 400),
		.get_at = now.real - chance(seed, 20) };
	enum cache_result hinted = chance(seed, 3) != 0 ? CACHE_OK : CACHE_NOTHING;

	if (keeps_policy || chance(seed, 2) != 0)
		return plan_read(plan, now, CACHE_OK,
		    entry_of(chance(seed, 2) ? "A" : "B", NOW - 100), hinted, &hint);
	return plan_read(plan, now, CACHE_NOTHING, NULL, hinted, &hint);
}

static enum plan_want
any_lease(struct plan *plan, struct plan_time now, uint32_t *seed)
{
	static const enum cache_result results[] = { CACHE_OK, CACHE_REFUSED, CACHE_REFUSED,
		CACHE_UNREADABLE };
	struct outcome outcome = { .at_ms = START_MS - 500 + chance(seed, 1000),
		.state = (enum mtasts_state)chance(seed, 4),
		.source = (enum mtasts_source)chance(seed, 4) };

	return plan_lease(plan, now, results[chance(seed, 4)],
	    chance(seed, 2) ? CACHE_OK : CACHE_NOTHING, &outcome);
}

static enum plan_want
any_answer(struct plan *plan, struct plan_time now, uint32_t *seed)
{
	static const char *const records[] = { "v=STSv1; id=A;", "v=STSv1; id=B;", "v=STSv1; id=C;",
		"v=STSv1; id;", "v=spf1" };
	size_t question = chance(seed, PLAN_QUESTIONS);
	char storage[64];
	struct net_answer answer =
	    question == PLAN_TXT ? txt(records[chance(seed, 5)], storage) : address();

	if (chance(seed, 3) == 0)
		answer =
		    (struct net_answer){ .state = (enum net_state)(NET_NO_DATA + chance(seed, 4)),
			    .reason = "" };
	return plan_answer(plan, now, question, &answer);
}

static enum plan_want
any_page(struct plan *plan, struct plan_time now, uint32_t *seed)
{
	struct net_page told = page(chance(seed, 2) ? enforce : "mode: none\n");

	told.status = chance(seed, 3) ? 200 : 404;
	if (chance(seed, 3) == 0)
		told.state = (enum net_fetch_state)chance(seed, 4);
	return plan_page(plan, now, &told);
}

static enum plan_want
any_event(struct plan *plan, struct plan_time now, uint32_t *seed, bool keeps_policy)
{
	static const enum cache_result puts[] = { CACHE_OK, CACHE_REFUSED, CACHE_UNREADABLE };

	switch (chance(seed, 6)) {
	case 0:
		return any_read(plan, now, seed, keeps_policy);
	case 1:
		return any_lease(plan, now, seed);
	case 2:
		return any_answer(plan, now, seed);
	case 3:
		return any_page(plan, now, seed);
	case 4:
		return plan_stored(plan, now, puts[chance(seed, 3)]);
	default:
		return plan_tick(plan, now);
	}
}

/*
 * Rule 1, R10.2.1: while an unexpired policy stands in a store that can be read, no events in no
 * order make anything of it but a policy.  And every look-up ends.
 */
START_TEST(test_whatever_comes)
{
	bool keeps_policy = _i % 2 == 0;

	for (uint32_t run = 0; run < 4000; run++) {
		static const unsigned flags[] = { 0, MTASTS_RECHECK, MTASTS_CACHED_ONLY };
		uint32_t seed = (uint32_t)_i * 100000 + run;
		struct plan plan;
		int64_t ms = START_MS;
		enum plan_want want = begin(&plan, flags[chance(&seed, 3)]);
		for (int n = 0; want != PLAN_DONE && n < EVENTS_MAX; n++) {
			ms += chance(&seed, 100);
			want = any_event(&plan, at(ms), &seed, keeps_policy);
		}
		ck_assert_msg(
		    want == PLAN_DONE, "run %u does not end: phase %d", run, (int)plan.phase);
		ck_assert_int_eq(plan.error, 0);
		ck_assert_ptr_nonnull(plan.answer);
		enum mtasts_state state = plan.answer->state;
		ck_assert_msg(!keeps_policy || state == MTASTS_PUBLISHED, "run %u: state %d (%s)",
		    run, (int)state, plan.answer->reason);
		ck_assert_msg(
		    (state == MTASTS_PUBLISHED) == (plan.answer->file != NULL), "run %u", run);
		ck_assert_msg(!plan.answer->rechecked ||
				  (plan.txt == EVIDENCE_RECORD && state == MTASTS_PUBLISHED),
		    "run %u: rechecked", run);
		plan_clear(&plan);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_late);
	tcase_add_test(tcase, test_first_contact);
	tcase_add_loop_test(tcase, test_whatever_comes, 0, 8);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
