/* SPDX-License-Identifier: ISC
 *
 * A mail host that says anything.  The first octet is what is wanted of the session; the rest is
 * the host's side of it, its lines as they come.  Whatever it says: nothing goes out before the
 * greeting, no MAIL before an EHLO or HELO was answered with 2xx, no two commands at once but MAIL
 * and RCPT where PIPELINING was offered, nothing between STARTTLS's 220 and TLS; each line is one
 * line, and a message counts as accepted only after its end.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/smtp.h"

enum { RCPTS = 4, WANT_TLS = 1, WANT_UTF8 = 2, WANT_EARLY = 4, WANT_8BIT = 8 };

struct talk {
	struct smtp smtp;
	unsigned want;
	size_t n_lines; /* that were sent and not answered */
	size_t n_rcpts; /* that were answered */
	bool is_ready, is_mail, is_data, is_ended, is_in_tls;
	bool is_reply; /* a whole reply came */
};

static void
check_line(struct talk *talk, struct span line)
{
	assert(line.n > 2 && line.n < COMMAND_MAX);
	for (size_t i = 0; i < line.n - 2; i++)
		assert((unsigned char)line.p[i] >= ' ' && line.p[i] != 0x7f);
	assert(memcmp(line.p + line.n - 2, "\r\n", 2) == 0);
	assert(talk->smtp.tls != SMTP_TLS_AGREED && talk->is_reply);
	if (talk->n_lines++ != 0)
		assert((talk->smtp.extensions.offered & EXTENSION_PIPELINING) &&
		       span_begins(line, "RCPT TO:<"));
	if (span_begins(line, "MAIL") || span_begins(line, "RCPT") || span_begins(line, "DATA"))
		assert(talk->is_ready);
	if (span_begins(line, "DATA"))
		assert(talk->is_mail && talk->n_rcpts != 0);
	if (span_begins(line, "STARTTLS"))
		assert((talk->want & WANT_TLS) && !talk->is_in_tls && !talk->is_ready);
}

static void
ask(struct talk *talk)
{
	struct command_mail mail = { span_of("a@a.example"), span_of("HDRS"), span_of("x"), 9,
		(talk->want & WANT_UTF8) != 0, (talk->want & WANT_8BIT) != 0 };
	struct command_rcpt rcpt = { span_of("b@b.example"), span_of("NEVER"), span_of("") };

	smtp_mail(&talk->smtp, &mail);
	for (size_t i = 0; i < RCPTS; i++) {
		rcpt.recipient = span_of(i == 2 ? "\xc3\xa4@b.example" : "b@b.example");
		smtp_rcpt(&talk->smtp, &rcpt);
	}
	if (talk->want & WANT_EARLY)
		smtp_data(&talk->smtp);
}

static void
happened(struct talk *talk, enum smtp_event event)
{
	const struct reply *reply = &talk->smtp.reply;

	assert(reply->n <= REPLY_TEXT_MAX);
	switch (event) {
	case SMTP_NOTHING:
		return;
	case SMTP_READY:
		assert(!talk->is_ready && !talk->smtp.is_over);
		assert(reply->code == 0 || talk->smtp.tls == SMTP_TLS_REFUSED);
		talk->is_ready = true;
		ask(talk);
		return;
	case SMTP_HANDSHAKE:
		assert((talk->want & WANT_TLS) && !talk->is_in_tls && !talk->is_ready);
		return;
	case SMTP_MAIL:
		assert(talk->is_ready && reply->code / 100 != 3);
		talk->is_mail = reply->code / 100 == 2;
		return;
	case SMTP_RCPT:
		assert(talk->smtp.i == talk->n_rcpts++ && reply->code / 100 != 3);
		assert(talk->is_mail || !reply_is_good(reply));
		if (talk->n_rcpts == RCPTS && !(talk->want & WANT_EARLY))
			smtp_data(&talk->smtp);
		return;
	case SMTP_DATA:
		assert(talk->n_rcpts == RCPTS && (reply->code == 354 || !reply_is_good(reply)));
		talk->is_data = reply->code == 354;
		return;
	case SMTP_END:
		assert(talk->is_data && (talk->is_ended || !reply_is_good(reply)));
		return;
	case SMTP_OVER:
		assert(talk->smtp.is_over && talk->smtp.why != NULL && !reply_is_good(reply));
		return;
	}
}

static void
go_on(struct talk *talk)
{
	enum smtp_event event;
	struct span line;

	do {
		while (smtp_next(&talk->smtp, &line))
			check_line(talk, line);
		event = smtp_local(&talk->smtp);
		happened(talk, event);
	} while (event != SMTP_NOTHING);
}

/* An empty line of the host's is the time for what only we decide. */
static void
decide(struct talk *talk)
{
	if (talk->smtp.tls == SMTP_TLS_AGREED && !talk->smtp.is_over) {
		talk->is_in_tls = true;
		smtp_secured(&talk->smtp);
	} else if (talk->is_data && !talk->is_ended) {
		talk->is_ended = true;
		smtp_end(&talk->smtp);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk talk = { .want = size == 0 ? 0 : data[0] };
	struct span in = span_make((const char *)data, size), line;

	in = span_from(in, 1);
	smtp_init(&talk.smtp, "mail.sender.example", (talk.want & WANT_TLS) != 0);
	go_on(&talk);
	while (smtp_split(&in, &line) == 1) {
		if (line.n == 0) {
			decide(&talk);
		} else {
			if (line.n == 3 || (line.n > 3 && line.p[3] == ' ')) {
				talk.is_reply = true;
				talk.n_lines -= talk.n_lines != 0;
			}
			happened(&talk, smtp_line(&talk.smtp, line));
		}
		go_on(&talk);
	}
	(void)smtp_may_quit(&talk.smtp);
	smtp_clear(&talk.smtp);
	return 0;
}
