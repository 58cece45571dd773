/* SPDX-License-Identifier: ISC
 *
 * A date as such, and as the topmost Received's: the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/date.h"
#include "opensmtpd/proto/received.h"

static bool
is_plain(struct span s)
{
	return s.n < RECEIVED_DATE_MAX - 2 && span_find(s, '\n') == s.n && span_find(s, ';') == s.n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size);
	struct received received = { .state = RECEIVED_NAME };
	int64_t at = 0, alone = 0;

	received_take(&received, in);
	received_end(&received);
	assert(received_is_over(&received));
	int r = date_parse(in, &alone);
	if (r == 0)
		assert(alone > -100 * 3600 && alone < INT64_C(253402400000) + 100 * 3600);
	if (!is_plain(in))
		return 0;
	received = (struct received){ .state = RECEIVED_NAME };
	received_take(&received, span_of("Received: x;"));
	received_take(&received, in);
	received_take(&received, span_of("\r\n"));
	received_end(&received);
	assert(received_get(&received, &at) == (r == 0) && at == alone);
	return 0;
}
