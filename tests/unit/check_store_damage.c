/* SPDX-License-Identifier: ISC
 *
 * A damaged store (c23).  Whatever happened to its bytes, an answer about a policy that is stored
 * is that policy or "unreadable", about one that is not "nothing" or "unreadable", and nothing
 * crashes or hangs.  Each round works on a fresh copy of the files.
 */
#include "cache/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "state.h"
#include "unit.h"

enum {
	NOW = 1000000,
	POLICIES = 60,
	FLIPS = 900, /* rounds */
	HINTS = 20,
};

/* The bytes of the store's files as they were. */
struct image {
	const char *name;
	char *bytes;
	size_t n;
};

static struct state state;
static struct image images[] = { { STORE_FILE, NULL, 0 }, { STORE_FILE "-wal", NULL, 0 } };
static int answered, unreadable;

/* ---- files ---- */

static void
load(struct image *image)
{
	char path[200];
	struct stat st;

	int fd = open(state_path(&state, image->name, path), O_RDONLY | O_CLOEXEC);
	ck_assert(fd >= 0 && fstat(fd, &st) == 0);
	image->n = (size_t)st.st_size;
	image->bytes = malloc(image->n + 1);
	ck_assert_ptr_nonnull(image->bytes);
	ck_assert_int_eq(read(fd, image->bytes, image->n), image->n);
	close(fd);
}

static void
store_bytes(const char *name, const char *bytes, size_t n)
{
	char path[200];

	int fd = open(state_path(&state, name, path), O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, n), n);
	close(fd);
}

static void
restore(void)
{
	for (size_t i = 0; i < sizeof images / sizeof images[0]; i++)
		store_bytes(images[i].name, images[i].bytes, images[i].n);
}

/* ---- a store with something of everything in it ---- */

static const char *
policy_name(int i)
{
	static char name[64];

	/* letters apart, so that one flipped bit turns names into each other's neighbours */
	snprintf(name, sizeof name, "%c%d.example", 'a' + i % 26, i);
	return name;
}

static void
setup(void)
{
	struct strike strike = { .finding = MTASTS_CERTIFICATE_EXPIRED, .at = NOW };
	struct hint hint = { .agreed_until = NOW, .failed_id = "x1" };

	state_make(&state, NULL);
	ck_assert_int_eq(state_open(&state), 0);
	for (int i = 0; i < POLICIES; i++)
		ck_assert_int_eq(state_put(&state, policy_name(i), i, NOW), CACHE_OK);
	strike.mx = state_domain("mx.example");
	for (int i = 0; i < HINTS; i++) {
		struct domain domain = state_domain(policy_name(i));
		hint.get_at = i;
		ck_assert_int_eq(state.cache.hint_put(state.cache.self, &domain, &hint), CACHE_OK);
		strike.at = NOW + i;
		ck_assert_int_eq(
		    state.cache.strike_put(state.cache.self, &domain, &strike), CACHE_OK);
	}
	state_close(&state);
	for (size_t i = 0; i < sizeof images / sizeof images[0]; i++)
		load(&images[i]);
	ck_assert_uint_gt(images[1].n, 10 * 4096); /* what was not put() waits in the log */
	answered = unreadable = 0;
}

static void
teardown(void)
{
	for (size_t i = 0; i < sizeof images / sizeof images[0]; i++)
		free(images[i].bytes);
	state_remove(&state);
}

/* ---- questions ---- */

static int
count_policy(void *arg, const struct entry *entry)
{
	int *n = arg;

	ck_assert(state_is_right(entry));
	++*n;
	return 0;
}

static void
ask_hints(const char *what)
{
	for (int i = 0; i < HINTS + 5; i++) {
		struct domain domain = state_domain(policy_name(i));
		struct hint hint;
		struct strike strikes[4];
		size_t n;
		/* these may be lost with the log, but never be others than were written */
		enum cache_result r = state.cache.hint_get(state.cache.self, &domain, &hint);
		if (r == CACHE_OK)
			ck_assert_msg(i < HINTS && hint.get_at == i && hint.agreed_until == NOW &&
					  strcmp(hint.failed_id, "x1") == 0,
			    "%s", what);
		r = state.cache.strikes_get(state.cache.self, &domain, NOW + HINTS, strikes, 4, &n);
		if (r == CACHE_OK && n != 0)
			ck_assert_msg(i < HINTS && n == 1 && strikes[0].at == NOW + i, "%s", what);
	}
}

