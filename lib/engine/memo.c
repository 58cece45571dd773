/* SPDX-License-Identifier: ISC
 *
 * Hints: RFC 8461 3.3 (five minutes for a failed id), negative and agreeing TXT answers.
 */
#include "engine/memo.h"

#include <string.h>

/* Of a future that can be reached from now within limit seconds. */
static bool
is_ahead(int64_t until, int64_t now, int64_t limit)
{
	return until > now && until <= now + limit;
}

static int64_t
clamp(uint32_t ttl, int64_t min, int64_t max)
{
	int64_t seconds = ttl;

	if (seconds < min)
		return min;
	return seconds > max ? max : seconds;
}

static void
forget_failed(struct hint *hint)
{
	hint->failed_id[0] = '\0';
	hint->failed_finding = MTASTS_NOTHING_WRONG;
	hint->failed_until = 0;
}

void
memo_trim(struct hint *hint, int64_t now)
{
	if (!is_ahead(hint->absent_until, now, LIMIT_ABSENT_MAX))
		hint->absent_until = 0;
	if (!is_ahead(hint->agreed_until, now, LIMIT_AGREED_MAX))
		hint->agreed_until = 0;
	if (!is_ahead(hint->failed_until, now, LIMIT_RETRY_ID))
		forget_failed(hint);
	if (!is_ahead(hint->get_at + LIMIT_RETRY_GET, now, LIMIT_RETRY_GET))
		hint->get_at = 0;
}

bool
memo_is_absent(const struct hint *hint)
{
	return hint->absent_until != 0;
}

bool
memo_is_agreed(const struct hint *hint)
{
	return hint->agreed_until != 0;
}

bool
memo_has_failed(const struct hint *hint, const char *id)
{
	return hint->failed_id[0] != '\0' && strcmp(hint->failed_id, id) == 0;
}

int64_t
memo_get_wait(const struct hint *hint, int64_t now)
{
	int64_t wait = hint->get_at + LIMIT_RETRY_GET - now;

	return hint->get_at == 0 || wait < 0 ? 0 : wait;
}

void
memo_absent(struct hint *hint, int64_t now, uint32_t ttl)
{
	hint->absent_until = now + clamp(ttl, LIMIT_ABSENT_MIN, LIMIT_ABSENT_MAX);
	hint->agreed_until = 0;
}

void
memo_agreed(struct hint *hint, int64_t now, uint32_t ttl)
{
	hint->agreed_until = now + clamp(ttl, LIMIT_AGREED_MIN, LIMIT_AGREED_MAX);
	hint->absent_until = 0;
}

void
memo_failed(struct hint *hint, int64_t now, const char *id, enum mtasts_finding finding)
{
	memcpy(hint->failed_id, id, strlen(id) + 1);
	hint->failed_finding = finding;
	hint->failed_until = now + LIMIT_RETRY_ID;
	hint->agreed_until = 0;
	hint->absent_until = 0;
}

void
memo_fetched(struct hint *hint, int64_t now, uint32_t ttl)
{
	forget_failed(hint);
	memo_agreed(hint, now, ttl);
}
