/* SPDX-License-Identifier: ISC
 *
 * The filter as the process that smtpd starts, over a socket pair as smtpd does, with a worker of
 * the tests: what it looks up is in the domain's name.
 */
#include "opensmtpd/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "opensmtpd/confine.h"
#include "opensmtpd/proto/channel.h"
#include "opensmtpd/worker.h"
#include "tests/unit/unit.h"

enum { DEADLINE = 1, PATIENCE = 20 * 1000 /* ms, of the tests */ };

/* ---- the worker of the tests ---- */

int
confine_become(const struct mtasts_config *config, struct buf *why)
{
	(void)config;
	(void)why;
	return 0;
}

static void
send_message(int channel, const struct channel_message *message)
{
	char octets[CHANNEL_MAX + 1];
	struct buf out;

	buf_init(&out, octets, sizeof octets);
	channel_format(&out, message);
	(void)fcntl(channel, F_SETFL, 0); /* this one waits */
	(void)!send(channel, out.p, out.n, MSG_NOSIGNAL);
}

static uint64_t kept; /* a question that is not answered yet */

static void
worker_question(int channel, const struct channel_message *question)
{
	struct channel_message answer = { .kind = CHANNEL_ANSWER, .id = question->id };
	const char *name = question->domain.name;

	if (strcmp(name, "die.example") == 0)
		_exit(3);
	if (strcmp(name, "nonsense.example") == 0)
		(void)!send(channel, "nonsense", 8, MSG_NOSIGNAL);
	if (strcmp(name, "never.example") == 0)
		return;
	if (strcmp(name, "later.example") == 0) {
		kept = question->id;
		return;
	}
	if (strcmp(name, "relieve.example") == 0) {
		send_message(channel, &(struct channel_message){ .kind = CHANNEL_LEAVE });
		kept = question->id; /* under way, until it is relieved */
		return;
	}
	if (strcmp(name, "bad.example") == 0) {
		answer.code = 550;
		strcpy(answer.enhanced, "5.4.8");
		strcpy(answer.text, "No");
	}
	send_message(channel, &answer);
	answer.id = kept;
	if (kept != 0)
		send_message(channel, &answer);
	kept = 0;
}

static int
worker_is_done(const struct worker_config *config, int channel)
{
	send_message(channel, &(struct channel_message){ .kind = CHANNEL_ANSWER, .id = kept });
	log_put(config->log, MTASTS_LOG_INFO, "worker has done");
	return 0;
}

int
worker_main(const struct worker_config *config, int channel)
{
	struct channel_message m;
	struct pollfd poller = { .fd = channel, .events = POLLIN };
	char octets[CHANNEL_MAX];
	ssize_t n;

	/* smtpd's socket is not held */
	if (isatty(STDIN_FILENO) || lseek(STDIN_FILENO, 0, SEEK_CUR) < 0)
		return 99;
	log_put(config->log, MTASTS_LOG_INFO, "worker is %ld listeners %zu", (long)getpid(),
	    config->listeners->n);
	while (poll(&poller, 1, -1) > 0 && (n = recv(channel, octets, sizeof octets, 0)) > 0) {
		if (channel_parse(span_make(octets, (size_t)n), &m) != 0)
			return 98;
		if (m.kind == CHANNEL_QUESTION)
			worker_question(channel, &m);
		else if (m.kind == CHANNEL_PING)
			send_message(channel, &m);
		else if (m.kind == CHANNEL_DISCONNECT && kept != 0) /* what was under way is over */
			return worker_is_done(config, channel);
		else
			log_put(config->log, MTASTS_LOG_INFO, "worker heard %c %llx", (char)m.kind,
			    (unsigned long long)m.id);
	}
	return 0;
}

/* ---- smtpd ---- */

static struct mtasts_config config;
static int smtpd = -1, errors = -1;
static bool is_stranger; /* to the store: not root */
static pid_t filter;
static char heard[1 << 20], logged[1 << 16];
static size_t n_heard, n_logged;

static int64_t
now_ms(void)
{
	struct clock clock = clock_system();

	return clock_mono_ms(&clock);
}

