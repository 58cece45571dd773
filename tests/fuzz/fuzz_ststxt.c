/* SPDX-License-Identifier: ISC
 *
 * Lines are the records of a set; the whole is also an RDATA.  An id is read back as the same.
 */
#include "parse/ststxt.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "parse/txtset.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size), text, records[4];
	struct parse_error error;
	struct ststxt record, again;
	char storage[4096], formatted[64];
	struct buf out;
	size_t n = 0;

	if (size <= sizeof storage && txtset_join(rest, storage, &text) == 0)
		(void)ststxt_parse(&text, 1, NULL, &record, &error);
	for (; n < 4 && rest.n != 0; n++) {
		records[n] = span_make(rest.p, span_find(rest, '\n'));
		rest = span_from(rest, records[n].n + 1);
	}
	if (ststxt_parse(records, n, NULL, &record, &error) != 0)
		return 0;
	buf_init(&out, formatted, sizeof formatted);
	ststxt_format(&record, &out);
	text = span_make(out.p, out.n);
	if (ststxt_parse(&text, 1, NULL, &again, &error) != 0 || strcmp(record.id, again.id) != 0)
		abort();
	return 0;
}
