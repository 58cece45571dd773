/* SPDX-License-Identifier: ISC
 *
 * Time as the rest sees it: expiries on the real clock, durations on the monotonic one.
 * Settable, so that tests walk a year in a microsecond.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*real)(void *arg);    /* seconds since 1970 UTC */
	int64_t (*mono_ms)(void *arg); /* milliseconds; one scale for all processes of this boot */
	void *arg;
};

struct clock clock_system(void);
int64_t clock_real(const struct clock *clock);
int64_t clock_mono_ms(const struct clock *clock);

#endif
