/* SPDX-License-Identifier: ISC
 *
 * Starting and ending a helper's process.  Between fork() and execve() only what is
 * async-signal-safe is called, for the host may have threads.
 */
#include "net/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/owner.h"
#include "net/wire.h"

enum {
	PASSWD_MAX = 16384, /* octets of one line of the user database */
	CLOSE_MAX = 65536,  /* descriptors closed one by one where there is no better way */
	END_MS = 1000,	    /* for a killed process to be gone */
	END_STEP_MS = 2,    /* between two looks, without a pidfd */
	FIRST_FREE = 3,	    /* descriptor after the standard ones */
};

int
process_identify(const char *user, struct process_identity *identity, struct buf *why)
{
	char text[PASSWD_MAX];
	struct passwd passwd, *found = NULL;

	if (!owner_is_root()) {
		*identity = (struct process_identity){ false, geteuid(), getegid() };
		return 0;
	}
	int r = getpwnam_r(user, &passwd, text, sizeof text, &found);
	if (r != 0 || found == NULL) {
		buf_printf(why, "no user %s", user);
		return -1;
	}
	if (found->pw_uid == 0 || found->pw_gid == 0) {
		buf_printf(why, "user %s is root", user);
		return -1;
	}
	*identity = (struct process_identity){ true, found->pw_uid, found->pw_gid };
	return 0;
}

/* ---- in the child, before execve() ---- */

struct plan {
	const char *const *argv;
	const struct process_identity *identity;
	const struct process_limits *limits;
	pid_t parent;
	int fd;
};

/* Tell the parent in its own language, and end. */
static void
die(int fd, const char *what)
{
	int error = errno;
	char storage[WIRE_HEAD + WIRE_TEXT + 16];
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	if (wire_note_format(&out, true, (uint32_t)error, what) == 0)
		(void)send(fd, out.p, out.n, MSG_NOSIGNAL);
	_exit(127);
}

static void
reset_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = SIG_DFL;
	sigemptyset(&action.sa_mask);
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &action, NULL); /* not of SIGKILL, SIGSTOP, libc's own */
}

static void
close_from(int first)
{
#ifdef HAVE_CLOSE_RANGE
	if (close_range((unsigned)first, ~0U, 0) == 0)
		return;
#endif
	struct rlimit limit = { CLOSE_MAX, CLOSE_MAX };
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	int last = limit.rlim_cur < CLOSE_MAX ? (int)limit.rlim_cur : CLOSE_MAX;
	for (int fd = first; fd < last; fd++)
		(void)close(fd);
}

/* Standard input and output are the pair's end, standard error leads nowhere; no other is open. */
static int
set_descriptors(int fd)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0)
		null = open("/", O_RDONLY); /* a bare chroot: what is written fails */
	if (null < 0 || dup2(null, STDERR_FILENO) < 0)
		return -1;
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return -1;
	close_from(FIRST_FREE);
	return 0;
}

static int
set_identity(const struct process_identity *identity)
{
	uid_t uid = identity->uid;
	gid_t gid = identity->gid;

	if (identity->is_root) {
		if (geteuid() != 0 && seteuid(0) != 0)
			return -1;
		if (setgroups(0, NULL) != 0)
			return -1;
	}
#ifdef HAVE_SETRESUID
	if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return -1;
#else
	if (setregid(gid, gid) != 0 || setreuid(uid, uid) != 0)
		return -1;
#endif
	if (identity->is_root && (setuid(0) == 0 || seteuid(0) == 0)) {
		errno = EPERM; /* the way back must be shut */
		return -1;
	}
	return 0;
}

/* Hard and soft; where the hard one may not be changed, the soft one alone. */
static int
set_limit(int resource, size_t value)
{
	struct rlimit old = { RLIM_INFINITY, RLIM_INFINITY }, limit = { value, value };

	(void)getrlimit(resource, &old);
	if (old.rlim_max < limit.rlim_max)
		limit.rlim_cur = limit.rlim_max = old.rlim_max;
	if (setrlimit(resource, &limit) == 0)
		return 0;
	limit.rlim_max = old.rlim_max;
	return setrlimit(resource, &limit);
}

static int
set_limits(const struct process_limits *limits)
{
#ifndef WITH_SANITIZERS /* whose shadow is larger than any limit */
	if (set_limit(RLIMIT_AS, limits->memory) != 0)
		return -1;
#endif
	if (limits->no_process && set_limit(RLIMIT_NPROC, 0) != 0)
		return -1;
	if (set_limit(RLIMIT_CPU, limits->cpu) != 0 || set_limit(RLIMIT_NOFILE, limits->files) != 0)
		return -1;
	return set_limit(RLIMIT_CORE, 0) != 0 || set_limit(RLIMIT_FSIZE, 0) != 0 ? -1 : 0;
}

