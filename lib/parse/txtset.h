/* SPDX-License-Identifier: ISC
 *
 * What the TXT records of MTA-STS and TLSRPT have in common before their fields are read: strings
 * are joined, and of all records at the name exactly one must be meant (RFC 8461 3.1, RFC 8460 3).
 */
#ifndef PARSE_TXTSET_H
#define PARSE_TXTSET_H

#include "base/span.h"

/*
 * RFC 8461 3.1: the character-strings of one RDATA, joined with nothing between them.  storage
 * has room for rdata.n octets and holds *text.  0, or -1 when a length points past the end.
 */
int txtset_join(struct span rdata, char *storage, struct span *text);

/*
 * How many of the n records begin with version ("v=STSv1"), any blanks and ";".  Where that is
 * not 0, *index is the first of them and *after the octet behind its version.
 */
size_t txtset_count(
    const struct span *records, size_t n, const char *version, size_t *index, size_t *after);

#endif
