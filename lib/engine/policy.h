/* SPDX-License-Identifier: ISC
 *
 * What is known of a domain: the answer of a look-up (struct mtasts_policy of mtasts.h).
 * Immutable once it is handed out; nothing in it refers to the context.
 */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include <stdbool.h>

#include "base/domain.h"
#include "base/limits.h"
#include "mtasts.h"
#include "parse/policyfile.h"

enum { POLICY_REASON_MAX = 256 };

struct mtasts_policy {
	struct domain domain;
	enum mtasts_state state;
	enum mtasts_mode mode;
	enum mtasts_source source;
	enum mtasts_finding finding;
	char reason[POLICY_REASON_MAX]; /* of the finding, or why UNKNOWN or FAULT, in words */
	char id[LIMIT_ID + 1];
	int64_t fetched_at;
	int64_t expires;	 /* entry_expires() */
	bool rechecked;		 /* a recheck was asked for and completed (RFC 8461 5) */
	bool fault_delivers;	 /* of FAULT: cache_fault = deliver */
	struct policyfile *file; /* PUBLISHED: parsed body; else NULL */
};

/* In that state, nothing else set.  NULL: out of memory. */
struct mtasts_policy *policy_new(const struct domain *domain, enum mtasts_state state);
/* Makes it PUBLISHED by file, which is then the policy's. */
void policy_publish(
    struct mtasts_policy *policy, enum mtasts_source source, struct policyfile *file);
struct mtasts_policy *policy_copy(const struct mtasts_policy *policy);
void policy_free(struct mtasts_policy *policy);

/* PUBLISHED, and delivery may depend on it. */
bool policy_enforces(const struct mtasts_policy *policy);

#endif
