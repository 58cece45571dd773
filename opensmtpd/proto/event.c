/* SPDX-License-Identifier: ISC
 *
 * Lines of the filter protocol.  Fields are cut at '|'; those that a client or its DNS may fill
 * (user names, reverse names) can hold one themselves, so what stands beside them is found from
 * the other end.
 */
#include "opensmtpd/proto/event.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum {
	VERSION_FIRST = 5,   /* 0.5: what smtpd-filters(7) described first */
	VERSION_SWAPPED = 7, /* 0.7: link-auth has its result first */
	REPLY_TEXT_MAX_N =
	    490 /* octets, so that a reply line has at most 512 (RFC 5321 4.5.3.1.5) */
};

/* Up to the next '|', which *rest moves behind; all of it when there is none. */
static struct span
field_take(struct span *rest)
{
	struct span field = span_make(rest->p, span_find(*rest, '|'));

	*rest = span_from(*rest, field.n + 1);
	return field;
}

/* Behind the last '|', which *rest then ends before; all of it when there is none. */
static struct span
field_take_last(struct span *rest)
{
	size_t at = rest->n;

	while (at > 0 && rest->p[at - 1] != '|')
		at--;
	struct span field = span_from(*rest, at);
	rest->n = at > 0 ? at - 1 : 0;
	return field;
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* All of s, at most max_digits. */
static bool
hex_parse(struct span s, size_t max_digits, uint64_t *value)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > max_digits)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);
		if (digit < 0)
			return false;
		v = v << 4 | (unsigned)digit;
	}
	*value = v;
	return true;
}

/* The n of "0.n"; 0 for versions of another kind, -1 for what is none. */
static int
version_parse(struct span s)
{
	size_t dot = span_find(s, '.');
	uint64_t major, minor;

	if (span_u64(span_make(s.p, dot), 4, 9999, &major) != 0 ||
	    span_u64(span_from(s, dot + 1), 4, 9999, &minor) != 0)
		return -1;
	return major == 0 && minor >= VERSION_FIRST ? (int)minor : 0;
}

/* host as text for inet_pton(); a zone ("%eth0") is of this host and left out. */
static bool
host_parse(int family, struct span host, void *address)
{
	char text[INET6_ADDRSTRLEN];

	if (family == AF_INET6)
		host.n = span_find(host, '%');
	if (host.n >= sizeof text || span_find(host, '\0') < host.n)
		return false;
	buf_keep(text, sizeof text, host);
	return inet_pton(family, text, address) == 1;
}

/* "192.0.2.1:25", "[2001:db8::1]:25", "unix:/path", "local" */
static bool
address_parse(struct span s, struct sockaddr_storage *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
	bool is_v6 = span_begins(s, "[");
	size_t n = span_find(s, is_v6 ? ']' : ':');
	struct span host = span_make(s.p, n);
	uint64_t port;

	memset(address, 0, sizeof *address);
	if (span_begins(s, "unix:") || span_begins(s, "local")) {
		address->ss_family = AF_UNIX;
		return true;
	}
	struct span rest = span_from(s, is_v6 ? n + 1 : n);
	if (!span_begins(rest, ":") || span_u64(span_from(rest, 1), 5, UINT16_MAX, &port) != 0)
		return false;
	if (is_v6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		return host_parse(AF_INET6, span_from(host, 1), &in6->sin6_addr);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	return host_parse(AF_INET, host, &in->sin_addr);
}

static void
domain_take(struct span recipient, char *domain)
{
	size_t at = recipient.n;

	domain[0] = '\0';
	while (at > 0 && recipient.p[at - 1] != '@')
		at--;
	struct span s = span_from(recipient, at);
	if (at == 0 || s.n > EVENT_DOMAIN_MAX)
		return;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_print(s.p[i]) || s.p[i] == ' ')
			return;
	}
	for (size_t i = 0; i < s.n; i++)
		domain[i] = to_lower(s.p[i]);
	domain[s.n] = '\0';
}

/* Behind the session: rdns|fcrdns|from|to.  smtpd checks the form of rdns as little as DNS does. */
static enum event_kind
connect_parse(struct span rest, struct event *event)
{
	struct span to = field_take_last(&rest), from = field_take_last(&rest);

	if (rest.n == 0 || !address_parse(from, &event->from) || !address_parse(to, &event->to))
		return EVENT_MALFORMED;
	return EVENT_CONNECT;
}

static enum event_kind
auth_parse(struct span rest, int version, struct event *event)
{
	struct span result;

	if (version > VERSION_SWAPPED)
		return EVENT_OTHER;
	if (span_find(rest, '|') == rest.n)
		return EVENT_MALFORMED;
	result = version == VERSION_SWAPPED ? field_take(&rest) : field_take_last(&rest);
	event->user = rest;
	event->is_passed = span_is(result, "pass");
	return event->is_passed || span_is(result, "fail") || span_is(result, "error")
		   ? EVENT_AUTH
		   : EVENT_MALFORMED;
}

