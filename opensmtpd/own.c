/* SPDX-License-Identifier: ISC
 *
 * A connection is remembered as long as nothing was sent over it: the worker that has accepted it
 * is the only one that will ever serve it.
 */
#include "opensmtpd/own.h"

#include <stdlib.h>

#include "base/mem.h"
#include "opensmtpd/idmap.h"

struct own {
	struct idmap_node by_session;
	struct sockaddr_storage from, to;
};

struct owns {
	int (*tell)(void *arg, const struct channel_message *message);
	void *arg;
	struct idmap map;
};

static void
tell(struct owns *owns, enum channel_kind kind, const struct event *event)
{
	struct channel_message message = { .kind = kind,
		.id = event->session,
		.from = event->from,
		.to = event->to,
		.envelope = event->envelope };

	(void)owns->tell(owns->arg, &message);
}

static void
own_forget(struct owns *owns, uint64_t session)
{
	struct own *own = idmap_get(&owns->map, session);

	if (own == NULL)
		return;
	idmap_remove(&owns->map, &own->by_session);
	free(own);
}

static void
own_connect(struct owns *owns, const struct event *event)
{
	if (event->from.ss_family == AF_UNIX || event->to.ss_family == AF_UNIX)
		return;
	own_forget(owns, event->session);
	tell(owns, CHANNEL_CONNECT, event);
	struct own *own = owns->map.n < OWNS_MAX ? mem_zero(1, sizeof *own) : NULL;
	if (own == NULL)
		return;
	own->from = event->from;
	own->to = event->to;
	idmap_put(&owns->map, &own->by_session, event->session, own);
}

static void
own_tell(void *thing, void *arg)
{
	const struct own *own = thing;
	const struct owns *owns = arg;
	struct channel_message message = {
		.kind = CHANNEL_CONNECT, .id = own->by_session.id, .from = own->from, .to = own->to
	};

	(void)owns->tell(owns->arg, &message);
}

void
owns_event(struct owns *owns, const struct event *event)
{
	switch (event->kind) {
	case EVENT_CONNECT:
		own_connect(owns, event);
		break;
	case EVENT_BEGIN:
		own_forget(owns, event->session);
		tell(owns, CHANNEL_BEGIN, event);
		break;
	case EVENT_ENVELOPE:
		tell(owns, CHANNEL_ENVELOPE, event);
		break;
	case EVENT_DISCONNECT:
		own_forget(owns, event->session);
		tell(owns, CHANNEL_DISCONNECT, event);
		break;
	case EVENT_MALFORMED:
	case EVENT_OTHER:
	case EVENT_CONFIG:
	case EVENT_READY:
	case EVENT_RCPT:
	case EVENT_QUESTION:
	case EVENT_AUTH:
		break;
	}
}

void
owns_again(struct owns *owns)
{
	idmap_each(&owns->map, own_tell, owns);
}

struct owns *
owns_new(int (*tell_fn)(void *arg, const struct channel_message *message), void *arg)
{
	struct owns *owns = mem_zero(1, sizeof *owns);

	if (owns == NULL)
		return NULL;
	owns->tell = tell_fn;
	owns->arg = arg;
	return owns;
}

void
owns_free(struct owns *owns)
{
	const struct own *own;

	if (owns == NULL)
		return;
	while ((own = idmap_any(&owns->map)) != NULL)
		own_forget(owns, own->by_session.id);
	free(owns);
}
