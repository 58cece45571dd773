/* SPDX-License-Identifier: ISC
 *
 * The key of a request.  All of it but the MX name and the next hop is sendmail's own words,
 * and none of it has a slash of its own: what has is not as the ruleset makes it.
 */
#include "socketmap/verdict.h"

#include <arpa/inet.h>
#include <string.h>

enum { FIELDS = 10, DIGITS = 10, WORD_MAX = 24, ID_MAX = 32 };

/* By place. */
enum field {
	FIELD_PROCESS,
	FIELD_SESSION,
	FIELD_ID,
	FIELD_VERIFY,
	FIELD_NAMED,
	FIELD_VERSION,
	FIELD_ADDRESS,
	FIELD_MX,
	FIELD_HOP,
	FIELD_END
};

/* The words between the slashes: exactly FIELDS of them. */
static int
split(struct span rest, struct span fields[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		size_t n = span_find(rest, '/');
		if ((n == rest.n) != (i == FIELDS - 1))
			return -1;
		fields[i] = span_make(rest.p, n);
		rest = span_from(rest, n + 1);
	}
	return span_is(fields[FIELD_END], "end") ? 0 : -1;
}

static bool
is_word(struct span s, size_t max)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '_' && s.p[i] != '-')
			return false;
	}
	return s.n <= max;
}

/* "IPv6:2001:db8::1" as sendmail writes it, or IPv4.  False: no address. */
static bool
address_parse(struct span s, char out[INET6_ADDRSTRLEN])
{
	bool is_six = s.n > 5 && span_eq_nocase(span_make(s.p, 5), span_of("IPv6:"));
	unsigned char in[16];

	if (is_six)
		s = span_from(s, 5);
	if (s.n >= INET6_ADDRSTRLEN)
		return false;
	buf_keep(out, INET6_ADDRSTRLEN, s);
	return inet_pton(is_six ? AF_INET6 : AF_INET, out, in) == 1;
}

/* "[mx.example.net]" without the brackets. */
static struct span
unbracket(struct span s)
{
	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		return span_make(s.p + 1, s.n - 2);
	return s;
}

/* The end of the next host of a list such as mailertable takes: "[a.example]:b.example". */
static size_t
host_end(struct span list)
{
	size_t i = 0;

	if (list.n != 0 && list.p[0] == '[')
		i = span_find(list, ']');
	while (i < list.n && list.p[i] != ':' && list.p[i] != ',')
		i++;
	return i;
}

/*
 * RFC 8461 3.4: mail that is routed to a smart host is under the policy of the smart host's domain.
 * Of a list of hosts, the one that this is; where none is, it cannot be told whose host this is.
 */
static int
hop_parse(struct span hop, struct verdict_request *request)
{
	size_t n = host_end(hop);
	char address[INET6_ADDRSTRLEN];
	struct domain mx;

	if (n == hop.n) {
		hop = unbracket(hop);
		request->has_domain = !address_parse(hop, address);
		return request->has_domain ? domain_parse(hop, DOMAIN_UNDERSCORE, &request->domain)
					   : 0;
	}
	if (domain_parse(span_of(request->mx), DOMAIN_UNDERSCORE, &mx) != 0)
		return -1;
	for (; hop.n != 0; hop = span_from(hop, n + 1)) {
		n = host_end(hop);
		if (domain_parse(
			unbracket(span_make(hop.p, n)), DOMAIN_UNDERSCORE, &request->domain) != 0 ||
		    !domain_eq(&request->domain, &mx))
			continue;
		request->has_domain = true;
		return 0;
	}
	return -1;
}

static int
mx_parse(struct span name, struct verdict_request *request)
{
	char address[INET6_ADDRSTRLEN];
	struct domain host;

	name = unbracket(name);
	if (address_parse(name, address)) {
		buf_keep(request->mx, sizeof request->mx, span_of(address));
		return 0;
	}
	if (domain_parse(name, DOMAIN_UNDERSCORE, &host) != 0)
		return -1;
	buf_keep(request->mx, sizeof request->mx, domain_span(&host));
	return 0;
}

/* The words that sendmail puts there itself. */
static int
words_parse(const struct span fields[FIELDS], struct verdict_request *request)
{
	uint64_t process;

	if (span_u64(fields[FIELD_PROCESS], DIGITS, UINT32_MAX, &process) != 0)
		return -1;
	if (fields[FIELD_SESSION].n != 0 &&
	    span_u64(fields[FIELD_SESSION], DIGITS, UINT32_MAX, &request->session) != 0)
		return -1;
	if (fields[FIELD_ID].n == 0 || !is_word(fields[FIELD_ID], ID_MAX) ||
	    !is_word(fields[FIELD_VERIFY], WORD_MAX) || !is_word(fields[FIELD_VERSION], WORD_MAX))
		return -1;
	request->is_named = span_is(fields[FIELD_NAMED], "SAN");
	if (!request->is_named && !span_is(fields[FIELD_NAMED], "NOSAN") &&
	    !span_is(fields[FIELD_NAMED], "-"))
		return -1;
	request->attempt = fields[FIELD_PROCESS];
	request->id = fields[FIELD_ID];
	request->verify = fields[FIELD_VERIFY];
	request->version = fields[FIELD_VERSION];
	return 0;
}

static int
kind_parse(struct span *rest, enum verdict_kind *kind)
{
	size_t n = span_find(*rest, '/');
	struct span word = span_make(rest->p, n);

	if (span_is(word, "rcpt"))
		*kind = VERDICT_RCPT;
	else if (span_is(word, "server"))
		*kind = VERDICT_SERVER;
	else
		return -1;
	*rest = span_from(*rest, n + 1);
	return 0;
}

int
verdict_parse(struct span key, struct verdict_request *request)
{
	struct verdict_request made = { .kind = VERDICT_RCPT };
	struct span fields[FIELDS];
	char address[INET6_ADDRSTRLEN] = "";

	if (key.n > VERDICT_KEY || kind_parse(&key, &made.kind) != 0 || split(key, fields) != 0 ||
	    words_parse(fields, &made) != 0 || mx_parse(fields[FIELD_MX], &made) != 0 ||
	    hop_parse(fields[FIELD_HOP], &made) != 0)
		return -1;
	if (fields[FIELD_ADDRESS].n != 0 && !address_parse(fields[FIELD_ADDRESS], address))
		return -1;
	buf_keep(made.mx_ip, sizeof made.mx_ip, span_of(address));
	*request = made;
	return 0;
}
