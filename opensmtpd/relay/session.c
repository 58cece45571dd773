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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "opensmtpd/relay/dialogue.h"
#include "opensmtpd/relay/pace.h"

enum {
	IDLE = 330 * 1000, /* ms without any progress; smtpd has given up before, after 300 s */
	STEPS_MAX = 64,	   /* of one session before others have their turn */
	REFUSED_EVERY = 60 * 1000, /* ms between two lines of the log about strangers */
};

struct session {
	struct sessions *sessions;
	struct session *next, **at;
	struct loop_fd watch;
	struct loop_timer timer; /* always set: it need never find memory again */
	struct announcement *announcement;
	struct pace_end end;
	struct pace pace;
	int64_t due_ms;	 /* over, if there is no progress */
	int64_t pace_ms; /* to be asked then */
	bool is_served;	 /* announced */
	bool is_readable, is_eof;
	bool is_pacing;
	size_t n_in;
	char in[DIALOGUE_IN];
	struct dialogue dialogue; /* of is_served */
};

struct sessions {
	const struct relay *relay;
	struct announced *announced;
	struct pacer *pacer;
	size_t n, max;
	struct session *first, **last; /* oldest first */
	int64_t refused_ms;	       /* the log has heard of one then */
	size_t n_refused;	       /* since */
};

enum step {
	STEP_AGAIN, /* something was done */
	STEP_WAIT,
	STEP_OVER
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

/* ---- the end of one ---- */

static void
session_free(struct session *session)
{
	struct sessions *sessions = session->sessions;

	if (session->is_served)
		dialogue_clear(&session->dialogue);
	if (session->announcement != NULL)
		announced_drop(sessions->announced, session->announcement);
	loop_timer_end(sessions->relay->loop, &session->timer);
	loop_forget(sessions->relay->loop, &session->watch);
	close(session->watch.fd);
	*session->at = session->next;
	if (session->next != NULL)
		session->next->at = session->at;
	else
		sessions->last = session->at;
	sessions->n--;
	free(session);
}

/* ---- steps ---- */

static int64_t
now_of(const struct session *session)
{
	return loop_now_ms(session->sessions->relay->loop);
}

static void
wake(void *arg)
{
	struct session *session = arg;

	(void)loop_timer_set(session->sessions->relay->loop, &session->timer, 0);
}

/* Where smtpd has chosen a source address, the message leaves by it too. */
static struct sockaddr_storage
source_of(const struct sockaddr_storage *remote)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)remote;
	struct sockaddr_storage source = { .ss_family = 0 };
	bool is_chosen =
	    in->sin_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;

	if (is_chosen) {
		source = *remote;
		((struct sockaddr_in *)&source)->sin_port = 0;
	}
	return source;
}

/* An address literal (RFC 5321 4.1.3), for smtpd knows us by that. */
static void
name_of(const struct sockaddr_storage *local, char *name, size_t size)
{
	char address[INET_ADDRSTRLEN];

	(void)inet_ntop(
	    AF_INET, &((const struct sockaddr_in *)local)->sin_addr, address, sizeof address);
	snprintf(name, size, "[%s]", address);
}

static enum step
step_serve(struct session *session)
{
	struct dialogue_config config = { .relay = session->sessions->relay,
		.announcement = session->announcement,
		.from = source_of(&session->end.remote),
		.wake = wake,
		.arg = session };

	if (!announcement_is_made(session->announcement))
		return STEP_WAIT;
	name_of(&session->end.local, config.name, sizeof config.name);
	dialogue_init(&session->dialogue, &config);
	session->is_served = true;
	return STEP_AGAIN;
}

