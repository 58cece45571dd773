/* SPDX-License-Identifier: ISC
 *
 * The addresses of a host: struct mtasts_addresses of mtasts.h, and the question for them.
 */
#ifndef ENGINE_ADDRESSES_H
#define ENGINE_ADDRESSES_H

#include "engine/engine.h"
#include "mtasts.h"
#include "net/net.h"

enum { ADDRESSES_IPV6, ADDRESSES_IPV4, ADDRESSES_FAMILIES };

/* One allocation, nothing in it refers to the context. */
struct mtasts_addresses {
	enum mtasts_addresses_state state;
	char reason[128]; /* of UNKNOWN */
	size_t n[ADDRESSES_FAMILIES];
	struct net_address addresses[ADDRESSES_FAMILIES][LIMIT_ADDRESSES];
};

/* Before any answer: none.  NULL: out of memory. */
struct mtasts_addresses *addresses_new(void);
/* What one family's answer adds; pure.  Addresses of one outweigh a failure of the other. */
void addresses_take(
    struct mtasts_addresses *addresses, size_t family, const struct net_answer *answer);

/* As mtasts_addresses_start(). */
int addresses_start(struct engine *engine, const struct domain *host, int timeout_ms,
    mtasts_addresses_fn *done, void *arg, uint64_t *id);

#endif
