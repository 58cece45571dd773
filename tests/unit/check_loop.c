/* SPDX-License-Identifier: ISC */
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/timers.h"
#include "tests/unit/nomem.h"
#include "tests/unit/unit.h"

static int64_t now_ms;
static bool has_clock; /* now_ms counts */
static struct clock the_clock;
static struct loop *loop;

static int64_t
mono(void *arg)
{
	struct clock system = clock_system();

	(void)arg;
	return has_clock ? now_ms : clock_mono_ms(&system);
}

/* ---- a library of the tests ---- */

static struct {
	int fd; /* -1: none */
	int timeout_ms;
	unsigned n_processed;
	void (*process)(void);
} library;

size_t
mtasts_pollfds(struct mtasts *ctx, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	(void)ctx;
	*timeout_ms = library.timeout_ms;
	if (library.fd < 0)
		return 0;
	ck_assert(cap > 0);
	fds[0] = (struct pollfd){ library.fd, POLLIN, 0 };
	return 1;
}

int
mtasts_process(struct mtasts *ctx)
{
	(void)ctx;
	library.n_processed++;
	if (library.process != NULL)
		library.process();
	return 0;
}

/* ---- what calls back ---- */

struct end {
	struct loop_fd fd;
	unsigned n_called;
	short last;
	struct end *victim;	   /* forgotten and closed by the callback */
	bool is_reading, is_final; /* the loop ends with it */
};

static void
end_close(struct end *end)
{
	loop_forget(loop, &end->fd);
	if (end->fd.fd >= 0)
		close(end->fd.fd);
	end->fd.fd = -1;
}

static void
on_fd(void *arg, short events)
{
	struct end *end = arg;
	char octets[16];

	end->n_called++;
	end->last = events;
	if (end->is_reading)
		(void)!read(end->fd.fd, octets, sizeof octets);
	if (end->victim != NULL)
		end_close(end->victim);
	if (end->is_final)
		loop_stop(loop);
}

static void
end_init(struct end *end, int fd)
{
	memset(end, 0, sizeof *end);
	end->fd.fd = fd;
	end->fd.fn = on_fd;
	end->fd.arg = end;
}

static void
pair(int *fds)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

struct alarm {
	struct loop_timer timer;
	char name;
	struct alarm *sets, *ends; /* in the callback */
	int64_t in_ms;
	bool is_final;
	struct end *closes;
};

static char called[256];
static size_t n_called;

static void
on_timer(void *arg)
{
	struct alarm *alarm = arg;

	if (n_called < sizeof called - 1)
		called[n_called++] = alarm->name;
	if (alarm->sets != NULL)
		ck_assert_int_eq(loop_timer_set(loop, &alarm->sets->timer, alarm->in_ms), 0);
	if (alarm->ends != NULL)
		loop_timer_end(loop, &alarm->ends->timer);
	if (alarm->closes != NULL)
		end_close(alarm->closes);
	if (alarm->is_final)
		loop_stop(loop);
}

static void
alarm_init(struct alarm *alarm, char name)
{
	memset(alarm, 0, sizeof *alarm);
	alarm->name = name;
	alarm->timer.fn = on_timer;
	alarm->timer.arg = alarm;
}

static void
alarm_set(struct alarm *alarm, char name, int64_t in_ms)
{
	alarm_init(alarm, name);
	ck_assert_int_eq(loop_timer_set(loop, &alarm->timer, in_ms), 0);
}

static void
run_for(int64_t in_ms)
{
	struct alarm end;

	alarm_set(&end, '.', in_ms);
	end.is_final = true;
	loop_run(loop);
}

static void
setup(void)
{
	has_clock = false;
	now_ms = 0;
	the_clock = clock_system();
	the_clock.mono_ms = mono;
	memset(&library, 0, sizeof library);
	library.fd = -1;
	library.timeout_ms = -1;
	memset(called, 0, sizeof called);
	n_called = 0;
	loop = loop_new(&the_clock);
	ck_assert_ptr_nonnull(loop);
}

