/* SPDX-License-Identifier: ISC
 *
 * Final replies at the pace of a client that is as delicate as smtpd: it reads once when something
 * has come, and one octet more than a reply is the end of it.  It is stopped and goes on, on a busy
 * machine.  Built twice: as it is, and where the kernel cannot be asked (PACE_IS_BLIND).
 */
#include "opensmtpd/relay/pace.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lmtp_server.h"
#include "opensmtpd/relay/peer.h"
#include "unit.h"

#ifdef PACE_IS_BLIND
enum { IS_BLIND = 1, RCPTS = 20 };
#else
enum { IS_BLIND = 0, RCPTS = 100 };
#endif

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- pace_ask() alone, between two sockets of the test ---- */

static struct pacer *pacer;
static struct log no_log;
static int ours, theirs;
static struct pace_end end;

static void
set_up(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	socklen_t size = sizeof to, local = sizeof end.local, remote = sizeof end.remote;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x10203);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&to, size), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&to, &size), 0);
	theirs = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(theirs, (struct sockaddr *)&to, size), 0);
	ours = accept(listener, NULL, NULL);
	ck_assert_int_ge(ours, 0);
	close(listener);
	memset(&end, 0, sizeof end);
	ck_assert_int_eq(getsockname(ours, (struct sockaddr *)&end.local, &local), 0);
	ck_assert_int_eq(getpeername(ours, (struct sockaddr *)&end.remote, &remote), 0);
	pacer = pacer_new(&no_log);
	ck_assert_ptr_nonnull(pacer);
}

static void
tear_down(void)
{
	pacer_free(pacer);
	close(ours);
	close(theirs);
}

static void
reply(void)
{
	ck_assert_int_eq(write(ours, "250 Ok\r\n", 8), 8);
	end.written += 8;
}

START_TEST(read_or_not)
{
	struct pace pace = { .n_asked = 0 };
	char c;

	for (int k = 0; k < 3; k++) {
		pace = (struct pace){ .n_asked = 0 };
		reply();
		for (int i = 0; i < 50; i++) {
			int ms = pace_ask(pacer, &pace, &end);
			ck_assert_int_ge(ms, 0);
			ck_assert_int_le(ms, PACE_MAX);
		}
		for (int i = 0; i < 8; i++) {
			ck_assert_int_ge(pace_ask(pacer, &pace, &end), 0);
			ck_assert_int_eq(read(theirs, &c, 1), 1);
		}
		ck_assert_int_eq(pace_ask(pacer, &pace, &end), PACE_READ);
	}
}
END_TEST

/* What has not even arrived is not taken for read. */
START_TEST(under_way)
{
	struct pace pace = { .n_asked = 0 };

	end.written += 100;
	for (int i = 0; i < 10; i++)
		ck_assert_int_ge(pace_ask(pacer, &pace, &end), 0);
}
END_TEST

START_TEST(gone)
{
	struct pace pace = { .n_asked = 0 };

	reply();
	ck_assert_int_ge(pace_ask(pacer, &pace, &end), 0);
	close(theirs); /* with something unread: reset, and no such socket any more */
	ck_assert_int_eq(pace_ask(pacer, &pace, &end), PACE_READ);
	ck_assert_int_eq(pace_ask(pacer, &pace, &end), PACE_READ);
	tear_down();
	set_up();
	reply();
	pace = (struct pace){ .n_asked = 0 };
	ck_assert_int_ge(pace_ask(pacer, &pace, &end), 0);
}
END_TEST

START_TEST(blind)
{
	struct pace pace = { .n_asked = 0 };

	reply();
	ck_assert_int_eq(pace_ask(pacer, &pace, &end), PACE_BLIND);
	ck_assert_int_eq(pace_ask(pacer, &pace, &end), PACE_READ);
}
END_TEST

/* ---- sessions ---- */

/*
 * As smtpd does: waits, reads what there is, takes one reply of it, and nothing may be left.  0, or
 * what went wrong.  busy_ms: at most that long it does something else then.
 */
