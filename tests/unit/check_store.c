/* SPDX-License-Identifier: ISC
 *
 * The store's calls, one process, a healthy file.
 */
#include "cache/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "state.h"
#include "unit.h"

enum { NOW = 1000000 };

static struct state state;

static void
setup(void)
{
	state_make(&state, NULL);
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
}

static void
teardown(void)
{
	ck_assert_msg(state.lines == 0, "%s", state.line);
	state_remove(&state);
}

static int64_t
get(const char *name)
{
	return state_get(&state, name);
}

static enum cache_result
put(const char *name, int64_t fetched_at)
{
	return state_put(&state, name, fetched_at, NOW);
}

/* ---- policies ---- */

START_TEST(test_get_put)
{
	ck_assert_int_eq(get("a.example"), -1);
	ck_assert_int_eq(put("a.example", 500), CACHE_OK);
	ck_assert_int_eq(get("a.example"), 500);
	ck_assert_int_eq(get("b.example"), -1);
	ck_assert_int_eq(get("www.a.example"), -1);
	state_close(&state);
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(get("a.example"), 500);
}
END_TEST

/* c24: the newer fetch wins, in either order; a row dated after now always loses (c19) */
static const struct {
	const char *name;
	int64_t stands, comes, now;
	enum cache_result result;
	int64_t then;
} swaps[] = {
	{ "c24 newer after older", 100, 200, NOW, CACHE_OK, 200 },
	{ "c24 older after newer", 200, 100, NOW, CACHE_REFUSED, 200 },
	{ "c24 the same instant", 200, 200, NOW, CACHE_REFUSED, 200 },
	{ "row of the future, newer comes", 5000, 300, 400, CACHE_OK, 300 },
	{ "row of this very second", 400, 300, 400, CACHE_REFUSED, 400 },
	{ "a fetch of the future", 100, 500, 400, CACHE_REFUSED, 100 },
};

START_TEST(test_swap)
{
	ck_assert_int_eq(put("a.example", swaps[_i].stands), CACHE_OK);
	enum cache_result result = state_put(&state, "a.example", swaps[_i].comes, swaps[_i].now);
	ck_assert_msg(result == swaps[_i].result, "%s", swaps[_i].name);
	ck_assert_msg(get("a.example") == swaps[_i].then, "%s", swaps[_i].name);
}
END_TEST

START_TEST(test_future_into_nothing)
{
	ck_assert_int_eq(put("a.example", NOW + 1), CACHE_REFUSED);
	ck_assert_int_eq(get("a.example"), -1);
	ck_assert_int_eq(put("a.example", NOW), CACHE_OK);
}
END_TEST

struct listing {
	char text[4096];
	size_t n, stop_at;
};

static int
list(void *arg, const struct entry *entry)
{
	struct listing *listing = arg;

	ck_assert(state_is_right(entry));
	strcat(listing->text, entry->domain.name);
	strcat(listing->text, " ");
	return ++listing->n == listing->stop_at;
}

static const char *
listed(size_t stop_at)
{
	static struct listing listing;

	listing = (struct listing){ .stop_at = stop_at };
	ck_assert_int_eq(state.cache.each(state.cache.self, list, &listing), CACHE_OK);
	return listing.text;
}

/* The chain holds whatever the order of insertion and removal. */
START_TEST(test_each_drop)
{
	static const char *const names[] = { "m.example", "a.example", "z.example", "b.example",
		"a-b.example", "a.example.net", "m1.example" };
	struct domain domain;

	ck_assert_str_eq(listed(0), "");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_int_eq(put(names[i], (int64_t)i), CACHE_OK);
	ck_assert_str_eq(listed(0), "a-b.example a.example a.example.net b.example m.example "
				    "m1.example z.example ");
	ck_assert_str_eq(listed(2), "a-b.example a.example ");

	domain = state_domain("b.example");
	ck_assert_int_eq(state.cache.drop(state.cache.self, &domain), CACHE_OK);
	ck_assert_int_eq(state.cache.drop(state.cache.self, &domain), CACHE_NOTHING);
	domain = state_domain("a-b.example");
	ck_assert_int_eq(state.cache.drop(state.cache.self, &domain), CACHE_OK);
	domain = state_domain("z.example");
	ck_assert_int_eq(state.cache.drop(state.cache.self, &domain), CACHE_OK);
	ck_assert_str_eq(listed(0), "a.example a.example.net m.example m1.example ");
	ck_assert_int_eq(get("b.example"), -1);
	ck_assert_int_eq(get("m.example"), 0);
}
END_TEST

