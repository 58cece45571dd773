/* SPDX-License-Identifier: ISC
 *
 * Names: what comes out is read as the same.
 */
#include "base/domain.h"

#include <stdlib.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size);
	struct domain domain, again, under;

	for (unsigned flags = DOMAIN_STRICT; flags <= DOMAIN_UNDERSCORE; flags++) {
		if (domain_parse(in, flags, &domain) != 0)
			continue;
		if (domain_parse(domain_span(&domain), flags, &again) != 0 ||
		    !domain_eq(&domain, &again))
			abort();
		if (domain_under("_mta-sts", &domain, &under) == 0 && under.n != domain.n + 9)
			abort();
	}
	return 0;
}
