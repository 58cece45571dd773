/* SPDX-License-Identifier: ISC
 *
 * From the TXT RRset to the one record that counts.  RFC 8461 3.1, RFC 8460 3.
 */
#include "parse/txtset.h"

#include <string.h>

int
txtset_join(struct span rdata, char *storage, struct span *text)
{
	size_t used = 0;

	while (rdata.n != 0) {
		size_t n = (unsigned char)rdata.p[0];
		rdata = span_from(rdata, 1);
		if (n > rdata.n)
			return -1;
		if (n != 0)
			memcpy(storage + used, rdata.p, n);
		used += n;
		rdata = span_from(rdata, n);
	}
	*text = span_make(storage, used);
	return 0;
}

static bool
has_version(struct span record, const char *version)
{
	if (!span_begins(record, version))
		return false;
	struct span rest = span_trim_wsp(span_from(record, span_of(version).n));
	return rest.n != 0 && rest.p[0] == ';';
}

size_t
txtset_count(
    const struct span *records, size_t n, const char *version, size_t *index, size_t *after)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (!has_version(records[i], version))
			continue;
		if (count == 0) {
			*index = i;
			*after = span_of(version).n;
		}
		count++;
	}
	return count;
}
