/* SPDX-License-Identifier: ISC
 *
 * The day's file.  Writers share nothing but O_APPEND: no lock that a stopped process could hold,
 * nobody to wait for.  The reader resumes behind a torn line wherever a whole record begins.
 */
#include "report/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { DAY = 86400, NAME_SIZE = sizeof "-2147483648-12-31", FILE_MODE = 0660 };

struct journal {
	const struct log *log;
	int fd; /* of the day's file, -1 none */
	int64_t day;
	int cause; /* errno that was logged last; 0 after a line that went well */
	char directory[];
};

struct journal *
journal_new(const char *directory, const struct log *log)
{
	size_t n = strlen(directory) + 1;
	struct journal *journal = mem_zero(1, sizeof *journal + n);

	if (journal == NULL)
		return NULL;
	memcpy(journal->directory, directory, n);
	journal->log = log;
	journal->fd = -1;
	return journal;
}

void
journal_free(struct journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal);
}

/*
 * "2026-11-22" of a day counted from 1970-01-01.  Years are counted from March, so that the leap
 * day is a year's last; 719468 days lie between 0000-03-01 and 1970-01-01.
 */
static void
day_name(int64_t day, char name[NAME_SIZE])
{
	int64_t z = day + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	snprintf(name, NAME_SIZE, "%04d-%02d-%02d", (int)(year + era * 400 + (month >= 10 ? 1 : 0)),
	    (int)(month < 10 ? month + 3 : month - 9), (int)(of_year - (153 * month + 2) / 5 + 1));
}

/* The journal's folder, opened as its owner; -1 with errno. */
static int
folder_open(const char *directory, const struct owner *owner)
{
	struct owner_saved saved;

	if (owner_enter(owner, &saved) != 0) {
		errno = EPERM;
		return -1;
	}
	int fd = -1;
	int state = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state >= 0) {
		fd = openat(
		    state, JOURNAL_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int error = errno;
		close(state);
		errno = error;
	}
	owner_leave(&saved);
	return fd;
}

/* The file of a day; -1 with errno.  is_missing, when not NULL: it is only the file that lacks. */
static int
file_open(const char *directory, int64_t day, int flags, bool *is_missing)
{
	struct owner owner;
	char name[NAME_SIZE];

	errno = 0;
	if (owner_of_directory(directory, &owner) != 0) {
		errno = errno == 0 ? EPERM : errno;
		return -1;
	}
	int folder = folder_open(directory, &owner);
	if (folder < 0)
		return -1;
	day_name(day, name);
	int fd = owner_open(&owner, folder, name, flags, FILE_MODE);
	int error = errno;
	close(folder);
	if (fd < 0 && is_missing != NULL)
		*is_missing = error == ENOENT;
	errno = error;
	return fd;
}

/* ---- writing ---- */

/* One line a cause: a full disk must not fill the log too. */
static int
fail(struct journal *journal, int cause)
{
	if (journal->cause != cause) {
		log_put(journal->log, MTASTS_LOG_ERROR, "journal directory=%s/%s reason=\"%s\"",
		    journal->directory, JOURNAL_DIRECTORY, strerror(cause));
		journal->cause = cause;
	}
	return MTASTS_EREPORT;
}

static void
day_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

/* The open file of that day, which somebody may have taken away meanwhile; 0 or -1 with errno. */
static int
day_open(struct journal *journal, int64_t day, struct stat *st)
{
	if (journal->fd >= 0 && journal->day == day && fstat(journal->fd, st) == 0 &&
	    st->st_nlink == 1)
		return 0;
	day_close(journal);
	journal->fd = file_open(journal->directory, day, O_RDWR | O_APPEND | O_CREAT, NULL);
	journal->day = day;
	return journal->fd < 0 ? -1 : fstat(journal->fd, st);
}

/* Does the file end within a line?  What cannot be read is taken for torn: a newline too many. */
static bool
is_torn(int fd, off_t size)
{
	char last;

	return size > 0 && (pread(fd, &last, 1, size - 1) != 1 || last != '\n');
}

