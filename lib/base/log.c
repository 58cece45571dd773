/* SPDX-License-Identifier: ISC
 *
 * One line to the callback.  A control character that slipped in cannot begin a second line.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>

#include "base/buf.h"

enum { LINE = 1000 };

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

void
log_put(const struct log *log, enum mtasts_log level, const char *fmt, ...)
{
	char raw[LINE + 1], line[LINE + 1];
	struct buf in, out;
	va_list ap;

	if (log == NULL || log->fn == NULL || level > log->level)
		return;
	buf_init(&in, raw, sizeof raw);
	va_start(ap, fmt);
	buf_vprintf(&in, fmt, ap);
	va_end(ap);

	buf_init(&out, line, sizeof line);
	for (size_t i = 0; i < in.n; i++) {
		if (is_control(in.p[i]))
			buf_printf(&out, "\\x%02X", (unsigned)(unsigned char)in.p[i]);
		else
			buf_putc(&out, in.p[i]);
	}
	log->fn(log->arg, level, out.p);
}