/* Ask for all that is there and for as much that is not. */
static void
ask(const char *what)
{
	int listed = 0;

	int r = state_open(&state);
	for (int i = 0; i < POLICIES; i++) {
		char none[80];
		int64_t at = state_get(&state, policy_name(i));
		ck_assert_msg(
		    at == i || at == -2, "%s: %s gives %lld", what, policy_name(i), (long long)at);
		answered += at == i;
		unreadable += at == -2;
		snprintf(none, sizeof none, "no%s", policy_name(i));
		at = state_get(&state, none);
		ck_assert_msg(at == -1 || at == -2, "%s: %s gives %lld", what, none, (long long)at);
	}
	if (state.cache.each(state.cache.self, count_policy, &listed) == CACHE_OK)
		ck_assert_msg(listed == POLICIES, "%s: %d are listed", what, listed);
	ask_hints(what);
	/* one line a cause and not one a row: damage, and what SQLite may find besides */
	ck_assert_msg(state.lines <= 4, "%s: %d lines", what, state.lines);
	ck_assert_msg(r == 0 || state.lines == 0, "%s: %s", what, state.line);
	state_close(&state);
}

/* Writing into a damaged store must not crash, and must not turn "unreadable" into "nothing". */
static void
write_on(const char *what)
{
	state_open(&state);
	for (int i = 0; i < 6; i++) {
		char name[80];
		snprintf(name, sizeof name, "%cz.example", 'a' + i * 4);
		state_put(&state, name, 1, NOW);
	}
	for (int i = 0; i < 10; i++)
		state.cache.sweep(state.cache.self, NOW + 1);
	for (int i = 0; i < POLICIES; i++) {
		int64_t at = state_get(&state, policy_name(i));
		ck_assert_msg(at == i || at == -2, "%s, written: %s gives %lld", what,
		    policy_name(i), (long long)at);
	}
	state_close(&state);
}

/* ---- damage ---- */

START_TEST(test_none)
{
	restore();
	ask("nothing");
	ck_assert_int_eq(unreadable, 0);
	ck_assert_int_eq(answered, POLICIES);
}
END_TEST

START_TEST(test_flips)
{
	char what[64];

	srandom(4711);
	for (int round = 0; round < FLIPS; round++) {
		/* one time in eight the log, else the file; one bit or a few */
		struct image *image = &images[round % 8 == 7];
		char *copy = malloc(image->n);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, image->bytes, image->n);
		int flips = round % 3 == 0 ? 1 : 1 + (int)(random() % 12);
		for (int i = 0; i < flips; i++) {
			/* a third of them in the first pages: header, schema, roots */
			size_t span = random() % 3 == 0 ? 8 * 4096 : image->n;
			copy[(size_t)random() % span] ^= (char)(1 << random() % 8);
		}
		restore();
		store_bytes(image->name, copy, image->n);
		free(copy);
		snprintf(what, sizeof what, "%s, flips of round %d", image->name, round);
		ask(what);
		if (round % 4 == 0)
			write_on(what);
	}
	/* it was worth it: much was hit, and much was still answered */
	ck_assert_int_gt(unreadable, 100);
	ck_assert_int_gt(answered, FLIPS * POLICIES / 4);
}
END_TEST

/* Each page with policies in it, and each other, wiped out; and filled with another's bytes. */
START_TEST(test_pages)
{
	char what[64];

	for (size_t i = 0; i < sizeof images / sizeof images[0]; i++) {
		struct image *image = &images[i];
		for (size_t at = 0; at < image->n; at += 4096) {
			size_t n = image->n - at < 4096 ? image->n - at : 4096;
			char *copy = malloc(image->n);
			ck_assert_ptr_nonnull(copy);
			for (int fill = 0; fill < 3; fill++) {
				size_t from = (at + 2 * 4096) % (image->n - n);
				memcpy(copy, image->bytes, image->n);
				if (fill < 2)
					memset(copy + at, fill == 0 ? 0 : 0xff, n);
				else
					memcpy(copy + at, image->bytes + from, n);
				restore();
				store_bytes(image->name, copy, image->n);
				snprintf(what, sizeof what, "%s, page at %zu, %d", image->name, at,
				    fill);
				ask(what);
				if (fill == 0)
					write_on(what);
			}
			free(copy);
		}
	}
	ck_assert_int_gt(unreadable, 100);
}
END_TEST

START_TEST(test_truncation)
{
	static const int around[] = { 0, 1, 24, 2048, 4095 };
	char what[64];

	for (size_t i = 0; i < sizeof images / sizeof images[0]; i++) {
		struct image *image = &images[i];
		/* the log's frames are a page and 24 octets each, after a header of 32 */
		for (size_t at = 0; at <= image->n; at += i == 0 ? 4096 : 4120) {
			for (size_t k = 0; k < sizeof around / sizeof around[0]; k++) {
				size_t n = at + (i == 0 ? 0 : 32) + (size_t)around[k];
				if (n >= image->n)
					continue;
				restore();
				store_bytes(image->name, image->bytes, n);
				snprintf(what, sizeof what, "%s, cut to %zu", image->name, n);
				ask(what);
				if (k == 0)
					write_on(what);
			}
		}
	}
	ck_assert_int_gt(unreadable, 100);
}
END_TEST