/* What each() calls may use the store, even remove the row that comes next. */
static int
drop_next(void *arg, const struct entry *entry)
{
	int *calls = arg;
	struct domain next = state_domain("b.example");

	if (strcmp(entry->domain.name, "a.example") == 0)
		ck_assert_int_eq(state.cache.drop(state.cache.self, &next), CACHE_OK);
	++*calls;
	return 0;
}

START_TEST(test_each_while_dropping)
{
	int calls = 0;

	put("a.example", 1);
	put("b.example", 2);
	put("c.example", 3);
	ck_assert_int_eq(state.cache.each(state.cache.self, drop_next, &calls), CACHE_OK);
	ck_assert_int_eq(calls, 2);
}
END_TEST

static int64_t
used_at(const char *name)
{
	struct domain domain = state_domain(name);
	struct entry *entry;

	ck_assert_int_eq(state.cache.get(state.cache.self, &domain, &entry), CACHE_OK);
	int64_t at = entry->used_at;
	entry_free(entry);
	return at;
}

START_TEST(test_used)
{
	struct domain domain = state_domain("a.example"), none = state_domain("b.example");

	put("a.example", 500);
	state.cache.used(state.cache.self, &none, NOW);
	ck_assert_int_eq(used_at("a.example"), 0);
	state.cache.used(state.cache.self, &domain, NOW);
	ck_assert_int_eq(used_at("a.example"), NOW);
	state.cache.used(state.cache.self, &domain, NOW + 3599);
	ck_assert_int_eq(used_at("a.example"), NOW);
	state.cache.used(state.cache.self, &domain, NOW + 3600);
	ck_assert_int_eq(used_at("a.example"), NOW + 3600);
	state.cache.used(state.cache.self, &domain, NOW); /* the clock went back */
	ck_assert_int_eq(used_at("a.example"), NOW);
	put("a.example", 501); /* a new policy is not a new use */
	ck_assert_int_eq(used_at("a.example"), NOW);
}
END_TEST

/* Many rows, two levels of pages and overflow pages: each is found, each between is proved away. */
START_TEST(test_many)
{
	char name[64];

	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof name, "d%03d.example", i * 77 % 400);
		ck_assert_int_eq(put(name, i), CACHE_OK);
	}
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof name, "d%03d.example", i * 77 % 400);
		ck_assert_int_eq(get(name), i);
		snprintf(name, sizeof name, "d%03d0.example", i);
		ck_assert_int_eq(get(name), -1);
	}
}
END_TEST

/* ---- hints, outcomes, strikes ---- */

START_TEST(test_hint)
{
	struct domain domain = state_domain("a.example"), other = state_domain("b.example");
	struct hint hint = { 1, 2, "failed1", MTASTS_STS_WEBPKI_INVALID, 3, 4 }, read;

	ck_assert_int_eq(state.cache.hint_get(state.cache.self, &domain, &read), CACHE_NOTHING);
	ck_assert_int_eq(state.cache.hint_put(state.cache.self, &domain, &hint), CACHE_OK);
	ck_assert_int_eq(state.cache.hint_get(state.cache.self, &domain, &read), CACHE_OK);
	ck_assert_int_eq(read.absent_until, 1);
	ck_assert_int_eq(read.agreed_until, 2);
	ck_assert_str_eq(read.failed_id, "failed1");
	ck_assert_int_eq(read.failed_finding, MTASTS_STS_WEBPKI_INVALID);
	ck_assert_int_eq(read.failed_until, 3);
	ck_assert_int_eq(read.get_at, 4);
	ck_assert_int_eq(state.cache.hint_get(state.cache.self, &other, &read), CACHE_NOTHING);
	hint.absent_until = 9;
	ck_assert_int_eq(state.cache.hint_put(state.cache.self, &domain, &hint), CACHE_OK);
	ck_assert_int_eq(state.cache.hint_get(state.cache.self, &domain, &read), CACHE_OK);
	ck_assert_int_eq(read.absent_until, 9);
	/* a dropped domain is looked up anew, policy or none */
	ck_assert_int_eq(state.cache.drop(state.cache.self, &domain), CACHE_NOTHING);
	ck_assert_int_eq(state.cache.hint_get(state.cache.self, &domain, &read), CACHE_NOTHING);
}
END_TEST

