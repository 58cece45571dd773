/* SPDX-License-Identifier: ISC
 *
 * Steps, each of which does one thing or says that there is nothing to do but wait; a turn takes
 * some of them, so that others have theirs.
 */
#include "opensmtpd/relay/session_turn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	IDLE = 330 * 1000, /* ms without any progress; smtpd has given up before, after 300 s */
	STEPS_MAX = 64,	   /* of one session before others have their turn */
};

enum step {
	STEP_AGAIN, /* something was done */
	STEP_WAIT,
	STEP_OVER
};

/* ---- the end of one ---- */

void
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

int64_t
session_now_ms(const struct session *session)
{
	return loop_now_ms(session->sessions->relay->loop);
}

void
session_wake(void *arg)
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
		.wake = session_wake,
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
	if (session_now_ms(session) < session->pace_ms)
		return STEP_WAIT;
	int ms = pace_ask(session->sessions->pacer, &session->pace, &session->end);
	if (ms == PACE_READ) {
		session->is_pacing = false;
		return STEP_AGAIN;
	}
	session->pace_ms = session_now_ms(session) + ms;
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
	(void)loop_timer_set(loop, &session->timer, at - session_now_ms(session));
	return loop_watch(loop, &session->watch, events) == 0;
}

void
session_turn(struct session *session)
{
	enum step r = STEP_AGAIN;
	int n;

	for (n = 0; n < STEPS_MAX && r == STEP_AGAIN; n++)
		r = step(session);
	if (n > 1 && session->is_served)
		session->due_ms = session_now_ms(session) + IDLE;
	if (r == STEP_OVER || !session_wait(session, r == STEP_AGAIN))
		session_free(session);
}
