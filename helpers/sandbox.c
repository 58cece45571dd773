/* SPDX-License-Identifier: ISC
 *
 * Landlock (files, TCP ports, signals to others) and a seccomp filter.  The filter is a list of
 * what is allowed: anything else does not exist (ENOSYS, on which the C library falls back to
 * older calls), and what only an intruder tries ends the process.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif
#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>
#endif

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

/* ---- Landlock ---- */

#if defined(HAVE_LINUX_LANDLOCK_H) && HAVE_DECL_SYS_LANDLOCK_CREATE_RULESET

/* As of Landlock's version 6; older headers do not have all of it, older kernels want zeros. */
struct ruleset {
	uint64_t files;
	uint64_t ports;
	uint64_t scoped;
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

enum {
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_PORTS = 4,
	ABI_IOCTL = 5,
	ABI_SCOPES = 6,
	FILES_1 = (1 << 13) - 1, /* the rights of version 1 */
	FILES_REFER = 1 << 13,
	FILES_TRUNCATE = 1 << 14,
	FILES_IOCTL = 1 << 15,
	PORTS_BIND = 1 << 0,
	PORTS_CONNECT = 1 << 1,
	SCOPE_ABSTRACT_UNIX = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
	RULE_PORT = 2,
};

static struct ruleset
handled(unsigned abi)
{
	struct ruleset r = { FILES_1, 0, 0 };

	if (abi >= ABI_REFER)
		r.files |= FILES_REFER;
	if (abi >= ABI_TRUNCATE)
		r.files |= FILES_TRUNCATE;
	if (abi >= ABI_PORTS)
		r.ports = PORTS_BIND | PORTS_CONNECT;
	if (abi >= ABI_IOCTL)
		r.files |= FILES_IOCTL;
	if (abi >= ABI_SCOPES)
		r.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return r;
}

void
sandbox_init(struct sandbox *sandbox)
{
	long abi =
	    syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	*sandbox = (struct sandbox){ .ruleset = -1 };
	if (abi < 1)
		return;
	struct ruleset r = handled((unsigned)abi);
	sandbox->abi = (unsigned)abi;
	sandbox->ruleset = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0U);
	if (sandbox->ruleset < 0)
		sandbox->abi = 0;
}

int
sandbox_allow(struct sandbox *sandbox, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	struct stat st;

	if (sandbox->ruleset < 0)
		return 0;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -1;
	if (fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	long r =
	    syscall(SYS_landlock_add_rule, sandbox->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U);
	close(rule.parent_fd);
	return r == 0 ? 0 : -1;
}

static int
landlock_enter(struct sandbox *sandbox, struct buf *missing)
{
	if (sandbox->ruleset < 0) {
		buf_puts(missing, "no Landlock in this kernel; ");
		return 0;
	}
	for (size_t i = 0; sandbox->abi >= ABI_PORTS && i < sandbox->n_ports; i++) {
		struct port_rule rule = { PORTS_CONNECT, sandbox->ports[i] };
		if (syscall(SYS_landlock_add_rule, sandbox->ruleset, RULE_PORT, &rule, 0U) != 0)
			return -1;
	}
	long r = syscall(SYS_landlock_restrict_self, sandbox->ruleset, 0U);
	close(sandbox->ruleset);
	sandbox->ruleset = -1;
	return r == 0 ? 0 : -1;
}

#else

void
sandbox_init(struct sandbox *sandbox)
{
	*sandbox = (struct sandbox){ .ruleset = -1 };
}

int
sandbox_allow(struct sandbox *sandbox, const char *path)
{
	(void)sandbox;
	(void)path;
	return 0;
}

static int
landlock_enter(struct sandbox *sandbox, struct buf *missing)
{
	(void)sandbox;
	buf_puts(missing, "built without Landlock; ");
	return 0;
}

#endif

/* ---- seccomp ---- */

#ifdef HAVE_SECCOMP

static const int allowed[] = {
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* descriptors */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(stat),
	SCMP_SYS(stat64),
	SCMP_SYS(lstat),
	SCMP_SYS(lstat64),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(getdents64),
	SCMP_SYS(pipe2),
	SCMP_SYS(eventfd2),
	/* waiting */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(select),
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	/* sockets; socket() itself below */
	SCMP_SYS(connect),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(send),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recv),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(shutdown),
	SCMP_SYS(socketpair),
	/* time, chance, itself */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(times),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
	/* signals to itself, threads' book-keeping, the end */
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(membarrier),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* No programme of ours calls these once it serves; whoever does is none of us. */
static const int fatal[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
};

enum { SOCKET_KIND = 0xf /* of socket()'s type, without its flags */ };

/* Argument at (counted from 0), with only the bits of mask, has that value. */
static struct scmp_arg_cmp
masked(unsigned at, scmp_datum_t mask, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){ at, SCMP_CMP_MASKED_EQ, mask, value };
}

