/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 4 and 5 as a table: every rule by its number.
 */
#include "engine/judge.h"

#include "sample.h"
#include "unit.h"

enum { D = 1 << 0, DF = 1 << 1, SECURE = 1 << 2 }; /* DANE good, DANE failed, MX RRset secure */

#define IN  "mx1.example.net"
#define OUT "mx.attacker.example"
#define P   MTASTS_PUBLISHED

static const struct {
	const char *rule;
	enum mtasts_state state;
	const char *mode;
	const char *mx_host;
	enum mtasts_tls tls;
	unsigned dane;
	int deliver, need_tls;
	enum mtasts_finding finding;
} rows[] = {
	{ "R5.0.1 good", P, "enforce", IN, MTASTS_TLS_VERIFIED, 0, 1, 1, 0 },
	{ "R4.1.1 any case, final dot", P, "enforce", "MX1.Example.Net.", MTASTS_TLS_VERIFIED, 0, 1,
	    1, 0 },
	{ "R4.1.1 wildcard", P, "enforce", "a.backup.example", MTASTS_TLS_VERIFIED, 0, 1, 1, 0 },
	{ "R4.1.1 wildcard, one label only", P, "enforce", "a.b.backup.example",
	    MTASTS_TLS_VERIFIED, 0, 0, 1, MTASTS_VALIDATION_FAILURE },
	{ "R4.1.1 wildcard, not the apex", P, "enforce", "backup.example", MTASTS_TLS_VERIFIED, 0,
	    0, 1, MTASTS_VALIDATION_FAILURE },
	{ "R4.1.1 not in the policy", P, "enforce", OUT, MTASTS_TLS_VERIFIED, 0, 0, 1,
	    MTASTS_VALIDATION_FAILURE },
	{ "R4.1.1 before connecting", P, "enforce", OUT, MTASTS_TLS_UNTRIED, 0, 0, 1,
	    MTASTS_VALIDATION_FAILURE },
	{ "R4.1.1 allowed before connecting", P, "enforce", IN, MTASTS_TLS_UNTRIED, 0, 1, 1, 0 },
	{ "R4.1.1 host not known", P, "enforce", NULL, MTASTS_TLS_VERIFIED, 0, 0, 1,
	    MTASTS_VALIDATION_FAILURE },
	{ "m17 an address is no name", P, "enforce", "192.0.2.1", MTASTS_TLS_VERIFIED, 0, 0, 1,
	    MTASTS_VALIDATION_FAILURE },
	{ "R4.2.1 no STARTTLS", P, "enforce", IN, MTASTS_TLS_NOT_OFFERED, 0, 0, 1,
	    MTASTS_STARTTLS_NOT_SUPPORTED },
	{ "R4.2.1 name", P, "enforce", IN, MTASTS_TLS_WRONG_NAME, 0, 0, 1,
	    MTASTS_CERTIFICATE_HOST_MISMATCH },
	{ "R4.2.1 expired", P, "enforce", IN, MTASTS_TLS_EXPIRED, 0, 0, 1,
	    MTASTS_CERTIFICATE_EXPIRED },
	{ "R4.2.1 untrusted", P, "enforce", IN, MTASTS_TLS_UNTRUSTED, 0, 0, 1,
	    MTASTS_CERTIFICATE_NOT_TRUSTED },
	{ "R4.2.1 handshake", P, "enforce", IN, MTASTS_TLS_FAILED, 0, 0, 1,
	    MTASTS_VALIDATION_FAILURE },
	{ "T4.3.2 unreached is no finding", P, "enforce", IN, MTASTS_TLS_UNREACHED, 0, 1, 1, 0 },

	{ "R5.0.2 testing, good", P, "testing", IN, MTASTS_TLS_VERIFIED, 0, 1, 0, 0 },
	{ "R5.0.2 testing, name", P, "testing", OUT, MTASTS_TLS_VERIFIED, 0, 1, 0,
	    MTASTS_VALIDATION_FAILURE },
	{ "R5.0.2 c27 testing, certificate", P, "testing", IN, MTASTS_TLS_EXPIRED, 0, 1, 0,
	    MTASTS_CERTIFICATE_EXPIRED },
	{ "R5.0.3 none, name", P, "none", OUT, MTASTS_TLS_VERIFIED, 0, 1, 0, 0 },
	{ "R5.0.3 none, certificate", P, "none", OUT, MTASTS_TLS_EXPIRED, 0, 1, 0,
	    MTASTS_CERTIFICATE_EXPIRED },
	{ "absent", MTASTS_ABSENT, "", OUT, MTASTS_TLS_VERIFIED, 0, 1, 0, 0 },
	{ "T4.4.3 absent counts failures", MTASTS_ABSENT, "", OUT, MTASTS_TLS_NOT_OFFERED, 0, 1, 0,
	    MTASTS_STARTTLS_NOT_SUPPORTED },
	{ "unknown", MTASTS_UNKNOWN, "", OUT, MTASTS_TLS_UNTRUSTED, 0, 1, 0,
	    MTASTS_CERTIFICATE_NOT_TRUSTED },
	{ "fault", MTASTS_FAULT, "", IN, MTASTS_TLS_VERIFIED, 0, 0, 1, 0 },

	{ "R2.1 DANE stands in: name", P, "enforce", IN, MTASTS_TLS_WRONG_NAME, D, 1, 1, 0 },
	{ "R2.1 DANE stands in: expired", P, "enforce", IN, MTASTS_TLS_EXPIRED, D, 1, 1, 0 },
	{ "R2.1 DANE stands in: chain", P, "enforce", IN, MTASTS_TLS_UNTRUSTED, D, 1, 1, 0 },
	{ "R2.1 DANE stands in: cause unknown", P, "enforce", IN, MTASTS_TLS_FAILED, D, 1, 1, 0 },
	{ "R2.1 no TLS, no DANE", P, "enforce", IN, MTASTS_TLS_NOT_OFFERED, D, 0, 1,
	    MTASTS_STARTTLS_NOT_SUPPORTED },
	{ "R2.1 c29 insecure MX at a signed host", P, "enforce", OUT, MTASTS_TLS_VERIFIED, D, 0, 1,
	    MTASTS_VALIDATION_FAILURE },
	{ "R2.1 secure MX", P, "enforce", OUT, MTASTS_TLS_VERIFIED, D | SECURE, 1, 1, 0 },
	{ "R2.1 secure MX, no DANE", P, "enforce", OUT, MTASTS_TLS_VERIFIED, SECURE, 0, 1,
	    MTASTS_VALIDATION_FAILURE },
	{ "R2.1 failing, enforce", P, "enforce", IN, MTASTS_TLS_VERIFIED, DF, 0, 1,
	    MTASTS_TLSA_INVALID },
	{ "R2.1 failing beats succeeding", P, "enforce", OUT, MTASTS_TLS_VERIFIED, D | DF | SECURE,
	    0, 1, MTASTS_VALIDATION_FAILURE },
	{ "R2.1 failing, testing", P, "testing", IN, MTASTS_TLS_VERIFIED, DF, 0, 0,
	    MTASTS_TLSA_INVALID },
	{ "R2.1 failing, none", P, "none", IN, MTASTS_TLS_VERIFIED, DF, 0, 0, MTASTS_TLSA_INVALID },
	{ "R2.1 failing, absent", MTASTS_ABSENT, "", IN, MTASTS_TLS_VERIFIED, DF, 0, 0,
	    MTASTS_TLSA_INVALID },
};

