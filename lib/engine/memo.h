/* SPDX-License-Identifier: ISC
 *
 * What a hint says now, and how it is written: the bounds in time of everything remembered beside
 * a policy.  Pure.
 */
#ifndef ENGINE_MEMO_H
#define ENGINE_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache.h"

/*
 * Forget what is over, and what no clock that goes right could have written (an instant further
 * off than its limit: the clock was set back).
 */
void memo_trim(struct hint *hint, int64_t now);

/* After memo_trim(). */
bool memo_is_absent(const struct hint *hint);
bool memo_is_agreed(const struct hint *hint);
bool memo_has_failed(const struct hint *hint, const char *id);
/* Seconds until the next GET to the domain may begin; 0: now. */
int64_t memo_get_wait(const struct hint *hint, int64_t now);

void memo_absent(struct hint *hint, int64_t now, uint32_t ttl);
void memo_agreed(struct hint *hint, int64_t now, uint32_t ttl);
void memo_failed(struct hint *hint, int64_t now, const char *id, enum mtasts_finding finding);
/* A policy came: nothing is absent or failed any more, and the TXT record agrees. */
void memo_fetched(struct hint *hint, int64_t now, uint32_t ttl);

#endif
