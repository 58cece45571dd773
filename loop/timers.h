/* SPDX-License-Identifier: ISC
 *
 * Timers by their instant, and those of one instant in the order in which they were set: a binary
 * heap.
 */
#ifndef LOOP_TIMERS_H
#define LOOP_TIMERS_H

#include "loop/loop.h"

/* Zero it first. */
struct timers {
	struct loop_timer **heap; /* place 1 stands first */
	size_t n, cap;
	uint64_t order; /* of the next that is set */
};

void timers_clear(struct timers *timers); /* none is set any more */
/* 0, or MTASTS_ENOMEM with the timer not set. */
int timers_set(struct timers *timers, struct loop_timer *timer, int64_t at_ms);
void timers_end(struct timers *timers, struct loop_timer *timer);
struct loop_timer *timers_first(const struct timers *timers); /* NULL: none is set */

#endif
