/* SPDX-License-Identifier: ISC
 *
 * The right to look a domain up, as a lock that dies with its process: one byte of the file of
 * leases for the domain, and one of the first max_fetches for the look-up itself.
 *
 * The file's only content is a salt: which byte a domain has cannot be foreseen, so nobody can
 * find a name whose slow look-up stands in the way of another's.
 */
#ifndef CACHE_LEASE_H
#define CACHE_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/owner.h"
#include "cache/cache.h"
#include "cache/hash.h"

struct leases {
	int fd;	       /* -1: not open yet */
	int directory; /* descriptor, borrowed */
	struct owner owner;
	uint8_t salt[HASH_KEY];
	struct cache_lease *held; /* by this handle, whose locks would not exclude each other */
	size_t n_held;
};

/* Make the file, if it is not there.  0, MTASTS_ECACHE. */
int lease_create(int directory, const struct owner *owner, const char *name);

void lease_init(struct leases *leases, int directory, const struct owner *owner);
/* To another directory, for the leases to come; those that are held stay where they are. */
void lease_move(struct leases *leases, int directory, const struct owner *owner);
/* Everything still held is let go; in_child: no lock is touched, for they are the parent's. */
void lease_clear(struct leases *leases, bool in_child);

/* CACHE_OK and *lease, CACHE_REFUSED, or CACHE_UNREADABLE with *why (static text). */
enum cache_result lease_get(struct leases *leases, const char *name, const struct domain *domain,
    unsigned max_fetches, struct cache_lease **lease, const char **why);
void lease_end(struct leases *leases, struct cache_lease *lease, bool in_child);
const struct domain *lease_domain(const struct cache_lease *lease);

#endif
