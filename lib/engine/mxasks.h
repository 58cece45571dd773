/* SPDX-License-Identifier: ISC
 *
 * MX look-ups under way: one question to the network each, answered by its deadline whatever the
 * network does, and kept until somebody takes the answer.
 */
#ifndef ENGINE_MXASKS_H
#define ENGINE_MXASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "engine/mxset.h"
#include "mtasts.h"
#include "net/net.h"

struct mxask {
	struct mxask *next;
	uint64_t id;
	mtasts_mx_fn *done; /* NULL: a blocking call takes the answer itself */
	void *arg;
	int64_t deadline_ms; /* monotonic */
	struct domain domain;
	const struct log *log;
	struct net_request *request; /* NULL: over */
	struct mtasts_mxset *set;    /* when over; NULL: out of memory */
};

/* Zero it first. */
struct mxasks {
	struct mxask *first; /* in the order of their start */
	size_t n;
};

/* 0 and the question is put, or why nothing could be begun.  log is borrowed. */
int mxasks_start(struct mxasks *asks, const struct net *net, const struct log *log,
    const struct mxask *begin, struct mxask **ask);
bool mxask_is_over(const struct mxask *ask);
/* Those whose time is up are over: call it after the network's process(). */
void mxasks_tick(struct mxasks *asks, const struct net *net, int64_t now_ms);
/* The instant of the next deadline; now_ms where one is over and its callback is due; or -1. */
int64_t mxasks_wake(const struct mxasks *asks, bool is_telling, int64_t now_ms);
/* The first that is over and has a callback to run, begun no later than last_id; or NULL. */
struct mxask *mxasks_over(const struct mxasks *asks, uint64_t last_id);
/* Its answer, which is the caller's; the question is gone. */
int mxasks_take(struct mxasks *asks, struct mxask *ask, struct mtasts_mxset **set);
/* false: no such id. */
bool mxasks_cancel(struct mxasks *asks, const struct net *net, uint64_t id);
/* net NULL: it is not touched (we are a fork()ed copy). */
void mxasks_clear(struct mxasks *asks, const struct net *net);

#endif
