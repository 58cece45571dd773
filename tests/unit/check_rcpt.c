/* SPDX-License-Identifier: ISC
 *
 * Questions about recipients over a library of the tests: each domain's name says what is known of
 * it, and every answer is given when the test says so.
 */
#include "opensmtpd/rcpt.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/nomem.h"
#include "tests/unit/unit.h"

/* ---- the library ---- */

struct mtasts_policy {
	enum mtasts_state state;
	enum mtasts_mode mode;
};

struct mtasts_mxset {
	size_t n;
};

static const char *const hosts[] = { "mx0.example", "mx1.example", "mx2.example" };

enum step { STEP_NONE, STEP_POLICY, STEP_MX, STEP_DECISION };

/* The one thing that is asked at a time; the test answers. */
static struct {
	enum step step;
	int start_error;    /* of the next start */
	enum step start_at; /* which fails with it */
	char domain[256];
	int deadline_ms;
	void *arg;
	mtasts_lookup_fn *policy;
	mtasts_mx_fn *mx;
	mtasts_decide_fn *decided;
	struct mtasts_policy *taken; /* given to the decision */
	size_t n_attempts;
	bool is_judged_early; /* age 0, no bounce_after, hosts untried */
	size_t n_refused;     /* hosts that are not in the policy: the first ones */
	unsigned n_cancelled;
	int n_policies, n_sets; /* that are not freed */
} library;

static int
begin(enum step step, const char *domain, int deadline_ms, void *arg, uint64_t *id)
{
	if (library.start_error != 0 && library.start_at == step)
		return library.start_error;
	library.step = step;
	if (domain != NULL)
		strncpy(library.domain, domain, sizeof library.domain - 1);
	library.deadline_ms = deadline_ms;
	library.arg = arg;
	*id = (uint64_t)step;
	return 0;
}

int
mtasts_start(struct mtasts *ctx, const char *domain, unsigned flags, int deadline_ms,
    mtasts_lookup_fn *done, void *arg, uint64_t *id)
{
	(void)ctx;
	library.policy = done;
	return flags != 0 ? MTASTS_EINVAL : begin(STEP_POLICY, domain, deadline_ms, arg, id);
}

int
mtasts_mx_start(struct mtasts *ctx, const char *domain, int deadline_ms, mtasts_mx_fn *done,
    void *arg, uint64_t *id)
{
	(void)ctx;
	library.mx = done;
	return begin(STEP_MX, domain, deadline_ms, arg, id);
}

int
mtasts_decide_start(struct mtasts *ctx, struct mtasts_policy *policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, mtasts_decide_fn *done, void *arg, uint64_t *id)
{
	int r = begin(STEP_DECISION, NULL, deadline_ms, arg, id);

	(void)ctx;
	if (r != 0)
		return r;
	library.decided = done;
	library.taken = policy;
	library.n_attempts = n;
	library.is_judged_early = message_age == 0 && bounce_after == 0;
	for (size_t i = 0; i < n; i++)
		library.is_judged_early &= attempts[i].tls == MTASTS_TLS_UNTRIED &&
					   strcmp(attempts[i].mx_host, hosts[i]) == 0;
	return 0;
}

void
mtasts_cancel(struct mtasts *ctx, uint64_t id)
{
	(void)ctx;
	library.n_cancelled += id == (uint64_t)library.step;
	mtasts_policy_free(library.taken);
	library.taken = NULL;
	library.step = STEP_NONE;
}

enum mtasts_state
mtasts_policy_state(const struct mtasts_policy *policy)
{
	return policy->state;
}

enum mtasts_mode
mtasts_policy_mode(const struct mtasts_policy *policy)
{
	return policy->mode;
}

void
mtasts_policy_free(struct mtasts_policy *policy)
{
	library.n_policies -= policy != NULL;
	free(policy);
}

size_t
mtasts_mxset_count(const struct mtasts_mxset *set)
{
	return set->n;
}

const char *
mtasts_mxset_host(const struct mtasts_mxset *set, size_t i)
{
	(void)set;
	return hosts[i];
}

struct mtasts_verdict
mtasts_judge(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	bool is_refused = false;

	ck_assert_ptr_nonnull(policy);
	ck_assert_int_eq(attempt->tls, MTASTS_TLS_UNTRIED);
	for (size_t i = 0; i < library.n_refused; i++)
		is_refused |= strcmp(attempt->mx_host, hosts[i]) == 0;
	return (struct mtasts_verdict){ .deliver = !is_refused };
}

int
mtasts_mxset_secure(const struct mtasts_mxset *set)
{
	(void)set;
	return 0;
}

void
mtasts_mxset_free(struct mtasts_mxset *set)
{
	library.n_sets -= set != NULL;
	free(set);
}

/* No library in the loop. */
size_t
mtasts_pollfds(struct mtasts *ctx, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	(void)ctx;
	(void)fds;
	(void)cap;
	*timeout_ms = -1;
	return 0;
}

