/* SPDX-License-Identifier: ISC
 *
 * Where smtpd's connections come in: accepted from the listeners and handed on.  Where descriptors
 * run out nobody is accepted for a second.
 */
#ifndef OPENSMTPD_DOOR_H
#define OPENSMTPD_DOOR_H

#include "base/log.h"
#include "loop/loop.h"
#include "opensmtpd/listeners.h"

struct door;

/* fd is the callee's. */
typedef void door_fn(void *arg, int fd);

/* Open from now on; all borrowed.  NULL: out of memory or descriptors. */
struct door *door_new(struct loop *loop, const struct listeners *listeners, const struct log *log,
    door_fn *enter, void *arg);
void door_free(struct door *door);
/* Whoever comes waits, for another worker. */
void door_shut(struct door *door);

#endif
