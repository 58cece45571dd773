/* SPDX-License-Identifier: ISC
 *
 * Policy x attempt -> verdict (RFC 8461 4, 5): pure, the one place that knows.  mtasts_judge() of
 * mtasts.h is this.
 *
 * - ABSENT, UNKNOWN, mode none: deliver; a TLS failure is still a finding of the session
 *   (reports of no-policy-found count it), never a refusal.
 * - the MX name (RFC 8461 4.1) first: no pattern matches -> MTASTS_VALIDATION_FAILURE, unless DANE
 *   succeeded and the MX RRset was DNSSEC-secure (else whoever can point an unsigned domain's MX
 *   at a signed host of his own would be let in);
 * - then STARTTLS and the certificate (4.2); DANE that succeeded stands in for the certificate;
 * - DANE that failed is never overridden (RFC 8461 2): no delivery, whatever the state or mode;
 * - testing is judged like enforce, then delivers;
 * - FAULT: do not deliver, unless the administrator said so (cache_fault = deliver).
 */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "engine/policy.h"

struct mtasts_verdict judge(
    const struct mtasts_policy *policy, const struct mtasts_attempt *attempt);

/* The MX name alone (4.1) against a PUBLISHED policy's patterns; mx_host NULL matches nothing. */
bool judge_name(const struct mtasts_policy *policy, const char *mx_host);

/* As judge() sees it: false when DANE and a secure MX RRset stand in for the patterns. */
bool judge_name_fails(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt);

#endif