static struct mtasts_attempt
attempt_of(size_t i)
{
	return (struct mtasts_attempt){ .mx_host = rows[i].mx_host,
		.tls = rows[i].tls,
		.dane = (rows[i].dane & D) != 0,
		.dane_failed = (rows[i].dane & DF) != 0,
		.dane_finding = (rows[i].dane & DF) != 0 ? MTASTS_TLSA_INVALID : 0,
		.mx_secure = (rows[i].dane & SECURE) != 0 };
}

START_TEST(test_judge)
{
	struct mtasts_policy *policy = sample_policy(
	    rows[_i].state, rows[_i].mode, "mx: mx1.example.net\nmx: *.backup.example\n");
	struct mtasts_attempt attempt = attempt_of((size_t)_i);
	struct mtasts_verdict verdict = mtasts_judge(policy, &attempt);

	ck_assert_msg(verdict.deliver == rows[_i].deliver, "%s: deliver", rows[_i].rule);
	ck_assert_msg(verdict.need_tls == rows[_i].need_tls, "%s: need_tls", rows[_i].rule);
	ck_assert_msg(verdict.finding == rows[_i].finding, "%s: finding %d", rows[_i].rule,
	    (int)verdict.finding);
	policy_free(policy);
}
END_TEST

/* A copy judges like the original. */
START_TEST(test_copy)
{
	struct mtasts_policy *policy = sample_policy(
	    rows[_i].state, rows[_i].mode, "mx: mx1.example.net  \n\nmx: *.backup.example\n");
	struct mtasts_policy *copy = mtasts_policy_copy(policy);
	struct mtasts_attempt attempt = attempt_of((size_t)_i);

	ck_assert_uint_eq(mtasts_policy_mx_count(copy), mtasts_policy_mx_count(policy));
	ck_assert_str_eq(mtasts_policy_domain(copy), "example.net");
	policy_free(policy);
	ck_assert_msg(
	    mtasts_judge(copy, &attempt).deliver == rows[_i].deliver, "%s: copy", rows[_i].rule);
	policy_free(copy);
}
END_TEST

START_TEST(test_fault_opened)
{
	struct mtasts_policy *policy = sample_policy(MTASTS_FAULT, "", "");
	struct mtasts_attempt attempt = { .mx_host = IN, .tls = MTASTS_TLS_NOT_OFFERED };

	policy->fault_delivers = true;
	ck_assert_int_eq(mtasts_judge(policy, &attempt).deliver, 1);
	ck_assert_int_eq(mtasts_judge(policy, &attempt).need_tls, 0);
	policy_free(policy);
}
END_TEST

/* Against the contract, and yet on the safe side. */
START_TEST(test_null)
{
	struct mtasts_policy *policy = sample_policy(MTASTS_ABSENT, "", "");
	struct mtasts_attempt attempt = { .mx_host = IN };

	ck_assert_int_eq(mtasts_judge(NULL, NULL).deliver, 0);
	ck_assert_int_eq(mtasts_judge(policy, NULL).deliver, 0);
	ck_assert_int_eq(mtasts_judge(NULL, &attempt).deliver, 0);
	policy_free(policy);
	ck_assert_int_eq((int)mtasts_policy_state(NULL), MTASTS_FAULT);
	ck_assert_str_eq(mtasts_policy_reason(NULL), "");
	ck_assert_ptr_null(mtasts_policy_copy(NULL));
	mtasts_policy_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("judge");
	TCase *tcase = tcase_create("judge");
	int n = sizeof rows / sizeof rows[0];

	tcase_add_loop_test(tcase, test_judge, 0, n);
	tcase_add_loop_test(tcase, test_copy, 0, n);
	tcase_add_test(tcase, test_fault_opened);
	tcase_add_test(tcase, test_null);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
