/* SPDX-License-Identifier: ISC
 *
 * The statements of the store, run over its connection (db.h).
 */
#ifndef CACHE_SQL_H
#define CACHE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/span.h"
#include "cache/cache.h"

struct db;

/* The tables, as a script. */
extern const char sql_schema[];

/* Statements; their text stands in sql.c, in this order. */
enum sql {
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

/* The statement, ready to be bound; NULL: told, CACHE_UNREADABLE. */
sqlite3_stmt *sql_prepare(struct db *db, enum sql which);
/* SQLITE_ROW, SQLITE_DONE, or another: told already. */
int sql_step(struct db *db, sqlite3_stmt *sql, const char *doing);
/* Step to the end and reset: CACHE_OK or CACHE_UNREADABLE. */
enum cache_result sql_run(struct db *db, sqlite3_stmt *sql, const char *doing);

/*
 * A transaction that writes.  durable: sql_commit() returns when it is on the disk itself, in the
 * main file if no reader is in the way.  After CACHE_UNREADABLE of sql_begin() there is none; of
 * sql_commit(), it was rolled back.
 */
enum cache_result sql_begin(struct db *db, bool durable, const char *doing);
enum cache_result sql_commit(struct db *db, const char *doing);
void sql_rollback(struct db *db);

/* Columns, with their types checked; a text or a blob is borrowed until the next step or reset. */
bool sql_column_int(sqlite3_stmt *sql, int i, int64_t *value);
bool sql_column_span(sqlite3_stmt *sql, int i, int type, size_t max, struct span *value);
void sql_bind_span(sqlite3_stmt *sql, int i, int type, struct span value);

#endif
