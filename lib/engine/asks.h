/* SPDX-License-Identifier: ISC
 *
 * Questions that are answered later: the MX hosts of a domain, the addresses of a host, what to do
 * after a recheck.  Each is answered by its deadline whatever the network does, and kept until
 * somebody takes the answer.  What is asked, and what an answer means, is the affair of its kind.
 */
#ifndef ENGINE_ASKS_H
#define ENGINE_ASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

enum { ASK_QUESTIONS = 2 };

struct ask;

struct ask_kind {
	/* Once for each question put to the network; one that is late is UNKNOWN. */
	void (*answer)(struct ask *ask, size_t i, const struct net_answer *answer);
	/* It is over: its callback gets what came of it.  In no list any more; free() follows. */
	void (*tell)(struct ask *ask);
	/* What it still holds, and itself. */
	void (*free)(struct ask *ask);
};

/* The first member of each kind's own struct; zero it first. */
struct ask {
	const struct ask_kind *kind;
	bool is_silent; /* no callback: a blocking call takes the answer itself */
	bool is_over;
	uint64_t id;
	int64_t deadline_ms; /* monotonic; of its questions to the network */
	struct ask *next;
	struct net_request *request; /* NULL: none is under way */
	size_t n_open;
	bool is_open[ASK_QUESTIONS];
};

/* Zero it first. */
struct asks {
	struct ask *first; /* in the order of their start */
	size_t n;
};

/*
 * 0 and the questions are put (none, when its kind finds out by other means): ask is the list's.
 * Or why nothing could be begun: ask stays the caller's.
 */
int asks_start(struct asks *asks, const struct net *net, struct ask *ask,
    const struct net_question *questions, size_t n);
/* Those whose time is up are over: call it after the network's process(). */
void asks_tick(struct asks *asks, const struct net *net, int64_t now_ms);
/* The instant of the next deadline; now_ms where one is over and its callback is due; or -1. */
int64_t asks_wake(const struct asks *asks, bool is_telling, int64_t now_ms);
/* Those that are over and have a callback, begun no later than last_id.  Callbacks may start and
 * cancel. */
void asks_tell(struct asks *asks, uint64_t last_id);
/* Out of the list: it is the caller's. */
void asks_take(struct asks *asks, struct ask *ask);
/* false: no such id. */
bool asks_cancel(struct asks *asks, const struct net *net, uint64_t id);
/* net NULL: it is not touched (we are a fork()ed copy). */
void asks_clear(struct asks *asks, const struct net *net);

#endif