/* No new privileges by execve(), and no life after the parent's. */
static int
set_bonds(pid_t parent)
{
#ifdef HAVE_SYS_PRCTL_H
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return -1;
#endif
	if (getppid() != parent)
		_exit(127); /* it died before the line above */
	return 0;
}

static void
child(const struct plan *plan)
{
	static const char *const no_environment[] = { NULL };
	sigset_t none;

	reset_signals();
	if (set_descriptors(plan->fd) != 0)
		die(plan->fd, "descriptors");
	(void)setsid();
	(void)umask(077);
	if (chdir("/") != 0)
		die(STDOUT_FILENO, "chdir");
	if (set_identity(plan->identity) != 0)
		die(STDOUT_FILENO, "setresuid");
	if (set_limits(plan->limits) != 0)
		die(STDOUT_FILENO, "setrlimit");
	if (set_bonds(plan->parent) != 0)
		die(STDOUT_FILENO, "prctl");
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* execve() takes no const, and changes nothing */
	union {
		const char *const *in;
		char *const *out;
	} argv = { plan->argv }, environment = { no_environment };
	execve(plan->argv[0], argv.out, environment.out);
	die(STDOUT_FILENO, "execve");
}

/* ---- in the parent ---- */

/* Keep clear of the standard descriptors, which a host may have closed. */
static int
lift(int *fd)
{
	if (*fd >= FIRST_FREE)
		return 0;
	int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FREE);
	if (lifted < 0)
		return -1;
	close(*fd);
	*fd = lifted;
	return 0;
}

static int
pair(int fds[2])
{
	int kind = SOCK_STREAM;
#ifdef SOCK_CLOEXEC
	kind |= SOCK_CLOEXEC;
#endif
	if (socketpair(AF_UNIX, kind, 0, fds) != 0)
		return -1;
	if (lift(&fds[0]) == 0 && lift(&fds[1]) == 0 && fcntl(fds[0], F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(fds[1], F_SETFD, FD_CLOEXEC) == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	close(fds[0]);
	close(fds[1]);
	return -1;
}

static int
pidfd_of(pid_t pid)
{
#if HAVE_DECL_SYS_PIDFD_OPEN
	return (int)syscall(SYS_pidfd_open, pid, 0U); /* close-on-exec by itself */
#else
	(void)pid;
	return -1;
#endif
}

int
process_start(const char *const *argv, const struct process_identity *identity,
    const struct process_limits *limits, struct process *process, struct buf *why)
{
	int fds[2];
	sigset_t all, old;

	if (pair(fds) != 0) {
		buf_printf(why, "socketpair: %s", strerror(errno));
		return -1;
	}
	struct plan plan = { argv, identity, limits, getpid(), fds[1] };
	/* No handler of the host runs in the child, and none reaps it before there is a pidfd. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t pid = fork();
	if (pid == 0)
		child(&plan);
	int error = errno;
	int pidfd = pid > 0 ? pidfd_of(pid) : -1;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		buf_printf(why, "fork: %s", strerror(error));
		return -1;
	}
	*process = (struct process){ pid, pidfd, fds[0] };
	return 0;
}

static void
send_kill(const struct process *process)
{
#if HAVE_DECL_SYS_PIDFD_SEND_SIGNAL
	if (process->pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0U);
		return;
	}
#endif
	/* Still there and still our child: the number is its own. */
	if (waitpid(process->pid, NULL, WNOHANG) == 0)
		(void)kill(process->pid, SIGKILL);
}

/* It has ended, and been reaped by whomever. */
static bool
is_gone(const struct process *process)
{
#if HAVE_DECL_SYS_PIDFD_OPEN && HAVE_DECL_P_PIDFD
	if (process->pidfd >= 0) {
		siginfo_t info;
		memset(&info, 0, sizeof info);
		int r = waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG);
		return r != 0 || info.si_pid != 0;
	}
#endif
	return waitpid(process->pid, NULL, WNOHANG) != 0;
}

static void
wait_a_little(const struct process *process, int ms)
{
	struct pollfd fd = { process->pidfd, POLLIN, 0 };

	if (process->pidfd >= 0)
		(void)poll(&fd, 1, ms);
	else
		(void)poll(NULL, 0, END_STEP_MS);
}

void
process_end(struct process *process)
{
	struct clock clock = clock_system();
	sigset_t child_signal, old;

	if (process->pid == 0)
		return;
	/* Reap it here rather than in a handler that never heard of it. */
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &child_signal, &old);
	int64_t until = clock_mono_ms(&clock) + END_MS;
	int64_t now = until - END_MS;
	for (send_kill(process); !is_gone(process) && now < until; now = clock_mono_ms(&clock))
		wait_a_little(process, (int)(until - now));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	process_forget(process);
}

void
process_forget(struct process *process)
{
	if (process->pidfd >= 0)
		close(process->pidfd);
	if (process->fd >= 0)
		close(process->fd);
	*process = (struct process){ 0, -1, -1 };
}
