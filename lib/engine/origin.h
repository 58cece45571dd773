/* SPDX-License-Identifier: ISC
 *
 * The way back from a canonical name to the MX record's: mtasts_mxset_origin() of mtasts.h.
 */
#ifndef ENGINE_ORIGIN_H
#define ENGINE_ORIGIN_H

#include "engine/engine.h"
#include "engine/mxset.h"

/* Blocking, as mtasts_mxset_origin(). */
int origin_find(struct engine *engine, const struct mtasts_mxset *set, const struct domain *host,
    int timeout_ms, const char **name);

#endif
