/* SPDX-License-Identifier: ISC
 *
 * Spans: comparisons and numbers over borrowed octets.  Classes are tables, so that neither
 * locale nor the sign of char plays a part.
 */
#include "base/span.h"

#include <string.h>

enum { ALPHA = 1, DIGIT = 2, WSP = 4, PRINT = 8 };

static unsigned
class_of(char c)
{
	unsigned char u = (unsigned char)c;
	unsigned class = u >= 0x20 && u <= 0x7e ? PRINT : 0;

	if ((u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z'))
		class |= ALPHA;
	if (u >= '0' && u <= '9')
		class |= DIGIT;
	if (u == ' ' || u == '\t')
		class |= WSP;
	return class;
}

bool
is_alpha(char c)
{
	return (class_of(c) & ALPHA) != 0;
}

bool
is_digit(char c)
{
	return (class_of(c) & DIGIT) != 0;
}

bool
is_alnum(char c)
{
	return (class_of(c) & (ALPHA | DIGIT)) != 0;
}

bool
is_wsp(char c)
{
	return (class_of(c) & WSP) != 0;
}

bool
is_print(char c)
{
	return (class_of(c) & PRINT) != 0;
}

char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

struct span
span_of(const char *cstring)
{
	return (struct span){ cstring, strlen(cstring) };
}

struct span
span_make(const char *p, size_t n)
{
	return (struct span){ p, n };
}

bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_eq_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (to_lower(a.p[i]) != to_lower(b.p[i]))
			return false;
	}
	return true;
}

bool
span_is(struct span s, const char *cstring)
{
	return span_eq(s, span_of(cstring));
}

bool
span_begins(struct span s, const char *prefix)
{
	struct span head = span_of(prefix);
	return s.n >= head.n && span_eq(span_make(s.p, head.n), head);
}

struct span
span_from(struct span s, size_t i)
{
	if (i > s.n)
		i = s.n;
	return s.n == 0 ? s : span_make(s.p + i, s.n - i);
}

struct span
span_trim_wsp(struct span s)
{
	while (s.n > 0 && is_wsp(s.p[0]))
		s = span_from(s, 1);
	while (s.n > 0 && is_wsp(s.p[s.n - 1]))
		s.n--;
	return s;
}

size_t
span_find(struct span s, char c)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);
	return at == NULL ? s.n : (size_t)(at - s.p);
}

int
span_u64(struct span s, unsigned max_digits, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > max_digits)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return -1;
		unsigned digit = (unsigned)(s.p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	if (v > max)
		return -1;
	*value = v;
	return 0;
}
