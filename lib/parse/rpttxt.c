/* SPDX-License-Identifier: ISC
 *
 * The _smtp._tls TXT record.  RFC 8460 3, with RFC 6068 (mailto), RFC 5321 4.1.2 (Mailbox) and
 * RFC 3986 for its URIs.  What comes out of here goes into mail headers and requests: nothing
 * but visible ASCII leaves, whatever was percent-encoded.
 */
#include "parse/rpttxt.h"

#include <assert.h>

#include "base/buf.h"
#include "parse/taglist.h"
#include "parse/txtset.h"

static const char version[] = "v=TLSRPTv1";

enum { HTTPS_PORT = 443 };

struct reader {
	struct taglist list;
	const struct reason_sink *warn;
	struct rpttxt *record;
	struct buf storage;
	bool has_rua;
};

static int
hex_of(char c)
{
	if (is_digit(c))
		return c - '0';
	c = to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 2.1.  Into out, of in.n octets; NULL, or why not. */
static const char *
percent_decode(struct span in, char *out, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '%') {
			int high = i + 2 < in.n ? hex_of(in.p[i + 1]) : -1;
			int low = i + 2 < in.n ? hex_of(in.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return "rua has a '%' without two hexadecimal digits";
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (!is_print(c))
			return "rua encodes an octet that is not printable ASCII";
		out[(*n)++] = c;
	}
	return NULL;
}

/* "!10m": RFC 7489's size limit, which TLSRPT does not have. */
static struct span
without_size(struct span uri)
{
	size_t n = uri.n;

	if (n > 0 && span_find(span_of("kmgt"), to_lower(uri.p[n - 1])) < 4)
		n--;
	size_t digits = n;
	while (digits > 0 && is_digit(uri.p[digits - 1]))
		digits--;
	if (digits < n && digits > 0 && uri.p[digits - 1] == '!')
		uri.n = digits - 1;
	return uri;
}

/* RFC 5321 4.1.2: atext and dots that neither begin, end nor repeat. */
static bool
is_dot_string(struct span local)
{
	struct span marks = span_of("!#$%&'*+-/=?^_`{|}~");
	char before = '.';

	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];
		bool is_atext = is_alnum(c) || span_find(marks, c) < marks.n;
		if (!is_atext && (c != '.' || before == '.'))
			return false;
		before = c;
	}
	return before != '.';
}

static void
mailbox_put(struct buf *out, struct span local, const struct domain *host)
{
	/* quoted too, though it need not be: what a command line could take for an option */
	bool is_plain = is_dot_string(local) && local.p[0] != '-';

	if (!is_plain)
		buf_putc(out, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, local.p[i]);
	}
	if (!is_plain)
		buf_putc(out, '"');
	buf_printf(out, "@%s", host->name);
}

/* RFC 6068 2: one address before '?'; what is behind would be the sender's mail, not ours. */
static const char *
mailto_take(struct reader *r, struct span rest, struct rpttxt_target *target)
{
	char decoded[LIMIT_TXT_SET];
	size_t n;

	rest.n = span_find(rest, '?');
	const char *why = percent_decode(rest, decoded, &n);
	if (why != NULL)
		return why;
	size_t at = n;
	while (at > 0 && decoded[at - 1] != '@')
		at--;
	if (at < 2 || at - 1 > RPTTXT_LOCAL_MAX)
		return "rua is no mail address";
	if (domain_parse(span_make(decoded + at, n - at), DOMAIN_STRICT, &target->host) != 0)
		return "rua is a mail address without a domain";
	mailbox_put(&r->storage, span_make(decoded, at - 1), &target->host);
	return NULL;
}

/* RFC 3986 3.2: the authority is a host name and perhaps a port, nothing else. */
static const char *
https_take(struct reader *r, struct span rest, struct rpttxt_target *target)
{
	uint64_t port = HTTPS_PORT;

	rest.n = span_find(rest, '#');
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
		end++;
	struct span authority = span_make(rest.p, end);
	size_t colon = span_find(authority, ':');
	if (colon + 1 < authority.n &&
	    (span_u64(span_from(authority, colon + 1), 5, UINT16_MAX, &port) != 0 || port == 0))
		return "rua has no port number behind ':'";
	authority.n = colon;
	if (domain_parse(authority, DOMAIN_STRICT, &target->host) != 0)
		return "rua names no web server";
	target->port = (uint16_t)port;
	struct span path = span_from(rest, end);
	if (path.n == 0 || path.p[0] != '/')
		buf_putc(&r->storage, '/');
	buf_put(&r->storage, path);
	return NULL;
}