int
mtasts_process(struct mtasts *ctx)
{
	(void)ctx;
	return 0;
}

/* ---- the world ---- */

enum { DEADLINE = 15000 };

static int64_t now_ms;
static struct clock the_clock;
static struct loop *loop;
static struct rcpts *rcpts;
static struct log no_log;
static unsigned n_answers;
static uint64_t answered; /* the last question */
static unsigned code;	  /* 0: it proceeds */

static void
on_answer(void *arg, uint64_t question, const struct mtasts_decision *decision)
{
	(void)arg;
	n_answers++;
	answered = question;
	code = decision == NULL ? 0 : (unsigned)decision->smtp_code;
}

static int64_t
mono(void *arg)
{
	(void)arg;
	return now_ms;
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
pass(int64_t ms)
{
	struct loop_timer end = { .fn = stop };

	now_ms += ms;
	ck_assert_int_eq(loop_timer_set(loop, &end, 0), 0);
	loop_run(loop);
}

static void
ask(uint64_t question, const char *name)
{
	struct domain domain;

	ck_assert_int_eq(domain_parse(span_of(name), DOMAIN_STRICT, &domain), 0);
	rcpts_ask(rcpts, question, &domain);
}

static void
policy_comes(int error, enum mtasts_state state, enum mtasts_mode mode)
{
	struct mtasts_policy *policy = NULL;

	ck_assert_int_eq(library.step, STEP_POLICY);
	library.step = STEP_NONE;
	if (error == 0) {
		policy = mem_zero(1, sizeof *policy);
		*policy = (struct mtasts_policy){ state, mode };
		library.n_policies++;
	}
	library.policy(library.arg, error, policy);
}

static void
mx_come(int error, size_t n)
{
	struct mtasts_mxset *set = NULL;

	ck_assert_int_eq(library.step, STEP_MX);
	library.step = STEP_NONE;
	if (error == 0) {
		set = mem_zero(1, sizeof *set);
		set->n = n;
		library.n_sets++;
	}
	library.mx(library.arg, error, set);
}

static void
decision_comes(int error, enum mtasts_action action, int smtp_code)
{
	struct mtasts_decision decision = { .action = action, .smtp_code = smtp_code };
	struct mtasts_policy *policy = library.taken;

	ck_assert_int_eq(library.step, STEP_DECISION);
	library.step = STEP_NONE;
	library.taken = NULL;
	library.decided(library.arg, error, policy, error == 0 ? &decision : NULL);
}

static void
setup(void)
{
	memset(&library, 0, sizeof library);
	library.n_refused = 3;
	now_ms = 0;
	n_answers = 0;
	the_clock = clock_system();
	the_clock.mono_ms = mono;
	loop = loop_new(&the_clock);
	rcpts = rcpts_new(loop, NULL, DEADLINE, &no_log, on_answer, NULL);
	ck_assert_ptr_nonnull(rcpts);
}

static void
teardown(void)
{
	rcpts_free(rcpts);
	loop_free(loop);
	ck_assert_int_eq(library.n_policies, 0);
	ck_assert_int_eq(library.n_sets, 0);
}

static void
check_proceeds(uint64_t question)
{
	ck_assert_uint_eq(n_answers, 1);
	ck_assert_uint_eq(answered, question);
	ck_assert_uint_eq(code, 0);
	ck_assert_uint_eq(rcpts_count(rcpts), 0);
	ck_assert_int_eq(library.step, STEP_NONE);
	n_answers = 0;
}

/* ---- tests ---- */

static const struct {
	const char *name;
	int error;
	enum mtasts_state state;
	enum mtasts_mode mode;
} harmless[] = {
	{ "absent", 0, MTASTS_ABSENT, MTASTS_NONE },
	{ "unknown", 0, MTASTS_UNKNOWN, MTASTS_NONE },
	{ "fault", 0, MTASTS_FAULT, MTASTS_NONE },
	{ "none", 0, MTASTS_PUBLISHED, MTASTS_NONE },
	{ "testing", 0, MTASTS_PUBLISHED, MTASTS_TESTING },
	/* modes mean nothing without a policy */
	{ "absent, enforce", 0, MTASTS_ABSENT, MTASTS_ENFORCE },
	{ "error", MTASTS_ENOMEM, MTASTS_PUBLISHED, MTASTS_ENFORCE },
};

START_TEST(test_harmless)
{
	ask(7, "x.example");
	ck_assert_str_eq(library.domain, "x.example");
	ck_assert_int_eq(library.deadline_ms, DEADLINE);
	ck_assert_uint_eq(n_answers, 0);
	ck_assert_uint_eq(rcpts_count(rcpts), 1);
	policy_comes(harmless[_i].error, harmless[_i].state, harmless[_i].mode);
	check_proceeds(7);
}
END_TEST

static void
come_to_decision(void)
{
	ask(7, "x.example");
	pass(1000);
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	ck_assert_int_eq(library.step, STEP_MX);
	ck_assert_int_eq(library.deadline_ms, DEADLINE - 1000);
	pass(2000);
	mx_come(0, 3);
	ck_assert_int_eq(library.step, STEP_DECISION);
	ck_assert_int_eq(library.deadline_ms, DEADLINE - 3000);
	ck_assert_uint_eq(library.n_attempts, 3);
	ck_assert(library.is_judged_early);
	ck_assert_uint_eq(n_answers, 0);
}

START_TEST(test_refused)
{
	come_to_decision();
	decision_comes(0, MTASTS_FAIL, 550);
	ck_assert_uint_eq(n_answers, 1);
	ck_assert_uint_eq(answered, 7);
	ck_assert_uint_eq(code, 550);
	ck_assert_uint_eq(rcpts_count(rcpts), 0);
}
END_TEST

START_TEST(test_not_refused)
{
	come_to_decision();
	decision_comes(0, MTASTS_DELIVER, 0);
	check_proceeds(7);
	come_to_decision();
	decision_comes(0, MTASTS_DEFER, 451);
	check_proceeds(7);
	come_to_decision();
	decision_comes(MTASTS_ENOMEM, MTASTS_FAIL, 550);
	check_proceeds(7);
}
END_TEST

/* Strikes make no refusal: what one of the domain's hosts may take yet is not for us to end. */
START_TEST(test_allowed)
{
	library.n_refused = 2;
	ask(7, "x.example");
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	mx_come(0, 3);
	check_proceeds(7);
	library.n_refused = 3;
	come_to_decision();
	library.n_refused = 2; /* by the policy that came with the recheck */
	decision_comes(0, MTASTS_FAIL, 550);
	check_proceeds(7);
}
END_TEST

START_TEST(test_no_hosts)
{
	ask(7, "x.example");
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	mx_come(0, 0);
	check_proceeds(7);
	ask(8, "x.example");
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	mx_come(MTASTS_EBUSY, 0);
	check_proceeds(8);
}
END_TEST

/* Nothing can be begun. */
START_TEST(test_busy)
{
	library.start_error = MTASTS_EBUSY;
	library.start_at = STEP_POLICY;
	ask(1, "x.example");
	check_proceeds(1);
	library.start_at = STEP_MX;
	ask(2, "x.example");
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	check_proceeds(2);
	library.start_at = STEP_DECISION;
	ask(3, "x.example");
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	mx_come(0, 1);
	check_proceeds(3);
}
END_TEST

/* One deadline for all of it: what comes at its end is the last. */
START_TEST(test_late)
{
	ask(1, "x.example");
	pass(DEADLINE);
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	check_proceeds(1);
	ask(2, "x.example");
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	pass(DEADLINE + 1);
	mx_come(0, 1);
	check_proceeds(2);
}
END_TEST

START_TEST(test_freed)
{
	ask(1, "x.example");
	rcpts_free(rcpts);
	ck_assert_uint_eq(library.n_cancelled, 1);
	rcpts = rcpts_new(loop, NULL, DEADLINE, &no_log, on_answer, NULL);
	ask(1, "x.example");
	policy_comes(0, MTASTS_PUBLISHED, MTASTS_ENFORCE);
	rcpts_free(rcpts);
	ck_assert_uint_eq(library.n_cancelled, 2);
	rcpts = rcpts_new(loop, NULL, DEADLINE, &no_log, on_answer, NULL);
	come_to_decision();
	rcpts_free(rcpts);
	ck_assert_uint_eq(library.n_cancelled, 3);
	rcpts = NULL;
	ck_assert_uint_eq(n_answers, 0);
}
END_TEST

START_TEST(test_bounds)
{
	for (uint64_t i = 0; i < RCPT_MAX; i++)
		ask(i, "x.example");
	ck_assert_uint_eq(n_answers, 0);
	ask(RCPT_MAX, "x.example");
	ck_assert_uint_eq(n_answers, 1);
	ck_assert_uint_eq(answered, RCPT_MAX);
	ck_assert_uint_eq(code, 0);
}
END_TEST

START_TEST(test_no_memory)
{
	nomem_after(0);
	rcpts_ask(rcpts, 5, &(const struct domain){ .name = "x.example", .n = 9 });
	nomem_end();
	check_proceeds(5);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("rcpt");
	TCase *c = tcase_create("rcpt");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, test_harmless, 0, sizeof harmless / sizeof *harmless);
	tcase_add_test(c, test_refused);
	tcase_add_test(c, test_not_refused);
	tcase_add_test(c, test_allowed);
	tcase_add_test(c, test_no_hosts);
	tcase_add_test(c, test_busy);
	tcase_add_test(c, test_late);
	tcase_add_test(c, test_freed);
	tcase_add_test(c, test_bounds);
	tcase_add_test(c, test_no_memory);
	suite_add_tcase(s, c);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
