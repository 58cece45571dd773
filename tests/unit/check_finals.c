/* SPDX-License-Identifier: ISC
 *
 * Final replies: told in the order of the recipients that have one, and not lost when memory is.
 */
#include "opensmtpd/relay/finals.h"

#include <string.h>

#include "nomem.h"
#include "unit.h"

enum { MANY = 50 };

static void
put(struct finals *finals, size_t i, unsigned code)
{
	struct reply reply;

	reply_printf(&reply, code, "", "number %zu", i);
	finals_put(finals, i, &reply);
}

static void
expect(struct finals *finals, const char *text)
{
	char line[256];
	struct buf out;

	buf_init(&out, line, sizeof line);
	ck_assert(finals_tell(finals, &out) == (text != NULL));
	ck_assert_str_eq(line, text != NULL ? text : "");
}

START_TEST(in_order)
{
	struct finals finals = { .all = NULL };

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(finals_add(&finals, i), 0);
	finals_good(&finals, 1);
	finals_good(&finals, 3);
	finals_good(&finals, 3);
	finals_good(&finals, 4); /* there is none */
	ck_assert_uint_eq(finals.n_good, 2);
	put(&finals, 3, 250);
	expect(&finals, NULL);
	put(&finals, 1, 451);
	put(&finals, 1, 250); /* the first one counts */
	put(&finals, 4, 250);
	expect(&finals, "451 number 1\r\n");
	ck_assert(!finals_are_told(&finals));
	expect(&finals, "250 number 3\r\n");
	ck_assert(finals_are_told(&finals));
	expect(&finals, NULL);
	finals_clear(&finals);
}
END_TEST

/* A message that was delivered is said to be, whatever is left of the host's words. */
START_TEST(no_memory)
{
	struct finals finals = { .all = NULL };

	ck_assert_int_eq(finals_add(&finals, 0), 0);
	finals_good(&finals, 0);
	nomem_after(0);
	put(&finals, 0, 250);
	ck_assert_uint_gt(nomem_end(), 0);
	char line[256];
	struct buf out;
	buf_init(&out, line, sizeof line);
	ck_assert(finals_tell(&finals, &out));
	ck_assert_int_eq(strncmp(line, "250 2.0.0 ", 10), 0);
	ck_assert_str_eq(line + strlen(line) - 2, "\r\n");
	finals_clear(&finals);

	size_t n = 0;
	nomem_after(1);
	while (n < MANY && finals_add(&finals, n) == 0)
		n++;
	ck_assert_uint_gt(nomem_end(), 1);
	ck_assert_uint_lt(n, MANY);
	ck_assert_uint_eq(finals.n, n);
	ck_assert_int_eq(finals_add(&finals, n), 0);
	finals_clear(&finals);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("finals");
	TCase *tests = tcase_create("finals");

	tcase_add_test(tests, in_order);
	tcase_add_test(tests, no_memory);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