/* What has come, waited for a little. */
static void
listen_a_little(int fd, char *out, size_t *n, size_t cap)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	if (poll(&poller, 1, 20) <= 0)
		return;
	ssize_t r = read(fd, out + *n, cap - 1 - *n);
	if (r > 0)
		*n += (size_t)r;
	out[*n] = '\0';
}

static bool
hear(const char *text)
{
	int64_t end = now_ms() + PATIENCE;

	while (strstr(heard, text) == NULL && now_ms() < end)
		listen_a_little(smtpd, heard, &n_heard, sizeof heard);
	return strstr(heard, text) != NULL;
}

static bool
hear_log(const char *text)
{
	int64_t end = now_ms() + PATIENCE;

	while (strstr(logged, text) == NULL && now_ms() < end)
		listen_a_little(errors, logged, &n_logged, sizeof logged);
	return strstr(logged, text) != NULL;
}

static void
forget(void)
{
	n_heard = n_logged = 0;
	heard[0] = logged[0] = '\0';
}

static size_t
count(const char *text)
{
	size_t n = 0;

	for (const char *p = heard; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	return n;
}

static void say(const char *fmt, ...) ATTR_PRINTF(1, 2);

static void
say(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ck_assert_int_eq(send(smtpd, text, (size_t)n, MSG_NOSIGNAL), n);
}

static void
client(unsigned session, const char *from)
{
	say("report|0.7|1.1|smtp-in|link-connect|%016x|host|pass|%s|192.0.2.25:25\n", session,
	    from);
}

static void
rcpt(unsigned session, const char *domain)
{
	say("filter|0.7|1.1|smtp-in|rcpt-to|%016x|00000000000000aa|u@%s\n", session, domain);
}

static bool
hear_result(unsigned session, const char *result)
{
	char text[128];

	snprintf(text, sizeof text, "filter-result|%016x|00000000000000aa|%s\n", session, result);
	return hear(text);
}

/* Its pid, once it has said so. */
static pid_t
worker_pid(void)
{
	ck_assert(hear_log("worker is "));
	ck_assert(hear_log(" listeners "));
	return (pid_t)atol(strstr(logged, "worker is ") + strlen("worker is "));
}

static int
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t n = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, n), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void
start(void)
{
	int talk[2], error[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, talk), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, error), 0);
	filter = fork();
	if (filter == 0) {
		dup2(talk[0], STDIN_FILENO);
		dup2(talk[0], STDOUT_FILENO);
		dup2(error[0], STDERR_FILENO);
		for (int i = 0; i < 2; i++) {
			close(talk[i]);
			close(error[i]);
		}
		if (is_stranger && geteuid() == 0 && setuid(65534) != 0)
			_exit(97);
		_exit(filter_main(&config));
	}
	close(talk[0]);
	close(error[0]);
	smtpd = talk[1];
	errors = error[1];
	forget();
}

static void
setup(void)
{
	conf_defaults(&config);
	config.deadline = DEADLINE;
	config.relay_port = free_port();
	config.log_level = MTASTS_LOG_INFO;
	start();
}

/* Its exit status at smtpd's end; -1: it does not end. */
static int
end(void)
{
	int status;

	close(smtpd);
	smtpd = -1;
	for (int64_t until = now_ms() + PATIENCE; now_ms() < until;) {
		if (waitpid(filter, &status, WNOHANG) == filter) {
			filter = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
		}
		poll(NULL, 0, 10);
	}
	return -1;
}

static void
teardown(void)
{
	if (filter != 0)
		ck_assert_int_eq(end(), 0);
	close(errors);
}

static void
start_anew(int64_t deadline, int64_t ports)
{
	ck_assert_int_eq(end(), 0);
	close(errors);
	config.deadline = deadline;
	config.relay_ports = ports;
	start();
}

static bool
is_gone(pid_t pid)
{
	for (int64_t until = now_ms() + PATIENCE; now_ms() < until; poll(NULL, 0, 10)) {
		if (kill(pid, 0) != 0)
			return true;
	}
	return false;
}

/* ---- tests ---- */

