/* SPDX-License-Identifier: ISC
 *
 * filter-mtasts and table-mtasts: one program, started by smtpd(8) in two roles.
 *
 *	table	argv[0] is the table's name in smtpd.conf, argv[1] what stands behind the colon of
 *		its source, which always begins with '/'; or there is none
 *	filter	the command line of smtpd.conf
 *
 * So argv[0] tells nothing.  Without arguments it may be either: then what smtpd has to say first
 * does, for a table is told something else than a filter is, on a socket in both roles.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/span.h"
#include "maillog/maillog.h"
#include "opensmtpd/check.h"
#include "opensmtpd/filter.h"
#include "opensmtpd/table.h"

enum { GREETING_MAX = 4096, GREETING_WAIT = 10 * 1000 /* ms */, LOOK_AGAIN = 10 /* ms */ };

enum role { ROLE_UNKNOWN, ROLE_TABLE, ROLE_FILTER, ROLE_NONE };

const char maillog_name[] = "table-mtasts";

static int
usage(void)
{
	fputs("usage: filter-mtasts [-c FILE]       smtpd(8) runs it, see mtasts-opensmtpd(7)\n"
	      "       filter-mtasts -t [-c FILE]    whether this host is in order, as this user\n"
	      "       filter-mtasts -V\n",
	    stderr);
	return EX_USAGE;
}

/* What the lines of a greeting tell; those that are not whole tell nothing. */
static enum role
greeting_role(struct span text)
{
	static const struct {
		const char *line;
		enum role role;
	} known[] = {
		{ "config|tablename|", ROLE_TABLE },
		{ "config|smtp-session-timeout|", ROLE_FILTER },
		{ "config|subsystem|", ROLE_FILTER },
		{ "config|admd|", ROLE_FILTER },
	};

	if (text.n > 0 && text.p[0] != 'c')
		return ROLE_TABLE; /* a frame (proto/tableimsg.h) */
	while (span_find(text, '\n') < text.n) {
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
			if (span_begins(text, known[i].line))
				return known[i].role;
		}
		text = span_from(text, span_find(text, '\n') + 1);
	}
	return ROLE_UNKNOWN;
}

/* Looks at what is there and leaves it there. */
static enum role
role_by_greeting(int fd)
{
	const struct timespec pause = { 0, LOOK_AGAIN * 1000000L };
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	char text[GREETING_MAX];

	for (int ms = 0; ms < GREETING_WAIT; ms += LOOK_AGAIN) {
		ssize_t n = recv(fd, text, sizeof text, MSG_PEEK | MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
			return ROLE_NONE;
		enum role role = greeting_role(span_make(text, n > 0 ? (size_t)n : 0));
		if (role != ROLE_UNKNOWN)
			return role;
		if (n <= 0)
			(void)poll(&poller, 1, LOOK_AGAIN);
		else
			nanosleep(&pause, NULL);
	}
	return ROLE_NONE;
}

static int
filter(const char *config_path)
{
	struct mtasts_config *config = NULL;
	int r = mtasts_config_load(config_path, &config);

	if (r != 0) {
		fprintf(stderr, "%s\n",
		    config != NULL ? mtasts_config_error(config) : mtasts_strerror(r));
		mtasts_config_free(config);
		return r == MTASTS_ECONFIG ? EX_CONFIG : EX_OSERR;
	}
	int status = filter_main(config);
	mtasts_config_free(config);
	return status;
}

static int
table(const char *config_path)
{
	table_main(config_path, STDIN_FILENO, STDOUT_FILENO);
	return EX_OK;
}

static int
by_options(int argc, char **argv)
{
	const char *config_path = NULL;
	bool is_check = false;
	int option;

	while ((option = getopt(argc, argv, "c:tV")) != -1) {
		switch (option) {
		case 'c':
			config_path = optarg;
			break;
		case 't':
			is_check = true;
			break;
		case 'V':
			printf("filter-mtasts %s\n", mtasts_version());
			return EX_OK;
		default:
			return usage();
		}
	}
	if (optind < argc)
		return usage();
	return is_check ? check_main(config_path) : filter(config_path);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && argv[1][0] == '/')
		return table(argv[1]);
	if (argc > 1)
		return by_options(argc, argv);
	switch (role_by_greeting(STDIN_FILENO)) {
	case ROLE_TABLE:
		return table(NULL);
	case ROLE_FILTER:
		return filter(NULL);
	case ROLE_UNKNOWN:
	case ROLE_NONE:
		break;
	}
	return usage();
}
