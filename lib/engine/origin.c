/* SPDX-License-Identifier: ISC
 *
 * Every MX host's addresses are asked for; where their CNAMEs lead is the answer.
 */
#include "engine/origin.h"

#include <stdlib.h>

#include "base/mem.h"

struct search {
	const struct domain *host;
	size_t best; /* index of the best MX that leads to it; the set's n: none */
};

/* Questions 2i and 2i + 1 are those of host i. */
static void
address_answered(void *arg, size_t i, const struct net_answer *answer)
{
	struct search *search = arg;

	if (answer->state == NET_UNKNOWN || answer->canonical.n == 0)
		return;
	if (domain_eq(&answer->canonical, search->host) && i / 2 < search->best)
		search->best = i / 2;
}

int
origin_find(struct engine *engine, const struct mtasts_mxset *set, const struct domain *host,
    int timeout_ms, const char **name)
{
	struct search search = { .host = host, .best = set->n };
	struct net_question *questions;
	int r = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (domain_eq(&set->hosts[i].name, host)) {
			*name = set->hosts[i].name.name;
			return 0;
		}
	}
	questions = mem_zero(set->n * 2, sizeof *questions);
	if (questions == NULL)
		return MTASTS_ENOMEM;
	for (size_t i = 0; i < set->n * 2; i++) {
		questions[i].name = set->hosts[i / 2].name;
		questions[i].type = i % 2 == 0 ? NET_A : NET_AAAA;
	}
	if (set->n != 0)
		r = engine_resolve(
		    engine, questions, set->n * 2, timeout_ms, address_answered, &search);
	free(questions);
	if (r == 0)
		*name = search.best < set->n ? set->hosts[search.best].name.name : NULL;
	return r;
}
