/* SPDX-License-Identifier: ISC
 *
 * A seccomp filter: a list of what is allowed.  Anything else does not exist (ENOSYS, on which the
 * C library falls back to older calls), and what only an intruder tries ends the process.
 */
#include "sandbox/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

#ifdef HAVE_SECCOMP
#include <seccomp.h>

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

/* Who writes: a store in SQLite, a journal. */
static const int writing[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fallocate),
	SCMP_SYS(fchmod),
	SCMP_SYS(umask),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
};

static const int serving[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(bind),
};

/*
 * Who starts programs: what is done on both sides of fork(), by the program's loader, and by the
 * program until it stands behind walls of its own.
 */
static const int starting[] = {
	SCMP_SYS(execve),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(waitpid),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(kill),
	SCMP_SYS(tgkill),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(close_range),
	SCMP_SYS(chdir),
	SCMP_SYS(setsid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresuid32),
	SCMP_SYS(setresgid),
	SCMP_SYS(setresgid32),
	SCMP_SYS(getresuid),
	SCMP_SYS(getresuid32),
	SCMP_SYS(getresgid),
	SCMP_SYS(getresgid32),
	SCMP_SYS(getgroups),
	SCMP_SYS(getgroups32),
	SCMP_SYS(getrlimit),
	SCMP_SYS(ugetrlimit),
	SCMP_SYS(setrlimit),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(set_thread_area),
	SCMP_SYS(set_tls),
	SCMP_SYS(statfs),
	SCMP_SYS(statfs64),
	SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
};

/* No programme of ours calls these; whoever does is none of us. */
static const int fatal[] = {
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
};

/* Nor these, who starts nothing. */
static const int fatal_to_others[] = {
	SCMP_SYS(execve),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
};

#define N(list) (sizeof(list) / sizeof(list)[0])

enum { SOCKET_KIND = 0xf /* of socket()'s type, without its flags */ };

/* Of clone(): a world of one's own, where one may be root. */
static const scmp_datum_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

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
	if (r == 0 && sandbox->datagrams && !sandbox->serves)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0);
	return r;
}

/* A thread is a clone() with CLONE_THREAD; any other is a process. */
static int
allow_clones(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
#if defined(__s390__)
	const unsigned at = 1;
#else
	const unsigned at = 0;
#endif
	struct scmp_arg_cmp is_process = masked(at, CLONE_THREAD, 0);
	struct scmp_arg_cmp is_thread = masked(at, CLONE_THREAD, CLONE_THREAD);
	int r;

	if (sandbox->starts)
		return allow_when(filter, SCMP_SYS(clone), masked(at, namespaces, 0));
	r = seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, &is_process);
	if (r == 0 && sandbox->threads)
		r = allow_when(filter, SCMP_SYS(clone), is_thread);
	return r;
}

struct call {
	int call;
	struct scmp_arg_cmp condition;
};

static int
allow_calls(scmp_filter_ctx filter, const struct call *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = allow_when(filter, calls[i].call, calls[i].condition);
	return r;
}

/* Memory not to be executed, files only to be read, limits only to be known, and the like. */
static int
allow_with_arguments(scmp_filter_ctx filter)
{
	const struct call calls[] = {
		{ SCMP_SYS(mmap), masked(2, PROT_EXEC, 0) },
		{ SCMP_SYS(mmap2), masked(2, PROT_EXEC, 0) },
		{ SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0) },
		{ SCMP_SYS(ioctl), equal(1, FIONBIO) },
		{ SCMP_SYS(ioctl), equal(1, FIONREAD) },
		{ SCMP_SYS(prlimit64), equal(2, 0) },
		{ SCMP_SYS(prctl), equal(0, PR_SET_NAME) },
	};

	return allow_calls(filter, calls, N(calls));
}

static int
allow_reading(scmp_filter_ctx filter)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
	const struct call calls[] = {
		{ SCMP_SYS(openat), masked(2, writes, O_RDONLY) },
		{ SCMP_SYS(open), masked(1, writes, O_RDONLY) },
	};

	return allow_calls(filter, calls, N(calls));
}

/* What a loader maps is never written to; limits and ties are its own alone. */
static int
allow_starting(scmp_filter_ctx filter)
{
	const struct call calls[] = {
		{ SCMP_SYS(mmap), masked(2, PROT_WRITE | PROT_EXEC, PROT_EXEC) },
		{ SCMP_SYS(mmap2), masked(2, PROT_WRITE | PROT_EXEC, PROT_EXEC) },
		{ SCMP_SYS(prlimit64), equal(0, 0) },
		{ SCMP_SYS(prctl), equal(0, PR_SET_NO_NEW_PRIVS) },
		{ SCMP_SYS(prctl), equal(0, PR_SET_DUMPABLE) },
		{ SCMP_SYS(prctl), equal(0, PR_SET_PDEATHSIG) },
		{ SCMP_SYS(prctl), equal(0, PR_GET_SECCOMP) },
		{ SCMP_SYS(prctl), equal(0, PR_SET_SECCOMP) },
	};

	return allow_calls(filter, calls, N(calls));
}

static int
add_list(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(filter, action, calls[i], 0);
	return r;
}

static int
fill_lists(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	int r = add_list(filter, SCMP_ACT_ALLOW, allowed, N(allowed));

	if (r == 0 && sandbox->writes)
		r = add_list(filter, SCMP_ACT_ALLOW, writing, N(writing));
	if (r == 0 && sandbox->serves)
		r = add_list(filter, SCMP_ACT_ALLOW, serving, N(serving));
	if (r == 0 && sandbox->starts)
		r = add_list(filter, SCMP_ACT_ALLOW, starting, N(starting));
	if (r == 0)
		r = add_list(filter, kill_action(), fatal, N(fatal));
	if (r == 0 && !sandbox->starts)
		r = add_list(filter, kill_action(), fatal_to_others, N(fatal_to_others));
	return r;
}

static int
fill(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	int r = fill_lists(filter, sandbox);

	if (r == 0)
		r = allow_with_arguments(filter);
	if (r == 0 && !sandbox->writes)
		r = allow_reading(filter);
	if (r == 0 && sandbox->starts)
		r = allow_starting(filter);
	if (r == 0 && !sandbox->starts) /* abort() */
		r = allow_when(filter, SCMP_SYS(tgkill), equal(0, (scmp_datum_t)getpid()));
	if (r == 0)
		r = allow_clones(filter, sandbox);
	if (r == 0)
		r = allow_sockets(filter, sandbox);
	return r;
}

int
filter_enter(const struct sandbox *sandbox, struct buf *missing)
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
	int r = fill(filter, sandbox);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	errno = -r;
	return r == 0 ? 0 : -1;
}

#else

int
filter_enter(const struct sandbox *sandbox, struct buf *missing)
{
	(void)sandbox;
	buf_puts(missing, "built without seccomp; ");
	return 0;
}

#endif