static int
delicate(int fd, int n_replies, int busy_ms)
{
	char in[65536];
	size_t n = 0;

	while (n_replies > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, PATIENCE) != 1)
			return 1;
		ssize_t got = read(fd, in + n, sizeof in - n);
		if (got <= 0)
			return 2;
		n += (size_t)got;
		/* lines that say that more come are glued to the last one */
		size_t line = 0, lf;
		bool is_last = false;
		for (lf = 0; lf < n && !is_last; lf++) {
			if (in[lf] != '\n')
				continue;
			is_last = in[line + 3] == ' ';
			line = lf + 1;
		}
		if (!is_last)
			continue;
		if (line != n)
			return 3; /* "Remote host sent too much data" */
		n = 0;
		n_replies--;
		if (busy_ms > 0)
			(void)poll(NULL, 0, rand() % (busy_ms + 1));
	}
	return 0;
}

/* A process that does nothing, as fast as it can, for so long. */
static pid_t
burn(int64_t ms)
{
	int64_t until = now_ms() + ms;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	while (now_ms() < until)
		continue;
	_exit(0);
}

static int
message(uint64_t session)
{
	int fd = client_ready(session);
	char line[64];

	client_ask(fd, "MAIL FROM:<>", "250 ");
	for (int i = 0; i < RCPTS; i++) {
		snprintf(
		    line, sizeof line, "RCPT TO:<%s%d@b.example>", i % 5 == 0 ? "bad" : "u", i);
		client_ask(fd, line, "250 ");
	}
	client_ask(fd, "DATA", "354 ");
	return fd;
}

static pid_t
delicate_start(int fd, int busy_ms)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	client_say(fd, ".\r\n");
	_exit(delicate(fd, RCPTS, busy_ms));
}

static int
status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(at_its_pace)
{
	int fd = message(1);
	int64_t began = now_ms();

	ck_assert_int_eq(status_of(delicate_start(fd, 0)), 0);
	int64_t took = now_ms() - began;
	printf("# %d final replies in %d ms\n", RCPTS, (int)took);
	client_ask(fd, "NOOP", "250 ");
	close(fd);
	if (IS_BLIND)
		ck_assert_int_ge(took, (RCPTS - 1) * PACE_BLIND);
}
END_TEST

/* With the machine busy, and the client stopped at any moment for longer than a fixed pause. */
START_TEST(stopped_and_on)
{
	enum { STOPS = 6, STOPPED = 2 * PACE_BLIND };
	int fd = message(1), status = 0;
	pid_t busy[2] = { burn(3000), burn(3000) };
	pid_t pid = delicate_start(fd, 2), done = 0;

	srand(1);
	for (int i = 0; i < STOPS && done == 0; i++) {
		(void)poll(NULL, 0, rand() % 8);
		ck_assert_int_eq(kill(pid, SIGSTOP), 0);
		(void)poll(NULL, 0, STOPPED);
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
		done = waitpid(pid, &status, WNOHANG);
	}
	ck_assert_int_eq(done, 0); /* it has been stopped in its midst */
	ck_assert_int_eq(status_of(pid), 0);
	for (int i = 0; i < 2; i++) {
		(void)kill(busy[i], SIGKILL);
		(void)waitpid(busy[i], NULL, 0);
	}
	close(fd);
}
END_TEST

/* The test's client would notice: two replies at once are its end. */
START_TEST(too_much_data)
{
	static const char two[] = "250 a\r\n250 b\r\n", one[] = "550-a\r\n550 b\r\n";

	ck_assert_int_eq(write(ours, one, sizeof one - 1), sizeof one - 1);
	ck_assert_int_eq(delicate(theirs, 1, 0), 0);
	ck_assert_int_eq(write(ours, two, sizeof two - 1), sizeof two - 1);
	ck_assert_int_eq(delicate(theirs, 2, 0), 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace");
	TCase *alone = tcase_create("alone"), *sessions = tcase_create("sessions");
	struct peer peer;

	if (!IS_BLIND && peer_open(&peer) != 0) {
		puts("1..0 # SKIP this kernel does not answer for sockets (sock_diag)");
		return EXIT_SUCCESS;
	}
	if (!IS_BLIND)
		peer_close(&peer);
	tcase_add_checked_fixture(alone, set_up, tear_down);
	if (IS_BLIND) {
		tcase_add_test(alone, blind);
	} else {
		tcase_add_test(alone, read_or_not);
		tcase_add_test(alone, under_way);
		tcase_add_test(alone, gone);
	}
	tcase_add_test(alone, too_much_data);
	tcase_set_timeout(sessions, 60);
	tcase_add_checked_fixture(sessions, server_start, server_stop);
	tcase_add_test(sessions, at_its_pace);
	if (!IS_BLIND)
		tcase_add_test(sessions, stopped_and_on);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, sessions);
	return unit_main(suite);
}
