/* SPDX-License-Identifier: ISC
 *
 * What smtpd sends, octet by octet, into lines that mean the same to everybody (RFC 5321 2.3.8,
 * 4.5.2).  Lines are not cut, however long: smtpd passes them, and the MX host may judge (4.5.3.1.6
 * is the least that it takes, not the most).
 */
#include "opensmtpd/proto/body.h"

#include <string.h>

static bool
is_plain(char c)
{
	return c != '\r' && c != '\n' && c != '\0';
}

/* Within a line, or as its first octet when that is no dot. */
static size_t
put_text(struct body *body, char c, char *out)
{
	body->state = BODY_TEXT;
	if (c == '\r') {
		body->state = BODY_CR;
		return 0;
	}
	*out = is_plain(c) ? c : ' ';
	return 1;
}

static size_t
put_blank_and_text(struct body *body, char c, char *out)
{
	*out = ' ';
	return 1 + put_text(body, c, out + 1);
}

static size_t
put_end_of_line(struct body *body, char *out)
{
	body->state = BODY_LINE;
	out[0] = '\r';
	out[1] = '\n';
	return 2;
}

/* RFC 5321 4.5.2: a dot before other characters is taken away; one more of it is put there. */
static size_t
put_after_dot(struct body *body, char c, char *out)
{
	if (c == '\r') {
		body->state = BODY_DOT_CR;
		return 0;
	}
	if (c != '.')
		return put_text(body, c, out);
	body->state = BODY_TEXT;
	out[0] = out[1] = '.';
	return 2;
}

static size_t
put(struct body *body, char c, char *out)
{
	switch (body->state) {
	case BODY_LINE:
		if (c != '.')
			return put_text(body, c, out);
		body->state = BODY_DOT;
		return 0;
	case BODY_TEXT:
		return put_text(body, c, out);
	case BODY_CR:
		return c == '\n' ? put_end_of_line(body, out) : put_blank_and_text(body, c, out);
	case BODY_DOT:
		return put_after_dot(body, c, out);
	case BODY_DOT_CR:
		if (c != '\n')
			return put_blank_and_text(body, c, out);
		body->state = BODY_END;
		return 0;
	case BODY_END:
		return 0;
	}
	return 0;
}

size_t
body_take(struct body *body, struct span *in, char *out)
{
	size_t i = 0, n = 0;

	while (i < in->n && body->state != BODY_END) {
		size_t from = i;
		if (body->state == BODY_TEXT)
			while (i < in->n && is_plain(in->p[i]))
				i++;
		if (i > from) {
			memcpy(out + n, in->p + from, i - from);
			n += i - from;
		} else {
			n += put(body, in->p[i++], out + n);
		}
	}
	*in = span_from(*in, i);
	return n;
}

bool
body_is_end(const struct body *body)
{
	return body->state == BODY_END;
}
