/* SPDX-License-Identifier: ISC
 *
 * The _mta-sts TXT record.  RFC 8461 3.1.
 */
#include "parse/ststxt.h"

#include <string.h>

#include "parse/taglist.h"
#include "parse/txtset.h"

static const char version[] = "v=STSv1";

/* NULL, or why the value of the first id is none.  RFC 8461 3.1: 1*32(ALPHA / DIGIT) */
static const char *
id_check(struct span value)
{
	if (value.n == 0)
		return "id is empty";
	for (size_t i = 0; i < value.n; i++) {
		if (!is_alnum(value.p[i]))
			return "id is not made of letters and digits";
	}
	if (value.n > LIMIT_ID)
		return "id has # characters";
	return NULL;
}

static int
id_take(const struct taglist *list, const struct tag *tag, struct ststxt *record,
    struct parse_error *error)
{
	const char *why = id_check(tag->value);

	if (why != NULL) {
		*error = taglist_error(list, tag->value_at, why);
		error->number = tag->value.n;
		return -1;
	}
	memcpy(record->id, tag->value.p, tag->value.n);
	record->id[tag->value.n] = '\0';
	return 0;
}

static int
fields_take(struct taglist *list, const struct reason_sink *warn, struct ststxt *record,
    struct parse_error *error)
{
	struct tag tag;
	bool has_id = false;
	int r;

	while ((r = taglist_next(list, warn, &tag, error)) == 1) {
		/* RFC 8461 3.2: of a repeated field the first counts, the others are like unknown
		 * ones */
		if (!has_id && span_is(tag.name, "id")) {
			r = id_take(list, &tag, record, error);
			has_id = true;
		} else {
			r = taglist_extension(list, warn, &tag, error);
		}
		if (r != 0)
			return r;
	}
	if (r == 0 && !has_id) {
		*error = taglist_error(list, list->record.n, "id is missing");
		return -1;
	}
	return r;
}

int
ststxt_parse(const struct span *records, size_t n, const struct reason_sink *warn,
    struct ststxt *record, struct parse_error *error)
{
	struct ststxt made;
	size_t index = 0, after = 0;
	size_t count = txtset_count(records, n, version, &index, &after);

	if (count != 1) {
		*error = (struct parse_error){ .number = count };
		error->why = count == 0 ? "no record begins with v=STSv1;"
					: "# records begin with v=STSv1;, only one may";
		return -1;
	}
	struct taglist list = taglist_make(records[index], after, index + 1);
	int r = fields_take(&list, warn, &made, error);
	if (r == 0)
		*record = made;
	return r;
}

void
ststxt_format(const struct ststxt *record, struct buf *out)
{
	buf_printf(out, "%s; id=%s;", version, record->id);
}
