/* SPDX-License-Identifier: ISC
 *
 * The store among processes: killed ones, forked ones, root's and the mail server's, a hundred at
 * once.
 */
#include "cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
	KILLS = 320,
	LEASERS = 100,
	WRITERS = 3,
	READERS = 4,
	ROUNDS = 32,
	STEPS_MAX = 2000,
};

static struct state state;

static void
setup(void)
{
	umask(077);
	state_make(&state, NULL);
}

static void
teardown(void)
{
	state_remove(&state);
}

static void
open_state(void)
{
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
}

/* Both ends of a pipe. */
struct pipe_ends {
	int read, write;
};

static struct pipe_ends
make_pipe(void)
{
	int fds[2];

	if (pipe(fds) != 0)
		abort();
	return (struct pipe_ends){ fds[0], fds[1] };
}

static int
status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void
sleep_us(long us)
{
	struct timespec ts = { 0, us * 1000 };

	nanosleep(&ts, NULL);
}

/* ---- kill -9 ---- */

enum { KILL_NAMES = 5 };

/* What the child was told is stored, for the parent to hold the store to. */
struct promises {
	_Atomic int64_t stored[KILL_NAMES];
	_Atomic int steps; /* calls that came back */
};

static const char *const kill_names[KILL_NAMES] = { "a.example", "b.example", "c.example",
	"d.example", "e.example" };

static _Noreturn void
write_for_ever(struct promises *promises, int64_t first)
{
	if (state_open(&state) != 0)
		_exit(1);
	for (int64_t at = first;; at++) {
		int i = (int)(at % KILL_NAMES);
		struct domain domain = state_domain(kill_names[(at / 3) % KILL_NAMES]);
		struct hint hint = { .get_at = at };
		if (state_put(&state, kill_names[i], at, NOW + at) != CACHE_OK)
			_exit(2);
		atomic_store(&promises->stored[i], at);
		atomic_fetch_add(&promises->steps, 1);
		state.cache.hint_put(state.cache.self, &domain, &hint);
		/* and the chain is cut and joined */
		domain = state_domain("x.example");
		if (at % 2 == 0)
			state_put(&state, "x.example", at, NOW + at);
		else if (state.cache.drop(state.cache.self, &domain) == CACHE_UNREADABLE)
			_exit(3);
		atomic_fetch_add(&promises->steps, 1);
		state.cache.sweep(state.cache.self, NOW);
	}
}

/* Some die before the store is open, most somewhere in the call after a few that came back. */
static void
wait_for_the_moment(struct promises *promises)
{
	int steps = (int)(random() % 5);

	for (int i = 0; i < 20000 && atomic_load(&promises->steps) < steps; i++)
		sleep_us(100);
	sleep_us(random() % 1500);
}

static int
count_one(void *arg, const struct entry *entry)
{
	int *n = arg;

	ck_assert(state_is_right(entry));
	++*n;
	return 0;
}

/* c20: after each kill the store is readable, each policy whole, and none that was promised gone */
static int64_t
look_after_kill(const struct promises *promises, int64_t last)
{
	int n = 0, promised = 0;

	open_state();
	for (int i = 0; i < KILL_NAMES; i++) {
		int64_t stored = atomic_load(&promises->stored[i]);
		int64_t found = state_get(&state, kill_names[i]);
		ck_assert_msg(found >= stored, "%s: %lld was stored, %lld is there", kill_names[i],
		    (long long)stored, (long long)found);
		promised += stored >= 0;
		last = found > last ? found : last;
	}
	ck_assert_int_ge(state_get(&state, "x.example"), -1);
	ck_assert_int_eq(state.cache.each(state.cache.self, count_one, &n), CACHE_OK);
	ck_assert_int_ge(n, promised);
	ck_assert_msg(state.lines == 0, "%s", state.line);
	state_close(&state);
	return last;
}

