/* SPDX-License-Identifier: ISC
 *
 * The server: one process, one loop, many clients.  Where descriptors run out no more clients are
 * accepted until one has gone.
 */
#ifndef SOCKETMAP_SERVER_H
#define SOCKETMAP_SERVER_H

#include "base/clock.h"
#include "base/log.h"
#include "socketmap/answer.h"
#include "socketmap/listen.h"

enum {
	SERVER_FDS_KEPT = 64, /* descriptors for the store, the helpers and the like */
	SERVER_END = 5000,    /* ms for what is under way when the server is to end */
};

struct server;

struct server_config {
	size_t max_clients;
	int wake_fd; /* what is read from it: SERVER_STOP */
};

/* Octets of wake_fd, as a handler of signals writes them. */
enum { SERVER_STOP = 's' };

/* All borrowed; the listeners are closed when the server is to end.  NULL with errno. */
struct server *server_new(const struct server_config *config, struct answers *answers,
    struct listener *listeners, size_t n, const struct clock *clock, const struct log *log);
void server_free(struct server *server);

/* Until it is told to stop, and what was under way is answered. */
void server_run(struct server *server);

#endif
