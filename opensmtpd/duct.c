/* SPDX-License-Identifier: ISC */
#include "opensmtpd/duct.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { READS = 64 /* messages of one wake-up */ };

struct packet {
	struct packet *next;
	size_t n;
	char octets[];
};

struct duct {
	struct loop *loop;
	struct loop_fd fd;
	struct duct_events events;
	struct packet *first, **last; /* that wait */
	size_t kept;		      /* octets of them */
	bool is_broken;
	bool *is_freed; /* by a callback; NULL: none is running */
};

static void
packets_free(struct duct *duct)
{
	while (duct->first != NULL) {
		struct packet *packet = duct->first;
		duct->first = packet->next;
		free(packet);
	}
	duct->last = &duct->first;
	duct->kept = 0;
}

static void
break_off(struct duct *duct, const char *why)
{
	loop_forget(duct->loop, &duct->fd);
	packets_free(duct);
	duct->is_broken = true;
	duct->events.broken(duct->events.arg, why);
}

/* ---- sending ---- */

/* 1 it went, 0 not now, -1 it never will. */
static int
packet_send(const struct duct *duct, const char *octets, size_t n)
{
	ssize_t r;

	do
		r = send(duct->fd.fd, octets, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return 1;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : -1;
}

static int
packet_keep(struct duct *duct, const struct buf *b)
{
	if (duct->kept + b->n > DUCT_KEPT_MAX)
		return -1;
	struct packet *packet = mem_zero(1, sizeof *packet + b->n);
	if (packet == NULL)
		return -1;
	packet->n = b->n;
	memcpy(packet->octets, b->p, b->n);
	*duct->last = packet;
	duct->last = &packet->next;
	duct->kept += b->n;
	return loop_watch(duct->loop, &duct->fd, POLLIN | POLLOUT);
}

int
duct_fd(const struct duct *duct)
{
	return duct->fd.fd;
}

int
duct_send(struct duct *duct, const struct channel_message *message)
{
	char octets[CHANNEL_MAX + 1];
	struct buf b;

	if (duct->is_broken)
		return -1;
	buf_init(&b, octets, sizeof octets);
	channel_format(&b, message);
	if (duct->first == NULL) {
		int r = packet_send(duct, b.p, b.n);
		if (r != 0)
			return r > 0 ? 0 : -1; /* broken: reading tells of it */
	}
	return packet_keep(duct, &b);
}

/* false: it is broken. */
static bool
flush(struct duct *duct)
{
	while (duct->first != NULL) {
		struct packet *packet = duct->first;
		int r = packet_send(duct, packet->octets, packet->n);
		if (r <= 0)
			return r == 0;
		duct->first = packet->next;
		if (duct->first == NULL)
			duct->last = &duct->first;
		duct->kept -= packet->n;
		free(packet);
	}
	return loop_watch(duct->loop, &duct->fd, POLLIN) == 0;
}

/* ---- receiving ---- */

/* false: nothing more now, or the duct is gone. */
static bool
receive_one(struct duct *duct)
{
	struct channel_message message;
	char octets[CHANNEL_MAX + 1];
	bool is_freed = false;
	ssize_t n = recv(duct->fd.fd, octets, sizeof octets, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return false;
	if (n <= 0) {
		break_off(duct, n == 0 ? "gone" : "cannot be read");
		return false;
	}
	if (channel_parse(span_make(octets, (size_t)n), &message) != 0) {
		break_off(duct, "no message");
		return false;
	}
	duct->is_freed = &is_freed;
	duct->events.message(duct->events.arg, &message);
	if (is_freed)
		return false;
	duct->is_freed = NULL;
	return !duct->is_broken;
}

static void
on_ready(void *arg, short events)
{
	struct duct *duct = arg;

	if ((events & POLLOUT) != 0 && !flush(duct)) {
		break_off(duct, "cannot be written");
		return;
	}
	if ((events & (POLLIN | POLLHUP | POLLERR)) == 0)
		return;
	for (int i = 0; i < READS && receive_one(duct); i++)
		;
}

struct duct *
duct_new(struct loop *loop, int fd, const struct duct_events *events)
{
	struct duct *duct = mem_zero(1, sizeof *duct);

	if (duct == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	duct->loop = loop;
	duct->events = *events;
	duct->last = &duct->first;
	duct->fd = (struct loop_fd){ .fd = fd, .fn = on_ready, .arg = duct };
	if (loop_watch(loop, &duct->fd, POLLIN) == 0)
		return duct;
	free(duct);
	return NULL;
}

void
duct_free(struct duct *duct)
{
	if (duct == NULL)
		return;
	if (duct->is_freed != NULL)
		*duct->is_freed = true;
	loop_forget(duct->loop, &duct->fd);
	packets_free(duct);
	close(duct->fd.fd);
	free(duct);
}
