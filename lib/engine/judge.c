/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 4 and 5, one attempt at a time.  Looks nothing up and knows no clock.
 */
#include "engine/judge.h"

#include "parse/mxmatch.h"

/* What the session itself failed by, whatever the policy says: RFC 8460 4.3. */
static enum mtasts_finding
session_finding(const struct mtasts_attempt *attempt)
{
	if (attempt->dane_failed)
		return attempt->dane_finding != MTASTS_NOTHING_WRONG ? attempt->dane_finding
								     : MTASTS_VALIDATION_FAILURE;
	switch (attempt->tls) {
	case MTASTS_TLS_UNTRIED:
	case MTASTS_TLS_UNREACHED:
	case MTASTS_TLS_VERIFIED:
		return MTASTS_NOTHING_WRONG;
	case MTASTS_TLS_NOT_OFFERED: /* no TLS, so nothing that DANE could have authenticated */
		return MTASTS_STARTTLS_NOT_SUPPORTED;
	case MTASTS_TLS_WRONG_NAME:
		return attempt->dane ? MTASTS_NOTHING_WRONG : MTASTS_CERTIFICATE_HOST_MISMATCH;
	case MTASTS_TLS_EXPIRED:
		return attempt->dane ? MTASTS_NOTHING_WRONG : MTASTS_CERTIFICATE_EXPIRED;
	case MTASTS_TLS_UNTRUSTED:
		return attempt->dane ? MTASTS_NOTHING_WRONG : MTASTS_CERTIFICATE_NOT_TRUSTED;
	case MTASTS_TLS_FAILED:
		return attempt->dane ? MTASTS_NOTHING_WRONG : MTASTS_VALIDATION_FAILURE;
	}
	return MTASTS_VALIDATION_FAILURE; /* no member of the enum: fail closed */
}

bool
judge_name(const struct mtasts_policy *policy, const char *mx_host)
{
	struct domain host;

	if (mx_host == NULL || policy->file == NULL)
		return false;
	if (domain_parse(span_of(mx_host), DOMAIN_UNDERSCORE, &host) != 0)
		return false;
	return mxmatch_any(policy->file->mx, policy->file->n_mx, &host);
}

bool
judge_name_fails(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	if (attempt->dane && !attempt->dane_failed && attempt->mx_secure)
		return false;
	return !judge_name(policy, attempt->mx_host);
}

/* RFC 8461 4.1, then 4.2: a published policy that is not "none". */
static struct mtasts_verdict
judge_published(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	bool enforce = policy->mode == MTASTS_ENFORCE;
	struct mtasts_verdict verdict = { .need_tls = enforce };

	if (judge_name_fails(policy, attempt))
		verdict.finding = MTASTS_VALIDATION_FAILURE;
	else
		verdict.finding = session_finding(attempt);
	verdict.deliver = !enforce || verdict.finding == MTASTS_NOTHING_WRONG;
	return verdict;
}

static struct mtasts_verdict
judge_state(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	struct mtasts_verdict free_hand = { .deliver = 1, .finding = session_finding(attempt) };

	switch (policy->state) {
	case MTASTS_PUBLISHED:
		return policy->mode == MTASTS_NONE ? free_hand : judge_published(policy, attempt);
	case MTASTS_ABSENT:
	case MTASTS_UNKNOWN:
		return free_hand;
	case MTASTS_FAULT:
		free_hand.deliver = policy->fault_delivers;
		free_hand.need_tls = !policy->fault_delivers;
		return free_hand;
	}
	return (struct mtasts_verdict){ .deliver = 0, .need_tls = 1 };
}

struct mtasts_verdict
judge(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	struct mtasts_verdict verdict = judge_state(policy, attempt);

	if (attempt->dane_failed)
		verdict.deliver = 0;
	return verdict;
}

struct mtasts_verdict
mtasts_judge(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	if (policy == NULL || attempt == NULL) /* against the contract: fail closed */
		return (struct mtasts_verdict){ .deliver = 0, .need_tls = 1 };
	return judge(policy, attempt);
}
