/* SPDX-License-Identifier: ISC
 *
 * What an MX host said too late, until smtpd asks again.
 */
#include "opensmtpd/relay/late.h"

#include "nomem.h"
#include "unit.h"

static struct late *late;
static struct reply reply;

static void
setup(void)
{
	late = late_new();
	ck_assert_ptr_nonnull(late);
}

static void
teardown(void)
{
	late_free(late);
}

START_TEST(waits_and_answers)
{
	struct reply ok;

	ck_assert(!late_is_any(late));
	ck_assert_int_eq(late_get(late, 7, &reply), LATE_NOTHING);
	ck_assert_int_eq(late_wait(late, 7), 0);
	ck_assert(late_is_any(late));
	ck_assert_int_eq(late_get(late, 7, &reply), LATE_WAITING);
	ck_assert_int_eq(late_get(late, 8, &reply), LATE_NOTHING);
	reply_set(&ok, 250, "2.0.0", "Queued as 42");
	late_answer(late, 7, &ok);
	ck_assert_int_eq(late_get(late, 7, &reply), LATE_DONE);
	ck_assert_uint_eq(reply.code, 250);
	ck_assert_uint_eq(reply.n, ok.n);
	ck_assert_str_eq(reply.text, ok.text);
	late_forget(late, 7);
	ck_assert_int_eq(late_get(late, 7, &reply), LATE_NOTHING);
	ck_assert(!late_is_any(late));
}
END_TEST

/* No answer will come: smtpd may send it again. */
START_TEST(never_answered)
{
	ck_assert_int_eq(late_wait(late, 7), 0);
	late_answer(late, 7, NULL);
	ck_assert_int_eq(late_get(late, 7, &reply), LATE_NOTHING);
	ck_assert(!late_is_any(late));
}
END_TEST

/* An envelope that is not known leaves no memory and does no harm. */
START_TEST(unknown_envelope)
{
	reply_set(&reply, 250, "", "Ok");
	ck_assert_int_eq(late_wait(late, 0), 0);
	ck_assert(!late_is_any(late));
	late_answer(late, 0, &reply);
	late_answer(late, 9, &reply);
	late_forget(late, 9);
	ck_assert_int_eq(late_get(late, 0, &reply), LATE_NOTHING);
	ck_assert_int_eq(late_get(late, 9, &reply), LATE_NOTHING);
}
END_TEST

START_TEST(waits_again)
{
	reply_set(&reply, 451, "4.3.0", "Later");
	ck_assert_int_eq(late_wait(late, 7), 0);
	late_answer(late, 7, &reply);
	ck_assert_int_eq(late_wait(late, 7), 0);
	ck_assert_int_eq(late_get(late, 7, &reply), LATE_WAITING);
	late_forget(late, 7);
	ck_assert(!late_is_any(late));
}
END_TEST

START_TEST(oldest_goes_first)
{
	for (uint64_t i = 1; i <= LATE_MAX + 3; i++)
		ck_assert_int_eq(late_wait(late, i), 0);
	for (uint64_t i = 1; i <= 3; i++)
		ck_assert_int_eq(late_get(late, i, &reply), LATE_NOTHING);
	ck_assert_int_eq(late_get(late, 4, &reply), LATE_WAITING);
	ck_assert_int_eq(late_get(late, LATE_MAX + 3, &reply), LATE_WAITING);
}
END_TEST

/* Where there is no memory for its words, what the answer means is kept. */
START_TEST(memory)
{
	struct reply ok;

	reply_set(&ok, 250, "2.0.0", "Queued");
	nomem_after(0);
	int r = late_wait(late, 7);
	struct late *none = late_new();
	nomem_end();
	ck_assert_int_eq(r, MTASTS_ENOMEM);
	ck_assert_ptr_null(none);
	ck_assert(!late_is_any(late));
	ck_assert_int_eq(late_wait(late, 7), 0);
	nomem_after(0);
	late_answer(late, 7, &ok);
	nomem_end();
	ck_assert_int_eq(late_get(late, 7, &reply), LATE_DONE);
	ck_assert_uint_eq(reply.code, 250);
	late_free(NULL);
}
END_TEST

/* ---- who waits ---- */

static unsigned n_ended;

static void
on_end(struct late_waiter *waiter)
{
	ck_assert_ptr_nonnull(waiter);
	n_ended++;
}

START_TEST(waiters)
{
	struct late_waiter a = { .end = on_end }, b = { .end = on_end }, c = { .end = on_end };
	struct late *own = late_new();

	n_ended = 0;
	late_keep(own, &a);
	late_keep(own, &b);
	late_keep(own, &c);
	late_leave(&b);
	late_free(own);
	ck_assert_uint_eq(n_ended, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("late");
	TCase *tcase = tcase_create("late");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, waits_and_answers);
	tcase_add_test(tcase, never_answered);
	tcase_add_test(tcase, unknown_envelope);
	tcase_add_test(tcase, waits_again);
	tcase_add_test(tcase, oldest_goes_first);
	tcase_add_test(tcase, memory);
	tcase_add_test(tcase, waiters);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
