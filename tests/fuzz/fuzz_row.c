/* SPDX-License-Identifier: ISC
 *
 * A row of the store.  Input: an octet (1: with the link's sum right, 2: the entry's too), three
 * numbers of 8 octets, then domain, next and id, each ended by a newline, and the body.  What is
 * believed must give the same row again.
 */
#include <stdlib.h>
#include <string.h>

#include "cache/row.h"
#include "fuzz.h"

static struct span
take(struct span *rest, size_t n)
{
	struct span part = span_make(rest->p, n < rest->n ? n : rest->n);

	*rest = span_from(*rest, part.n);
	return part;
}

static struct span
take_line(struct span *rest)
{
	struct span line = take(rest, span_find(*rest, '\n'));

	take(rest, 1);
	return line;
}

static int64_t
take_number(struct span *rest)
{
	struct span octets = take(rest, 8);
	uint64_t number = 0;

	for (size_t i = 0; i < octets.n; i++)
		number = number << 8 | (unsigned char)octets.p[i];
	return (int64_t)number;
}

/* The sums as a store would have written them over these very fields. */
static void
seal(struct row *row, unsigned flags)
{
	struct place place = { .used_at = row->used_at };
	struct entry entry = { .fetched_at = row->fetched_at, .max_age = row->max_age };

	domain_parse(row->domain, DOMAIN_UNDERSCORE, &place.at);
	domain_parse(row->next, DOMAIN_UNDERSCORE, &place.next);
	if ((flags & 1) != 0)
		row->link = row_link(&place);
	entry.domain = place.at;
	entry.body = row->body;
	if (row->id.n != 0 && row->id.n <= LIMIT_ID)
		memcpy(entry.id, row->id.p, row->id.n);
	if ((flags & 2) != 0)
		row->sum = (int64_t)entry_checksum(&entry);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size), flags = take(&rest, 1);
	struct row row = { .link = 1, .sum = 2 };
	struct place place;
	struct entry view;

	row.used_at = take_number(&rest);
	row.fetched_at = take_number(&rest);
	row.max_age = take_number(&rest);
	row.domain = take_line(&rest);
	row.next = take_line(&rest);
	row.id = take_line(&rest);
	row.body = rest;
	seal(&row, flags.n == 0 ? 0 : (unsigned char)flags.p[0]);
	if (!row_place(&row, &place))
		return 0;
	if (!span_eq(row.domain, domain_span(&place.at)) ||
	    !span_eq(row.next, domain_span(&place.next)) || row_link(&place) != row.link ||
	    row_surrounds(&place, row.domain) ||
	    (row.next.n != 0 && row_surrounds(&place, row.next)))
		abort();
	if (!row_entry(&row, &place, &view))
		return 0;
	struct entry *copy =
	    entry_new(&view.domain, view.fetched_at, view.max_age, row.id, view.body);
	if (copy == NULL || (int64_t)entry_checksum(copy) != row.sum ||
	    entry_expires(copy) < copy->fetched_at)
		abort();
	entry_free(copy);
	return 0;
}
