/* SPDX-License-Identifier: ISC
 *
 * Names, checked once.  RFC 1035 2.3.4 for the sizes, RFC 5321 4.1.2 (Domain) for the letters.
 */
#include "base/domain.h"

#include <string.h>

#include "mtasts.h"

enum { LABEL_MAX = 63 };

static bool
is_name_char(char c, unsigned flags)
{
	return is_alnum(c) || c == '-' || (c == '_' && (flags & DOMAIN_UNDERSCORE) != 0);
}

static bool
is_label(struct span label, unsigned flags)
{
	if (label.n == 0 || label.n > LABEL_MAX)
		return false;
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++) {
		if (!is_name_char(label.p[i], flags))
			return false;
	}
	return true;
}

static bool
is_number(struct span label)
{
	for (size_t i = 0; i < label.n; i++) {
		if (!is_digit(label.p[i]))
			return false;
	}
	return true;
}

int
domain_parse(struct span s, unsigned flags, struct domain *domain)
{
	struct span rest, label;

	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || s.n > DOMAIN_MAX)
		return MTASTS_ENAME;
	for (rest = s;; rest = span_from(rest, label.n + 1)) {
		label = span_make(rest.p, span_find(rest, '.'));
		if (!is_label(label, flags))
			return MTASTS_ENAME;
		if (label.n == rest.n)
			break;
	}
	if (is_number(label)) /* 192.0.2.1: no top level domain is a number (RFC 3696 2) */
		return MTASTS_ENAME;

	for (size_t i = 0; i < s.n; i++)
		domain->name[i] = to_lower(s.p[i]);
	domain->name[s.n] = '\0';
	domain->n = (unsigned char)s.n;
	return 0;
}

bool
domain_eq(const struct domain *a, const struct domain *b)
{
	return span_eq(domain_span(a), domain_span(b));
}

struct span
domain_span(const struct domain *domain)
{
	return span_make(domain->name, domain->n);
}

int
domain_under(const char *prefix, const struct domain *domain, struct domain *out)
{
	char name[DOMAIN_MAX + 1];
	size_t n = strlen(prefix);

	if (n + 1 + domain->n > DOMAIN_MAX)
		return MTASTS_ENAME;
	memcpy(name, prefix, n);
	name[n] = '.';
	memcpy(name + n + 1, domain->name, domain->n);
	return domain_parse(span_make(name, n + 1 + domain->n), DOMAIN_UNDERSCORE, out);
}
