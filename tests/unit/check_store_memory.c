/* SPDX-License-Identifier: ISC
 *
 * Memory runs out at every allocation in turn, ours and SQLite's: each call answers, what it
 * answers is true, nothing leaks, and with memory the store is as good as before.
 */
#include "cache/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "nomem.h"
#include "state.h"
#include "unit.h"

enum { NOW = 1000000, TRIES_MAX = 20000, HEADER = 16 };

static struct state state;

/* ---- SQLite's allocator, in reach of nomem ---- */

static void *
sql_malloc(int n)
{
	size_t *p = malloc((size_t)n + HEADER);

	if (p == NULL)
		return NULL;
	*p = (size_t)n;
	return (char *)p + HEADER;
}

static void
sql_free(void *p)
{
	if (p != NULL)
		free((char *)p - HEADER);
}

static void *
sql_realloc(void *old, int n)
{
	size_t *p = realloc(old == NULL ? NULL : (char *)old - HEADER, (size_t)n + HEADER);

	if (p == NULL)
		return NULL;
	*p = (size_t)n;
	return (char *)p + HEADER;
}

static int
sql_size(void *p)
{
	return p == NULL ? 0 : (int)*(size_t *)(void *)((char *)p - HEADER);
}

static int
sql_roundup(int n)
{
	return (n + 7) / 8 * 8;
}

static int
sql_init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void
sql_shutdown(void *arg)
{
	(void)arg;
}

static void
use_our_allocator(void)
{
	static const sqlite3_mem_methods methods = { sql_malloc, sql_free, sql_realloc, sql_size,
		sql_roundup, sql_init, sql_shutdown, NULL };

	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK)
		abort();
}

/* ---- calls ---- */

static struct entry *new_entry, *second_entry;
static struct domain domain, other;

static enum cache_result
do_get(void)
{
	struct entry *entry = NULL;
	enum cache_result result = state.cache.get(state.cache.self, &domain, &entry);

	entry_free(entry);
	return result;
}

static enum cache_result
do_get_nothing(void)
{
	struct entry *entry = NULL;

	return state.cache.get(state.cache.self, &other, &entry) == CACHE_NOTHING
		   ? CACHE_OK
		   : CACHE_UNREADABLE;
}

static enum cache_result
do_put(void)
{
	enum cache_result result = state.cache.put(state.cache.self, new_entry, NOW);

	/* it was durable all the same when only the checkpoint failed: then it stands there */
	return result == CACHE_REFUSED ? CACHE_OK : result;
}

static enum cache_result
do_insert_drop(void)
{
	enum cache_result result = state.cache.put(state.cache.self, second_entry, NOW);

	if (result == CACHE_UNREADABLE)
		return result;
	result = state.cache.drop(state.cache.self, &second_entry->domain);
	return result == CACHE_NOTHING ? CACHE_OK : result;
}

static int
ignore(void *arg, const struct entry *entry)
{
	(void)arg;
	(void)entry;
	return 0;
}

static enum cache_result
do_each(void)
{
	return state.cache.each(state.cache.self, ignore, NULL);
}

static enum cache_result
do_hint(void)
{
	struct hint hint = { .get_at = NOW };
	enum cache_result result = state.cache.hint_put(state.cache.self, &domain, &hint);

	return result != CACHE_OK ? result : state.cache.hint_get(state.cache.self, &domain, &hint);
}

static enum cache_result
do_strike(void)
{
	struct strike strike = { domain, MTASTS_CERTIFICATE_EXPIRED, NOW };
	size_t n;
	enum cache_result result = state.cache.strike_put(state.cache.self, &domain, &strike);

	if (result == CACHE_OK)
		result = state.cache.strikes_get(state.cache.self, &domain, NOW, &strike, 1, &n);
	return result != CACHE_OK ? result
				  : state.cache.strike_end(state.cache.self, &domain, NULL);
}

static enum cache_result
do_lease(void)
{
	struct outcome outcome = { .at_ms = 5, .state = MTASTS_ABSENT };
	struct cache_lease *lease;
	enum cache_result result = state.cache.lease_get(state.cache.self, &domain, 32, &lease);

	if (result != CACHE_OK)
		return result;
	state.cache.lease_end(state.cache.self, lease, &outcome);
	/* the outcome may be lost for want of memory; the lease was given back */
	return state.cache.outcome_get(state.cache.self, &domain, &outcome);
}

static enum cache_result
do_sweep(void)
{
	state.cache.used(state.cache.self, &domain, NOW);
	state.cache.sweep(state.cache.self, NOW);
	return CACHE_UNREADABLE; /* tells nothing */
}

static const struct {
	const char *name;
	enum cache_result (*call)(void);
	bool tells;
} calls[] = {
	{ "get", do_get, true },
	{ "get of nothing", do_get_nothing, true },
	{ "put", do_put, true },
	{ "insert and drop", do_insert_drop, true },
	{ "each", do_each, true },
	{ "hint", do_hint, true },
	{ "strike", do_strike, true },
	{ "lease", do_lease, false },
	{ "used and sweep", do_sweep, false },
};