static const char *const handshakes[] = {
	"config|smtpd-version|6.8.0p2\nconfig|smtp-session-timeout|300\nconfig|subsystem|smtp-in\n"
	"config|subsystem|smtp-out\nconfig|admd|client.example\nconfig|ready\n",
	"config|smtpd-version|7.6.0-portable\nconfig|protocol|0.7\n"
	"config|smtp-session-timeout|300\nconfig|subsystem|smtp-in\nconfig|admd|client.example\n"
	"config|ready\n",
};

START_TEST(test_handshake)
{
	say("%s", handshakes[_i]);
	ck_assert(hear("register|ready\n"));
	/* whoever connects now is not refused: the relay's sockets are there */
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)config.relay_port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x10203);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}
END_TEST

START_TEST(test_answers)
{
	client(1, "local");
	client(2, "local");
	client(3, "192.0.2.1:4711");
	rcpt(1, "good.example");
	ck_assert(hear_result(1, "proceed"));
	forget();
	rcpt(1, "bad.example");
	ck_assert(hear_result(1, "reject|550 5.4.8 No"));
	forget();
	rcpt(1, "later.example");
	rcpt(3, "die.example"); /* a stranger's: nobody hears of it */
	ck_assert(hear_result(3, "proceed"));
	ck_assert_uint_eq(count("filter-result"), 1);
	rcpt(2, "good.example");
	ck_assert(hear_result(1, "proceed"));
	ck_assert(hear_result(2, "proceed"));
	ck_assert(strstr(heard, "0000002|") < strstr(heard, "0000001|"));
}
END_TEST

START_TEST(test_own_connections)
{
	say("report|0.7|1.1|smtp-out|link-connect|%016x||pass|127.0.0.1:4711|127.1.2.3:10027\n", 7);
	say("report|0.7|1.1|smtp-out|tx-begin|%016x|12345678\n", 7);
	say("report|0.7|1.1|smtp-out|tx-envelope|%016x|12345678|123456789abcdef0\n", 7);
	say("report|0.7|1.1|smtp-out|link-disconnect|%016x\n", 7);
	ck_assert(hear_log("worker heard C 7"));
	ck_assert(hear_log("worker heard B 7"));
	ck_assert(hear_log("worker heard E 7"));
	ck_assert(hear_log("worker heard D 7"));
}
END_TEST

/* Killed, ended, or talking nonsense: all that are held proceed, and another worker is there. */
START_TEST(test_worker_dies)
{
	enum { HELD = 100 };
	static const char *const last_words[] = { "die.example", "nonsense.example", NULL };
	pid_t worker = worker_pid();

	for (unsigned i = 1; i <= HELD; i++) {
		client(i, "local");
		rcpt(i, "never.example");
	}
	client(HELD + 1, "local");
	int64_t start_ms = now_ms();
	if (last_words[_i] != NULL) {
		rcpt(HELD + 1, last_words[_i]);
		ck_assert(hear_result(HELD + 1, "proceed"));
	} else {
		ck_assert_int_eq(kill(worker, SIGKILL), 0);
	}
	for (unsigned i = 1; i <= HELD; i++)
		ck_assert(hear_result(i, "proceed"));
	ck_assert_int_lt(now_ms() - start_ms, 1000 * DEADLINE);
	ck_assert(hear_log("again=0s"));
	ck_assert(is_gone(worker));
	char *again = strstr(logged, "again=0s");
	memmove(logged, again, strlen(again) + 1);
	n_logged = strlen(logged);
	ck_assert_int_ne(worker_pid(), worker);
	forget();
	rcpt(1, "bad.example");
	ck_assert(hear_result(1, "reject|550 5.4.8 No"));
}
END_TEST

/* A connection that the old worker left in the queue of the socket is the new one's. */
START_TEST(test_own_connections_again)
{
	say("report|0.7|1.1|smtp-out|link-connect|%016x||pass|127.0.0.1:4711|127.1.2.3:10027\n", 7);
	ck_assert(hear_log("worker heard C 7"));
	pid_t worker = worker_pid();
	forget();
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	ck_assert(hear_log("worker heard C 7"));
	ck_assert_int_ne(worker_pid(), worker);
}
END_TEST

