/* SPDX-License-Identifier: ISC
 *
 * The two walls, for sandbox.c alone.  0, with missing added to when this kernel or build has not
 * got it; -1 with errno.
 */
#ifndef SANDBOX_WALLS_H
#define SANDBOX_WALLS_H

#include "sandbox/sandbox.h"

int landlock_enter(struct sandbox *sandbox, struct buf *missing);
int filter_enter(const struct sandbox *sandbox, struct buf *missing);

#endif
