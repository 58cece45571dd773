/* SPDX-License-Identifier: ISC
 *
 * What the store's files must be, and what is made of those that are not.
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

enum { NOW = 1000000 };

static struct state state;
static char path[200];

static void
setup(void)
{
	umask(077); /* f36 */
	state_make(&state, NULL);
}

static void
teardown(void)
{
	state_remove(&state);
}

static int
nobody(void *arg, const struct entry *entry)
{
	(void)arg;
	(void)entry;
	ck_abort_msg("a policy out of nowhere");
	return 0;
}

/* The handle of a store that cannot be opened: every call answers, none says "nothing". */
static void
assert_unreadable(void)
{
	struct cache *cache = &state.cache;
	struct domain domain = state_domain("a.example");
	struct strike one = { domain, MTASTS_NOTHING_WRONG, NOW }, some[2];
	struct hint hint = { .get_at = 1 };
	struct outcome outcome;
	struct cache_lease *lease;
	size_t n;

	ck_assert_int_eq(state_get(&state, "a.example"), -2);
	ck_assert_int_eq(state_put(&state, "a.example", 5, NOW), CACHE_UNREADABLE);
	ck_assert_int_eq(cache->drop(cache->self, &domain), CACHE_UNREADABLE);
	ck_assert_int_eq(cache->each(cache->self, nobody, NULL), CACHE_UNREADABLE);
	cache->used(cache->self, &domain, NOW);
	cache->sweep(cache->self, NOW);
	ck_assert_int_eq(cache->hint_get(cache->self, &domain, &hint), CACHE_UNREADABLE);
	ck_assert_int_eq(cache->hint_put(cache->self, &domain, &hint), CACHE_UNREADABLE);
	ck_assert_int_eq(cache->lease_get(cache->self, &domain, 32, &lease), CACHE_UNREADABLE);
	ck_assert_int_eq(cache->outcome_get(cache->self, &domain, &outcome), CACHE_UNREADABLE);
	ck_assert_int_eq(
	    cache->strikes_get(cache->self, &domain, NOW, some, 2, &n), CACHE_UNREADABLE);
	ck_assert_int_eq(cache->strike_put(cache->self, &domain, &one), CACHE_UNREADABLE);
	ck_assert_int_eq(cache->strike_end(cache->self, &domain, NULL), CACHE_UNREADABLE);
}

/* It is refused with these words, said once and to who opened it. */
static void
assert_refused(const char *words)
{
	ck_assert_int_eq(state_open(&state), MTASTS_ECACHE);
	ck_assert_msg(strstr(state.why, words) != NULL, "\"%s\" lacks \"%s\"", state.why, words);
	assert_unreadable();
	ck_assert_int_eq(state.lines, 0);
	state_close(&state);
}

static void
assert_usable(void)
{
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	ck_assert_int_eq(state_put(&state, "a.example", 5, NOW), CACHE_OK);
	ck_assert_int_eq(state_get(&state, "a.example"), 5);
	ck_assert_int_eq(state.lines, 0);
	state_close(&state);
}

static int
create_again(void)
{
	struct owner owner;

	ck_assert_int_eq(owner_of_directory(state.dir, &owner), 0);
	return store_create(state.dir, &owner, state.why, sizeof state.why);
}

static void
write_file(const char *name, const char *bytes, size_t n)
{
	struct owner owner;

	ck_assert_int_eq(owner_of_directory(state.dir, &owner), 0);
	int fd =
	    open(state_path(&state, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, n), n);
	ck_assert_int_eq(fchown(fd, owner.uid, owner.gid), 0);
	close(fd);
}

static void
remove_file(const char *name)
{
	ck_assert_int_eq(unlink(state_path(&state, name, path)), 0);
}

/* ---- as they are made ---- */

START_TEST(test_modes)
{
	static const char *const names[] = { STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm",
		STORE_LEASES };
	struct stat st;

	assert_usable();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		ck_assert_int_eq(lstat(state_path(&state, names[i], path), &st), 0);
		ck_assert_msg((st.st_mode & 07777) == 0660, "%s has mode %o", names[i],
		    (unsigned)st.st_mode & 07777);
		if (geteuid() == 0)
			ck_assert_uint_eq(st.st_uid, STATE_OWNER);
		if (geteuid() == 0)
			ck_assert_uint_eq(st.st_gid, STATE_GROUP);
	}
}
END_TEST

