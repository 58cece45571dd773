/* SPDX-License-Identifier: ISC
 *
 * The loop.  A wake-up serves who can be read or written, then lets the library work, then sends
 * what came of that, and only then accepts: no descriptor gets a number that was another's while
 * that one may still be spoken of.
 */
#include "socketmap/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/accept.h"
#include "loop/guests.h"
#include "loop/watch.h"
#include "socketmap/client.h"

enum {
	EVENTS = 256,	 /* of one wake-up */
	ACCEPTS = 64,	 /* of one listener in one wake-up */
	PAUSE = 1000,	 /* ms until accepting is tried again when the system has no descriptors */
	TELL = 60 * 1000 /* ms between two lines that say so */
};

enum kind { KIND_LISTENER, KIND_CLIENT, KIND_LIBRARY, KIND_WAKE };

/* What the watch gives back. */
struct source {
	enum kind kind;
};

struct listening {
	struct source source;
	struct listener *listener;
	bool is_ready;
};

struct connection {
	struct source source;
	struct client *client; /* NULL: over, freed when the wake-up is */
	struct connection *next, **at;
	short events; /* that are watched for */
};

/* Answers, and what the library below them waits for. */
struct library {
	struct source source;
	struct answers *answers; /* NULL: none */
	struct guests guests;
	bool is_due;
	int64_t run_ms; /* monotonic; -1: it waits for nothing */
};

struct server {
	struct server_config config;
	struct library now, old; /* old: until nobody waits for it */
	const struct clock *clock;
	const struct log *log;
	struct watch *watch;
	struct source wake;
	struct listening listening[LISTEN_MAX];
	size_t n_listening;
	struct connection *connections, *over;
	size_t n_connections;
	bool is_paused; /* nobody is accepted */
	bool is_stopping, is_reload_asked;
	/* instants, ms, monotonic */
	int64_t resume_ms; /* accepting is tried again */
	int64_t tell_ms;   /* a pause may be told of again */
	int64_t end_ms;	   /* nobody is waited for any longer */
	int64_t sweep_ms;  /* the deaf are looked for */
	struct clients clients;
};

/* ---- connections ---- */

static void
connection_end(struct server *server, struct connection *c)
{
	if (c->client == NULL)
		return;
	watch_remove(server->watch, client_fd(c->client));
	client_free(c->client);
	c->client = NULL;
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	server->n_connections--;
	server->resume_ms = 0;	/* there is room */
	c->next = server->over; /* an event of this wake-up may still name it */
	server->over = c;
}

static void
over_free(struct server *server)
{
	while (server->over != NULL) {
		struct connection *next = server->over->next;
		free(server->over);
		server->over = next;
	}
}

/* After it was served: ended, or watched for what it waits for now. */
static void
connection_settle(struct server *server, struct connection *c, enum client_state state)
{
	if (state == CLIENT_OVER) {
		connection_end(server, c);
		return;
	}
	short events = client_events(c->client);
	if (events == c->events)
		return;
	if (watch_set(server->watch, client_fd(c->client), events, &c->source) != 0) {
		connection_end(server, c);
		return;
	}
	c->events = events;
}

static void
connection_new(struct server *server, int fd)
{
	struct connection *c = mem_zero(1, sizeof *c);

	if (c != NULL)
		c->client = client_new(&server->clients, fd, c);
	if (c == NULL || c->client == NULL) {
		free(c);
		close(fd);
		return;
	}
	c->source.kind = KIND_CLIENT;
	c->next = server->connections;
	c->at = &server->connections;
	if (c->next != NULL)
		c->next->at = &c->next;
	server->connections = c;
	server->n_connections++;
	connection_settle(server, c, CLIENT_OPEN);
}

/* POLLHUP: both ways are shut, nobody can be answered. */
static void
connection_serve(struct server *server, struct connection *c, short events)
{
	enum client_state state = CLIENT_OVER;

	if (c->client == NULL)
		return;
	if ((events & POLLIN) != 0)
		state = client_read(c->client, false);
	else if ((events & POLLOUT) != 0)
		state = client_flush(c->client);
	if ((events & (POLLERR | POLLHUP)) != 0 && (events & POLLIN) == 0)
		state = CLIENT_OVER;
	connection_settle(server, c, state);
}

static void
dirty_flush(struct server *server)
{
	struct client *client;

	while ((client = clients_next_dirty(&server->clients)) != NULL) {
		struct connection *c = client_owner(client);
		connection_settle(server, c, client_flush(client));
	}
}