int
journal_append(struct journal *journal, const struct record *record)
{
	char storage[1 + RECORD_LINE_MAX + 2] = "\n"; /* newline, line, newline, NUL */
	struct buf line;
	struct stat st;

	buf_init(&line, storage + 1, sizeof storage - 1);
	if (record_format(record, &line) != 0)
		return fail(journal, EINVAL);
	buf_putc(&line, '\n');
	if (day_open(journal, record->at / DAY, &st) != 0) {
		int error = errno;
		day_close(journal);
		return fail(journal, error);
	}
	size_t lead = is_torn(journal->fd, st.st_size) ? 1 : 0;
	const char *p = storage + 1 - lead;
	ssize_t n = write(journal->fd, p, line.n + lead);
	if (n < 0 || (size_t)n != line.n + lead)
		return fail(journal, n < 0 ? errno : ENOSPC);
	journal->cause = 0;
	return 0;
}

/* ---- reading ---- */

enum { WINDOW = 2 * (RECORD_LINE_MAX + 1) };

struct journal_reader {
	int fd;		   /* -1: the day has no file */
	size_t begin, end; /* octets of window that are not taken yet */
	bool is_over;	   /* end of file was met */
	bool is_skipping;  /* within a line longer than any record */
	uint64_t torn;
	char window[WINDOW];
	char storage[RECORD_LINE_MAX + 1];
};

int
journal_open(const char *directory, int64_t day, struct journal_reader **reader)
{
	bool is_missing = false;
	struct journal_reader *made = mem_zero(1, sizeof *made);

	if (made == NULL)
		return MTASTS_ENOMEM;
	made->fd = file_open(directory, day, O_RDONLY, &is_missing);
	if (made->fd < 0 && !is_missing) {
		int error = errno;
		free(made);
		errno = error;
		return MTASTS_EREPORT;
	}
	*reader = made;
	return 0;
}

void
journal_close(struct journal_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->fd >= 0)
		close(reader->fd);
	free(reader);
}

uint64_t
journal_torn(const struct journal_reader *reader)
{
	return reader->torn;
}

/* More octets into the window; 0, or MTASTS_EREPORT with errno. */
static int
window_fill(struct journal_reader *reader)
{
	ssize_t n;

	memmove(reader->window, reader->window + reader->begin, reader->end - reader->begin);
	reader->end -= reader->begin;
	reader->begin = 0;
	do {
		n = read(reader->fd, reader->window + reader->end, WINDOW - reader->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return MTASTS_EREPORT;
	reader->is_over = n == 0;
	reader->end += (size_t)n;
	return 0;
}

/* A window full without a newline is no record: forget it, and the rest of that line. */
static void
window_skip(struct journal_reader *reader)
{
	reader->begin = reader->end;
	reader->is_skipping = true;
}

/* 1 and a line without its newline, 0 at the end, MTASTS_EREPORT. */
static int
line_next(struct journal_reader *reader, struct span *line)
{
	for (;;) {
		struct span have =
		    span_make(reader->window + reader->begin, reader->end - reader->begin);
		size_t n = span_find(have, '\n');
		if (n < have.n || (reader->is_over && have.n > 0)) {
			*line = span_make(have.p, n);
			reader->begin += n < have.n ? n + 1 : n;
			return 1;
		}
		if (reader->is_over || reader->fd < 0)
			return 0;
		if (have.n == WINDOW)
			window_skip(reader);
		int r = window_fill(reader);
		if (r != 0)
			return r;
	}
}

/*
 * A record that was written right behind a torn one, by a process that had looked at the end of
 * the file before the other's write: from the last place where a record can begin.
 */
static struct span
last_begin(struct span line)
{
	for (size_t at = line.n; at > 0; at--) {
		if (span_begins(span_from(line, at), RECORD_BEGIN))
			return span_from(line, at);
	}
	return span_make(line.p, 0);
}

static bool
line_parse(struct journal_reader *reader, struct span line, struct record *record)
{
	struct parse_error error;

	return record_parse(line, reader->storage, sizeof reader->storage, record, &error) == 0;
}

int
journal_next(struct journal_reader *reader, struct record *record)
{
	struct span line = { NULL, 0 };
	int r;

	while ((r = line_next(reader, &line)) == 1) {
		bool is_rest = reader->is_skipping;
		reader->is_skipping = false;
		if (line.n == 0 && !is_rest)
			continue;
		if (!is_rest && line_parse(reader, line, record))
			return 1;
		reader->torn++;
		if (line_parse(reader, last_begin(line), record))
			return 1;
	}
	return r;
}
