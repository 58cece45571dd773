/* SPDX-License-Identifier: ISC
 *
 * UTF-8.  RFC 3629 4: the second octet's range depends on the first.
 */
#include "parse/utf8.h"

static const struct {
	unsigned char first, last; /* of the first octet */
	unsigned char second_first, second_last;
	unsigned char n; /* octets */
} forms[] = {
	{ 0x00, 0x7f, 0, 0, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool
is_between(char c, unsigned char first, unsigned char last)
{
	return (unsigned char)c >= first && (unsigned char)c <= last;
}

size_t
utf8_take(struct span s)
{
	size_t i = 0;

	while (i < sizeof forms / sizeof forms[0] && s.n != 0 &&
	       !is_between(s.p[0], forms[i].first, forms[i].last))
		i++;
	if (s.n == 0 || i == sizeof forms / sizeof forms[0] || forms[i].n > s.n)
		return 0;
	if (forms[i].n > 1 && !is_between(s.p[1], forms[i].second_first, forms[i].second_last))
		return 0;
	for (size_t at = 2; at < forms[i].n; at++) {
		if (!is_between(s.p[at], 0x80, 0xbf))
			return 0;
	}
	return forms[i].n;
}
