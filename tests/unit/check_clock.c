/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <time.h>

#include "unit.h"

static int64_t
told(void *arg)
{
	return *(const int64_t *)arg;
}

START_TEST(test_set)
{
	int64_t now = 31557600;
	struct clock clock = { told, told, &now };

	ck_assert_int_eq(clock_real(&clock), 31557600);
	now++;
	ck_assert_int_eq(clock_mono_ms(&clock), 31557601);
}
END_TEST

START_TEST(test_system)
{
	struct clock clock = clock_system();
	struct timespec wait = { 0, 20 * 1000 * 1000 };
	int64_t before = clock_mono_ms(&clock), first = time(NULL);

	ck_assert_int_eq(nanosleep(&wait, NULL), 0);
	ck_assert_int_ge(clock_mono_ms(&clock) - before, 19);
	ck_assert_int_ge(clock_real(&clock), first);
	ck_assert_int_le(clock_real(&clock), first + 60);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("clock");

	tcase_add_test(tcase, test_set);
	tcase_add_test(tcase, test_system);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
