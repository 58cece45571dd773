/* SPDX-License-Identifier: ISC
 *
 * A line of the journal; what can be read is written the same and read the same again.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "report/record.h"

static char text[RECORD_LINE_MAX + 1], line[RECORD_LINE_MAX + 1], again[RECORD_LINE_MAX + 1];

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size);
	struct record record;
	struct parse_error error;
	struct buf out;

	if (record_parse(in, text, sizeof text, &record, &error) != 0)
		return 0;
	buf_init(&out, line, sizeof line);
	assert(record_format(&record, &out) == 0);
	assert(record_parse(span_of(line), text, sizeof text, &record, &error) == 0);
	buf_init(&out, again, sizeof again);
	assert(record_format(&record, &out) == 0);
	assert(strcmp(line, again) == 0);
	return 0;
}
