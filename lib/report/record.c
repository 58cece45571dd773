/* SPDX-License-Identifier: ISC
 *
 * One attempt as a line of key=value words, one blank between them, in the order of enum key:
 *
 *	v1 at=1750000000 domain=a.example type=sts mode=enforce id=20160831085700Z result=failure
 *	finding=certificate-expired policy=sts-policy-fetch-error mx=mx.a.example helo=mx.a.example
 *	ip=192.0.2.1 local=198.51.100.2 detail=certificate\x20has\x20expired pattern=*.a.example
 *	string=version:\x20STSv1 string=mode:\x20enforce .
 *
 * (all of it one line).  A word is left out when its value is not known.  In values a blank, '=',
 * quotes, backslash and whatever is not printable ASCII stand as \xHH, so that a value can be
 * neither a second word nor a second line.  The last word "." says that the line is whole: one
 * that a full disk cut off lacks it.  Never does I/O.
 */
#include "report/record.h"

#include <string.h>

#include "base/err.h"
#include "base/limits.h"

enum key {
	KEY_AT,
	KEY_DOMAIN,
	KEY_TYPE,
	KEY_MODE,
	KEY_ID,
	KEY_RESULT,
	KEY_FINDING,
	KEY_POLICY_FINDING,
	KEY_MX,
	KEY_HELO,
	KEY_IP,
	KEY_LOCAL,
	KEY_DETAIL,
	KEY_PATTERN,
	KEY_STRING,
	N_KEYS
};

enum { AT_DIGITS = 19 };

static const char *const key_names[N_KEYS] = { "at", "domain", "type", "mode", "id", "result",
	"finding", "policy", "mx", "helo", "ip", "local", "detail", "pattern", "string" };
static const char *const type_names[] = { "no-policy-found", "sts", "tlsa" }; /* record_type */
static const char version[] = "v1";

static struct span
cut(struct span s, size_t max)
{
	return span_make(s.p, s.n < max ? s.n : max);
}

static void
key_put(struct buf *line, enum key key)
{
	buf_printf(line, " %s=", key_names[key]);
}

static void
field_put(struct buf *line, enum key key, struct span value, size_t max)
{
	if (value.n == 0)
		return;
	key_put(line, key);
	buf_put_escaped(line, cut(value, max), max, true);
}

static void
finding_put(struct buf *line, enum key key, enum mtasts_finding finding)
{
	if (finding != MTASTS_NOTHING_WRONG)
		field_put(line, key, span_of(mtasts_finding_token(finding)), SIZE_MAX);
}

/* Unlike a field, a string of the policy may be empty. */
static void
strings_put(struct buf *line, enum key key, const struct span *strings, size_t n, size_t max)
{
	for (size_t i = 0; i < n; i++) {
		key_put(line, key);
		buf_put_escaped(line, cut(strings[i], max), max, true);
	}
}

static void
attempt_put(struct buf *line, const struct record *record)
{
	buf_printf(line, "%s at=%lld domain=%s type=%s", version, (long long)record->at,
	    record->domain.name, type_names[record->type]);
	if (record->type == RECORD_STS) {
		field_put(line, KEY_MODE, span_of(mode_name(record->mode)), SIZE_MAX);
		field_put(line, KEY_ID, record->policy_id, LIMIT_ID);
	}
	buf_printf(line, " result=%s", record->success ? "success" : "failure");
	finding_put(line, KEY_FINDING, record->finding);
	finding_put(line, KEY_POLICY_FINDING, record->policy_finding);
	field_put(line, KEY_MX, record->mx_host, RECORD_NAME_MAX);
	field_put(line, KEY_HELO, record->mx_helo, RECORD_NAME_MAX);
	field_put(line, KEY_IP, record->mx_ip, RECORD_ADDRESS_MAX);
	field_put(line, KEY_LOCAL, record->local_ip, RECORD_ADDRESS_MAX);
	field_put(line, KEY_DETAIL, record->detail, LIMIT_DETAIL);
}

/* Fresh in line each time; is it within the limit? */
static bool
try_format(const struct record *record, struct buf *line, bool has_patterns, bool has_strings)
{
	buf_init(line, line->p, line->cap);
	attempt_put(line, record);
	if (has_patterns)
		strings_put(
		    line, KEY_PATTERN, record->mx_patterns, record->n_mx_patterns, RECORD_NAME_MAX);
	if (has_strings)
		strings_put(line, KEY_STRING, record->policy_strings, record->n_policy_strings,
		    RECORD_STRING_MAX);
	buf_puts(line, " .");
	return !line->full && line->n <= RECORD_LINE_MAX;
}

int
record_format(const struct record *record, struct buf *line)
{
	if (record->at < 0 || line->cap <= RECORD_LINE_MAX)
		return -1;
	if (try_format(record, line, true, true) || try_format(record, line, true, false) ||
	    try_format(record, line, false, false))
		return 0;
	return -1;
}

/* ---- back ---- */

struct reader {
	struct span line;
	size_t at;	 /* octets taken */
	struct buf *out; /* unescaped values */
	struct record *record;
	struct parse_error *error;
};

static int
refuse(const struct reader *reader, const char *why)
{
	*reader->error = (struct parse_error){ .at = reader->at, .why = why };
	return -1;
}

/* The value of an upper-case hexadecimal digit, or -1. */
static int
hex(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	return p == NULL ? -1 : (int)(p - digits);
}

