/* SPDX-License-Identifier: ISC
 *
 * A turn waits, serves the descriptors that have something, lets the library work, and then calls
 * the timers that are due.  What a callback takes away is not called in that turn; a descriptor's
 * slot is freed when the turn is over, for an event of it may still name it.
 */
#include "loop/loop.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "loop/guests.h"
#include "loop/timers.h"
#include "loop/watch.h"

enum { EVENTS = 256 /* of one turn */ };

struct loop_slot {
	struct loop_fd *owner; /* NULL: forgotten */
	short events;	       /* that are watched for */
	struct loop_slot *next, **at;
};

struct loop {
	const struct clock *clock;
	struct watch *watch;
	struct loop_slot *slots, *forgotten;
	struct timers timers;
	int64_t now_ms;
	bool is_in_turn, is_stopped;
	/* the library */
	struct mtasts *ctx;
	struct guests guests;
	bool is_library_due;
	int64_t library_ms; /* it wants to run then; -1: it waits for nothing */
};

/* ---- descriptors ---- */

static void
slot_link(struct loop_slot **list, struct loop_slot *slot)
{
	slot->next = *list;
	slot->at = list;
	if (slot->next != NULL)
		slot->next->at = &slot->next;
	*list = slot;
}

static void
slot_unlink(struct loop_slot *slot)
{
	*slot->at = slot->next;
	if (slot->next != NULL)
		slot->next->at = slot->at;
}

static void
slots_free(struct loop_slot **list)
{
	while (*list != NULL) {
		struct loop_slot *slot = *list;
		slot_unlink(slot);
		free(slot);
	}
}

int
loop_watch(struct loop *loop, struct loop_fd *fd, short events)
{
	struct loop_slot *slot = fd->slot;

	if (slot == NULL)
		slot = mem_zero(1, sizeof *slot);
	else if (slot->events == events)
		return 0;
	if (slot == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (watch_set(loop->watch, fd->fd, events, slot) != 0) {
		if (fd->slot == NULL)
			free(slot);
		return -1;
	}
	slot->events = events;
	if (fd->slot == NULL) {
		slot->owner = fd;
		fd->slot = slot;
		slot_link(&loop->slots, slot);
	}
	return 0;
}

void
loop_forget(struct loop *loop, struct loop_fd *fd)
{
	struct loop_slot *slot = fd->slot;

	if (slot == NULL)
		return;
	watch_remove(loop->watch, fd->fd);
	fd->slot = NULL;
	slot->owner = NULL;
	slot_unlink(slot);
	slot_link(&loop->forgotten, slot);
	if (!loop->is_in_turn)
		slots_free(&loop->forgotten);
}

/* What it no longer waits for it is not told. */
static void
slot_call(struct loop_slot *slot, short events)
{
	if (slot->owner == NULL)
		return;
	events &= (short)~((POLLIN | POLLOUT) & ~slot->events);
	if (events != 0)
		slot->owner->fn(slot->owner->arg, events);
}

/* ---- timers ---- */

int
loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t in_ms)
{
	return timers_set(&loop->timers, timer, loop->now_ms + (in_ms > 0 ? in_ms : 0));
}

void
loop_timer_end(struct loop *loop, struct loop_timer *timer)
{
	timers_end(&loop->timers, timer);
}

/* Those that are set meanwhile have the next turn. */
static void
timers_run(struct loop *loop)
{
	uint64_t end = loop->timers.order;
	struct loop_timer *timer;

	while ((timer = timers_first(&loop->timers)) != NULL) {
		if (timer->at_ms > loop->now_ms || timer->order >= end)
			break;
		timers_end(&loop->timers, timer);
		timer->fn(timer->arg);
	}
}

/* ---- the library ---- */

void
loop_library(struct loop *loop, struct mtasts *ctx)
{
	guests_forget(&loop->guests, loop->watch);
	loop->ctx = ctx;
	loop->is_library_due = false;
	loop->library_ms = -1;
}

/* Any callback may have started a look-up or ended one. */
static void
library_watch(struct loop *loop)
{
	struct pollfd fds[GUESTS_MAX];
	int timeout_ms = -1;

	if (loop->ctx == NULL)
		return;
	size_t n = mtasts_pollfds(loop->ctx, fds, GUESTS_MAX, &timeout_ms);
	guests_watch(&loop->guests, loop->watch, fds, n, &loop->guests);
	loop->library_ms = timeout_ms < 0 ? -1 : clock_mono_ms(loop->clock) + timeout_ms;
}

static void
library_run(struct loop *loop)
{
	bool is_late = loop->library_ms >= 0 && loop->library_ms <= loop->now_ms;

	if (loop->ctx == NULL || (!loop->is_library_due && !is_late))
		return;
	loop->is_library_due = false;
	(void)mtasts_process(loop->ctx); /* fails for a fork()ed copy alone */
}

/* ---- turns ---- */

static int
sooner(const struct loop *loop, int timeout_ms, int64_t at_ms)
{
	int64_t left = at_ms - clock_mono_ms(loop->clock);

	if (left < 0)
		left = 0;
	if (left > INT32_MAX)
		left = INT32_MAX;
	return timeout_ms < 0 || left < timeout_ms ? (int)left : timeout_ms;
}

static int
timeout_of(const struct loop *loop)
{
	const struct loop_timer *first = timers_first(&loop->timers);
	int timeout_ms = -1;

	if (first != NULL)
		timeout_ms = sooner(loop, timeout_ms, first->at_ms);
	if (loop->library_ms >= 0)
		timeout_ms = sooner(loop, timeout_ms, loop->library_ms);
	return timeout_ms;
}

static void
event_take(struct loop *loop, const struct watch_event *event)
{
	if (event->arg == &loop->guests)
		loop->is_library_due = true;
	else
		slot_call(event->arg, event->events);
}

static void
turn(struct loop *loop)
{
	struct watch_event events[EVENTS];

	library_watch(loop);
	size_t n = watch_wait(loop->watch, events, EVENTS, timeout_of(loop));
	loop->now_ms = clock_mono_ms(loop->clock);
	loop->is_in_turn = true;
	for (size_t i = 0; i < n; i++)
		event_take(loop, &events[i]);
	library_run(loop);
	timers_run(loop);
	loop->is_in_turn = false;
	slots_free(&loop->forgotten);
}

void
loop_run(struct loop *loop)
{
	while (!loop->is_stopped)
		turn(loop);
	loop->is_stopped = false;
}

void
loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}

int64_t
loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

/* ---- all of it ---- */

struct loop *
loop_new(const struct clock *clock)
{
	struct loop *loop = mem_zero(1, sizeof *loop);

	if (loop == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	loop->watch = watch_new();
	if (loop->watch == NULL) {
		free(loop);
		return NULL;
	}
	loop->clock = clock;
	loop->library_ms = -1;
	loop->now_ms = clock_mono_ms(clock);
	return loop;
}

/* Only ever closes: in a fork()ed copy the set behind epoll's descriptor is the parent's too. */
void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	for (struct loop_slot *slot = loop->slots; slot != NULL; slot = slot->next)
		slot->owner->slot = NULL;
	slots_free(&loop->slots);
	slots_free(&loop->forgotten);
	timers_clear(&loop->timers);
	watch_free(loop->watch);
	free(loop);
}
