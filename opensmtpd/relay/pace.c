/* SPDX-License-Identifier: ISC
 *
 * smtpd is on this host, so the kernel knows what it has read (peer.h).  That all has arrived, and
 * that nothing is unread, must be seen one after the other: at once they could be two moments.
 */
#include "opensmtpd/relay/pace.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "opensmtpd/relay/peer.h"

struct pacer {
	struct peer peer;
	bool is_open;
	bool is_told; /* the log */
	const struct log *log;
};

/* ms: smtpd is mostly awake within the first of them */
static const int waits[] = { 0, 0, 1, 1, 1, 2, 4, 8, 16 };

enum { N_WAITS = sizeof waits / sizeof waits[0] };

static void
blind_log(struct pacer *pacer)
{
	if (!pacer->is_told)
		log_put(pacer->log, MTASTS_LOG_WARNING,
		    "relay: the kernel does not say what smtpd has read: %d ms between final "
		    "replies",
		    PACE_BLIND);
	pacer->is_told = true;
}

struct pacer *
pacer_new(const struct log *log)
{
	struct pacer *pacer = mem_zero(1, sizeof *pacer);

	if (pacer == NULL)
		return NULL;
	pacer->log = log;
	pacer->is_open = peer_open(&pacer->peer) == 0;
	if (!pacer->is_open)
		blind_log(pacer);
	return pacer;
}

void
pacer_free(struct pacer *pacer)
{
	if (pacer == NULL)
		return;
	if (pacer->is_open)
		peer_close(&pacer->peer);
	free(pacer);
}

static int
blind(struct pacer *pacer, struct pace *pace)
{
	blind_log(pacer);
	if (pace->has_paused)
		return PACE_READ;
	pace->has_paused = true;
	return PACE_BLIND;
}

int
pace_ask(struct pacer *pacer, struct pace *pace, const struct pace_end *end)
{
	struct peer_look look;

	pace->n_asked++;
	if (!pacer->is_open || peer_look(&pacer->peer, &end->remote, &end->local, &look) != 0)
		return blind(pacer, pace);
	if (!look.is_there)
		return PACE_READ; /* smtpd has gone */
	if (pace->has_arrived && look.unread == 0)
		return PACE_READ;
	if (!pace->has_arrived && look.received >= end->written) {
		pace->has_arrived = true;
		if (look.unread == 0)
			return pace_ask(pacer, pace, end);
	}
	return pace->n_asked <= N_WAITS ? waits[pace->n_asked - 1] : PACE_MAX;
}
