/* SPDX-License-Identifier: ISC
 *
 * smtpd asks about one recipient of a session at a time, so the question is part of the session.
 * A session of smtpd's may end while its question is held: smtpd keeps it until the answer.
 */
#include "opensmtpd/supervisor.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "opensmtpd/idmap.h"
#include "opensmtpd/own.h"
#include "opensmtpd/proto/event.h"

/* A client of smtpd's. */
struct session {
	struct supervisor *supervisor;
	struct idmap_node by_session;
	struct idmap_node by_question; /* in the map: a recipient is held */
	bool is_trusted;
	bool is_over; /* it goes with its question */
	uint64_t token;
	struct loop_timer deadline;
};

struct supervisor {
	struct loop *loop;
	const struct mtasts_config *config;
	struct supervisor_ports ports;
	const struct log *log;
	uint64_t next_question;
	bool is_full; /* which was told */
	bool is_registered;
	struct idmap sessions, questions;
	struct owns *owns;
};

/* ---- answers ---- */

static void
proceed(struct supervisor *s, uint64_t session, uint64_t token)
{
	char line[EVENT_LINE_MAX + 1];
	struct buf out;

	buf_init(&out, line, sizeof line);
	event_put_proceed(&out, session, token);
	s->ports.say(s->ports.arg, span_make(out.p, out.n));
}

static void
reject(struct supervisor *s, const struct session *session, const struct channel_message *answer)
{
	char line[EVENT_LINE_MAX + 1];
	struct buf out;

	buf_init(&out, line, sizeof line);
	event_put_reject(&out, session->by_session.id, session->token, answer->code,
	    answer->enhanced, answer->text);
	s->ports.say(s->ports.arg, span_make(out.p, out.n));
}

/* ---- sessions ---- */

static void
session_free(struct session *session)
{
	struct supervisor *s = session->supervisor;

	loop_timer_end(s->loop, &session->deadline);
	idmap_remove(&s->questions, &session->by_question);
	idmap_remove(&s->sessions, &session->by_session);
	free(session);
}

/* Nothing is held any longer; answer NULL: proceed. */
static void
release(struct session *session, const struct channel_message *answer)
{
	struct supervisor *s = session->supervisor;

	idmap_remove(&s->questions, &session->by_question);
	loop_timer_end(s->loop, &session->deadline);
	if (answer == NULL || answer->code == 0)
		proceed(s, session->by_session.id, session->token);
	else
		reject(s, session, answer);
	if (session->is_over)
		session_free(session);
}

static bool
is_held(const struct session *session)
{
	return session->by_question.at != NULL;
}

static void
on_deadline(void *arg)
{
	struct session *session = arg;

	log_put(session->supervisor->log, MTASTS_LOG_WARNING,
	    "rcpt session=%016llx proceed reason=\"no answer in time\"",
	    (unsigned long long)session->by_session.id);
	release(session, NULL);
}

static struct session *
session_new(struct supervisor *s, uint64_t id)
{
	if (s->sessions.n >= SUPERVISOR_SESSIONS_MAX) {
		if (!s->is_full)
			log_put(s->log, MTASTS_LOG_WARNING,
			    "sessions n=%zu reason=\"no more are looked at\"", s->sessions.n);
		s->is_full = true;
		return NULL;
	}
	struct session *session = mem_zero(1, sizeof *session);
	if (session == NULL)
		return NULL;
	session->supervisor = s;
	session->deadline.fn = on_deadline;
	session->deadline.arg = session;
	idmap_put(&s->sessions, &session->by_session, id, session);
	return session;
}

/* Over, or its number is another's now. */
static void
session_end(struct session *session)
{
	session->supervisor->is_full = false;
	if (is_held(session))
		session->is_over = true;
	else
		session_free(session);
}

/* ---- what smtpd says of its clients ---- */

static bool
is_near(const struct mtasts_config *config, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	uint8_t octets[16];

	if (from->ss_family == AF_UNIX)
		return true;
	if (from->ss_family == AF_INET) {
		memcpy(octets, &v4->sin_addr, 4);
		return conf_prefixes_hold(&config->filter_clients, octets, 4);
	}
	memcpy(octets, &v6->sin6_addr, 16);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return conf_prefixes_hold(&config->filter_clients, octets + 12, 4);
	return conf_prefixes_hold(&config->filter_clients, octets, 16);
}

static void
client_connect(struct supervisor *s, const struct event *event)
{
	struct session *session = idmap_get(&s->sessions, event->session);

	if (session == NULL)
		session = session_new(s, event->session);
	if (session == NULL)
		return;
	session->is_trusted = is_near(s->config, &event->from);
	session->is_over = false;
}

