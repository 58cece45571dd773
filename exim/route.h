/* SPDX-License-Identifier: ISC
 *
 * mtasts_route: what the redirect router before dnslookup says of a domain.
 */
#ifndef EXIM_ROUTE_H
#define EXIM_ROUTE_H

#include "base/buf.h"
#include "exim/context.h"
#include "exim/memory.h"

/* What the router knows.  Never NULL; empty: not known. */
struct route_asked {
	const char *domain;
	const char *message_age; /* seconds */
	const char *id;		 /* $message_exim_id; empty: nothing is being delivered */
	const char *verify;	 /* $verify_mode; not empty: the same */
};

/*
 * "": go on to dnslookup.  ":defer: 451 4.x.x why", ":fail: 550 5.x.x why" otherwise.  Records the
 * hosts that the policy keeps from being tried, once a message; nothing when only verifying.
 */
void route(struct memory *memory, struct context *context, const struct route_asked *asked,
    struct buf *out);

#endif
