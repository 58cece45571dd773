/* SPDX-License-Identifier: ISC
 *
 * A stand-in for the worker of OpenSMTPD's filter: becomes what that becomes, opens a context,
 * goes behind the same walls (opensmtpd/confine.h), and then does what its arguments say, a line
 * of standard output each.  What it must be able to do, and what an intruder would try.
 *
 *	confined [-o KEY=VALUE]... WORD...
 *	become	   who we are		 lookup DOMAIN	 the policy's state and mode
 *	mx DOMAIN  the state, the hosts	 addresses HOST	 the state, how many
 *	record DOMAIN a line of journal	 outdated	 confine_is_outdated()
 *	read PATH  write PATH  make PATH  exec PATH  connect ADDRESS PORT  from ADDRESS ADDRESS PORT
 *	bind PORT  signal PID  trace PID  limits
 *	calls	   of the system calls it has no use for: which are there; code  makes some
 *	wait SECONDS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mtasts.h"
#include "opensmtpd/confine.h"

static struct mtasts_config *config;
static struct mtasts *ctx;
static struct confine confine;
static char **next; /* of the words */

static _Noreturn void
die(const char *what, const char *why)
{
	fprintf(stderr, "confined: %s: %s\n", what, why);
	exit(1);
}

static const char *
word(void)
{
	if (*next == NULL)
		die("usage", "a word is missing");
	return *next++;
}

/* "WHAT: ok" or "WHAT: EACCES" in words. */
static void
say(const char *what, bool is_done)
{
	printf("%s: %s\n", what, is_done ? "ok" : strerror(errno));
}

static void
log_say(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	if (level <= MTASTS_LOG_WARNING)
		printf("log: %s\n", text);
}

/* ---- its work ---- */

static struct mtasts_policy *
policy_of(const char *domain)
{
	struct mtasts_policy *policy = NULL;
	int r = mtasts_lookup(ctx, domain, 0, 0, &policy);

	if (r != 0)
		die(domain, mtasts_strerror(r));
	return policy;
}

static void
do_lookup(void)
{
	static const char *const states[] = { "published", "absent", "unknown", "fault" };
	static const char *const modes[] = { "none", "testing", "enforce" };
	struct mtasts_policy *policy = policy_of(word());
	enum mtasts_state state = mtasts_policy_state(policy);

	printf("lookup: %s%s%s\n", states[state], state == MTASTS_PUBLISHED ? " " : "",
	    state == MTASTS_PUBLISHED ? modes[mtasts_policy_mode(policy)] : "");
	mtasts_policy_free(policy);
}

static void
do_mx(void)
{
	struct mtasts_mxset *set = NULL;
	int r = mtasts_mx_lookup(ctx, word(), 0, &set);

	if (r != 0)
		die("mx", mtasts_strerror(r));
	printf("mx: %d", (int)mtasts_mxset_state(set));
	for (size_t i = 0; i < mtasts_mxset_count(set); i++)
		printf(" %s", mtasts_mxset_host(set, i));
	printf("\n");
	mtasts_mxset_free(set);
}

static void
addresses_come(void *arg, int error, struct mtasts_addresses *addresses)
{
	printf("addresses: %d %d %zu\n", error, (int)mtasts_addresses_state(addresses),
	    mtasts_addresses_count(addresses));
	mtasts_addresses_free(addresses);
	*(bool *)arg = true;
}

static void
do_addresses(void)
{
	struct pollfd fds[8];
	bool is_come = false;
	uint64_t id;
	int r = mtasts_addresses_start(ctx, word(), 0, addresses_come, &is_come, &id);

	if (r != 0)
		die("addresses", mtasts_strerror(r));
	while (!is_come) {
		int timeout = 0;
		size_t n = mtasts_pollfds(ctx, fds, sizeof fds / sizeof fds[0], &timeout);
		(void)poll(fds, (nfds_t)n, timeout);
		(void)mtasts_process(ctx);
	}
}

static void
do_record(void)
{
	struct mtasts_policy *policy = policy_of(word());
	struct mtasts_attempt attempt = { .mx_host = "mx.example", .tls = MTASTS_TLS_EXPIRED };
	int r = mtasts_record(ctx, policy, &attempt, mtasts_judge(policy, &attempt));

	printf("record: %s\n", r == 0 ? "ok" : mtasts_strerror(r));
	mtasts_policy_free(policy);
}

/* ---- what an intruder would try ---- */

static void
do_open(const char *what, int flags)
{
	int fd = open(word(), flags | O_CLOEXEC, 0600);

	say(what, fd >= 0);
	if (fd >= 0)
		close(fd);
}

static void
do_exec(void)
{
	const char *path = word();
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, path, "--version", (char *)NULL);
		_exit(errno == EACCES ? 120 : 121);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 120)
		errno = EACCES;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 121)
		errno = EINVAL;
	say("exec", WIFEXITED(status) && WEXITSTATUS(status) < 120);
}

static struct sockaddr_in
address_of(const char *text, unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		die(text, "not an address");
	return address;
}

static void
do_connect(const char *from)
{
	const char *to = word();
	struct sockaddr_in address = address_of(to, (unsigned)atoi(word()));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (from != NULL) {
		struct sockaddr_in own = address_of(from, 0);
		if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0)
			die("bind", strerror(errno));
	}
	say("connect", fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	close(fd);
}

static void
do_bind(void)
{
	struct sockaddr_in address = address_of("127.0.0.1", (unsigned)atoi(word()));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	say("bind", fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	close(fd);
}

static void
do_trace(void)
{
	pid_t victim = atoi(word());
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ptrace(PTRACE_ATTACH, victim, NULL, NULL) == 0 ? 0 : 1);
	(void)waitpid(pid, &status, 0);
	printf("trace: %s\n", WIFSIGNALED(status)	 ? "killed"
			      : WEXITSTATUS(status) == 0 ? "ok"
							 : "refused");
}

