/* SPDX-License-Identifier: ISC
 *
 * Descriptors and time around dialogue.c.  A session runs when its descriptor, its announcement,
 * its transaction or its timer says so, and only from the loop: all but the first merely wake it.
 */
#include "opensmtpd/relay/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "opensmtpd/relay/session_turn.h"

enum {
	REFUSED_EVERY = 60 * 1000, /* ms between two lines of the log about strangers */
};

/* ---- those who are not served ---- */

static void
refused_log(struct sessions *sessions, const struct pace_end *end, const char *why)
{
	int64_t now = loop_now_ms(sessions->relay->loop);
	const struct sockaddr_in *from = (const struct sockaddr_in *)&end->remote;
	char address[INET_ADDRSTRLEN] = "?";

	sessions->n_refused++;
	if (sessions->refused_ms != 0 && now - sessions->refused_ms < REFUSED_EVERY)
		return;
	if (from->sin_family == AF_INET)
		(void)inet_ntop(AF_INET, &from->sin_addr, address, sizeof address);
	log_put(sessions->relay->log, MTASTS_LOG_WARNING,
	    "relay refused from=%s:%u why=\"%s\" refused=%zu", address,
	    from->sin_family == AF_INET ? ntohs(from->sin_port) : 0, why, sessions->n_refused);
	sessions->refused_ms = now;
	sessions->n_refused = 0;
}

static void
refuse(int fd, const char *line)
{
	(void)send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
on_late(struct session *session)
{
	struct sessions *sessions = session->sessions;

	if (!session->is_served) {
		refuse(session->watch.fd, "421 4.7.0 smtpd has not announced this connection\r\n");
		refused_log(sessions, &session->end,
		    "smtpd has not announced it: no client of ours, or its action has no filter");
	} else {
		refuse(session->watch.fd, "421 4.4.2 Nothing was said for too long\r\n");
	}
	session_free(session);
}

static void
on_timer(void *arg)
{
	struct session *session = arg;

	if (session_now_ms(session) >= session->due_ms)
		on_late(session);
	else
		session_turn(session);
}

static void
on_announced(void *arg)
{
	struct session *session = arg;

	if (session->is_served)
		dialogue_told(&session->dialogue);
	session_wake(session);
}

static void
on_fd(void *arg, short events)
{
	struct session *session = arg;

	/* both ways are shut: nobody is there to be told anything */
	if ((events & (POLLERR | POLLHUP)) != 0) {
		session_free(session);
		return;
	}
	session->is_readable = session->is_readable || (events & POLLIN) != 0;
	session_turn(session);
}

/* ---- all of them ---- */

struct sessions *
sessions_new(const struct relay *relay, struct announced *announced, size_t max)
{
	struct sessions *sessions = mem_zero(1, sizeof *sessions);

	if (sessions == NULL)
		return NULL;
	sessions->relay = relay;
	sessions->announced = announced;
	sessions->max = max;
	sessions->last = &sessions->first;
	sessions->pacer = pacer_new(relay->log);
	if (sessions->pacer == NULL) {
		free(sessions);
		return NULL;
	}
	return sessions;
}

void
sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	while (sessions->first != NULL)
		session_free(sessions->first);
	pacer_free(sessions->pacer);
	free(sessions);
}

size_t
sessions_count(const struct sessions *sessions)
{
	return sessions->n;
}

static bool
session_expect(struct session *session)
{
	struct pace_end *end = &session->end;

	session->announcement = announced_expect(
	    session->sessions->announced, &end->remote, &end->local, on_announced, session);
	return session->announcement != NULL;
}

/* Both ends of fd; IPv4 is all that smtpd is told to come by. */
static int
end_get(int fd, struct pace_end *end)
{
	socklen_t local = sizeof end->local, remote = sizeof end->remote;

	memset(end, 0, sizeof *end);
	if (getsockname(fd, (struct sockaddr *)&end->local, &local) != 0 ||
	    getpeername(fd, (struct sockaddr *)&end->remote, &remote) != 0)
		return -1;
	return end->local.ss_family == AF_INET ? 0 : -1;
}

static struct session *
session_new(struct sessions *sessions, int fd, const struct pace_end *end)
{
	struct session *session = mem_zero(1, sizeof *session);
	struct loop *loop = sessions->relay->loop;

	if (session == NULL)
		return NULL;
	session->sessions = sessions;
	session->end = *end;
	session->watch = (struct loop_fd){ .fd = fd, .fn = on_fd, .arg = session };
	session->timer = (struct loop_timer){ .fn = on_timer, .arg = session };
	session->due_ms = loop_now_ms(loop) + ANNOUNCED_WAIT;
	/* a final reply does not wait for smtpd's kernel to acknowledge the one before */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	if (loop_timer_set(loop, &session->timer, 0) != 0 ||
	    loop_watch(loop, &session->watch, 0) != 0) {
		loop_timer_end(loop, &session->timer);
		free(session);
		return NULL;
	}
	session->at = sessions->last;
	*sessions->last = session;
	sessions->last = &session->next;
	sessions->n++;
	return session;
}

/* The oldest that smtpd has not announced: strangers may not keep smtpd out. */
static bool
make_room(struct sessions *sessions)
{
	struct session *session = sessions->first;

	/* without an announcement to wait for it is the one for whom room is made */
	while (session != NULL &&
	       (session->announcement == NULL || announcement_is_made(session->announcement)))
		session = session->next;
	if (session != NULL)
		on_late(session);
	return session != NULL;
}

void
sessions_accept(struct sessions *sessions, int fd)
{
	struct pace_end end;

	if (end_get(fd, &end) != 0) {
		close(fd);
		return;
	}
	if (sessions->n >= sessions->max && !make_room(sessions)) {
		refuse(fd, "421 4.3.2 Too many connections\r\n");
		refused_log(sessions, &end, "too many connections");
		close(fd);
		return;
	}
	struct session *session = session_new(sessions, fd, &end);
	if (session != NULL &&
	    (session_expect(session) || (make_room(sessions) && session_expect(session))))
		return;
	refuse(fd, "421 4.3.0 No memory for this connection\r\n");
	if (session != NULL)
		session_free(session);
	else
		close(fd);
}
