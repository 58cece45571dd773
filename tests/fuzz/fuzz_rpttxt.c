/* SPDX-License-Identifier: ISC
 *
 * Lines are the records of a set.  What leaves the parser goes into headers and requests: it is
 * printable ASCII with a host that is a name.
 */
#include "parse/rpttxt.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void
target_check(const struct rpttxt_target *target)
{
	struct domain host;

	for (const char *p = target->text; *p != '\0'; p++) {
		if (!is_print(*p) || (*p == ' ' && target->scheme != RPTTXT_MAILTO))
			abort();
	}
	if (domain_parse(domain_span(&target->host), DOMAIN_STRICT, &host) != 0)
		abort();
	if (target->scheme == RPTTXT_MAILTO ? target->text[0] == '-' || target->text[0] == '@'
					    : target->text[0] != '/' || target->port == 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rpttxt record;
	struct span rest = span_make((const char *)data, size), records[4];
	struct parse_error error = { 0 };
	size_t n = 0;

	for (; n < 4 && rest.n != 0; n++) {
		records[n] = span_make(rest.p, span_find(rest, '\n'));
		rest = span_from(rest, records[n].n + 1);
	}
	if (rpttxt_parse(records, n, NULL, &record, &error) != 0) {
		if (error.why == NULL)
			abort();
		return 0;
	}
	for (size_t i = 0; i < record.n; i++)
		target_check(&record.target[i]);
	return 0;
}