/* Again and again: the pauses grow, and nobody is held meanwhile. */
START_TEST(test_worker_dies_often)
{
	static const char *const pauses[] = { "again=0s", "again=1s", "again=2s" };

	client(1, "local");
	for (int i = 0; i < 3; i++) {
		(void)worker_pid();
		forget();
		rcpt(1, "die.example");
		ck_assert(hear_result(1, "proceed"));
		ck_assert_msg(hear_log(pauses[i]), "%s", logged);
		int64_t start_ms = now_ms();
		rcpt(1, "never.example");
		ck_assert(i == 0 || hear_result(1, "proceed"));
		ck_assert_int_lt(now_ms() - start_ms, 500);
	}
}
END_TEST

/* One that wants to go finishes what it has under way, beside its successor, who has all that is
 * new. */
START_TEST(test_worker_is_relieved)
{
	pid_t worker = worker_pid();

	start_anew(20, 0); /* whose deadline is not the answer */
	worker = worker_pid();
	forget();
	for (unsigned i = 1; i <= 2; i++)
		client(i, "local");
	say("report|0.7|1.1|smtp-out|link-connect|%016x||pass|127.0.0.1:4711|127.1.2.3:10027\n", 7);
	rcpt(1, "relieve.example");
	ck_assert_msg(hear_log("worker heard L"), "%s", logged);
	pid_t successor = worker_pid();
	ck_assert_int_ne(successor, worker);
	rcpt(2, "bad.example");
	ck_assert(hear_result(2, "reject|550 5.4.8 No"));
	ck_assert_int_eq(kill(worker, 0), 0);
	ck_assert_uint_eq(count("filter-result|0000000000000001"), 0); /* nobody is let go */
	say("report|0.7|1.1|smtp-out|link-disconnect|%016x\n", 7);     /* both hear of it */
	ck_assert(hear_result(1, "proceed"));
	ck_assert(hear_log("worker has done"));
	ck_assert(hear_log("worker heard D 7"));
	ck_assert_msg(hear_log("end=\"status 0\" reason=\"relieved"), "%s", logged);
	ck_assert(is_gone(worker));
	ck_assert_int_eq(kill(successor, 0), 0);
	ck_assert_ptr_null(strstr(logged, "again="));
	/* and the next one again, who may as well be killed while two are there */
	forget();
	rcpt(1, "relieve.example");
	(void)worker_pid();
	ck_assert_int_eq(kill(successor, SIGKILL), 0);
	ck_assert(hear_log("end=\"signal 9\" reason=\"relieved"));
	rcpt(2, "bad.example");
	ck_assert(hear_result(2, "reject|550 5.4.8 No"));
}
END_TEST

START_TEST(test_worker_hangs)
{
	pid_t worker = worker_pid();

	client(1, "local");
	forget();
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	int64_t start_ms = now_ms();
	rcpt(1, "good.example");
	ck_assert(hear_result(1, "proceed"));
	ck_assert_int_ge(now_ms() - start_ms, 1000 * DEADLINE);
	ck_assert_int_lt(now_ms() - start_ms, 1000 * DEADLINE + 3000);
	ck_assert(hear_log("does not answer"));
	ck_assert(is_gone(worker));
	ck_assert_int_ne(worker_pid(), worker);
	forget();
	rcpt(1, "bad.example");
	ck_assert(hear_result(1, "reject|550 5.4.8 No"));
}
END_TEST

START_TEST(test_garbage)
{
	static char garbage[300000];

	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (char)(i % 1000 == 999 ? '\n' : i * 7);
	memset(garbage, 'x', sizeof garbage / 2);
	for (size_t sent = 0; sent < sizeof garbage;) {
		ssize_t n = send(smtpd, garbage + sent, sizeof garbage - sent, MSG_NOSIGNAL);
		ck_assert_int_gt(n, 0);
		sent += (size_t)n;
	}
	say("\n");
	client(1, "local");
	rcpt(1, "bad.example");
	ck_assert(hear_result(1, "reject|550 5.4.8 No"));
	ck_assert_uint_eq(count("filter-result"), 1);
}
END_TEST