/* Policies do not wait in the log: without it none is missing, nor is one older. */
START_TEST(test_log_lost)
{
	restore();
	store_bytes(STORE_FILE "-wal", "", 0);
	ask("log cut to nothing");
	ck_assert_int_eq(unreadable, 0);
	answered = 0;
	char path[200];
	unlink(state_path(&state, STORE_FILE "-wal", path));
	unlink(state_path(&state, STORE_FILE "-shm", path));
	ask("log removed");
	ck_assert_int_eq(unreadable, 0);
	ck_assert_int_eq(answered, POLICIES);
}
END_TEST

/* Nobody has the store open: what stands in the shared memory file is of no account. */
START_TEST(test_shared_memory)
{
	static const size_t sizes[] = { 0, 1, 3, 136, 4096, 32768, 70000 };
	static char garbage[70000];

	srandom(815);
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (char)random();
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		restore();
		store_bytes(STORE_FILE "-shm", garbage, sizes[i]);
		answered = 0;
		ask("shared memory");
		ck_assert_int_eq(answered, POLICIES);
	}
}
END_TEST

/* What was damaged by SQL, so that SQLite itself finds nothing wrong. */
static const char *const edits[] = {
	"DELETE FROM policy WHERE domain='c2.example'",
	"DELETE FROM policy WHERE domain=''",
	"DELETE FROM policy",
	"UPDATE policy SET domain='c2x.example' WHERE domain='c2.example'",
	"UPDATE policy SET next='' WHERE domain='c2.example'",
	"UPDATE policy SET next=NULL",
	"UPDATE policy SET body=x'00' WHERE domain='c2.example'",
	"UPDATE policy SET body=NULL WHERE domain='c2.example'",
	"UPDATE policy SET body='text' WHERE domain='c2.example'",
	"UPDATE policy SET id=7 WHERE domain='c2.example'",
	"UPDATE policy SET max_age='x'",
	"UPDATE policy SET max_age=max_age+1",
	"UPDATE policy SET fetched_at=fetched_at-1",
	"UPDATE policy SET used_at=-1",
	"UPDATE policy SET sum=0",
	"UPDATE policy SET link=link+1",
	"UPDATE policy SET body=zeroblob(70000) WHERE domain='c2.example'",
	"UPDATE hint SET agreed_until=agreed_until+1",
	"UPDATE hint SET failed_id='toolong_toolong_toolong_toolong_toolong'",
	"UPDATE hint SET failed_finding=99",
	"UPDATE strike SET finding=-1",
	"UPDATE strike SET mx='not a name'",
	"DROP TABLE policy",
	"DROP TABLE hint",
	"ALTER TABLE policy RENAME COLUMN body TO corpse",
	"CREATE TRIGGER t AFTER UPDATE ON policy BEGIN DELETE FROM policy; END",
	"DROP TABLE policy; CREATE VIEW policy AS SELECT * FROM hint",
};

START_TEST(test_edits)
{
	char path[200];
	sqlite3 *db;

	restore();
	ck_assert_int_eq(sqlite3_open(state_path(&state, STORE_FILE, path), &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, edits[_i], NULL, NULL, NULL) == SQLITE_OK, "%s: %s",
	    edits[_i], sqlite3_errmsg(db));
	sqlite3_close(db);
	ask(edits[_i]);
	write_on(edits[_i]);
}
END_TEST

/* The administrator's drop mends a row whose content is damaged, and the rest stays. */
START_TEST(test_drop_mends)
{
	struct domain domain = state_domain("c2.example");
	char path[200];
	sqlite3 *db;

	restore();
	ck_assert_int_eq(sqlite3_open(state_path(&state, STORE_FILE, path), &db), SQLITE_OK);
	sqlite3_exec(
	    db, "UPDATE policy SET body=x'00' WHERE domain='c2.example'", NULL, NULL, NULL);
	sqlite3_close(db);
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(state_get(&state, "c2.example"), -2);
	ck_assert_int_eq(state_get(&state, "c28.example"), 28);
	/* it might be the newer one: it is not written over */
	ck_assert_int_eq(state_put(&state, "c2.example", 3, NOW), CACHE_UNREADABLE);
	ck_assert_int_eq(state.lines, 1);
	ck_assert_msg(strstr(state.line, "damaged") != NULL, "%s", state.line);
	ck_assert_int_eq(state.cache.drop(state.cache.self, &domain), CACHE_OK);
	ck_assert_int_eq(state_get(&state, "c2.example"), -1);
	ck_assert_int_eq(state_put(&state, "c2.example", 3, NOW), CACHE_OK);
	ck_assert_int_eq(state_get(&state, "c2.example"), 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_damage");
	TCase *tcase = tcase_create("damage");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, test_none);
	tcase_add_test(tcase, test_flips);
	tcase_add_test(tcase, test_pages);
	tcase_add_test(tcase, test_truncation);
	tcase_add_test(tcase, test_log_lost);
	tcase_add_test(tcase, test_shared_memory);
	tcase_add_loop_test(tcase, test_edits, 0, sizeof edits / sizeof edits[0]);
	tcase_add_test(tcase, test_drop_mends);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