/* What they do not take holds memory, and they hold a place that others wait for. */
static void
deaf_end(struct server *server)
{
	struct connection *next;

	if (server->clients.now_ms < server->sweep_ms)
		return;
	server->sweep_ms = server->clients.now_ms + server->config.deaf_ms / 4;
	for (struct connection *c = server->connections; c != NULL; c = next) {
		next = c->next;
		if (client_deaf_ms(c->client) >= server->config.deaf_ms)
			connection_end(server, c);
	}
}

/* ---- accepting ---- */

static void
listeners_watch(struct server *server, short events)
{
	for (size_t i = 0; i < server->n_listening; i++)
		(void)watch_set(server->watch, server->listening[i].listener->fd, events,
		    &server->listening[i].source);
}

static void
pause_accepting(struct server *server, const char *reason)
{
	int64_t now_ms = clock_mono_ms(server->clock);

	if (server->tell_ms <= now_ms) {
		log_put(server->log, MTASTS_LOG_WARNING,
		    "clients n=%zu reason=\"%s: no more are accepted until one has gone\"",
		    server->n_connections, reason);
		server->tell_ms = now_ms + TELL;
	}
	server->is_paused = true;
	server->resume_ms = now_ms + PAUSE;
	listeners_watch(server, 0);
}

static void
resume_accepting(struct server *server)
{
	if (server->n_connections >= server->config.max_clients) {
		server->resume_ms = clock_mono_ms(server->clock) + PAUSE;
		return;
	}
	server->is_paused = false;
	listeners_watch(server, POLLIN);
}

static void
accept_some(struct server *server, struct listening *listening)
{
	int yes = 1;

	listening->is_ready = false;
	for (int i = 0; i < ACCEPTS && !server->is_paused; i++) {
		if (server->n_connections >= server->config.max_clients) {
			pause_accepting(server, "as many as there are descriptors for");
			return;
		}
		int fd = accept_next(listening->listener->fd);
		if (fd < 0 && accept_failed_alone(errno))
			continue;
		if (fd < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				pause_accepting(server, strerror(errno));
			return;
		}
		/* answers are written as a whole; fails for a file's socket, which needs none */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
		connection_new(server, fd);
	}
}

static void
accept_all(struct server *server)
{
	for (size_t i = 0; i < server->n_listening; i++) {
		if (server->listening[i].is_ready)
			accept_some(server, &server->listening[i]);
	}
}

/* ---- the library ---- */

static void
library_watch(struct server *server, struct library *library)
{
	struct pollfd fds[GUESTS_MAX];
	int timeout_ms = -1;
	size_t n = answers_pollfds(library->answers, fds, GUESTS_MAX, &timeout_ms);

	guests_watch(&library->guests, server->watch, fds, n, &library->source);
	library->run_ms = timeout_ms < 0 ? -1 : clock_mono_ms(server->clock) + timeout_ms;
}

static bool
library_is_due(const struct server *server, const struct library *library)
{
	if (library->answers == NULL)
		return false;
	if (library->is_due || answers_is_due(library->answers))
		return true;
	return library->run_ms >= 0 && library->run_ms <= clock_mono_ms(server->clock);
}

static void
library_run(struct server *server, struct library *library)
{
	if (!library_is_due(server, library))
		return;
	library->is_due = false;
	answers_run(library->answers);
	dirty_flush(server); /* which may ask anew */
	library_watch(server, library);
}

static void
library_open(struct library *library, struct answers *answers)
{
	*library = (struct library){
		.source = { KIND_LIBRARY }, .answers = answers, .is_due = true, .run_ms = -1
	};
}

static void
library_close(struct server *server, struct library *library)
{
	if (library->answers == NULL)
		return;
	guests_forget(&library->guests, server->watch);
	server->config.retire(server->config.arg, library->answers);
	library->answers = NULL;
}

/* ---- a new configuration ---- */

/* The old one, which has its own helpers, ends when its last request is answered. */
static void
reload(struct server *server)
{
	if (!server->is_reload_asked || server->old.answers != NULL)
		return;
	server->is_reload_asked = false;
	struct answers *answers = server->config.reload(server->config.arg);
	if (answers == NULL)
		return;
	guests_forget(&server->now.guests, server->watch);
	server->old = server->now;
	server->old.is_due = true; /* watched for anew */
	library_open(&server->now, answers);
	clients_turn_to(&server->clients, answers);
}

static void
retire(struct server *server)
{
	if (server->old.answers != NULL && answers_waiting(server->old.answers) == 0)
		library_close(server, &server->old);
}

/* ---- the end ---- */

