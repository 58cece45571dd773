/* SPDX-License-Identifier: ISC
 *
 * The store for processes that live long and must not wait: what peek() does beside writers of
 * every kind, and that a store which comes, goes and changes is noticed.
 */
#include "cache/store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/ptrace.h>
#endif
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "state.h"
#include "unit.h"

enum {
	NOW = 1000000,
	LOOKS = 20000,
	STEPS_MAX = 2000,
	SLOW_US = 50000,  /* of one look: far beyond what it takes, far below any waiting */
	NOTICED = 2500000 /* us, until another store must have been noticed */
};

static struct state state;
static char path[200], aside[200];

static void
setup(void)
{
	umask(077);
	state_make(&state, NULL);
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	ck_assert_int_eq(state_put(&state, "a.example", 1, NOW), CACHE_OK);
}

static void
teardown(void)
{
	state_remove(&state);
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
sleep_us(long us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* As state_get(). */
static int64_t
peek(const char *name)
{
	struct domain domain = state_domain(name);
	struct entry *entry = NULL;
	struct hint hint = { 0 };
	enum cache_result hinted, got;
	int64_t fetched_at;

	got = state.cache.peek(state.cache.self, &domain, &entry, &hinted, &hint);
	ck_assert_int_ne(got, CACHE_REFUSED);
	ck_assert_int_ne(hinted, CACHE_REFUSED);
	if (got != CACHE_OK)
		return got == CACHE_NOTHING ? -1 : -2;
	fetched_at = state_is_right(entry) ? entry->fetched_at : -3;
	entry_free(entry);
	return fetched_at;
}

/* How long the slowest of n looks takes; how many could not be answered. */
static int64_t
slowest(int n, int *unreadable)
{
	int64_t worst = 0;

	for (int i = 0; i < n; i++) {
		int64_t began = now_us(), at = peek("a.example");
		int64_t took = now_us() - began;
		ck_assert_msg(at >= 1 || at == -2, "look %d: %lld", i, (long long)at);
		*unreadable += at == -2;
		worst = took > worst ? took : worst;
	}
	return worst;
}

static void
end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

/* ---- beside writers ---- */

static void
lock_for_ever(int up)
{
	sqlite3 *db;

	if (sqlite3_open(state_path(&state, STORE_FILE, path), &db) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE; DELETE FROM hint", NULL, NULL, NULL) != SQLITE_OK ||
	    write(up, "x", 1) != 1)
		_exit(1);
	pause();
}

START_TEST(test_lock_held)
{
	int ends[2], unreadable = 0;
	char c;

	ck_assert_int_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0)
		lock_for_ever(ends[1]);
	ck_assert_int_eq(read(ends[0], &c, 1), 1);
	int64_t worst = slowest(LOOKS, &unreadable);
	end(pid);
	ck_assert_int_eq(unreadable, 0);
	ck_assert_msg(worst < SLOW_US, "slowest look: %lld us", (long long)worst);
}
END_TEST

static void
put_for_ever(void)
{
	if (state_open(&state) != 0)
		_exit(1);
	for (int64_t at = 2;; at++) {
		struct domain domain = state_domain("a.example");
		struct hint hint = { .get_at = at };
		if (state_put(&state, "a.example", at, NOW + at) != CACHE_OK)
			_exit(2);
		state.cache.hint_put(state.cache.self, &domain, &hint);
	}
}

START_TEST(test_full_speed)
{
	int unreadable = 0, status = 0;

	pid_t pid = fork();
	if (pid == 0)
		put_for_ever();
	while (peek("a.example") < 3)
		sleep_us(1000);
	int64_t worst = slowest(LOOKS, &unreadable);
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0); /* it was there to the end */
	end(pid);
	printf(
	    "# slowest look %lld us, unreadable %d of %d\n", (long long)worst, unreadable, LOOKS);
	ck_assert_msg(worst < SLOW_US, "slowest look: %lld us", (long long)worst);
	ck_assert_int_lt(unreadable, LOOKS / 100);
}
END_TEST

