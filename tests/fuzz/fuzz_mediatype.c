/* SPDX-License-Identifier: ISC
 *
 * Content-Type: a parameter more changes nothing.
 */
#include "parse/mediatype.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char longer[512];

	bool is_plain = mediatype_is_text_plain(span_make((const char *)data, size));
	if (size + 4 > sizeof longer)
		return 0;
	if (size != 0)
		memcpy(longer, data, size);
	memcpy(longer + size, ";x=y", 4);
	if (mediatype_is_text_plain(span_make(longer, size + 4)) != is_plain)
		abort();
	return 0;
}
