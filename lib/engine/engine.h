/* SPDX-License-Identifier: ISC
 *
 * Drives look-ups over a cache and a network, many at once in one process; and the blocking calls
 * on top of that.  Every look-up is answered by its deadline, whatever cache and network do, but
 * for the local disk, which is waited for.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/cache.h"
#include "engine/asks.h"
#include "mtasts.h"
#include "net/net.h"

struct engine;

struct engine_config {
	unsigned max_fetches; /* look-ups under a lease at once on this host */
	bool fault_delivers;  /* cache_fault = deliver */
};

/* All borrowed until engine_free().  NULL: out of memory. */
struct engine *engine_new(const struct engine_config *config, const struct cache *cache,
    const struct net *net, const struct clock *clock, const struct log *log);
/*
 * Look-ups under way are dropped, their callbacks never run.  is_child: we are a fork()ed copy;
 * neither cache nor network is touched.  NULL is fine.
 */
void engine_free(struct engine *engine, bool is_child);

/*
 * As mtasts_start(): done runs inside engine_process(), exactly once, unless cancelled.  0,
 * MTASTS_ENOMEM, or MTASTS_EBUSY beyond LIMIT_LOOKUPS.
 */
int engine_start(struct engine *engine, const struct domain *domain, unsigned flags, int timeout_ms,
    mtasts_lookup_fn *done, void *arg, uint64_t *id);
/*
 * A question of any kind, under the same rules: 0, and ask is the engine's and has its id; or why
 * nothing could be begun, and it stays the caller's.
 */
int engine_ask(struct engine *engine, struct ask *ask, const struct net_question *questions,
    size_t n, int timeout_ms);
/* Of a look-up or a question.  An id that is over changes nothing. */
void engine_cancel(struct engine *engine, uint64_t id);
size_t engine_pollfds(struct engine *engine, struct pollfd *fds, size_t cap, int *timeout_ms);
void engine_process(struct engine *engine);

/* Blocking; callbacks of others wait for the next engine_process(). */
int engine_lookup(struct engine *engine, const struct domain *domain, unsigned flags,
    int timeout_ms, struct mtasts_policy **policy);
/* A silent question to the network, until it is over: then it is the caller's. */
void engine_ask_wait(struct engine *engine, struct ask *ask);
/*
 * Blocking: done runs at most once for each question, before this returns.  0 (what was not
 * answered in time had no callback), or why nothing could be begun.
 */
int engine_resolve(struct engine *engine, const struct net_question *questions, size_t n,
    int timeout_ms, net_answer_fn *done, void *arg);

#endif
