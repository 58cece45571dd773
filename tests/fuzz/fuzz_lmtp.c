/* SPDX-License-Identifier: ISC
 *
 * A command line: what is taken has an address that is taken again, alone and as it was found.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/lmtp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = span_make((const char *)data, size);
	struct lmtp_command command, again;
	char text[LMTP_ADDRESS_MAX + 16];

	const struct lmtp_refusal *refusal = lmtp_parse(line, &command);
	if (refusal != NULL) {
		assert(refusal->code >= 500 && refusal->code < 600);
		return 0;
	}
	if (command.verb != LMTP_MAIL && command.verb != LMTP_RCPT)
		return 0;
	assert(command.address.n <= LMTP_ADDRESS_MAX);
	assert((command.address.n == 0) == (command.domain.n == 0));
	int n = snprintf(text, sizeof text, "%s:<%.*s>",
	    command.verb == LMTP_MAIL ? "MAIL FROM" : "RCPT TO", (int)command.address.n,
	    command.address.p);
	assert(lmtp_parse(span_make(text, (size_t)n), &again) == NULL);
	assert(span_eq(again.address, command.address) && span_eq(again.domain, command.domain));
	return 0;
}
