/* SPDX-License-Identifier: ISC
 *
 * The policy table: the store's calls of struct cache that read and write policies, and their
 * chain (cache/row.h).
 */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include "cache/cache.h"
#include "cache/db.h"

enum cache_result policy_get(struct db *db, const struct domain *domain, struct entry **entry);
enum cache_result policy_put(struct db *db, const struct entry *entry, int64_t now);
enum cache_result policy_drop(struct db *db, const struct domain *domain);
enum cache_result policy_each(struct db *db, cache_each_fn *each, void *arg);
void policy_used(struct db *db, const struct domain *domain, int64_t now);

/* Within a transaction: take the row of domain out of the chain.  CACHE_NOTHING: there is none. */
enum cache_result policy_remove(struct db *db, struct span domain);

#endif
