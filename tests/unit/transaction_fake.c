/* SPDX-License-Identifier: ISC
 *
 * transaction.h, without a world behind it.
 */
#include "transaction_fake.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"

struct transaction {
	const struct relay *relay;
	struct transaction_events events;
	struct loop_timer rcpt, data, final, room;
	bool owes_rcpt, owes_data, owes_room;
	size_t n_rcpts, n_finals, n_good, taken;
	bool is_good[FAKE_RCPTS];
	char names[FAKE_RCPTS][64];
	bool is_ended, is_nodata;
};

/* The loop is given no library, so it asks none. */
size_t
mtasts_pollfds(struct mtasts *ctx, struct pollfd *fds, size_t n, int *timeout_ms)
{
	(void)ctx;
	(void)fds;
	(void)n;
	(void)timeout_ms;
	abort();
}

int
mtasts_process(struct mtasts *ctx)
{
	(void)ctx;
	abort();
}

static struct fake_record *record;
static struct transaction *last;

void
fake_transactions(struct fake_record *r)
{
	record = r;
}

static void
keep(char *out, size_t size, struct span s)
{
	size_t n = s.n < size ? s.n : size - 1;

	if (n > 0)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

static void
say_rcpt(void *arg)
{
	struct transaction *t = arg;
	const char *name = t->names[t->n_rcpts - 1];
	struct reply reply;

	assert(t->owes_rcpt);
	t->owes_rcpt = false;
	if (strncmp(name, "no", 2) == 0)
		reply_set(&reply, 550, "5.1.1", "No such user");
	else if (strncmp(name, "busy", 4) == 0)
		reply_set(&reply, 451, "4.7.1", "Come again");
	else
		reply_set(&reply, 250, "2.1.5", "Ok");
	t->is_good[t->n_rcpts - 1] = reply_is_good(&reply);
	t->n_good += reply_is_good(&reply);
	t->events.rcpt(t->events.arg, t->n_rcpts - 1, &reply);
}

static void
say_data(void *arg)
{
	struct transaction *t = arg;
	struct reply reply;

	assert(t->owes_data);
	t->owes_data = false;
	if (t->is_nodata)
		reply_set(&reply, 554, "5.7.1", "Not you");
	else
		reply_set(&reply, 354, "", "Go on");
	t->events.data(t->events.arg, &reply);
}

static void
say_room(void *arg)
{
	struct transaction *t = arg;

	t->owes_room = false;
	t->taken = 0;
	t->events.room(t->events.arg);
}

/* A reply as a host's: two lines of it when it is no good. */
static void
final_make(struct reply *reply, const char *name)
{
	struct reply_reader reader = { .code = 0 };
	struct span text;
	char line[128];

	if (strncmp(name, "bad", 3) == 0) {
		memset(reply, 0, sizeof *reply);
		(void)reply_read(&reader, span_of("550-5.1.1 no such user:"), reply, &text);
		strcat(strcpy(line, "550 5.1.1 "), name);
		(void)reply_read(&reader, span_of(line), reply, &text);
	} else if (strncmp(name, "defer", 5) == 0) {
		reply_printf(reply, 451, "4.3.0", "%s: later", name);
	} else {
		reply_printf(reply, 250, "2.0.0", "%s has it", name);
	}
}

static void
say_final(void *arg)
{
	struct transaction *t = arg;
	struct reply reply;

	assert(t->is_ended);
	while (t->n_finals < t->n_rcpts) {
		size_t i = record->is_reversed ? t->n_rcpts - 1 - t->n_finals : t->n_finals;
		t->n_finals++;
		if (!t->is_good[i])
			continue;
		final_make(&reply, t->names[i]);
		t->events.final(t->events.arg, i, &reply);
		break;
	}
	if (t->n_finals < t->n_rcpts && t->relay->loop != NULL)
		(void)loop_timer_set(t->relay->loop, &t->final, 0);
}

bool
fake_say(void)
{
	struct transaction *t = last;

	if (t == NULL)
		return false;
	if (t->owes_rcpt)
		say_rcpt(t);
	else if (t->owes_data)
		say_data(t);
	else if (t->owes_room)
		say_room(t);
	else if (t->is_ended && t->n_finals < t->n_rcpts)
		say_final(t);
	else
		return false;
	return true;
}

static void
later(struct transaction *t, struct loop_timer *timer, loop_timer_fn *fn, int ms)
{
	timer->fn = fn;
	timer->arg = t;
	if (ms != FAKE_NEVER)
		(void)loop_timer_set(t->relay->loop, timer, ms);
}

struct transaction *
transaction_new(const struct relay *relay, const struct transaction_mail *mail,
    const struct transaction_events *events)
{
	struct transaction *t = record->is_full ? NULL : calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->relay = relay;
	t->events = *events;
	t->is_nodata = span_begins(mail->sender, "nodata");
	record->n_new++;
	keep(record->sender, sizeof record->sender, mail->sender);
	keep(record->helo, sizeof record->helo, span_of(mail->helo));
	keep(record->envid, sizeof record->envid, mail->params.envid);
	record->smtputf8 = mail->params.smtputf8;
	record->is_8bit = mail->params.is_8bit;
	record->size = mail->params.size;
	record->from = mail->from;
	record->received = -1;
	record->n_rcpts = record->n_body = record->n_waiting = 0;
	record->is_ended = record->is_freed_early = false;
	last = t;
	return t;
}

void
transaction_free(struct transaction *t)
{
	if (t == NULL)
		return;
	record->is_freed_early = t->n_finals < t->n_rcpts;
	loop_timer_end(t->relay->loop, &t->rcpt);
	loop_timer_end(t->relay->loop, &t->data);
	loop_timer_end(t->relay->loop, &t->final);
	loop_timer_end(t->relay->loop, &t->room);
	record->n_freed++;
	if (last == t)
		last = NULL;
	free(t);
}

void
transaction_rcpt(struct transaction *t, struct span recipient, struct span notify,
    struct span orcpt, uint64_t envelope)
{
	(void)notify;
	(void)orcpt;
	assert(!t->owes_rcpt && !t->is_ended && t->n_rcpts < FAKE_RCPTS);
	keep(t->names[t->n_rcpts], sizeof t->names[0], recipient);
	keep(record->rcpts[t->n_rcpts], sizeof record->rcpts[0], recipient);
	record->envelopes[t->n_rcpts] = envelope;
	record->n_rcpts = ++t->n_rcpts;
	t->owes_rcpt = true;
	later(t, &t->rcpt, say_rcpt, record->rcpt_ms);
}

void
transaction_envelope(struct transaction *t, size_t i, uint64_t envelope)
{
	assert(i < t->n_rcpts && envelope != 0 && record->envelopes[i] == 0);
	record->envelopes[i] = envelope;
}

void
transaction_data(struct transaction *t)
{
	assert(!t->owes_rcpt && !t->owes_data && t->n_good > 0);
	t->owes_data = true;
	later(t, &t->data, say_data, record->data_ms);
}

void
transaction_received(struct transaction *t, int64_t at)
{
	assert(!t->is_ended && record->received == -1);
	record->received = at;
}

void
transaction_body(struct transaction *t, struct span octets)
{
	assert(!t->is_ended && octets.n > 0);
	for (size_t i = 0; i < octets.n && record->n_body + i < FAKE_BODY; i++)
		record->body[record->n_body + i] = octets.p[i];
	record->n_body += octets.n;
	t->taken += octets.n;
	if (record->room == 0 || t->taken < record->room)
		return;
	if (t->taken - record->room > record->n_waiting)
		record->n_waiting = t->taken - record->room;
	if (!t->owes_room)
		later(t, &t->room, say_room, record->room_ms);
	t->owes_room = true;
}

size_t
transaction_room(const struct transaction *t)
{
	if (record->room == 0)
		return UPSTREAM_ROOM;
	return t->taken < record->room ? record->room - t->taken : 0;
}

void
transaction_end(struct transaction *t)
{
	assert(!t->is_ended);
	t->is_ended = record->is_ended = true;
	later(t, &t->final, say_final, record->final_ms);
}
