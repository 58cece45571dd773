/* SPDX-License-Identifier: ISC
 *
 * One process, many conversations: descriptors, timers and the library's look-ups, each calling
 * back from loop_run() and from nowhere else.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "mtasts.h"

struct loop;

/* events: POLLIN, POLLOUT, POLLERR, POLLHUP. */
typedef void loop_fd_fn(void *arg, short events);
typedef void loop_timer_fn(void *arg);

/* Embedded in its owner; zero it first, fill fd, fn and arg.  May be forgotten in any callback. */
struct loop_fd {
	int fd;
	loop_fd_fn *fn;
	void *arg;
	struct loop_slot *slot; /* the loop's; NULL: not watched */
};

/* Embedded in its owner; zero it first, fill fn and arg. */
struct loop_timer {
	loop_timer_fn *fn;
	void *arg;
	int64_t at_ms;	/* monotonic */
	uint64_t order; /* the loop's: which of one instant comes first */
	size_t place;	/* the loop's, counted from 1; 0: not set */
};

/* clock is borrowed.  NULL with errno. */
struct loop *loop_new(const struct clock *clock);
/* Whatever is watched or set is forgotten; nothing is called.  In a fork()ed copy it leaves the
 * parent's loop as it is. */
void loop_free(struct loop *loop);

/*
 * Watch for events from now on (POLLIN, POLLOUT; 0: for errors alone).  0, or -1 with errno.  A
 * callback that was due in the wake-up that forgets it is not called any more.
 */
int loop_watch(struct loop *loop, struct loop_fd *fd, short events);
/* Before the descriptor is closed; harmless when it is not watched. */
void loop_forget(struct loop *loop, struct loop_fd *fd);

/*
 * Once, in so many ms; set anew when it was set, which cannot fail.  0: as soon as the callback has
 * returned to the loop, never from inside the call.  Those of one instant come in the order in
 * which they were set.  0, or MTASTS_ENOMEM with the timer not set.
 */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t in_ms);
void loop_timer_end(struct loop *loop, struct loop_timer *timer);

/* The library's descriptors, its timeout and mtasts_process() are the loop's from here on; NULL
 * lets go of it.  ctx is borrowed. */
void loop_library(struct loop *loop, struct mtasts *ctx);

int64_t loop_now_ms(const struct loop *loop); /* monotonic, as of the last wake-up */

/* Until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