static void
teardown(void)
{
	loop_free(loop);
}

/* ---- descriptors ---- */

START_TEST(test_events)
{
	struct end end;
	int fds[2];

	pair(fds);
	end_init(&end, fds[0]);
	ck_assert_int_eq(loop_watch(loop, &end.fd, POLLIN), 0);
	run_for(0);
	ck_assert_uint_eq(end.n_called, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	end.is_final = end.is_reading = true;
	loop_run(loop);
	ck_assert_uint_eq(end.n_called, 1);
	ck_assert_int_eq(end.last, POLLIN);
	ck_assert_int_eq(loop_watch(loop, &end.fd, POLLOUT), 0);
	loop_run(loop);
	ck_assert_int_eq(end.last, POLLOUT);
	ck_assert_int_eq(loop_watch(loop, &end.fd, 0), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	run_for(5);
	ck_assert_uint_eq(end.n_called, 2);
	close(fds[1]); /* for errors alone */
	loop_run(loop);
	ck_assert_int_ne(end.last & (POLLHUP | POLLERR), 0);
	end_close(&end);
	end_close(&end); /* harmless */
	run_for(5);
	ck_assert_uint_eq(end.n_called, 3);
}
END_TEST

/* Two are ready in one wake-up; whoever comes first takes the other away, number included. */
START_TEST(test_forget_each_other)
{
	struct end a, b, c;
	int first[2], second[2];

	pair(first);
	pair(second);
	end_init(&a, first[0]);
	end_init(&b, second[0]);
	a.victim = &b;
	b.victim = &a;
	ck_assert_int_eq(loop_watch(loop, &a.fd, POLLIN), 0);
	ck_assert_int_eq(loop_watch(loop, &b.fd, POLLIN), 0);
	ck_assert_int_eq(write(first[1], "x", 1), 1);
	ck_assert_int_eq(write(second[1], "x", 1), 1);
	a.is_final = b.is_final = true;
	loop_run(loop);
	ck_assert_uint_eq(a.n_called + b.n_called, 1);
	/* the number of the one that is gone is another's now */
	end_init(&c, dup(a.fd.fd >= 0 ? first[1] : second[1]));
	ck_assert_int_eq(loop_watch(loop, &c.fd, POLLIN), 0);
	run_for(0);
	ck_assert_uint_eq(c.n_called, 0);
	end_close(&a);
	end_close(&b);
	end_close(&c);
	close(first[1]);
	close(second[1]);
}
END_TEST

struct heir {
	struct end *dead;
	struct end end;
	int fd; /* becomes what the dead one's number is */
};

static struct heir heir;

/* Frees the other, and watches another descriptor under its number at once. */
static void
on_inherit(void *arg, short events)
{
	(void)events;
	(void)arg;
	int number = heir.dead->fd.fd;

	loop_forget(loop, &heir.dead->fd);
	ck_assert_int_eq(dup2(heir.fd, number), number);
	free(heir.dead);
	heir.dead = NULL;
	end_init(&heir.end, number);
	ck_assert_int_eq(loop_watch(loop, &heir.end.fd, POLLIN), 0);
	loop_stop(loop);
}

/* An event that is due for a number is not its heir's. */
START_TEST(test_number_inherited)
{
	int first[2], second[2], idle[2];
	struct end *dead = mem_zero(1, sizeof *dead);
	struct end *heirs = mem_zero(1, sizeof *heirs);

	pair(first);
	pair(second);
	pair(idle);
	end_init(dead, second[0]);
	end_init(heirs, first[0]);
	heirs->fd.fn = on_inherit;
	heir = (struct heir){ .dead = dead, .fd = idle[0] };
	ck_assert_int_eq(loop_watch(loop, &heirs->fd, POLLIN), 0);
	ck_assert_int_eq(loop_watch(loop, &dead->fd, POLLIN), 0);
	ck_assert_int_eq(write(first[1], "x", 1), 1);
	ck_assert_int_eq(write(second[1], "x", 1), 1);
	loop_run(loop);
	ck_assert_uint_eq(heir.end.n_called, 0);
	end_close(heirs);
	run_for(0);
	ck_assert_uint_eq(heir.end.n_called, 0);
	ck_assert_int_eq(write(idle[1], "x", 1), 1);
	heir.end.is_final = true;
	loop_run(loop);
	ck_assert_uint_eq(heir.end.n_called, 1);
	end_close(&heir.end);
	free(heirs);
	close(first[1]);
	close(second[1]);
	close(idle[0]);
	close(idle[1]);
}
END_TEST

/* What it no longer wants it is not told, though it was due. */
START_TEST(test_events_taken_back)
{
	struct end a, b;
	int first[2], second[2];

	pair(first);
	pair(second);
	end_init(&a, first[0]);
	end_init(&b, second[0]);
	ck_assert_int_eq(loop_watch(loop, &a.fd, POLLIN), 0);
	ck_assert_int_eq(loop_watch(loop, &b.fd, POLLIN | POLLOUT), 0);
	ck_assert_int_eq(loop_watch(loop, &b.fd, POLLIN), 0);
	ck_assert_int_eq(write(second[1], "x", 1), 1);
	b.is_final = true;
	loop_run(loop);
	ck_assert_int_eq(b.last, POLLIN);
	end_close(&a);
	end_close(&b);
	close(first[1]);
	close(second[1]);
}
END_TEST

enum { MANY = 3000 };

START_TEST(test_thousands)
{
	static struct end ends[MANY];
	static int others[MANY];
	struct rlimit limit;
	size_t n = MANY, sum = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 2 * MANY + 32)
		n = (limit.rlim_max - 32) / 2;
	for (size_t i = 0; i < n; i++) {
		int fds[2];
		pair(fds);
		end_init(&ends[i], fds[0]);
		ends[i].is_reading = true;
		others[i] = fds[1];
		ck_assert_int_eq(loop_watch(loop, &ends[i].fd, POLLIN), 0);
		ck_assert_int_eq(write(fds[1], "x", 1), 1);
	}
	run_for(1000);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(ends[i].n_called, 1);
		sum += ends[i].n_called;
		end_close(&ends[i]);
		close(others[i]);
	}
	ck_assert_uint_eq(sum, n);
}
END_TEST