START_TEST(test_kill)
{
	struct promises *promises =
	    mmap(NULL, sizeof *promises, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t last = 0;

	ck_assert(promises != MAP_FAILED);
	for (int i = 0; i < KILL_NAMES; i++)
		atomic_store(&promises->stored[i], -1);
	srandom(20260101);
	for (int i = 0; i < KILLS; i++) {
		atomic_store(&promises->steps, 0);
		pid_t pid = fork();
		if (pid == 0)
			write_for_ever(promises, last + 1);
		wait_for_the_moment(promises);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(status_of(pid), 1000 + SIGKILL);
		last = look_after_kill(promises, last);
	}
	ck_assert_int_gt(last, KILLS / 4); /* it did write, however slow the machine */
	munmap(promises, sizeof *promises);
}
END_TEST

#ifdef __linux__

/* Let pid make that many steps into and out of system calls, and kill it.  true: it had ended. */
static bool
kill_after(pid_t pid, int steps)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid); /* it stopped by itself */
	ck_assert_msg(WIFSTOPPED(status), "cannot be traced: %x", (unsigned)status);
	for (int i = 0; i < steps; i++) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			ck_assert_int_eq(WEXITSTATUS(status), CACHE_OK);
			return true;
		}
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(status_of(pid), 1000 + SIGKILL);
	return false;
}

/* c20: killed before and after every single system call of a put */
START_TEST(test_kill_at_each_step)
{
	bool is_new = _i == 0, done = false;
	int64_t before = -1;
	int steps;

	for (steps = 0; !done && steps < STEPS_MAX; steps++) {
		char name[64] = "m.example";
		if (is_new)
			snprintf(name, sizeof name, "s%d.example", steps);
		pid_t pid = fork();
		if (pid == 0) {
			if (state_open(&state) != 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
				_exit(99);
			raise(SIGSTOP);
			_exit(state_put(&state, name, steps, NOW));
		}
		done = kill_after(pid, steps);
		open_state();
		int64_t at = state_get(&state, name);
		ck_assert_msg(
		    at == steps || (at == before && !done), "step %d: %lld", steps, (long long)at);
		int n = 0;
		ck_assert_int_eq(state.cache.each(state.cache.self, count_one, &n), CACHE_OK);
		/* and the next finds the log as empty as this one did */
		ck_assert_int_eq(state_put(&state, "z.example", steps, NOW), CACHE_OK);
		ck_assert_msg(state.lines == 0, "%s", state.line);
		state_close(&state);
		before = is_new ? -1 : at;
	}
	ck_assert(done);
	ck_assert_int_gt(steps, 50); /* there were that many to die at */
}
END_TEST

#endif

/* ---- fork ---- */

/* In a child nothing works but closing, and that does not touch the parent's store. */
START_TEST(test_fork)
{
	struct domain domain = state_domain("a.example"), other = state_domain("b.example");
	struct cache_lease *lease, *second;

	open_state();
	ck_assert_int_eq(state_put(&state, "a.example", 5, NOW), CACHE_OK);
	ck_assert_int_eq(state.cache.lease_get(state.cache.self, &domain, 32, &lease), CACHE_OK);
	pid_t pid = fork();
	if (pid == 0) {
		if (state_get(&state, "a.example") != -2 ||
		    state_put(&state, "a.example", 6, NOW) != CACHE_UNREADABLE)
			_exit(1);
		if (state.lines != 1 || strstr(state.line, "another process") == NULL)
			_exit(2);
		state.cache.lease_end(state.cache.self, lease, NULL);
		state_close(&state);
		/* the parent has its lease still, and the child a store of its own */
		if (state_open(&state) != 0 || state_get(&state, "a.example") != 5)
			_exit(3);
		if (state.cache.lease_get(state.cache.self, &domain, 32, &second) != CACHE_REFUSED)
			_exit(4);
		if (state.cache.lease_get(state.cache.self, &other, 32, &second) != CACHE_OK)
			_exit(5);
		if (state_put(&state, "b.example", 7, NOW) != CACHE_OK)
			_exit(6);
		state_close(&state);
		_exit(0);
	}
	ck_assert_int_eq(status_of(pid), 0);
	ck_assert_int_eq(state_get(&state, "a.example"), 5);
	ck_assert_int_eq(state_get(&state, "b.example"), 7);
	state.cache.lease_end(state.cache.self, lease, NULL);
	ck_assert_int_eq(state.lines, 0);
}
END_TEST

/* Who holds a lock on one byte of SQLite's shared memory file. */
static pid_t
holder_of(const char *name, off_t byte)
{
	char path[200];
	struct flock range = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
	};

	int fd = open(state_path(&state, name, path), O_RDWR | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_GETLK, &range) != 0)
		abort();
	close(fd);
	return range.l_type == F_UNLCK ? 0 : range.l_pid;
}

