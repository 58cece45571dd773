/* SPDX-License-Identifier: ISC */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nomem.h"
#include "unit.h"

START_TEST(test_zero)
{
	char *p = mem_zero(3, 5);

	for (int i = 0; i < 15; i++)
		ck_assert_int_eq(p[i], 0);
	free(p);
	p = mem_zero(0, 5);
	ck_assert_ptr_nonnull(p);
	free(p);
	p = mem_zero(5, 0);
	ck_assert_ptr_nonnull(p);
	free(p);
}
END_TEST

START_TEST(test_overflow)
{
	size_t volatile most = SIZE_MAX; /* or the compiler warns of what is tried here */
	char *old = mem_dup("abc", 3);

	ck_assert_ptr_null(mem_zero(most / 2, 3));
	ck_assert_ptr_null(mem_resize(old, most / 2, 3));
	ck_assert_str_eq(old, "abc");
	ck_assert_ptr_null(mem_dup(old, most));
	free(old);
}
END_TEST

START_TEST(test_resize)
{
	char *p = mem_resize(NULL, 2, 2);

	memcpy(p, "abc", 4);
	p = mem_resize(p, 100, 10);
	ck_assert_str_eq(p, "abc");
	p = mem_resize(p, 0, 10);
	ck_assert_ptr_nonnull(p);
	free(p);
}
END_TEST

START_TEST(test_dup)
{
	char *p = mem_dup("a\0b", 3);

	ck_assert_mem_eq(p, "a\0b", 4);
	free(p);
	p = mem_dup(NULL, 0);
	ck_assert_str_eq(p, "");
	free(p);
}
END_TEST

START_TEST(test_nomem)
{
	char *old = mem_dup("abc", 3);

	nomem_after(0);
	void *zero = mem_zero(1, 1), *dup = mem_dup("a", 1), *resized = mem_resize(old, 100, 1);
	ck_assert_uint_eq(nomem_end(), 3);
	ck_assert_ptr_null(zero);
	ck_assert_ptr_null(dup);
	ck_assert_ptr_null(resized);
	ck_assert_str_eq(old, "abc");
	free(old);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mem");
	TCase *tcase = tcase_create("mem");

	tcase_add_test(tcase, test_zero);
	tcase_add_test(tcase, test_overflow);
	tcase_add_test(tcase, test_resize);
	tcase_add_test(tcase, test_dup);
	tcase_add_test(tcase, test_nomem);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
