/* SPDX-License-Identifier: ISC
 *
 * Descriptors of a library in somebody's watch: it opens and closes them as it likes and tells
 * which there are when it is asked.
 */
#ifndef LOOP_GUESTS_H
#define LOOP_GUESTS_H

#include "loop/watch.h"

enum { GUESTS_MAX = 16 /* what is beyond is not watched */ };

/* Zero it first. */
struct guests {
	int fds[GUESTS_MAX];
	size_t n;
};

/* These are all there are now; events of any come with arg. */
void guests_watch(
    struct guests *guests, struct watch *watch, const struct pollfd *fds, size_t n, void *arg);
void guests_forget(struct guests *guests, struct watch *watch);

#endif
