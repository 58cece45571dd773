/* SPDX-License-Identifier: ISC
 *
 * What an answer means: to which command it is, what it lets be asked next.
 *
 * Not libcurl, whose SMTP takes all recipients before it connects, goes on in clear without a
 * word where STARTTLS is refused, and has neither PIPELINING nor the parameters of MAIL and RCPT.
 */
#include "opensmtpd/proto/smtp.h"

#include <stdlib.h>

#include "base/mem.h"
#include "opensmtpd/proto/smtp_queue.h"

void
smtp_init(struct smtp *smtp, const char *helo, bool wants_tls)
{
	*smtp = (struct smtp){ .helo = helo, .wants_tls = wants_tls };
	smtp->last = smtp->unsent = &smtp->first;
	if (smtp_queue_put(smtp, KIND_GREETING, span_of("")) != NULL)
		smtp_queue_pass(smtp);
	if (!command_is_name(span_of(helo)))
		smtp_over(smtp, "no name to greet the host with");
}

void
smtp_clear(struct smtp *smtp)
{
	while (smtp->first != NULL) {
		struct smtp_command *next = smtp->first->next;
		free(smtp->first);
		smtp->first = next;
	}
	free(smtp->refusal);
	*smtp = (struct smtp){ .is_over = true };
	smtp->last = smtp->unsent = &smtp->first;
}

int
smtp_split(struct span *in, struct span *line)
{
	size_t end = span_find(*in, '\n');

	if (end == in->n || end > REPLY_LINE_MAX + 1)
		return end > REPLY_LINE_MAX + 1 ? -1 : 0;
	*line = span_make(in->p, end);
	if (end != 0 && line->p[end - 1] == '\r')
		line->n--;
	*in = span_from(*in, end + 1);
	return line->n > REPLY_LINE_MAX ? -1 : 1;
}

/* A no that ends the session; only QUIT may follow (RFC 5321 3.1). */
static enum smtp_event
refused(struct smtp *smtp, const char *why)
{
	smtp->is_refused = true;
	return smtp_over(smtp, why);
}

/* Neither yes nor no; it is not passed on. */
static enum smtp_event
out_of_place(struct smtp *smtp, const char *why)
{
	smtp->reply.code = 0;
	return smtp_over(smtp, why);
}

static void
host_keep(struct smtp *smtp, struct span text)
{
	struct span name = span_make(text.p, span_find(text, ' '));

	if (command_is_name(name) && name.n < sizeof smtp->host)
		buf_keep(smtp->host, sizeof smtp->host, name);
}

static enum smtp_event
greeting_answered(struct smtp *smtp, unsigned class)
{
	if (class == 3)
		return out_of_place(smtp, "no greeting");
	if (class != 2)
		return refused(smtp, "the host takes no mail");
	smtp_queue_hello(smtp, KIND_EHLO);
	return SMTP_NOTHING;
}

/* RFC 5321 3.2: HELO where EHLO is not known; there is nothing to be had then. */
static enum smtp_event
ehlo_answered(struct smtp *smtp, unsigned class)
{
	if (class == 5) {
		smtp->extensions = (struct extensions){ 0, 0 };
		smtp_queue_hello(smtp, KIND_HELO);
		return SMTP_NOTHING;
	}
	if (class != 2)
		return class == 4 ? refused(smtp, "the host refused EHLO")
				  : out_of_place(smtp, "no answer to EHLO");
	smtp->reply.code = 0;
	if (!smtp->wants_tls || smtp->tls == SMTP_TLS_UP)
		return SMTP_READY;
	if (!(smtp->extensions.offered & EXTENSION_STARTTLS)) {
		smtp->tls = SMTP_TLS_NOT_OFFERED;
		return SMTP_READY;
	}
	smtp_queue_put(smtp, KIND_STARTTLS, span_of("STARTTLS\r\n"));
	smtp->tls = SMTP_TLS_ASKED;
	return SMTP_NOTHING;
}

static enum smtp_event
helo_answered(struct smtp *smtp, unsigned class)
{
	if (class == 3)
		return out_of_place(smtp, "no answer to HELO");
	if (class != 2)
		return refused(smtp, "the host refused HELO");
	smtp->reply.code = 0;
	if (smtp->wants_tls && smtp->tls != SMTP_TLS_UP)
		smtp->tls = SMTP_TLS_NOT_OFFERED;
	return SMTP_READY;
}

/* RFC 3207 4: 220, or a no; with anything else nobody knows what the host will read next. */
static enum smtp_event
starttls_answered(struct smtp *smtp, unsigned class)
{
	if (smtp->reply.code == 220) {
		smtp->tls = SMTP_TLS_AGREED;
		return SMTP_HANDSHAKE;
	}
	if (class != 4 && class != 5)
		return out_of_place(smtp, "neither yes nor no to STARTTLS");
	smtp->tls = SMTP_TLS_REFUSED;
	return SMTP_READY;
}

