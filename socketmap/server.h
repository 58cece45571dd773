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
	SERVER_DEAF = 60000,  /* ms after which a client that takes no answers is given up */
	SERVER_END = 5000,    /* ms for what is under way when the server is to end */
};

struct server;

/* Octets of wake_fd, as handlers of signals write them. */
enum { SERVER_STOP = 's', SERVER_RELOAD = 'r' };

struct server_config {
	size_t max_clients;
	int64_t deaf_ms; /* SERVER_DEAF */
	int wake_fd;	 /* read from: one of the above */
	/*
	 * New answers for requests from now on; NULL: the old ones go on.  Those that are replaced
	 * finish what is under way, then come back by retire().
	 */
	struct answers *(*reload)(void *arg);
	void (*retire)(void *arg, struct answers *answers);
	void *arg;
};

/*
 * All borrowed but the answers, which retire() takes back; the listeners are closed when the
 * server is to end.  NULL with errno, and the answers are still the caller's.
 */
struct server *server_new(const struct server_config *config, struct answers *answers,
    struct listener *listeners, size_t n, const struct clock *clock, const struct log *log);
void server_free(struct server *server);

/* Until it is told to stop, and what was under way is answered. */
void server_run(struct server *server);

#endif