START_TEST(test_create_twice)
{
	assert_usable();
	ck_assert_msg(create_again() == 0, "%s", state.why);
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(state_get(&state, "a.example"), 5);
	/* and while it is in use */
	ck_assert_msg(create_again() == 0, "%s", state.why);
	ck_assert_int_eq(state_put(&state, "b.example", 6, NOW), CACHE_OK);
	ck_assert_int_eq(state_get(&state, "a.example"), 5);
}
END_TEST

/* What SQLite deletes when another program was the last to close it. */
START_TEST(test_no_log)
{
	sqlite3 *db;
	struct stat st;

	assert_usable();
	ck_assert_int_eq(sqlite3_open(state_path(&state, STORE_FILE, path), &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "SELECT count(*) FROM policy", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	ck_assert_int_eq(lstat(state_path(&state, STORE_FILE "-wal", path), &st), -1);
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(state_get(&state, "a.example"), 5);
	ck_assert_int_eq(lstat(state_path(&state, STORE_FILE "-wal", path), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
}
END_TEST

/* ---- as they must not be ---- */

START_TEST(test_missing)
{
	remove_file(STORE_FILE);
	assert_refused("no store in /tmp/check_store.");
	assert_refused("run mtasts init");
	ck_assert_int_ne(access(state_path(&state, STORE_FILE, path), F_OK), 0);
	ck_assert_msg(create_again() == 0, "%s", state.why);
	assert_usable();
}
END_TEST

START_TEST(test_no_directory)
{
	char dir[128];

	strcpy(dir, state.dir);
	strcat(state.dir, "/none");
	assert_refused("run mtasts init");
	strcpy(state.dir, dir);
	strcat(state.dir, "/" STORE_FILE);
	assert_refused("is not a directory");
	strcpy(state.dir, dir);
}
END_TEST

START_TEST(test_linked_directory)
{
	char dir[128];

	strcpy(dir, state.dir);
	strcat(state.dir, "-link");
	ck_assert_int_eq(symlink(dir, state.dir), 0);
	assert_refused("is not a directory");
	strcat(state.dir, "//");
	assert_refused("is not a directory");
	state.dir[strlen(dir) + strlen("-link")] = '\0';
	ck_assert_int_eq(unlink(state.dir), 0);
	strcpy(state.dir, dir);
}
END_TEST

/* /var is a link on some hosts: what leads to the directory is root's business. */
START_TEST(test_link_above)
{
	char dir[128], link[64] = "/tmp/check_store-up.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(link));
	ck_assert_int_eq(rmdir(link), 0);
	ck_assert_int_eq(symlink("/tmp", link), 0);
	strcpy(dir, state.dir);
	snprintf(state.dir, sizeof state.dir, "%s%s", link, dir + strlen("/tmp"));
	assert_usable();
	strcpy(state.dir, dir);
	ck_assert_int_eq(unlink(link), 0);
}
END_TEST

START_TEST(test_relative)
{
	char dir[128];

	strcpy(dir, state.dir);
	ck_assert_int_eq(chdir("/tmp"), 0);
	strcpy(state.dir, dir + strlen("/tmp/"));
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(state_put(&state, "a.example", 5, NOW), CACHE_OK);
	ck_assert_int_eq(state_get(&state, "a.example"), 5);
	strcpy(state.dir, dir);
}
END_TEST

/* Planted: a link in the place of each file SQLite opens, to a file that is worth something. */
START_TEST(test_link)
{
	static const char *const names[] = { STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm",
		STORE_FILE "-journal" };
	char bytes[16] = "";

	if (_i < 3)
		remove_file(names[_i]);
	write_file("other", "precious", 8);
	ck_assert_int_eq(symlink("other", state_path(&state, names[_i], path)), 0);
	assert_refused("is not a plain file");
	ck_assert_int_ne(create_again(), 0);
	int fd = open(state_path(&state, "other", path), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, bytes, sizeof bytes), 8);
	ck_assert_str_eq(bytes, "precious");
	close(fd);
}
END_TEST

START_TEST(test_hard_link)
{
	char other[200];

	ck_assert_int_eq(
	    link(state_path(&state, STORE_FILE, path), state_path(&state, "other", other)), 0);
	assert_refused("more than one name");
}
END_TEST

START_TEST(test_fifo)
{
	remove_file(STORE_FILE);
	ck_assert_int_eq(mkfifo(state_path(&state, STORE_FILE, path), 0660), 0);
	assert_refused("is not a plain file");
}
END_TEST

START_TEST(test_others)
{
	ck_assert_int_eq(chmod(state_path(&state, STORE_FILE, path), 0666), 0);
	assert_refused("can be written by everybody");
	ck_assert_int_eq(chmod(path, 0660), 0);
	ck_assert_int_eq(chmod(state.dir, 02777), 0);
	assert_refused("can be written by everybody");
	ck_assert_int_eq(chmod(state.dir, 02770), 0);
	assert_usable();
}
END_TEST

START_TEST(test_another_owner)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(state_path(&state, STORE_FILE, path), 12345, 12345), 0);
	assert_refused("belongs neither");
	/* the group's is good: a mail server's process made it */
	ck_assert_int_eq(chown(path, 12345, STATE_GROUP), 0);
	assert_usable();
}
END_TEST

/* What root could open and the owner cannot stays closed to root. */
START_TEST(test_not_by_root)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(state_path(&state, STORE_FILE, path), 0), 0);
	ck_assert_int_eq(state_open(&state), MTASTS_ECACHE);
	assert_unreadable();
}
END_TEST

