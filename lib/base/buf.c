/* SPDX-License-Identifier: ISC
 *
 * Text built in the caller's storage, and the one escaper for remote text in lines of ours.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void
buf_init(struct buf *b, char *storage, size_t cap)
{
	assert(cap > 0);
	*b = (struct buf){ .p = storage, .cap = cap };
	storage[0] = '\0';
}

void
buf_put(struct buf *b, struct span s)
{
	size_t room = b->cap - 1 - b->n;

	if (s.n > room) {
		b->full = true;
		s.n = room;
	}
	if (s.n != 0)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	b->p[b->n] = '\0';
}

void
buf_puts(struct buf *b, const char *cstring)
{
	buf_put(b, span_of(cstring));
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, span_make(&c, 1));
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->cap - b->n;
	int n = vsnprintf(b->p + b->n, room, fmt, ap);

	if (n < 0 || (size_t)n >= room) {
		b->full = true;
		n = n < 0 ? 0 : (int)(room - 1);
	}
	b->n += (size_t)n;
	b->p[b->n] = '\0';
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

static bool
is_special(char c, bool word)
{
	if (c == '\\' || c == '"')
		return true;
	return word && (c == ' ' || c == '\'' || c == '=');
}

void
buf_keep(char *out, size_t cap, struct span s)
{
	struct buf b;

	buf_init(&b, out, cap);
	buf_put(&b, s);
}

void
buf_put_escaped(struct buf *b, struct span s, size_t max, bool word)
{
	for (size_t i = 0; i < s.n && i < max; i++) {
		char c = s.p[i];
		if (is_print(c) && !is_special(c, word))
			buf_putc(b, c);
		else
			buf_printf(b, "\\x%02X", (unsigned)(unsigned char)c);
	}
	if (s.n > max)
		buf_puts(b, "...");
}
