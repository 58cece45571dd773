/* SPDX-License-Identifier: ISC */
#include "base/err.h"

#include <string.h>

#include "unit.h"

/* RFC 8460 4.3, as they stand there. */
static const struct {
	enum mtasts_finding finding;
	const char *token;
} findings[] = {
	{ MTASTS_STARTTLS_NOT_SUPPORTED, "starttls-not-supported" },
	{ MTASTS_CERTIFICATE_HOST_MISMATCH, "certificate-host-mismatch" },
	{ MTASTS_CERTIFICATE_EXPIRED, "certificate-expired" },
	{ MTASTS_CERTIFICATE_NOT_TRUSTED, "certificate-not-trusted" },
	{ MTASTS_VALIDATION_FAILURE, "validation-failure" },
	{ MTASTS_STS_POLICY_FETCH_ERROR, "sts-policy-fetch-error" },
	{ MTASTS_STS_POLICY_INVALID, "sts-policy-invalid" },
	{ MTASTS_STS_WEBPKI_INVALID, "sts-webpki-invalid" },
	{ MTASTS_TLSA_INVALID, "tlsa-invalid" },
	{ MTASTS_DNSSEC_INVALID, "dnssec-invalid" },
	{ MTASTS_DANE_REQUIRED, "dane-required" },
};

START_TEST(test_finding)
{
	enum mtasts_finding back = MTASTS_NOTHING_WRONG;

	ck_assert_str_eq(mtasts_finding_token(findings[_i].finding), findings[_i].token);
	ck_assert_int_eq(finding_of(span_of(findings[_i].token), &back), 0);
	ck_assert_int_eq(back, findings[_i].finding);
}
END_TEST

START_TEST(test_finding_none)
{
	enum mtasts_finding finding = MTASTS_DANE_REQUIRED;

	ck_assert_ptr_null(mtasts_finding_token(MTASTS_NOTHING_WRONG));
	ck_assert_int_eq(finding_of(span_of("Validation-Failure"), &finding), -1);
	ck_assert_int_eq(finding_of(span_of("validation"), &finding), -1);
	ck_assert_int_eq(finding, MTASTS_DANE_REQUIRED);
	ck_assert_int_eq(finding_of(span_of("-"), &finding), 0);
	ck_assert_int_eq(finding, MTASTS_NOTHING_WRONG);
	finding = MTASTS_DANE_REQUIRED;
	ck_assert_int_eq(finding_of(span_of(""), &finding), 0);
	ck_assert_int_eq(finding, MTASTS_NOTHING_WRONG);
}
END_TEST

START_TEST(test_strerror)
{
	for (int e = 0; e >= MTASTS_EBUSY; e--) {
		const char *text = mtasts_strerror(e);
		ck_assert_msg(strcmp(text, "unknown error") != 0, "%d", e);
		ck_assert(text[strlen(text) - 1] != '.');
	}
	ck_assert_str_eq(mtasts_strerror(1), "unknown error");
	ck_assert_str_eq(mtasts_strerror(-1000), "unknown error");
}
END_TEST

START_TEST(test_words)
{
	enum mtasts_mode mode;

	ck_assert_str_eq(state_name(MTASTS_PUBLISHED), "published");
	ck_assert_str_eq(state_name(MTASTS_ABSENT), "absent");
	ck_assert_str_eq(state_name(MTASTS_UNKNOWN), "unknown");
	ck_assert_str_eq(state_name(MTASTS_FAULT), "fault");
	ck_assert_str_eq(source_name(MTASTS_FROM_NOWHERE), "-");
	ck_assert_str_eq(source_name(MTASTS_FROM_NETWORK), "network");
	ck_assert_str_eq(source_name(MTASTS_FROM_CACHE), "cache");
	ck_assert_str_eq(source_name(MTASTS_FROM_STALE), "stale");
	ck_assert_int_eq(mode_of(span_of("enforce"), &mode), 0);
	ck_assert_int_eq(mode, MTASTS_ENFORCE);
	ck_assert_str_eq(mode_name(mode), "enforce");
	ck_assert_int_eq(mode_of(span_of("testing"), &mode), 0);
	ck_assert_int_eq(mode, MTASTS_TESTING);
	ck_assert_int_eq(mode_of(span_of("none"), &mode), 0);
	ck_assert_int_eq(mode, MTASTS_NONE);
	ck_assert_int_eq(mode_of(span_of("Enforce"), &mode), -1);
	ck_assert_int_eq(mode_of(span_of(""), &mode), -1);
	ck_assert_int_eq(mode, MTASTS_NONE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("err");
	TCase *tcase = tcase_create("err");

	tcase_add_loop_test(tcase, test_finding, 0, sizeof findings / sizeof findings[0]);
	tcase_add_test(tcase, test_finding_none);
	tcase_add_test(tcase, test_strerror);
	tcase_add_test(tcase, test_words);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
