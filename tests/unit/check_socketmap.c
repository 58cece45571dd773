/* SPDX-License-Identifier: ISC
 *
 * The server over real sockets: what clients may do to it, what they may not do to each other, and
 * how it ends.  The server is a process of its own over a library of the tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socketmap/client.h"
#include "socketmap/server.h"
#include "socketmap_fake.h"
#include "unit.h"

#define ENFORCE(mx) "version: STSv1\nmode: enforce\nmax_age: 86400\n" mx

enum { SLOW = 300 /* ms */, PATIENCE = 10000 /* ms for anything */, MANY = 1000 };

static const struct fake_domain domains[] = {
	{ .name = "a.example", .state = MTASTS_PUBLISHED, .body = ENFORCE("mx: mx.a.example\n") },
	{ .name = "slow.example",
	    .state = MTASTS_PUBLISHED,
	    .body = ENFORCE("mx: mx.slow.example\n"),
	    .delay_ms = SLOW,
	    .stored = MTASTS_UNKNOWN },
	{ .name = "slow2.example", .delay_ms = SLOW, .state = MTASTS_ABSENT },
	{ .name = "never.example", .delay_ms = FAKE_NEVER, .stored = MTASTS_UNKNOWN },
	{ .name = NULL },
};

static const char a_request[] = "17:postfix a.example,";
static const char a_answer[] = "48:OK secure match=mx.a.example servername=hostname,";
static const char slow_request[] = "20:postfix slow.example,";
static const char slow_answer[] = "51:OK secure match=mx.slow.example servername=hostname,";
static const char never_request[] = "21:postfix never.example,";
static const char none_request[] = "16:postfix .example,", none_answer[] = "9:NOTFOUND ,";

/* ---- the server ---- */

static struct running {
	pid_t pid; /* 0: none */
	int wake;  /* SERVER_STOP goes in here */
	int log;   /* its lines come from here */
	char dir[32], path[48];
	int port;
} server;

static void
log_take(void *arg, enum mtasts_log level, const char *text)
{
	const int *fd = arg;

	(void)level;
	ck_assert(dprintf(*fd, "%s\n", text) > 0);
}

/* Those that serve, and those that were replaced and have something under way. */
static struct {
	struct mtasts *ctx;
	struct answers *answers;
} engaged[2];

static int64_t deaf_ms = SERVER_DEAF;
static struct clock server_clock;
static struct log server_log_sink;

static struct answers *
engage(void)
{
	struct answers_config config = { .reply = { false, false }, .max_lookups = 100 };
	size_t i = engaged[0].answers == NULL ? 0 : 1;

	if (engaged[i].answers != NULL)
		_exit(97);
	engaged[i].ctx = fake_new();
	engaged[i].answers = answers_new(engaged[i].ctx, &config, &server_clock, &server_log_sink);
	return engaged[i].answers;
}

static void
disengage(void *arg, struct answers *answers)
{
	size_t i = engaged[0].answers == answers ? 0 : 1;

	(void)arg;
	if (engaged[i].answers != answers)
		_exit(96);
	answers_free(answers);
	mtasts_free(engaged[i].ctx);
	engaged[i].answers = NULL;
}

/* Every second time the new configuration is wrong. */
static struct answers *
reload(void *arg)
{
	static const struct fake_domain others[] = { { .name = NULL } };
	static int n;

	(void)arg;
	if (n++ % 2 == 0)
		return NULL;
	fake.domains = others;
	return engage();
}

_Noreturn static void
server_main(size_t max_clients, int wake, int log_fd, struct listener *listeners)
{
	struct server_config config = { max_clients, deaf_ms, wake, reload, disengage, NULL };

	server_log_sink = (struct log){ log_take, &log_fd, MTASTS_LOG_INFO };
	server_clock = fake_clock();
	struct server *s =
	    server_new(&config, engage(), listeners, 2, &server_clock, &server_log_sink);
	if (s == NULL)
		_exit(99);
	server_run(s);
	server_free(s);
	exit(fake.n_under_way == 0 && engaged[0].answers == NULL && engaged[1].answers == NULL
		 ? 0
		 : 98);
}