#ifdef __linux__

/* A put that stands still before and after every system call of its own: we do not. */
START_TEST(test_stopped)
{
	int status = 0, unreadable = 0, steps;
	int64_t worst = 0;

	pid_t pid = fork();
	if (pid == 0) {
		if (state_open(&state) != 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(99);
		raise(SIGSTOP);
		_exit(state_put(&state, "a.example", 2, NOW));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSTOPPED(status), "cannot be traced: %x", (unsigned)status);
	for (steps = 0; WIFSTOPPED(status) && steps < STEPS_MAX; steps++) {
		int before = unreadable;
		int64_t took = slowest(3, &unreadable);
		if (took > SLOW_US || unreadable != before)
			printf("# step %d: %lld us, unreadable %d\n", steps, (long long)took,
			    unreadable - before);
		worst = took > worst ? took : worst;
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == CACHE_OK);
	ck_assert_int_gt(steps, 50);
	ck_assert_int_eq(peek("a.example"), 2);
	ck_assert_msg(worst < SLOW_US, "slowest look: %lld us", (long long)worst);
}
END_TEST

#endif

/* ---- a store that comes and goes ---- */

/* Within the time it may take; never another answer but "unreadable" meanwhile. */
static void
assert_becomes(const char *name, int64_t before, int64_t after)
{
	int64_t until = now_us() + NOTICED, at;

	while ((at = peek(name)) != after && now_us() < until) {
		ck_assert_msg(at == before || at == -2, "%lld", (long long)at);
		sleep_us(10000);
	}
	ck_assert_msg(at == after, "%s: %lld, not %lld", name, (long long)at, (long long)after);
	ck_assert_int_eq(state_get(&state, name), after);
}

static void
make_another(int64_t at)
{
	struct state other = { .store = NULL };
	struct owner owner;

	strcpy(other.dir, state.dir);
	ck_assert_int_eq(owner_of_directory(state.dir, &owner), 0);
	ck_assert_msg(
	    store_create(state.dir, &owner, other.why, sizeof other.why) == 0, "%s", other.why);
	ck_assert_msg(state_open(&other) == 0, "%s", other.why);
	ck_assert_int_eq(state_put(&other, "a.example", at, NOW), CACHE_OK);
	state_close(&other);
}

static void
remove_store(void)
{
	static const char *const names[] = { STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm",
		STORE_LEASES };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_int_eq(unlink(state_path(&state, names[i], path)), 0);
}

/* The lease file is another too: leases are had again, and exclude those of others. */
static void
assert_leases(void)
{
	struct domain domain = state_domain("a.example");
	struct state other = { .store = NULL };
	struct cache_lease *lease, *none;

	strcpy(other.dir, state.dir);
	ck_assert_int_eq(state_open(&other), 0);
	ck_assert_int_eq(state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_OK);
	ck_assert_int_eq(
	    other.cache.lease_get(other.cache.self, &domain, 32, &none), CACHE_REFUSED);
	state.cache.lease_end(state.cache.self, lease, NULL);
	ck_assert_int_eq(other.cache.lease_get(other.cache.self, &domain, 32, &lease), CACHE_OK);
	other.cache.lease_end(other.cache.self, lease, NULL);
	state_close(&other);
}

START_TEST(test_appears)
{
	state_close(&state);
	remove_store();
	ck_assert_int_eq(state_open(&state), MTASTS_ECACHE);
	ck_assert_int_eq(peek("a.example"), -2);
	sleep_us(1200000);
	ck_assert_int_eq(peek("a.example"), -2);
	ck_assert_int_eq(state.lines, 0); /* who opened it was told */
	make_another(7);
	assert_becomes("a.example", -2, 7);
	assert_leases();
}
END_TEST

START_TEST(test_replaced)
{
	assert_leases();
	remove_store();
	make_another(8);
	assert_becomes("a.example", 1, 8);
	assert_leases();
	ck_assert_int_eq(state_put(&state, "a.example", 9, NOW), CACHE_OK);
	ck_assert_int_eq(state.lines, 0);
}
END_TEST

/* Gone is a fault, told once, and no empty store; back again is what it was. */
START_TEST(test_gone_and_back)
{
	state_path(&state, "other", aside);
	ck_assert_int_eq(rename(state_path(&state, STORE_FILE, path), aside), 0);
	assert_becomes("a.example", 1, -2);
	sleep_us(1200000);
	ck_assert_int_eq(peek("a.example"), -2);
	ck_assert_int_eq(state.lines, 1);
	ck_assert_msg(strstr(state.line, "no store in ") != NULL, "%s", state.line);
	ck_assert_int_eq(rename(aside, path), 0);
	assert_becomes("a.example", -2, 1);
}
END_TEST

/* The whole directory, while a lease is held in the old one. */
START_TEST(test_directory)
{
	struct domain domain = state_domain("b.example");
	struct cache_lease *lease;
	char old[140];

	ck_assert_int_eq(state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_OK);
	snprintf(old, sizeof old, "%s.old", state.dir);
	ck_assert_int_eq(rename(state.dir, old), 0);
	assert_becomes("a.example", 1, -2);
	ck_assert_int_eq(mkdir(state.dir, 02770), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(state.dir, STATE_OWNER, STATE_GROUP), 0);
	ck_assert_int_eq(chmod(state.dir, 02770), 0);
	make_another(5);
	assert_becomes("a.example", -2, 5);
	state.cache.lease_end(state.cache.self, lease, NULL);
	assert_leases();
	remove_store();
	ck_assert_int_eq(rmdir(state.dir), 0);
	ck_assert_int_eq(rename(old, state.dir), 0);
}
END_TEST

/* Overwritten in its place, as by a bad disk, and mended the same way: no answer out of it. */
START_TEST(test_damaged_and_mended)
{
	char good[65536], bad[4096];

	state_close(&state);
	int fd = open(state_path(&state, STORE_FILE, path), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ssize_t n = pread(fd, good, sizeof good, 0);
	ck_assert_int_gt(n, 4096);
	memset(bad, 0xa5, sizeof bad);
	for (ssize_t at = 4096; at < n; at += 4096)
		ck_assert_int_eq(pwrite(fd, bad, 4096, at), 4096);
	close(fd);
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(peek("a.example"), -2);
	sleep_us(1200000);
	ck_assert_int_eq(peek("a.example"), -2);
	ck_assert_int_eq(state.lines, 1);
	pid_t pid = fork(); /* for who closes a file loses all his locks on it */
	if (pid == 0) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		_exit(fd >= 0 && pwrite(fd, good, (size_t)n, 0) == n ? 0 : 1);
	}
	int status = 1;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	assert_becomes("a.example", -2, 1);
}
END_TEST

/* As a mail server's user: its group loses the store, and gets it back. */
START_TEST(test_permissions)
{
	int status = 1;

	if (geteuid() != 0)
		return;
	state_close(&state);
	pid_t pid = fork();
	if (pid == 0) {
		int r = chmod(state.dir, 0700);
		pid_t child = r == 0 ? fork() : -1;
		if (child == 0) {
			state_become_mail();
			if (state_open(&state) != MTASTS_ECACHE || peek("a.example") != -2)
				_exit(1);
			for (int i = 0; i < 400 && peek("a.example") != 1; i++)
				sleep_us(10000);
			_exit(peek("a.example") == 1 ? 0 : 2);
		}
		sleep_us(300000);
		r = chmod(state.dir, 02770);
		_exit(r == 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : 3);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_peek");
	TCase *tcase = tcase_create("peek");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_lock_held);
	tcase_add_test(tcase, test_full_speed);
#ifdef __linux__
	tcase_add_test(tcase, test_stopped);
#endif
	tcase_add_test(tcase, test_appears);
	tcase_add_test(tcase, test_replaced);
	tcase_add_test(tcase, test_gone_and_back);
	tcase_add_test(tcase, test_directory);
	tcase_add_test(tcase, test_damaged_and_mended);
	tcase_add_test(tcase, test_permissions);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
