/* SPDX-License-Identifier: ISC
 *
 * What is said to the host, and when: one command at a time, but for MAIL and RCPT where they may
 * stand together.
 */
#include "opensmtpd/proto/smtp_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum smtp_event
smtp_over(struct smtp *smtp, const char *why)
{
	smtp->is_over = true;
	smtp->why = why;
	return SMTP_OVER;
}

struct smtp_command *
smtp_queue_put(struct smtp *smtp, enum smtp_kind kind, struct span line)
{
	struct smtp_command *command = mem_zero(1, sizeof *command + line.n);

	if (command == NULL) {
		smtp_over(smtp, "out of memory");
		return NULL;
	}
	command->kind = kind;
	command->n = line.n;
	memcpy(command->line, line.p, line.n);
	*smtp->last = command;
	smtp->last = &command->next;
	return command;
}

static void
queue_ours(
    struct smtp *smtp, enum smtp_kind kind, unsigned code, const char *enhanced, const char *text)
{
	struct smtp_command *command = smtp_queue_put(smtp, kind, span_of(""));

	if (command == NULL)
		return;
	command->code = code;
	command->enhanced = enhanced;
	command->text = text;
}

void
smtp_queue_hello(struct smtp *smtp, enum smtp_kind kind)
{
	char line[COMMAND_MAX];
	struct buf out;

	buf_init(&out, line, sizeof line);
	buf_printf(&out, "%s %s\r\n", kind == KIND_EHLO ? "EHLO" : "HELO", smtp->helo);
	smtp_queue_put(smtp, kind, span_make(out.p, out.n));
}

void
smtp_queue_pass(struct smtp *smtp)
{
	smtp->unsent = &(*smtp->unsent)->next;
	smtp->n_awaited++;
}

void
smtp_queue_shift(struct smtp *smtp)
{
	struct smtp_command *command = smtp->first;

	smtp->first = command->next;
	if (smtp->unsent == &command->next)
		smtp->unsent = &smtp->first;
	if (smtp->last == &command->next)
		smtp->last = &smtp->first;
	smtp->n_awaited--;
	free(command);
}

bool
smtp_awaits(const struct smtp *smtp)
{
	return smtp->n_awaited != 0;
}

/* ---- what is sent ---- */

/* RFC 2920 3.1: MAIL and RCPT may stand before, and nothing else is sent behind them unanswered. */
static bool
is_group(const struct smtp *smtp, enum smtp_kind kind)
{
	if (!(smtp->extensions.offered & EXTENSION_PIPELINING) || kind != KIND_RCPT)
		return false;
	if (smtp->first->kind == KIND_MAIL)
		return smtp->first->code == 0;
	return smtp->first->kind == KIND_RCPT;
}

/* No recipient was accepted: the host is not asked what it would say to that. */
static void
data_check(const struct smtp *smtp, struct smtp_command *command)
{
	if (command->kind != KIND_DATA || command->code != 0 || smtp->n_good != 0)
		return;
	command->code = 554;
	command->enhanced = "5.5.1";
	command->text = "No valid recipients";
}

bool
smtp_next(struct smtp *smtp, struct span *line)
{
	while (!smtp->is_over && *smtp->unsent != NULL && smtp->tls != SMTP_TLS_AGREED) {
		struct smtp_command *command = *smtp->unsent;
		if (smtp_awaits(smtp) && !is_group(smtp, command->kind))
			return false;
		data_check(smtp, command);
		smtp_queue_pass(smtp);
		*line = span_make(command->line, command->n);
		if (command->code == 0)
			return true;
	}
	return false;
}

/* ---- what is asked for ---- */

static void
queue_fault(struct smtp *smtp, enum smtp_kind kind, enum command_fault fault)
{
	if (fault == COMMAND_NEEDS_UTF8)
		queue_ours(
		    smtp, kind, 550, "5.6.7", "The host does not take such addresses (SMTPUTF8)");
	else
		queue_ours(smtp, kind, 553, "5.1.3", "This address cannot be sent");
}

void
smtp_mail(struct smtp *smtp, const struct command_mail *mail)
{
	char line[COMMAND_MAX];
	struct buf out;

	buf_init(&out, line, sizeof line);
	enum command_fault fault = command_mail(&out, mail, &smtp->extensions);
	smtp->is_utf8 = mail->smtputf8 || command_is_8bit(mail->sender);
	if (fault == COMMAND_FINE)
		smtp_queue_put(smtp, KIND_MAIL, span_make(out.p, out.n));
	else
		queue_fault(smtp, KIND_MAIL, fault);
}

void
smtp_rcpt(struct smtp *smtp, const struct command_rcpt *rcpt)
{
	char line[COMMAND_MAX];
	struct buf out;

	buf_init(&out, line, sizeof line);
	enum command_fault fault = command_rcpt(&out, rcpt, &smtp->extensions, smtp->is_utf8);
	if (smtp->refusal != NULL)
		queue_ours(smtp, KIND_RCPT, smtp->refusal->code, "", "");
	else if (fault == COMMAND_FINE)
		smtp_queue_put(smtp, KIND_RCPT, span_make(out.p, out.n));
	else
		queue_fault(smtp, KIND_RCPT, fault);
}

void
smtp_data(struct smtp *smtp)
{
	if (smtp->refusal != NULL)
		queue_ours(smtp, KIND_DATA, smtp->refusal->code, "", "");
	else
		smtp_queue_put(smtp, KIND_DATA, span_of("DATA\r\n"));
}

void
smtp_end(struct smtp *smtp)
{
	if (!smtp->is_body)
		return;
	smtp->is_body = false;
	smtp_queue_put(smtp, KIND_DOT, span_of(".\r\n"));
}
