/* SPDX-License-Identifier: ISC
 *
 * The store's SQLite connection: opened with care, every failure told once and turned into
 * CACHE_UNREADABLE.  What is asked over it: sql.h.
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
#include "cache/cache.h"
#include "cache/sql.h"

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
	bool is_hasty;		      /* the call under way waits for nobody */
	bool is_suspect;	      /* what it read was damaged: maybe it has been mended since */
	bool writer;		      /* made ready for writing */
	bool durable;		      /* synchronous is FULL */
	char readonly[DB_REASON_MAX]; /* why it was opened for reading alone; "": it was not */
};

/*
 * Make an empty file the store, or see that the file at path is one.  0, MTASTS_ECACHE with the
 * words in why.
 */
int db_create(const char *path, char *why, size_t cap);

/*
 * To be called as the owner, of what is zero or was closed; db->path, pid and log are set.  0,
 * MTASTS_ECACHE with why.
 */
int db_open(struct db *db, int wait_ms, char *why, size_t cap);
/* In a child of fork() the parent's connection is let go without a trace on the files. */
void db_close(struct db *db);

/* At the beginning of every call: false when there is nothing to ask (CACHE_UNREADABLE). */
bool db_start(struct db *db, int wait_ms);

/* One error line a cause and handle, again after ten minutes.  Returns CACHE_UNREADABLE. */
enum cache_result db_tell(struct db *db, unsigned cause, const char *doing, const char *reason);
/* The same for a result code of SQLite. */
enum cache_result db_failed(struct db *db, int code, const char *doing);
enum cache_result db_damaged(struct db *db, const char *doing);

#endif
