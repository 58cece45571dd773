/* SPDX-License-Identifier: ISC
 *
 * Cached policies as values.  Pure: no clock, no I/O; now comes from the caller.
 */
#include "cache/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache/hash.h"

bool
entry_is_sane(int64_t fetched_at, int64_t max_age, struct span id, struct span body)
{
	/* an instant to which the longest durations can be added */
	if (fetched_at < 0 || fetched_at > INT64_MAX - LIMIT_MAX_AGE - LIMIT_KEEP_EXPIRED)
		return false;
	if (max_age < 0 || max_age > LIMIT_MAX_AGE || id.n > LIMIT_ID || body.n > LIMIT_POLICY)
		return false;
	/* RFC 8461 3.1: sts-id = 1*32(ALPHA / DIGIT) */
	for (size_t i = 0; i < id.n; i++) {
		if (!is_alnum(id.p[i]))
			return false;
	}
	return true;
}

struct entry *
entry_new(const struct domain *domain, int64_t fetched_at, int64_t max_age, struct span id,
    struct span body)
{
	if (!entry_is_sane(fetched_at, max_age, id, body))
		return NULL;
	struct entry *entry = mem_zero(1, sizeof *entry + body.n);
	if (entry == NULL)
		return NULL;
	char *bytes = (char *)(entry + 1);
	entry->domain = *domain;
	entry->fetched_at = fetched_at;
	entry->max_age = max_age;
	if (id.n != 0)
		memcpy(entry->id, id.p, id.n);
	if (body.n != 0)
		memcpy(bytes, body.p, body.n);
	entry->body = span_make(bytes, body.n);
	return entry;
}

void
entry_free(struct entry *entry)
{
	free(entry);
}

int64_t
entry_expires(const struct entry *entry)
{
	return entry->fetched_at + entry->max_age;
}

bool
entry_is_expired(const struct entry *entry, int64_t now)
{
	return now > entry_expires(entry);
}

bool
entry_is_from_future(const struct entry *entry, int64_t now)
{
	return entry->fetched_at > now;
}

uint64_t
entry_checksum(const struct entry *entry)
{
	struct hash h;

	hash_init(&h, NULL);
	hash_span(&h, domain_span(&entry->domain));
	hash_u64(&h, (uint64_t)entry->fetched_at);
	hash_u64(&h, (uint64_t)entry->max_age);
	hash_span(&h, span_of(entry->id));
	hash_u64(&h, entry->body.n);
	hash_span(&h, entry->body);
	return hash_end(&h);
}