static void
stop(struct server *server)
{
	struct connection *next;

	server->is_stopping = true;
	server->end_ms = clock_mono_ms(server->clock) + SERVER_END;
	for (size_t i = 0; i < server->n_listening; i++) {
		watch_remove(server->watch, server->listening[i].listener->fd);
		listen_close(server->listening[i].listener);
	}
	server->n_listening = 0;
	/* what has arrived is in flight */
	for (struct connection *c = server->connections; c != NULL; c = next) {
		next = c->next;
		connection_settle(server, c, client_read(c->client, true));
	}
	log_put(server->log, MTASTS_LOG_INFO, "stop clients=%zu waiting=%zu", server->n_connections,
	    answers_waiting(server->now.answers));
}

static void
wake_take(struct server *server)
{
	char octets[16];
	ssize_t n = read(server->config.wake_fd, octets, sizeof octets);

	for (ssize_t i = 0; i < n; i++) {
		if (octets[i] == SERVER_STOP && !server->is_stopping)
			stop(server);
		if (octets[i] == SERVER_RELOAD)
			server->is_reload_asked = true;
	}
}

static bool
is_at_end(const struct server *server)
{
	if (!server->is_stopping)
		return false;
	return server->n_connections == 0 || clock_mono_ms(server->clock) >= server->end_ms;
}

/* ---- the loop ---- */

static int
sooner(const struct server *server, int timeout_ms, int64_t instant_ms)
{
	int64_t left = instant_ms - clock_mono_ms(server->clock);

	if (left < 0)
		left = 0;
	return timeout_ms < 0 || left < timeout_ms ? (int)left : timeout_ms;
}

static int
timeout_of(const struct server *server)
{
	int timeout_ms = -1;

	if (server->now.run_ms >= 0)
		timeout_ms = sooner(server, timeout_ms, server->now.run_ms);
	if (server->old.answers != NULL && server->old.run_ms >= 0)
		timeout_ms = sooner(server, timeout_ms, server->old.run_ms);
	if (server->n_connections != 0)
		timeout_ms = sooner(server, timeout_ms, server->sweep_ms);
	if (server->is_paused)
		timeout_ms = sooner(server, timeout_ms, server->resume_ms);
	if (server->is_stopping)
		timeout_ms = sooner(server, timeout_ms, server->end_ms);
	return timeout_ms;
}

static void
event_take(struct server *server, const struct watch_event *event)
{
	struct source *source = event->arg;

	switch (source->kind) {
	case KIND_LISTENER:
		((struct listening *)source)->is_ready = true;
		break;
	case KIND_CLIENT:
		connection_serve(server, (struct connection *)source, event->events);
		break;
	case KIND_LIBRARY:
		((struct library *)source)->is_due = true;
		break;
	case KIND_WAKE:
		wake_take(server);
		break;
	}
}

static void
turn(struct server *server)
{
	struct watch_event events[EVENTS];
	size_t n = watch_wait(server->watch, events, EVENTS, timeout_of(server));

	answers_tick(server->now.answers);
	server->clients.now_ms = clock_mono_ms(server->clock);
	for (size_t i = 0; i < n; i++)
		event_take(server, &events[i]);
	library_run(server, &server->now);
	library_run(server, &server->old);
	retire(server);
	reload(server);
	deaf_end(server);
	over_free(server);
	if (server->is_paused && server->resume_ms <= clock_mono_ms(server->clock))
		resume_accepting(server);
	if (!server->is_stopping)
		accept_all(server);
}

void
server_run(struct server *server)
{
	while (!is_at_end(server))
		turn(server);
	if (server->n_connections != 0)
		log_put(server->log, MTASTS_LOG_WARNING,
		    "stop clients=%zu reason=\"they were not answered or did not read in time\"",
		    server->n_connections);
}

struct server *
server_new(const struct server_config *config, struct answers *answers, struct listener *listeners,
    size_t n, const struct clock *clock, const struct log *log)
{
	struct server *server = mem_zero(1, sizeof *server);

	if (server == NULL)
		return NULL;
	server->config = *config;
	library_open(&server->now, answers);
	server->clock = clock;
	server->log = log;
	server->wake.kind = KIND_WAKE;
	clients_init(&server->clients, answers);
	for (size_t i = 0; i < n && i < LISTEN_MAX; i++)
		server->listening[server->n_listening++] =
		    (struct listening){ { KIND_LISTENER }, &listeners[i], false };
	server->watch = watch_new();
	if (server->watch == NULL ||
	    watch_set(server->watch, config->wake_fd, POLLIN, &server->wake) != 0) {
		int error = errno;
		server->now.answers = NULL;
		server_free(server);
		errno = error;
		return NULL;
	}
	listeners_watch(server, POLLIN);
	return server;
}

void
server_free(struct server *server)
{
	if (server == NULL)
		return;
	while (server->connections != NULL)
		connection_end(server, server->connections);
	over_free(server);
	library_close(server, &server->old);
	library_close(server, &server->now);
	watch_free(server->watch);
	free(server);
}
