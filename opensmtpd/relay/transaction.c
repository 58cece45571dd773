/* SPDX-License-Identifier: ISC
 *
 * Recipients to deliveries by their domains, the body to each of them, and the answers back: noted
 * when they come, given from the loop.
 */
#include "opensmtpd/relay/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "opensmtpd/relay/answers.h"
#include "opensmtpd/relay/delivery.h"
#include "opensmtpd/relay/late.h"

enum { IDLE_MS = 3600 * 1000, GROW = 8 };

struct target {
	struct delivery *delivery;
	char *domain; /* lower case */
	size_t n;
};

enum data {
	DATA_NOT_ASKED,
	DATA_WAITING, /* for the answers to RCPT */
	DATA_ASKED,
	DATA_KNOWN,
	DATA_GIVEN
};

struct transaction {
	const struct relay *relay;
	struct transaction_mail mail; /* its texts are in `texts` */
	char *texts;
	struct transaction_events events;
	struct loop_timer timer; /* always set */
	struct answers answers;
	struct target *targets;
	size_t n_targets, targets_cap;
	enum data data;
	struct reply data_reply;
	bool is_over; /* DATA was refused: nothing follows */
	bool is_ended;
	bool is_room_noted;
	bool is_line_begun;	  /* of the body: not at the beginning of a line */
	uint64_t octets;	  /* of the body, without the dots that were put in */
	int64_t received;	  /* instant; 0: not known */
	bool is_giving, is_freed; /* freed by whom an event is just being given to */
};

/* ---- notes ---- */

static void
wake(struct transaction *t)
{
	(void)loop_timer_set(t->relay->loop, &t->timer, 0); /* set already: cannot fail */
}

static void
on_rcpt(void *arg, size_t tag, const struct reply *reply)
{
	struct transaction *t = arg;

	answers_note_rcpt(&t->answers, tag, reply);
	wake(t);
}

static void
on_final(void *arg, size_t tag, const struct reply *reply)
{
	struct transaction *t = arg;

	answers_note_final(&t->answers, tag, reply);
	wake(t);
}

static void
on_data(void *arg)
{
	wake(arg);
}

static void
on_room(void *arg)
{
	struct transaction *t = arg;

	t->is_room_noted = true;
	wake(t);
}

/* ---- DATA ---- */

/*
 * 354 when somebody wants the message, or when those who do not have different words for it: then
 * each recipient gets his own.
 */
static void
data_settle(struct transaction *t)
{
	const struct delivery *refused = NULL;
	size_t n_ready = answers_is_any_remembered(&t->answers) ? 1 : 0, n_refused = 0;

	for (size_t i = 0; i < t->n_targets; i++) {
		switch (delivery_stand(t->targets[i].delivery)) {
		case DELIVERY_NOBODY:
			break;
		case DELIVERY_ASKED:
			return;
		case DELIVERY_READY:
			n_ready++;
			break;
		case DELIVERY_REFUSED:
			refused = t->targets[i].delivery;
			n_refused++;
			break;
		}
	}
	t->data = DATA_KNOWN;
	if (n_ready != 0 || n_refused > 1)
		reply_set(&t->data_reply, 354, "", "Go on");
	else if (refused != NULL)
		t->data_reply = *delivery_reply(refused);
	else
		reply_set(&t->data_reply, 503, "5.5.1", "No recipient was accepted");
}

static void
data_go_on(struct transaction *t)
{
	if (t->data == DATA_WAITING && !answers_is_any_owed(&t->answers)) {
		t->data = DATA_ASKED;
		for (size_t i = 0; i < t->n_targets; i++)
			(void)delivery_data(t->targets[i].delivery);
	}
	if (t->data == DATA_ASKED)
		data_settle(t);
}

/* ---- giving ---- */

static void
give_final(struct transaction *t, size_t i, const struct reply *reply)
{
	const struct answer *answer = &t->answers.all[i];

	if (answer->is_remembered)
		late_forget(t->relay->late, answer->envelope);
	t->events.final(t->events.arg, i, reply);
}

static void
give_data(struct transaction *t)
{
	t->data = DATA_GIVEN;
	t->is_over = !reply_is_good(&t->data_reply);
	t->events.data(t->events.arg, &t->data_reply);
}

