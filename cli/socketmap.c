/* SPDX-License-Identifier: ISC
 *
 * mtasts socketmap: policies for Postfix and sendmail, which ask over a socket.  Sets up what the
 * server needs, as root if it must, and then is root no more.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "account.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "socketmap/notify.h"
#include "socketmap/server.h"

enum { OPTION_LISTEN, OPTION_MODE, OPTION_GROUP };

static const struct cli_option options[] = {
	[OPTION_LISTEN] = { "listen", "ADDRESS",
	    "inet:PORT@HOST or unix:PATH; may be repeated (inet:8461@127.0.0.1)" },
	[OPTION_MODE] = { "socket-mode", "MODE", "rights of a PATH, in octal (0666)" },
	[OPTION_GROUP] = { "socket-group", "NAME", "group of a PATH" },
	{ NULL, NULL, NULL },
};

enum {
	LOOKUPS_KEPT = 64, /* of the library's limit, for asking the store alone */
	WHY_SIZE = 512,
	CLIENTS_MAX = 65536,
};

static const char default_address[] = "inet:8461@127.0.0.1";

/* Answers, and the library's context below them. */
struct engagement {
	struct engagement *next;
	struct answers *answers;
	struct mtasts *ctx;
};

struct socketmap {
	struct cli *cli;
	const char *addresses[LISTEN_MAX];
	size_t n_addresses;
	const char *group;
	struct listen_rights rights;
	struct listener listeners[LISTEN_MAX];
	size_t n_listeners;
	struct engagement *engagements;
	struct server *server;
	struct clock clock;
	struct log log;
};

/* ---- log ---- */

/* sd-daemon(3): a priority before each line, where systemd's journal reads it. */
static void
log_line(void *arg, enum mtasts_log level, const char *text)
{
	static const char *const priorities[] = { "<3>", "<4>", "<6>", "<7>" };

	(void)arg;
	fprintf(stderr, "%s%s\n",
	    getenv("JOURNAL_STREAM") != NULL ? priorities[level] : "mtasts: ", text);
}

/* ---- signals ---- */

static int wake_fds[2] = { -1, -1 };

static void
on_signal(int sig)
{
	int error = errno;
	const char octet = sig == SIGHUP ? SERVER_RELOAD : SERVER_STOP;

	if (write(wake_fds[1], &octet, 1) < 0) {
		/* full: it was told often enough */
	}
	errno = error;
}