START_TEST(test_bad_descriptor)
{
	struct end end;

	end_init(&end, -1);
#ifndef WATCH_BY_POLL
	ck_assert_int_eq(loop_watch(loop, &end.fd, POLLIN), -1);
	ck_assert_int_eq(errno, EBADF);
#endif
	ck_assert(end.fd.slot == NULL || loop_watch(loop, &end.fd, 0) == 0);
	loop_forget(loop, &end.fd);
}
END_TEST

/* ---- timers ---- */

START_TEST(test_timer_order)
{
	struct alarm alarms[9];

	loop_free(loop);
	has_clock = true;
	loop = loop_new(&the_clock);
	for (int i = 0; i < 9; i++)
		alarm_set(&alarms[i], (char)('a' + i), i < 3 ? 30 : i < 6 ? 10 : 20);
	ck_assert_int_eq(loop_timer_set(loop, &alarms[8].timer, 0), 0); /* anew */
	loop_timer_end(loop, &alarms[1].timer);
	loop_timer_end(loop, &alarms[1].timer); /* harmless */
	alarms[0].is_final = alarms[2].is_final = true;
	now_ms += 100;
	loop_run(loop);
	ck_assert_str_eq(called, "idefghac");
}
END_TEST

START_TEST(test_timers_of_timers)
{
	struct alarm a, b, c, d;

	alarm_set(&a, 'a', 0);
	alarm_set(&b, 'b', 0);
	alarm_set(&c, 'c', 0);
	alarm_init(&d, 'd');
	a.ends = &b; /* due, and never called */
	c.sets = &d; /* in the next turn */
	d.sets = &a;
	a.sets = &a; /* for ever, and starves nobody */
	run_for(5);
	ck_assert_msg(strncmp(called, "acad", 4) == 0, "%s", called);
	ck_assert_ptr_null(strchr(called, 'b'));
	loop_timer_end(loop, &a.timer);
}
END_TEST

