/* SPDX-License-Identifier: ISC
 *
 * RFC 2033 over RFC 5321 4.1.4 (the order of commands) and 4.5.1.  The recipients' replies are the
 * transaction's, all others are our own.
 */
#include "opensmtpd/relay/dialogue.h"

#include <string.h>

#include "opensmtpd/relay/late.h"
#include "opensmtpd/relay/transaction.h"

/* ---- replies ---- */

static void
say(struct dialogue *d, unsigned code, const char *enhanced, const char *text)
{
	buf_printf(&d->out, "%u %s%s%s\r\n", code, enhanced, enhanced[0] == '\0' ? "" : " ", text);
}

static void
say_reply(struct dialogue *d, const struct reply *reply)
{
	buf_put(&d->out, span_make(reply->text, reply->n));
}

/* ---- the message ---- */

static void
message_end(struct dialogue *d)
{
	transaction_free(d->transaction);
	d->transaction = NULL;
	finals_clear(&d->finals);
	d->n_rcpts = d->n_named = 0;
	d->named_by = 0;
	d->body = (struct body){ .state = BODY_LINE };
	d->received = (struct received){ .state = RECEIVED_NAME };
	d->is_dated = false;
}

/* ---- what the transaction says: kept, and acted on when the loop comes by again ---- */

static void
on_rcpt(void *arg, size_t i, const struct reply *reply)
{
	struct dialogue *d = arg;

	if (d->state != DIALOGUE_RCPT || i + 1 != d->finals.n)
		return;
	if (reply_is_good(reply))
		finals_good(&d->finals, i);
	say_reply(d, reply);
	d->state = DIALOGUE_COMMAND;
	d->config.wake(d->config.arg);
}

static void
on_data(void *arg, const struct reply *reply)
{
	struct dialogue *d = arg;

	if (d->state != DIALOGUE_DATA)
		return;
	say_reply(d, reply);
	d->state = reply->code == 354 ? DIALOGUE_BODY : DIALOGUE_COMMAND;
	d->is_refused = reply->code != 354;
	d->config.wake(d->config.arg);
}

static void
on_room(void *arg)
{
	struct dialogue *d = arg;

	d->config.wake(d->config.arg);
}

static void
on_final(void *arg, size_t i, const struct reply *reply)
{
	struct dialogue *d = arg;

	finals_put(&d->finals, i, reply);
	d->config.wake(d->config.arg);
}

/* ---- commands ---- */

static void
lhlo(struct dialogue *d, const struct lmtp_command *command)
{
	message_end(d); /* RFC 5321 4.1.4: as RSET does */
	buf_keep(d->helo, sizeof d->helo, command->name);
	lmtp_format_lhlo(&d->out, span_of(d->config.name));
}

static void
mail(struct dialogue *d, const struct lmtp_command *command)
{
	struct transaction_events events = { d, on_rcpt, on_data, on_room, on_final };
	struct transaction_mail m = { .sender = command->address,
		.params = { .ret = command->ret,
		    .envid = command->envid,
		    .size = command->size,
		    .smtputf8 = command->smtputf8,
		    .is_8bit = !command->is_7bit },
		.helo = d->helo,
		.from = d->config.from };

	if (d->helo[0] == '\0' || d->transaction != NULL) {
		say(d, 503, "5.5.1", d->helo[0] == '\0' ? "Say LHLO first" : "Nested MAIL command");
		return;
	}
	if (command->is_utf8 && !command->smtputf8) {
		say(d, 553, "5.6.7", "This address needs SMTPUTF8"); /* RFC 6531 3.5 */
		return;
	}
	d->transaction = transaction_new(d->config.relay, &m, &events);
	if (d->transaction == NULL) {
		say(d, 451, "4.3.0", "Out of memory");
		return;
	}
	d->smtputf8 = command->smtputf8;
	d->n_mails++;
	say(d, 250, "2.1.0", "Sender ok");
}

