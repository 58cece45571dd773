/* SPDX-License-Identifier: ISC
 *
 * The driver of a transaction.
 */
#include "smtpd_fake.h"

#include <assert.h>
#include <string.h>

#include "relay_fake.h"

enum { STEPS = 100000, RCPT_MAX = 128 };

static const char body[] =
    "Received: from a\r\n\r\n..dot\r\n.. two\r\nno . dot.\r\n....\r\nthe end\r\n";

/* ---- what it is told ---- */

static void
tell(struct smtpd *smtpd, const char *what, size_t i, const struct reply *reply)
{
	struct span text = span_make(reply->text, reply->n);

	assert(!smtpd->is_inside);
	assert(reply->code >= 200 && reply->n > 2 && reply->text[reply->n - 1] == '\n');
	assert(strlen(reply->text) == reply->n);
	text.n -= 2;
	buf_puts(&smtpd->told, smtpd->told.n != 0 ? " " : "");
	if (i == SMTPD_RCPTS)
		buf_printf(&smtpd->told, "%s=", what);
	else
		buf_printf(&smtpd->told, "%s%zu=", what, i);
	buf_put(&smtpd->told, text);
}

static void
leave_if_asked(struct smtpd *smtpd)
{
	if (smtpd->answers_left == 0 || --smtpd->answers_left != 0)
		return;
	transaction_free(smtpd->t);
	smtpd->t = NULL;
}

static void
on_rcpt(void *arg, size_t i, const struct reply *reply)
{
	struct smtpd *smtpd = arg;

	assert(i < smtpd->n && smtpd->rcpts[i] == 0 && reply->code / 100 != 3);
	smtpd->rcpts[i] = reply->code;
	smtpd->n_codes[reply->code / 100]++;
	tell(smtpd, "r", i, reply);
	leave_if_asked(smtpd);
}

static void
on_data(void *arg, const struct reply *reply)
{
	struct smtpd *smtpd = arg;

	assert(smtpd->data == 0 && (reply->code == 354 || reply->code >= 400));
	smtpd->data = reply->code;
	tell(smtpd, "data", SMTPD_RCPTS, reply);
	leave_if_asked(smtpd);
}

static void
on_room(void *arg)
{
	struct smtpd *smtpd = arg;

	assert(!smtpd->is_inside && transaction_room(smtpd->t) != 0);
	smtpd->is_room = true;
}

static void
on_final(void *arg, size_t i, const struct reply *reply)
{
	struct smtpd *smtpd = arg;

	assert(i < smtpd->n && smtpd->rcpts[i] / 100 == 2 && smtpd->finals[i] == 0);
	assert(smtpd->data == 354 && reply->code / 100 != 3);
	smtpd->finals[i] = reply->code;
	tell(smtpd, "f", i, reply);
	leave_if_asked(smtpd);
}

/* ---- waiting ---- */

static bool
is_any_final_owed(const struct smtpd *smtpd)
{
	for (size_t i = 0; i < smtpd->n; i++) {
		if (smtpd->rcpts[i] / 100 == 2 && smtpd->finals[i] == 0)
			return true;
	}
	return false;
}

static bool
is_waiting(const struct smtpd *smtpd, bool for_final, bool for_data)
{
	if (smtpd->t == NULL)
		return false;
	if (for_final)
		return is_any_final_owed(smtpd);
	if (for_data)
		return smtpd->data == 0;
	return smtpd->rcpts[smtpd->n - 1] == 0;
}

/* Whatever is owed comes before smtpd gives up, with time for the way (mta_session.c: 300 s). */
enum { SMTPD_WAITS = 290 * 1000 /* ms */ };

static void
wait_for(struct smtpd *smtpd, bool for_final, bool for_data)
{
	int64_t until = world.now_ms + SMTPD_WAITS;

	for (size_t steps = 0; is_waiting(smtpd, for_final, for_data); steps++) {
		assert(steps < STEPS);
		bool is_anything = world_step();
		assert(is_anything && world.now_ms <= until);
	}
}

static void
drain(void)
{
	for (size_t steps = 0; world_step(); steps++)
		assert(steps < STEPS);
}

/* ---- what it does ---- */

static int
open_transaction(struct smtpd *smtpd, sa_family_t family)
{
	struct transaction_mail mail = { .sender = span_of("s@sender.example"),
		.params = { .ret = span_of("HDRS"), .envid = span_of("x") },
		.helo = "me.example" };
	struct transaction_events events = {
		.arg = smtpd, .rcpt = on_rcpt, .data = on_data, .room = on_room, .final = on_final
	};

	memset(smtpd, 0, sizeof *smtpd);
	buf_init(&smtpd->told, smtpd->told_text, sizeof smtpd->told_text);
	mail.from.ss_family = family;
	smtpd->t = transaction_new(&world.relay, &mail, &events);
	return smtpd->t != NULL ? 0 : -1;
}

static void
rcpt_send(struct smtpd *smtpd, const char *rcpt, uint64_t envelope)
{
	assert(smtpd->n < SMTPD_RCPTS);
	smtpd->n++;
	smtpd->is_inside = true;
	transaction_rcpt(smtpd->t, span_of(rcpt), span_of("NEVER"), span_of("rfc822;x"), envelope);
	smtpd->is_inside = false;
}