/* One event that is due; false: there is none. */
static bool
give_one(struct transaction *t)
{
	struct reply reply;
	size_t i;

	switch (answers_next(&t->answers, t->is_ended, &i, &reply)) {
	case ANSWERS_RCPT:
		t->events.rcpt(t->events.arg, i, &reply);
		return true;
	case ANSWERS_FINAL:
		give_final(t, i, &reply);
		return true;
	case ANSWERS_NOTHING:
		break;
	}
	if (t->data == DATA_KNOWN) {
		give_data(t);
		return true;
	}
	if (t->is_room_noted && transaction_room(t) != 0) {
		t->is_room_noted = false;
		t->events.room(t->events.arg);
		return true;
	}
	return false;
}

static void
destroy(struct transaction *t)
{
	answers_clear(&t->answers);
	free(t->targets);
	free(t->texts);
	free(t);
}

/* Whoever is told may end the transaction. */
static void
give(void *arg)
{
	struct transaction *t = arg;

	(void)loop_timer_set(t->relay->loop, &t->timer, IDLE_MS); /* first: there is room for it */
	t->is_giving = true;
	do {
		data_go_on(t);
	} while (give_one(t) && !t->is_freed);
	t->is_giving = false;
	if (t->is_freed)
		destroy(t);
}

/* ---- from outside ---- */

static bool
mail_keep(struct transaction *t, const struct transaction_mail *mail)
{
	size_t helo = strlen(mail->helo), ret = mail->params.ret.n, envid = mail->params.envid.n;
	struct buf text;
	char *p = mem_zero(1, mail->sender.n + ret + envid + helo + 1);

	if (p == NULL)
		return false;
	buf_init(&text, p, mail->sender.n + ret + envid + helo + 1);
	buf_put(&text, mail->sender);
	buf_put(&text, mail->params.ret);
	buf_put(&text, mail->params.envid);
	buf_puts(&text, mail->helo);
	t->texts = p;
	t->mail = *mail;
	t->mail.sender = span_make(p, mail->sender.n);
	t->mail.params.ret = span_make(p + mail->sender.n, ret);
	t->mail.params.envid = span_make(p + mail->sender.n + ret, envid);
	t->mail.helo = p + mail->sender.n + ret + envid;
	return true;
}

