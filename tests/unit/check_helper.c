/* SPDX-License-Identifier: ISC
 *
 * Helpers that fail in every way we could think of, in hosts that treat their children in every
 * way mail servers do: the outcome is the documented one, within the deadline, and the host is
 * as it was.  The helpers are tests/unit/fake.c; the path of resolv.conf or of the CA directory
 * tells it what to do.
 */
#include "net/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nomem.h"
#include "unit.h"

enum {
	HURRIED = 200,
	SOON = 400,
	LATER = 10000,
	SLACK = 1500 /* ms, on a machine with other work to do */
};
enum host { PLAIN, REAPS, IGNORES, HOSTS };
enum { ANSWERS_MAX = 4096, LOG_MAX = 65536 };

static char directory[64]; /* of the fakes */
static struct mtasts_config config;
static struct clock real_clock;
static struct helpers *helpers;
static struct net net;
static char log_text[LOG_MAX];
static struct buf log_buf;

static struct {
	size_t n;
	struct {
		void *arg;
		size_t i;
		int state;
		char reason[256];
		char text[256]; /* of the first TXT string, or the body */
	} answer[ANSWERS_MAX];
} got;

static void
on_log(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	buf_printf(&log_buf, "%d %s\n", (int)level, text);
}

static const struct log to_text = { on_log, NULL, MTASTS_LOG_DEBUG };

static void
on_answer(void *arg, size_t i, const struct net_answer *a)
{
	ck_assert_uint_lt(got.n, ANSWERS_MAX);
	got.answer[got.n].arg = arg;
	got.answer[got.n].i = i;
	got.answer[got.n].state = (int)a->state;
	snprintf(got.answer[got.n].reason, 256, "%s", a->reason);
	if (a->n > 0)
		snprintf(
		    got.answer[got.n].text, 256, "%.*s", (int)a->rdata[0].n - 1, a->rdata[0].p + 1);
	got.n++;
}

static void
on_page(void *arg, const struct net_page *page)
{
	got.answer[got.n].arg = arg;
	got.answer[got.n].state = (int)page->state;
	snprintf(got.answer[got.n].reason, 256, "%s", page->reason);
	snprintf(got.answer[got.n].text, 256, "%.*s", (int)page->body.n, page->body.p);
	got.n++;
}

/* ---- hosts ---- */

static volatile sig_atomic_t reaped;

static void
on_child(int number)
{
	int saved = errno;

	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped++;
	errno = saved;
}

static void
host_become(enum host host)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	sigemptyset(&action.sa_mask);
	action.sa_handler = host == REAPS ? on_child : host == IGNORES ? SIG_IGN : SIG_DFL;
	ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
	reaped = 0;
}

/* Dispositions, mask and descriptors of this process. */
struct shape {
	void (*handlers[32])(int);
	unsigned long blocked;
	unsigned long open;
};

static struct shape
shape_now(void)
{
	struct shape shape;
	struct sigaction action;
	sigset_t mask;

	memset(&shape, 0, sizeof shape);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < 32; i++) {
		sigaction(i, NULL, &action);
		shape.handlers[i] = action.sa_handler;
		if (sigismember(&mask, i) == 1)
			shape.blocked |= 1UL << i;
	}
	for (int fd = 0; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			shape.open |= 1UL << fd;
	}
	return shape;
}

static void
shape_check(const struct shape *before, const char *name)
{
	struct shape now = shape_now();

	ck_assert_msg(memcmp(now.handlers, before->handlers, sizeof now.handlers) == 0,
	    "%s: a signal disposition", name);
	ck_assert_msg(now.blocked == before->blocked, "%s: the signal mask", name);
	ck_assert_msg(now.open == before->open, "%s: descriptors %lx, before %lx", name, now.open,
	    before->open);
	/* no child is left, and no zombie */
	ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "%s: a child", name);
}

/* ---- the handle ---- */

static void
set(const char *key, const char *value)
{
	ck_assert_msg(conf_set(&config, span_of(key), span_of(value)) == 0, "%s", config.error);
}

static void
begin(const char *how)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", directory, how);
	conf_defaults(&config);
	set("helper_directory", directory);
	set("helper_user", "nobody");
	set("resolv_conf", path);
	set("ca_directory", path);
	buf_init(&log_buf, log_text, sizeof log_text);
	memset(&got, 0, sizeof got);
	real_clock = clock_system();
	ck_assert_int_eq(helpers_new(&config, &to_text, &real_clock, &helpers), 0);
	net = helpers_net(helpers);
}

