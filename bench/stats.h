/* SPDX-License-Identifier: ISC
 *
 * Figures of a benchmark: samples in, median and percentiles out.
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>

struct stats {
	double *v; /* microseconds */
	size_t n, cap;
};

void stats_init(struct stats *s, size_t cap);
void stats_clear(struct stats *s);
void stats_add(struct stats *s, double us);
/* p in 0..100; sorts the samples. */
double stats_at(struct stats *s, double p);
double stats_now(void); /* microseconds, monotonic */

/* One aligned row: name, median, p99, least, and median against base's where base is not NULL. */
void stats_head(void);
void stats_row(const char *name, struct stats *s, struct stats *base);

#endif
