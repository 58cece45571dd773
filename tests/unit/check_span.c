/* SPDX-License-Identifier: ISC */
#include "base/span.h"

#include "guard.h"
#include "unit.h"

static const struct {
	const char *in;
	unsigned digits;
	uint64_t max;
	int result;
	uint64_t value;
} numbers[] = {
	{ "0", 10, 100, 0, 0 },
	{ "100", 10, 100, 0, 100 },
	{ "101", 10, 100, -1, 0 },
	{ "", 10, 100, -1, 0 },
	{ "-1", 10, 100, -1, 0 },
	{ "+1", 10, 100, -1, 0 },
	{ " 1", 10, 100, -1, 0 },
	{ "1 ", 10, 100, -1, 0 },
	{ "0000000001", 10, 100, 0, 1 },
	{ "00000000001", 10, 100, -1, 0 },
	{ "18446744073709551615", 20, UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", 20, UINT64_MAX, -1, 0 },
};

START_TEST(test_number)
{
	struct span in = span_of(numbers[_i].in);
	struct guard g;
	uint64_t value = 4711;

	guard_init(&g, in.p, in.n);
	int r = span_u64(g.span, numbers[_i].digits, numbers[_i].max, &value);
	ck_assert_msg(r == numbers[_i].result, "\"%s\" gives %d", numbers[_i].in, r);
	ck_assert_msg(value == (r == 0 ? numbers[_i].value : 4711), "\"%s\"", numbers[_i].in);
	guard_clear(&g);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("span");
	TCase *tcase = tcase_create("number");

	tcase_add_loop_test(tcase, test_number, 0, sizeof numbers / sizeof numbers[0]);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
