/* SPDX-License-Identifier: ISC
 *
 * Stands in for mtasts-resolve and mtasts-fetch in check_helper: speaks their language, well or
 * as badly as its second argument (resolv.conf, the CA directory) tells it to.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

#include "net/wire.h"

static char in[LIMIT_FRAME], storage[LIMIT_FRAME + 1];
static size_t n_in;
extern char **environ;

static void
put_slowly(const char *p, size_t n, long ms)
{
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	for (size_t i = 0; i < n; i++) {
		if (ms != 0)
			nanosleep(&wait, NULL);
		if (write(STDOUT_FILENO, p + i, ms == 0 ? n : 1) < 0)
			_exit(1);
		if (ms == 0)
			return;
	}
}

static void
put(const char *p, size_t n)
{
	put_slowly(p, n, 0);
}

/* The whole message that answers m, and its octets. */
static size_t
answer(const struct wire_message *m, uint32_t id, char *text)
{
	struct span rdata = { text, (size_t)(unsigned char)text[0] + 1 };
	struct net_answer a = {
		.state = NET_ANSWERED, .ttl = 60, .n = 1, .rdata = &rdata, .reason = ""
	};
	struct net_page p = { NET_FETCHED, 200, { "text/plain", 10 }, { "body", 4 }, "" };
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	if (m->type == WIRE_QUESTION)
		(void)wire_answer_format(&out, id, &a);
	else
		(void)wire_page_format(&out, id, &p);
	return out.n;
}

static unsigned
count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static unsigned long
limit(int resource)
{
	struct rlimit r = { 0, 0 };

	(void)getrlimit(resource, &r);
	return (unsigned long)r.rlim_max;
}

/* What check_helper wants to know of a process of ours, as a TXT string. */
static void
state(char *text)
{
	char directory[64] = "";
	sigset_t blocked;
	struct sigaction pipe_action;
	int deathsig = 0, odd = 0, privileges = 0;
	size_t environment = 0;

	while (environ[environment] != NULL)
		environment++;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int i = 1; i < 32; i++)
		odd += sigismember(&blocked, i) == 1;
	sigaction(SIGPIPE, NULL, &pipe_action);
#ifdef HAVE_SYS_PRCTL_H
	privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	prctl(PR_GET_PDEATHSIG, &deathsig);
#endif
	if (getcwd(directory, sizeof directory) == NULL)
		directory[0] = '\0';
	int n = snprintf(text + 1, 254,
	    "pid=%ld uid=%ld gid=%ld groups=%d nnp=%d env=%zu fds=%u cwd=%s sid=%d blocked=%d "
	    "pipe=%d death=%d core=%lu fsize=%lu cpu=%lu nofile=%lu as=%lu umask=%03o tty=%d",
	    (long)getpid(), (long)getuid(), (long)getgid(), getgroups(0, NULL), privileges,
	    environment, count_descriptors(), directory, getsid(0) == getpid(), odd,
	    pipe_action.sa_handler == SIG_DFL, deathsig == SIGKILL, limit(RLIMIT_CORE),
	    limit(RLIMIT_FSIZE), limit(RLIMIT_CPU), limit(RLIMIT_NOFILE), limit(RLIMIT_AS) >> 20,
	    (unsigned)umask(0), isatty(2));
	text[0] = (char)n;
}

static const char junk[] = "HTTP/1.1 200 OK\r\n\r\n";

static void
sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void
note(bool is_fatal)
{
	char bytes[64];
	struct buf out;

	buf_init(&out, bytes, sizeof bytes);
	(void)wire_note_format(&out, is_fatal, ENOENT, "a \"note\"");
	put(out.p, out.n);
}

/* ---- the manners: each is told the request and the n octets of a good answer in storage ---- */

static void
good(const struct wire_message *m, size_t n)
{
	(void)m;
	put(storage, n);
}

static void
hang(const struct wire_message *m, size_t n)
{
	(void)m;
	(void)n;
	sleep_for_ever();
}

static void
spin(const struct wire_message *m, size_t n)
{
	(void)m;
	for (volatile size_t i = n;; i++)
		;
}

static void
killed(const struct wire_message *m, size_t n)
{
	(void)m;
	(void)n;
	raise(SIGKILL);
}

static void
stopped(const struct wire_message *m, size_t n)
{
	raise(SIGSTOP);
	good(m, n);
}

static void
crash(const struct wire_message *m, size_t n)
{
	(void)m;
	(void)n;
	raise(SIGSEGV);
}

