/* SPDX-License-Identifier: ISC
 *
 * The policy file (RFC 8461 3.2): the body of https://mta-sts.<domain>/.well-known/mta-sts.txt.
 *
 * Lines of "name: value".  version, mode and max_age once (of more the first counts), mx as often
 * as there are patterns, anything else ignored.  What breaks the grammar makes the policy invalid
 * but for the slips of R3.2.5, which can mean only one thing: they are forgiven and warned of.
 */
#ifndef PARSE_POLICYFILE_H
#define PARSE_POLICYFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"
#include "mtasts.h"
#include "parse/mxmatch.h"
#include "parse/reason.h"

/* One allocation; borrows nothing. */
struct policyfile {
	enum mtasts_mode mode;
	uint32_t max_age; /* seconds, at most LIMIT_MAX_AGE */
	size_t n_mx;	  /* 0 only in mode none */
	size_t n_lines;
	const struct mxpattern *mx; /* in the file's order; addresses are left out */
	const struct span *lines;   /* the fields as served, unknown ones too, without blanks at
				       the end: policy-string of RFC 8460 4.2 */
};

enum { POLICYFILE_INVALID = 1 };

/*
 * 0 and *policy, which policyfile_free() takes; POLICYFILE_INVALID and *error, which says why the
 * policy must not be applied (sts-policy-invalid); or MTASTS_ENOMEM.  Forgiven slips, clamped
 * max_age and dropped mx lines go to warn, which may be NULL.
 */
ATTR_MUST_USE int policyfile_parse(struct span body, const struct reason_sink *warn,
    struct policyfile **policy, struct parse_error *error);
void policyfile_free(struct policyfile *policy);

/* version, mode, max_age, mx lines: what is in force, which policyfile_parse() reads as the same.
 */
void policyfile_format(const struct policyfile *policy, struct buf *out);

#endif
