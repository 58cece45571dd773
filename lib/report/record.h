/* SPDX-License-Identifier: ISC
 *
 * One attempt as one line of the journal, and back.  Pure.
 *
 * The line holds everything an RFC 8460 report says of a session, so that whoever aggregates
 * needs nothing else.  Its form is a comment with a byte-exact example in record.c.
 */
#ifndef REPORT_RECORD_H
#define REPORT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/domain.h"
#include "base/span.h"
#include "mtasts.h"

enum record_type { RECORD_NO_POLICY, RECORD_STS, RECORD_TLSA }; /* RFC 8460 4.4 policy-type */

enum {
	RECORD_LINE_MAX = 32768, /* octets of a line, newline not counted */
	RECORD_STRINGS_MAX = 128,
	RECORD_NAME_MAX = 255,	  /* octets of mx_host and mx_helo */
	RECORD_ADDRESS_MAX = 64,  /* octets of an address */
	RECORD_STRING_MAX = 16384 /* octets of a policy string */
};

/* Spans are borrowed; empty: not known. */
struct record {
	int64_t at;	      /* instant of the attempt */
	struct domain domain; /* recipient (policy) domain */
	enum record_type type;
	enum mtasts_mode mode;	 /* of type STS */
	struct span policy_id;	 /* of type STS */
	size_t n_policy_strings; /* the policy's lines */
	struct span policy_strings[RECORD_STRINGS_MAX];
	size_t n_mx_patterns;
	struct span mx_patterns[RECORD_STRINGS_MAX];
	bool success;			    /* the session as a whole (T4.2.1) */
	enum mtasts_finding finding;	    /* of the session; set in testing mode too */
	enum mtasts_finding policy_finding; /* of the policy's fetch, reported beside it */
	struct span mx_host, mx_helo, mx_ip, local_ip;
	struct span detail; /* failure-reason-code */
};

/*
 * The line without its newline.  What is beyond the limits above (detail: LIMIT_DETAIL) is cut; of
 * a line that would still be longer than RECORD_LINE_MAX the policy strings are left out, and if
 * that is not enough the mx patterns: the attempt itself always fits.  0, or -1 for an instant
 * before 1970 or a buf with room for less than RECORD_LINE_MAX octets.
 */
int record_format(const struct record *record, struct buf *line);

/* How every line begins; no value in a line can hold these octets. */
#define RECORD_BEGIN "v1 at="

/*
 * The reverse; spans of *record borrow from storage, which gets the unescaped text (RECORD_LINE_MAX
 * octets are always enough).  0, or -1 (torn, or another version) with *error filled.
 */
int record_parse(
    struct span line, char *storage, size_t cap, struct record *record, struct parse_error *error);

#endif
