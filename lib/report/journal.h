/* SPDX-License-Identifier: ISC
 *
 * The journal of a UTC day: state_directory/journal/YYYY-MM-DD, a line an attempt, each appended
 * by one write(2).  A burst loses nothing and needs nobody listening; a line torn by a full disk
 * is skipped and counted by the reader.
 */
#ifndef REPORT_JOURNAL_H
#define REPORT_JOURNAL_H

#include <stdint.h>

#include "base/log.h"
#include "base/owner.h"
#include "report/record.h"

#define JOURNAL_DIRECTORY "journal" /* in the state directory */

struct journal;

/* Opens nothing yet.  NULL: no memory.  directory: the state directory, its owner's. */
struct journal *journal_new(const char *directory, const struct log *log);
void journal_free(struct journal *journal); /* in a child of fork() too */

/*
 * 0, or MTASTS_EREPORT with one log line a cause.  Opens the day's file (0660, the owner's) when
 * the day has changed; a line that follows a torn one begins with a newline of its own.
 */
int journal_append(struct journal *journal, const struct record *record);

/*
 * Reading the UTC day that began at the instant day * 86400.  journal_open() gives 0 and a reader
 * (without records when the day has no file), MTASTS_ENOMEM, or MTASTS_EREPORT with errno.
 * journal_next() gives 1 and a record, 0 at the end, MTASTS_EREPORT with errno when the file cannot
 * be read on.  Torn lines are counted and skipped.
 */
struct journal_reader;
int journal_open(const char *directory, int64_t day, struct journal_reader **reader);
int journal_next(struct journal_reader *reader, struct record *record); /* borrowed until next */
uint64_t journal_torn(const struct journal_reader *reader);
void journal_close(struct journal_reader *reader);

#endif
