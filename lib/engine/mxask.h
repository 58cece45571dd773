/* SPDX-License-Identifier: ISC
 *
 * The question for a domain's MX hosts, to be waited for or for an event loop.
 */
#ifndef ENGINE_MXASK_H
#define ENGINE_MXASK_H

#include "base/log.h"
#include "engine/engine.h"
#include "engine/mxset.h"

/* As mtasts_mx_start().  log is borrowed until the answer. */
int mxask_start(struct engine *engine, const struct domain *domain, int timeout_ms,
    const struct log *log, mtasts_mx_fn *done, void *arg, uint64_t *id);
/* As mtasts_mx_lookup(). */
int mxask_wait(struct engine *engine, const struct domain *domain, int timeout_ms,
    const struct log *log, struct mtasts_mxset **set);

#endif
