/* SPDX-License-Identifier: ISC
 *
 * Keys to domains.  What can be read only one way is read, the rest is no domain's name.
 */
#include "socketmap/request.h"

#include <string.h>

#include <idn2.h>

enum { SERVICE_MAX = 32 /* octets of a port or the name of a service */ };

int
request_parse(struct span payload, struct request *request)
{
	size_t n = span_find(payload, ' ');

	if (n == 0 || n == payload.n)
		return -1;
	request->map = span_make(payload.p, n);
	request->key = span_from(payload, n + 1);
	return 0;
}

static bool
is_service(struct span s)
{
	if (s.n == 0 || s.n > SERVICE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return true;
}

/* The host without brackets and port; false when it is not of that form. */
static bool
host_take(struct span key, struct span *host)
{
	bool has_bracket = span_begins(key, "[");
	struct span rest = span_from(key, has_bracket ? 1 : 0);
	size_t n = span_find(rest, has_bracket ? ']' : ':');

	*host = span_make(rest.p, n);
	if (has_bracket) {
		if (n == rest.n)
			return false;
		n++;
	}
	rest = span_from(rest, n);
	if (rest.n == 0)
		return true;
	return rest.p[0] == ':' && is_service(span_from(rest, 1));
}

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	}
	return true;
}

/* Of U-labels their A-labels (RFC 5891). */
static bool
utf8_domain(struct span host, struct domain *domain)
{
	char text[REQUEST_MAX + 1], *name = NULL;

	if (host.n >= sizeof text || memchr(host.p, '\0', host.n) != NULL)
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (idn2_to_ascii_8z(text, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	int r = domain_parse(span_of(name), DOMAIN_UNDERSCORE, domain);
	idn2_free(name);
	return r == 0;
}

bool
request_domain(struct span key, struct domain *domain)
{
	struct span host;

	for (size_t at; (at = span_find(key, '@')) < key.n;)
		key = span_from(key, at + 1);
	if (!host_take(key, &host))
		return false;
	if (is_ascii(host))
		return domain_parse(host, DOMAIN_UNDERSCORE, domain) == 0;
	return utf8_domain(host, domain);
}