static void
leave(const struct wire_message *m, size_t n)
{
	(void)m;
	(void)n;
	_exit(0);
}

static void
closed(const struct wire_message *m, size_t n)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	hang(m, n);
}

static void
before(const struct wire_message *m, size_t n)
{
	put(junk, sizeof junk);
	good(m, n);
}

static void
after(const struct wire_message *m, size_t n)
{
	good(m, n);
	put(junk, sizeof junk);
}

static void
twice(const struct wire_message *m, size_t n)
{
	good(m, n);
	good(m, n);
}

static void
endless(const struct wire_message *m, size_t n)
{
	(void)m;
	(void)n;
	for (;;)
		put(junk, sizeof junk);
}

static void
notes(const struct wire_message *m, size_t n)
{
	(void)m;
	(void)n;
	for (;;)
		note(false);
}

static void
noted(const struct wire_message *m, size_t n)
{
	note(false);
	good(m, n);
}

static void
fatal(const struct wire_message *m, size_t n)
{
	note(true);
	good(m, n);
}

static void
wrong_id(const struct wire_message *m, size_t n)
{
	char text[] = "\4good";

	(void)n;
	good(m, answer(m, m->id + 1000, text));
}

static void
wrong_type(const struct wire_message *m, size_t n)
{
	storage[3] = m->type == WIRE_QUESTION ? 'P' : 'A';
	good(m, n);
}

static void
request(const struct wire_message *m, size_t n)
{
	storage[3] = (char)m->type;
	good(m, n);
}

static void
malformed(const struct wire_message *m, size_t n)
{
	storage[WIRE_HEAD] = 9;
	good(m, n);
}

static void
oversize(const struct wire_message *m, size_t n)
{
	memset(storage + 8, 0xff, 4);
	good(m, n);
}

/* A string of 9 octets in 4, or a body. */
static void
bad_record(const struct wire_message *m, size_t n)
{
	storage[n - 5] = 9;
	good(m, n);
}

static void
half(const struct wire_message *m, size_t n)
{
	(void)m;
	put(storage, n / 2);
	_exit(0);
}

static void
half_hang(const struct wire_message *m, size_t n)
{
	put(storage, n / 2);
	hang(m, n);
}

static void
drip(const struct wire_message *m, size_t n)
{
	(void)m;
	put_slowly(storage, n, 2);
}

static void
slow_drip(const struct wire_message *m, size_t n)
{
	(void)m;
	put_slowly(storage, n, 200);
}

static const struct {
	const char *word;
	void (*manner)(const struct wire_message *m, size_t n);
} manners[] = {
	{ "good", good },
	{ "state", good },
	{ "hang", hang },
	{ "spin", spin },
	{ "killed", killed },
	{ "stopped", stopped },
	{ "crash", crash },
	{ "exit", leave },
	{ "closed", closed },
	{ "before", before },
	{ "after", after },
	{ "twice", twice },
	{ "endless", endless },
	{ "notes", notes },
	{ "noted", noted },
	{ "fatal", fatal },
	{ "wrongid", wrong_id },
	{ "wrongtype", wrong_type },
	{ "request", request },
	{ "malformed", malformed },
	{ "oversize", oversize },
	{ "badrecord", bad_record },
	{ "half", half },
	{ "halfhang", half_hang },
	{ "drip", drip },
	{ "slowdrip", slow_drip },
};

static void
serve(const struct wire_message *m, const char *how)
{
	char text[256] = "\4good";

	if (strcmp(how, "state") == 0)
		state(text);
	for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
		if (strcmp(manners[i].word, how) == 0)
			manners[i].manner(m, answer(m, m->id, text));
	}
}

int
main(int argc, char **argv)
{
	struct wire_message message;
	const char *how = argc > 2 ? strrchr(argv[2], '/') : NULL;

	if (how == NULL)
		return 64;
	how++;
	if (strcmp(how, "deaf") == 0)
		sleep_for_ever();
	if (strcmp(how, "gone") == 0)
		return 0;
	for (;;) {
		ssize_t n = read(STDIN_FILENO, in + n_in, sizeof in - n_in);
		if (n <= 0)
			return 0;
		n_in += (size_t)n;
		struct span rest = span_make(in, n_in);
		while (wire_next(&rest, &message) == 1)
			serve(&message, how);
		memmove(in, rest.p, rest.n);
		n_in = rest.n;
	}
}
