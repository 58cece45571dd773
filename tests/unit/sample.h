/* SPDX-License-Identifier: ISC
 *
 * Policies for tests, made as the engine makes them.
 */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include <check.h>
#include <stdio.h>

#include "engine/policy.h"

static inline struct mtasts_policy *
sample_policy(enum mtasts_state state, const char *mode, const char *mx_lines)
{
	struct domain domain;
	struct policyfile *file = NULL;
	struct parse_error error;
	char body[512];

	ck_assert_int_eq(domain_parse(span_of("Example.NET."), DOMAIN_STRICT, &domain), 0);
	struct mtasts_policy *policy = policy_new(&domain, state);
	ck_assert_ptr_nonnull(policy);
	if (state != MTASTS_PUBLISHED)
		return policy;
	snprintf(body, sizeof body, "version: STSv1\nmode: %s\nmax_age: 86400\n%s", mode, mx_lines);
	ck_assert_int_eq(policyfile_parse(span_of(body), NULL, &file, &error), 0);
	policy_publish(policy, MTASTS_FROM_NETWORK, file);
	return policy;
}

#endif