START_TEST(test_outcome)
{
	struct domain domain = state_domain("a.example");
	struct outcome outcome = { 1234, MTASTS_UNKNOWN, MTASTS_FROM_NOWHERE,
		MTASTS_STS_POLICY_FETCH_ERROR, "status 404" },
		       read;
	struct cache_lease *lease;

	ck_assert_int_eq(state.cache.outcome_get(state.cache.self, &domain, &read), CACHE_NOTHING);
	ck_assert_int_eq(state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_OK);
	state.cache.lease_end(state.cache.self, lease, NULL);
	ck_assert_int_eq(state.cache.outcome_get(state.cache.self, &domain, &read), CACHE_NOTHING);
	ck_assert_int_eq(state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_OK);
	state.cache.lease_end(state.cache.self, lease, &outcome);
	ck_assert_int_eq(state.cache.outcome_get(state.cache.self, &domain, &read), CACHE_OK);
	ck_assert_int_eq(read.at_ms, 1234);
	ck_assert_int_eq(read.state, MTASTS_UNKNOWN);
	ck_assert_int_eq(read.source, MTASTS_FROM_NOWHERE);
	ck_assert_int_eq(read.finding, MTASTS_STS_POLICY_FETCH_ERROR);
	ck_assert_str_eq(read.reason, "status 404");
}
END_TEST

