/* SPDX-License-Identifier: ISC
 *
 * The words of the test come to the server by a pipe, as smtpd's reports do.
 */
#include "lmtp_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opensmtpd/relay/late.h"
#include "opensmtpd/relay/session.h"
#include "unit.h"

enum word_kind { WORD_CONNECT, WORD_BEGIN, WORD_ENVELOPE, WORD_LATE, WORD_NOTHING };

struct word {
	enum word_kind kind;
	uint64_t session, envelope;
	struct sockaddr_storage from, to;
};

struct server_shared *server_shared;
size_t server_max = SERVER_MAX;

static struct {
	pid_t pid;
	int words;
	struct sockaddr_in address;
	size_t n_words;
} server;

/* ---- the server ---- */

struct serving {
	struct relay relay;
	struct announced *announced;
	struct sessions *sessions;
	struct loop_fd listener, words;
};

static void
on_log(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	(void)level;
	server_shared->n_log_lines++;
	snprintf(server_shared->log, sizeof server_shared->log, "%s", text);
}

static void
on_listener(void *arg, short events)
{
	struct serving *s = arg;
	int fd = accept(s->listener.fd, NULL, NULL);

	(void)events;
	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		_exit(90);
	sessions_accept(s->sessions, fd);
}

static void
on_word(void *arg, short events)
{
	struct serving *s = arg;
	struct word word;

	(void)events;
	ssize_t n = read(s->words.fd, &word, sizeof word);
	if (n == 0) {
		loop_stop(s->relay.loop);
		return;
	}
	if (n != sizeof word)
		_exit(91);
	switch (word.kind) {
	case WORD_CONNECT:
		announced_connect(
		    s->announced, word.session, &word.from, &word.to, loop_now_ms(s->relay.loop));
		break;
	case WORD_BEGIN:
		announced_begin(s->announced, word.session);
		break;
	case WORD_ENVELOPE:
		announced_envelope(s->announced, word.session, word.envelope);
		break;
	case WORD_LATE:
		if (late_wait(s->relay.late, word.envelope) != 0)
			_exit(92);
		break;
	case WORD_NOTHING:
		break;
	}
	server_shared->n_sessions = sessions_count(s->sessions);
	server_shared->n_words++;
}

_Noreturn static void
server_main(int listener, int words)
{
	struct clock clock = clock_system();
	struct log log = { .fn = on_log, .level = MTASTS_LOG_INFO };
	struct serving s = { .relay = { .clock = &clock, .log = &log } };

	s.relay.loop = loop_new(&clock);
	s.relay.late = late_new();
	s.announced = announced_new();
	fake_transactions(&server_shared->record);
	s.sessions = sessions_new(&s.relay, s.announced, server_max);
	s.listener = (struct loop_fd){ .fd = listener, .fn = on_listener, .arg = &s };
	s.words = (struct loop_fd){ .fd = words, .fn = on_word, .arg = &s };
	if (loop_watch(s.relay.loop, &s.listener, POLLIN) != 0 ||
	    loop_watch(s.relay.loop, &s.words, POLLIN) != 0)
		_exit(93);
	loop_run(s.relay.loop);
	sessions_free(s.sessions);
	announced_free(s.announced);
	late_free(s.relay.late);
	loop_free(s.relay.loop);
	if (server_shared->record.n_new != server_shared->record.n_freed)
		_exit(94);
	exit(0);
}

void
server_start(void)
{
	socklen_t size = sizeof server.address;
	int words[2], one = 1;

	server_shared = mmap(
	    NULL, sizeof *server_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(server_shared != MAP_FAILED);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listener, 0);
	server.address = (struct sockaddr_in){ .sin_family = AF_INET };
	server.address.sin_addr.s_addr = inet_addr("127.8.7.6");
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&server.address, size), 0);
	ck_assert_int_eq(listen(listener, 1024), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&server.address, &size), 0);
	ck_assert_int_eq(pipe(words), 0);
	server.pid = fork();
	ck_assert_int_ge(server.pid, 0);
	if (server.pid == 0) {
		close(words[1]);
		server_main(listener, words[0]);
	}
	close(listener);
	close(words[0]);
	server.words = words[1];
	server.n_words = 0;
}

void
server_stop(void)
{
	int status;

	close(server.words);
	ck_assert_int_eq(waitpid(server.pid, &status, 0), server.pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "server: %#x", status);
	munmap(server_shared, sizeof *server_shared);
}

/* ---- words ---- */

static void
say_word(const struct word *word)
{
	ck_assert_int_eq(write(server.words, word, sizeof *word), (ssize_t)sizeof *word);
	server.n_words++;
}

void
server_announce(int fd, uint64_t session)
{
	struct word word = { .kind = WORD_CONNECT, .session = session };
	socklen_t from = sizeof word.from, to = sizeof word.to;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&word.from, &from), 0);
	ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&word.to, &to), 0);
	say_word(&word);
}

void
server_begin(uint64_t session)
{
	struct word word = { .kind = WORD_BEGIN, .session = session };

	say_word(&word);
}

void
server_envelope(uint64_t session, uint64_t envelope)
{
	struct word word = { .kind = WORD_ENVELOPE, .session = session, .envelope = envelope };

	say_word(&word);
}

void
server_late(uint64_t envelope)
{
	struct word word = { .kind = WORD_LATE, .envelope = envelope };

	say_word(&word);
}

size_t
server_sessions(void)
{
	struct word word = { .kind = WORD_NOTHING };

	say_word(&word);
	for (int i = 0; i < PATIENCE; i++) {
		if (*(volatile size_t *)&server_shared->n_words == server.n_words)
			return server_shared->n_sessions;
		(void)poll(NULL, 0, 1);
	}
	ck_abort_msg("the server is deaf");
	return 0;
}

/* ---- a client ---- */

int
client_connect(const char *ip)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	from.sin_addr.s_addr = inet_addr(ip);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&server.address, sizeof server.address), 0);
	return fd;
}

void
client_send(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		ck_assert_int_gt(sent, 0);
		p += sent;
		n -= (size_t)sent;
	}
}

void
client_say(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
}

static char
octet(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c = '\0';

	ck_assert_msg(poll(&p, 1, PATIENCE) == 1, "nothing comes");
	ssize_t n = read(fd, &c, 1);
	return n == 1 ? c : '\0';
}

void
client_expect(int fd, const char *beginning)
{
	char line[2048];
	size_t n;

	do {
		for (n = 0; n < sizeof line - 1; n++) {
			line[n] = octet(fd);
			if (line[n] == '\n' || line[n] == '\0')
				break;
		}
		line[n] = '\0';
	} while (n > 3 && line[3] == '-');
	ck_assert_msg(
	    strncmp(line, beginning, strlen(beginning)) == 0, "\"%s\" for \"%s\"", line, beginning);
}

void
client_ask(int fd, const char *line, const char *beginning)
{
	char text[2048];

	snprintf(text, sizeof text, "%s\r\n", line);
	client_say(fd, text);
	client_expect(fd, beginning);
}

void
client_expect_end(int fd)
{
	ck_assert_int_eq(octet(fd), '\0');
	close(fd);
}

int
client_ready(uint64_t session)
{
	int fd = client_connect("127.0.0.1");

	server_announce(fd, session);
	client_expect(fd, "220 [127.8.7.6] ");
	client_ask(fd, "LHLO mail.example", "250 ENHANCEDSTATUSCODES");
	return fd;
}
