/* SPDX-License-Identifier: ISC */
#include "loop/timers.h"

#include <stdlib.h>

#include "base/mem.h"

static bool
is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void
put(struct timers *timers, struct loop_timer *timer, size_t place)
{
	timers->heap[place - 1] = timer;
	timer->place = place;
}

static struct loop_timer *
at(const struct timers *timers, size_t place)
{
	return timers->heap[place - 1];
}

static void
rise(struct timers *timers, struct loop_timer *timer, size_t place)
{
	while (place > 1 && is_before(timer, at(timers, place / 2))) {
		put(timers, at(timers, place / 2), place);
		place /= 2;
	}
	put(timers, timer, place);
}

static void
sink(struct timers *timers, struct loop_timer *timer, size_t place)
{
	for (;;) {
		size_t child = 2 * place;
		if (child > timers->n)
			break;
		if (child < timers->n && is_before(at(timers, child + 1), at(timers, child)))
			child++;
		if (!is_before(at(timers, child), timer))
			break;
		put(timers, at(timers, child), place);
		place = child;
	}
	put(timers, timer, place);
}

/* Its instant has changed, or it is new in that place. */
static void
settle(struct timers *timers, struct loop_timer *timer, size_t place)
{
	rise(timers, timer, place);
	sink(timers, timer, timer->place);
}

static int
grow(struct timers *timers)
{
	size_t cap = 2 * timers->cap + 16;
	struct loop_timer **heap = mem_resize(timers->heap, cap, sizeof(struct loop_timer *));

	if (heap == NULL)
		return MTASTS_ENOMEM;
	timers->heap = heap;
	timers->cap = cap;
	return 0;
}

int
timers_set(struct timers *timers, struct loop_timer *timer, int64_t at_ms)
{
	if (timer->place == 0) {
		if (timers->n == timers->cap && grow(timers) != 0)
			return MTASTS_ENOMEM;
		timer->place = ++timers->n;
	}
	timer->at_ms = at_ms;
	timer->order = timers->order++;
	settle(timers, timer, timer->place);
	return 0;
}

void
timers_end(struct timers *timers, struct loop_timer *timer)
{
	size_t place = timer->place;

	if (place == 0)
		return;
	struct loop_timer *last = at(timers, timers->n--);
	timer->place = 0;
	if (last != timer)
		settle(timers, last, place);
}

struct loop_timer *
timers_first(const struct timers *timers)
{
	return timers->n == 0 ? NULL : timers->heap[0];
}

void
timers_clear(struct timers *timers)
{
	for (size_t i = 0; i < timers->n; i++)
		timers->heap[i]->place = 0;
	free(timers->heap);
	timers->heap = NULL;
	timers->n = timers->cap = 0;
}
