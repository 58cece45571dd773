/* SPDX-License-Identifier: ISC */
#include "opensmtpd/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { ROOM = 4096, PATIENCE = 1000 /* ms without memory */ };

struct outbox {
	struct loop *loop;
	struct loop_fd fd;
	struct loop_timer breaking;
	bool is_broken;
	char *octets;
	size_t n, cap;
};

static void
break_off(struct outbox *outbox)
{
	outbox->is_broken = true;
	outbox->n = 0;
	loop_forget(outbox->loop, &outbox->fd);
	(void)loop_timer_set(outbox->loop, &outbox->breaking, 0);
}

/* How many went. */
static size_t
put_some(struct outbox *outbox, struct span octets)
{
	size_t done = 0;

	while (done < octets.n && !outbox->is_broken) {
		ssize_t n = write(outbox->fd.fd, octets.p + done, octets.n - done);
		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			break_off(outbox);
	}
	return done;
}

static bool
grow(struct outbox *outbox, size_t n)
{
	if (outbox->n + n <= outbox->cap)
		return true;
	size_t cap = 2 * (outbox->n + n) + ROOM;
	char *octets = mem_resize(outbox->octets, cap, 1);
	if (octets == NULL)
		return false;
	outbox->octets = octets;
	outbox->cap = cap;
	return true;
}

static void
flush(struct outbox *outbox)
{
	size_t n = put_some(outbox, span_make(outbox->octets, outbox->n));

	if (outbox->is_broken)
		return;
	outbox->n -= n;
	memmove(outbox->octets, outbox->octets + n, outbox->n);
}

/* Half a line would be the end of smtpd: without memory it is better to wait a little. */
static void
put_patiently(struct outbox *outbox, struct span octets)
{
	struct pollfd room = { .fd = outbox->fd.fd, .events = POLLOUT };

	while ((outbox->n != 0 || octets.n != 0) && !outbox->is_broken) {
		if (poll(&room, 1, PATIENCE) == 0)
			break_off(outbox);
		flush(outbox);
		if (outbox->n == 0)
			octets = span_from(octets, put_some(outbox, octets));
	}
}

void
outbox_put(struct outbox *outbox, struct span octets)
{
	if (outbox->is_broken)
		return;
	if (outbox->n == 0)
		octets = span_from(octets, put_some(outbox, octets));
	if (octets.n == 0 || outbox->is_broken)
		return;
	if (!grow(outbox, octets.n) || loop_watch(outbox->loop, &outbox->fd, POLLOUT) != 0) {
		put_patiently(outbox, octets);
		return;
	}
	memcpy(outbox->octets + outbox->n, octets.p, octets.n);
	outbox->n += octets.n;
}

static void
on_room(void *arg, short events)
{
	struct outbox *outbox = arg;

	(void)events;
	flush(outbox);
	if (outbox->n == 0)
		loop_forget(outbox->loop, &outbox->fd);
}

struct outbox *
outbox_new(struct loop *loop, int fd, void (*broken)(void *arg), void *arg)
{
	struct outbox *outbox = mem_zero(1, sizeof *outbox);

	if (outbox == NULL)
		return NULL;
	outbox->loop = loop;
	outbox->fd = (struct loop_fd){ .fd = fd, .fn = on_room, .arg = outbox };
	outbox->breaking = (struct loop_timer){ .fn = broken, .arg = arg };
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return outbox;
}

void
outbox_free(struct outbox *outbox)
{
	if (outbox == NULL)
		return;
	loop_forget(outbox->loop, &outbox->fd);
	loop_timer_end(outbox->loop, &outbox->breaking);
	free(outbox->octets);
	free(outbox);
}
