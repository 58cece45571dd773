/* SPDX-License-Identifier: ISC
 *
 * Makes a running helper do what an intruder in it would try: stops it with ptrace(2) (as root,
 * from outside its walls), has it make one system call of ours, and lets it go on as if nothing
 * had been.  What the kernel answers is what its walls are worth.
 *
 *	inject PID open PATH | write PATH | socket FAMILY TYPE | connect ADDRESS PORT |
 *	       kill PID | setuid | fork | exec | executable
 *
 * One word on standard output: "ok", "errno=13", or "killed" when the process ended by it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

enum { RED_ZONE = 256, WORD = sizeof(long) };

static pid_t target;
static unsigned long memory; /* of the target, below its stack */

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Octets into the target's memory. */
static void
poke(unsigned long at, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += WORD) {
		long word = 0;
		memcpy(&word, (const char *)bytes + i, n - i < WORD ? n - i : WORD);
		if (ptrace(PTRACE_POKEDATA, target, at + i, word) != 0)
			fail("poke");
	}
}

/* One system call in the target; ends this program when the target ends. */
static long
call(long number, long a, long b, long c)
{
	struct user_regs_struct saved, regs;
	int status = 0;

	if (ptrace(PTRACE_GETREGS, target, NULL, &saved) != 0)
		fail("getregs");
	regs = saved;
	regs.orig_rax = (unsigned long)-1; /* what was interrupted is not resumed now */
	regs.rip -= 2;			   /* at its "syscall" instruction */
	regs.rax = (unsigned long)number;
	regs.rdi = (unsigned long)a;
	regs.rsi = (unsigned long)b;
	regs.rdx = (unsigned long)c;
	regs.r10 = regs.r8 = regs.r9 = 0;
	if (ptrace(PTRACE_SETREGS, target, NULL, &regs) != 0)
		fail("setregs");
	if (ptrace(PTRACE_SINGLESTEP, target, NULL, NULL) != 0 || waitpid(target, &status, 0) < 0)
		fail("step");
	if (!WIFSTOPPED(status)) {
		printf("killed signal=%d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		exit(0);
	}
	if (ptrace(PTRACE_GETREGS, target, NULL, &regs) != 0)
		fail("getregs");
	if (ptrace(PTRACE_SETREGS, target, NULL, &saved) != 0)
		fail("setregs");
	return (long)regs.rax;
}

static long
put_text(const char *text)
{
	poke(memory, text, strlen(text) + 1);
	return (long)memory;
}

static long
try_connect(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		exit(64);
	long fd = call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	poke(memory, &to, sizeof to);
	long r = call(SYS_connect, fd, (long)memory, sizeof to);
	call(SYS_close, fd, 0, 0);
	return r == -EINPROGRESS ? 0 : r;
}

static long
try_open(const char *path, long flags)
{
	long fd = call(SYS_openat, AT_FDCWD, put_text(path), flags);

	if (fd >= 0)
		call(SYS_close, fd, 0, 0);
	return fd;
}

static long
attempt(int argc, char **argv)
{
	const char *what = argv[0], *first = argc > 1 ? argv[1] : "",
		   *second = argc > 2 ? argv[2] : "";

	if (strcmp(what, "open") == 0)
		return try_open(first, O_RDONLY);
	if (strcmp(what, "write") == 0)
		return try_open(first, O_WRONLY);
	if (strcmp(what, "socket") == 0)
		return call(SYS_socket, atoi(first), atoi(second), 0);
	if (strcmp(what, "connect") == 0)
		return try_connect(first, second);
	if (strcmp(what, "kill") == 0)
		return call(SYS_kill, atoi(first), SIGTERM, 0);
	if (strcmp(what, "setuid") == 0)
		return call(SYS_setuid, 0, 0, 0);
	if (strcmp(what, "fork") == 0)
		return call(SYS_fork, 0, 0, 0);
	if (strcmp(what, "exec") == 0)
		return call(SYS_execve, put_text("/bin/true"), 0, 0);
	if (strcmp(what, "executable") == 0)
		return call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	exit(64);
}

int
main(int argc, char **argv)
{
	struct user_regs_struct regs;
	int status = 0;

	if (argc < 3)
		return 64;
	target = (pid_t)atoi(argv[1]);
	if (ptrace(PTRACE_ATTACH, target, NULL, NULL) != 0 || waitpid(target, &status, 0) < 0)
		fail("attach");
	if (ptrace(PTRACE_GETREGS, target, NULL, &regs) != 0)
		fail("getregs");
	long code = ptrace(PTRACE_PEEKTEXT, target, regs.rip - 2, NULL);
	if ((code & 0xffff) != 0x050f) {
		fprintf(stderr, "inject: not in a system call\n");
		return 1;
	}
	memory = (regs.rsp - RED_ZONE - 4096) & ~15UL;
	long r = attempt(argc - 2, argv + 2);
	if (r < 0)
		printf("errno=%ld\n", -r);
	else
		printf("ok\n");
	if (ptrace(PTRACE_DETACH, target, NULL, NULL) != 0)
		fail("detach");
	return 0;
}

#else

int
main(void)
{
	fprintf(stderr, "inject: written for x86-64\n");
	return 77;
}

#endif
