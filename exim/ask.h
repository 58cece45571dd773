/* SPDX-License-Identifier: ISC
 *
 * What is known of a domain, for all that need it: from memory, else from the engine, and then
 * remembered.  Whatever goes wrong here closes the domain, never opens it.
 */
#ifndef EXIM_ASK_H
#define EXIM_ASK_H

#include <stdbool.h>

#include "exim/context.h"
#include "exim/memory.h"

enum ask_for {
	ASK_ROUTING, /* a router: believes its memory for a minute, then asks again */
	ASK_DELIVERY /* what hosts are dealt with by: what the delivery was told counts */
};

/* How old a router's memory may be.  A minute, as here; tests do not wait. */
extern int64_t ask_routing_ms;

/* Never NULL; within the configured deadline. */
struct told *ask_policy(
    struct memory *memory, struct context *context, const char *domain, enum ask_for what);

/* told->mx, asked for once; NULL when told is closed, has no policy, or the engine is out of order.
 */
const struct mtasts_mxset *ask_mx(struct told *told, struct context *context);

/* Nothing may be sent to the domain now. */
bool told_is_closed(const struct told *told);
/* Only over verified TLS; also when it is closed. */
bool told_needs_tls(const struct told *told);
/* A policy whose MX names count: enforce, or testing. */
bool told_has_names(const struct told *told);

#endif
