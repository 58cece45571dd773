/* SPDX-License-Identifier: ISC
 *
 * SMTP replies of hosts.
 */
#include <assert.h>

#include "exim/reply.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span reply = span_make((const char *)data, size);
	struct span name = reply_name(reply);

	for (size_t i = 0; i < name.n; i++)
		assert(is_print(name.p[i]) && !is_wsp(name.p[i]));
	assert(name.n <= 255);
	assert(!reply_offers_starttls(reply) || size >= 13);
	return 0;
}
