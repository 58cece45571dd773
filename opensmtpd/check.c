/* SPDX-License-Identifier: ISC
 *
 * Configuration, store, helpers, CA directory and the relay's port, by use: what can be tried is
 * tried, as this user.  Reads nothing of smtpd's.
 */
#include "opensmtpd/check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "net/wire.h"
#include "net/worker.h"
#include "opensmtpd/listeners.h"
#include "opensmtpd/proto/place.h"

enum { HELPER_WAIT = 5000 /* ms, for a helper to start and to end */, HASH_DIGITS = 8 };

struct check {
	const struct mtasts_config *config;
	int faults;
};

static void fault(struct check *check, const char *fmt, ...) ATTR_PRINTF(2, 3);

static void
fault(struct check *check, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	check->faults++;
}

/* ---- user ---- */

static void
check_user(struct check *check)
{
	if (geteuid() == 0)
		fault(check, "user: root, whom nothing is refused: try as smtpd does, for example "
			     "runuser -u opensmtpd -g mtasts -- filter-mtasts -t");
}

/* ---- store ---- */

/* The table gets the groups of the database, which need not be those that this process has. */
static void
check_membership(struct check *check)
{
	enum { GROUPS_MAX = 1024 };
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;
	struct stat st;
	const struct passwd *user = getpwuid(geteuid());

	if (user == NULL || user->pw_uid == 0 || stat(check->config->state_directory, &st) != 0 ||
	    st.st_uid == user->pw_uid || getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		return;
	for (int i = 0; i < n; i++) {
		if (groups[i] == st.st_gid)
			return;
	}
	fault(check,
	    "user: %s is not in the group %s, as the table needs it: run mtasts init, or gpasswd "
	    "-a %s %s, and restart smtpd",
	    user->pw_name, check->config->group, user->pw_name, check->config->group);
}

static void
store_told(void *arg, enum mtasts_log level, const char *text)
{
	struct check *check = arg;

	if (level == MTASTS_LOG_ERROR)
		fault(check,
		    "%s (mtasts init makes it; the filter's line in smtpd.conf needs "
		    "'group %s')",
		    text, check->config->group);
}

/* Opened and read; the name is nobody's. */
static void
check_store(struct check *check)
{
	const char *directory = check->config->state_directory;
	int before = check->faults;
	struct mtasts_policy *policy;
	struct mtasts *ctx;

	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0) {
		fault(check,
		    "state_directory %s: %s: run mtasts init; the filter's line in "
		    "smtpd.conf needs 'group %s'",
		    directory, strerror(errno), check->config->group);
		return;
	}
	check_membership(check);
	before = check->faults;
	int r = mtasts_new(check->config, store_told, check, &ctx);
	if (r != 0) {
		fault(check, "store: %s", mtasts_strerror(r));
		return;
	}
	r = mtasts_lookup(ctx, "filter-mtasts.invalid", MTASTS_CACHED_ONLY, 0, &policy);
	if (r != 0)
		fault(check, "store: %s", mtasts_strerror(r));
	else if (mtasts_policy_state(policy) == MTASTS_FAULT && check->faults == before)
		fault(check, "store in %s: %s: look into the log", directory,
		    mtasts_policy_reason(policy));
	if (r == 0)
		mtasts_policy_free(policy);
	mtasts_free(ctx);
}

/* ---- helpers ---- */

/* What it says until it ends, at our closing its input.  0, or -1 with why. */
static int
helper_end(int fd, struct buf *why)
{
	struct clock clock = clock_system();
	int64_t end = clock_mono_ms(&clock) + HELPER_WAIT;
	char input[4096];
	size_t n = 0;
	struct wire_message message;
	struct wire_note note;

	for (;;) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int64_t left = end - clock_mono_ms(&clock);
		if (left <= 0 || poll(&poller, 1, (int)left) == 0) {
			buf_puts(why, "does not end");
			return -1;
		}
		ssize_t got = read(fd, input + n, sizeof input - n);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	for (struct span in = span_make(input, n); wire_next(&in, &message) == 1;) {
		if (message.type == WIRE_NOTE && wire_note_parse(message.payload, &note) == 0 &&
		    note.fatal) {
			buf_put_escaped(why, span_of(note.text), 200, false);
			return -1;
		}
	}
	return 0;
}

static int
helper_run(const struct check *check, enum worker_kind kind, struct buf *why)
{
	struct process_identity identity;
	struct worker worker;

	worker_init(&worker, kind);
	if (process_identify(check->config->helper_user, &identity, why) != 0 ||
	    worker_start(&worker, check->config, &identity, why) != 0)
		return -1;
	shutdown(worker.process.fd, SHUT_WR);
	int r = helper_end(worker.process.fd, why);
	worker_clear(&worker, true);
	return r;
}

