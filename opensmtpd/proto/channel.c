/* SPDX-License-Identifier: ISC
 *
 * The worker speaks with strangers, so what comes from it is read as strictly as if it were one.
 */
#include "opensmtpd/proto/channel.h"

#include <netinet/in.h>
#include <string.h>

enum { END_OCTETS = 19 };

/* ---- reading ---- */

/* n octets, or false and nothing is taken. */
static bool
take(struct span *in, void *out, size_t n)
{
	if (in->n < n)
		return false;
	memcpy(out, in->p, n);
	*in = span_from(*in, n);
	return true;
}

static bool
take_number(struct span *in, size_t octets, uint64_t *value)
{
	uint8_t bytes[8];

	if (!take(in, bytes, octets))
		return false;
	*value = 0;
	for (size_t i = 0; i < octets; i++)
		*value = *value << 8 | bytes[i];
	return true;
}

static bool
take_end(struct span *in, struct sockaddr_storage *end)
{
	static const uint8_t zeros[12] = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)end;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)end;
	uint8_t octets[END_OCTETS];

	if (!take(in, octets, sizeof octets))
		return false;
	memset(end, 0, sizeof *end);
	if (octets[0] == 4) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, octets + 1, 4);
		memcpy(&v4->sin_port, octets + 17, 2);
		return memcmp(octets + 5, zeros, sizeof zeros) == 0;
	}
	v6->sin6_family = AF_INET6;
	memcpy(&v6->sin6_addr, octets + 1, 16);
	memcpy(&v6->sin6_port, octets + 17, 2);
	return octets[0] == 6;
}

static bool
take_text(struct span *in, size_t n, char *out, size_t cap)
{
	if (n > in->n || n >= cap)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_print(in->p[i]))
			return false;
	}
	buf_keep(out, cap, span_make(in->p, n));
	*in = span_from(*in, n);
	return true;
}

static bool
take_domain(struct span *in, struct domain *domain)
{
	struct span name = *in;

	if (domain_parse(name, DOMAIN_UNDERSCORE, domain) != 0)
		return false;
	*in = span_from(name, name.n);
	return span_eq(name, domain_span(domain)); /* lower case, no final dot */
}

static bool
take_answer(struct span *in, struct channel_message *m)
{
	uint64_t code, n;

	if (!take_number(in, 2, &code) || !take_number(in, 1, &n))
		return false;
	m->code = (unsigned)code;
	if (code == 0)
		return n == 0;
	return code >= 400 && code <= 599 && take_text(in, n, m->enhanced, sizeof m->enhanced) &&
	       take_text(in, in->n, m->text, sizeof m->text);
}

static bool
take_rest(struct span *in, struct channel_message *m)
{
	switch (m->kind) {
	case CHANNEL_CONNECT:
		return take_end(in, &m->from) && take_end(in, &m->to);
	case CHANNEL_BEGIN:
	case CHANNEL_DISCONNECT:
	case CHANNEL_PING:
	case CHANNEL_LEAVE:
		return true;
	case CHANNEL_ENVELOPE:
		return take_number(in, 8, &m->envelope);
	case CHANNEL_QUESTION:
		return take_domain(in, &m->domain);
	case CHANNEL_ANSWER:
		return take_answer(in, m);
	}
	return false;
}

int
channel_parse(struct span packet, struct channel_message *message)
{
	struct channel_message m = { 0 };
	uint8_t kind;

	if (!take(&packet, &kind, 1) || memchr("CBEDQPLA", kind, 8) == NULL ||
	    !take_number(&packet, 8, &m.id))
		return -1;
	m.kind = (enum channel_kind)kind;
	if (!take_rest(&packet, &m) || packet.n != 0)
		return -1;
	*message = m;
	return 0;
}

/* ---- writing ---- */

static void
put_number(struct buf *out, size_t octets, uint64_t value)
{
	while (octets-- > 0)
		buf_putc(out, (char)(value >> (8 * octets) & 0xff));
}

static void
put_end(struct buf *out, const struct sockaddr_storage *end)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)end;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)end;
	char octets[END_OCTETS] = { 0 };

	if (end->ss_family == AF_INET) {
		octets[0] = 4;
		memcpy(octets + 1, &v4->sin_addr, 4);
		memcpy(octets + 17, &v4->sin_port, 2);
	} else {
		octets[0] = 6;
		memcpy(octets + 1, &v6->sin6_addr, 16);
		memcpy(octets + 17, &v6->sin6_port, 2);
	}
	buf_put(out, span_make(octets, sizeof octets));
}

static void
put_answer(struct buf *out, const struct channel_message *m)
{
	put_number(out, 2, m->code);
	if (m->code == 0) {
		put_number(out, 1, 0);
		return;
	}
	put_number(out, 1, strlen(m->enhanced));
	buf_puts(out, m->enhanced);
	buf_puts(out, m->text);
}

void
channel_format(struct buf *out, const struct channel_message *message)
{
	buf_putc(out, (char)message->kind);
	put_number(out, 8, message->id);
	switch (message->kind) {
	case CHANNEL_CONNECT:
		put_end(out, &message->from);
		put_end(out, &message->to);
		break;
	case CHANNEL_BEGIN:
	case CHANNEL_DISCONNECT:
	case CHANNEL_PING:
	case CHANNEL_LEAVE:
		break;
	case CHANNEL_ENVELOPE:
		put_number(out, 8, message->envelope);
		break;
	case CHANNEL_QUESTION:
		buf_put(out, domain_span(&message->domain));
		break;
	case CHANNEL_ANSWER:
		put_answer(out, message);
		break;
	}
}
