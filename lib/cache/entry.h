/* SPDX-License-Identifier: ISC
 *
 * One cached policy, as a value: what was served, when, and under which id.  Pure.
 */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain.h"
#include "base/limits.h"
#include "base/span.h"

/* One allocation: header and body.  Immutable once made; entry_free() takes it. */
struct entry {
	struct domain domain;
	int64_t fetched_at;    /* instant of the fetch */
	int64_t used_at;       /* instant of the last use; 0 not known */
	int64_t max_age;       /* seconds, 0 .. LIMIT_MAX_AGE */
	char id[LIMIT_ID + 1]; /* of the TXT record that led to it */
	struct span body;      /* octets as served; within this allocation */
};

/*
 * Within the limits: 0 <= fetched_at (and far from overflow), max_age, id of letters and digits
 * ("" is let in), body.
 */
bool entry_is_sane(int64_t fetched_at, int64_t max_age, struct span id, struct span body);

/* NULL: out of memory, or a value beyond its limit. */
struct entry *entry_new(const struct domain *domain, int64_t fetched_at, int64_t max_age,
    struct span id, struct span body);
void entry_free(struct entry *entry);

/* Instant of the last second in which it counts (RFC 8461 5.1: "has not exceeded"). */
int64_t entry_expires(const struct entry *entry);
bool entry_is_expired(const struct entry *entry, int64_t now);
/* Fetched later than now: a clock was wrong.  Stale, not expired. */
bool entry_is_from_future(const struct entry *entry, int64_t now);

/*
 * What a store keeps beside the fields to find damage: over every field but used_at, which
 * changes by itself, and the body.
 */
uint64_t entry_checksum(const struct entry *entry);

#endif