static enum event_kind
message_parse(struct span *rest, struct event *event)
{
	uint64_t message;

	if (!hex_parse(field_take(rest), 8, &message))
		return EVENT_MALFORMED;
	event->message = (uint32_t)message;
	return EVENT_BEGIN;
}

static enum event_kind
envelope_parse(struct span rest, struct event *event)
{
	if (message_parse(&rest, event) == EVENT_MALFORMED ||
	    !hex_parse(field_take(&rest), 16, &event->envelope))
		return EVENT_MALFORMED;
	return EVENT_ENVELOPE;
}

/* Behind the direction: name|session[|...] */
static enum event_kind
report_parse(struct span rest, int version, struct event *event)
{
	struct span name = field_take(&rest);

	if (!hex_parse(field_take(&rest), 16, &event->session))
		return EVENT_MALFORMED;
	if (span_is(name, "link-connect"))
		return connect_parse(rest, event);
	if (span_is(name, "link-auth"))
		return auth_parse(rest, version, event);
	if (span_is(name, "link-disconnect"))
		return EVENT_DISCONNECT;
	if (span_is(name, "tx-begin"))
		return message_parse(&rest, event);
	if (span_is(name, "tx-envelope"))
		return envelope_parse(rest, event);
	return EVENT_OTHER;
}

/*
 * Behind the direction: phase|session|token|parameter.  Lines of a message have an answer of
 * another kind, and smtpd ends when it gets a common one.
 */
static enum event_kind
question_parse(struct span rest, struct event *event)
{
	struct span phase = field_take(&rest);

	if (!hex_parse(field_take(&rest), 16, &event->session) ||
	    !hex_parse(field_take(&rest), 16, &event->token))
		return EVENT_MALFORMED;
	if (span_is(phase, "data-line"))
		return EVENT_OTHER;
	if (!span_is(phase, "rcpt-to"))
		return EVENT_QUESTION;
	event->recipient = rest;
	domain_take(rest, event->domain);
	return EVENT_RCPT;
}

/* Behind "filter|" or "report|": version|time|direction|... */
static enum event_kind
spoken_parse(struct span rest, bool is_question, struct event *event)
{
	int version = version_parse(field_take(&rest));
	(void)field_take(&rest); /* the time */
	struct span direction = field_take(&rest);

	if (version <= 0)
		return version < 0 ? EVENT_MALFORMED : EVENT_OTHER;
	if (span_is(direction, "smtp-in"))
		event->direction = EVENT_IN;
	else if (span_is(direction, "smtp-out"))
		event->direction = EVENT_OUT;
	else
		return EVENT_OTHER;
	return is_question ? question_parse(rest, event) : report_parse(rest, version, event);
}

static enum event_kind
config_parse(struct span rest, struct event *event)
{
	if (span_is(rest, "ready"))
		return EVENT_READY;
	event->key = field_take(&rest);
	event->value = rest;
	return event->key.n == 0 ? EVENT_MALFORMED : EVENT_CONFIG;
}

void
event_parse(struct span line, struct event *event)
{
	struct span rest = line, word = field_take(&rest);

	memset(event, 0, sizeof *event);
	if (word.n == line.n)
		event->kind = EVENT_MALFORMED;
	else if (span_is(word, "config"))
		event->kind = config_parse(rest, event);
	else if (span_is(word, "filter") || span_is(word, "report"))
		event->kind = spoken_parse(rest, span_is(word, "filter"), event);
	else
		event->kind = EVENT_OTHER;
}

void
event_put_register(struct buf *out)
{
	buf_puts(out, "register|filter|smtp-in|rcpt-to\n"
		      "register|report|smtp-in|link-connect\n"
		      "register|report|smtp-in|link-auth\n"
		      "register|report|smtp-in|link-disconnect\n"
		      "register|report|smtp-out|link-connect\n"
		      "register|report|smtp-out|tx-begin\n"
		      "register|report|smtp-out|tx-envelope\n"
		      "register|report|smtp-out|link-disconnect\n"
		      "register|ready\n");
}

static void
result_put(struct buf *out, uint64_t session, uint64_t token)
{
	buf_printf(out, "filter-result|%016llx|%016llx|", (unsigned long long)session,
	    (unsigned long long)token);
}

void
event_put_proceed(struct buf *out, uint64_t session, uint64_t token)
{
	result_put(out, session, token);
	buf_puts(out, "proceed\n");
}

static void
text_put(struct buf *out, const char *text, size_t max)
{
	for (size_t i = 0; i < max && text[i] != '\0'; i++)
		buf_putc(out, is_print(text[i]) ? text[i] : '?');
}

void
event_put_reject(struct buf *out, uint64_t session, uint64_t token, unsigned code,
    const char *enhanced, const char *text)
{
	result_put(out, session, token);
	buf_printf(out, "reject|%u ", code < 400 || code > 599 || code == 421 ? 451 : code);
	text_put(out, enhanced, 12);
	buf_putc(out, ' ');
	text_put(out, text, REPLY_TEXT_MAX_N);
	buf_putc(out, '\n');
}