static void
client_event(struct supervisor *s, const struct event *event)
{
	struct session *session;

	if (event->kind == EVENT_CONNECT) {
		client_connect(s, event);
		return;
	}
	session = idmap_get(&s->sessions, event->session);
	if (session == NULL)
		return;
	if (event->kind == EVENT_AUTH && event->is_passed)
		session->is_trusted = true;
	else if (event->kind == EVENT_DISCONNECT)
		session_end(session);
}

/* ---- recipients ---- */

/* false: nothing is to be found out about it. */
static bool
question_make(struct supervisor *s, const struct event *event, struct channel_message *question)
{
	memset(question, 0, sizeof *question);
	question->kind = CHANNEL_QUESTION;
	/* neither an address literal nor what else is no domain */
	if (domain_parse(span_of(event->domain), DOMAIN_UNDERSCORE, &question->domain) != 0)
		return false;
	if (conf_domains_hold(&s->config->local_domains, &question->domain))
		return false;
	question->id = ++s->next_question;
	return true;
}

static bool
hold(struct supervisor *s, struct session *session, const struct event *event)
{
	struct channel_message question;
	int64_t in_ms = s->config->deadline * 1000 + SUPERVISOR_MARGIN;

	if (!question_make(s, event, &question))
		return false;
	if (loop_timer_set(s->loop, &session->deadline, in_ms) != 0)
		return false;
	if (s->ports.tell(s->ports.arg, &question) != 0) {
		loop_timer_end(s->loop, &session->deadline);
		return false;
	}
	session->token = event->token;
	idmap_put(&s->questions, &session->by_question, question.id, session);
	return true;
}

static void
recipient(struct supervisor *s, const struct event *event)
{
	struct session *session = idmap_get(&s->sessions, event->session);

	if (session != NULL && is_held(session))
		release(session, NULL); /* smtpd waits for this one now */
	session = idmap_get(&s->sessions, event->session);
	if (session == NULL || !session->is_trusted || !hold(s, session, event))
		proceed(s, event->session, event->token);
}

/* ---- lines ---- */

static void
say_register(struct supervisor *s)
{
	char lines[EVENT_LINE_MAX + 1];
	struct buf out;

	if (s->is_registered)
		return;
	s->is_registered = true;
	buf_init(&out, lines, sizeof lines);
	event_put_register(&out);
	s->ports.say(s->ports.arg, span_make(out.p, out.n));
}

static void
malformed(struct supervisor *s, struct span line)
{
	char words[256];
	struct buf out;

	buf_init(&out, words, sizeof words);
	buf_put_escaped(&out, line, 100, false);
	log_put(
	    s->log, MTASTS_LOG_WARNING, "line reason=\"not of the protocol\" text=\"%s\"", out.p);
}

/* Of a line that was cut only the question is believed, for smtpd waits for an answer to it. */
void
supervisor_line(struct supervisor *s, struct span line, bool is_cut)
{
	struct event event;

	event_parse(line, &event);
	switch (event.kind) {
	case EVENT_MALFORMED:
		malformed(s, line);
		break;
	case EVENT_READY:
		say_register(s);
		break;
	case EVENT_RCPT:
		if (!is_cut)
			recipient(s, &event);
		else
			proceed(s, event.session, event.token);
		break;
	case EVENT_QUESTION:
		proceed(s, event.session, event.token);
		break;
	case EVENT_OTHER:
	case EVENT_CONFIG:
		break;
	case EVENT_CONNECT:
	case EVENT_AUTH:
	case EVENT_DISCONNECT:
	case EVENT_BEGIN:
	case EVENT_ENVELOPE:
		if (is_cut)
			malformed(s, line);
		else if (event.direction == EVENT_IN)
			client_event(s, &event);
		else
			owns_event(s->owns, &event);
		break;
	}
}

void
supervisor_answer(struct supervisor *s, const struct channel_message *answer)
{
	struct session *session = idmap_get(&s->questions, answer->id);

	if (session != NULL)
		release(session, answer);
}

void
supervisor_alone(struct supervisor *s)
{
	struct session *session;

	while ((session = idmap_any(&s->questions)) != NULL)
		release(session, NULL);
}

void
supervisor_again(struct supervisor *s)
{
	owns_again(s->owns);
}

size_t
supervisor_held(const struct supervisor *s)
{
	return s->questions.n;
}

/* ---- all of it ---- */

struct supervisor *
supervisor_new(struct loop *loop, const struct mtasts_config *config,
    const struct supervisor_ports *ports, const struct log *log)
{
	struct supervisor *s = mem_zero(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->loop = loop;
	s->config = config;
	s->ports = *ports;
	s->log = log;
	s->owns = owns_new(ports->tell, ports->arg);
	if (s->owns != NULL)
		return s;
	free(s);
	return NULL;
}

void
supervisor_free(struct supervisor *s)
{
	struct session *session;

	if (s == NULL)
		return;
	while ((session = idmap_any(&s->sessions)) != NULL)
		session_free(session);
	owns_free(s->owns);
	free(s);
}
