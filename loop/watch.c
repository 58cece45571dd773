/* SPDX-License-Identifier: ISC
 *
 * WATCH_BY_POLL takes poll(2) where epoll(7) is there as well: for its tests.
 */
#include "loop/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#if defined(HAVE_SYS_EPOLL_H) && !defined(WATCH_BY_POLL)

#include <sys/epoll.h>

enum { AT_ONCE = 256 /* events of one look */ };

struct watch {
	int fd;
};

struct watch *
watch_new(void)
{
	struct watch *watch = mem_zero(1, sizeof *watch);

	if (watch == NULL)
		return NULL;
	watch->fd = epoll_create1(EPOLL_CLOEXEC);
	if (watch->fd < 0) {
		free(watch);
		return NULL;
	}
	return watch;
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	close(watch->fd);
	free(watch);
}

/* A number may have become another descriptor's behind our back: then it is not in the set. */
int
watch_set(struct watch *watch, int fd, short events, void *arg)
{
	struct epoll_event event = { .data.ptr = arg };

	event.events = (events & POLLIN ? EPOLLIN : 0U) | (events & POLLOUT ? EPOLLOUT : 0U);
	if (epoll_ctl(watch->fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	return epoll_ctl(watch->fd, EPOLL_CTL_MOD, fd, &event);
}

void
watch_remove(struct watch *watch, int fd)
{
	struct epoll_event unused = { 0 };

	(void)epoll_ctl(watch->fd, EPOLL_CTL_DEL, fd, &unused);
}

static short
events_of(uint32_t events)
{
	return (short)((events & EPOLLIN ? POLLIN : 0) | (events & EPOLLOUT ? POLLOUT : 0) |
		       (events & EPOLLERR ? POLLERR : 0) | (events & EPOLLHUP ? POLLHUP : 0));
}

size_t
watch_wait(struct watch *watch, struct watch_event *events, size_t cap, int timeout_ms)
{
	struct epoll_event come[AT_ONCE];
	int n = epoll_wait(watch->fd, come, cap < AT_ONCE ? (int)cap : AT_ONCE, timeout_ms);

	for (int i = 0; i < n; i++)
		events[i] = (struct watch_event){ come[i].data.ptr, events_of(come[i].events) };
	return n < 0 ? 0 : (size_t)n;
}

#else

struct watch {
	size_t n, cap;
	size_t next; /* where the next look begins, so that the first are not served best */
	struct pollfd *fds;
	void **args;
};

struct watch *
watch_new(void)
{
	return mem_zero(1, sizeof(struct watch));
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	free(watch->fds);
	free(watch->args);
	free(watch);
}

static size_t
place_of(const struct watch *watch, int fd)
{
	size_t i = 0;

	while (i < watch->n && watch->fds[i].fd != fd)
		i++;
	return i;
}

static int
grow(struct watch *watch)
{
	size_t cap = 2 * watch->cap + 16;
	struct pollfd *fds = mem_resize(watch->fds, cap, sizeof *fds);

	if (fds != NULL)
		watch->fds = fds;
	void **args = mem_resize(watch->args, cap, sizeof *args);
	if (args != NULL)
		watch->args = args;
	if (fds == NULL || args == NULL)
		return -1;
	watch->cap = cap;
	return 0;
}

int
watch_set(struct watch *watch, int fd, short events, void *arg)
{
	size_t i = place_of(watch, fd);

	if (i == watch->cap && grow(watch) != 0) {
		errno = ENOMEM;
		return -1;
	}
	if (i == watch->n)
		watch->n++;
	watch->fds[i] = (struct pollfd){ fd, events, 0 };
	watch->args[i] = arg;
	return 0;
}

void
watch_remove(struct watch *watch, int fd)
{
	size_t i = place_of(watch, fd);

	if (i == watch->n)
		return;
	watch->n--;
	watch->fds[i] = watch->fds[watch->n];
	watch->args[i] = watch->args[watch->n];
}

size_t
watch_wait(struct watch *watch, struct watch_event *events, size_t cap, int timeout_ms)
{
	int left = poll(watch->fds, (nfds_t)watch->n, timeout_ms);
	size_t n = 0;

	for (size_t looked = 0; left > 0 && n < cap && looked < watch->n; looked++) {
		size_t i = watch->next++ % watch->n;
		if (watch->fds[i].revents == 0)
			continue;
		events[n++] = (struct watch_event){ watch->args[i], watch->fds[i].revents };
		left--;
	}
	return n;
}

#endif
