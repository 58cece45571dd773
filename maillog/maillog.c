/* SPDX-License-Identifier: ISC
 *
 * Writes to the system log's socket itself, a socket for each line.  syslog(3) keeps one
 * connection and one identity for the whole process, and in Exim those are Exim's: its openlog()
 * would be undone by ours, and a descriptor that it closes behind the C library's back may be its
 * SMTP connection the next time a line is sent.  Never blocks: a line that does not go out is lost.
 *
 * Exim's routers and transports are processes, and each opens the store anew: an error is told
 * once a delivery, by memory that the forked process inherits.
 */
#include "maillog/maillog.h"

#include <paths.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#ifndef _PATH_LOG
#define _PATH_LOG "/dev/log"
#endif

enum {
	LINE_MAX_N = 1100,
	TEXT_MAX_N = 1000,
	TOLD_N = 8,
	TOLD_TEXT_N = 400,	/* octets of a line that are compared */
	TELL_AGAIN = 60 * 1000, /* ms */
};

static struct {
	int64_t at_ms; /* monotonic clock; 0: not used */
	char text[TOLD_TEXT_N];
} told[TOLD_N];

static int
priority(enum mtasts_log level)
{
	switch (level) {
	case MTASTS_LOG_ERROR:
		return LOG_MAIL | LOG_ERR;
	case MTASTS_LOG_WARNING:
		return LOG_MAIL | LOG_WARNING;
	case MTASTS_LOG_INFO:
		return LOG_MAIL | LOG_INFO;
	case MTASTS_LOG_DEBUG:
		return LOG_MAIL | LOG_DEBUG;
	}
	return LOG_MAIL | LOG_ERR;
}

size_t
maillog_format(
    char *line, size_t cap, enum mtasts_log level, int64_t now, long pid, const char *text)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)now;
	struct tm tm = { 0 };
	struct buf out;

	if (localtime_r(&t, &tm) == NULL || tm.tm_mon < 0 || tm.tm_mon > 11)
		memset(&tm, 0, sizeof tm);
	buf_init(&out, line, cap);
	buf_printf(&out, "<%d>%s %2d %02d:%02d:%02d %s[%ld]: ", priority(level), months[tm.tm_mon],
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, maillog_name, pid);
	buf_puts(&out, text);
	return out.n;
}

/* The store and the journal are one directory: what is wrong with it is told by one line. */
static void
put_cause(struct buf *out, const char *line)
{
	struct span s = span_of(line);

	buf_puts(out, span_begins(s, "store ") || span_begins(s, "journal ") ? "state" : line);
}

bool
maillog_is_told(const char *text, int64_t now_ms)
{
	char cause[TOLD_TEXT_N];
	size_t oldest = 0;
	struct buf out;

	buf_init(&out, cause, sizeof cause);
	put_cause(&out, text);
	for (size_t i = 0; i < TOLD_N; i++) {
		if (told[i].at_ms != 0 && now_ms - told[i].at_ms < TELL_AGAIN &&
		    strcmp(told[i].text, cause) == 0)
			return true;
		if (told[i].at_ms < told[oldest].at_ms)
			oldest = i;
	}
	told[oldest].at_ms = now_ms;
	memcpy(told[oldest].text, cause, sizeof cause);
	return false;
}

void
maillog_line(void *arg, enum mtasts_log level, const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	struct clock clock = clock_system();
	char line[LINE_MAX_N];
	size_t n;

	(void)arg;
	if (level == MTASTS_LOG_ERROR && maillog_is_told(text, clock_mono_ms(&clock)))
		return;
	n = maillog_format(line, sizeof line, level, clock_real(&clock), (long)getpid(), text);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to) < 0)
		n = 0; /* no system log: there is nobody left to tell */
	close(fd);
}

void
maillog(enum mtasts_log level, const char *fmt, ...)
{
	char text[TEXT_MAX_N];
	struct buf out;
	va_list ap;

	buf_init(&out, text, sizeof text);
	va_start(ap, fmt);
	buf_vprintf(&out, fmt, ap);
	va_end(ap);
	maillog_line(NULL, level, text);
}
