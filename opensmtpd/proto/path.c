/* SPDX-License-Identifier: ISC
 *
 * RFC 5321 4.1.2 and 4.1.3, with the UTF-8 of RFC 6531 3.3.
 */
#include "opensmtpd/proto/path.h"

#include <stddef.h>
#include <string.h>

#include "parse/utf8.h"

/* Octets of the character beyond ASCII that s begins with, or 0. */
static size_t
take_utf8(struct span s, bool *is_utf8)
{
	size_t n = s.n > 0 && (unsigned char)s.p[0] >= 0x80 ? utf8_take(s) : 0;

	if (n > 0)
		*is_utf8 = true;
	return n;
}

static bool
is_atext(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* RFC 5321 4.1.2, Dot-string.  Octets of it. */
static size_t
take_atoms(struct span in, bool *is_utf8)
{
	size_t i = 0, n = 1;

	for (; i < in.n && n > 0; i += n)
		n = is_atext(in.p[i]) || in.p[i] == '.' ? 1 : take_utf8(span_from(in, i), is_utf8);
	return i;
}

/* RFC 5321 4.1.2, Quoted-string, its quotes included.  0: it does not end, or holds controls. */
static size_t
take_quoted(struct span in, bool *is_utf8)
{
	size_t i = 1, n;

	while (i < in.n && in.p[i] != '"') {
		bool is_pair = in.p[i] == '\\';
		if (is_pair && ++i == in.n)
			return 0;
		n = is_print(in.p[i]) ? 1 : is_pair ? 0 : take_utf8(span_from(in, i), is_utf8);
		if (n == 0)
			return 0;
		i += n;
	}
	return i < in.n ? i + 1 : 0;
}

/* RFC 5321 4.1.3: what is in the brackets is the reader's affair. */
static size_t
take_literal(struct span in)
{
	size_t i = 1;

	while (i < in.n && is_print(in.p[i]) && strchr("[]\\<> ", in.p[i]) == NULL)
		i++;
	return i > 1 && i < in.n && in.p[i] == ']' ? i + 1 : 0;
}

/* Labels that are not empty, of letters, digits, '-' and '_'; more domain_parse() will say. */
static size_t
take_name(struct span in, bool *is_utf8)
{
	size_t i = 0, label = 0, n;

	for (; i < in.n; i += n) {
		char c = in.p[i];
		if (c == '.' && label == 0)
			return 0;
		n = c == '.' || c == '-' || c == '_' || is_alnum(c)
			? 1
			: take_utf8(span_from(in, i), is_utf8);
		if (n == 0)
			break;
		label = c == '.' ? 0 : label + n;
	}
	return label > 0 ? i : 0;
}

static size_t
take_domain(struct span in, bool *is_utf8)
{
	return in.n > 0 && in.p[0] == '[' ? take_literal(in) : take_name(in, is_utf8);
}

/* RFC 5321 4.1.2, A-d-l and its colon: "@relay.example,@other.example:". */
static int
skip_route(struct span *in)
{
	struct span rest = *in;
	bool is_utf8;

	if (rest.n == 0 || rest.p[0] != '@')
		return 0;
	for (;;) {
		if (rest.n == 0 || rest.p[0] != '@')
			return -1;
		rest = span_from(rest, 1);
		size_t n = take_domain(rest, &is_utf8);
		if (n == 0 || n == rest.n)
			return -1;
		char c = rest.p[n];
		rest = span_from(rest, n + 1);
		if (c == ':')
			break;
		if (c != ',')
			return -1;
	}
	*in = rest;
	return 0;
}

/* Mailbox: *in moves to what is behind it. */
static int
take_mailbox(struct span *in, struct path *path)
{
	bool is_quoted = in->n > 0 && in->p[0] == '"';
	size_t local =
	    is_quoted ? take_quoted(*in, &path->is_utf8) : take_atoms(*in, &path->is_utf8);

	if (local == 0 || local == in->n || in->p[local] != '@')
		return -1;
	struct span domain = span_from(*in, local + 1);
	domain.n = take_domain(domain, &path->is_utf8);
	if (domain.n == 0)
		return -1;
	path->address = span_make(in->p, local + 1 + domain.n);
	path->domain = domain;
	*in = span_from(*in, path->address.n);
	return 0;
}

int
path_take(struct span *in, struct path *path)
{
	struct path found = { .is_utf8 = false };
	struct span rest = *in;

	if (rest.n < 2 || rest.p[0] != '<')
		return -1;
	rest = span_from(rest, 1);
	if (rest.p[0] == '>')
		found.address = found.domain = span_make(rest.p, 0);
	else if (skip_route(&rest) != 0 || take_mailbox(&rest, &found) != 0)
		return -1;
	if (rest.n == 0 || rest.p[0] != '>')
		return -1;
	*in = span_from(rest, 1);
	*path = found;
	return 0;
}