START_TEST(test_timer_is_in_time)
{
	struct clock system = clock_system();
	int64_t start = clock_mono_ms(&system);

	run_for(30);
	int64_t took = clock_mono_ms(&system) - start;
	ck_assert_int_ge(took, 29);
	ck_assert_int_lt(took, 1000);
}
END_TEST

/* A callback of a timer frees an end that is watched, and the other way round. */
START_TEST(test_timer_and_descriptor)
{
	struct alarm a;
	struct end end;
	int fds[2];

	pair(fds);
	end_init(&end, fds[0]);
	ck_assert_int_eq(loop_watch(loop, &end.fd, POLLIN), 0);
	alarm_set(&a, 'a', 0);
	a.closes = &end;
	run_for(1);
	ck_assert_int_eq(send(fds[1], "x", 1, MSG_NOSIGNAL), -1);
	run_for(1);
	ck_assert_uint_eq(end.n_called, 0);
	close(fds[1]);
}
END_TEST

/* The heap against a plain look through all of them. */
START_TEST(test_heap)
{
	enum { N = 500, STEPS = 20000 };
	static struct loop_timer timers[N];
	struct timers heap = { 0 };
	unsigned random = (unsigned)_i + 1;
	size_t n = 0;

	memset(timers, 0, sizeof timers);
	for (int step = 0; step < STEPS; step++) {
		random = random * 1103515245U + 12345U;
		struct loop_timer *t = &timers[(random >> 8) % N];
		bool was_set = t->place != 0;
		if ((random >> 28) < 9) {
			ck_assert_int_eq(timers_set(&heap, t, (random >> 4) % 64), 0);
			n += !was_set;
		} else {
			timers_end(&heap, t);
			n -= was_set;
		}
		ck_assert_uint_eq(heap.n, n);
		const struct loop_timer *first = NULL;
		for (size_t i = 0; step % 16 == 0 && i < N; i++) {
			const struct loop_timer *at = &timers[i];
			if (at->place != 0 &&
			    (first == NULL || at->at_ms < first->at_ms ||
				(at->at_ms == first->at_ms && at->order < first->order)))
				first = at;
		}
		if (step % 16 == 0)
			ck_assert_ptr_eq(timers_first(&heap), first);
	}
	timers_clear(&heap);
	for (size_t i = 0; i < N; i++)
		ck_assert_uint_eq(timers[i].place, 0);
}
END_TEST

/* ---- the library ---- */

static int library_ends[2];

static void
library_reads(void)
{
	char octet;

	ck_assert_int_eq(read(library.fd, &octet, 1), 1);
	loop_stop(loop);
}

/* It closes its descriptor and opens another, which gets the same number. */
static void
library_opens_anew(void)
{
	int number = library.fd;

	close(library.fd);
	close(library_ends[1]);
	pair(library_ends);
	if (library_ends[0] != number) {
		ck_assert_int_eq(dup2(library_ends[0], number), number);
		close(library_ends[0]);
	}
	library.fd = number;
	library.process = library_reads;
	loop_stop(loop);
}

START_TEST(test_library)
{
	pair(library_ends);
	library.fd = library_ends[0];
	library.process = library_opens_anew;
	loop_library(loop, (struct mtasts *)&library);
	run_for(2);
	ck_assert_uint_eq(library.n_processed, 0);
	ck_assert_int_eq(write(library_ends[1], "x", 1), 1);
	loop_run(loop);
	ck_assert_uint_eq(library.n_processed, 1);
	ck_assert_int_eq(write(library_ends[1], "x", 1), 1);
	loop_run(loop);
	ck_assert_uint_eq(library.n_processed, 2);
	loop_library(loop, NULL);
	ck_assert_int_eq(write(library_ends[1], "x", 1), 1);
	run_for(2);
	ck_assert_uint_eq(library.n_processed, 2);
	close(library.fd);
	close(library_ends[1]);
}
END_TEST

