/* SPDX-License-Identifier: ISC
 *
 * A row of the policy table, as it was read from a file that may be damaged.  Pure.
 *
 * SQLite finds damage of its own structures, not of their contents: a flipped bit in a key can
 * lead its search astray, and "no such row" would be a lie.  So the rows are a chain in the order
 * of their domains: each names the next one, under a check sum of its own, from the head (the row
 * of the empty name, which is always there) to the end (the empty next).  That a domain has no
 * row is believed only when the row before its place says so (as NSEC does in RFC 4034).
 */
#ifndef CACHE_ROW_H
#define CACHE_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain.h"
#include "base/span.h"
#include "cache/entry.h"

/* The columns, all borrowed; nothing in them is believed before row_place(), row_entry(). */
struct row {
	struct span domain; /* "" for the head */
	struct span next;   /* "" for the end */
	int64_t used_at;
	int64_t link; /* row_link() of the three above */
	int64_t fetched_at;
	int64_t max_age;
	struct span id;
	struct span body;
	int64_t sum; /* entry_checksum() */
};

/* Where a row stands: a name of 0 octets is the head as at, the end as next. */
struct place {
	struct domain at;
	struct domain next;
	int64_t used_at;
};

int64_t row_link(const struct place *place);

/* false: damaged.  *place is untouched then. */
bool row_place(const struct row *row, struct place *place);
/* name lies between the row of *place and the next: it has no row. */
bool row_surrounds(const struct place *place, struct span name);
/* The policy of a row whose place is good; view->body borrows.  false: damaged. */
bool row_entry(const struct row *row, const struct place *place, struct entry *view);

#endif
