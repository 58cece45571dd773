/* SPDX-License-Identifier: ISC
 *
 * A number that is still there may be another descriptor meanwhile: each is set anew every time.
 */
#include "loop/guests.h"

#include <stdbool.h>

static bool
is_in(const struct pollfd *fds, size_t n, int fd)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i].fd == fd)
			return true;
	}
	return false;
}

void
guests_watch(
    struct guests *guests, struct watch *watch, const struct pollfd *fds, size_t n, void *arg)
{
	if (n > GUESTS_MAX)
		n = GUESTS_MAX;
	for (size_t i = 0; i < guests->n; i++) {
		if (!is_in(fds, n, guests->fds[i]))
			watch_remove(watch, guests->fds[i]);
	}
	for (size_t i = 0; i < n; i++) {
		guests->fds[i] = fds[i].fd;
		(void)watch_set(watch, fds[i].fd, fds[i].events, arg);
	}
	guests->n = n;
}

void
guests_forget(struct guests *guests, struct watch *watch)
{
	guests_watch(guests, watch, NULL, 0, NULL);
}
