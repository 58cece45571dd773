/* SPDX-License-Identifier: ISC
 *
 * An array that grows; a reply takes what its text takes, and when there is no memory for that its
 * code is kept: a message that was delivered must not be sent again.
 */
#include "opensmtpd/relay/rcpts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mtasts.h"

enum { FIRST = 4 };

void
rcpts_clear(struct rcpts *rcpts)
{
	for (size_t i = 0; i < rcpts->n; i++)
		free(rcpts->all[i].final);
	free(rcpts->all);
	*rcpts = (struct rcpts){ .all = NULL };
}

int
rcpts_add(struct rcpts *rcpts, size_t line)
{
	if (rcpts->n == rcpts->cap) {
		size_t cap = rcpts->cap == 0 ? FIRST : 2 * rcpts->cap;
		struct rcpt *all = mem_resize(rcpts->all, cap, sizeof *all);
		if (all == NULL)
			return MTASTS_ENOMEM;
		rcpts->all = all;
		rcpts->cap = cap;
	}
	rcpts->all[rcpts->n++] = (struct rcpt){ .line = line };
	return 0;
}

void
rcpts_good(struct rcpts *rcpts, size_t i)
{
	if (i >= rcpts->n || rcpts->all[i].is_good)
		return;
	rcpts->all[i].is_good = true;
	rcpts->n_good++;
}

void
rcpts_final(struct rcpts *rcpts, size_t i, const struct reply *reply)
{
	if (i >= rcpts->n || rcpts->all[i].final_code != 0)
		return;
	rcpts->all[i].final_code = reply->code;
	rcpts->all[i].final = mem_dup(reply->text, reply->n);
	rcpts->all[i].n_final = reply->n;
}

static void
skip_refused(struct rcpts *rcpts)
{
	while (rcpts->n_told < rcpts->n && !rcpts->all[rcpts->n_told].is_good)
		rcpts->n_told++;
}

bool
rcpts_tell(struct rcpts *rcpts, struct buf *out)
{
	skip_refused(rcpts);
	if (rcpts->n_told == rcpts->n || rcpts->all[rcpts->n_told].final_code == 0)
		return false;
	struct rcpt *rcpt = &rcpts->all[rcpts->n_told++];
	if (rcpt->final != NULL)
		buf_put(out, span_make(rcpt->final, rcpt->n_final));
	else
		buf_printf(out, "%u %u.0.0 (the host's words are lost: no memory)\r\n",
		    rcpt->final_code, rcpt->final_code / 100);
	free(rcpt->final);
	rcpt->final = NULL;
	skip_refused(rcpts);
	return true;
}

bool
rcpts_are_told(const struct rcpts *rcpts)
{
	return rcpts->n_told == rcpts->n;
}
