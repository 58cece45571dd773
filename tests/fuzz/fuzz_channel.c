/* SPDX-License-Identifier: ISC
 *
 * A packet of the channel: what is read is written octet for octet as it was.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/channel.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char octets[CHANNEL_MAX + 1];
	struct channel_message message;
	struct buf out;

	if (channel_parse(span_make((const char *)data, size), &message) != 0)
		return 0;
	buf_init(&out, octets, sizeof octets);
	channel_format(&out, &message);
	assert(!out.full && out.n == size && memcmp(out.p, data, size) == 0);
	return 0;
}
