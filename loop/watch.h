/* SPDX-License-Identifier: ISC
 *
 * Waiting for thousands of descriptors: epoll(7) where there is one, poll(2) elsewhere.  Level
 * triggered.
 */
#ifndef LOOP_WATCH_H
#define LOOP_WATCH_H

#include <poll.h>
#include <stddef.h>

struct watch;

struct watch_event {
	void *arg;
	short events; /* POLLIN, POLLOUT, POLLERR, POLLHUP */
};

/* NULL with errno. */
struct watch *watch_new(void);
void watch_free(struct watch *watch);

/*
 * events of POLLIN and POLLOUT, 0 for neither: errors are told of always.  What is watched already
 * is changed.  0, or -1 with errno.
 */
int watch_set(struct watch *watch, int fd, short events, void *arg);
/* Before the descriptor is closed. */
void watch_remove(struct watch *watch, int fd);

/* How many of at most cap there are; 0 when the time is over or a signal came.  timeout_ms -1: for
 * ever. */
size_t watch_wait(struct watch *watch, struct watch_event *events, size_t cap, int timeout_ms);

#endif
