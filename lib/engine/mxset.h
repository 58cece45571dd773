/* SPDX-License-Identifier: ISC
 *
 * The hosts a domain's mail goes to (RFC 5321 5.1, RFC 7505): struct mtasts_mxset of mtasts.h.
 *
 * Best preference first, equal ones in the order of the answer; of a name that comes twice the
 * better preference counts.  Names that cannot be a host's are left out with a warning, and where
 * none is left nothing was found out: MTASTS_MX_UNKNOWN.
 */
#ifndef ENGINE_MXSET_H
#define ENGINE_MXSET_H

#include "base/log.h"
#include "mtasts.h"
#include "net/net.h"

struct mxset_host {
	struct domain name;
	int preference;
};

/* One allocation, nothing in it refers to the context. */
struct mtasts_mxset {
	enum mtasts_mx_state state;
	bool is_secure;
	uint32_t ttl;	  /* seconds; 0 of UNKNOWN */
	char reason[128]; /* of UNKNOWN */
	size_t n;
	struct mxset_host hosts[];
};

/* Pure: what an answer to the MX question says.  NULL: out of memory. */
struct mtasts_mxset *mxset_make(
    const struct domain *domain, const struct net_answer *answer, const struct log *log);

#endif
