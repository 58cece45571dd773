/* SPDX-License-Identifier: ISC
 *
 * A list, oldest first: it is empty on nearly all days, and short on the others.
 */
#include "opensmtpd/relay/late.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GROW = 16 /* envelopes at once */ };

struct one {
	uint64_t envelope;
	unsigned code; /* of the reply; 0: the host has not answered */
	char *text;    /* NULL: there was no memory for it, or no reply */
	size_t n;
};

struct late {
	struct one *all;
	size_t n, cap;
	struct late_waiter *waiters;
};

struct late *
late_new(void)
{
	return mem_zero(1, sizeof(struct late));
}

void
late_free(struct late *late)
{
	if (late == NULL)
		return;
	while (late->waiters != NULL) {
		struct late_waiter *waiter = late->waiters;
		late_leave(waiter);
		waiter->end(waiter);
	}
	for (size_t i = 0; i < late->n; i++)
		free(late->all[i].text);
	free(late->all);
	free(late);
}

bool
late_is_any(const struct late *late)
{
	return late->n != 0;
}

/* ---- envelopes ---- */

static struct one *
find(const struct late *late, uint64_t envelope)
{
	for (size_t i = 0; i < late->n && envelope != 0; i++) {
		if (late->all[i].envelope == envelope)
			return &late->all[i];
	}
	return NULL;
}

static void
take_out(struct late *late, struct one *one)
{
	size_t after = late->n - (size_t)(one - late->all) - 1;

	free(one->text);
	memmove(one, one + 1, after * sizeof *one);
	late->n--;
}

static int
make_room(struct late *late)
{
	struct one *all;

	if (late->n == LATE_MAX)
		take_out(late, &late->all[0]);
	if (late->n < late->cap)
		return 0;
	all = mem_resize(late->all, late->cap + GROW, sizeof *all);
	if (all == NULL)
		return MTASTS_ENOMEM;
	late->all = all;
	late->cap += GROW;
	return 0;
}

int
late_wait(struct late *late, uint64_t envelope)
{
	struct one *one = find(late, envelope);

	if (envelope == 0)
		return 0;
	if (one != NULL)
		take_out(late, one);
	if (make_room(late) != 0)
		return MTASTS_ENOMEM;
	late->all[late->n++] = (struct one){ .envelope = envelope };
	return 0;
}

void
late_answer(struct late *late, uint64_t envelope, const struct reply *reply)
{
	struct one *one = find(late, envelope);

	if (one == NULL)
		return;
	if (reply == NULL) {
		take_out(late, one);
		return;
	}
	free(one->text);
	one->code = reply->code;
	one->text = mem_dup(reply->text, reply->n);
	one->n = reply->n;
}

enum late_state
late_get(const struct late *late, uint64_t envelope, struct reply *reply)
{
	const struct one *one = find(late, envelope);

	if (one == NULL)
		return LATE_NOTHING;
	if (one->code == 0)
		return LATE_WAITING;
	if (one->text == NULL) { /* what counts is the code */
		reply_set(reply, one->code, "", "Answered by the MX host");
		return LATE_DONE;
	}
	*reply = (struct reply){ .code = one->code, .n = one->n };
	memcpy(reply->text, one->text, one->n);
	return LATE_DONE;
}

void
late_forget(struct late *late, uint64_t envelope)
{
	struct one *one = find(late, envelope);

	if (one != NULL)
		take_out(late, one);
}

/* ---- who waits ---- */

void
late_keep(struct late *late, struct late_waiter *waiter)
{
	waiter->next = late->waiters;
	waiter->at = &late->waiters;
	if (waiter->next != NULL)
		waiter->next->at = &waiter->next;
	late->waiters = waiter;
}

void
late_leave(struct late_waiter *waiter)
{
	*waiter->at = waiter->next;
	if (waiter->next != NULL)
		waiter->next->at = waiter->at;
}
