/* SPDX-License-Identifier: ISC
 *
 * Forgetting what is long over, a few rows a call.
 */
#ifndef CACHE_SWEEP_H
#define CACHE_SWEEP_H

#include "cache/db.h"

/*
 * Policies that expired LIMIT_KEEP_EXPIRED ago, hints and strikes gone by, outcomes of another
 * boot or older than an hour at now_ms (monotonic).  Best effort: gives way to others at once.
 */
void sweep(struct db *db, int64_t now, int64_t now_ms, int64_t boot);

#endif