static void
run_sql(const char *sql)
{
	char path[200];
	sqlite3 *db;
	int one = 1;

	ck_assert_int_eq(sqlite3_open(state_path(&state, STORE_FILE, path), &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, one, NULL);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The monotonic clock began anew: no outcome of before counts. */
START_TEST(test_outcome_of_another_boot)
{
	struct domain domain = state_domain("a.example");
	struct outcome outcome = { .at_ms = 99999999, .state = MTASTS_ABSENT }, read;
	struct cache_lease *lease;
	char sql[200];

	ck_assert_int_eq(state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_OK);
	state.cache.lease_end(state.cache.self, lease, &outcome);
	ck_assert_int_eq(state.cache.outcome_get(state.cache.self, &domain, &read), CACHE_OK);
	/* its sum no longer fits: unreadable, and said so */
	snprintf(sql, sizeof sql, "UPDATE outcome SET boot=boot+1");
	run_sql(sql);
	ck_assert_int_eq(
	    state.cache.outcome_get(state.cache.self, &domain, &read), CACHE_UNREADABLE);
	ck_assert_int_eq(state.lines, 1);
	state.lines = 0;
}
END_TEST

static size_t
strikes(const char *name, int64_t now)
{
	struct domain domain = state_domain(name);
	struct strike some[2];
	size_t n = 99;

	ck_assert_int_eq(
	    state.cache.strikes_get(state.cache.self, &domain, now, some, 2, &n), CACHE_OK);
	return n;
}

static void
strike(const char *name, const char *mx, int64_t at)
{
	struct domain domain = state_domain(name);
	struct strike one = { state_domain(mx), MTASTS_CERTIFICATE_EXPIRED, at };

	ck_assert_int_eq(state.cache.strike_put(state.cache.self, &domain, &one), CACHE_OK);
}

START_TEST(test_strikes)
{
	struct domain domain = state_domain("a.example"), mx = state_domain("mx1.example");
	struct strike some[2];
	size_t n;

	ck_assert_uint_eq(strikes("a.example", NOW), 0);
	ck_assert_int_eq(state.cache.strike_end(state.cache.self, &domain, NULL), CACHE_OK);
	strike("a.example", "mx1.example", NOW);
	strike("a.example", "mx1.example", NOW + 1);
	strike("a.example", "mx2.example", NOW);
	strike("a.example", "mx3.example", NOW);
	strike("b.example", "mx1.example", NOW);
	ck_assert_uint_eq(strikes("a.example", NOW + 1), 3); /* more than were asked for */
	ck_assert_uint_eq(strikes("a.example", NOW), 2);     /* one is of the future */
	ck_assert_uint_eq(strikes("a.example", NOW + LIMIT_STRIKE), 3);
	ck_assert_uint_eq(strikes("a.example", NOW + LIMIT_STRIKE + 1), 1);
	ck_assert_int_eq(
	    state.cache.strikes_get(state.cache.self, &domain, NOW + 1, some, 1, &n), CACHE_OK);
	ck_assert_str_eq(some[0].mx.name, "mx1.example");
	ck_assert_int_eq(some[0].at, NOW + 1);
	ck_assert_int_eq(some[0].finding, MTASTS_CERTIFICATE_EXPIRED);
	ck_assert_int_eq(state.cache.strike_end(state.cache.self, &domain, &mx), CACHE_OK);
	ck_assert_uint_eq(strikes("a.example", NOW + 1), 2);
	ck_assert_int_eq(state.cache.strike_end(state.cache.self, &domain, NULL), CACHE_OK);
	ck_assert_uint_eq(strikes("a.example", NOW + 1), 0);
	ck_assert_uint_eq(strikes("b.example", NOW + 1), 1);
}
END_TEST

/* ---- forgetting ---- */

static int
count(const char *sql)
{
	char path[200];
	sqlite3 *db;
	sqlite3_stmt *statement;

	ck_assert_int_eq(
	    sqlite3_open_v2(state_path(&state, STORE_FILE, path), &db, SQLITE_OPEN_READONLY, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int n = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return n;
}

/* c19: an expired row stays LIMIT_KEEP_EXPIRED, for the clock may be wrong */
START_TEST(test_sweep_policies)
{
	int64_t expires = 500 + 604800;
	char name[64];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "d%02d.example", i);
		put(name, i % 2 == 0 ? 500 : 600);
	}
	for (int i = 0; i < 20; i++)
		state.cache.sweep(state.cache.self, expires + LIMIT_KEEP_EXPIRED);
	ck_assert_int_eq(count("SELECT count(*) FROM policy"), 101);
	state.cache.sweep(state.cache.self, expires + LIMIT_KEEP_EXPIRED + 1);
	int left = count("SELECT count(*) FROM policy");
	ck_assert_int_lt(left, 101);
	ck_assert_int_gt(left, 51); /* a few a call */
	for (int i = 0; i < 20; i++) {
		/* another process each time: it goes on where the last one stopped */
		state_close(&state);
		ck_assert_int_eq(state_open(&state), 0);
		state.cache.sweep(state.cache.self, expires + LIMIT_KEEP_EXPIRED + 1);
	}
	ck_assert_int_eq(count("SELECT count(*) FROM policy"), 51);
	ck_assert_int_eq(get("d00.example"), -1);
	ck_assert_int_eq(get("d01.example"), 600);
	ck_assert_int_eq(strlen(listed(0)), 50 * strlen("d00.example "));
}
END_TEST

START_TEST(test_sweep_others)
{
	struct domain domain;
	struct hint hint = { .absent_until = NOW, .get_at = NOW - LIMIT_RETRY_GET };
	struct clock clock = clock_system();
	struct outcome outcome = { .at_ms = clock_mono_ms(&clock) };
	struct cache_lease *lease;
	char name[64];

	for (int i = 0; i < 80; i++) {
		snprintf(name, sizeof name, "d%02d.example", i);
		domain = state_domain(name);
		hint.agreed_until = i % 4 == 0 ? NOW + 1 : i % 4 == 1 ? INT64_MAX / 2 : 0;
		state.cache.hint_put(state.cache.self, &domain, &hint);
		strike(name, "mx1.example", NOW - (i % 2 == 0 ? LIMIT_STRIKE : 0));
		strike(name, "mx2.example", NOW - (i % 2 == 0 ? LIMIT_STRIKE : 0));
	}
	state.cache.lease_get(state.cache.self, &domain, 32, &lease);
	state.cache.lease_end(state.cache.self, lease, &outcome);
	domain = state_domain("old.example");
	outcome.at_ms -= 3600 * 1000 + 1000;
	state.cache.lease_get(state.cache.self, &domain, 32, &lease);
	state.cache.lease_end(state.cache.self, lease, &outcome);
	for (int i = 0; i < 12; i++)
		state.cache.sweep(state.cache.self, NOW);
	/* valid to the last second; what lies ahead of every limit goes */
	ck_assert_int_eq(count("SELECT count(*) FROM hint"), 60);
	ck_assert_int_eq(count("SELECT count(*) FROM strike"), 160);
	ck_assert_int_eq(count("SELECT count(*) FROM outcome"), 1);
	for (int i = 0; i < 12; i++)
		state.cache.sweep(state.cache.self, NOW + 1);
	ck_assert_int_eq(count("SELECT count(*) FROM hint"), 20);
	ck_assert_int_eq(count("SELECT count(*) FROM strike"), 80);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, test_get_put);
	tcase_add_loop_test(tcase, test_swap, 0, sizeof swaps / sizeof swaps[0]);
	tcase_add_test(tcase, test_future_into_nothing);
	tcase_add_test(tcase, test_each_drop);
	tcase_add_test(tcase, test_each_while_dropping);
	tcase_add_test(tcase, test_used);
	tcase_add_test(tcase, test_many);
	tcase_add_test(tcase, test_hint);
	tcase_add_test(tcase, test_outcome);
	tcase_add_test(tcase, test_outcome_of_another_boot);
	tcase_add_test(tcase, test_strikes);
	tcase_add_test(tcase, test_sweep_policies);
	tcase_add_test(tcase, test_sweep_others);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
