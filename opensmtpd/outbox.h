/* SPDX-License-Identifier: ISC
 *
 * Octets for a descriptor that are never waited for and never lost: what it does not take at once
 * is kept.
 */
#ifndef OPENSMTPD_OUTBOX_H
#define OPENSMTPD_OUTBOX_H

#include "base/span.h"
#include "loop/loop.h"

struct outbox;

/* broken: nobody will ever read them; it comes from the loop.  fd stays the caller's.  NULL: out
 * of memory. */
struct outbox *outbox_new(struct loop *loop, int fd, void (*broken)(void *arg), void *arg);
void outbox_free(struct outbox *outbox);
void outbox_put(struct outbox *outbox, struct span octets);

#endif
