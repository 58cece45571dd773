/* SPDX-License-Identifier: ISC
 *
 * Check sums and limits of a row.  Pure: no database here.
 */
#include "cache/row.h"

#include <string.h>

#include "cache/hash.h"

/* A name as domain_parse() would have written it, or none. */
static bool
read_name(struct span s, struct domain *name)
{
	struct domain parsed = { .n = 0 };

	if (s.n != 0) {
		if (domain_parse(s, DOMAIN_UNDERSCORE, &parsed) != 0)
			return false;
		if (!span_eq(s, domain_span(&parsed)))
			return false;
	}
	*name = parsed;
	return true;
}

/* The order of the table: octets as unsigned numbers, the shorter first. */
static bool
is_before(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order < 0 || (order == 0 && a.n < b.n);
}

int64_t
row_link(const struct place *place)
{
	struct hash h;

	hash_init(&h, NULL);
	hash_span(&h, domain_span(&place->at));
	hash_span(&h, domain_span(&place->next));
	hash_u64(&h, (uint64_t)place->used_at);
	return (int64_t)hash_end(&h);
}

bool
row_place(const struct row *row, struct place *place)
{
	struct place read = { .used_at = row->used_at };

	if (!read_name(row->domain, &read.at) || !read_name(row->next, &read.next))
		return false;
	if (row->used_at < 0 || row->link != row_link(&read))
		return false;
	if (read.next.n != 0 && !is_before(row->domain, row->next))
		return false;
	*place = read;
	return true;
}

bool
row_surrounds(const struct place *place, struct span name)
{
	return is_before(domain_span(&place->at), name) &&
	       (place->next.n == 0 || is_before(name, domain_span(&place->next)));
}

bool
row_entry(const struct row *row, const struct place *place, struct entry *view)
{
	struct entry read = { .fetched_at = row->fetched_at, .max_age = row->max_age };

	if (place->at.n == 0 || !entry_is_sane(row->fetched_at, row->max_age, row->id, row->body))
		return false;
	read.domain = place->at;
	read.used_at = place->used_at;
	if (row->id.n != 0)
		memcpy(read.id, row->id.p, row->id.n);
	read.body = row->body;
	if (row->sum != (int64_t)entry_checksum(&read))
		return false;
	*view = read;
	return true;
}