static size_t
room(const struct smtpd *smtpd)
{
	return smtpd->t != NULL ? transaction_room(smtpd->t) : 1;
}

/* In pieces that end anywhere, each when there is room for it. */
static void
body_send(struct smtpd *smtpd)
{
	static const size_t pieces[] = { 1, 19, 1, 1, 17, 99 };
	struct span left = span_of(body);

	for (size_t i = 0; left.n != 0 && smtpd->t != NULL; i++) {
		size_t n = pieces[i] < left.n ? pieces[i] : left.n;
		int64_t until = world.now_ms + SMTPD_WAITS;
		smtpd->is_inside = true;
		transaction_body(smtpd->t, span_make(left.p, n));
		smtpd->is_inside = false;
		left = span_from(left, n);
		while (room(smtpd) == 0) {
			smtpd->is_room = false;
			bool is_anything = world_step();
			assert(is_anything && world.now_ms <= until);
		}
	}
}

static void
rcpts_send(struct smtpd *smtpd, const char *rcpts, uint64_t envelope)
{
	struct span left = span_of(rcpts);
	char rcpt[RCPT_MAX];

	for (size_t i = 0; left.n != 0 && smtpd->t != NULL; i++) {
		size_t n = span_find(left, ' ');
		buf_keep(rcpt, sizeof rcpt, span_make(left.p, n));
		left = span_from(left, n + 1);
		rcpt_send(smtpd, rcpt, envelope != 0 ? envelope + i : 0);
		wait_for(smtpd, false, false);
	}
}

static bool
is_any_good(const struct smtpd *smtpd)
{
	return smtpd->n_codes[2] != 0;
}

static bool
data_send(struct smtpd *smtpd)
{
	if (smtpd->t == NULL || !is_any_good(smtpd))
		return false;
	smtpd->is_inside = true;
	transaction_data(smtpd->t);
	smtpd->is_inside = false;
	wait_for(smtpd, false, true);
	return smtpd->data == 354;
}

static void
end_send(struct smtpd *smtpd)
{
	smtpd->is_inside = true;
	transaction_end(smtpd->t);
	smtpd->is_inside = false;
}

static void
go_through(struct smtpd *smtpd, const char *rcpts, int64_t age, uint64_t envelope)
{
	rcpts_send(smtpd, rcpts, envelope);
	if (!data_send(smtpd) || smtpd->t == NULL)
		return;
	if (age != 0)
		transaction_received(smtpd->t, world.now - age);
	body_send(smtpd);
	end_send(smtpd);
	wait_for(smtpd, true, false);
}

void
smtpd_begin(
    struct smtpd *smtpd, const char *rcpts, int64_t age, uint64_t envelope, sa_family_t family)
{
	int r = open_transaction(smtpd, family);

	assert(r == 0);
	go_through(smtpd, rcpts, age, envelope);
}

int
smtpd_try(struct smtpd *smtpd, const char *rcpts, int64_t age, uint64_t envelope, unsigned answers)
{
	if (open_transaction(smtpd, AF_UNSPEC) != 0)
		return -1;
	smtpd->answers_left = answers;
	go_through(smtpd, rcpts, age, envelope);
	smtpd_end(smtpd);
	return 0;
}

void
smtpd_end(struct smtpd *smtpd)
{
	transaction_free(smtpd->t);
	drain();
}

void
smtpd_send(struct smtpd *smtpd, const char *rcpts, int64_t age, uint64_t envelope)
{
	smtpd_begin(smtpd, rcpts, age, envelope, AF_UNSPEC);
	smtpd_end(smtpd);
}

void
smtpd_send_from(struct smtpd *smtpd, const char *rcpts, sa_family_t family)
{
	smtpd_begin(smtpd, rcpts, 0, 0, family);
	smtpd_end(smtpd);
}

void
smtpd_leave_after(struct smtpd *smtpd, const char *rcpts, uint64_t envelope, enum smtpd_leave leave)
{
	int r = open_transaction(smtpd, AF_UNSPEC);

	assert(r == 0);
	if (leave == SMTPD_LEAVES_AT_RCPT) {
		rcpt_send(smtpd, rcpts, envelope);
	} else {
		rcpts_send(smtpd, rcpts, envelope);
		bool is_wanted = data_send(smtpd);
		assert(is_wanted);
		body_send(smtpd);
		if (leave != SMTPD_LEAVES_IN_BODY)
			end_send(smtpd);
	}
	transaction_free(smtpd->t);
	if (leave != SMTPD_LEAVES_AND_NOTHING_RUNS)
		drain();
}

void
smtpd_flood(struct smtpd *smtpd, const char *rcpt, size_t n)
{
	int r = open_transaction(smtpd, AF_UNSPEC);

	assert(r == 0);
	for (size_t i = 0; i < n; i++) {
		rcpt_send(smtpd, rcpt, 0);
		wait_for(smtpd, false, false);
	}
	smtpd_end(smtpd);
}
