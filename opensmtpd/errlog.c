/* SPDX-License-Identifier: ISC */
#include "opensmtpd/errlog.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

enum { LINE_MAX_N = 1200 };

/* Everything or a part of it, at once; 0: nothing. */
static size_t
put(const struct errlog *errlog, const struct buf *line)
{
	ssize_t n = send(errlog->fd, line->p, line->n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno == ENOTSOCK)
		n = write(errlog->fd, line->p, line->n);
	return n < 0 ? 0 : (size_t)n;
}

void
errlog_line(void *arg, enum mtasts_log level, const char *text)
{
	static const char *const words[] = { "error: ", "warning: ", "", "debug: " };
	struct errlog *errlog = arg;
	char octets[LINE_MAX_N];
	int error = errno;
	struct buf line;

	buf_init(&line, octets, sizeof octets - 1);
	if (errlog->is_torn)
		buf_putc(&line, '\n');
	if (errlog->n_lost != 0)
		buf_printf(&line, "warning: log lost=%zu\n", errlog->n_lost);
	buf_puts(&line, words[level]);
	buf_puts(&line, text);
	line.cap++; /* room for this, whatever was cut off */
	line.full = false;
	buf_putc(&line, '\n');
	size_t n = put(errlog, &line);
	if (n == 0) {
		errlog->n_lost++;
	} else {
		errlog->n_lost = 0;
		errlog->is_torn = n < line.n;
	}
	errno = error;
}
