/* SPDX-License-Identifier: ISC
 *
 * What the store remembers beside policies and may lose at any time: hints, outcomes, strikes.
 * Every row has a check sum; a damaged one is unreadable.
 */
#ifndef CACHE_HINT_H
#define CACHE_HINT_H

#include "cache/cache.h"
#include "cache/db.h"

enum cache_result hint_get(struct db *db, const struct domain *domain, struct hint *hint);
enum cache_result hint_put(struct db *db, const struct domain *domain, const struct hint *hint);

/* boot: which boot of this machine it is, for the monotonic clock begins anew with each. */
enum cache_result outcome_get(
    struct db *db, const struct domain *domain, int64_t boot, struct outcome *outcome);
enum cache_result outcome_put(
    struct db *db, const struct domain *domain, int64_t boot, const struct outcome *outcome);

enum cache_result strikes_get(struct db *db, const struct domain *domain, int64_t now,
    struct strike *strikes, size_t cap, size_t *n);
enum cache_result strike_put(
    struct db *db, const struct domain *domain, const struct strike *strike);
enum cache_result strike_end(struct db *db, const struct domain *domain, const struct domain *mx);

#endif