struct transaction *
transaction_new(const struct relay *relay, const struct transaction_mail *mail,
    const struct transaction_events *events)
{
	struct transaction *t = mem_zero(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->relay = relay;
	t->events = *events;
	t->timer.fn = give;
	t->timer.arg = t;
	if (!mail_keep(t, mail) || loop_timer_set(relay->loop, &t->timer, IDLE_MS) != 0) {
		free(t->texts);
		free(t);
		return NULL;
	}
	return t;
}

void
transaction_free(struct transaction *t)
{
	if (t == NULL)
		return;
	answers_remember(&t->answers, t->relay->late);
	loop_timer_end(t->relay->loop, &t->timer);
	for (size_t i = 0; i < t->n_targets; i++) {
		delivery_close(t->targets[i].delivery);
		free(t->targets[i].domain);
	}
	t->n_targets = 0;
	t->is_freed = true;
	if (!t->is_giving)
		destroy(t);
}

/* ---- recipients ---- */

/* What stands behind the last '@'; none: empty. */
static struct span
domain_of(struct span recipient)
{
	size_t at = recipient.n;

	while (at > 0 && recipient.p[at - 1] != '@')
		at--;
	return at > 0 ? span_from(recipient, at) : span_make("", 0);
}

static struct target *
target_find(const struct transaction *t, struct span domain)
{
	for (size_t i = 0; i < t->n_targets; i++) {
		if (span_eq_nocase(span_make(t->targets[i].domain, t->targets[i].n), domain))
			return &t->targets[i];
	}
	return NULL;
}

static struct target *
target_new(struct transaction *t, struct span domain)
{
	const struct delivery_events events = {
		.arg = t, .rcpt = on_rcpt, .data = on_data, .room = on_room, .final = on_final
	};
	struct target *all = t->targets, *target;

	if (t->n_targets == t->targets_cap) {
		all = mem_resize(all, t->targets_cap + GROW, sizeof *all);
		if (all == NULL)
			return NULL;
		t->targets = all;
		t->targets_cap += GROW;
	}
	target = &all[t->n_targets];
	*target = (struct target){ .domain = mem_dup(domain.p, domain.n), .n = domain.n };
	if (target->domain != NULL)
		target->delivery = delivery_new(t->relay, &t->mail, domain, &events);
	if (target->delivery == NULL) {
		free(target->domain);
		return NULL;
	}
	t->n_targets++;
	return target;
}

static void
answer_with(struct transaction *t, unsigned code, const char *enhanced, const char *words)
{
	struct reply reply;

	reply_set(&reply, code, enhanced, words);
	on_rcpt(t, t->answers.n - 1, &reply);
}

/* The MX host answered a former attempt when smtpd had gone; true: nothing is sent again. */
static bool
is_answered_late(struct transaction *t)
{
	struct answer *answer = &t->answers.all[t->answers.n - 1];
	struct reply reply;

	switch (late_get(t->relay->late, answer->envelope, &reply)) {
	case LATE_NOTHING:
		return false;
	case LATE_WAITING:
		answer_with(
		    t, 451, "4.4.2", "Still waiting for the MX host's answer to the message");
		return true;
	case LATE_DONE:
		break;
	}
	answer->is_remembered = reply_is_good(&reply);
	on_rcpt(t, t->answers.n - 1, &reply);
	if (!answer->is_remembered)
		late_forget(t->relay->late, answer->envelope);
	return true;
}

static void
deliver_to(struct transaction *t, struct span recipient, struct span notify, struct span orcpt)
{
	struct span domain = domain_of(recipient);
	struct target *target = target_find(t, domain);
	size_t tag = t->answers.n - 1;

	if (domain.n == 0) {
		answer_with(t, 550, "5.1.3", "An address without a domain");
		return;
	}
	if (target == NULL)
		target = target_new(t, domain);
	if (target == NULL || delivery_rcpt(target->delivery, tag, recipient, notify, orcpt,
				  t->answers.all[tag].envelope) != 0)
		answer_with(t, 451, "4.3.0", "Out of memory");
}

void
transaction_rcpt(struct transaction *t, struct span recipient, struct span notify,
    struct span orcpt, uint64_t envelope)
{
	if (!answers_add(&t->answers, envelope)) {
		wake(t);
		return;
	}
	if (t->data != DATA_NOT_ASKED)
		answer_with(t, 503, "5.5.1", "Too late for a recipient");
	else if (t->answers.n > TRANSACTION_RCPTS_MAX)
		answer_with(t, 452, "4.5.3", "Too many recipients");
	else if (!is_answered_late(t))
		deliver_to(t, recipient, notify, orcpt);
}

void
transaction_envelope(struct transaction *t, size_t i, uint64_t envelope)
{
	if (i >= t->answers.n || t->answers.all[i].envelope != 0)
		return;
	t->answers.all[i].envelope = envelope;
	for (size_t k = 0; k < t->n_targets; k++)
		delivery_envelope(t->targets[k].delivery, i, envelope);
}

/* ---- the message ---- */

void
transaction_data(struct transaction *t)
{
	if (t->data != DATA_NOT_ASKED)
		return;
	t->data = DATA_WAITING;
	wake(t);
}

void
transaction_received(struct transaction *t, int64_t at)
{
	t->received = at;
}

/* Octets without the dots that stand for dots (RFC 5321 4.5.2). */
static uint64_t
unstuffed(struct transaction *t, struct span octets)
{
	const char *p = octets.p, *end = octets.p + octets.n;
	uint64_t n = octets.n;

	while (p < end) {
		if (!t->is_line_begun && *p == '.')
			n--;
		p = memchr(p, '\n', (size_t)(end - p));
		t->is_line_begun = p == NULL;
		p = p == NULL ? end : p + 1;
	}
	return n;
}

void
transaction_body(struct transaction *t, struct span octets)
{
	if (t->data != DATA_GIVEN || t->is_over || t->is_ended || octets.n == 0)
		return;
	t->octets += unstuffed(t, octets);
	for (size_t i = 0; i < t->n_targets; i++)
		delivery_body(t->targets[i].delivery, octets, t->octets);
}

size_t
transaction_room(const struct transaction *t)
{
	size_t room = UPSTREAM_ROOM;

	for (size_t i = 0; i < t->n_targets; i++) {
		size_t its = delivery_room(t->targets[i].delivery);
		room = its < room ? its : room;
	}
	return room;
}

static int64_t
age_of(const struct transaction *t)
{
	int64_t now = clock_real(t->relay->clock);

	return t->received > 0 && t->received < now ? now - t->received : 0;
}

void
transaction_end(struct transaction *t)
{
	if (t->data != DATA_GIVEN || t->is_over || t->is_ended)
		return;
	t->is_ended = true;
	answers_note_end(&t->answers);
	for (size_t i = 0; i < t->n_targets; i++)
		delivery_end(t->targets[i].delivery, age_of(t));
	wake(t);
}
