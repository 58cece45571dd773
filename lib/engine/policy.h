/* SPDX-License-Identifier: ISC
 *
 * What is known of a domain: the answer of a look-up (struct mtasts_policy of mtasts.h).  One
 * allocation, immutable, nothing in it refers to the context.
 */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include "base/domain.h"
#include "base/limits.h"
#include "cache/entry.h"
#include "mtasts.h"
#include "parse/policyfile.h"

enum { POLICY_REASON_MAX = 256 };

struct mtasts_policy {
	struct domain domain;
	enum mtasts_state state;
	enum mtasts_mode mode;
	enum mtasts_source source;
	enum mtasts_finding finding;
	char reason[POLICY_REASON_MAX]; /* the finding, or the cause of UNKNOWN and FAULT, in words
					 */
	char id[LIMIT_ID + 1];
	int64_t fetched_at;
	int64_t expires;	 /* entry_expires() */
	bool rechecked;		 /* a recheck was asked for and completed (RFC 8461 5) */
	struct policyfile *file; /* PUBLISHED: parsed body; else NULL */
};

#endif
