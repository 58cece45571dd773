/* SPDX-License-Identifier: ISC
 *
 * The process that smtpd starts.  smtpd ends when it does, so it does no more than pass on lines:
 * what speaks with the world is its worker, which may fail.
 */
#include "opensmtpd/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "opensmtpd/confine.h"
#include "opensmtpd/errlog.h"
#include "opensmtpd/keeper.h"
#include "opensmtpd/lines.h"
#include "opensmtpd/listeners.h"
#include "opensmtpd/outbox.h"
#include "opensmtpd/supervisor.h"
#include "opensmtpd/worker.h"

enum { READ_MAX = 64 * 1024 /* octets of one wake-up */ };

struct filter {
	const struct mtasts_config *config;
	struct errlog errlog;
	struct log log;
	struct clock clock;
	struct listeners listeners;
	struct loop *loop;
	struct loop_fd in;
	struct outbox *out;
	struct keeper *keeper;
	struct supervisor *supervisor;
	struct lines lines;
};

/* ---- between smtpd and the worker ---- */

static void
on_line(void *arg, struct span line, bool is_cut)
{
	struct filter *f = arg;

	supervisor_line(f->supervisor, line, is_cut);
}

static void
on_in(void *arg, short events)
{
	struct filter *f = arg;
	char octets[READ_MAX];
	ssize_t n = read(f->in.fd, octets, sizeof octets);

	(void)events;
	if (n > 0)
		lines_take(&f->lines, span_make(octets, (size_t)n), on_line, f);
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		loop_stop(f->loop);
}

/* smtpd takes no more: it has gone. */
static void
on_out_broken(void *arg)
{
	loop_stop(((struct filter *)arg)->loop);
}

static void
say(void *arg, struct span lines)
{
	outbox_put(((struct filter *)arg)->out, lines);
}

static int
tell(void *arg, const struct channel_message *message)
{
	return keeper_tell(((struct filter *)arg)->keeper, message);
}

static void
on_message(void *arg, const struct channel_message *message)
{
	supervisor_answer(((struct filter *)arg)->supervisor, message);
}

static void
on_gone(void *arg)
{
	supervisor_alone(((struct filter *)arg)->supervisor);
}

static void
on_again(void *arg)
{
	supervisor_again(((struct filter *)arg)->supervisor);
}

/* ---- the worker's process ---- */

/* smtpd's socket must not be held open by it, nor may it read there. */
static int
standard_descriptors_leave(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return -1;
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

static void
signals_set(void (*handler)(int))
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	struct sigaction act = { .sa_handler = handler };

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)sigaction(signals[i], &act, NULL);
	act.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &act, NULL);
	act.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &act, NULL);
}

static int
work(void *arg, int channel)
{
	struct filter *f = arg;
	const struct worker_config config = {
		.config = f->config, .clock = &f->clock, .log = &f->log, .listeners = &f->listeners
	};

	signals_set(SIG_DFL);
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
	supervisor_free(f->supervisor);
	loop_free(f->loop);
	if (standard_descriptors_leave() != 0)
		return EX_OSERR;
	return worker_main(&config, channel);
}

/* ---- all of it ---- */

static int
fault(const struct filter *f, const char *what, const char *why)
{
	log_put(&f->log, MTASTS_LOG_ERROR, "filter %s=\"%s\"", what, why);
	return EX_UNAVAILABLE;
}

/* What is logged must not go to a socket that has got the number of standard error. */
static int
standard_descriptors_open(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -1;
	}
	return 0;
}

static void
descriptors_take(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The store's own line can tell no more than that it is not permitted. */
static void
look_at_store(const struct filter *f)
{
	const char *directory = f->config->state_directory;

	if (faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) != 0 && errno == EACCES)
		log_put(&f->log, MTASTS_LOG_ERROR,
		    "filter store=\"%s: %s\" reason=\"is 'group %s' in the filter's line of "
		    "smtpd.conf?\"",
		    directory, strerror(EACCES), f->config->group);
}

static int
talk_open(struct filter *f)
{
	const struct supervisor_ports ports = { f, say, tell };

	f->loop = loop_new(&f->clock);
	if (f->loop == NULL)
		return fault(f, "loop", strerror(errno));
	f->supervisor = supervisor_new(f->loop, f->config, &ports, &f->log);
	f->out = outbox_new(f->loop, STDOUT_FILENO, on_out_broken, f);
	if (f->supervisor == NULL || f->out == NULL)
		return fault(f, "memory", strerror(ENOMEM));
	f->in = (struct loop_fd){ .fd = STDIN_FILENO, .fn = on_in, .arg = f };
	if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) != 0 ||
	    loop_watch(f->loop, &f->in, POLLIN) != 0)
		return fault(f, "stdin", strerror(errno));
	return EX_OK;
}

static int
keeper_open(struct filter *f)
{
	const struct keeper_config config = { .arg = f,
		.work = work,
		.message = on_message,
		.gone = on_gone,
		.again = on_again,
		.ping_ms = f->config->deadline * 1000,
		.hang_ms = 2 * f->config->deadline * 1000 };

	f->keeper = keeper_new(f->loop, &config, &f->log);
	return f->keeper != NULL ? EX_OK : fault(f, "memory", strerror(ENOMEM));
}

/* The relay's sockets come first: smtpd connects as soon as the filter has registered. */
static int
filter_open(struct filter *f)
{
	char words[256];
	struct buf why;

	buf_init(&why, words, sizeof words);
	if (standard_descriptors_open() != 0)
		return EX_OSERR;
	signals_set(SIG_IGN);
	descriptors_take();
	if (listeners_open(&f->listeners, f->config, &why) != 0)
		return fault(f, "relay", why.p);
	if (confine_become(f->config, &why) != 0)
		return fault(f, "user", why.p);
	look_at_store(f);
	int r = talk_open(f);
	return r != EX_OK ? r : keeper_open(f);
}

static void
filter_close(struct filter *f)
{
	keeper_free(f->keeper);
	supervisor_free(f->supervisor);
	outbox_free(f->out);
	loop_free(f->loop);
	listeners_close(&f->listeners);
	free(f);
}

int
filter_main(const struct mtasts_config *config)
{
	struct filter *f = mem_zero(1, sizeof *f);

	if (f == NULL)
		return EX_OSERR;
	f->config = config;
	f->errlog.fd = STDERR_FILENO;
	f->log = (struct log){ errlog_line, &f->errlog, config->log_level };
	f->clock = clock_system();
	int r = filter_open(f);
	if (r == EX_OK)
		loop_run(f->loop);
	filter_close(f);
	return r;
}