/* value as it was before it was escaped, in the storage; 0 or -1. */
static int
unescape(struct reader *reader, struct span value, struct span *plain)
{
	struct buf *out = reader->out;
	size_t begin = out->n;

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		if (c == '\\') {
			int high =
			    i + 3 < value.n && value.p[i + 1] == 'x' ? hex(value.p[i + 2]) : -1;
			int low = high >= 0 ? hex(value.p[i + 3]) : -1;
			if (low < 0)
				return -1;
			c = (char)(unsigned char)(high * 16 + low);
			i += 3;
		} else if (!is_print(c) || c == '=' || c == '"' || c == '\'') {
			return -1;
		}
		buf_putc(out, c);
	}
	*plain = span_make(out->p + begin, out->n - begin);
	return out->full ? -1 : 0;
}

/* The next word, cut at the blank behind it; false at the end of the line. */
static bool
word_next(struct reader *reader, struct span *word)
{
	struct span rest = span_from(reader->line, reader->at);

	if (rest.n == 0)
		return false;
	*word = cut(rest, span_find(rest, ' '));
	reader->at += word->n;
	if (word->n < rest.n)
		reader->at++;
	return true;
}

static int
type_of(struct span word, enum record_type *type)
{
	for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
		if (span_is(word, type_names[i])) {
			*type = (enum record_type)i;
			return 0;
		}
	}
	return -1;
}

static int
string_add(struct span *strings, size_t *n, struct span value)
{
	if (*n == RECORD_STRINGS_MAX)
		return -1;
	strings[(*n)++] = value;
	return 0;
}

static int
at_set(struct record *record, struct span value)
{
	uint64_t at;

	if (span_u64(value, AT_DIGITS, INT64_MAX, &at) != 0)
		return -1;
	record->at = (int64_t)at;
	return 0;
}

static int
result_set(struct record *record, struct span value)
{
	record->success = span_is(value, "success");
	return record->success || span_is(value, "failure") ? 0 : -1;
}

static int
text_set(struct span *field, struct span value)
{
	*field = value;
	return value.n == 0 ? -1 : 0;
}

static int
finding_set(enum mtasts_finding *field, struct span value)
{
	int r = finding_of(value, field);

	return r == 0 && *field == MTASTS_NOTHING_WRONG ? -1 : r;
}

static int
key_set(struct record *record, enum key key, struct span value)
{
	switch (key) {
	case KEY_AT:
		return at_set(record, value);
	case KEY_DOMAIN:
		return domain_parse(value, DOMAIN_UNDERSCORE, &record->domain);
	case KEY_TYPE:
		return type_of(value, &record->type);
	case KEY_MODE:
		return record->type == RECORD_STS ? mode_of(value, &record->mode) : -1;
	case KEY_ID:
		return record->type == RECORD_STS ? text_set(&record->policy_id, value) : -1;
	case KEY_RESULT:
		return result_set(record, value);
	case KEY_FINDING:
		return finding_set(&record->finding, value);
	case KEY_POLICY_FINDING:
		return finding_set(&record->policy_finding, value);
	case KEY_MX:
		return text_set(&record->mx_host, value);
	case KEY_HELO:
		return text_set(&record->mx_helo, value);
	case KEY_IP:
		return text_set(&record->mx_ip, value);
	case KEY_LOCAL:
		return text_set(&record->local_ip, value);
	case KEY_DETAIL:
		return text_set(&record->detail, value);
	case KEY_PATTERN:
		return string_add(record->mx_patterns, &record->n_mx_patterns, value);
	case KEY_STRING:
		return string_add(record->policy_strings, &record->n_policy_strings, value);
	case N_KEYS:
		break;
	}
	return -1;
}

/* Keys come in their order; at, domain, type and result are always there. */
static bool
is_next(int last, int key)
{
	bool is_repeated = key == last && (key == KEY_PATTERN || key == KEY_STRING);

	if (key <= last && !is_repeated)
		return false;
	if (key <= KEY_TYPE)
		return key == last + 1;
	return last >= KEY_TYPE && (key <= KEY_RESULT || last >= KEY_RESULT);
}

static enum key
key_of(struct span name)
{
	enum key key = KEY_AT;

	while (key < N_KEYS && !span_is(name, key_names[key]))
		key++;
	return key;
}

static int
word_set(struct reader *reader, struct span word, int *last)
{
	size_t n = span_find(word, '=');
	enum key key = key_of(cut(word, n));
	struct span value;

	if (n == word.n || key == N_KEYS)
		return refuse(reader, "not a word of a record");
	if (!is_next(*last, (int)key))
		return refuse(reader, "words out of order");
	if (unescape(reader, span_from(word, n + 1), &value) != 0)
		return refuse(reader, "value is not escaped");
	if (key_set(reader->record, key, value) != 0)
		return refuse(reader, "no such value");
	*last = (int)key;
	return 0;
}

/* All but the last word, which says that there is no more; 0 or -1. */
static int
whole_take(struct span *line)
{
	struct span tail = span_from(*line, line->n < 2 ? 0 : line->n - 2);

	if (!span_is(tail, " ."))
		return -1;
	line->n -= tail.n;
	return line->n > 0 && line->p[line->n - 1] == ' ' ? -1 : 0;
}

int
record_parse(
    struct span line, char *storage, size_t cap, struct record *record, struct parse_error *error)
{
	struct record made = { 0 };
	struct buf out;
	struct reader reader = { line, 0, &out, &made, error };
	int last = -1; /* enum key, -1 before the first */
	struct span word;

	if (cap == 0 || !word_next(&reader, &word) || !span_is(word, version))
		return refuse(&reader, "not a record of this version");
	if (whole_take(&reader.line) != 0)
		return refuse(&reader, "cut off");
	buf_init(&out, storage, cap);
	while (word_next(&reader, &word)) {
		if (word_set(&reader, word, &last) != 0)
			return -1;
	}
	if (last < KEY_RESULT)
		return refuse(&reader, "cut off");
	*record = made;
	return 0;
}
