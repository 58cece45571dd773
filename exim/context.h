/* SPDX-License-Identifier: ISC
 *
 * The engine for the length of one call.  Exim forks between any two calls of ours, and a store
 * that is open in two processes by one handle is a broken store: so none is ever open then.
 */
#ifndef EXIM_CONTEXT_H
#define EXIM_CONTEXT_H

#include <stdbool.h>

#include "mtasts.h"

/* Zero it first. */
struct context {
	struct mtasts *ctx;
	bool refused; /* opening failed: not tried twice in one call */
};

/* Path of mtasts.conf(5).  NULL, as here: the built-in one; tests bring their own. */
extern const char *context_config;

/* Opened now if it was not yet.  NULL: out of order, and one error line has said why. */
struct mtasts *context_get(struct context *context);
void context_close(struct context *context);

#endif