static void
end(void)
{
	helpers_free(helpers);
	helpers = NULL;
}

static int64_t
in_ms(int ms)
{
	return clock_mono_ms(&real_clock) + ms;
}

/* n questions; their names do not matter. */
static struct net_request *
ask(size_t n, int ms, void *arg)
{
	static struct net_question questions[16];
	struct net_request *request = NULL;

	for (size_t i = 0; i < n; i++) {
		questions[i].type = NET_TXT;
		ck_assert_int_eq(domain_parse(span_of("a.example"), 0, &questions[i].name), 0);
	}
	int r = net.resolve(net.self, questions, n, in_ms(ms), on_answer, arg, &request);
	ck_assert_int_eq(r, 0);
	return request;
}

static struct net_request *
get(int ms, void *arg)
{
	static struct net_fetch fetch = {
		.path = "/.well-known/mta-sts.txt", .n = 1, .addresses = { { { 192, 0, 2, 1 }, 4 } }
	};
	struct net_request *request = NULL;

	ck_assert_int_eq(domain_parse(span_of("mta-sts.a.example"), 0, &fetch.host), 0);
	ck_assert_int_eq(net.fetch(net.self, &fetch, in_ms(ms), on_page, arg, &request), 0);
	return request;
}

static void
turn(void)
{
	struct pollfd fds[4];
	int timeout = -1;
	size_t n = net.pollfds(net.self, fds, 4, &timeout);

	ck_assert_uint_le(n, 2);
	(void)poll(fds, (nfds_t)n, timeout);
	net.process(net.self);
}

/* Until n answers are there; how long it took, milliseconds. */
static int64_t
run(size_t n)
{
	int64_t from = in_ms(0);

	while (got.n < n && in_ms(0) < from + LATER + SLACK)
		turn();
	ck_assert_uint_eq(got.n, n);
	return in_ms(0) - from;
}

static long
number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	ck_assert_msg(at != NULL, "%s in \"%s\"", word, text);
	return strtol(at + strlen(word), NULL, 8 + 2 * (strcmp(word, "umask=") != 0));
}