static struct scmp_arg_cmp
equal(unsigned at, scmp_datum_t value)
{
	return masked(at, ~(scmp_datum_t)0, value);
}

/* Kernels before 4.14 end the thread alone; libseccomp's API 3 says that this one is younger. */
static uint32_t
kill_action(void)
{
	return seccomp_api_get() >= 3 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL_THREAD;
}

/* A system call when one argument is so; 0 or a negative errno, as all below. */
static int
allow_when(scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition);
}

static int
allow_socket(scmp_filter_ctx filter, int family, int kind)
{
	struct scmp_arg_cmp conditions[] = {
		equal(0, (scmp_datum_t)family),
		masked(1, SOCKET_KIND, (scmp_datum_t)kind),
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, conditions);
}

static int
allow_sockets(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < 2; i++) {
		r = allow_socket(filter, families[i], SOCK_STREAM);
		if (r == 0 && sandbox->datagrams)
			r = allow_socket(filter, families[i], SOCK_DGRAM);
	}
	if (r == 0 && sandbox->datagrams)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0);
	return r;
}

/* A thread is a clone() with CLONE_THREAD; any other is a process. */
static int
allow_threads(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
#if defined(__s390__)
	const unsigned at = 1;
#else
	const unsigned at = 0;
#endif
	struct scmp_arg_cmp is_process = masked(at, CLONE_THREAD, 0);
	struct scmp_arg_cmp is_thread = masked(at, CLONE_THREAD, CLONE_THREAD);
	int r =
	    seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, &is_process);

	if (r == 0 && sandbox->threads)
		r = allow_when(filter, SCMP_SYS(clone), is_thread);
	return r;
}

/* Memory not to be executed, files only to be read, limits only to be known, and the like. */
static int
allow_with_arguments(scmp_filter_ctx filter)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
	const struct {
		int call;
		struct scmp_arg_cmp condition;
	} calls[] = {
		{ SCMP_SYS(mmap), masked(2, PROT_EXEC, 0) },
		{ SCMP_SYS(mmap2), masked(2, PROT_EXEC, 0) },
		{ SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0) },
		{ SCMP_SYS(openat), masked(2, writes, O_RDONLY) },
		{ SCMP_SYS(open), masked(1, writes, O_RDONLY) },
		{ SCMP_SYS(ioctl), equal(1, FIONBIO) }, { SCMP_SYS(ioctl), equal(1, FIONREAD) },
		{ SCMP_SYS(prlimit64), equal(2, 0) }, { SCMP_SYS(prctl), equal(0, PR_SET_NAME) },
		{ SCMP_SYS(tgkill), equal(0, (scmp_datum_t)getpid()) }, /* abort() */
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof calls / sizeof calls[0]; i++)
		r = allow_when(filter, calls[i].call, calls[i].condition);
	return r;
}

static int
filter_fill(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; r == 0 && i < sizeof fatal / sizeof fatal[0]; i++)
		r = seccomp_rule_add(filter, kill_action(), fatal[i], 0);
	if (r == 0)
		r = allow_with_arguments(filter);
	if (r == 0)
		r = allow_threads(filter, sandbox);
	if (r == 0)
		r = allow_sockets(filter, sandbox);
	return r;
}

static int
seccomp_enter(const struct sandbox *sandbox, struct buf *missing)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL) {
		buf_puts(missing, "no seccomp in this kernel; ");
		return 0;
	}
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL) {
		errno = ENOMEM;
		return -1;
	}
	int r = filter_fill(filter, sandbox);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	errno = -r;
	return r == 0 ? 0 : -1;
}

#else

static int
seccomp_enter(const struct sandbox *sandbox, struct buf *missing)
{
	(void)sandbox;
	buf_puts(missing, "built without seccomp; ");
	return 0;
}

#endif

int
sandbox_enter(struct sandbox *sandbox, struct buf *missing)
{
#ifdef HAVE_SYS_PRCTL_H
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -1;
#endif
	if (landlock_enter(sandbox, missing) != 0 || seccomp_enter(sandbox, missing) != 0)
		return -1;
	if (missing->n >= 2) { /* the last "; " */
		missing->n -= 2;
		missing->p[missing->n] = '\0';
	}
	return 0;
}
