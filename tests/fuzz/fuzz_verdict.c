/* SPDX-License-Identifier: ISC
 *
 * The key of a packaged sendmail: what is taken borrows from it, names a host and no more than one
 * domain, and is not taken when its end is cut off.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "socketmap/verdict.h"

static void
lies_within(struct span part, struct span key)
{
	assert(part.p >= key.p && part.p + part.n <= key.p + key.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span key = span_make((const char *)data, size);
	struct verdict_request request, cut;
	struct domain again;

	if (verdict_parse(key, &request) != 0)
		return 0;
	lies_within(request.attempt, key);
	lies_within(request.id, key);
	lies_within(request.verify, key);
	lies_within(request.version, key);
	assert(request.mx[0] != '\0' && strpbrk(request.mx, "/\"\\ %[]") == NULL);
	if (request.has_domain)
		assert(domain_parse(domain_span(&request.domain), DOMAIN_UNDERSCORE, &again) == 0);
	for (size_t n = 0; n < size; n++)
		assert(verdict_parse(span_make(key.p, n), &cut) != 0);
	return 0;
}
