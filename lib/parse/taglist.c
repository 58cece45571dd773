/* SPDX-License-Identifier: ISC
 *
 * Fields of a TXT record.  RFC 8461 3.1 (sts-field-delim, sts-extension), RFC 8460 3.
 */
#include "parse/taglist.h"

#include "base/limits.h"

struct taglist
taglist_make(struct span record, size_t at, size_t number)
{
	return (struct taglist){ .record = record, .at = at, .number = number };
}

struct parse_error
taglist_error(const struct taglist *list, size_t at, const char *why)
{
	return (struct parse_error){ .at = at, .line = list->number, .why = why };
}

bool
taglist_is_name(struct span name)
{
	if (name.n == 0 || !is_alnum(name.p[0]))
		return false;
	for (size_t i = 1; i < name.n; i++) {
		char c = name.p[i];
		if (!is_alnum(c) && c != '_' && c != '-' && c != '.')
			return false;
	}
	return true;
}

static size_t
skip_wsp(struct span record, size_t at)
{
	while (at < record.n && is_wsp(record.p[at]))
		at++;
	return at;
}

/* The field that begins at octet at and ends before ';' or at the end.  NULL, or why it is none. */
static const char *
field_split(struct span record, size_t at, struct tag *tag)
{
	struct span field = span_from(record, at);
	field.n = span_find(field, ';');
	if (field.n == 0)
		return "empty field";
	size_t equals = span_find(field, '=');
	if (equals == field.n)
		return "no '=' in the field";
	tag->at = at;
	tag->name = span_make(field.p, equals);
	if (!taglist_is_name(tag->name))
		return "field name is not made of letters, digits, '_', '-', '.'";
	tag->value_at = at + equals + 1;
	tag->value = span_from(field, equals + 1);
	while (tag->value.n != 0 && is_wsp(tag->value.p[tag->value.n - 1]))
		tag->value.n--;
	return NULL;
}

int
taglist_next(struct taglist *list, const struct reason_sink *warn, struct tag *tag,
    struct parse_error *error)
{
	struct tag made;
	size_t at = skip_wsp(list->record, list->at);

	if (at == list->record.n) {
		if (at != list->at)
			reason_warn(
			    warn, taglist_error(list, list->at, "blanks after the last field"));
		list->at = at;
		return 0;
	}
	if (list->record.p[at] != ';') {
		*error = taglist_error(list, at, "no ';' before the field");
		return -1;
	}
	at = skip_wsp(list->record, at + 1);
	if (at == list->record.n) { /* the optional last delimiter */
		list->at = at;
		return 0;
	}
	const char *why = field_split(list->record, at, &made);
	if (why != NULL) {
		*error = taglist_error(list, at, why);
		return -1;
	}
	*tag = made;
	list->at = made.value_at + made.value.n;
	return 1;
}

int
taglist_extension(const struct taglist *list, const struct reason_sink *warn, const struct tag *tag,
    struct parse_error *error)
{
	for (size_t i = 0; i < tag->value.n; i++) {
		char c = tag->value.p[i];
		if (!is_print(c) || c == ' ' || c == '=') {
			*error = taglist_error(list, tag->value_at + i,
			    "the value of a field has a blank, '=' or an octet that is not "
			    "visible ASCII");
			return -1;
		}
	}
	if (tag->value.n == 0)
		reason_warn(
		    warn, taglist_error(list, tag->value_at, "unknown field without value"));
	if (tag->name.n > LIMIT_FIELD_NAME) {
		struct parse_error slip =
		    taglist_error(list, tag->at, "field name has # characters");
		slip.number = tag->name.n;
		reason_warn(warn, slip);
	}
	return 0;
}
