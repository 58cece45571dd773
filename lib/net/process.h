/* SPDX-License-Identifier: ISC
 *
 * One process of ours inside a host that we know nothing of: it may reap every child, ignore
 * SIGCHLD, block or catch any signal, be root or not.  Nothing of the host is changed by it, and
 * nothing of the host reaches the process: no environment, no descriptor, no privilege.
 */
#ifndef NET_PROCESS_H
#define NET_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

/* Whom a process becomes.  A host that is root in any of its user ids never lends it that. */
struct process_identity {
	bool is_root; /* the host: change to uid and gid, and to no other groups */
	uid_t uid;
	gid_t gid;
};

struct process_limits {
	size_t memory;	 /* octets of address space */
	size_t cpu;	 /* seconds */
	size_t files;	 /* descriptors */
	bool no_process; /* nor a thread */
};

struct process {
	pid_t pid; /* 0: none */
	int pidfd; /* -1 where the kernel has none */
	int fd;	   /* our end of its standard input and output; does not block */
};

/* 0, or -1 with why: no such user, or a user who is root himself. */
int process_identify(const char *user, struct process_identity *identity, struct buf *why);

/*
 * argv[0] is the absolute path.  0, or -1 with why.  Whatever fails later, execve(2) included, is
 * told on fd by a fatal wire note.
 */
int process_start(const char *const *argv, const struct process_identity *identity,
    const struct process_limits *limits, struct process *process, struct buf *why);

/*
 * Kill it, wait for its end (one second at most: only a process stuck in the kernel takes
 * longer) and reap it if nobody else has.  Afterwards *process is none; none is fine.
 */
void process_end(struct process *process);
/* In a child of the host: forget it. */
void process_forget(struct process *process);

#endif
