/* SPDX-License-Identifier: ISC
 *
 * ASKED -> GOOD -> DONE, with LATE between the last two where smtpd could not wait.
 */
#include "opensmtpd/relay/recipients.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

enum { GROW = 8 };

void
recipients_clear(struct recipients *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		free(rs->all[i].text);
	free(rs->all);
	*rs = (struct recipients){ .all = NULL };
}

static int
keep(struct recipient *r, const struct recipient *given)
{
	size_t n = given->address.n + given->notify.n + given->orcpt.n;
	struct buf text;

	*r = *given;
	r->text = mem_zero(1, n + 1);
	if (r->text == NULL)
		return MTASTS_ENOMEM;
	buf_init(&text, r->text, n + 1);
	buf_put(&text, given->address);
	buf_put(&text, given->notify);
	buf_put(&text, given->orcpt);
	r->address.p = r->text;
	r->notify.p = r->address.p + r->address.n;
	r->orcpt.p = r->notify.p + r->notify.n;
	return 0;
}

const struct recipient *
recipients_add(struct recipients *rs, const struct recipient *recipient)
{
	struct recipient *all = rs->all;

	if (rs->n == rs->cap) {
		all = mem_resize(all, rs->cap + GROW, sizeof *all);
		if (all == NULL)
			return NULL;
		rs->all = all;
		rs->cap += GROW;
	}
	if (keep(&all[rs->n], recipient) != 0)
		return NULL;
	return &all[rs->n++];
}

size_t
recipients_count(const struct recipients *rs, enum recipient_standing standing)
{
	size_t n = 0;

	for (size_t i = 0; i < rs->n; i++)
		n += rs->all[i].standing == standing ? 1 : 0;
	return n;
}

int64_t
recipients_asked_ms(const struct recipients *rs)
{
	for (size_t i = 0; rs->n_answered < rs->n && i < rs->n; i++) {
		if (rs->all[i].standing == RECIPIENT_ASKED)
			return rs->all[i].asked_ms;
	}
	return -1;
}

void
recipients_answer(struct recipients *rs, size_t i, const struct reply *reply)
{
	struct recipient *r = &rs->all[i];

	if (r->standing != RECIPIENT_ASKED)
		return;
	r->standing = reply_is_good(reply) ? RECIPIENT_GOOD : RECIPIENT_DONE;
	rs->n_answered++;
	rs->rcpt(rs->arg, r->tag, reply);
}

void
recipients_answer_rest(struct recipients *rs, const struct reply *reply)
{
	for (size_t i = 0; i < rs->n; i++)
		recipients_answer(rs, i, reply);
}

void
recipients_finish(struct recipients *rs, const struct reply *reply)
{
	for (size_t i = 0; i < rs->n; i++) {
		if (rs->all[i].standing != RECIPIENT_GOOD)
			continue;
		rs->all[i].standing = RECIPIENT_DONE;
		rs->final(rs->arg, rs->all[i].tag, reply);
	}
}

int
recipients_make_late(struct recipients *rs, struct late *late, const struct reply *reply)
{
	int result = 0;

	for (size_t i = 0; i < rs->n; i++) {
		struct recipient *r = &rs->all[i];
		if (r->standing != RECIPIENT_GOOD)
			continue;
		r->standing = RECIPIENT_LATE;
		if (late_wait(late, r->envelope) != 0)
			result = MTASTS_ENOMEM;
		if (reply != NULL)
			rs->final(rs->arg, r->tag, reply);
	}
	return result;
}

void
recipients_finish_late(struct recipients *rs, struct late *late, const struct reply *reply)
{
	for (size_t i = 0; i < rs->n; i++) {
		if (rs->all[i].standing != RECIPIENT_LATE)
			continue;
		rs->all[i].standing = RECIPIENT_DONE;
		late_answer(late, rs->all[i].envelope, reply);
	}
}
