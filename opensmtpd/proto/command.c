/* SPDX-License-Identifier: ISC
 *
 * MAIL and RCPT.  Addresses are smtpd's and were checked by it; here they are checked again for
 * what matters to the host that reads the line.  A parameter whose value cannot be sent is left
 * out.
 */
#include "opensmtpd/proto/command.h"

#include "parse/utf8.h"

bool
command_is_name(struct span name)
{
	if (name.n == 0 || name.n > 255)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!is_alnum(c) && c != '.' && c != '-' && c != '_' && c != ':' && c != '[' &&
		    c != ']')
			return false;
	}
	return true;
}

bool
command_is_8bit(struct span address)
{
	for (size_t i = 0; i < address.n; i++) {
		if ((unsigned char)address.p[i] > 0x7f)
			return true;
	}
	return false;
}

/*
 * Octets of the next piece of an address, 0 when it may not stand there.  RFC 5321 4.1.2: blanks
 * and angle brackets only in a quoted string, where a backslash takes the next one with it.
 */
static size_t
piece_take(struct span s, bool is_quoted)
{
	size_t n = utf8_take(s);

	if (n != 1) /* U+0080 to U+009F are control characters */
		return n == 2 && s.p[0] == '\xc2' && (unsigned char)s.p[1] < 0xa0 ? 0 : n;
	if (!is_print(s.p[0]))
		return 0;
	if (!is_quoted)
		return s.p[0] == ' ' || s.p[0] == '<' || s.p[0] == '>' || s.p[0] == '\\' ? 0 : 1;
	if (s.p[0] == '\\')
		return s.n > 1 && is_print(s.p[1]) ? 2 : 0;
	return 1;
}

static bool
is_address(struct span address)
{
	bool is_quoted = false;

	if (address.n > COMMAND_ADDRESS_MAX)
		return false;
	while (address.n != 0) {
		size_t n = piece_take(address, is_quoted);
		if (n == 0)
			return false;
		if (n == 1 && address.p[0] == '"')
			is_quoted = !is_quoted;
		address = span_from(address, n);
	}
	return !is_quoted;
}

/* RFC 5321 4.1.2, esmtp-value. */
static bool
is_value(struct span value)
{
	if (value.n == 0 || value.n > COMMAND_VALUE_MAX)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		if (!is_print(value.p[i]) || value.p[i] == ' ' || value.p[i] == '=')
			return false;
	}
	return true;
}

static void
put_value(struct buf *out, const char *keyword, struct span value)
{
	if (!is_value(value))
		return;
	buf_puts(out, keyword);
	buf_put(out, value);
}

static bool
offers(const struct extensions *extensions, enum extension extension)
{
	return (extensions->offered & (unsigned)extension) != 0;
}

enum command_fault
command_mail(struct buf *out, const struct command_mail *mail, const struct extensions *extensions)
{
	bool smtputf8 = mail->smtputf8 || command_is_8bit(mail->sender);

	if (!is_address(mail->sender))
		return COMMAND_BAD;
	if (smtputf8 && !offers(extensions, EXTENSION_SMTPUTF8))
		return COMMAND_NEEDS_UTF8;
	buf_puts(out, "MAIL FROM:<");
	buf_put(out, mail->sender);
	buf_puts(out, ">");
	if (mail->size != 0 && offers(extensions, EXTENSION_SIZE))
		buf_printf(out, " SIZE=%ju", (uintmax_t)mail->size);
	/* without the extension eight bits are sent all the same, as smtpd does */
	if ((mail->is_8bit || smtputf8) && offers(extensions, EXTENSION_8BITMIME))
		buf_puts(out, " BODY=8BITMIME");
	if (smtputf8)
		buf_puts(out, " SMTPUTF8");
	if (offers(extensions, EXTENSION_DSN)) {
		put_value(out, " RET=", mail->ret);
		put_value(out, " ENVID=", mail->envid);
	}
	buf_puts(out, "\r\n");
	return out->full ? COMMAND_BAD : COMMAND_FINE;
}

enum command_fault
command_rcpt(struct buf *out, const struct command_rcpt *rcpt, const struct extensions *extensions,
    bool smtputf8)
{
	if (rcpt->recipient.n == 0 || !is_address(rcpt->recipient))
		return COMMAND_BAD;
	if (!smtputf8 && command_is_8bit(rcpt->recipient))
		return COMMAND_NEEDS_UTF8;
	buf_puts(out, "RCPT TO:<");
	buf_put(out, rcpt->recipient);
	buf_puts(out, ">");
	if (offers(extensions, EXTENSION_DSN)) {
		put_value(out, " NOTIFY=", rcpt->notify);
		put_value(out, " ORCPT=", rcpt->orcpt);
	}
	buf_puts(out, "\r\n");
	return out->full ? COMMAND_BAD : COMMAND_FINE;
}