/* Why a recipient goes to no transaction.  true: it was said. */
static bool
rcpt_is_refused(struct dialogue *d, const struct lmtp_command *command)
{
	if (d->transaction == NULL)
		say(d, 503, "5.5.1", "Say MAIL first");
	else if (command->is_utf8 && !d->smtputf8)
		say(d, 553, "5.6.7", "This address needs SMTPUTF8");
	else if (d->finals.n == TRANSACTION_RCPTS_MAX)
		say(d, 452, "4.5.3", "Too many recipients");
	else if (finals_add(&d->finals, d->n_rcpts) != 0)
		say(d, 452, "4.3.0", "Out of memory");
	else
		return false;
	return true;
}

static void
rcpt(struct dialogue *d, const struct lmtp_command *command, uint64_t envelope)
{
	if (rcpt_is_refused(d, command))
		return;
	d->finals.all[d->finals.n - 1].is_named = envelope != 0;
	d->state = DIALOGUE_RCPT;
	transaction_rcpt(
	    d->transaction, command->address, command->notify, command->orcpt, envelope);
}

static void
data(struct dialogue *d)
{
	if (d->transaction == NULL || d->finals.n_good == 0) {
		/* RFC 2033 4.2: without a recipient DATA fails */
		say(d, 503, "5.5.1", d->transaction == NULL ? "Say MAIL first" : "No recipients");
		return;
	}
	d->state = DIALOGUE_DATA;
	transaction_data(d->transaction);
}

static void
command_do(struct dialogue *d, const struct lmtp_command *command, uint64_t envelope)
{
	switch (command->verb) {
	case LMTP_LHLO:
		lhlo(d, command);
		return;
	case LMTP_MAIL:
		mail(d, command);
		return;
	case LMTP_RCPT:
		rcpt(d, command, envelope);
		return;
	case LMTP_DATA:
		data(d);
		return;
	case LMTP_RSET:
		message_end(d);
		say(d, 250, "2.0.0", "Reset");
		return;
	case LMTP_NOOP:
		say(d, 250, "2.0.0", "Ok");
		return;
	case LMTP_QUIT:
		message_end(d);
		say(d, 221, "2.0.0", "Bye");
		d->state = DIALOGUE_OVER;
		return;
	case LMTP_VRFY:
		say(d, 252, "2.5.0", "Send it, then it is known");
		return;
	}
}

/* ---- envelopes ---- */

static uint64_t
envelope_of(const struct dialogue *d, size_t line)
{
	return announcement_envelope(d->config.announcement, d->n_mails - 1, line);
}

/*
 * The envelope of the RCPT that is to be taken, or 0.  false: it is worth waiting for, as some are
 * that a host may have accepted meanwhile (late.h).
 */
static bool
envelope_get(struct dialogue *d, uint64_t *envelope)
{
	int64_t now = loop_now_ms(d->config.relay->loop);

	*envelope = d->transaction != NULL ? envelope_of(d, d->n_rcpts) : 0;
	if (d->transaction == NULL || *envelope != 0 || !late_is_any(d->config.relay->late))
		return true;
	if (d->named_by == 0)
		d->named_by = now + ANNOUNCED_WAIT;
	return now >= d->named_by;
}

void
dialogue_told(struct dialogue *d)
{
	for (; d->n_named < d->finals.n; d->n_named++) {
		struct final *one = &d->finals.all[d->n_named];
		uint64_t envelope = one->is_named ? 0 : envelope_of(d, one->line);
		if (envelope == 0 && !one->is_named)
			return;
		if (!one->is_named)
			transaction_envelope(d->transaction, d->n_named, envelope);
		one->is_named = true;
	}
}

/* ---- input ---- */

/* A line of smtpd's, without its CRLF; an LF without CR is a part of it, which is refused. */
static struct span
line_of(struct span in, size_t lf)
{
	bool is_crlf = lf > 0 && in.p[lf - 1] == '\r';

	return span_make(in.p, is_crlf ? lf - 1 : lf + 1);
}