/*
 * A store opened in a child takes locks of its own, though SQLite's table of open files came with
 * the fork: else, when the parent is gone, a third process would take the files for unused and
 * cut the shared memory under the child.
 */
START_TEST(test_locks_after_fork)
{
	enum { SHM_IN_USE = 128 }; /* the byte every connection holds a lock on */
	struct pipe_ends up = make_pipe(), down = make_pipe();
	char c;

	pid_t parent = fork();
	if (parent == 0) {
		if (state_open(&state) != 0 || state_get(&state, "a.example") != -1)
			_exit(1);
		if (fork() == 0) {
			state_close(&state);
			if (state_open(&state) != 0 || state_get(&state, "a.example") != -1)
				_exit(1);
			pid_t self = getpid();
			if (write(up.write, &self, sizeof self) != (ssize_t)sizeof self)
				_exit(1);
			/* the parent dies, another comes; then it is still good */
			if (read(down.read, &c, 1) != 1)
				_exit(1);
			c = state_get(&state, "b.example") == 9 ? 'y' : 'n';
			if (write(up.write, &c, 1) != 1)
				_exit(1);
			_exit(0);
		}
		pause();
	}
	pid_t child = 0;
	ck_assert_int_eq(read(up.read, &child, sizeof child), sizeof child);
	kill(parent, SIGKILL);
	ck_assert_int_eq(status_of(parent), 1000 + SIGKILL);
	ck_assert_int_eq(holder_of(STORE_FILE "-shm", SHM_IN_USE), child);
	open_state();
	ck_assert_int_eq(state_put(&state, "b.example", 9, NOW), CACHE_OK);
	ck_assert_int_eq(write(down.write, "x", 1), 1);
	ck_assert_int_eq(read(up.read, &c, 1), 1);
	ck_assert_int_eq(c, 'y');
}
END_TEST

/* ---- root and the mail server's user ---- */

START_TEST(test_both_users)
{
	char name[64];

	if (geteuid() != 0)
		return;
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct domain domain;
			struct cache_lease *lease;
			struct outcome outcome = { .state = MTASTS_ABSENT };
			umask(077);
			if (i % 2 == 0)
				state_become_mail();
			snprintf(name, sizeof name, "d%d.example", i);
			domain = state_domain(name);
			if (state_open(&state) != 0)
				_exit(1);
			if (i > 0) {
				char last[64];
				snprintf(last, sizeof last, "d%d.example", i - 1);
				if (state_get(&state, last) != i - 1)
					_exit(2);
			}
			if (state_put(&state, name, i, NOW) != CACHE_OK)
				_exit(3);
			if (state.cache.lease_get(state.cache.self, &domain, 32, &lease) !=
			    CACHE_OK)
				_exit(4);
			state.cache.lease_end(state.cache.self, lease, &outcome);
			if (state.cache.outcome_get(state.cache.self, &domain, &outcome) !=
			    CACHE_OK)
				_exit(5);
			state_close(&state);
			_exit(0);
		}
		ck_assert_int_eq(status_of(pid), 0);
		/* the log comes and goes, made by either */
		if (i % 5 == 4) {
			char path[200];
			unlink(state_path(&state, STORE_FILE "-wal", path));
			unlink(state_path(&state, STORE_FILE "-shm", path));
		}
	}
}
END_TEST

/* ---- leases ---- */

static enum cache_result
lease(const char *name, unsigned max, struct cache_lease **lease)
{
	struct domain domain = state_domain(name);

	return state.cache.lease_get(state.cache.self, &domain, max, lease);
}

