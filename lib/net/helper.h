/* SPDX-License-Identifier: ISC
 *
 * Helpers as the network: each request starts (or, where kept, reuses) mtasts-resolve or
 * mtasts-fetch in a process of its own and believes only a complete frame on its pipe, never an
 * exit status.  A helper that is missing, killed, babbling or crashed gives a FAULT at once,
 * one that hangs at the deadline.
 */
#ifndef NET_HELPER_H
#define NET_HELPER_H

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "net/net.h"

struct helpers;

/* All borrowed until helpers_free().  0 or MTASTS_ENOMEM. */
int helpers_new(const struct mtasts_config *config, const struct log *log,
    const struct clock *clock, struct helpers **helpers);
/* Ends what is under way (no callback runs) and waits for it.  NULL is fine; in a child of fork():
   closes and frees only. */
void helpers_free(struct helpers *helpers);

struct net helpers_net(struct helpers *helpers);

#endif