static size_t
command_take(struct dialogue *d, struct span in)
{
	size_t lf = span_find(in, '\n');
	struct lmtp_command command;
	uint64_t envelope = 0;

	if (lf == in.n) {
		if (in.n < DIALOGUE_IN)
			return 0;
		say(d, 500, "5.5.2", "Line too long");
		d->state = DIALOGUE_OVER;
		return in.n;
	}
	const struct lmtp_refusal *refusal = lmtp_parse(line_of(in, lf), &command);
	bool is_rcpt = refusal == NULL && command.verb == LMTP_RCPT;
	if (is_rcpt && !envelope_get(d, &envelope))
		return 0;
	if (refusal != NULL)
		say(d, refusal->code, refusal->enhanced, refusal->text);
	else
		command_do(d, &command, envelope);
	d->named_by = 0;
	if (span_eq_nocase(span_make(in.p, in.n < 4 ? 0 : 4), span_of("RCPT")) &&
	    d->transaction != NULL)
		d->n_rcpts++;
	return lf + 1;
}

static void
received_look(struct dialogue *d, struct span octets)
{
	int64_t at, now = clock_real(d->config.relay->clock);

	if (d->is_dated)
		return;
	received_take(&d->received, octets);
	if (body_is_end(&d->body))
		received_end(&d->received);
	d->is_dated = received_is_over(&d->received);
	if (received_get(&d->received, &at) == 1)
		transaction_received(d->transaction, at < now ? at : now);
}

static size_t
body_pass(struct dialogue *d, struct span in)
{
	char out[DIALOGUE_IN + BODY_HELD];
	struct span rest = span_make(in.p, in.n < DIALOGUE_IN ? in.n : DIALOGUE_IN);
	size_t given = rest.n;
	struct span octets = span_make(out, body_take(&d->body, &rest, out));

	received_look(d, octets);
	if (octets.n > 0)
		transaction_body(d->transaction, octets);
	if (body_is_end(&d->body)) {
		d->state = DIALOGUE_FINAL;
		transaction_end(d->transaction);
	}
	return given - rest.n;
}

/* Not while an MX host is behind with the message. */
static bool
is_reading(const struct dialogue *d)
{
	return d->out.n == 0 &&
	       (d->state == DIALOGUE_COMMAND ||
		   (d->state == DIALOGUE_BODY && transaction_room(d->transaction) > 0));
}

size_t
dialogue_take(struct dialogue *d, struct span in)
{
	if (in.n == 0 || !is_reading(d))
		return 0;
	if (d->is_refused) {
		d->is_refused = false;
		message_end(d);
	}
	return d->state == DIALOGUE_BODY ? body_pass(d, in) : command_take(d, in);
}

int64_t
dialogue_due(const struct dialogue *d)
{
	return d->named_by != 0 ? d->named_by : INT64_MAX;
}

bool
dialogue_owes_finals(const struct dialogue *d)
{
	return d->state == DIALOGUE_FINAL;
}

bool
dialogue_tell_final(struct dialogue *d)
{
	if (d->state != DIALOGUE_FINAL || !finals_tell(&d->finals, &d->out))
		return false;
	if (finals_are_told(&d->finals)) {
		message_end(d);
		d->state = DIALOGUE_COMMAND;
	}
	return true;
}

/* ---- all of it ---- */

void
dialogue_init(struct dialogue *d, const struct dialogue_config *config)
{
	memset(d, 0, sizeof *d);
	d->config = *config;
	buf_init(&d->out, d->text, sizeof d->text);
	buf_printf(&d->out, "220 %s LMTP mtasts\r\n", d->config.name);
}

void
dialogue_clear(struct dialogue *d)
{
	message_end(d);
}

bool
dialogue_is_over(const struct dialogue *d)
{
	return d->state == DIALOGUE_OVER && d->out.n == 0;
}
