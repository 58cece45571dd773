/* SPDX-License-Identifier: ISC
 *
 * Where every answer is there at once, requests are read in one place and answers written in one
 * other, and nothing is allocated.  A request that has to wait makes a slot, and so do those
 * behind it.
 */
#include "socketmap/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* An answer in its turn. */
struct slot {
	struct waiter waiter; /* the first member: the waiter is the slot */
	struct slot *next;
	struct client *client;
	struct answers *answers; /* where it waits */
	bool is_done;
	struct buf frame; /* once it is done */
	char payload[];	  /* until then */
};

struct client {
	struct clients *clients;
	int fd;
	void *owner;
	bool is_over;	/* nothing more is read: end of file, or what was no request */
	bool is_held;	/* requests are kept back until answers have gone */
	bool is_broken; /* the connection is gone */
	bool is_dirty;
	struct client *next_dirty, **at_dirty;
	struct slot *first, **last;
	size_t n_slots;
	char *kept; /* requests, the last of which may be a part of one */
	size_t n_kept;
	char *unsent;
	size_t n_unsent, at_unsent; /* from there on */
	int64_t took_ms;	    /* when it took some, or they began to wait */
};

void
clients_init(struct clients *clients, struct answers *answers)
{
	clients->answers = answers;
	clients->dirty = NULL;
}

void
clients_turn_to(struct clients *clients, struct answers *answers)
{
	answers_tick(answers);
	clients->answers = answers;
}

struct client *
client_new(struct clients *clients, int fd, void *owner)
{
	struct client *client = mem_zero(1, sizeof *client);

	if (client == NULL)
		return NULL;
	client->clients = clients;
	client->fd = fd;
	client->owner = owner;
	client->last = &client->first;
	return client;
}

int
client_fd(const struct client *client)
{
	return client->fd;
}

void *
client_owner(const struct client *client)
{
	return client->owner;
}

/* ---- dirty ones ---- */

static void
dirty_add(struct client *client)
{
	struct clients *clients = client->clients;

	if (client->is_dirty)
		return;
	client->is_dirty = true;
	client->next_dirty = clients->dirty;
	client->at_dirty = &clients->dirty;
	if (clients->dirty != NULL)
		clients->dirty->at_dirty = &client->next_dirty;
	clients->dirty = client;
}

static void
dirty_remove(struct client *client)
{
	if (!client->is_dirty)
		return;
	client->is_dirty = false;
	*client->at_dirty = client->next_dirty;
	if (client->next_dirty != NULL)
		client->next_dirty->at_dirty = client->at_dirty;
}

struct client *
clients_next_dirty(struct clients *clients)
{
	struct client *client = clients->dirty;

	if (client != NULL)
		dirty_remove(client);
	return client;
}

/* ---- slots ---- */

static void
slot_free(struct slot *slot)
{
	free(slot->frame.p);
	free(slot);
}

/* false: out of memory. */
static bool
slot_fill(struct slot *slot, struct span frame)
{
	char *copy = mem_dup(frame.p, frame.n);

	if (copy == NULL)
		return false;
	slot->frame = (struct buf){ .p = copy, .n = frame.n, .cap = frame.n + 1 };
	slot->is_done = true;
	return true;
}

static void
on_answer(struct waiter *waiter, struct span frame)
{
	struct slot *slot = (struct slot *)waiter;

	/* an answer that is lost would make the next one pass for it */
	if (!slot_fill(slot, frame))
		slot->client->is_broken = true;
	dirty_add(slot->client);
}

static struct slot *
slot_new(struct client *client, struct span payload)
{
	struct slot *slot = mem_zero(1, sizeof *slot + payload.n);

	if (slot == NULL)
		return NULL;
	memcpy(slot->payload, payload.p, payload.n);
	slot->client = client;
	slot->answers = client->clients->answers;
	slot->waiter.payload = span_make(slot->payload, payload.n);
	slot->waiter.done = on_answer;
	*client->last = slot;
	client->last = &slot->next;
	client->n_slots++;
	return slot;
}

void
client_free(struct client *client)
{
	struct slot *next;

	if (client == NULL)
		return;
	for (struct slot *slot = client->first; slot != NULL; slot = next) {
		next = slot->next;
		answers_cancel(slot->answers, &slot->waiter);
		slot_free(slot);
	}
	dirty_remove(client);
	/* what is closed with something unread is reset, and answers on their way are lost */
	if (client->is_over && !client->is_broken)
		(void)recv(client->fd, client->clients->in, CLIENT_READ, MSG_DONTWAIT);
	close(client->fd);
	free(client->kept);
	free(client->unsent);
	free(client);
}

/* ---- writing ---- */

static size_t
unsent(const struct client *client)
{
	return client->n_unsent - client->at_unsent;
}

