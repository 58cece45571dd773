/* SPDX-License-Identifier: ISC
 *
 * Text built in the caller's storage.  Always NUL-terminated; what does not fit is cut off and
 * remembered (sticky), so that callers put many times and look once.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/span.h"

struct buf {
	char *p;
	size_t n;   /* octets in use, NUL not counted */
	size_t cap; /* octets of storage, NUL counted; at least 1 */
	bool full;  /* something was cut off */
};

void buf_init(struct buf *b, char *storage, size_t cap);
void buf_put(struct buf *b, struct span s);
void buf_puts(struct buf *b, const char *cstring);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) ATTR_PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) ATTR_PRINTF(2, 0);

/* As much of s as fits, NUL-terminated. */
void buf_keep(char *out, size_t cap, struct span s);

/*
 * Remote text for a log line or a record: printable ASCII but space, backslash, quotes and '='
 * as it is when word is true (only backslash and quote are special otherwise), the rest as
 * \xHH; at most max octets of s are taken, then "..." says that there was more.
 */
void buf_put_escaped(struct buf *b, struct span s, size_t max, bool word);

#endif
