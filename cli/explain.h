/* SPDX-License-Identifier: ISC
 *
 * What `mtasts explain` has found out, and how it tells it.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli.h"

/* What a message would meet while it is young, and when it is as old as bounce_after. */
struct answer {
	struct mtasts_decision now, later;
};

struct explain {
	struct cli *cli;
	struct mtasts *ctx;
	unsigned flags; /* enum mtasts_lookup_flags */
	struct domain domain;
	struct mtasts_policy *cached; /* before this look-up */
	struct mtasts_policy *policy; /* what this look-up gave */
	struct mtasts_mxset *mx;
	size_t n;
	struct mtasts_attempt *attempts; /* of n hosts, none tried yet */
	struct answer answer;		 /* of these */
	struct answer broken;		 /* if each host that may be tried had a bad certificate */
};

/* For people, on standard output. */
void explain_print(const struct explain *explain);
/* For programs; an exit status. */
int explain_json(const struct explain *explain);

#endif