/* A user that is not in the group. */
START_TEST(test_stranger)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(seteuid(12345), 0);
	assert_refused("may not be entered by this user");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(test_foreign)
{
	sqlite3 *db;
	char garbage[9000];

	/* another program's database */
	ck_assert_int_eq(sqlite3_open(state_path(&state, STORE_FILE, path), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "PRAGMA application_id=7", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_refused("not a store of mtasts");
	ck_assert_int_ne(create_again(), 0);
	/* a later version's */
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "PRAGMA application_id=1834177619;PRAGMA user_version=2",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_refused("another version");
	ck_assert_int_ne(create_again(), 0);
	/* none at all */
	memset(garbage, 'x', sizeof garbage);
	write_file(STORE_FILE, garbage, sizeof garbage);
	assert_refused("not a database");
	ck_assert_int_ne(create_again(), 0);
	ck_assert_msg(strstr(state.why, "not a database") != NULL, "%s", state.why);
}
END_TEST

/* `mtasts init` that was cut short is finished by the next. */
START_TEST(test_unfinished)
{
	remove_file(STORE_FILE "-wal");
	remove_file(STORE_FILE "-shm");
	write_file(STORE_FILE, "", 0);
	assert_refused("run mtasts init");
	ck_assert_msg(create_again() == 0, "%s", state.why);
	assert_usable();
}
END_TEST

/* The store is read while leases cannot be had. */
static void
assert_no_lease(const char *words)
{
	struct domain domain = state_domain("a.example");
	struct cache_lease *lease;

	ck_assert_int_eq(state_open(&state), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_UNREADABLE);
	ck_assert_int_eq(state.lines, 1);
	ck_assert_msg(strstr(state.line, words) != NULL, "%s", state.line);
	ck_assert_int_eq(state_get(&state, "a.example"), -1);
	state_close(&state);
}

START_TEST(test_leases_file)
{
	remove_file(STORE_LEASES);
	assert_no_lease("missing");
	ck_assert_int_eq(symlink("other", state_path(&state, STORE_LEASES, path)), 0);
	write_file("other", "0123456789abcdef", 16);
	assert_no_lease("cannot be opened");
	remove_file(STORE_LEASES);
	write_file(STORE_LEASES, "short", 5);
	assert_no_lease("damaged");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_files");
	TCase *tcase = tcase_create("files");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_modes);
	tcase_add_test(tcase, test_create_twice);
	tcase_add_test(tcase, test_no_log);
	tcase_add_test(tcase, test_missing);
	tcase_add_test(tcase, test_no_directory);
	tcase_add_test(tcase, test_linked_directory);
	tcase_add_test(tcase, test_link_above);
	tcase_add_test(tcase, test_relative);
	tcase_add_loop_test(tcase, test_link, 0, 4);
	tcase_add_test(tcase, test_hard_link);
	tcase_add_test(tcase, test_fifo);
	tcase_add_test(tcase, test_others);
	tcase_add_test(tcase, test_another_owner);
	tcase_add_test(tcase, test_not_by_root);
	tcase_add_test(tcase, test_stranger);
	tcase_add_test(tcase, test_foreign);
	tcase_add_test(tcase, test_unfinished);
	tcase_add_test(tcase, test_leases_file);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
