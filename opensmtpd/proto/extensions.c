/* SPDX-License-Identifier: ISC
 *
 * EHLO keywords: any case, parameters behind a blank.
 */
#include "opensmtpd/proto/extensions.h"

static const struct {
	const char *keyword;
	enum extension extension;
} known[] = {
	{ "STARTTLS", EXTENSION_STARTTLS },
	{ "SIZE", EXTENSION_SIZE },
	{ "8BITMIME", EXTENSION_8BITMIME },
	{ "SMTPUTF8", EXTENSION_SMTPUTF8 },
	{ "PIPELINING", EXTENSION_PIPELINING },
	{ "DSN", EXTENSION_DSN },
	{ "ENHANCEDSTATUSCODES", EXTENSION_CODES },
};

void
extensions_add(struct extensions *extensions, struct span line)
{
	size_t end = span_find(line, ' ');
	struct span keyword = span_make(line.p, end);
	struct span parameter = span_trim_wsp(span_from(line, end));
	enum { DIGITS = 20 /* RFC 1870 4 */ };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!span_eq_nocase(keyword, span_of(known[i].keyword)))
			continue;
		extensions->offered |= known[i].extension;
		if (known[i].extension == EXTENSION_SIZE)
			(void)span_u64(parameter, DIGITS, UINT64_MAX, &extensions->size_limit);
	}
}
