/* SPDX-License-Identifier: ISC
 *
 * The door for tests of api.c: a context over a cache, a network and clocks of their own.
 */
#ifndef API_H
#define API_H

#include "base/clock.h"
#include "cache/cache.h"
#include "mtasts.h"
#include "net/net.h"

/* Members that are NULL are the real ones. */
struct api_world {
	const struct cache *cache;
	const struct net *net;
	const struct clock *clock;
};

/* mtasts_new() is this over the real world. */
int api_new(const struct mtasts_config *config, const struct api_world *world, mtasts_log_fn *log,
    void *arg, struct mtasts **ctx);

#endif
