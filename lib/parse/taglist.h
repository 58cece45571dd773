/* SPDX-License-Identifier: ISC
 *
 * Cursor over the fields of a TXT record, behind its version: *WSP ";" *WSP name "=" value ...,
 * with an optional last ";".  The grammar is that of RFC 8461 3.1, which RFC 8460 3 shares; what
 * a value may be is for the record's own parser to say.
 */
#ifndef PARSE_TAGLIST_H
#define PARSE_TAGLIST_H

#include "base/span.h"
#include "parse/reason.h"

struct taglist {
	struct span record;
	size_t at;     /* octets taken */
	size_t number; /* of the record in its set, counted from 1: the line in errors */
};

struct tag {
	struct span name;  /* first octet a letter or digit, the rest also '_', '-', '.' */
	struct span value; /* without the blanks before the next ';'; may be empty */
	size_t at;	   /* where the name begins in the record */
	size_t value_at;
};

/* Fields of record from octet at on: just behind the version. */
struct taglist taglist_make(struct span record, size_t at, size_t number);

/*
 * 1 and the next field, 0 at the end, -1 and *error where the grammar is broken.  Blanks after
 * the last field are a slip (R3.2.5) that warn hears of.
 */
int taglist_next(struct taglist *list, const struct reason_sink *warn, struct tag *tag,
    struct parse_error *error);

/*
 * Checks a field that nobody knows: values of visible ASCII but '=' and ';'.  0, or -1 and *error.
 * An empty value and a name over 32 octets are slips (R3.2.5).
 */
int taglist_extension(const struct taglist *list, const struct reason_sink *warn,
    const struct tag *tag, struct parse_error *error);

/* An error of this record; why is static. */
struct parse_error taglist_error(const struct taglist *list, size_t at, const char *why);

/* RFC 8461 3.1 and 3.2: the form of an extension's name, whatever its length. */
bool taglist_is_name(struct span name);

#endif
