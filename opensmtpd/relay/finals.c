/* SPDX-License-Identifier: ISC
 *
 * An array that grows; a reply takes what its text takes, and when there is no memory for that its
 * code is kept: a message that was delivered must not be sent again.
 */
#include "opensmtpd/relay/finals.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mtasts.h"

enum { FIRST = 4 };

void
finals_clear(struct finals *finals)
{
	for (size_t i = 0; i < finals->n; i++)
		free(finals->all[i].text);
	free(finals->all);
	*finals = (struct finals){ .all = NULL };
}

int
finals_add(struct finals *finals, size_t line)
{
	if (finals->n == finals->cap) {
		size_t cap = finals->cap == 0 ? FIRST : 2 * finals->cap;
		struct final *all = mem_resize(finals->all, cap, sizeof *all);
		if (all == NULL)
			return MTASTS_ENOMEM;
		finals->all = all;
		finals->cap = cap;
	}
	finals->all[finals->n++] = (struct final){ .line = line };
	return 0;
}

void
finals_good(struct finals *finals, size_t i)
{
	if (i >= finals->n || finals->all[i].is_good)
		return;
	finals->all[i].is_good = true;
	finals->n_good++;
}

void
finals_put(struct finals *finals, size_t i, const struct reply *reply)
{
	if (i >= finals->n || finals->all[i].code != 0)
		return;
	finals->all[i].code = reply->code;
	finals->all[i].text = mem_dup(reply->text, reply->n);
	finals->all[i].n_text = reply->n;
}

static void
skip_refused(struct finals *finals)
{
	while (finals->n_told < finals->n && !finals->all[finals->n_told].is_good)
		finals->n_told++;
}

bool
finals_tell(struct finals *finals, struct buf *out)
{
	skip_refused(finals);
	if (finals->n_told == finals->n || finals->all[finals->n_told].code == 0)
		return false;
	struct final *one = &finals->all[finals->n_told++];
	if (one->text != NULL)
		buf_put(out, span_make(one->text, one->n_text));
	else
		buf_printf(out, "%u %u.0.0 (the host's words are lost: no memory)\r\n", one->code,
		    one->code / 100);
	free(one->text);
	one->text = NULL;
	skip_refused(finals);
	return true;
}

bool
finals_are_told(const struct finals *finals)
{
	return finals->n_told == finals->n;
}
