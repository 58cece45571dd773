/* SPDX-License-Identifier: ISC
 *
 * Which sessions are on record: RFC 8460 counts sessions, and sendmail asks once a recipient.  A
 * table with bounds; what is forgotten is at worst recorded once more.
 */
#ifndef SOCKETMAP_TOLD_H
#define SOCKETMAP_TOLD_H

#include "socketmap/verdict.h"

struct told;

/* NULL: out of memory. */
struct told *told_new(void);
void told_free(struct told *told);

/*
 * True when this request is the first of its session and domain, which it is not from then on.
 * Without memory it is false: a record too few does no harm.
 */
bool told_is_first(struct told *told, const struct verdict_request *request);

#endif
