/* SPDX-License-Identifier: ISC
 *
 * mx patterns.  RFC 8461 3.2 (["*."] Domain), 4.1 (MX host validation).
 */
#include "parse/mxmatch.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

enum { LABEL_MAX = 63 };

static bool
is_address_text(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* 192.0.2.1, 2001:db8::1, and as literals [192.0.2.1], [IPv6:2001:db8::1]. */
static bool
is_address(struct span value)
{
	char text[INET6_ADDRSTRLEN];

	if (value.n > 2 && value.p[0] == '[' && value.p[value.n - 1] == ']') {
		value = span_make(value.p + 1, value.n - 2);
		if (value.n > 5 && span_eq_nocase(span_make(value.p, 5), span_of("IPv6:")))
			value = span_from(value, 5);
	}
	if (value.n == 0 || value.n >= sizeof text || memchr(value.p, '\0', value.n) != NULL)
		return false;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	return is_address_text(text);
}

/* A last label of digits: by the letters a name, but no host can have it. */
static bool
ends_in_number(struct span name)
{
	size_t n = 0;

	while (n < name.n && is_digit(name.p[name.n - 1 - n]))
		n++;
	return n > 0 && (n == name.n || name.p[name.n - 1 - n] == '.');
}

/* All labels but the last are good: put a letter behind the number and ask again. */
static bool
is_name_but_for_number(struct span name)
{
	char text[DOMAIN_MAX + 1];
	struct domain unused;

	if (!ends_in_number(name) || name.n >= DOMAIN_MAX)
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = 'x';
	return domain_parse(span_make(text, name.n + 1), DOMAIN_UNDERSCORE, &unused) == 0;
}

/* Why a name that domain_parse() refused is none. */
static const char *
name_trouble(struct span name)
{
	if (name.n == 0)
		return "mx is empty";
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (c == '*')
			return "mx has '*' other than as its whole left-most label";
		if (is_wsp(c))
			return "mx has a blank in its name";
		if (!is_alnum(c) && c != '-' && c != '.' && c != '_')
			return "mx has an octet that is no letter, digit, '-' or '.'";
	}
	for (struct span rest = name;;) {
		size_t n = span_find(rest, '.');
		if (n == 0)
			return "mx has an empty label";
		if (n > LABEL_MAX)
			return "mx has a label over 63 octets";
		if (rest.p[0] == '-' || rest.p[n - 1] == '-')
			return "mx has a label that begins or ends with '-'";
		if (n == rest.n)
			break;
		rest = span_from(rest, n + 1);
	}
	return "mx is over 253 octets";
}

enum mxmatch_kind
mxmatch_parse(
    struct span value, char *storage, struct mxpattern *pattern, unsigned *slips, const char **why)
{
	struct domain domain;
	bool is_wildcard = span_begins(value, "*.");
	bool has_dot = value.n != 0 && value.p[value.n - 1] == '.';
	size_t n = value.n - (has_dot ? 1 : 0);

	if (is_address(value))
		return MXMATCH_ADDRESS;
	struct span name = is_wildcard ? span_from(value, 2) : value;
	if (has_dot && name.n != 0)
		name.n--;
	if (n > MXPATTERN_MAX || name.n == 0 || name.p[name.n - 1] == '.' ||
	    domain_parse(name, DOMAIN_UNDERSCORE, &domain) != 0) {
		if (n <= MXPATTERN_MAX && is_name_but_for_number(name))
			return MXMATCH_ADDRESS;
		*why = name_trouble(name);
		return MXMATCH_INVALID;
	}

	if (is_wildcard)
		memcpy(storage, "*.", 2);
	memcpy(storage + (is_wildcard ? 2 : 0), domain.name, (size_t)domain.n + 1);
	*pattern = (struct mxpattern){ storage, (unsigned char)n, is_wildcard };
	*slips = has_dot ? MXMATCH_SLIP_DOT : 0;
	if (span_find(domain_span(&domain), '_') < domain.n)
		*slips |= MXMATCH_SLIP_UNDERSCORE;
	return MXMATCH_NAME;
}

bool
mxmatch_holds(const struct mxpattern *pattern, const struct domain *host)
{
	struct span name = span_make(pattern->name, pattern->n);
	struct span rest = domain_span(host);

	if (!pattern->is_wildcard)
		return span_eq(name, rest);
	/* ".example.net" against what follows the left-most label; an empty one no struct domain
	 * has */
	return span_eq(span_from(name, 1), span_from(rest, span_find(rest, '.')));
}

bool
mxmatch_any(const struct mxpattern *patterns, size_t n, const struct domain *host)
{
	for (size_t i = 0; i < n; i++) {
		if (mxmatch_holds(&patterns[i], host))
			return true;
	}
	return false;
}