START_TEST(test_lease_in_process)
{
	struct cache_lease *a, *b, *c;
	struct state other = state;

	open_state();
	ck_assert_int_eq(lease("a.example", 2, &a), CACHE_OK);
	ck_assert_int_eq(lease("a.example", 2, &b), CACHE_REFUSED);
	ck_assert_int_eq(lease("b.example", 2, &b), CACHE_OK);
	ck_assert_int_eq(lease("c.example", 2, &c), CACHE_REFUSED); /* all slots taken */
	ck_assert_int_eq(lease("c.example", 0, &c), CACHE_REFUSED);
	state.cache.lease_end(state.cache.self, a, NULL);
	ck_assert_int_eq(lease("c.example", 2, &c), CACHE_OK);
	/* the domain was not left locked when no slot was free */
	state.cache.lease_end(state.cache.self, b, NULL);
	ck_assert_int_eq(lease("a.example", 2, &a), CACHE_OK);

	/* another handle of this process: excluded too, and its closing frees nothing */
	ck_assert_int_eq(state_open(&other), 0);
	struct domain domain = state_domain("a.example");
	ck_assert_int_eq(other.cache.lease_get(other.cache.self, &domain, 32, &b), CACHE_REFUSED);
	state_close(&other);
	ck_assert_int_eq(state_open(&other), 0);
	ck_assert_int_eq(other.cache.lease_get(other.cache.self, &domain, 32, &b), CACHE_REFUSED);
	/* closing ends what was not ended */
	state_close(&state);
	ck_assert_int_eq(other.cache.lease_get(other.cache.self, &domain, 32, &b), CACHE_OK);
	state_close(&other);
}
END_TEST

/* f36: a hundred at once, half of them root's: one has it, and when it is killed the next may. */
START_TEST(test_hundred_leases)
{
	struct pipe_ends start = make_pipe(), results = make_pipe();
	static pid_t pids[LEASERS];
	pid_t holder = 0;
	int held = 0, refused = 0;

	for (int i = 0; i < LEASERS; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		struct cache_lease *mine;
		struct {
			pid_t pid;
			enum cache_result result;
		} answer = { getpid(), CACHE_UNREADABLE };
		char c;
		close(start.write);
		umask(077);
		if (i % 2 == 0)
			state_become_mail();
		if (read(start.read, &c, 1) != 0)
			_exit(1);
		if (state_open(&state) == 0)
			answer.result = lease("a.example", 32, &mine);
		if (write(results.write, &answer, sizeof answer) != (ssize_t)sizeof answer)
			_exit(1);
		if (answer.result == CACHE_OK)
			pause();
		_exit(0);
	}
	close(start.write); /* now */
	for (int i = 0; i < LEASERS; i++) {
		struct {
			pid_t pid;
			enum cache_result result;
		} answer;
		ck_assert_int_eq(read(results.read, &answer, sizeof answer), sizeof answer);
		held += answer.result == CACHE_OK;
		refused += answer.result == CACHE_REFUSED;
		if (answer.result == CACHE_OK)
			holder = answer.pid;
	}
	ck_assert_int_eq(held, 1);
	ck_assert_int_eq(refused, LEASERS - 1);

	struct cache_lease *mine;
	open_state();
	ck_assert_int_eq(lease("a.example", 32, &mine), CACHE_REFUSED);
	ck_assert_int_eq(kill(holder, SIGKILL), 0);
	for (int i = 0; i < LEASERS; i++)
		ck_assert_int_eq(status_of(pids[i]), pids[i] == holder ? 1000 + SIGKILL : 0);
	ck_assert_int_eq(lease("a.example", 32, &mine), CACHE_OK);
	ck_assert_int_eq(state.lines, 0);
}
END_TEST

/* At most max_fetches on this host, whoever asks. */
START_TEST(test_slots)
{
	struct pipe_ends results = make_pipe();
	pid_t pids[12];
	int held = 0;
	char name[64];

	for (int i = 0; i < 12; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		struct cache_lease *mine;
		enum cache_result result = CACHE_UNREADABLE;
		snprintf(name, sizeof name, "d%d.example", i);
		if (state_open(&state) == 0)
			result = lease(name, 5, &mine);
		if (write(results.write, &result, sizeof result) != (ssize_t)sizeof result)
			_exit(1);
		pause();
	}
	for (int i = 0; i < 12; i++) {
		enum cache_result result;
		ck_assert_int_eq(read(results.read, &result, sizeof result), sizeof result);
		ck_assert(result == CACHE_OK || result == CACHE_REFUSED);
		held += result == CACHE_OK;
	}
	for (int i = 0; i < 12; i++) {
		kill(pids[i], SIGKILL);
		status_of(pids[i]);
	}
	ck_assert_int_eq(held, 5);
}
END_TEST

/* ---- many at once ---- */

