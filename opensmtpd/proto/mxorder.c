/* SPDX-License-Identifier: ISC
 *
 * RFC 5321 5.1: preference, a shuffle of equal ones, and this host among them.
 */
#include "opensmtpd/proto/mxorder.h"

#include <limits.h>

#include "base/span.h"

/* ---- this host among them ---- */

static struct span
without_dot(struct span name)
{
	if (name.n != 0 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

static bool
is_own(const struct mxorder_host *host, const char *own)
{
	struct span name = without_dot(span_of(own));

	return name.n != 0 && span_eq_nocase(without_dot(span_of(host->name)), name);
}

static int
best_allowed(const struct mxorder_host *hosts, size_t n)
{
	int best = INT_MAX;

	for (size_t i = 0; i < n; i++) {
		if (hosts[i].is_allowed && hosts[i].preference < best)
			best = hosts[i].preference;
	}
	return best;
}

/* Only hosts with a lower preference than this are tried. */
static int
limit_of(const struct mxorder_host *hosts, size_t n, const char *own)
{
	int best = best_allowed(hosts, n), limit = INT_MAX;

	for (size_t i = 0; i < n; i++) {
		bool counts = hosts[i].is_allowed || hosts[i].preference > best;
		if (counts && hosts[i].preference < limit && is_own(&hosts[i], own))
			limit = hosts[i].preference;
	}
	return limit;
}

/* ---- order ---- */

/* xorshift64: enough to spread load, which is all that a shuffle of MX hosts is for. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
shuffle(size_t *order, size_t n, uint64_t seed)
{
	uint64_t state = seed != 0 ? seed : 1;

	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)(next_random(&state) % i), was = order[i - 1];
		order[i - 1] = order[j];
		order[j] = was;
	}
}

/* Stable, so that what was shuffled stays so among equals. */
static void
sort(const struct mxorder_host *hosts, size_t *order, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		size_t host = order[i], j = i;
		for (; j > 0 && hosts[order[j - 1]].preference > hosts[host].preference; j--)
			order[j] = order[j - 1];
		order[j] = host;
	}
}

size_t
mxorder(const struct mxorder_host *hosts, size_t n, const char *own, uint64_t seed, size_t *order)
{
	int limit = limit_of(hosts, n, own);
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		if (hosts[i].preference < limit)
			order[left++] = i;
	}
	shuffle(order, left, seed);
	sort(hosts, order, left);
	return left;
}