static void
listeners_make(struct listener listeners[2])
{
	struct listen_rights rights = { 0600, (gid_t)-1 };
	struct sockaddr_in address;
	socklen_t n = sizeof address;
	char words[256], where[64];
	struct buf why;

	buf_init(&why, words, sizeof words);
	snprintf(where, sizeof where, "unix:%s", server.path);
	ck_assert_msg(listen_open(span_of(where), &rights, &listeners[0], &why) == 0, "%s", why.p);
	ck_assert_msg(listen_open(span_of("inet:0@127.0.0.1"), &rights, &listeners[1], &why) == 0,
	    "%s", why.p);
	ck_assert_int_eq(getsockname(listeners[1].fd, (struct sockaddr *)&address, &n), 0);
	server.port = ntohs(address.sin_port);
}

static void
server_begin(size_t max_clients)
{
	struct listener listeners[2];
	int wake[2], log[2];

	fake_reset(domains);
	snprintf(server.dir, sizeof server.dir, "/tmp/socketmap.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(server.dir));
	snprintf(server.path, sizeof server.path, "%s/s", server.dir);
	listeners_make(listeners);
	ck_assert_int_eq(pipe(wake), 0);
	ck_assert_int_eq(pipe(log), 0);
	server.pid = fork();
	ck_assert_int_ge(server.pid, 0);
	if (server.pid == 0) {
		close(wake[1]);
		close(log[0]);
		server_main(max_clients, wake[0], log[1], listeners);
	}
	close(wake[0]);
	close(log[1]);
	close(listeners[0].fd);
	close(listeners[1].fd);
	server.wake = wake[1];
	server.log = log[0];
	ck_assert_int_eq(fcntl(server.log, F_SETFL, O_NONBLOCK), 0);
}

static void
server_tell(char octet)
{
	ck_assert_int_eq(write(server.wake, &octet, 1), 1);
}

static void
server_stop(void)
{
	server_tell(SERVER_STOP);
}

/* ms of CPU that it used; it must have ended well. */
static long
server_reap(void)
{
	struct rusage usage;
	int status;

	ck_assert_int_eq(wait4(server.pid, &status, 0, &usage), server.pid);
	server.pid = 0;
	close(server.wake);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
	ck_assert_int_eq(access(server.path, F_OK), -1);
	return (long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (long)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static const char *
server_log(void)
{
	static char text[4096];
	ssize_t n = read(server.log, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
setup(void)
{
	server_begin(10000);
}

static void
teardown(void)
{
	if (server.pid != 0) {
		server_stop();
		(void)server_reap();
	}
	close(server.log);
	rmdir(server.dir);
}

/* ---- clients ---- */

static int64_t
now_ms(void)
{
	struct clock clock = clock_system();

	return clock_mono_ms(&clock);
}

static int
dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", server.path);
	ck_assert_msg(
	    connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "%s", strerror(errno));
	return fd;
}

static int
dial_inet(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)server.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	size_t n = strlen(text);

	ck_assert_int_eq(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

static bool
is_readable(int fd, int timeout_ms)
{
	struct pollfd pollfd = { fd, POLLIN, 0 };

	return poll(&pollfd, 1, timeout_ms) == 1;
}

/* Exactly that comes, and no more of it is asked for. */
static void
hear(int fd, const char *text)
{
	char heard[256];
	size_t n = 0, want = strlen(text);

	while (n < want) {
		ck_assert_msg(is_readable(fd, PATIENCE), "no '%s'", text);
		ssize_t r = recv(fd, heard + n, want - n, 0);
		ck_assert_msg(r > 0, "end before '%s'", text);
		n += (size_t)r;
	}
	ck_assert_msg(memcmp(heard, text, n) == 0, "'%.*s' for '%s'", (int)n, heard, text);
}

static void
hear_end(int fd)
{
	char octet;

	ck_assert(is_readable(fd, PATIENCE));
	ck_assert_int_eq(recv(fd, &octet, 1, 0), 0);
	close(fd);
}

START_TEST(one)
{
	int fds[] = { dial(), dial_inet() };

	for (size_t i = 0; i < 2; i++) {
		say(fds[i], a_request);
		hear(fds[i], a_answer);
		say(fds[i], none_request);
		hear(fds[i], none_answer);
		close(fds[i]);
	}
}
END_TEST

START_TEST(byte_by_byte)
{
	int fd = dial_inet(), other = dial();

	for (const char *p = a_request; *p != '\0'; p++) {
		ck_assert_int_eq(send(fd, p, 1, MSG_NOSIGNAL), 1);
		say(other, a_request);
		hear(other, a_answer);
	}
	hear(fd, a_answer);
	close(fd);
	close(other);
}
END_TEST

START_TEST(cut_in_two_everywhere)
{
	char text[128];
	int fd = dial();

	snprintf(text, sizeof text, "%s%s", a_request, none_request);
	for (size_t i = 1; i < strlen(text); i++) {
		ck_assert_int_eq(send(fd, text, i, MSG_NOSIGNAL), (ssize_t)i);
		usleep(200);
		say(fd, text + i);
		hear(fd, a_answer);
		hear(fd, none_answer);
	}
	close(fd);
}
END_TEST

/* Looked up at the same time, answered in their order. */
START_TEST(pipelined)
{
	char text[256];
	int fd = dial();
	int64_t from = now_ms();

	snprintf(text, sizeof text, "%s%s%s21:postfix slow2.example,%s%s", slow_request, a_request,
	    none_request, slow_request, a_request);
	say(fd, text);
	hear(fd, slow_answer);
	hear(fd, a_answer);
	hear(fd, none_answer);
	hear(fd, none_answer);
	hear(fd, slow_answer);
	hear(fd, a_answer);
	ck_assert_int_ge(now_ms() - from, SLOW);
	ck_assert_int_lt(now_ms() - from, 2 * SLOW);
	close(fd);
}
END_TEST

/* Far more than it may have under way, behind one that is slow. */
START_TEST(pipelined_thousands)
{
	int fd = dial(), other = dial();
	pid_t writer;

	say(fd, slow_request);
	writer = fork();
	ck_assert_int_ge(writer, 0);
	if (writer == 0) {
		for (int i = 0; i < 20 * MANY; i++) {
			const char *p = i % 3 == 0 ? none_request : a_request;
			if (send(fd, p, strlen(p), MSG_NOSIGNAL) != (ssize_t)strlen(p))
				_exit(1);
		}
		_exit(0);
	}
	say(other, a_request);
	hear(other, a_answer);
	hear(fd, slow_answer);
	for (int i = 0; i < 20 * MANY; i++)
		hear(fd, i % 3 == 0 ? none_answer : a_answer);
	ck_assert(!is_readable(fd, 0));
	ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
	close(fd);
	close(other);
}
END_TEST

START_TEST(half_closed)
{
	int fds[] = { dial(), dial_inet() };

	for (size_t i = 0; i < 2; i++) {
		say(fds[i], slow_request);
		say(fds[i], a_request);
		say(fds[i], "17:postfix a.exa"); /* cut off: nobody asks that */
		ck_assert_int_eq(shutdown(fds[i], SHUT_WR), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		hear(fds[i], slow_answer);
		hear(fds[i], a_answer);
		hear_end(fds[i]);
	}
}
END_TEST

/* Its own connection ends, after what was asked before; nobody else's does. */
START_TEST(malformed)
{
	static const char *const texts[] = { "17:postfix a.example!", "x", "GET / HTTP/1.0\r\n\r\n",
		"017:postfix a.example,", "4096:", "99999999999999999999:", ",", "\n" };
	int other = dial();

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		int fd = i % 2 == 0 ? dial() : dial_inet();
		say(fd, slow_request);
		say(fd, texts[i]);
		say(other, a_request);
		hear(other, a_answer);
		hear(fd, slow_answer);
		hear_end(fd);
	}
	close(other);
}
END_TEST

START_TEST(not_a_request)
{
	int fd = dial();

	say(fd, "7:postfix,0:,");
	for (int i = 0; i < 2; i++) {
		hear(fd, "54:PERM a request is the name of a map, a space and a key,");
	}
	say(fd, a_request);
	hear(fd, a_answer);
	close(fd);
}
END_TEST

/* They go with questions open, and while they are answered. */
START_TEST(gone)
{
	int other = dial();

	for (int i = 0; i < 50; i++) {
		int fd = i % 2 == 0 ? dial() : dial_inet();
		say(fd, i % 4 < 2 ? slow_request : never_request);
		for (int n = 0; n < 50; n++)
			say(fd, a_request);
		close(fd);
	}
	say(other, slow_request);
	hear(other, slow_answer);
	close(other);
}
END_TEST

START_TEST(a_thousand)
{
	static int fds[MANY];
	struct rlimit limit = { 4096, 4096 };

	(void)setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < MANY; i++) {
		fds[i] = dial();
		say(fds[i], i % 10 == 0 ? slow_request : a_request);
	}
	for (int i = 0; i < MANY; i++)
		hear(fds[i], i % 10 == 0 ? slow_answer : a_answer);
	for (int i = MANY - 1; i >= 0; i--)
		say(fds[i], a_request);
	for (int i = 0; i < MANY; i++) {
		hear(fds[i], a_answer);
		close(fds[i]);
	}
}
END_TEST

/* As many requests as are taken; *octets of them were sent up to now.  False: none was. */
static bool
send_requests(int fd, size_t *octets)
{
	char text[sizeof a_request * 100] = "";

	for (int i = 0; i < 100; i++)
		strcat(text, a_request);
	size_t at = *octets % strlen(text);
	ssize_t n = send(fd, text + at, strlen(text) - at, MSG_NOSIGNAL | MSG_DONTWAIT);
	*octets += n > 0 ? (size_t)n : 0;
	if (n <= 0)
		usleep(5000);
	return n > 0;
}

/* Who does not read is not read from: what it can make the server hold has an end. */
START_TEST(slow_reader)
{
	int fd = dial(), other = dial();
	size_t asked = 0, octets = 0;

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (int full = 0; full < 20 && octets < (64 << 20);) {
		full = send_requests(fd, &octets) ? 0 : full + 1;
		say(other, a_request);
		hear(other, a_answer);
	}
	ck_assert_uint_lt(octets, 8 << 20);
	asked = octets / strlen(a_request);
	ck_assert_uint_gt(asked, CLIENT_REQUESTS);
	for (size_t i = 0; i < asked; i++)
		hear(fd, a_answer);
	close(fd);
	close(other);
}
END_TEST

/* Until no more are taken, for the server reads no more. */
static void
fill(int fd, size_t *octets)
{
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (int full = 0; full < 10;)
		full = send_requests(fd, octets) ? 0 : full + 1;
}

/* Who takes no answers at all is given up; who takes them slowly is not. */
START_TEST(deaf)
{
	static char taken[65536]; /* a third of what a socket holds, so that it is soon writable */
	size_t to_fd = 0, to_slow = 0;
	int fd, slow;

	teardown();
	deaf_ms = 1600;
	server_begin(100);
	fd = dial();
	slow = dial();
	fill(fd, &to_fd);
	fill(slow, &to_slow);
	for (int i = 0; i < 9; i++) {
		usleep(250 * 1000);
		ck_assert_int_gt(recv(slow, taken, sizeof taken, 0), 0);
		fill(slow, &to_slow);
	}
	ck_assert_int_lt(send(fd, "x", 1, MSG_NOSIGNAL), 0);
	ck_assert_int_eq(errno, EPIPE);
	close(fd);
	close(slow);
}
END_TEST

/* As many as there are descriptors for; the others wait, and waiting costs nothing. */
START_TEST(too_many_clients)
{
	int fds[4];

	teardown();
	server_begin(3);
	for (int i = 0; i < 4; i++) {
		fds[i] = dial();
		say(fds[i], a_request);
	}
	for (int i = 0; i < 3; i++)
		hear(fds[i], a_answer);
	ck_assert(!is_readable(fds[3], 500));
	ck_assert_ptr_nonnull(strstr(server_log(), "no more are accepted until one has gone"));
	close(fds[1]);
	hear(fds[3], a_answer);
	say(fds[0], a_request);
	hear(fds[0], a_answer);
	server_stop();
	ck_assert_int_lt(server_reap(), 300);
	ck_assert_ptr_null(strstr(server_log(), "no more are accepted"));
	close(fds[0]);
	close(fds[2]);
	close(fds[3]);
}
END_TEST

/* What is under way ends as it began, what comes later is asked of the new one. */
START_TEST(new_configuration)
{
	int fd = dial(), other = dial();

	server_tell(SERVER_RELOAD); /* which is wrong */
	say(other, a_request);
	hear(other, a_answer);
	for (int i = 0; i < 2; i++) {
		say(fd, slow_request);
		say(fd, slow_request);
	}
	usleep(SLOW / 2 * 1000);
	server_tell(SERVER_RELOAD);
	usleep(SLOW / 6 * 1000);
	say(other, a_request);
	hear(other, none_answer);
	server_tell(SERVER_RELOAD); /* has to wait for the one before */
	say(fd, a_request);
	for (int i = 0; i < 4; i++)
		hear(fd, slow_answer);
	hear(fd, none_answer);
	usleep(50 * 1000);
	server_tell(SERVER_RELOAD);
	usleep(50 * 1000);
	say(other, a_request);
	hear(other, none_answer);
	close(fd);
	close(other);
}
END_TEST

/* ---- the end ---- */

START_TEST(stop_answers_what_is_in_flight)
{
	int fd = dial(), idle = dial_inet(), late = dial();
	int64_t from = now_ms();

	say(late, a_request);
	hear(late, a_answer);
	say(fd, slow_request);
	say(fd, a_request);
	usleep(50 * 1000);
	say(late, slow_request); /* perhaps not read yet */
	server_stop();
	hear_end(idle);
	hear(fd, slow_answer);
	hear(fd, a_answer);
	hear_end(fd);
	hear(late, slow_answer);
	hear_end(late);
	(void)server_reap();
	ck_assert_int_lt(now_ms() - from, 2 * SLOW + 500);
}
END_TEST

/* What never comes is answered in its time, and then it is over. */
START_TEST(stop_in_five_seconds)
{
	int fd = dial(), deaf_one = dial();
	size_t to_deaf = 0;
	int64_t from;

	say(fd, never_request);
	fill(deaf_one, &to_deaf);
	from = now_ms();
	server_stop();
	hear(fd, none_answer);
	hear_end(fd);
	(void)server_reap();
	ck_assert_int_lt(now_ms() - from, SERVER_END + 500);
	ck_assert_ptr_nonnull(strstr(server_log(), "stop clients=1 reason="));
	close(deaf_one);
}
END_TEST

/* ---- where it listens ---- */

static const char *
open_at(const char *address, struct listener *listener)
{
	static char words[256];
	struct listen_rights rights = { 0640, getegid() };
	struct buf why;

	buf_init(&why, words, sizeof words);
	return listen_open(span_of(address), &rights, listener, &why) == 0 ? NULL : words;
}

START_TEST(addresses)
{
	static const struct {
		const char *address, *why;
	} bad[] = { { "", "neither" }, { "8461", "neither" }, { "inet:8461", "not inet:PORT@HOST" },
		{ "inet:@127.0.0.1", "not inet:PORT@HOST" }, { "inet:8461@", "not inet:PORT@HOST" },
		{ "inet:x y@127.0.0.1", "" }, { "unix:", "absolute" },
		{ "unix:relative", "absolute" }, { "unix:/nowhere/at/all", "No such file" },
		{ "inet:8461@192.0.2.1", "" } };
	struct listener listener;
	char name[300];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *why = open_at(bad[i].address, &listener);
		ck_assert_msg(why != NULL, "%s", bad[i].address);
		ck_assert_msg(strstr(why, bad[i].why) != NULL, "%s", why);
		ck_assert_int_lt(listener.fd, 0);
	}
	memset(name, 'x', sizeof name - 1);
	memcpy(name, "unix:/", 6);
	name[sizeof name - 1] = '\0';
	ck_assert_ptr_nonnull(open_at(name, &listener));
	ck_assert_ptr_null(open_at("inet:0@[::1]", &listener));
	listen_close(&listener);
}
END_TEST

START_TEST(files)
{
	struct listener first, second;
	char address[64];
	struct stat st;

	snprintf(address, sizeof address, "unix:%s", server.path);
	ck_assert_ptr_nonnull(strstr(open_at(address, &second), "in use")); /* the server's */
	server_stop();
	(void)server_reap();
	ck_assert_ptr_null(open_at(address, &first));
	ck_assert_int_eq(stat(server.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	close(first.fd); /* as though it had been killed */
	ck_assert_ptr_null(open_at(address, &second));
	ck_assert_int_ge(fcntl(second.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(unlink(server.path), 0);
	ck_assert_int_eq(close(open(server.path, O_CREAT | O_WRONLY, 0600)), 0);
	listen_close(&second);
	ck_assert_int_eq(stat(server.path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_ptr_nonnull(open_at(address, &second)); /* no socket: left alone */
	ck_assert_int_eq(unlink(server.path), 0);
	ck_assert_int_eq(symlink("/dev/null", server.path), 0);
	ck_assert_ptr_nonnull(open_at(address, &second));
	ck_assert_int_eq(unlink(server.path), 0);
}
END_TEST

static int
inherit(int cap, char words[256])
{
	struct listener listeners[4];
	struct buf why;

	buf_init(&why, words, 256);
	return listen_inherit(listeners, cap, &why);
}

/* Descriptor 3 may be one of Check's: a process of its own, whose status is the line that failed.
 */
_Noreturn static void
inherit_all(int listening)
{
	char pid[16], words[256];
	int line = 0;

#define MUST(what) line = line == 0 && !(what) ? __LINE__ % 256 : line
	MUST(inherit(4, words) == 0);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	MUST(setenv("LISTEN_FDS", "1", 1) == 0 && setenv("LISTEN_PID", "1", 1) == 0);
	MUST(inherit(4, words) == 0); /* somebody else's */
	MUST(setenv("LISTEN_PID", pid, 1) == 0);
	MUST(dup2(listening, 3) == 3);
	MUST(inherit(4, words) == 1);
	MUST(fcntl(3, F_GETFD) == FD_CLOEXEC);
	MUST((fcntl(3, F_GETFL) & O_NONBLOCK) != 0);
	MUST(setenv("LISTEN_FDS", "5", 1) == 0);
	MUST(inherit(4, words) == -1);
	MUST(setenv("LISTEN_FDS", "1", 1) == 0);
	MUST(dup2(open("/dev/null", O_RDWR), 3) == 3);
	MUST(inherit(4, words) == -1 && strstr(words, "fd:3: not a socket") != NULL);
#undef MUST
	_exit(line);
}

START_TEST(inherited)
{
	struct listener mine;
	int status;

	ck_assert_ptr_null(open_at("inet:0@127.0.0.1", &mine));
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		inherit_all(mine.fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	listen_close(&mine);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socketmap");
	TCase *clients = tcase_create("clients"), *end = tcase_create("end"),
	      *where = tcase_create("where");

	tcase_add_checked_fixture(clients, setup, teardown);
	tcase_set_timeout(clients, 60);
	tcase_add_test(clients, one);
	tcase_add_test(clients, byte_by_byte);
	tcase_add_test(clients, cut_in_two_everywhere);
	tcase_add_test(clients, pipelined);
	tcase_add_test(clients, pipelined_thousands);
	tcase_add_test(clients, half_closed);
	tcase_add_test(clients, malformed);
	tcase_add_test(clients, not_a_request);
	tcase_add_test(clients, gone);
	tcase_add_test(clients, a_thousand);
	tcase_add_test(clients, slow_reader);
	tcase_add_test(clients, deaf);
	tcase_add_test(clients, too_many_clients);
	tcase_add_test(clients, new_configuration);
	suite_add_tcase(suite, clients);
	tcase_add_checked_fixture(end, setup, teardown);
	tcase_set_timeout(end, 60);
	tcase_add_test(end, stop_answers_what_is_in_flight);
	tcase_add_test(end, stop_in_five_seconds);
	suite_add_tcase(suite, end);
	tcase_add_checked_fixture(where, setup, teardown);
	tcase_add_test(where, addresses);
	tcase_add_test(where, files);
	tcase_add_test(where, inherited);
	suite_add_tcase(suite, where);
	return unit_main(suite);
}