static int
read_many(void)
{
	char name[64];
	int64_t seen[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };

	for (int i = 0; i < ROUNDS * 20; i++) {
		snprintf(name, sizeof name, "d%d.example", i % 8);
		int64_t at = state_get(&state, name);
		if (at < seen[i % 8]) /* gone, unreadable, or older than it was */
			return 2;
		seen[i % 8] = at;
	}
	return 0;
}

static int
write_many(int writer)
{
	char name[64];

	for (int i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof name, "d%d.example", i % 8);
		/* writers race each other for the same names */
		enum cache_result result = state_put(&state, name, i * WRITERS + writer, NOW);
		if (result != CACHE_OK && result != CACHE_REFUSED)
			return 3;
		struct domain domain = state_domain(name);
		struct hint hint = { .get_at = NOW + i };
		state.cache.used(state.cache.self, &domain, NOW + i * 3600);
		if (state.cache.hint_put(state.cache.self, &domain, &hint) != CACHE_OK ||
		    state.cache.hint_get(state.cache.self, &domain, &hint) != CACHE_OK)
			return 4;
		state.cache.sweep(state.cache.self, NOW);
	}
	return 0;
}

START_TEST(test_concurrent)
{
	pid_t pids[WRITERS + READERS];

	for (int i = 0; i < WRITERS + READERS; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		if (state_open(&state) != 0)
			_exit(1);
		int status = i < WRITERS ? write_many(i) : read_many();
		if (state.lines != 0) {
			fprintf(stderr, "%s\n", state.line);
			status = 5;
		}
		state_close(&state);
		_exit(status);
	}
	for (int i = 0; i < WRITERS + READERS; i++)
		ck_assert_int_eq(status_of(pids[i]), 0);
	open_state();
	for (int i = 0; i < 8; i++) {
		char name[64];
		int64_t newest = (int64_t)(ROUNDS - 8 + i) * WRITERS + WRITERS - 1;
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_int_eq(state_get(&state, name), newest); /* c24 */
	}
}
END_TEST

/* A process that stopped in the middle of a write: others wait a while, read on, and say so. */
START_TEST(test_stopped_writer)
{
	struct pipe_ends up = make_pipe();
	struct timespec before, after;
	char c;

	open_state();
	ck_assert_int_eq(state_put(&state, "a.example", 1, NOW), CACHE_OK);
	state_close(&state);
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db;
		char path[200];
		if (sqlite3_open(state_path(&state, STORE_FILE, path), &db) != SQLITE_OK ||
		    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
		    write(up.write, "x", 1) != 1)
			_exit(1);
		pause();
	}
	ck_assert_int_eq(read(up.read, &c, 1), 1);
	open_state();
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(state_put(&state, "a.example", 2, NOW), CACHE_UNREADABLE);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_ge(after.tv_sec - before.tv_sec, 1);
	ck_assert_int_le(after.tv_sec - before.tv_sec, 5);
	ck_assert_int_eq(state.lines, 1);
	ck_assert_msg(strstr(state.line, "locked") != NULL, "%s", state.line);
	ck_assert_int_eq(state_get(&state, "a.example"), 1);
	/* best effort does not wait at all, nor complain */
	struct domain domain = state_domain("a.example");
	clock_gettime(CLOCK_MONOTONIC, &before);
	state.cache.used(state.cache.self, &domain, NOW);
	state.cache.sweep(state.cache.self, NOW);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_le(after.tv_sec - before.tv_sec, 1);
	kill(pid, SIGKILL);
	status_of(pid);
	ck_assert_int_eq(state_put(&state, "a.example", 2, NOW), CACHE_OK);
	ck_assert_int_eq(state.lines, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_processes");
	TCase *tcase = tcase_create("processes");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_kill);
#ifdef __linux__
	tcase_add_loop_test(tcase, test_kill_at_each_step, 0, 2);
#endif
	tcase_add_test(tcase, test_fork);
	tcase_add_test(tcase, test_locks_after_fork);
	tcase_add_test(tcase, test_both_users);
	tcase_add_test(tcase, test_lease_in_process);
	tcase_add_test(tcase, test_hundred_leases);
	tcase_add_test(tcase, test_slots);
	tcase_add_test(tcase, test_concurrent);
	tcase_add_test(tcase, test_stopped_writer);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