static void
setup(void)
{
	use_our_allocator();
	state_make(&state, NULL);
	domain = state_domain("m.example");
	other = state_domain("b.example");
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(state_put(&state, "a.example", 1, NOW), CACHE_OK);
	ck_assert_int_eq(state_put(&state, "m.example", 2, NOW), CACHE_OK);
	ck_assert_int_eq(state_put(&state, "z.example", 3, NOW), CACHE_OK);
	state_close(&state);
	new_entry = state_entry(&domain, 20);
	struct domain second = state_domain("s.example");
	second_entry = state_entry(&second, 30);
}

static void
teardown(void)
{
	entry_free(new_entry);
	entry_free(second_entry);
	state_remove(&state);
}

/* Becoming the file's owner takes memory too; all it can say is that it could not. */
static bool
is_out_of_memory_line(void)
{
	return strstr(state.line, "out of memory") != NULL ||
	       strstr(state.line, "leases cannot be opened") != NULL;
}

/* The n-th allocation of a fresh handle's call fails, for every n. */
START_TEST(test_call)
{
	bool done = false;
	size_t n;

	for (n = 0; !done; n++) {
		ck_assert_uint_lt(n, TRIES_MAX);
		ck_assert_int_eq(state_open(&state), 0);
		nomem_after(n);
		enum cache_result result = calls[_i].call();
		done = nomem_end() <= n;
		ck_assert_msg(
		    result == CACHE_OK || result == CACHE_UNREADABLE, "%s: %zu", calls[_i].name, n);
		ck_assert_msg(!done || !calls[_i].tells || result == CACHE_OK, "%s: %s",
		    calls[_i].name, state.line);
		ck_assert_msg(state.lines == 0 || is_out_of_memory_line(), "%s", state.line);
		ck_assert_int_le(state.lines, 1);
		/* and then there is memory again, for this handle or another */
		int64_t at = state_get(&state, "m.example");
		if (at == -2) { /* it gave its connection up: what is stored stands */
			state_close(&state);
			ck_assert_int_eq(state_open(&state), 0);
			at = state_get(&state, "m.example");
		}
		ck_assert_msg(
		    at == 2 || at == 20, "%s: %zu: %lld", calls[_i].name, n, (long long)at);
		ck_assert_int_eq(state_get(&state, "b.example"), -1);
		ck_assert_int_eq(state_get(&state, "z.example"), 3);
		state_close(&state);
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

/* store_open(): a handle that answers, or MTASTS_ENOMEM and none. */
START_TEST(test_open)
{
	bool done = false;
	char why[300];

	for (size_t n = 0; !done; n++) {
		struct store *store = NULL;
		ck_assert_uint_lt(n, TRIES_MAX);
		nomem_after(n);
		int r = store_open(state.dir, NULL, &store, why, sizeof why);
		done = nomem_end() <= n;
		ck_assert_msg(
		    r == (done ? 0 : r) && (r == 0 || r == MTASTS_ENOMEM || r == MTASTS_ECACHE),
		    "%zu: %d", n, r);
		ck_assert((store == NULL) == (r == MTASTS_ENOMEM));
		if (r == MTASTS_ECACHE) {
			struct cache cache = store_cache(store);
			struct entry *entry;
			ck_assert_str_ne(why, "");
			ck_assert_int_eq(cache.get(cache.self, &domain, &entry), CACHE_UNREADABLE);
		}
		store_close(store);
	}
}
END_TEST

START_TEST(test_create)
{
	bool done = false;
	struct owner owner;
	char path[200];

	ck_assert_int_eq(owner_of_directory(state.dir, &owner), 0);
	for (size_t n = 0; !done; n++) {
		ck_assert_uint_lt(n, TRIES_MAX);
		if (n % 3 != 0) { /* from nothing, or from what the last one left */
			unlink(state_path(&state, STORE_FILE, path));
			unlink(state_path(&state, STORE_FILE "-wal", path));
			unlink(state_path(&state, STORE_FILE "-shm", path));
		}
		nomem_after(n);
		int r = store_create(state.dir, &owner, state.why, sizeof state.why);
		done = nomem_end() <= n;
		ck_assert_msg(!done || r == 0, "%s", state.why);
		/* half made or not, the next one makes it whole */
		ck_assert_msg(store_create(state.dir, &owner, state.why, sizeof state.why) == 0,
		    "%zu: %s", n, state.why);
		ck_assert_int_eq(state_open(&state), 0);
		ck_assert_int_eq(state_put(&state, "n.example", 1, NOW) == CACHE_UNREADABLE, 0);
		state_close(&state);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_memory");
	TCase *tcase = tcase_create("memory");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_call, 0, sizeof calls / sizeof calls[0]);
	tcase_add_test(tcase, test_open);
	tcase_add_test(tcase, test_create);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
