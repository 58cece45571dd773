/* SPDX-License-Identifier: ISC
 *
 * Taking connections from sockets that are listened at.
 */
#ifndef LOOP_ACCEPT_H
#define LOOP_ACCEPT_H

#include <stdbool.h>

/* The next connection, close-on-exec and not blocking, or -1 with errno. */
int accept_next(int listener);
/* A failure that is that connection's own, so that the next one may succeed. */
bool accept_failed_alone(int error);

#endif
