/* SPDX-License-Identifier: ISC
 *
 * A helper at work: its process, and the messages on their way to and from it.
 */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/conf.h"
#include "net/process.h"
#include "net/wire.h"

enum worker_kind { WORKER_RESOLVE, WORKER_FETCH, WORKER_KINDS };

struct worker {
	enum worker_kind kind;
	struct process process;
	struct timespec resolv_conf; /* its mtime when this process read it */
	char *in;		     /* LIMIT_FRAME octets */
	size_t n_in;
	char *out;
	size_t n_out, cap_out;
	size_t n_asked; /* messages since its start */
};

/* "mtasts-resolve" */
const char *worker_program(enum worker_kind kind);

void worker_init(struct worker *worker, enum worker_kind kind);
bool worker_is_running(const struct worker *worker);

/* 0, or -1 with why. */
int worker_start(struct worker *worker, const struct mtasts_config *config,
    const struct process_identity *identity, struct buf *why);

/*
 * Of one that has nothing to do: it has ended, spoken out of turn, read an older resolv.conf, or
 * been asked so much that its limit of CPU time comes into sight.
 */
bool worker_is_stale(const struct worker *worker, const struct mtasts_config *config);

/* Append to what is to be sent.  0 or MTASTS_ENOMEM. */
int worker_queue(struct worker *worker, struct span message);
/* Send what the socket takes now.  0, or -1 when nobody will ever read it. */
int worker_send(struct worker *worker);
/* Octets that came: 1 some, 0 none now, -1 it has ended. */
int worker_receive(struct worker *worker);

/* Kill it and wait; what was on its way is dropped. */
void worker_end(struct worker *worker);
/* The same in its parent; only forget it in a child of that. */
void worker_clear(struct worker *worker, bool is_parent);

#endif
