/* SPDX-License-Identifier: ISC
 *
 * ASKED -> KNOWN -> GOOD -> FINISH -> DONE; a no to RCPT goes from KNOWN to DONE.
 */
#include "opensmtpd/relay/answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GROW = 8 };

void
answers_clear(struct answers *answers)
{
	for (size_t i = 0; i < answers->n; i++)
		free(answers->all[i].text);
	free(answers->all);
	*answers = (struct answers){ .all = NULL };
}

static bool
make_room(struct answers *answers)
{
	struct answer *all;

	if (answers->n_lost != 0) /* they have their numbers */
		return false;
	if (answers->n < answers->cap)
		return true;
	all = mem_resize(answers->all, answers->cap + GROW, sizeof *all);
	if (all == NULL)
		return false;
	answers->all = all;
	answers->cap += GROW;
	return true;
}

bool
answers_add(struct answers *answers, uint64_t envelope)
{
	if (!make_room(answers)) {
		answers->n_lost++;
		return false;
	}
	answers->all[answers->n++] = (struct answer){ .envelope = envelope };
	return true;
}

/* ---- noting ---- */

static void
put(struct answer *answer, const struct reply *reply, enum answer_standing standing)
{
	free(answer->text);
	answer->code = reply->code;
	answer->n_text = reply->n;
	answer->text = mem_dup(reply->text, reply->n);
	answer->standing = standing;
}

void
answers_note_rcpt(struct answers *answers, size_t i, const struct reply *reply)
{
	if (answers->all[i].standing == ANSWER_ASKED)
		put(&answers->all[i], reply, ANSWER_KNOWN);
}

void
answers_note_final(struct answers *answers, size_t i, const struct reply *reply)
{
	if (answers->all[i].standing == ANSWER_GOOD)
		put(&answers->all[i], reply, ANSWER_FINISH);
}

void
answers_note_end(struct answers *answers)
{
	for (size_t i = 0; i < answers->n; i++) {
		struct answer *answer = &answers->all[i];
		if (answer->is_remembered && answer->standing == ANSWER_GOOD)
			answer->standing = ANSWER_FINISH;
	}
}

/* ---- what is owed ---- */

bool
answers_is_any_owed(const struct answers *answers)
{
	for (size_t i = 0; i < answers->n; i++) {
		if (answers->all[i].standing < ANSWER_GOOD)
			return true;
	}
	return answers->n_lost_given < answers->n_lost;
}

bool
answers_is_any_remembered(const struct answers *answers)
{
	for (size_t i = 0; i < answers->n; i++) {
		if (answers->all[i].is_remembered && answers->all[i].standing == ANSWER_GOOD)
			return true;
	}
	return false;
}

/* ---- giving ---- */

static void
get(const struct answer *answer, struct reply *reply)
{
	if (answer->text == NULL) {
		reply_set(reply, answer->code, "",
		    answer->code < 400 ? "Ok" : "The words of the answer were lost, out of memory");
		return;
	}
	*reply = (struct reply){ .code = answer->code, .n = answer->n_text };
	memcpy(reply->text, answer->text, answer->n_text);
}

static void
give_rcpt(struct answer *answer, struct reply *reply)
{
	get(answer, reply);
	if (answer->is_remembered) /* the same words again in the end */
		reply_set(reply, 250, "2.1.5", "Recipient ok");
	answer->standing = reply_is_good(reply) ? ANSWER_GOOD : ANSWER_DONE;
}

enum answers_due
answers_next(struct answers *answers, bool is_ended, size_t *i, struct reply *reply)
{
	for (*i = 0; *i < answers->n; ++*i) {
		struct answer *answer = &answers->all[*i];
		if (answer->standing == ANSWER_KNOWN) {
			give_rcpt(answer, reply);
			return ANSWERS_RCPT;
		}
		if (answer->standing == ANSWER_FINISH && is_ended) {
			get(answer, reply);
			answer->standing = ANSWER_DONE;
			return ANSWERS_FINAL;
		}
	}
	if (answers->n_lost_given == answers->n_lost)
		return ANSWERS_NOTHING;
	*i = answers->n + answers->n_lost_given++;
	reply_set(reply, 451, "4.3.0", "Out of memory");
	return ANSWERS_RCPT;
}

void
answers_remember(const struct answers *answers, struct late *late)
{
	struct reply reply;

	for (size_t i = 0; i < answers->n; i++) {
		const struct answer *answer = &answers->all[i];
		if (answer->standing != ANSWER_FINISH || answer->is_remembered ||
		    answer->code / 100 != 2)
			continue;
		get(answer, &reply);
		if (late_wait(late, answer->envelope) == 0)
			late_answer(late, answer->envelope, &reply);
	}
}