static void
sleep_ms(long ms)
{
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

/* ---- each way to fail ---- */

static const struct {
	const char *how;
	bool is_good;
	int deadline; /* SOON: it is the deadline that ends it; LATER: found out at once */
	const char *reason;
} ways[] = {
	{ "good", true, LATER, "" },
	{ "drip", true, LATER, "" },
	{ "noted", true, LATER, "" },
	{ "twice", true, LATER, "" },
	{ "after", true, LATER, "" },
	{ "gone", false, LATER, "ended" },
	{ "exit", false, LATER, "ended" },
	{ "killed", false, LATER, "ended" },
	{ "crash", false, LATER, "ended" },
	{ "closed", false, LATER, "ended" },
	{ "half", false, LATER, "ended within a message" },
	{ "before", false, LATER, "malformed message" },
	{ "endless", false, LATER, "malformed message" },
	{ "wrongid", false, LATER, "answered what was not asked" },
	{ "wrongtype", false, LATER, "malformed message" },
	{ "request", false, LATER, "malformed message" },
	{ "malformed", false, LATER, "malformed" },
	{ "oversize", false, LATER, "malformed message" },
	{ "badrecord", false, LATER, "malformed" },
	{ "fatal", false, LATER, "a \\x22note\\x22: No such file or directory" },
	{ "hang", false, SOON, "no answer in time" },
	{ "spin", false, SOON, "no answer in time" },
	{ "deaf", false, SOON, "no answer in time" },
	{ "stopped", false, SOON, "no answer in time" },
	{ "halfhang", false, SOON, "no answer in time" },
	{ "slowdrip", false, SOON, "no answer in time" },
	{ "notes", false, SOON, "no answer in time" },
};

enum { WAYS = sizeof ways / sizeof ways[0] };

static void
way_check(size_t way, bool is_fetch, const char *name)
{
	int good = is_fetch ? (int)NET_FETCHED : (int)NET_ANSWERED;
	int bad = is_fetch ? (int)NET_FETCH_FAULT : (int)NET_FAULT; /* ours: fail closed */

	begin(ways[way].how);
	if (is_fetch)
		get(ways[way].deadline, NULL);
	else
		ask(1, ways[way].deadline, NULL);
	int64_t took = run(1);
	ck_assert_msg(got.answer[0].state == (ways[way].is_good ? good : bad), "%s: state %d, %s",
	    name, got.answer[0].state, got.answer[0].reason);
	ck_assert_msg(strstr(got.answer[0].reason, ways[way].reason) != NULL, "%s: \"%s\"", name,
	    got.answer[0].reason);
	ck_assert_msg(took < ways[way].deadline + SLACK, "%s: %ld ms", name, (long)took);
	if (ways[way].deadline == SOON)
		ck_assert_msg(took >= SOON - 50, "%s: after %ld ms", name, (long)took);
	else
		ck_assert_msg(took < LATER / 2, "%s: %ld ms", name, (long)took);
	if (ways[way].is_good)
		ck_assert_msg(strcmp(got.answer[0].text, is_fetch ? "body" : "good") == 0, "%s: %s",
		    name, got.answer[0].text);
	else
		ck_assert_msg(
		    strstr(log_text, is_fetch ? "mtasts-fetch" : "mtasts-resolve") != NULL,
		    "%s: log \"%s\"", name, log_text);
	net.rest(net.self);
	end();
}

START_TEST(test_way)
{
	enum host host = (enum host)(_i % HOSTS);
	bool is_fetch = _i / HOSTS % 2 == 1;
	size_t way = (size_t)_i / HOSTS / 2;
	char name[64];

	snprintf(name, sizeof name, "%s, %s, host %d", ways[way].how,
	    is_fetch ? "fetch" : "resolve", (int)host);
	host_become(host);
	struct shape before = shape_now();
	way_check(way, is_fetch, name);
	shape_check(&before, name);
}
END_TEST

/* A note is logged once a handle, as a warning, and changes nothing. */
START_TEST(test_note)
{
	begin("noted");
	ask(1, LATER, NULL);
	run(1);
	ask(1, LATER, NULL);
	run(2);
	ck_assert_int_eq(got.answer[1].state, NET_ANSWERED);
	ck_assert_str_eq(log_text, "1 helper program=mtasts-resolve "
				   "note=\"a \\x22note\\x22: No such file or directory\"\n");
	end();
}
END_TEST

/* Asked when the time is nearly over: that is the network's doing, which has used it up. */
START_TEST(test_hurried)
{
	begin("hang");
	ask(1, HURRIED, NULL);
	run(1);
	ck_assert_int_eq(got.answer[0].state, NET_UNKNOWN);
	get(HURRIED, NULL);
	run(2);
	ck_assert_int_eq(got.answer[1].state, NET_FETCH_FAILED);
	ck_assert_msg(strncmp(log_text, "1 ", 2) == 0, "%s", log_text);
	end();
}
END_TEST

START_TEST(test_missing)
{
	host_become((enum host)_i);
	struct shape before = shape_now();
	begin("good");
	set("helper_directory", "/nonexistent");
	ask(2, LATER, NULL);
	get(LATER, NULL);
	ck_assert_uint_eq(got.n, 0); /* nothing before process() */
	run(3);
	for (int i = 0; i < 2; i++) {
		static const char *const programs[] = { "mtasts-resolve", "mtasts-fetch" };
		char line[128];
		snprintf(line, sizeof line,
		    "0 helper program=%s reason=\"execve: No such file or directory\"\n",
		    programs[i]);
		ck_assert_msg(strstr(log_text, line) != NULL, "%s", log_text);
	}
	ck_assert_uint_eq(log_buf.n, 2 * strlen("0 helper program= reason=\"\"\n") +
					 strlen("mtasts-resolvemtasts-fetch") +
					 2 * strlen("execve: No such file or directory"));
	for (int i = 0; i < 3; i++)
		ck_assert_msg(strstr(got.answer[i].reason, "No such file") != NULL, "%d", i);
	end();
	shape_check(&before, "missing");
}
END_TEST

START_TEST(test_not_executable)
{
	char path[128];

	begin("good");
	snprintf(path, sizeof path, "%s/plain", directory);
	set("helper_directory", path);
	ask(1, LATER, NULL);
	run(1);
	ck_assert_int_eq(got.answer[0].state, NET_FAULT);
	ck_assert_msg(strstr(log_text, "execve: Permission denied") != NULL, "%s", log_text);
	end();
}
END_TEST

/* Never as root: without a user to become there is no helper. */
START_TEST(test_no_user)
{
	static const struct {
		const char *user, *why;
	} users[] = { { "no-such-user", "no user no-such-user" }, { "root", "user root is root" } };

	if (geteuid() != 0)
		return; /* the user is not asked for */
	begin("good");
	set("helper_user", users[_i].user);
	ask(1, LATER, NULL);
	run(1);
	ck_assert_int_eq(got.answer[0].state, NET_FAULT);
	ck_assert_msg(
	    strstr(got.answer[0].reason, users[_i].why) != NULL, "%s", got.answer[0].reason);
	ck_assert_msg(strstr(log_text, users[_i].why) != NULL, "%s", log_text);
	end();
}
END_TEST

/* ---- what a process of ours is made of ---- */

START_TEST(test_state)
{
	sigset_t term;
	const char *s = got.answer[0].text;

	/* a host with habits */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	setenv("https_proxy", "http://192.0.2.1", 1);
	ck_assert_int_ge(dup2(open("/dev/null", O_RDONLY), 200), 0); /* not close-on-exec */

	begin("state");
	ask(1, LATER, NULL);
	run(1);
	ck_assert_int_eq(got.answer[0].state, NET_ANSWERED);
	if (geteuid() == 0) {
		const struct passwd *nobody = getpwnam("nobody");
		ck_assert_int_eq(number_after(s, "uid="), nobody->pw_uid);
		ck_assert_int_eq(number_after(s, "gid="), nobody->pw_gid);
		ck_assert_int_eq(number_after(s, "groups="), 0);
	} else {
		ck_assert_int_eq(number_after(s, "uid="), getuid());
	}
	ck_assert_int_eq(number_after(s, "env="), 0);
	ck_assert_int_eq(number_after(s, "fds="), 3);
	ck_assert_msg(strstr(s, "cwd=/ ") != NULL, "%s", s);
	ck_assert_int_eq(number_after(s, "sid="), 1);
	ck_assert_int_eq(number_after(s, "blocked="), 0);
	ck_assert_int_eq(number_after(s, "pipe="), 1);
#ifdef HAVE_SYS_PRCTL_H
	ck_assert_int_eq(number_after(s, "nnp="), 1);
	ck_assert_int_eq(number_after(s, "death="), 1);
#endif
	ck_assert_int_eq(number_after(s, "core="), 0);
	ck_assert_int_eq(number_after(s, "fsize="), 0);
	ck_assert_int_eq(number_after(s, "cpu="), 120);
	if (getenv("VALGRIND") == NULL) /* which keeps its own hard limit */
		ck_assert_int_eq(number_after(s, "nofile="), 256);
	ck_assert_int_eq(number_after(s, "umask="), 077);
#ifndef WITH_SANITIZERS
	ck_assert_int_eq(number_after(s, "as="), 256);
#endif
	end();
}
END_TEST

/* A host without standard descriptors. */
START_TEST(test_bare_host)
{
	int saved[3];

	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		close(fd);
	}
	begin("state");
	ask(1, LATER, NULL);
	int64_t until = in_ms(LATER);
	while (got.n < 1 && in_ms(0) < until)
		turn();
	end();
	for (int fd = 0; fd < 3; fd++) {
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
	ck_assert_uint_eq(got.n, 1);
	ck_assert_int_eq(number_after(got.answer[0].text, "fds="), 3);
}
END_TEST

/* ---- several requests ---- */

START_TEST(test_shared)
{
	begin("state");
	ask(2, LATER, NULL);
	ask(1, LATER, NULL);
	run(3);
	ask(1, LATER, NULL);
	run(4);
	long pid = number_after(got.answer[0].text, "pid=");
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(number_after(got.answer[i].text, "pid="), pid);
	net.rest(net.self);
	ck_assert_int_eq(kill((pid_t)pid, 0), -1);
	ask(1, LATER, NULL);
	run(5);
	ck_assert_int_ne(number_after(got.answer[4].text, "pid="), pid);
	end();
}
END_TEST

/* rest() leaves a helper alone that has work. */
START_TEST(test_rest_at_work)
{
	begin("drip");
	ask(1, LATER, NULL);
	net.rest(net.self);
	run(1);
	ck_assert_int_eq(got.answer[0].state, NET_ANSWERED);
	end();
}
END_TEST

START_TEST(test_idle_death)
{
	begin("state");
	ask(1, LATER, NULL);
	run(1);
	long pid = number_after(got.answer[0].text, "pid=");
	ck_assert_int_eq(kill((pid_t)pid, SIGKILL), 0);
	sleep_ms(100);
	ask(1, LATER, NULL);
	run(2);
	ck_assert_int_eq(got.answer[1].state, NET_ANSWERED);
	ck_assert_str_eq(log_text, "");
	end();
}
END_TEST

/* What was told after its answer ends a helper; the next request has a new one. */
START_TEST(test_babble_then_good)
{
	begin("after");
	for (size_t i = 1; i <= 3; i++) {
		ask(1, LATER, NULL);
		run(i);
		ck_assert_int_eq(got.answer[i - 1].state, NET_ANSWERED);
		sleep_ms(50);
	}
	end();
}
END_TEST

START_TEST(test_new_resolv_conf)
{
	char path[128];
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	begin("state");
	snprintf(path, sizeof path, "%s/state", directory);
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	ck_assert_int_ge(fd, 0);
	ask(1, LATER, NULL);
	run(1);
	ask(1, LATER, NULL);
	run(2);
	ck_assert_int_eq(futimens(fd, times), 0);
	close(fd);
	ask(1, LATER, NULL);
	run(3);
	unlink(path);
	long pid = number_after(got.answer[0].text, "pid=");
	ck_assert_int_eq(number_after(got.answer[1].text, "pid="), pid);
	ck_assert_int_ne(number_after(got.answer[2].text, "pid="), pid);
	end();
}
END_TEST

/* A host that lives for weeks does not wait until the kernel ends its helper. */
START_TEST(test_replaced_in_time)
{
	long first, pid = 0;

	begin("state");
	ask(1, LATER, NULL);
	run(1);
	first = number_after(got.answer[0].text, "pid=");
	for (int i = 0; i < 10000 / 16; i++) {
		got.n = 0;
		ask(16, LATER, NULL);
		run(16);
		pid = number_after(got.answer[15].text, "pid=");
		ck_assert_int_eq(pid, first);
	}
	got.n = 0;
	ask(1, LATER, NULL);
	run(1);
	ck_assert_int_ne(number_after(got.answer[0].text, "pid="), first);
	end();
}
END_TEST

/* More than the socket takes, to a helper that reads nothing: nothing blocks. */
START_TEST(test_deaf)
{
	enum { N = 3000 };

	begin("deaf");
	int64_t from = in_ms(0);
	for (size_t i = 0; i < N; i++)
		ask(1, 2 * SOON, NULL);
	ck_assert_msg(in_ms(0) - from < SLACK, "asking took %ld ms", (long)(in_ms(0) - from));
	run(N);
	ck_assert_int_eq(got.answer[N - 1].state, NET_FAULT);
	end();
}
END_TEST

START_TEST(test_many)
{
	enum { N = 3000 };

	begin("good");
	for (size_t i = 0; i < N; i++)
		ask(1, LATER, NULL);
	run(N);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(got.answer[i].state, NET_ANSWERED);
	end();
}
END_TEST

/* ---- cancelling, and callbacks that ask and cancel ---- */

START_TEST(test_cancel)
{
	int wanted;

	begin("good");
	struct net_request *request = ask(3, LATER, NULL);
	net.cancel(net.self, request);
	ask(1, LATER, &wanted);
	run(1);
	ck_assert_ptr_eq(got.answer[0].arg, &wanted);
	net.rest(net.self);
	end();
}
END_TEST

START_TEST(test_cancel_and_rest)
{
	struct shape before = shape_now();

	begin("hang");
	net.cancel(net.self, ask(3, LATER, NULL));
	net.cancel(net.self, get(LATER, NULL));
	int64_t from = in_ms(0);
	net.rest(net.self);
	ck_assert_int_lt(in_ms(0) - from, SLACK);
	ck_assert_uint_eq(got.n, 0);
	end();
	shape_check(&before, "cancelled");
}
END_TEST

static struct net_request *cancelled_inside;

static void
on_answer_cancel(void *arg, size_t i, const struct net_answer *a)
{
	on_answer(arg, i, a);
	net.cancel(net.self, cancelled_inside);
}

START_TEST(test_cancel_inside)
{
	static struct net_question questions[3];

	begin(_i == 0 ? "good" : "gone"); /* answered, and lost */
	for (size_t i = 0; i < 3; i++) {
		questions[i].type = NET_TXT;
		domain_parse(span_of("a.example"), 0, &questions[i].name);
	}
	ck_assert_int_eq(net.resolve(net.self, questions, 3, in_ms(LATER), on_answer_cancel, NULL,
			     &cancelled_inside),
	    0);
	run(1);
	for (int i = 0; i < 5; i++) {
		sleep_ms(20);
		net.process(net.self);
	}
	ck_assert_uint_eq(got.n, 1);
	end();
}
END_TEST

static void
on_answer_ask(void *arg, size_t i, const struct net_answer *a)
{
	on_answer(arg, i, a);
	if (got.n < 5)
		get(LATER, NULL);
	if (got.n < 3)
		ask(1, LATER, NULL);
}

START_TEST(test_ask_inside)
{
	static struct net_question question = { .type = NET_TXT };
	struct net_request *request;

	begin(_i == 0 ? "good" : "crash");
	domain_parse(span_of("a.example"), 0, &question.name);
	ck_assert_int_eq(
	    net.resolve(net.self, &question, 1, in_ms(LATER), on_answer_ask, NULL, &request), 0);
	run(3);
	end();
}
END_TEST

/* ---- time ---- */

/* A host that comes late finds the answer that was in time; a late helper is given up at once. */
START_TEST(test_late_host)
{
	begin("good");
	ask(1, SOON, NULL);
	sleep_ms(2 * SOON);
	net.process(net.self);
	ck_assert_uint_eq(got.n, 1);
	ck_assert_int_eq(got.answer[0].state, NET_ANSWERED);
	end();

	begin("hang");
	ask(1, SOON, NULL);
	get(SOON, NULL);
	sleep_ms(2 * SOON);
	net.process(net.self);
	ck_assert_uint_eq(got.n, 2);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(strstr(got.answer[i].reason, "no answer in time") != NULL, "%d", i);
	end();
}
END_TEST

START_TEST(test_timeout)
{
	struct pollfd fds[4];
	int timeout = 4711;

	begin("hang");
	ck_assert_uint_eq(net.pollfds(net.self, fds, 4, &timeout), 0);
	ck_assert_int_eq(timeout, -1);
	ask(1, 5000, NULL);
	ask(1, 3000, NULL);
	ck_assert_uint_eq(net.pollfds(net.self, fds, 4, &timeout), 1);
	ck_assert_int_le(timeout, 3000);
	ck_assert_int_gt(timeout, 2000);
	ck_assert_uint_eq(net.pollfds(net.self, NULL, 0, &timeout), 1);
	end();
}
END_TEST

/* ---- forks ---- */

START_TEST(test_fork)
{
	int status;

	begin("drip");
	ask(1, LATER, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		helpers_free(helpers);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	run(1);
	ck_assert_int_eq(got.answer[0].state, NET_ANSWERED);
	end();
}
END_TEST

#ifdef HAVE_SYS_PRCTL_H
/* A helper does not outlive its parent, even when a child of that holds the pipe open. */
START_TEST(test_parent_dies)
{
	int pipes[2];
	char text[256] = "";

	ck_assert_int_eq(pipe(pipes), 0);
	pid_t parent = fork();
	if (parent == 0) {
		setpgid(0, 0);
		begin("state");
		ask(1, LATER, NULL);
		run(1);
		if (write(pipes[1], got.answer[0].text, 255) != 255)
			_exit(1);
		if (fork() == 0)
			pause();
		for (;;)
			pause();
	}
	ck_assert_int_gt(read(pipes[0], text, 255), 0);
	pid_t helper = (pid_t)number_after(text, "pid=");
	ck_assert_int_eq(kill(helper, 0), 0);
	sleep_ms(20);
	ck_assert_int_eq(kill(parent, SIGKILL), 0);
	waitpid(parent, NULL, 0);
	bool is_there = true;
	for (int i = 0; is_there && i < 100; i++) {
		char path[64], line[256] = "";
		snprintf(path, sizeof path, "/proc/%ld/stat", (long)helper);
		FILE *f = fopen(path, "r");
		is_there = f != NULL && fgets(line, sizeof line, f) != NULL &&
			   strstr(line, ") Z ") == NULL; /* init may be slow to reap */
		if (f != NULL)
			fclose(f);
		sleep_ms(20);
	}
	kill(-parent, SIGKILL);
	ck_assert_msg(!is_there, "helper %ld lives on", (long)helper);
}
END_TEST
#endif

/* ---- memory ---- */

START_TEST(test_no_memory)
{
	static struct net_question question = { .type = NET_TXT };
	struct net_request *request;
	bool is_done = false;

	begin("good"); /* for the configuration */
	end();
	domain_parse(span_of("a.example"), 0, &question.name);
	for (size_t n = 0; n < 20 && !is_done; n++) {
		memset(&got, 0, sizeof got);
		nomem_after(n);
		int r = helpers_new(&config, &to_text, &real_clock, &helpers);
		if (r == 0) {
			net = helpers_net(helpers);
			r = net.resolve(
			    net.self, &question, 1, in_ms(LATER), on_answer, NULL, &request);
		}
		is_done = nomem_end() <= n;
		if (r == 0) {
			run(1);
			ck_assert_int_eq(got.answer[0].state, is_done ? NET_ANSWERED : NET_FAULT);
		} else {
			ck_assert_int_eq(r, MTASTS_ENOMEM);
		}
		helpers_free(helpers);
		helpers = NULL;
	}
	ck_assert(is_done);
}
END_TEST

/* ---- the fakes, where the user we become can reach them ---- */

static void
copy(const char *from, const char *to, mode_t mode)
{
	char bytes[65536];
	ssize_t n;
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	if (in < 0 || out < 0) {
		perror(in < 0 ? from : to);
		exit(99);
	}
	while ((n = read(in, bytes, sizeof bytes)) > 0) {
		if (write(out, bytes, (size_t)n) != n)
			exit(99);
	}
	fchmod(out, mode);
	close(in);
	close(out);
}

static void
fakes_copy(bool is_there)
{
	static const char *const names[] = { "mtasts-resolve", "mtasts-fetch",
		"plain/mtasts-resolve" };
	const char *build = getenv("top_builddir");
	char from[512], to[128];

	snprintf(from, sizeof from, "%s/tests/unit/fake", build == NULL ? "." : build);
	snprintf(to, sizeof to, "%s/plain", directory);
	if (is_there)
		mkdir(to, 0755);
	chmod(to, 0755);
	for (size_t i = 0; i < 3; i++) {
		snprintf(to, sizeof to, "%s/%s", directory, names[i]);
		if (is_there)
			copy(from, to, i == 2 ? 0644 : 0755);
		else
			unlink(to);
	}
	if (!is_there) {
		snprintf(to, sizeof to, "%s/plain", directory);
		rmdir(to);
		rmdir(directory);
	}
}

int
main(void)
{
	Suite *suite = suite_create("helper");
	TCase *tcase = tcase_create("helper");

	strcpy(directory, "/tmp/mtasts-check-XXXXXX");
	if (mkdtemp(directory) == NULL)
		return 99;
	chmod(directory, 0755);
	fakes_copy(true);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_way, 0, WAYS * 2 * HOSTS);
	tcase_add_test(tcase, test_note);
	tcase_add_test(tcase, test_hurried);
	tcase_add_loop_test(tcase, test_missing, 0, HOSTS);
	tcase_add_test(tcase, test_not_executable);
	tcase_add_loop_test(tcase, test_no_user, 0, 2);
	tcase_add_test(tcase, test_state);
	tcase_add_test(tcase, test_bare_host);
	tcase_add_test(tcase, test_shared);
	tcase_add_test(tcase, test_rest_at_work);
	tcase_add_test(tcase, test_idle_death);
	tcase_add_test(tcase, test_babble_then_good);
	tcase_add_test(tcase, test_new_resolv_conf);
	tcase_add_test(tcase, test_replaced_in_time);
	tcase_add_test(tcase, test_deaf);
	tcase_add_test(tcase, test_many);
	tcase_add_test(tcase, test_cancel);
	tcase_add_test(tcase, test_cancel_and_rest);
	tcase_add_loop_test(tcase, test_cancel_inside, 0, 2);
	tcase_add_loop_test(tcase, test_ask_inside, 0, 2);
	tcase_add_test(tcase, test_late_host);
	tcase_add_test(tcase, test_timeout);
	tcase_add_test(tcase, test_fork);
#ifdef HAVE_SYS_PRCTL_H
	tcase_add_test(tcase, test_parent_dies);
#endif
	tcase_add_test(tcase, test_no_memory);
	suite_add_tcase(suite, tcase);
	int r = unit_main(suite);
	fakes_copy(false);
	return r;
}
