/* SPDX-License-Identifier: ISC
 *
 * Blank-separated lists: every word is checked, and a list is taken whole or not at all.
 */
#include "base/conf_list.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

/* The next of blank-separated words: 1 taken, 0 end. */
static int
word_next(struct span *list, struct span *word)
{
	size_t end = 0;

	*list = span_trim_wsp(*list);
	while (end < list->n && !is_wsp(list->p[end]))
		end++;
	*word = span_make(list->p, end);
	*list = span_from(*list, end);
	return end != 0 ? 1 : 0;
}

/* ---- one prefix ---- */

/* All bits after the prefix are zero: "10.0.0.1/8" is more likely a slip than a wish. */
static bool
is_prefix_clean(const struct conf_prefix *prefix)
{
	for (unsigned bit = prefix->bits; bit < prefix->family_bits; bit++) {
		if ((prefix->address[bit / 8] & (0x80u >> bit % 8)) != 0)
			return false;
	}
	return true;
}

int
conf_prefix_parse(struct span s, struct conf_prefix *prefix)
{
	struct conf_prefix made = { .family_bits = 32 };
	char text[INET6_ADDRSTRLEN];
	size_t n = span_find(s, '/');
	uint64_t bits;

	if (n == 0 || n >= sizeof text || memchr(s.p, '\0', n) != NULL)
		return -1;
	memcpy(text, s.p, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, made.address) != 1) {
		made.family_bits = 128;
		if (inet_pton(AF_INET6, text, made.address) != 1)
			return -1;
	}
	bits = made.family_bits;
	if (n < s.n && span_u64(span_from(s, n + 1), 3, made.family_bits, &bits) != 0)
		return -1;
	made.bits = (uint8_t)bits;
	if (!is_prefix_clean(&made))
		return -1;
	*prefix = made;
	return 0;
}

bool
conf_prefix_holds(const struct conf_prefix *prefix, const uint8_t *address, size_t octets)
{
	size_t whole = prefix->bits / 8;
	unsigned rest = prefix->bits % 8;

	if (octets * 8 != prefix->family_bits || memcmp(prefix->address, address, whole) != 0)
		return false;
	return rest == 0 || ((prefix->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

/* ---- prefixes ---- */

const char *
conf_prefixes_parse(struct span value, struct conf_prefixes *prefixes)
{
	struct conf_prefixes made = { 0 };
	struct span word;

	while (word_next(&value, &word) == 1) {
		if (made.n == CONF_PREFIXES_MAX)
			return "too many prefixes";
		if (conf_prefix_parse(word, &made.prefixes[made.n]) != 0)
			return "not a list of address prefixes (192.0.2.0/24 2001:db8::/32)";
		made.n++;
	}
	*prefixes = made;
	return NULL;
}

void
conf_prefixes_format(struct buf *out, const struct conf_prefixes *prefixes)
{
	for (size_t i = 0; i < prefixes->n; i++) {
		const struct conf_prefix *prefix = &prefixes->prefixes[i];
		char text[INET6_ADDRSTRLEN] = "";
		int family = prefix->family_bits == 32 ? AF_INET : AF_INET6;
		inet_ntop(family, prefix->address, text, sizeof text);
		buf_printf(out, "%s%s/%u", i == 0 ? "" : " ", text, (unsigned)prefix->bits);
	}
}

bool
conf_prefixes_hold(const struct conf_prefixes *prefixes, const uint8_t *address, size_t octets)
{
	for (size_t i = 0; i < prefixes->n; i++) {
		if (conf_prefix_holds(&prefixes->prefixes[i], address, octets))
			return true;
	}
	return false;
}

/* ---- domains ---- */

const char *
conf_domains_parse(struct span value, struct conf_domains *domains)
{
	struct conf_domains made = { 0 };
	struct domain domain;
	struct span word;

	while (word_next(&value, &word) == 1) {
		if (domain_parse(word, DOMAIN_STRICT, &domain) != 0)
			return "not a list of domains (example.net example.com)";
		if (domain.n + 1u > sizeof made.names - made.n)
			return "too many domains";
		memcpy(made.names + made.n, domain.name, domain.n);
		made.n += domain.n;
		made.names[made.n++] = ' ';
	}
	*domains = made;
	return NULL;
}

void
conf_domains_format(struct buf *out, const struct conf_domains *domains)
{
	if (domains->n != 0)
		buf_put(out, span_make(domains->names, domains->n - 1));
}

bool
conf_domains_hold(const struct conf_domains *domains, const struct domain *domain)
{
	struct span list = span_make(domains->names, domains->n), word;

	while (word_next(&list, &word) == 1) {
		if (span_eq(word, domain_span(domain)))
			return true;
	}
	return false;
}