/* NULL, or why the URI is of no use. */
static const char *
uri_take(struct reader *r, struct span uri)
{
	struct rpttxt_target target = { .text = r->storage.p + r->storage.n };
	size_t colon = span_find(uri, ':');
	struct span scheme = span_make(uri.p, colon);
	const char *why = "rua is neither mailto: nor https:";

	if (r->record->n == LIMIT_RUA)
		return "more rua than are used";
	uri = without_size(uri);
	if (span_eq_nocase(scheme, span_of("mailto"))) {
		target.scheme = RPTTXT_MAILTO;
		why = mailto_take(r, span_from(uri, colon + 1), &target);
	} else if (span_eq_nocase(scheme, span_of("https")) &&
		   span_begins(span_from(uri, colon), "://")) {
		target.scheme = RPTTXT_HTTPS;
		why = https_take(r, span_from(uri, colon + 3), &target);
	}
	if (why != NULL)
		return why;
	buf_putc(&r->storage, '\0');
	r->record->target[r->record->n++] = target;
	return NULL;
}

static const char *
uri_check(struct span uri)
{
	if (uri.n == 0)
		return "rua has an empty URI";
	for (size_t i = 0; i < uri.n; i++) {
		if (!is_print(uri.p[i]) || uri.p[i] == ' ')
			return "rua has a blank or an octet that is not visible ASCII";
	}
	return NULL;
}

/* RFC 8460 3: "rua=" tlsrpt-uri *(*WSP "," *WSP tlsrpt-uri) */
static int
rua_take(struct reader *r, const struct tag *tag, struct parse_error *error)
{
	const char *why = tag->value.n != 0 && is_wsp(tag->value.p[0]) ? "blank behind rua=" : NULL;
	size_t at = 0, n;

	r->has_rua = true;
	for (; why == NULL && at <= tag->value.n; at += n + 1) {
		struct span item = span_from(tag->value, at);
		n = span_find(item, ',');
		item = span_trim_wsp(span_make(item.p, n));
		why = uri_check(item);
		if (why != NULL)
			break;
		const char *useless = uri_take(r, item);
		if (useless != NULL)
			reason_warn(r->warn, taglist_error(&r->list, tag->value_at + at, useless));
	}
	if (why == NULL)
		return 0;
	*error = taglist_error(&r->list, tag->value_at + at, why);
	return -1;
}

static int
fields_take(struct reader *r, struct parse_error *error)
{
	struct tag tag;
	int result;

	while ((result = taglist_next(&r->list, r->warn, &tag, error)) == 1) {
		if (span_is(tag.name, "rua"))
			result = rua_take(r, &tag, error);
		else
			result = taglist_extension(&r->list, r->warn, &tag, error);
		if (result != 0)
			return result;
	}
	if (result == 0 && !r->has_rua) {
		*error = taglist_error(&r->list, r->list.record.n, "rua is missing");
		return -1;
	}
	return result;
}

int
rpttxt_parse(const struct span *records, size_t n, const struct reason_sink *warn,
    struct rpttxt *record, struct parse_error *error)
{
	struct reader reader = { .warn = warn, .record = record };
	size_t index = 0, after = 0;
	size_t count = txtset_count(records, n, version, &index, &after);

	if (count != 1) {
		*error = (struct parse_error){ .number = count };
		error->why = count == 0 ? "no record begins with v=TLSRPTv1;"
					: "# records begin with v=TLSRPTv1;, only one may";
		return -1;
	}
	reader.list = taglist_make(records[index], after, index + 1);
	if (records[index].n > LIMIT_TXT_SET) {
		*error = taglist_error(&reader.list, LIMIT_TXT_SET, "record is too long");
		return -1;
	}
	buf_init(&reader.storage, record->storage, sizeof record->storage);
	record->n = 0;
	int result = fields_take(&reader, error);
	assert(!reader.storage.full);
	return result;
}
