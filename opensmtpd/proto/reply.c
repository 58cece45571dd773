/* SPDX-License-Identifier: ISC
 *
 * Replies line by line.  What a remote host says becomes text that smtpd may read, log and send
 * in a bounce: one pass over each line decides octet by octet.
 */
#include "opensmtpd/proto/reply.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "parse/utf8.h"

enum { CODE_N = 3, CRLF_N = 2 };

/* Octets of the character s begins with if it may stand in a reply, else 0. */
static size_t
character_take(struct span s)
{
	size_t n = utf8_take(s);

	if (n == 1)
		return is_print(s.p[0]) || s.p[0] == '\t' ? 1 : 0;
	/* U+0080 to U+009F: control characters, a terminal obeys them */
	if (n == 2 && s.p[0] == '\xc2' && (unsigned char)s.p[1] < 0xa0)
		return 0;
	return n;
}

/* Octets of the line, cut to max; a character is not cut in two. */
static size_t
line_clean(char *out, size_t max, struct span line)
{
	size_t n = 0;

	while (line.n != 0) {
		size_t taken = character_take(line), written = taken == 0 ? 1 : taken;
		if (written > max - n)
			break;
		if (taken == 0)
			out[n] = '?';
		else
			memcpy(out + n, line.p, taken);
		n += written;
		line = span_from(line, written);
	}
	return n;
}

/* The last of the kept lines goes. */
static void
line_drop(struct reply *reply)
{
	reply->n -= CRLF_N;
	while (reply->n != 0 && reply->text[reply->n - 1] != '\n')
		reply->n--;
	reply->text[reply->n] = '\0';
}

/* A line that fits. */
static void
line_keep(struct reply *reply, const char *line, size_t n)
{
	memcpy(reply->text + reply->n, line, n);
	memcpy(reply->text + reply->n + n, "\r\n", CRLF_N + 1);
	reply->n += n + CRLF_N;
}

static void
line_put(struct reply *reply, struct span line, bool is_last)
{
	char clean[REPLY_TEXT_MAX];
	size_t n = line_clean(clean, sizeof clean - CRLF_N, line);

	while (is_last && reply->n + n + CRLF_N > REPLY_TEXT_MAX)
		line_drop(reply);
	if (reply->n + n + CRLF_N <= REPLY_TEXT_MAX)
		line_keep(reply, clean, n);
}

void
reply_set(struct reply *reply, unsigned code, const char *enhanced, const char *text)
{
	reply_printf(reply, code, enhanced, "%s", text);
}

void
reply_printf(struct reply *reply, unsigned code, const char *enhanced, const char *fmt, ...)
{
	char line[REPLY_TEXT_MAX];
	struct buf out;
	va_list ap;

	buf_init(&out, line, sizeof line);
	buf_printf(&out, "%03u %s%s", code % 1000, enhanced, enhanced[0] == '\0' ? "" : " ");
	va_start(ap, fmt);
	buf_vprintf(&out, fmt, ap);
	va_end(ap);
	reply->code = code;
	reply->n = 0;
	line_put(reply, span_make(out.p, out.n), true);
}

bool
reply_is_good(const struct reply *reply)
{
	return reply->code >= 200 && reply->code < 400;
}

/* RFC 5321 4.2.1; 1xx is no final reply and SMTP has none.  0: no code. */
static unsigned
code_of(struct span line)
{
	uint64_t code;

	if (line.n < CODE_N || span_u64(span_make(line.p, CODE_N), CODE_N, 599, &code) != 0)
		return 0;
	return code < 200 ? 0 : (unsigned)code;
}

/* RFC 5321 4.2: a code alone is taken as well. */
static bool
is_separated(struct span line)
{
	return line.n == CODE_N || line.p[CODE_N] == ' ' || line.p[CODE_N] == '-';
}

int
reply_read(struct reply_reader *reader, struct span line, struct reply *reply, struct span *text)
{
	unsigned code = code_of(line);

	if (code == 0 || !is_separated(line))
		return -1;
	if (reader->n_lines == REPLY_LINES_MAX || (reader->n_lines != 0 && code != reader->code))
		return -1;
	if (reader->n_lines++ == 0)
		reply->n = 0;
	reader->code = reply->code = code;
	bool is_last = line.n == CODE_N || line.p[CODE_N] == ' ';
	line_put(reply, line, is_last);
	*text = span_from(line, CODE_N + 1);
	return is_last ? 1 : 0;
}
