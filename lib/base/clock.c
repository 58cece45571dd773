/* SPDX-License-Identifier: ISC
 *
 * The two clocks of the system.
 */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t
system_real(void *arg)
{
	struct timespec now = { 0 };

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

static int64_t
system_mono_ms(void *arg)
{
	struct timespec now = { 0 };

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct clock
clock_system(void)
{
	return (struct clock){ system_real, system_mono_ms, NULL };
}

int64_t
clock_real(const struct clock *clock)
{
	return clock->real(clock->arg);
}

int64_t
clock_mono_ms(const struct clock *clock)
{
	return clock->mono_ms(clock->arg);
}
