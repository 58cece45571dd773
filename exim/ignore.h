/* SPDX-License-Identifier: ISC
 *
 * mtasts_ignore: the end of a dnslookup router's ignore_target_hosts.  Exim matches it, address by
 * address, on the name in the MX record, before any CNAME: the one place that shows that name.
 */
#ifndef EXIM_IGNORE_H
#define EXIM_IGNORE_H

#include "base/buf.h"
#include "exim/context.h"
#include "exim/memory.h"

enum { IGNORE_LIST_MAX = 128 * 1024 }; /* octets: LIMIT_MX_HOSTS names, every octet escaped */

/*
 * "" where the policy is not enforced.  Else the list, its items separated by separator ("": ':');
 * it drops every host that is not among the domain's MX hosts allowed by the policy.
 */
void ignore(struct memory *memory, struct context *context, const char *domain,
    const char *separator, struct buf *out);

#endif
