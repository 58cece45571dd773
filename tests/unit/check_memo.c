/* SPDX-License-Identifier: ISC
 *
 * Hints and time: bounds at both ends, and what one memory does to the others.
 */
#include "engine/memo.h"

#include <string.h>

#include "unit.h"

enum { NOW = 1750000000, YEARS = 10 * 365 * 86400 };

/* An instant is kept from 1 to limit seconds ahead. */
START_TEST(test_trim)
{
	static const struct {
		int64_t ahead;
		bool absent, agreed, failed;
	} rows[] = { { -1, false, false, false }, { 0, false, false, false },
		{ 1, true, true, true }, { LIMIT_RETRY_ID, true, true, true },
		{ LIMIT_RETRY_ID + 1, true, true, false }, { LIMIT_ABSENT_MAX, true, true, false },
		{ LIMIT_ABSENT_MAX + 1, false, true, false },
		{ LIMIT_AGREED_MAX, false, true, false },
		{ LIMIT_AGREED_MAX + 1, false, false, false }, { YEARS, false, false, false } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hint hint = { .absent_until = NOW + rows[i].ahead,
			.agreed_until = NOW + rows[i].ahead,
			.failed_id = "A",
			.failed_finding = MTASTS_STS_WEBPKI_INVALID,
			.failed_until = NOW + rows[i].ahead };
		memo_trim(&hint, NOW);
		ck_assert_msg(memo_is_absent(&hint) == rows[i].absent, "absent, row %zu", i);
		ck_assert_msg(memo_is_agreed(&hint) == rows[i].agreed, "agreed, row %zu", i);
		ck_assert_msg(memo_has_failed(&hint, "A") == rows[i].failed, "failed, row %zu", i);
		ck_assert(!memo_has_failed(&hint, "B") && !memo_has_failed(&hint, ""));
		if (rows[i].failed)
			continue;
		ck_assert_int_eq((int)hint.failed_finding, MTASTS_NOTHING_WRONG);
		ck_assert_int_eq(hint.failed_until, 0);
	}
}
END_TEST

/* c19: a GET of the future, or none at all, keeps nobody waiting. */
START_TEST(test_get_wait)
{
	static const struct {
		int64_t get_at, wait;
	} rows[] = { { 0, 0 }, { NOW, LIMIT_RETRY_GET }, { NOW - 1, LIMIT_RETRY_GET - 1 },
		{ NOW - LIMIT_RETRY_GET + 1, 1 }, { NOW - LIMIT_RETRY_GET, 0 }, { NOW - YEARS, 0 },
		{ NOW + 1, 0 }, { NOW + YEARS, 0 } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hint hint = { .get_at = rows[i].get_at };
		memo_trim(&hint, NOW);
		ck_assert_msg(memo_get_wait(&hint, NOW) == rows[i].wait, "row %zu: %d", i,
		    (int)memo_get_wait(&hint, NOW));
	}
}
END_TEST

START_TEST(test_ttl)
{
	static const struct {
		uint32_t ttl;
		int64_t absent, agreed;
	} rows[] = { { 0, 60, 60 }, { 59, 60, 60 }, { 60, 60, 60 }, { 61, 61, 61 },
		{ 3600, 3600, 3600 }, { 3601, 3600, 3601 }, { 86401, 3600, 86400 },
		{ UINT32_MAX, 3600, 86400 } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hint hint = { 0 };
		memo_absent(&hint, NOW, rows[i].ttl);
		ck_assert_int_eq(hint.absent_until - NOW, rows[i].absent);
		memo_agreed(&hint, NOW, rows[i].ttl);
		ck_assert_int_eq(hint.agreed_until - NOW, rows[i].agreed);
	}
}
END_TEST

/* What is newly known puts out what contradicts it. */
START_TEST(test_one_and_the_others)
{
	struct hint hint = { .agreed_until = NOW + 60 };

	memo_absent(&hint, NOW, 300);
	ck_assert(memo_is_absent(&hint) && !memo_is_agreed(&hint));
	memo_agreed(&hint, NOW, 300);
	ck_assert(!memo_is_absent(&hint) && memo_is_agreed(&hint));
	memo_failed(&hint, NOW, "B", MTASTS_STS_POLICY_INVALID);
	ck_assert(!memo_is_agreed(&hint) && memo_has_failed(&hint, "B"));
	ck_assert_int_eq(hint.failed_until, NOW + LIMIT_RETRY_ID);
	memo_absent(&hint, NOW, 300);
	memo_failed(&hint, NOW, "B", MTASTS_STS_POLICY_INVALID);
	ck_assert(!memo_is_absent(&hint));
	memo_absent(&hint, NOW, 300); /* the record is away for a while: B failed all the same */
	ck_assert(memo_has_failed(&hint, "B"));
	memo_agreed(&hint, NOW, 300);
	ck_assert(memo_has_failed(&hint, "B"));
	hint.get_at = NOW;
	memo_fetched(&hint, NOW, 300);
	ck_assert(memo_is_agreed(&hint) && !memo_is_absent(&hint));
	ck_assert(!memo_has_failed(&hint, "B"));
	ck_assert_int_eq(hint.get_at, NOW);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memo");
	TCase *tcase = tcase_create("memo");

	tcase_add_test(tcase, test_trim);
	tcase_add_test(tcase, test_get_wait);
	tcase_add_test(tcase, test_ttl);
	tcase_add_test(tcase, test_one_and_the_others);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
