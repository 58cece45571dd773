/* SPDX-License-Identifier: ISC
 *
 * What a client of the socket map sends: each netstring that is taken is written the same again,
 * and a key's domain is a name that the same key, asked again by that name, means.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "socketmap/netstring.h"
#include "socketmap/request.h"
#include "socketmap/verdict.h"

static void
key_take(struct span payload)
{
	struct domain domain, again;
	struct verdict_request verdict;
	struct request request;

	if (request_parse(payload, &request) != 0)
		return;
	(void)verdict_parse(request.key, &verdict);
	if (!request_domain(request.key, &domain))
		return;
	assert(request_domain(domain_span(&domain), &again) && domain_eq(&domain, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size), payload, before = in;
	char text[REQUEST_MAX + NETSTRING_HEAD + 2];
	struct parse_error error = { .why = NULL };
	struct buf out;
	int r;

	while ((r = netstring_next(&in, REQUEST_MAX, &payload, &error)) == 1) {
		buf_init(&out, text, sizeof text);
		netstring_format(&out, payload);
		assert(!out.full && out.n == (size_t)(in.p - before.p));
		assert(memcmp(out.p, before.p, out.n) == 0);
		key_take(payload);
		before = in;
	}
	assert(in.p == before.p && in.n == before.n);
	assert(r == 0 || (error.why != NULL && error.at <= in.n));
	return 0;
}
