/* SPDX-License-Identifier: ISC
 *
 * A list; a question that is over stays in it until it is taken.
 */
#include "engine/mxasks.h"

#include <stdlib.h>

#include "base/mem.h"

static void
answered(void *arg, size_t i, const struct net_answer *answer)
{
	struct mxask *ask = arg;

	(void)i;
	ask->request = NULL; /* ends by itself */
	ask->set = mxset_make(&ask->domain, answer, ask->log);
}

int
mxasks_start(struct mxasks *asks, const struct net *net, const struct log *log,
    const struct mxask *begin, struct mxask **ask)
{
	struct net_question question = { .name = begin->domain, .type = NET_MX };
	struct mxask **at = &asks->first, *made = mem_zero(1, sizeof *made);

	if (made == NULL)
		return MTASTS_ENOMEM;
	*made = *begin;
	made->log = log;
	int r = net->resolve(
	    net->self, &question, 1, made->deadline_ms, answered, made, &made->request);
	if (r != 0) {
		free(made);
		return r;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = made;
	asks->n++;
	*ask = made;
	return 0;
}

bool
mxask_is_over(const struct mxask *ask)
{
	return ask->request == NULL;
}

void
mxasks_tick(struct mxasks *asks, const struct net *net, int64_t now_ms)
{
	static const struct net_answer late = { .state = NET_UNKNOWN,
		.reason = "no answer in time" };

	for (struct mxask *ask = asks->first; ask != NULL; ask = ask->next) {
		if (mxask_is_over(ask) || now_ms < ask->deadline_ms)
			continue;
		net->cancel(net->self, ask->request);
		answered(ask, 0, &late);
	}
}

int64_t
mxasks_wake(const struct mxasks *asks, bool is_telling, int64_t now_ms)
{
	int64_t wake = -1;

	for (const struct mxask *ask = asks->first; ask != NULL; ask = ask->next) {
		int64_t at = mxask_is_over(ask) ? now_ms : ask->deadline_ms;
		if (mxask_is_over(ask) && !(is_telling && ask->done != NULL))
			continue;
		if (wake < 0 || at < wake)
			wake = at;
	}
	return wake;
}

struct mxask *
mxasks_over(const struct mxasks *asks, uint64_t last_id)
{
	for (struct mxask *ask = asks->first; ask != NULL; ask = ask->next) {
		if (mxask_is_over(ask) && ask->done != NULL && ask->id <= last_id)
			return ask;
	}
	return NULL;
}

static void
drop(struct mxasks *asks, struct mxask *ask)
{
	struct mxask **at = &asks->first;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	asks->n--;
	mtasts_mxset_free(ask->set);
	free(ask);
}

int
mxasks_take(struct mxasks *asks, struct mxask *ask, struct mtasts_mxset **set)
{
	struct mtasts_mxset *answer = ask->set;

	ask->set = NULL; /* given to the caller */
	drop(asks, ask);
	*set = answer;
	return answer != NULL ? 0 : MTASTS_ENOMEM;
}

bool
mxasks_cancel(struct mxasks *asks, const struct net *net, uint64_t id)
{
	for (struct mxask *ask = asks->first; ask != NULL; ask = ask->next) {
		if (ask->id != id || ask->done == NULL)
			continue;
		if (!mxask_is_over(ask))
			net->cancel(net->self, ask->request);
		drop(asks, ask);
		return true;
	}
	return false;
}

void
mxasks_clear(struct mxasks *asks, const struct net *net)
{
	while (asks->first != NULL) {
		if (net != NULL && !mxask_is_over(asks->first))
			net->cancel(net->self, asks->first->request);
		drop(asks, asks->first);
	}
}
