/* SPDX-License-Identifier: ISC
 *
 * A message cut in two anywhere gives the same; no CR, LF or NUL but in a CRLF, no line that is a
 * dot alone or whose dot is not doubled; and what was made is made the same again.  Its header is
 * looked through too.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/proto/body.h"
#include "opensmtpd/proto/received.h"

static size_t
take(struct span in, size_t cut, char *out, bool *is_end)
{
	struct body body = { .state = BODY_LINE };
	struct span first = span_make(in.p, cut), second = span_from(in, cut);

	size_t n = body_take(&body, &first, out);
	n += body_take(&body, &second, out + n);
	*is_end = body_is_end(&body);
	return n;
}

static void
look(const char *p, size_t n, bool is_end)
{
	bool is_line = true;

	for (size_t i = 0; i < n; i++) {
		assert(p[i] != '\n' && p[i] != '\0');
		if (is_line && p[i] == '.')
			assert(i + 1 < n && p[++i] == '.');
		is_line = p[i] == '\r';
		if (is_line)
			assert(i + 1 < n && p[++i] == '\n');
	}
	assert(is_line || !is_end);
}

static void
received_look(struct span octets)
{
	struct received whole = { .state = RECEIVED_NAME }, cut = whole;
	int64_t at = 0, at_cut = 0;

	received_take(&whole, octets);
	received_end(&whole);
	received_take(&cut, span_make(octets.p, octets.n / 2));
	received_take(&cut, span_from(octets, octets.n / 2));
	received_end(&cut);
	assert(received_is_over(&whole) && received_is_over(&cut));
	assert(received_get(&whole, &at) == received_get(&cut, &at_cut) && at == at_cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data + 1, size == 0 ? 0 : size - 1);
	size_t cap = in.n + 3 + 2 * BODY_HELD;
	char *a = malloc(cap), *b = malloc(cap);
	bool is_end, is_end_b;

	if (a == NULL || b == NULL)
		abort();
	size_t n = take(in, 0, a, &is_end);
	size_t cut = size == 0 ? 0 : in.n * data[0] / 255;
	assert(take(in, cut, b, &is_end_b) == n && is_end == is_end_b && memcmp(a, b, n) == 0);
	look(a, n, is_end);
	received_look(span_make(a, n));
	if (is_end) {
		memcpy(a + n, ".\r\n", 3);
		assert(take(span_make(a, n + 3), cut, b, &is_end_b) == n && is_end_b);
		assert(memcmp(a, b, n) == 0);
	}
	free(a);
	free(b);
	return 0;
}
