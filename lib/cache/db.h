/* SPDX-License-Identifier: ISC
 *
 * The store's SQLite connection: opened with care, every statement in one table, every failure
 * told once and turned into CACHE_UNREADABLE.
 */
#ifndef CACHE_DB_H
#define CACHE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sqlite3.h>

#include "base/log.h"
#include "base/owner.h"
#include "base/span.h"
#include "cache/cache.h"

/* Statements; their text stands in db.c, in this order. */
enum db_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_POLICY_AT,	   /* domain: its row, or the one before its place */
	SQL_POLICY_BEFORE, /* domain: the row before it */
	SQL_POLICY_INSERT,
	SQL_POLICY_REPLACE, /* compare and swap */
	SQL_POLICY_LINK,
	SQL_POLICY_DELETE,
	SQL_POLICY_OLD, /* after domain: the first of n rows that is older than an instant */
	SQL_HINT_GET,
	SQL_HINT_PUT,
	SQL_HINT_DELETE,
	SQL_HINT_SWEEP,
	SQL_OUTCOME_GET,
	SQL_OUTCOME_PUT,
	SQL_OUTCOME_SWEEP,
	SQL_STRIKES_GET,
	SQL_STRIKE_PUT,
	SQL_STRIKE_DELETE,
	SQL_STRIKES_DELETE,
	SQL_STRIKE_SWEEP,
	SQL_MARK_GET,
	SQL_MARK_PUT,
	SQL_MARK_POLICY,
	SQL_MARK_HINT,
	SQL_MARK_OUTCOME,
	SQL_MARK_STRIKE,
	SQL_N
};

/* What cannot be read, beside SQLite's own primary result codes (which are below 64). */
enum db_cause {
	CAUSE_FORKED = 61,
	CAUSE_LEASES = 62,
	CAUSE_DAMAGE = SQLITE_CORRUPT,
	CAUSE_READONLY = SQLITE_READONLY
};

enum { DB_REASON_MAX = 160 /* octets */ };

struct db {
	sqlite3 *handle; /* NULL: could not be opened */
	sqlite3_stmt *sql[SQL_N];
	pid_t pid; /* the process it belongs to */
	char *path;
	struct log log;
	uint64_t told;		      /* causes that are in the log already, a bit each */
	int64_t told_at;	      /* monotonic ms; of the first of them */
	int wait_ms;		      /* how long the call under way may wait for others, in all */
	int waited_ms;		      /* and how long it has */
	unsigned steps;		      /* how often SQLite came by in the call under way */
	bool writer;		      /* made ready for writing */
	bool durable;		      /* synchronous is FULL */
	char readonly[DB_REASON_MAX]; /* why it was opened for reading alone; "": it was not */
};

/*
 * Make an empty file the store, or see that the file at path is one.  0, MTASTS_ECACHE with the
 * words in why.
 */
int db_create(const char *path, char *why, size_t cap);

/* To be called as the owner.  db->path, pid and log are set, all else zero.  0, MTASTS_ECACHE with
 * why. */
int db_open(struct db *db, char *why, size_t cap);
/* In a child of fork() the parent's connection is let go without a trace on the files. */
void db_close(struct db *db);

/* At the beginning of every call: false when there is nothing to ask (CACHE_UNREADABLE). */
bool db_start(struct db *db, int wait_ms);

/* The statement, ready to be bound; NULL: told, CACHE_UNREADABLE. */
sqlite3_stmt *db_sql(struct db *db, enum db_sql which);
/* SQLITE_ROW, SQLITE_DONE, or another: told already. */
int db_step(struct db *db, sqlite3_stmt *sql, const char *doing);
/* Step to the end and reset: CACHE_OK or CACHE_UNREADABLE. */
enum cache_result db_run(struct db *db, sqlite3_stmt *sql, const char *doing);

/* One error line a cause and handle, again after ten minutes.  Returns CACHE_UNREADABLE. */
enum cache_result db_tell(struct db *db, unsigned cause, const char *doing, const char *reason);
enum cache_result db_damaged(struct db *db, const char *doing);

/*
 * A transaction that writes.  durable: db_commit() returns when it is on the disk itself, in the
 * main file if no reader is in the way.  After CACHE_UNREADABLE of db_begin() there is none; of
 * db_commit(), it was rolled back.
 */
enum cache_result db_begin(struct db *db, bool durable, const char *doing);
enum cache_result db_commit(struct db *db, const char *doing);
void db_rollback(struct db *db);

/* Columns, with their types checked; a text or a blob is borrowed until the next step or reset. */
bool db_column_int(sqlite3_stmt *sql, int i, int64_t *value);
bool db_column_span(sqlite3_stmt *sql, int i, int type, size_t max, struct span *value);
void db_bind_span(sqlite3_stmt *sql, int i, int type, struct span value);

#endif