static void
check_helpers(struct check *check, bool has_authorities)
{
	char words[400];
	struct buf why;

	for (int kind = 0; kind < WORKER_KINDS; kind++) {
		if (kind == WORKER_FETCH && !has_authorities)
			continue; /* it would say the same again */
		buf_init(&why, words, sizeof words);
		if (helper_run(check, (enum worker_kind)kind, &why) != 0)
			fault(check, "%s/%s: %s: look at helper_directory and helper_user",
			    check->config->helper_directory, worker_program((enum worker_kind)kind),
			    why.p);
	}
}

/* ---- certificates ---- */

/* "4a6481c9.0", as openssl rehash makes them */
static bool
is_hash(const char *name)
{
	for (size_t i = 0; i < HASH_DIGITS; i++) {
		if (!is_digit(name[i]) && (name[i] < 'a' || name[i] > 'f'))
			return false;
	}
	return name[HASH_DIGITS] == '.' && is_digit(name[HASH_DIGITS + 1]);
}

static bool
check_authorities(struct check *check)
{
	const char *path = check->config->ca_directory;
	DIR *directory = opendir(path);
	bool has_one = false;

	if (directory == NULL) {
		fault(check, "ca_directory %s: %s: install ca-certificates", path, strerror(errno));
		return false;
	}
	for (struct dirent *entry = readdir(directory); entry != NULL && !has_one;
	     entry = readdir(directory))
		has_one = is_hash(entry->d_name);
	closedir(directory);
	if (!has_one)
		fault(check, "ca_directory %s: no certificate by its hash: openssl rehash %s", path,
		    path);
	return has_one;
}

/* ---- port ---- */

/*
 * The relay listens there itself while smtpd runs: then the port is taken by a socket of this
 * user's.  -1: the system does not say.
 */
static long
listener_uid(uint16_t port)
{
	char line[256];
	unsigned local, state, uid;
	long found = -1;
	FILE *file = fopen("/proc/net/tcp", "re");

	while (file != NULL && found < 0 && fgets(line, sizeof line, file) != NULL) {
		/* sl local:port remote:port state queues timer retransmits uid */
		if (sscanf(line, "%*u: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %u", &local, &state,
			&uid) == 3 &&
		    local == port && state == 10)
			found = uid;
	}
	if (file != NULL)
		fclose(file);
	return found;
}

/* An address of 127/8 that nobody has given to an interface. */
static void
check_loopback(struct check *check)
{
	static const struct place_key any;
	struct place place = place_of(&any, span_of("example.net"), 0, 0);
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_addr.s_addr = htonl(place.address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) != 0)
		fault(check,
		    "relay_ports: addresses of 127.0.0.0/8 cannot be used here (%s): set it",
		    strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void
check_ports(struct check *check)
{
	int64_t first = check->config->relay_port, n = check->config->relay_ports;
	int before = check->faults;
	struct listeners listeners;
	bool is_running = false;
	char words[128];
	struct buf why;

	if (n == 0)
		check_loopback(check);
	if (first + n - 1 > UINT16_MAX)
		fault(check, "relay_ports: there are no %lld ports from %lld on", (long long)n,
		    (long long)first);
	for (int64_t port = first; port < first + (n > 0 ? n : 1) && check->faults == before;
	     port++) {
		long uid = listener_uid((uint16_t)port);
		if (uid >= 0 && uid != (long)geteuid())
			fault(check, "relay_port: %lld is another program's: set another",
			    (long long)port);
		is_running = is_running || uid >= 0;
	}
	if (check->faults != before || is_running)
		return;
	buf_init(&why, words, sizeof words);
	if (listeners_open(&listeners, check->config, &why) != 0)
		fault(check, "relay_port: %s: set another", why.p);
	else
		listeners_close(&listeners);
}

int
check_main(const char *config_path)
{
	struct mtasts_config *config = NULL;
	struct check check = { 0 };
	int r = mtasts_config_load(config_path, &config);

	if (r != 0) {
		printf("%s\n", config != NULL ? mtasts_config_error(config) : mtasts_strerror(r));
		mtasts_config_free(config);
		return 1;
	}
	check.config = config;
	check_user(&check);
	check_store(&check);
	check_helpers(&check, check_authorities(&check));
	check_ports(&check);
	mtasts_config_free(config);
	return check.faults == 0 ? 0 : 1;
}
