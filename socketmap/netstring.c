/* SPDX-License-Identifier: ISC
 *
 * Netstrings (cr.yp.to/proto/netstrings.txt).  The length is believed only as far as the limit.
 */
#include "socketmap/netstring.h"

/* The length and its colon; as netstring_next(), *at is behind the colon. */
static int
length_parse(struct span in, size_t max, size_t *length, size_t *at, struct parse_error *error)
{
	size_t n = 0, i = 0;

	for (; i < in.n && is_digit(in.p[i]); i++) {
		if (i == 1 && in.p[0] == '0') {
			*error = (struct parse_error){ i, 0, "the length has a leading zero", 0 };
			return -1;
		}
		n = 10 * n + (size_t)(in.p[i] - '0');
		if (n > max) {
			*error = (struct parse_error){ i, 0, "more than # octets", max };
			return -1;
		}
	}
	if (i == in.n)
		return 0;
	if (i == 0 || in.p[i] != ':') {
		*error = (struct parse_error){ i, 0, "not a length and a colon", 0 };
		return -1;
	}
	*length = n;
	*at = i + 1;
	return 1;
}

int
netstring_next(struct span *in, size_t max, struct span *payload, struct parse_error *error)
{
	size_t length, at;
	int r = length_parse(*in, max, &length, &at, error);

	if (r != 1)
		return r;
	struct span rest = span_from(*in, at);
	if (rest.n <= length)
		return 0;
	if (rest.p[length] != ',') {
		*error = (struct parse_error){ at + length, 0, "no comma at the end", 0 };
		return -1;
	}
	*payload = span_make(rest.p, length);
	*in = span_from(rest, length + 1);
	return 1;
}

void
netstring_format(struct buf *out, struct span payload)
{
	buf_printf(out, "%zu:", payload.n);
	buf_put(out, payload);
	buf_putc(out, ',');
}
