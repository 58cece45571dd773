/* SPDX-License-Identifier: ISC
 *
 * RFC 2033 4, RFC 5321 4.1.1: one line, one command; what is not understood is refused by name
 * (RFC 5321 4.2.4, RFC 3463).
 */
#include "opensmtpd/proto/lmtp.h"

#include "opensmtpd/proto/path.h"

static const struct lmtp_refusal refused_controls = { 500, "5.5.2",
	"Control characters in a command" };
static const struct lmtp_refusal refused_length = { 500, "5.5.2", "Line too long" };
static const struct lmtp_refusal refused_verb = { 500, "5.5.1", "Command not recognized" };
static const struct lmtp_refusal refused_hello = { 500, "5.5.1", "This is LMTP: say LHLO" };
static const struct lmtp_refusal refused_argument = { 501, "5.5.4", "Syntax error in arguments" };
static const struct lmtp_refusal refused_sender = { 501, "5.1.7", "Syntax error in sender" };
static const struct lmtp_refusal refused_rcpt = { 501, "5.1.3", "Syntax error in recipient" };
static const struct lmtp_refusal refused_param = { 555, "5.5.4", "Parameter not recognized" };
static const struct lmtp_refusal refused_value = { 501, "5.5.4", "Syntax error in parameters" };

/* ---- values of parameters ---- */

static bool
is_upper_hex(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'F');
}

/* RFC 3461 4: printable but '+' and '=', "+HH" for the others. */
static bool
is_xtext(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '+') {
			if (s.n - i < 3 || !is_upper_hex(s.p[i + 1]) || !is_upper_hex(s.p[i + 2]))
				return false;
			i += 2;
		} else if (!is_print(s.p[i]) || s.p[i] == ' ' || s.p[i] == '=') {
			return false;
		}
	}
	return s.n > 0;
}

static bool
size_take(struct span value, struct lmtp_command *command)
{
	return span_u64(value, 20, UINT64_MAX, &command->size) == 0;
}

static bool
body_take(struct span value, struct lmtp_command *command)
{
	command->is_7bit = span_eq_nocase(value, span_of("7BIT"));
	command->is_8bit = span_eq_nocase(value, span_of("8BITMIME"));
	return command->is_7bit || command->is_8bit;
}

static bool
smtputf8_take(struct span value, struct lmtp_command *command)
{
	command->smtputf8 = true;
	return value.p == NULL; /* it has none */
}

static bool
ret_take(struct span value, struct lmtp_command *command)
{
	command->ret = value;
	return span_eq_nocase(value, span_of("FULL")) || span_eq_nocase(value, span_of("HDRS"));
}

static bool
envid_take(struct span value, struct lmtp_command *command)
{
	command->envid = value;
	return value.n <= LMTP_ENVID_MAX && is_xtext(value);
}

/* RFC 3461 4.1: NEVER, or some of the others. */
static bool
notify_take(struct span value, struct lmtp_command *command)
{
	struct span rest = value;

	command->notify = value;
	if (span_eq_nocase(value, span_of("NEVER")))
		return true;
	for (;;) {
		struct span word = span_make(rest.p, span_find(rest, ','));
		if (!span_eq_nocase(word, span_of("SUCCESS")) &&
		    !span_eq_nocase(word, span_of("FAILURE")) &&
		    !span_eq_nocase(word, span_of("DELAY")))
			return false;
		if (word.n == rest.n)
			return true;
		rest = span_from(rest, word.n + 1);
	}
}

/* RFC 3461 4.2: "rfc822;user@example.net". */
static bool
orcpt_take(struct span value, struct lmtp_command *command)
{
	size_t type = span_find(value, ';');

	command->orcpt = value;
	for (size_t i = 0; i < type; i++)
		if (!is_alnum(value.p[i]) && value.p[i] != '-')
			return false;
	return value.n <= LMTP_ORCPT_MAX && type > 0 && type < value.n &&
	       is_xtext(span_from(value, type + 1));
}

static const struct {
	enum lmtp_verb verb;
	const char *name;
	/* value.p NULL: there is none */
	bool (*take)(struct span value, struct lmtp_command *command);
} params[] = {
	{ LMTP_MAIL, "SIZE", size_take },
	{ LMTP_MAIL, "BODY", body_take },
	{ LMTP_MAIL, "SMTPUTF8", smtputf8_take },
	{ LMTP_MAIL, "RET", ret_take },
	{ LMTP_MAIL, "ENVID", envid_take },
	{ LMTP_RCPT, "NOTIFY", notify_take },
	{ LMTP_RCPT, "ORCPT", orcpt_take },
};

enum { N_PARAMS = sizeof params / sizeof params[0] };

/* "NAME=value" or "NAME"; seen has a bit a name. */
static const struct lmtp_refusal *
param_take(struct span word, struct lmtp_command *command, unsigned *seen)
{
	size_t n = span_find(word, '=');
	struct span name = span_make(word.p, n);
	struct span value = n < word.n ? span_from(word, n + 1) : span_make(NULL, 0);

	for (unsigned i = 0; i < N_PARAMS; i++) {
		if (params[i].verb != command->verb ||
		    !span_eq_nocase(name, span_of(params[i].name)))
			continue;
		if ((*seen & 1u << i) != 0 || !params[i].take(value, command))
			return &refused_value;
		*seen |= 1u << i;
		return NULL;
	}
	return &refused_param;
}

