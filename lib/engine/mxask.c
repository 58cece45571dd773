/* SPDX-License-Identifier: ISC
 *
 * One question to the network; what the answer says is mxset.c's affair.
 */
#include "engine/mxask.h"

#include <stdlib.h>

#include "base/mem.h"

struct mxask {
	struct ask ask;
	mtasts_mx_fn *done; /* NULL: silent */
	void *arg;
	struct domain domain;
	const struct log *log;
	struct mtasts_mxset *set; /* when over; NULL: out of memory */
};

static void
mxask_answer(struct ask *ask, size_t i, const struct net_answer *answer)
{
	struct mxask *mxask = (struct mxask *)ask;

	(void)i;
	mxask->set = mxset_make(&mxask->domain, answer, mxask->log);
}

static void
mxask_tell(struct ask *ask)
{
	struct mxask *mxask = (struct mxask *)ask;
	struct mtasts_mxset *set = mxask->set;

	mxask->set = NULL; /* given to the callback */
	mxask->done(mxask->arg, set != NULL ? 0 : MTASTS_ENOMEM, set);
}

static void
mxask_free(struct ask *ask)
{
	struct mxask *mxask = (struct mxask *)ask;

	mtasts_mxset_free(mxask->set);
	free(mxask);
}

static int
begin(struct engine *engine, const struct domain *domain, int timeout_ms, struct mxask *mxask)
{
	static const struct ask_kind kind = { mxask_answer, mxask_tell, mxask_free };
	struct net_question question = { .name = *domain, .type = NET_MX };

	mxask->ask.kind = &kind;
	mxask->ask.is_silent = mxask->done == NULL;
	mxask->domain = *domain;
	int r = engine_ask(engine, &mxask->ask, &question, 1, timeout_ms);
	if (r != 0)
		mxask_free(&mxask->ask);
	return r;
}

int
mxask_start(struct engine *engine, const struct domain *domain, int timeout_ms,
    const struct log *log, mtasts_mx_fn *done, void *arg, uint64_t *id)
{
	struct mxask *mxask = mem_zero(1, sizeof *mxask);

	if (mxask == NULL)
		return MTASTS_ENOMEM;
	mxask->log = log;
	mxask->done = done;
	mxask->arg = arg;
	int r = begin(engine, domain, timeout_ms, mxask);
	if (r == 0)
		*id = mxask->ask.id;
	return r;
}

int
mxask_wait(struct engine *engine, const struct domain *domain, int timeout_ms,
    const struct log *log, struct mtasts_mxset **set)
{
	struct mxask *mxask = mem_zero(1, sizeof *mxask);

	if (mxask == NULL)
		return MTASTS_ENOMEM;
	mxask->log = log;
	int r = begin(engine, domain, timeout_ms, mxask);
	if (r != 0)
		return r;
	engine_ask_wait(engine, &mxask->ask);
	struct mtasts_mxset *answer = mxask->set;
	mxask->set = NULL; /* given to the caller */
	mxask_free(&mxask->ask);
	if (answer == NULL)
		return MTASTS_ENOMEM;
	*set = answer;
	return 0;
}