static void
do_limits(void)
{
	struct rlimit core, files, memory;

	if (getrlimit(RLIMIT_CORE, &core) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0 ||
	    getrlimit(RLIMIT_AS, &memory) != 0)
		die("getrlimit", strerror(errno));
	printf("limits: core %llu, descriptors %s, memory %s\n", (unsigned long long)core.rlim_max,
	    files.rlim_cur == files.rlim_max ? "all" : "some",
	    memory.rlim_max == RLIM_INFINITY ? "unbounded" : "bounded");
}

/* Absent is one that does not exist for us: whatever it was called with, it says so. */
static void
do_calls(void)
{
	static const struct {
		const char *name;
		long call;
	} calls[] = {
		{ "mount", SYS_mount },
		{ "umount2", SYS_umount2 },
		{ "pivot_root", SYS_pivot_root },
		{ "chroot", SYS_chroot },
		{ "unshare", SYS_unshare },
		{ "setns", SYS_setns },
		{ "add_key", SYS_add_key },
		{ "request_key", SYS_request_key },
		{ "keyctl", SYS_keyctl },
		{ "bpf", SYS_bpf },
		{ "perf_event_open", SYS_perf_event_open },
		{ "userfaultfd", SYS_userfaultfd },
		{ "io_uring_setup", SYS_io_uring_setup },
		{ "init_module", SYS_init_module },
		{ "kexec_load", SYS_kexec_load },
		{ "memfd_create", SYS_memfd_create },
		{ "personality", SYS_personality },
		{ "setuid", SYS_setuid },
		{ "setgroups", SYS_setgroups },
		{ "capset", SYS_capset },
		{ "reboot", SYS_reboot },
		{ "acct", SYS_acct },
		{ "name_to_handle_at", SYS_name_to_handle_at },
		{ "open_by_handle_at", SYS_open_by_handle_at },
		{ "unlinkat", SYS_unlinkat },
		{ "renameat2", SYS_renameat2 },
		{ "pidfd_getfd", SYS_pidfd_getfd },
		{ "clone3", SYS_clone3 },
		{ "a world of its own", SYS_clone },
	};

	printf("calls:");
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		long first = calls[i].call == SYS_clone ? CLONE_NEWUSER : -1;
		if (syscall(calls[i].call, first, -1L, -1L, -1L, -1L) != -1 || errno != ENOSYS)
			printf(" %s", calls[i].name);
	}
	printf("\n");
}

static void
do_code(void)
{
	void *page = mmap(
	    NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is_made = page != MAP_FAILED;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("code",
	    is_made || (page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0));
}

static void
do_word(const char *what)
{
	if (strcmp(what, "become") == 0)
		printf("become: %ld %ld %d\n", (long)getuid(), (long)getgid(), getgroups(0, NULL));
	else if (strcmp(what, "lookup") == 0)
		do_lookup();
	else if (strcmp(what, "mx") == 0)
		do_mx();
	else if (strcmp(what, "addresses") == 0)
		do_addresses();
	else if (strcmp(what, "record") == 0)
		do_record();
	else if (strcmp(what, "outdated") == 0)
		printf("outdated: %s\n", confine_is_outdated(&confine) ? "yes" : "no");
	else if (strcmp(what, "read") == 0)
		do_open("read", O_RDONLY);
	else if (strcmp(what, "write") == 0)
		do_open("write", O_WRONLY);
	else if (strcmp(what, "make") == 0)
		do_open("make", O_WRONLY | O_CREAT | O_EXCL);
	else if (strcmp(what, "exec") == 0)
		do_exec();
	else if (strcmp(what, "connect") == 0)
		do_connect(NULL);
	else if (strcmp(what, "from") == 0)
		do_connect(word());
	else if (strcmp(what, "bind") == 0)
		do_bind();
	else if (strcmp(what, "signal") == 0)
		say("signal", kill(atoi(word()), 0) == 0);
	else if (strcmp(what, "trace") == 0)
		do_trace();
	else if (strcmp(what, "limits") == 0)
		do_limits();
	else if (strcmp(what, "calls") == 0)
		do_calls();
	else if (strcmp(what, "code") == 0)
		do_code();
	else if (strcmp(what, "wait") == 0)
		(void)sleep((unsigned)atoi(word()));
	else
		die(what, "no such word");
	(void)fflush(stdout);
}

static void
option_set(char *option)
{
	char *value = strchr(option, '=');

	if (value == NULL)
		die(option, "not KEY=VALUE");
	*value++ = '\0';
	if (mtasts_config_set(config, option, value) != 0)
		die("option", mtasts_config_error(config));
}

int
main(int argc, char **argv)
{
	char text[256];
	struct buf words;
	int c;

	if (mtasts_config_load("/dev/null", &config) != 0)
		die("configuration", mtasts_config_error(config));
	while ((c = getopt(argc, argv, "+o:")) == 'o')
		option_set(optarg);
	next = argv + optind;
	buf_init(&words, text, sizeof text);
	if (confine_become(config, &words) != 0)
		die("confine_become", words.p);
	if (mtasts_new(config, log_say, NULL, &ctx) != 0)
		die("mtasts_new", "no context");
	if (confine_enter(&confine, config, &words) != 0)
		die("confine_enter", strerror(errno));
	printf("missing: %s\n", words.p);
	(void)fflush(stdout);
	while (*next != NULL)
		do_word(*next++);
	mtasts_free(ctx);
	_exit(0); /* a leak checker would look at what it may not */
}