static void
library_stops(void)
{
	library.timeout_ms = -1;
	loop_stop(loop);
}

START_TEST(test_library_in_time)
{
	loop_library(loop, (struct mtasts *)&library);
	library.timeout_ms = 5;
	library.process = library_stops;
	loop_run(loop);
	ck_assert_uint_eq(library.n_processed, 1);
	run_for(10);
	ck_assert_uint_eq(library.n_processed, 1);
}
END_TEST

/* ---- memory, ends ---- */

START_TEST(test_no_memory)
{
	struct end end;
	struct alarm alarm;
	int fds[2];

	loop_free(loop);
	for (size_t n = 0;; n++) {
		nomem_after(n);
		loop = loop_new(&the_clock);
		size_t asked = nomem_end();
		if (loop != NULL) {
			ck_assert_uint_le(asked, n);
			break;
		}
		ck_assert_uint_lt(n, 10);
	}
	pair(fds);
	end_init(&end, fds[0]);
	alarm_init(&alarm, 'a');
	nomem_after(0);
	int watched = loop_watch(loop, &end.fd, POLLIN);
	int error = errno;
	int set = loop_timer_set(loop, &alarm.timer, 0);
	nomem_end();
	ck_assert_int_eq(watched, -1);
	ck_assert_int_eq(error, ENOMEM);
	ck_assert_ptr_null(end.fd.slot);
	ck_assert_int_eq(set, MTASTS_ENOMEM);
	ck_assert_uint_eq(alarm.timer.place, 0);
	ck_assert_int_eq(loop_watch(loop, &end.fd, POLLIN), 0);
	ck_assert_int_eq(loop_timer_set(loop, &alarm.timer, 0), 0);
	nomem_after(0); /* what is there needs no more */
	set = loop_timer_set(loop, &alarm.timer, 1);
	watched = loop_watch(loop, &end.fd, POLLOUT);
	nomem_end();
	ck_assert_int_eq(set, 0);
	ck_assert_int_eq(watched, 0);
	end.is_final = true;
	loop_run(loop);
	end_close(&end);
	close(fds[1]);
}
END_TEST

START_TEST(test_free)
{
	struct alarm alarm;
	struct end end;
	int fds[2];

	pair(fds);
	end_init(&end, fds[0]);
	ck_assert_int_eq(loop_watch(loop, &end.fd, POLLIN), 0);
	alarm_set(&alarm, 'a', 0);
	loop_free(loop);
	loop = NULL;
	ck_assert_ptr_null(end.fd.slot);
	ck_assert_uint_eq(alarm.timer.place, 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* A child that frees its copy takes nothing from the parent. */
START_TEST(test_fork)
{
	struct end end;
	int fds[2], status;

	pair(fds);
	end_init(&end, fds[0]);
	ck_assert_int_eq(loop_watch(loop, &end.fd, POLLIN), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		loop_free(loop);
		_exit(end.fd.slot == NULL ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	end.is_final = true;
	loop_run(loop);
	ck_assert_uint_eq(end.n_called, 1);
	end_close(&end);
	close(fds[1]);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("loop");
	TCase *c = tcase_create("loop");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_events);
	tcase_add_test(c, test_forget_each_other);
	tcase_add_test(c, test_number_inherited);
	tcase_add_test(c, test_events_taken_back);
	tcase_add_test(c, test_thousands);
	tcase_add_test(c, test_bad_descriptor);
	tcase_add_test(c, test_timer_order);
	tcase_add_test(c, test_timers_of_timers);
	tcase_add_test(c, test_timer_is_in_time);
	tcase_add_test(c, test_timer_and_descriptor);
	tcase_add_loop_test(c, test_heap, 0, 4);
	tcase_add_test(c, test_library);
	tcase_add_test(c, test_library_in_time);
	tcase_add_test(c, test_no_memory);
	tcase_add_test(c, test_free);
	tcase_add_test(c, test_fork);
	suite_add_tcase(s, c);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