/* smtpd reads neither answers nor the log for a while: nothing is lost but lines of the log. */
START_TEST(test_thousands)
{
	enum { N = 10000 };

	start_anew(15, 0);
	for (unsigned i = 0; i < N; i++) {
		client(i, "local");
		rcpt(i, i % 2 == 0 ? "good.example" : "bad.example");
		say("garbage of %u\n", i); /* for the log */
	}
	for (int64_t until = now_ms() + PATIENCE; count("filter-result|") < N && now_ms() < until;)
		listen_a_little(smtpd, heard, &n_heard, sizeof heard);
	ck_assert_uint_eq(count("filter-result|"), N);
	ck_assert_uint_eq(count("|proceed\n"), N / 2);
	ck_assert_uint_eq(count("|reject|550 5.4.8 No\n"), N / 2);
	ck_assert_ptr_nonnull(strstr(heard, "filter-result|000000000000270f|"));
	say("garbage\n");
	say("garbage\n");
	while (n_logged < sizeof logged - 1 && strstr(logged, "lost=") == NULL) {
		size_t before = n_logged;
		listen_a_little(errors, logged, &n_logged, sizeof logged);
		if (n_logged > sizeof logged / 2)
			n_logged = 0;
		if (n_logged == before)
			say("garbage\n");
	}
	ck_assert_ptr_nonnull(strstr(logged, "warning: log lost="));
}
END_TEST

START_TEST(test_signals)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD };

	client(1, "local");
	rcpt(1, "good.example");
	ck_assert(hear_result(1, "proceed"));
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		ck_assert_int_eq(kill(filter, signals[i]), 0);
	forget();
	rcpt(1, "bad.example");
	ck_assert(hear_result(1, "reject|550 5.4.8 No"));
}
END_TEST

START_TEST(test_end)
{
	pid_t worker = worker_pid();

	client(1, "local");
	rcpt(1, "never.example");
	ck_assert_int_eq(end(), 0);
	ck_assert(is_gone(worker));
}
END_TEST

START_TEST(test_port_taken)
{
	say("config|ready\n");
	ck_assert(hear("register|ready\n"));
	int first = smtpd, first_errors = errors;
	pid_t first_filter = filter;
	char why[64];

	start();
	snprintf(why, sizeof why, "port %lld: ", (long long)config.relay_port);
	ck_assert(hear_log(why));
	ck_assert_int_ne(end(), 0);
	ck_assert_uint_eq(n_heard, 0);
	close(errors);
	smtpd = first;
	errors = first_errors;
	filter = first_filter;
}
END_TEST

START_TEST(test_no_group)
{
	char directory[] = "/tmp/check_filter.XXXXXX", line[256];

	ck_assert(mkdtemp(directory) != NULL && chmod(directory, 0) == 0);
	ck_assert_int_eq(end(), 0);
	close(errors);
	is_stranger = true;
	strcpy(config.state_directory, directory);
	start();
	snprintf(line, sizeof line,
	    "filter store=\"%s: Permission denied\" reason=\"is 'group %s' in the filter's line",
	    directory, config.group);
	ck_assert(hear_log(line));
	say("config|ready\n");
	ck_assert(hear("register|ready\n"));
	rmdir(directory);
}
END_TEST

START_TEST(test_many_ports)
{
	start_anew(DEADLINE, 3);
	ck_assert(hear_log("listeners 3"));
	struct sockaddr_in address = { .sin_family = AF_INET };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		address.sin_port = htons((uint16_t)(config.relay_port + i));
		ck_assert_int_eq(
		    connect(fd, (struct sockaddr *)&address, sizeof address), i < 3 ? 0 : -1);
		close(fd);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("filter");
	TCase *c = tcase_create("filter");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, test_handshake, 0, 2);
	tcase_add_test(c, test_answers);
	tcase_add_test(c, test_own_connections);
	tcase_add_loop_test(c, test_worker_dies, 0, 3);
	tcase_add_test(c, test_own_connections_again);
	tcase_add_test(c, test_worker_dies_often);
	tcase_add_test(c, test_worker_is_relieved);
	tcase_add_test(c, test_worker_hangs);
	tcase_add_test(c, test_garbage);
	tcase_add_test(c, test_thousands);
	tcase_add_test(c, test_signals);
	tcase_add_test(c, test_end);
	tcase_add_test(c, test_port_taken);
	tcase_add_test(c, test_no_group);
	tcase_add_test(c, test_many_ports);
	suite_add_tcase(s, c);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
