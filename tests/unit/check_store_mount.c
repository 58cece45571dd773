/* SPDX-License-Identifier: ISC
 *
 * The store on a full disk and on a read-only mount: reads go on, what cannot be written is
 * "unreadable" with one line in the log.  In a mount namespace of its own, so it needs root (or a
 * kernel that lets users have namespaces).
 */
#include "cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state.h"
#include "unit.h"

#ifdef __linux__

#include <sched.h>
#include <sys/mount.h>

enum {
	NOW = 1000000,
	POLICIES = 20,
	LARGE_AT = 7, /* when state_entry() gives p*.example many pages */
};

static struct state state;
static char base[64];

/* A tmpfs that nobody else sees. */
static void
mount_small(const char *size)
{
	char options[64];

	strcpy(base, "/tmp/check_mount.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(options, sizeof options, "size=%s,mode=0755", size);
	ck_assert_int_eq(mount("tmpfs", base, "tmpfs", 0, options), 0);
}

static void
setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	mount_small("3m");
	state_make(&state, base);
	ck_assert_int_eq(state_open(&state), 0);
	for (int i = 0; i < POLICIES; i++) {
		char name[64];
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_int_eq(state_put(&state, name, i, NOW), CACHE_OK);
	}
	struct domain domain = state_domain("d0.example");
	struct hint hint = { .get_at = 7 };
	ck_assert_int_eq(state.cache.hint_put(state.cache.self, &domain, &hint), CACHE_OK);
	state_close(&state);
}

static void
teardown(void)
{
	state_close(&state);
	umount2(base, MNT_DETACH);
	ck_assert_int_eq(rmdir(base), 0);
}

static void
assert_readable(void)
{
	struct domain domain = state_domain("d0.example");
	struct hint hint;

	for (int i = 0; i < POLICIES; i++) {
		char name[64];
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_msg(state_get(&state, name) == i, "%s: %s", name, state.line);
		snprintf(name, sizeof name, "no%d.example", i);
		ck_assert_int_eq(state_get(&state, name), -1);
	}
	ck_assert_int_eq(state.cache.hint_get(state.cache.self, &domain, &hint), CACHE_OK);
	ck_assert_int_eq(hint.get_at, 7);
}

static void
assert_not_writable(const char *words)
{
	struct domain domain = state_domain("d0.example");
	struct hint hint = { .get_at = 8 };

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(state_put(&state, "d3.example", NOW - 1, NOW), CACHE_UNREADABLE);
	ck_assert_int_eq(state_put(&state, "new.example", NOW - 1, NOW), CACHE_UNREADABLE);
	ck_assert_int_eq(state.cache.hint_put(state.cache.self, &domain, &hint), CACHE_UNREADABLE);
	ck_assert_int_eq(state.cache.drop(state.cache.self, &domain), CACHE_UNREADABLE);
	state.cache.used(state.cache.self, &domain, NOW);
	state.cache.sweep(state.cache.self, NOW);
	ck_assert_msg(state.lines == 1, "%d lines, %s", state.lines, state.line);
	ck_assert_msg(strstr(state.line, words) != NULL, "%s", state.line);
}

/* ---- read-only ---- */

