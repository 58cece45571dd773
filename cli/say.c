/* SPDX-License-Identifier: ISC
 *
 * What goes to standard error.
 */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum { LINE_MAX_OCTETS = 2048 };

static bool is_progress_shown;

/* Whatever an argument or a remote host brought in, it is one line and moves no cursor. */
static void
put_line(const char *text)
{
	cli_progress("%s", "");
	fputs("mtasts: ", stderr);
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x20 || c == 0x7f)
			fprintf(stderr, "\\x%02X", c);
		else
			fputc(c, stderr);
	}
	fputc('\n', stderr);
}

void
cli_say(const char *fmt, ...)
{
	char storage[LINE_MAX_OCTETS];
	struct buf text;
	va_list ap;

	buf_init(&text, storage, sizeof storage);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	put_line(text.p);
}

void
cli_log(void *arg, enum mtasts_log level, const char *text)
{
	const struct cli *cli = arg;

	/* what became of a look-up is the answer that is printed */
	bool is_answer = strncmp(text, "lookup ", 7) == 0;

	if ((level <= MTASTS_LOG_WARNING && !is_answer) || cli->is_verbose)
		put_line(text);
}

void
cli_progress(const char *fmt, ...)
{
	char text[80]; /* a terminal's line; longer would not be wiped away */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (text[0] == '\0' && !is_progress_shown)
		return;
	if (isatty(STDERR_FILENO) != 1)
		return;
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
	is_progress_shown = text[0] != '\0';
}