/* All that is in out, or as much as goes. */
static enum step
step_write(struct session *session)
{
	struct dialogue *d = &session->dialogue;
	ssize_t n = send(session->watch.fd, d->out.p, d->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? STEP_WAIT : STEP_OVER;
	session->end.written += (uint64_t)n;
	size_t left = d->out.n - (size_t)n;
	memmove(d->out.p, d->out.p + n, left + 1);
	d->out.n = left;
	if (left == 0 && dialogue_owes_finals(d)) {
		session->is_pacing = true;
		session->pace = (struct pace){ .n_asked = 0 };
		session->pace_ms = 0;
	}
	return STEP_AGAIN;
}

/* The next final reply may not meet the one before in smtpd's buffer. */
static enum step
step_pace(struct session *session)
{
	if (now_of(session) < session->pace_ms)
		return STEP_WAIT;
	int ms = pace_ask(session->sessions->pacer, &session->pace, &session->end);
	if (ms == PACE_READ) {
		session->is_pacing = false;
		return STEP_AGAIN;
	}
	session->pace_ms = now_of(session) + ms;
	return STEP_WAIT;
}

static enum step
step_take(struct session *session)
{
	size_t n = dialogue_take(&session->dialogue, span_make(session->in, session->n_in));

	if (n == 0)
		return STEP_WAIT;
	session->n_in -= n;
	memmove(session->in, session->in + n, session->n_in);
	return STEP_AGAIN;
}

static bool
has_room(const struct session *session)
{
	return session->n_in < sizeof session->in && !session->is_eof;
}

/*
 * smtpd writes the final dot apart from the message, and its kernel (Nagle) keeps it back until
 * ours has acknowledged what came before: 40 ms a message, if that is left to the kernel.
 */
static void
acknowledge(int fd)
{
#ifdef TCP_QUICKACK
	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
#else
	(void)fd;
#endif
}

static enum step
step_read(struct session *session)
{
	if (!session->is_readable || !has_room(session))
		return STEP_WAIT;
	ssize_t n = recv(session->watch.fd, session->in + session->n_in,
	    sizeof session->in - session->n_in, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		session->is_readable = false;
		return STEP_WAIT;
	}
	if (n < 0)
		return STEP_OVER;
	acknowledge(session->watch.fd);
	session->is_eof = n == 0;
	session->is_readable = session->n_in + (size_t)n == sizeof session->in;
	session->n_in += (size_t)n;
	return STEP_AGAIN;
}

/* Writing first: one reply at a time, and nothing is taken before the last one is out. */
static enum step
step(struct session *session)
{
	struct dialogue *d = &session->dialogue;
	enum step r;

	if (!session->is_served) {
		r = step_serve(session);
		return r != STEP_WAIT ? r : session->is_eof ? STEP_OVER : step_read(session);
	}
	if (d->out.n > 0)
		return step_write(session);
	if (dialogue_is_over(d))
		return STEP_OVER;
	r = session->is_pacing ? step_pace(session) : STEP_WAIT;
	if (r == STEP_WAIT && !session->is_pacing && dialogue_tell_final(d))
		r = STEP_AGAIN;
	if (r == STEP_WAIT)
		r = step_take(session);
	if (r == STEP_WAIT && session->is_eof)
		r = STEP_OVER;
	return r == STEP_WAIT ? step_read(session) : r;
}

/* ---- time ---- */

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until the next of its times; false: no descriptor can be watched. */
static bool
session_wait(struct session *session, bool is_at_once)
{
	struct loop *loop = session->sessions->relay->loop;
	int64_t at = session->due_ms;
	short events = has_room(session) && !session->is_readable ? POLLIN : 0;

	if (session->is_served) {
		at = sooner(at, dialogue_due(&session->dialogue));
		if (session->dialogue.out.n > 0)
			events |= POLLOUT;
	}
	if (session->is_pacing)
		at = sooner(at, session->pace_ms);
	if (is_at_once)
		at = 0;
	(void)loop_timer_set(loop, &session->timer, at - now_of(session));
	return loop_watch(loop, &session->watch, events) == 0;
}

static void
session_run(struct session *session)
{
	enum step r = STEP_AGAIN;
	int n;

	for (n = 0; n < STEPS_MAX && r == STEP_AGAIN; n++)
		r = step(session);
	if (n > 1 && session->is_served)
		session->due_ms = now_of(session) + IDLE;
	if (r == STEP_OVER || !session_wait(session, r == STEP_AGAIN))
		session_free(session);
}

static void
on_late(struct session *session)
{
	struct sessions *sessions = session->sessions;

	if (!session->is_served) {
		refuse(session->watch.fd, "421 4.7.0 smtpd has not announced this connection\r\n");
		refused_log(sessions, &session->end, "smtpd has not announced it");
	} else {
		refuse(session->watch.fd, "421 4.4.2 Nothing was said for too long\r\n");
	}
	session_free(session);
}

static void
on_timer(void *arg)
{
	struct session *session = arg;

	if (now_of(session) >= session->due_ms)
		on_late(session);
	else
		session_run(session);
}

static void
on_announced(void *arg)
{
	struct session *session = arg;

	if (session->is_served)
		dialogue_told(&session->dialogue);
	wake(session);
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
	session_run(session);
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
	while (session != NULL && (session->is_served || session->announcement == NULL ||
				      announcement_is_made(session->announcement)))
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