/* What waits for an accepted MAIL is answered with the refusal from here on. */
static enum smtp_event
mail_answered(struct smtp *smtp, unsigned class)
{
	if (class == 3)
		return out_of_place(smtp, "no answer to MAIL");
	if (class == 2)
		return SMTP_MAIL;
	smtp->refusal = mem_zero(1, sizeof *smtp->refusal);
	if (smtp->refusal == NULL)
		return smtp_over(smtp, "out of memory");
	*smtp->refusal = smtp->reply;
	for (struct smtp_command *command = *smtp->unsent; command != NULL; command = command->next)
		command->code = smtp->reply.code;
	return SMTP_MAIL;
}

static enum smtp_event
rcpt_answered(struct smtp *smtp, unsigned class)
{
	if (class == 3)
		return out_of_place(smtp, "no answer to RCPT");
	smtp->i = smtp->n_answered++;
	if (smtp->refusal != NULL)
		smtp->reply = *smtp->refusal; /* not the 503 that pipelining brings */
	else if (class == 2)
		smtp->n_good++;
	return SMTP_RCPT;
}

static enum smtp_event
data_answered(struct smtp *smtp, unsigned class)
{
	smtp->is_body = smtp->reply.code == 354;
	if (class != 4 && class != 5 && !smtp->is_body)
		return out_of_place(smtp, "no answer to DATA");
	return SMTP_DATA;
}

static enum smtp_event
dot_answered(struct smtp *smtp, unsigned class)
{
	if (class == 3)
		return out_of_place(smtp, "no answer to the message");
	return SMTP_END;
}

static enum smtp_event
answered(struct smtp *smtp)
{
	unsigned class = smtp->reply.code / 100;
	enum smtp_kind kind = smtp->first->kind;

	smtp_queue_shift(smtp);
	switch (kind) {
	case KIND_GREETING:
		return greeting_answered(smtp, class);
	case KIND_EHLO:
		return ehlo_answered(smtp, class);
	case KIND_HELO:
		return helo_answered(smtp, class);
	case KIND_STARTTLS:
		return starttls_answered(smtp, class);
	case KIND_MAIL:
		return mail_answered(smtp, class);
	case KIND_RCPT:
		return rcpt_answered(smtp, class);
	case KIND_DATA:
		return data_answered(smtp, class);
	case KIND_DOT:
		return dot_answered(smtp, class);
	}
	return SMTP_NOTHING;
}

/* Nobody asked.  In the middle of a message a no is the answer to it. */
static enum smtp_event
unasked(struct smtp *smtp)
{
	bool is_body = smtp->is_body;

	if (reply_is_good(&smtp->reply))
		return out_of_place(smtp, "an answer that nobody asked for");
	smtp_over(smtp, is_body ? "no in the middle of the message" : "the host ended the session");
	return is_body ? SMTP_END : SMTP_OVER;
}

/* RFC 5321 3.8: it may stand for any answer, and it is the last one. */
static enum smtp_event
closing(struct smtp *smtp)
{
	enum smtp_kind kind = smtp->first->kind;

	smtp_over(smtp, "the host ended the session");
	return kind < KIND_MAIL ? SMTP_OVER : answered(smtp);
}

/* EHLO's lines behind the first one; its first one and the greeting's have the host's name. */
static void
line_note(struct smtp *smtp, struct span text)
{
	enum smtp_kind kind = smtp->first->kind;

	if (smtp->reply.code / 100 != 2)
		return;
	if (smtp->reader.n_lines == 1 && kind <= KIND_HELO)
		host_keep(smtp, text);
	else if (kind == KIND_EHLO)
		extensions_add(&smtp->extensions, text);
}

enum smtp_event
smtp_line(struct smtp *smtp, struct span line)
{
	struct span text;
	int r;

	if (smtp->is_over)
		return SMTP_NOTHING;
	if (smtp->tls == SMTP_TLS_AGREED)
		return out_of_place(smtp, "more behind the answer to STARTTLS");
	r = reply_read(&smtp->reader, line, &smtp->reply, &text);
	if (r < 0)
		return out_of_place(smtp, "no SMTP");
	if (smtp_awaits(smtp))
		line_note(smtp, text);
	if (r == 0)
		return SMTP_NOTHING;
	smtp->reader = (struct reply_reader){ 0, 0 };
	if (!smtp_awaits(smtp))
		return unasked(smtp);
	if (smtp->reply.code == 421)
		return closing(smtp);
	return answered(smtp);
}

enum smtp_event
smtp_local(struct smtp *smtp)
{
	struct smtp_command *command = smtp->first;

	if (smtp->is_over || !smtp_awaits(smtp) || command->code == 0)
		return SMTP_NOTHING;
	if (smtp->refusal != NULL)
		smtp->reply = *smtp->refusal;
	else
		reply_set(&smtp->reply, command->code, command->enhanced, command->text);
	return answered(smtp);
}

void
smtp_secured(struct smtp *smtp)
{
	smtp->tls = SMTP_TLS_UP;
	smtp->extensions = (struct extensions){ 0, 0 };
	smtp->host[0] = '\0';
	smtp_queue_hello(smtp, KIND_EHLO);
}

bool
smtp_may_quit(const struct smtp *smtp)
{
	if (smtp->is_over ? !smtp->is_refused : smtp->tls == SMTP_TLS_AGREED)
		return false;
	return !smtp_awaits(smtp) && !smtp->is_body;
}