/* RFC 5321 4.1.2, Mail-parameters: each behind a blank. */
static const struct lmtp_refusal *
params_take(struct span rest, struct lmtp_command *command)
{
	const struct lmtp_refusal *refusal = NULL;
	unsigned seen = 0;

	rest = span_trim_wsp(rest);
	while (rest.n > 0 && refusal == NULL) {
		struct span word = span_make(rest.p, span_find(rest, ' '));
		refusal = param_take(word, command, &seen);
		rest = span_trim_wsp(span_from(rest, word.n));
	}
	return refusal;
}

/* ---- arguments of commands ---- */

static const struct lmtp_refusal *
nothing(struct span argument, struct lmtp_command *command)
{
	(void)command;
	return argument.n == 0 ? NULL : &refused_argument;
}

static const struct lmtp_refusal *
anything(struct span argument, struct lmtp_command *command)
{
	(void)argument;
	(void)command;
	return NULL;
}

/* A name, or an address in brackets. */
static const struct lmtp_refusal *
hello(struct span argument, struct lmtp_command *command)
{
	for (size_t i = 0; i < argument.n; i++)
		if (!is_print(argument.p[i]) || argument.p[i] == ' ')
			return &refused_argument;
	command->name = argument;
	return argument.n > 0 && argument.n <= LMTP_NAME_MAX ? NULL : &refused_argument;
}

/* keyword is "FROM:" or "TO:", without blanks behind it (RFC 5321 3.3). */
static const struct lmtp_refusal *
path(struct span argument, const char *keyword, struct lmtp_command *command,
    const struct lmtp_refusal *refused)
{
	struct span word = span_of(keyword);
	struct path found;

	if (argument.n < word.n || !span_eq_nocase(span_make(argument.p, word.n), word))
		return &refused_argument;
	struct span rest = span_from(argument, word.n);
	if (path_take(&rest, &found) != 0 || found.address.n > LMTP_ADDRESS_MAX ||
	    (rest.n > 0 && rest.p[0] != ' '))
		return refused;
	command->address = found.address;
	command->domain = found.domain;
	command->is_utf8 = found.is_utf8;
	return params_take(rest, command);
}

static const struct lmtp_refusal *
mail(struct span argument, struct lmtp_command *command)
{
	return path(argument, "FROM:", command, &refused_sender);
}

static const struct lmtp_refusal *
rcpt(struct span argument, struct lmtp_command *command)
{
	const struct lmtp_refusal *refusal = path(argument, "TO:", command, &refused_rcpt);

	return refusal == NULL && command->address.n == 0 ? &refused_rcpt : refusal;
}

static const struct {
	const char *name;
	enum lmtp_verb verb;
	const struct lmtp_refusal *(*take)(struct span argument, struct lmtp_command *command);
} verbs[] = {
	{ "LHLO", LMTP_LHLO, hello },
	{ "MAIL", LMTP_MAIL, mail },
	{ "RCPT", LMTP_RCPT, rcpt },
	{ "DATA", LMTP_DATA, nothing },
	{ "RSET", LMTP_RSET, nothing },
	{ "NOOP", LMTP_NOOP, anything },
	{ "QUIT", LMTP_QUIT, nothing },
	{ "VRFY", LMTP_VRFY, anything },
};

static const struct lmtp_refusal *
unknown(struct span verb)
{
	/* RFC 2033 4.1: HELO and EHLO must not be understood */
	bool is_hello =
	    span_eq_nocase(verb, span_of("HELO")) || span_eq_nocase(verb, span_of("EHLO"));

	return is_hello ? &refused_hello : &refused_verb;
}

const struct lmtp_refusal *
lmtp_parse(struct span line, struct lmtp_command *command)
{
	if (line.n > LMTP_LINE_MAX)
		return &refused_length;
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			return &refused_controls;
	struct span verb = span_make(line.p, span_find(line, ' '));
	struct span argument = span_trim_wsp(span_from(line, verb.n));
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (!span_eq_nocase(verb, span_of(verbs[i].name)))
			continue;
		struct lmtp_command found = { .verb = verbs[i].verb };
		const struct lmtp_refusal *refusal = verbs[i].take(argument, &found);
		if (refusal == NULL)
			*command = found;
		return refusal;
	}
	return unknown(verb);
}

void
lmtp_format_lhlo(struct buf *out, struct span name)
{
	/* RFC 1870 3: SIZE without a number has no fixed limit */
	static const char *const extensions[] = { "PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE",
		"DSN", "ENHANCEDSTATUSCODES" };
	enum { N = sizeof extensions / sizeof extensions[0] };

	buf_puts(out, "250-");
	buf_put(out, name);
	buf_puts(out, "\r\n");
	for (size_t i = 0; i < N; i++)
		buf_printf(out, "250%c%s\r\n", i + 1 < N ? '-' : ' ', extensions[i]);
}