static int
signals_take(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction act = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	if (pipe(wake_fds) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (fcntl(wake_fds[i], F_SETFD, FD_CLOEXEC) != 0 ||
		    fcntl(wake_fds[i], F_SETFL, O_NONBLOCK) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		if (sigaction(signals[i], &act, NULL) != 0)
			return -1;
	}
	return sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- what only root may do ---- */

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

static int
listeners_open(struct socketmap *s)
{
	char words[WHY_SIZE];
	struct buf why;

	buf_init(&why, words, sizeof words);
	int n = listen_inherit(s->listeners, LISTEN_MAX, &why);
	if (n == 0 && s->n_addresses == 0)
		s->addresses[s->n_addresses++] = default_address;
	if (n >= 0)
		s->n_listeners = (size_t)n;
	for (size_t i = 0; n >= 0 && i < s->n_addresses; i++) {
		if (s->n_listeners == LISTEN_MAX)
			cli_usage(s->cli, "too many addresses");
		n = listen_open(
		    span_of(s->addresses[i]), &s->rights, &s->listeners[s->n_listeners], &why);
		if (n == 0)
			s->n_listeners++;
	}
	if (n == LISTEN_NO_ADDRESS)
		cli_usage(s->cli, why.p);
	if (n >= 0)
		return EX_OK;
	cli_say("%s", why.p);
	return EX_UNAVAILABLE;
}

static void
listeners_close(struct socketmap *s)
{
	for (size_t i = 0; i < s->n_listeners; i++)
		listen_close(&s->listeners[i]);
}

/* For good: the state directory is the user's, and so is all that is needed from here on. */
static int
root_leave(const struct socketmap *s)
{
	const char *name = s->cli->config->user;
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return EX_OK;
	if (!account_user(name, &uid, &gid)) {
		cli_say("no user %s, whom to become: run 'mtasts init'", name);
		return EX_CONFIG;
	}
	if (account_group(s->cli->config->group, &gid) && initgroups(name, gid) == 0 &&
	    setgid(gid) == 0 && setuid(uid) == 0 && (uid == 0 || setuid(0) != 0))
		return EX_OK;
	cli_say("cannot become user %s: %s", name, strerror(errno));
	return EX_NOPERM;
}

/* As many descriptors as there may be; how many clients that is. */
static size_t
descriptors_take(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return SERVER_FDS_KEPT;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= 2 * SERVER_FDS_KEPT)
		return SERVER_FDS_KEPT;
	size_t n = (size_t)limit.rlim_cur - SERVER_FDS_KEPT;
	return n < CLIENTS_MAX ? n : CLIENTS_MAX;
}

/* ---- the server ---- */

/* By the configuration that was read last; NULL after saying why. */
static struct answers *
engage(struct socketmap *s)
{
	const struct mtasts_config *config = s->cli->config;
	struct answers_config answers = {
		.reply = { config->on_unknown == CONF_DEFER, config->cache_fault == CONF_DELIVER },
		.max_lookups = LIMIT_LOOKUPS - LOOKUPS_KEPT,
	};
	struct engagement *e = mem_zero(1, sizeof *e);
	int r = e == NULL ? MTASTS_ENOMEM : mtasts_new(config, log_line, NULL, &e->ctx);

	s->log = (struct log){ .fn = log_line, .level = config->log_level };
	if (r == 0)
		e->answers = answers_new(e->ctx, &answers, &s->clock, &s->log);
	if (r == 0 && e->answers != NULL) {
		e->next = s->engagements;
		s->engagements = e;
		return e->answers;
	}
	cli_say("%s", mtasts_strerror(r != 0 ? r : MTASTS_ENOMEM));
	if (e != NULL)
		mtasts_free(e->ctx);
	free(e);
	return NULL;
}

static void
disengage(void *arg, struct answers *answers)
{
	struct socketmap *s = arg;
	struct engagement **at = &s->engagements, *e;

	while ((*at)->answers != answers)
		at = &(*at)->next;
	e = *at;
	*at = e->next;
	answers_free(e->answers);
	mtasts_free(e->ctx);
	free(e);
}

/* SIGHUP.  What is wrong with the new configuration leaves the old one as it was. */
static struct answers *
reload(void *arg)
{
	struct socketmap *s = arg;
	struct mtasts_config *old = s->cli->config;
	struct answers *answers = NULL;

	notify("RELOADING=1");
	s->cli->config = NULL;
	if (cli_configure(s->cli) == EX_OK)
		answers = engage(s);
	if (answers != NULL) {
		mtasts_config_free(old);
		log_put(&s->log, MTASTS_LOG_INFO, "reload");
	} else {
		mtasts_config_free(s->cli->config);
		s->cli->config = old;
		s->log.level = old->log_level;
		log_put(&s->log, MTASTS_LOG_ERROR, "reload reason=\"the old configuration stays\"");
	}
	notify("READY=1");
	return answers;
}

static int
serve(struct socketmap *s)
{
	struct server_config config = { .max_clients = descriptors_take(),
		.deaf_ms = SERVER_DEAF,
		.wake_fd = wake_fds[0],
		.reload = reload,
		.retire = disengage,
		.arg = s };
	struct answers *answers = engage(s);

	if (answers == NULL)
		return EX_TEMPFAIL;
	s->server = server_new(&config, answers, s->listeners, s->n_listeners, &s->clock, &s->log);
	if (s->server == NULL) {
		cli_say("%s", strerror(errno));
		disengage(s, answers);
		return EX_OSERR;
	}
	for (size_t i = 0; i < s->n_listeners; i++)
		log_put(&s->log, MTASTS_LOG_INFO, "listen address=%s", s->listeners[i].name);
	notify("READY=1");
	server_run(s->server);
	server_free(s->server);
	return EX_OK;
}

static int
start(struct socketmap *s)
{
	if (standard_descriptors_open() != 0)
		return EX_OSERR;
	int status = cli_configure(s->cli);
	if (status == EX_OK)
		status = cli_find_store(s->cli);
	if (status != EX_OK)
		return status;
	s->clock = clock_system();
	if (s->group != NULL && !account_group(s->group, &s->rights.gid)) {
		cli_say("no group %s", s->group);
		return EX_NOUSER;
	}
	status = listeners_open(s);
	if (status == EX_OK)
		status = root_leave(s);
	if (status == EX_OK && signals_take() != 0) {
		cli_say("signals: %s", strerror(errno));
		status = EX_OSERR;
	}
	return status == EX_OK ? serve(s) : status;
}

static mode_t
mode_parse(const struct cli *cli, const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end != '\0' || mode > 0777)
		cli_usage(cli, "--socket-mode takes octal digits, 0777 at most");
	return (mode_t)mode;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct socketmap s = { .cli = cli, .rights = { 0666, (gid_t)-1 } };
	int option;

	while ((option = cli_option(cli, argc, argv)) != -1) {
		switch (option) {
		case OPTION_LISTEN:
			if (s.n_addresses == LISTEN_MAX)
				cli_usage(cli, "too many addresses");
			s.addresses[s.n_addresses++] = optarg;
			break;
		case OPTION_MODE:
			s.rights.mode = mode_parse(cli, optarg);
			break;
		case OPTION_GROUP:
			s.group = optarg;
			break;
		}
	}
	if (optind != argc)
		cli_usage(cli, "no operand is taken");
	int status = start(&s);
	listeners_close(&s);
	return status;
}

const struct cli_command command_socketmap = {
	.name = "socketmap",
	.usage = "",
	.summary = "Answer Postfix and sendmail over a socket",
	.options = options,
	.letters = "l",
	.run = run,
};
