/* SPDX-License-Identifier: ISC
 *
 * One connection: requests in, answers out in the same order, as many looked up at once as there
 * are.  What a client makes us hold is bounded: beyond that nothing is read until it has taken
 * what it asked for.  One that is idle holds no buffer.
 */
#ifndef SOCKETMAP_CLIENT_H
#define SOCKETMAP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "socketmap/answer.h"
#include "socketmap/request.h"

enum {
	CLIENT_READ = 16384,	    /* octets of one read */
	CLIENT_REQUESTS = 128,	    /* of one client under way */
	CLIENT_UNREAD = 256 * 1024, /* octets of answers that wait for it to read */
	/* what is kept of requests that were read and not looked at */
	CLIENT_KEPT = CLIENT_READ + REQUEST_MAX + NETSTRING_HEAD + 1,
};

struct client;

/* What all clients of a server share. */
struct clients {
	struct answers *answers;
	int64_t now_ms;	      /* of this wake-up, monotonic: its owner's to set */
	struct client *dirty; /* somebody was answered: client_flush() */
	struct buf out;	      /* answers of the client that is served now */
	char in[CLIENT_KEPT + CLIENT_READ];
	char out_storage[CLIENT_UNREAD + ANSWER_MAX];
};

/* What came of serving one. */
enum client_state { CLIENT_OPEN, CLIENT_OVER };

void clients_init(struct clients *clients, struct answers *answers);
/* Requests from now on are theirs; those under way stay with who has them. */
void clients_turn_to(struct clients *clients, struct answers *answers);

/* NULL: out of memory.  The descriptor, not blocking, is the client's from then on. */
struct client *client_new(struct clients *clients, int fd, void *owner);
/* Closes the connection; requests under way are dropped. */
void client_free(struct client *client);
int client_fd(const struct client *client);
void *client_owner(const struct client *client);

/* It may be read from: answers what is there.  is_last: nothing that comes later will be read. */
enum client_state client_read(struct client *client, bool is_last);
/* It may be written to, or is dirty: sends what can be sent, goes on with requests that waited. */
enum client_state client_flush(struct client *client);
/* POLLIN and POLLOUT, whichever it waits for. */
short client_events(const struct client *client);

/* ms for which answers have waited for it and it has taken none. */
int64_t client_deaf_ms(const struct client *client);

/* The next dirty one, which is so no more; NULL: none. */
struct client *clients_next_dirty(struct clients *clients);

#endif