/* How many of them went; 0 when none can go now. */
static size_t
send_some(struct client *client, const char *p, size_t n)
{
	size_t sent = 0;

	while (sent < n && !client->is_broken) {
		ssize_t r = send(client->fd, p + sent, n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (r >= 0)
			sent += (size_t)r;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			client->is_broken = true;
	}
	return sent;
}

static void
unsent_keep(struct client *client, const char *p, size_t n)
{
	size_t old = unsent(client);
	if (old == 0)
		client->took_ms = client->clients->now_ms;
	char *kept = old == 0 ? mem_zero(n, 1) : NULL;

	if (old != 0) {
		memmove(client->unsent, client->unsent + client->at_unsent, old);
		kept = mem_resize(client->unsent, old + n, 1);
		if (kept != NULL)
			client->unsent = NULL; /* it is kept */
	}
	if (kept == NULL) {
		client->is_broken = true;
		return;
	}
	memcpy(kept + old, p, n);
	free(client->unsent);
	client->unsent = kept;
	client->n_unsent = old + n;
	client->at_unsent = 0;
}

static void
unsent_send(struct client *client)
{
	if (unsent(client) == 0)
		return;
	size_t sent = send_some(client, client->unsent + client->at_unsent, unsent(client));
	client->at_unsent += sent;
	if (sent != 0)
		client->took_ms = client->clients->now_ms;
	if (unsent(client) != 0)
		return;
	free(client->unsent);
	client->unsent = NULL;
	client->n_unsent = client->at_unsent = 0;
}

/* The answers that were collected. */
static void
out_send(struct client *client)
{
	struct buf *out = &client->clients->out;
	size_t sent = 0;

	if (unsent(client) == 0)
		sent = send_some(client, out->p, out->n);
	if (sent < out->n && !client->is_broken)
		unsent_keep(client, out->p + sent, out->n - sent);
	out->n = 0;
}

static void
out_begin(struct client *client)
{
	struct clients *clients = client->clients;

	buf_init(&clients->out, clients->out_storage, sizeof clients->out_storage);
}

/* Room for one more answer. */
static void
out_make_room(struct client *client)
{
	struct buf *out = &client->clients->out;

	if (out->cap - out->n < ANSWER_MAX)
		out_send(client);
}

/* The answers whose turn it is. */
static void
slots_drain(struct client *client)
{
	while (client->first != NULL && client->first->is_done) {
		struct slot *slot = client->first;
		out_make_room(client);
		buf_put(&client->clients->out, span_make(slot->frame.p, slot->frame.n));
		client->first = slot->next;
		if (client->first == NULL)
			client->last = &client->first;
		client->n_slots--;
		slot_free(slot);
	}
}

/* ---- requests ---- */

static bool
is_full(const struct client *client)
{
	return client->n_slots >= CLIENT_REQUESTS || unsent(client) >= CLIENT_UNREAD;
}

/* In its turn behind those that wait. */
static void
request_queue(struct client *client, struct span payload)
{
	struct answers *answers = client->clients->answers;
	struct slot *slot = slot_new(client, payload);
	struct buf *out = &client->clients->out;
	size_t before = out->n;

	if (slot == NULL) {
		client->is_broken = true;
		return;
	}
	if (!answers_now(answers, slot->waiter.payload, out)) {
		answers_later(answers, &slot->waiter);
		return;
	}
	if (!slot_fill(slot, span_make(out->p + before, out->n - before)))
		client->is_broken = true;
	out->n = before;
}

static void
request_take(struct client *client, struct span payload)
{
	out_make_room(client);
	if (client->first == NULL &&
	    answers_now(client->clients->answers, payload, &client->clients->out))
		return;
	request_queue(client, payload);
}

/* All requests of in, as far as the client may have them; what is left of it. */
static struct span
requests_take(struct client *client, struct span in)
{
	struct parse_error unused;
	struct span payload;
	int r = 0;

	client->is_held = false;
	while (!client->is_broken && !client->is_held) {
		r = netstring_next(&in, REQUEST_MAX, &payload, &unused);
		if (r != 1)
			break;
		request_take(client, payload);
		client->is_held = is_full(client);
	}
	if (r < 0) {
		client->is_over = true;
		in.n = 0;
	}
	return in;
}

/* false: out of memory. */
static bool
kept_put(struct client *client, struct span in)
{
	char *kept = NULL;

	if (in.n != 0) {
		kept = mem_dup(in.p, in.n);
		if (kept == NULL)
			return false;
	}
	free(client->kept);
	client->kept = kept;
	client->n_kept = in.n;
	return true;
}

/* What was kept and the n octets behind it, which stand in clients->in. */
static void
input_take(struct client *client, size_t n)
{
	struct clients *clients = client->clients;
	struct span in = span_make(clients->in, client->n_kept + n);

	if (client->n_kept != 0)
		memcpy(clients->in, client->kept, client->n_kept);
	in = requests_take(client, in);
	if ((in.n != 0 || client->n_kept != 0) && !kept_put(client, in))
		client->is_broken = true;
}

/* Everything that can be done without reading or waiting. */
static enum client_state
serve(struct client *client, size_t n)
{
	out_begin(client);
	unsent_send(client);
	for (;;) {
		slots_drain(client);
		out_send(client);
		if (n == 0 && (!client->is_held || is_full(client) || client->is_broken))
			break;
		input_take(client, n);
		n = 0;
	}
	if (client->is_broken)
		return CLIENT_OVER;
	if (client->is_over && client->first == NULL && unsent(client) == 0 && !client->is_held)
		return CLIENT_OVER;
	return CLIENT_OPEN;
}

enum client_state
client_read(struct client *client, bool is_last)
{
	ssize_t n = 0;

	if (!client->is_over && !client->is_held) {
		do {
			n = recv(client->fd, client->clients->in + client->n_kept, CLIENT_READ,
			    MSG_DONTWAIT);
		} while (n < 0 && errno == EINTR);
		if (n == 0)
			client->is_over = true;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			client->is_broken = true;
	}
	if (is_last)
		client->is_over = true;
	return serve(client, n > 0 ? (size_t)n : 0);
}

enum client_state
client_flush(struct client *client)
{
	return serve(client, 0);
}

int64_t
client_deaf_ms(const struct client *client)
{
	return unsent(client) == 0 ? 0 : client->clients->now_ms - client->took_ms;
}

short
client_events(const struct client *client)
{
	bool reads = !client->is_over && !client->is_held;

	return (short)((reads ? POLLIN : 0) | (unsent(client) != 0 ? POLLOUT : 0));
}