static void
mount_readonly(void)
{
	ck_assert_int_eq(mount(base, base, NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(mount(NULL, base, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
}

START_TEST(test_readonly)
{
	struct domain domain = state_domain("a.example");
	struct cache_lease *lease;

	mount_readonly();
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	assert_readable();
	ck_assert_int_eq(state.lines, 0);
	assert_not_writable("readonly");
	assert_readable();
	ck_assert_int_eq(
	    state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_UNREADABLE);
	ck_assert_int_eq(state.lines, 1); /* the same cause */
	state_close(&state);
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	ck_assert_int_eq(
	    state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_UNREADABLE);
	ck_assert_msg(strstr(state.line, "read-only") != NULL, "%s", state.line);
	assert_not_writable("read-only");
	state_close(&state);
	umount2(base, MNT_DETACH);
}
END_TEST

/* Read-only here, while a process that does not see this mount goes on writing. */
START_TEST(test_readonly_beside_writer)
{
	int ask[2], answer[2];
	char c;

	ck_assert_int_eq(pipe(ask), 0);
	ck_assert_int_eq(pipe(answer), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int at = NOW - 100;
		int r = state_open(&state); /* before the mount: its files stay writable */
		c = r == 0 ? 'y' : 'n';
		while (write(answer[1], &c, 1) == 1 && read(ask[0], &c, 1) == 1 && c == 'w')
			c = state_put(&state, "d3.example", at++, NOW) == CACHE_OK ? 'y' : 'n';
		state_close(&state);
		_exit(0);
	}
	ck_assert(read(answer[0], &c, 1) == 1 && c == 'y');
	mount_readonly();
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	assert_readable();
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(write(ask[1], "w", 1), 1);
		ck_assert(read(answer[0], &c, 1) == 1 && c == 'y');
		ck_assert_msg(
		    state_get(&state, "d3.example") == NOW - 100 + i, "%d: %s", i, state.line);
		if (i % 10 == 9) { /* a fresh one, with the writer there */
			state_close(&state);
			ck_assert_int_eq(state_open(&state), 0);
		}
	}
	ck_assert_int_eq(write(ask[1], "q", 1), 1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(state_get(&state, "d3.example"), NOW - 100 + 49);
	state_close(&state);
	ck_assert_int_eq(state_open(&state), 0); /* alone again */
	ck_assert_int_eq(state_get(&state, "d3.example"), NOW - 100 + 49);
	state_close(&state);
	umount2(base, MNT_DETACH);
}
END_TEST

/* Nothing to read by: SQLite needs its index of the log, and cannot make one here. */
START_TEST(test_readonly_without_log)
{
	char path[200];

	unlink(state_path(&state, STORE_FILE "-wal", path));
	unlink(state_path(&state, STORE_FILE "-shm", path));
	mount_readonly();
	if (state_open(&state) != 0) {
		ck_assert_str_ne(state.why, "");
		ck_assert_int_eq(state_get(&state, "d3.example"), -2);
	} else {
		assert_readable();
	}
	state_close(&state);
	umount2(base, MNT_DETACH);
}
END_TEST

/* ---- full ---- */

/* Write until nothing more fits, down to the last octet. */
static void
fill(const char *name)
{
	char path[200];
	static const char zeros[4096];

	int fd =
	    open(state_path(&state, name, path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	for (size_t n = sizeof zeros; n > 0;) {
		if (write(fd, zeros, n) <= 0)
			n /= 2;
	}
	close(fd);
}

START_TEST(test_full)
{
	char path[200];

	ck_assert_int_eq(state_open(&state), 0);
	fill("other");
	assert_readable();
	assert_not_writable("full");
	assert_readable();
	/* there is room again: the same handle goes on */
	ck_assert_int_eq(unlink(state_path(&state, "other", path)), 0);
	ck_assert_int_eq(state_put(&state, "d3.example", NOW - 1, NOW), CACHE_OK);
	ck_assert_int_eq(state_get(&state, "d3.example"), NOW - 1);
	ck_assert_int_eq(state.lines, 1);
}
END_TEST

/* A process that starts when the disk is full already. */
START_TEST(test_full_fresh)
{
	char path[200];
	struct domain domain = state_domain("a.example");
	struct cache_lease *lease;

	fill("other");
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	assert_readable();
	assert_not_writable("full");
	/* look-ups still exclude each other */
	ck_assert_int_eq(state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_OK);
	ck_assert_int_eq(unlink(state_path(&state, "other", path)), 0);
}
END_TEST

/* The room of the shared memory file was taken by others as well. */
START_TEST(test_full_without_shared_memory)
{
	char path[200];

	ck_assert_int_eq(truncate(state_path(&state, STORE_FILE "-shm", path), 0), 0);
	fill("other");
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	assert_readable();
	ck_assert_int_eq(state.lines, 0);
	assert_not_writable("No space left on device");
	state_close(&state);
	ck_assert_int_eq(unlink(state_path(&state, "other", path)), 0);
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(state_put(&state, "d3.example", NOW - 1, NOW), CACHE_OK);
}
END_TEST

/* Full in the middle of a put, at every page it might need. */
START_TEST(test_full_at_each_page)
{
	char path[200];
	int written = 0, refused = 0;

	for (int pages = 0; pages < 40; pages++) {
		char name[64];
		snprintf(name, sizeof name, "p%d.example", pages);
		fill("other");
		/* leave that many pages free */
		struct stat st;
		ck_assert_int_eq(stat(state_path(&state, "other", path), &st), 0);
		ck_assert_int_eq(truncate(path, st.st_size / 4096 * 4096 - pages * 4096), 0);
		if (state_open(&state) != 0)
			ck_abort_msg("%s", state.why);
		/* a policy that was answered for is there, one that was not is not, or whole */
		enum cache_result result = state_put(&state, name, LARGE_AT, NOW);
		int64_t at = state_get(&state, name);
		ck_assert_msg(at == (result == CACHE_OK ? LARGE_AT : -1), "%d pages: %d, %lld",
		    pages, result, (long long)at);
		written += result == CACHE_OK;
		refused += result == CACHE_UNREADABLE;
		ck_assert_int_le(state.lines, 1);
		state_close(&state);
		ck_assert_int_eq(unlink(state_path(&state, "other", path)), 0);
		ck_assert_int_eq(state_open(&state), 0);
		ck_assert_int_eq(state_get(&state, name), at);
		for (int i = 0; i < POLICIES; i++) {
			snprintf(name, sizeof name, "d%d.example", i);
			ck_assert_int_eq(state_get(&state, name), i);
		}
		state_close(&state);
	}
	ck_assert_int_gt(written, 3);
	ck_assert_int_gt(refused, 3);
}
END_TEST

static bool
has_namespaces(void)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) == 0 &&
			      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
			  ? 0
			  : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

int
main(void)
{
	if (!has_namespaces()) {
		puts("1..0 # SKIP needs root, for mounts of its own");
		return EXIT_SUCCESS;
	}
	Suite *suite = suite_create("store_mount");
	TCase *tcase = tcase_create("mount");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_readonly);
	tcase_add_test(tcase, test_readonly_beside_writer);
	tcase_add_test(tcase, test_readonly_without_log);
	tcase_add_test(tcase, test_full);
	tcase_add_test(tcase, test_full_fresh);
	tcase_add_test(tcase, test_full_without_shared_memory);
	tcase_add_test(tcase, test_full_at_each_page);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}

#else

int
main(void)
{
	puts("1..0 # SKIP needs Linux, for mounts of its own");
	return EXIT_SUCCESS;
}

#endif
