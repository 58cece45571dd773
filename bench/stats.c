/* SPDX-License-Identifier: ISC
 *
 * Samples and their percentiles.  Medians are what is quoted: the machines are noisy.
 */
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void
stats_init(struct stats *s, size_t cap)
{
	s->v = calloc(cap, sizeof *s->v);
	if (s->v == NULL)
		abort();
	s->n = 0;
	s->cap = cap;
}

void
stats_clear(struct stats *s)
{
	free(s->v);
	s->v = NULL;
}

void
stats_add(struct stats *s, double us)
{
	if (s->n < s->cap)
		s->v[s->n++] = us;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

double
stats_at(struct stats *s, double p)
{
	if (s->n == 0)
		return 0;
	qsort(s->v, s->n, sizeof *s->v, by_size);
	size_t i = (size_t)((double)(s->n - 1) * p / 100.0 + 0.5);
	return s->v[i];
}

double
stats_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

void
stats_head(void)
{
	printf("%-44s %10s %10s %10s %8s\n", "", "median us", "p99 us", "least us", "ratio");
}

void
stats_row(const char *name, struct stats *s, struct stats *base)
{
	double median = stats_at(s, 50);

	printf("%-44s %10.2f %10.2f %10.2f", name, median, stats_at(s, 99), stats_at(s, 0));
	if (base != NULL && stats_at(base, 50) > 0)
		printf(" %8.2f", median / stats_at(base, 50));
	printf("\n");
}
