/* SPDX-License-Identifier: ISC
 *
 * First line the pattern, second the host: a match has the same end, and as many labels.
 */
#include "parse/mxmatch.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static size_t
labels(const char *name)
{
	size_t n = 1;

	for (; *name != '\0'; name++)
		n += *name == '.' ? 1 : 0;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size);
	struct span value = span_make(in.p, span_find(in, '\n'));
	char storage[MXPATTERN_MAX + 1];
	struct mxpattern pattern;
	struct domain host;
	const char *why = NULL;
	unsigned slips;

	enum mxmatch_kind kind = mxmatch_parse(value, storage, &pattern, &slips, &why);
	if ((kind == MXMATCH_INVALID) != (why != NULL))
		abort();
	if (kind != MXMATCH_NAME ||
	    domain_parse(span_from(in, value.n + 1), DOMAIN_UNDERSCORE, &host) != 0 ||
	    !mxmatch_holds(&pattern, &host))
		return 0;
	const char *end = strchr(host.name, '.');
	if (labels(pattern.name) != labels(host.name) ||
	    strcmp(pattern.is_wildcard ? pattern.name + 1 : pattern.name,
		pattern.is_wildcard ? end : host.name) != 0)
		abort();
	return 0;
}
