/* SPDX-License-Identifier: ISC */
#include "opensmtpd/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/accept.h"

enum {
	ACCEPTS = 32,	 /* of one listener in one wake-up */
	PAUSE = 1000,	 /* ms */
	TELL = 60 * 1000 /* ms between two lines about it */
};

struct leaf {
	struct loop_fd fd;
	struct door *door;
};

struct door {
	struct loop *loop;
	const struct listeners *listeners;
	const struct log *log;
	door_fn *enter;
	void *arg;
	bool is_shut;
	int64_t tell_ms;
	struct loop_timer resume;
	size_t n;
	struct leaf leaves[];
};

static int
watch_all(struct door *door, short events)
{
	int r = 0;

	for (size_t i = 0; i < door->n; i++)
		r |= loop_watch(door->loop, &door->leaves[i].fd, events);
	return r;
}

static void
pause_accepting(struct door *door, const char *why)
{
	int64_t now_ms = loop_now_ms(door->loop);

	if (door->tell_ms <= now_ms) {
		log_put(door->log, MTASTS_LOG_WARNING, "relay reason=\"not accepted: %s\"", why);
		door->tell_ms = now_ms + TELL;
	}
	/* without memory for a timer they are tried at once */
	if (loop_timer_set(door->loop, &door->resume, PAUSE) == 0)
		(void)watch_all(door, 0);
}

static void
on_resume(void *arg)
{
	struct door *door = arg;

	if (!door->is_shut)
		(void)watch_all(door, POLLIN);
}

static void
enter(struct door *door, int fd)
{
	int yes = 1;

	if (!listeners_is_ours(door->listeners, fd)) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	door->enter(door->arg, fd);
}

static void
on_listener(void *arg, short events)
{
	struct leaf *leaf = arg;
	struct door *door = leaf->door;

	(void)events;
	for (int i = 0; i < ACCEPTS && !door->is_shut; i++) {
		int fd = accept_next(leaf->fd.fd);
		if (fd >= 0)
			enter(door, fd);
		else if (!accept_failed_alone(errno)) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				pause_accepting(door, strerror(errno));
			return;
		}
	}
}

struct door *
door_new(struct loop *loop, const struct listeners *listeners, const struct log *log,
    door_fn *enter_fn, void *arg)
{
	struct door *door = mem_zero(1, sizeof *door + listeners->n * sizeof(struct leaf));

	if (door == NULL)
		return NULL;
	door->loop = loop;
	door->listeners = listeners;
	door->log = log;
	door->enter = enter_fn;
	door->arg = arg;
	door->resume = (struct loop_timer){ .fn = on_resume, .arg = door };
	door->n = listeners->n;
	for (size_t i = 0; i < door->n; i++) {
		struct leaf *leaf = &door->leaves[i];
		leaf->door = door;
		leaf->fd =
		    (struct loop_fd){ .fd = listeners->fds[i], .fn = on_listener, .arg = leaf };
	}
	if (watch_all(door, POLLIN) == 0)
		return door;
	door_free(door);
	return NULL;
}

void
door_shut(struct door *door)
{
	door->is_shut = true;
	loop_timer_end(door->loop, &door->resume);
	for (size_t i = 0; i < door->n; i++)
		loop_forget(door->loop, &door->leaves[i].fd);
}

void
door_free(struct door *door)
{
	if (door == NULL)
		return;
	door_shut(door);
	free(door);
}
