/* SPDX-License-Identifier: ISC
 *
 * Policy x attempt -> verdict (RFC 8461 4, 5): pure, the one place that knows.  mtasts_judge() of
 * mtasts.h is this.
 *
 * - ABSENT, UNKNOWN, mode none: deliver; a TLS failure is still a finding of the session
 *   (reports of no-policy-found count it), never a refusal.
 * - the MX name (RFC 8461 4.1) first: no pattern matches -> MTASTS_VALIDATION_FAILURE, unless DANE
 *   succeeded and the MX RRset was DNSSEC-secure;
 * - then STARTTLS and the certificate (4.2), unless DANE succeeded;
 * - DANE that failed is never overridden (RFC 8461 2);
 * - testing is judged like enforce, then delivers;
 * - FAULT: do not deliver.
 */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "engine/policy.h"

struct mtasts_verdict judge(
    const struct mtasts_policy *policy, const struct mtasts_attempt *attempt);

/* The MX name alone (4.1), with "mx-mismatch" as the reason code of reports. */
bool judge_name(const struct mtasts_policy *policy, const char *mx_host);

#endif
