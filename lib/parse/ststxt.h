/* SPDX-License-Identifier: ISC
 *
 * The _mta-sts TXT record (RFC 8461 3.1): which of the records at the name it is, and its id.
 */
#ifndef PARSE_STSTXT_H
#define PARSE_STSTXT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/span.h"
#include "parse/reason.h"

struct ststxt {
	char id[LIMIT_ID + 1]; /* 1..32 letters and digits, NUL-terminated */
};

/*
 * The n TXT records at the name, each with its strings joined (txtset_join).  R3.1.3: those that
 * do not begin with v=STSv1 and ";" are put aside first, and exactly one must be left.  0, or -1
 * and *error: no policy is available, for that reason (its line is the record's number, counted
 * from 1; 0 when the set as a whole is meant).  Slips that were forgiven go to warn, which may be
 * NULL.
 */
int ststxt_parse(const struct span *records, size_t n, const struct reason_sink *warn,
    struct ststxt *record, struct parse_error *error);

/* "v=STSv1; id=20160831085700Z;", which ststxt_parse() reads as the same. */
void ststxt_format(const struct ststxt *record, struct buf *out);

#endif
