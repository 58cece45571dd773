/* SPDX-License-Identifier: ISC
 *
 * A list; a question that is over stays in it until it is taken or told.
 */
#include "engine/asks.h"

#include <assert.h>

static void
answered(void *arg, size_t i, const struct net_answer *answer)
{
	struct ask *ask = arg;

	ask->is_open[i] = false;
	if (--ask->n_open == 0)
		ask->request = NULL; /* ends by itself */
	ask->kind->answer(ask, i, answer);
	ask->is_over = ask->n_open == 0;
}

int
asks_start(struct asks *asks, const struct net *net, struct ask *ask,
    const struct net_question *questions, size_t n)
{
	struct ask **at = &asks->first;

	assert(n <= ASK_QUESTIONS);
	if (n != 0) {
		int r = net->resolve(
		    net->self, questions, n, ask->deadline_ms, answered, ask, &ask->request);
		if (r != 0)
			return r;
	}
	ask->n_open = n;
	for (size_t i = 0; i < n; i++)
		ask->is_open[i] = true;
	while (*at != NULL)
		at = &(*at)->next;
	*at = ask;
	asks->n++;
	return 0;
}

static void
late(struct ask *ask, const struct net *net)
{
	static const struct net_answer none = { .state = NET_UNKNOWN,
		.reason = "no answer in time" };

	net->cancel(net->self, ask->request);
	for (size_t i = 0; i < ASK_QUESTIONS; i++) {
		if (ask->is_open[i])
			answered(ask, i, &none);
	}
}

void
asks_tick(struct asks *asks, const struct net *net, int64_t now_ms)
{
	for (struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
		if (ask->request != NULL && now_ms >= ask->deadline_ms)
			late(ask, net);
	}
}

int64_t
asks_wake(const struct asks *asks, bool is_telling, int64_t now_ms)
{
	int64_t wake = -1;

	for (const struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
		int64_t at = ask->is_over ? now_ms : ask->deadline_ms;
		if (ask->is_over ? !is_telling || ask->is_silent : ask->request == NULL)
			continue;
		if (wake < 0 || at < wake)
			wake = at;
	}
	return wake;
}

static struct ask *
over_next(const struct asks *asks, uint64_t last_id)
{
	struct ask *ask = asks->first;

	while (ask != NULL && (!ask->is_over || ask->is_silent || ask->id > last_id))
		ask = ask->next;
	return ask;
}

void
asks_tell(struct asks *asks, uint64_t last_id)
{
	struct ask *ask;

	/* the list is looked at anew for each, up to the last there was */
	while ((ask = over_next(asks, last_id)) != NULL) {
		asks_take(asks, ask);
		ask->kind->tell(ask);
		ask->kind->free(ask);
	}
}

void
asks_take(struct asks *asks, struct ask *ask)
{
	struct ask **at = &asks->first;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	asks->n--;
}

/* net NULL: it is not touched. */
static void
drop(struct asks *asks, const struct net *net, struct ask *ask)
{
	asks_take(asks, ask);
	if (net != NULL && ask->request != NULL)
		net->cancel(net->self, ask->request);
	ask->kind->free(ask);
}

bool
asks_cancel(struct asks *asks, const struct net *net, uint64_t id)
{
	for (struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
		if (ask->id != id || ask->is_silent)
			continue;
		drop(asks, net, ask);
		return true;
	}
	return false;
}

void
asks_clear(struct asks *asks, const struct net *net)
{
	while (asks->first != NULL)
		drop(asks, net, asks->first);
}
