/* SPDX-License-Identifier: ISC
 *
 * Every statement of the store, how it is run, and transactions.
 *
 * What must not be lost is checkpointed into the main file by the transaction that wrote it, so
 * that damage to the log, which SQLite takes for the log's end, costs hints and no policy.
 */
#include "cache/sql.h"

#include "cache/db.h"

enum { CHECKPOINT_WAIT = 100 /* ms, for readers to leave the log */ };

const char sql_schema[] =
    "CREATE TABLE policy(domain TEXT PRIMARY KEY, next TEXT, used_at INTEGER, link INTEGER, "
    "fetched_at INTEGER, max_age INTEGER, id TEXT, body BLOB, sum INTEGER) WITHOUT ROWID;"
    "CREATE TABLE hint(domain TEXT PRIMARY KEY, absent_until INTEGER, agreed_until INTEGER, "
    "failed_id TEXT, failed_finding INTEGER, failed_until INTEGER, get_at INTEGER, sum INTEGER) "
    "WITHOUT ROWID;"
    "CREATE TABLE outcome(domain TEXT PRIMARY KEY, boot INTEGER, at_ms INTEGER, state INTEGER, "
    "source INTEGER, finding INTEGER, reason TEXT, sum INTEGER) WITHOUT ROWID;"
    "CREATE TABLE strike(domain TEXT, mx TEXT, finding INTEGER, at INTEGER, sum INTEGER, "
    "PRIMARY KEY(domain, mx)) WITHOUT ROWID;"
    "CREATE TABLE mark(name TEXT PRIMARY KEY, domain TEXT) WITHOUT ROWID;";

#define POLICY "SELECT domain,next,used_at,link,fetched_at,max_age,id,body,sum FROM policy "
#define LAST   "SELECT max(domain) FROM (SELECT domain FROM "
#define AFTER  " WHERE domain>?1 ORDER BY domain LIMIT ?2)"
#define RANGE  " WHERE domain>?1 AND domain<=?2 AND "

static const char *const texts[SQL_N] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_POLICY_AT] = POLICY "WHERE domain<=?1 ORDER BY domain DESC LIMIT 1",
	[SQL_POLICY_BEFORE] = POLICY "WHERE domain<?1 ORDER BY domain DESC LIMIT 1",
	[SQL_POLICY_INSERT] =
	    "INSERT INTO policy(domain,next,used_at,link,fetched_at,max_age,id,body,sum) "
	    "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
	/* the newer fetch wins; a row dated after now (?7) always loses */
	[SQL_POLICY_REPLACE] = "UPDATE policy SET fetched_at=?2,max_age=?3,id=?4,body=?5,sum=?6 "
			       "WHERE domain=?1 AND (fetched_at<?2 OR fetched_at>?7)",
	[SQL_POLICY_LINK] = "UPDATE policy SET next=?2,used_at=?3,link=?4 WHERE domain=?1",
	[SQL_POLICY_DELETE] = "DELETE FROM policy WHERE domain=?1",
	[SQL_POLICY_OLD] =
	    "SELECT domain FROM policy" RANGE "fetched_at+max_age<?3 ORDER BY domain LIMIT 1",
	[SQL_HINT_GET] = "SELECT absent_until,agreed_until,failed_id,failed_finding,failed_until,"
			 "get_at,sum FROM hint WHERE domain=?1",
	[SQL_HINT_PUT] = "INSERT OR REPLACE INTO hint(domain,absent_until,agreed_until,failed_id,"
			 "failed_finding,failed_until,get_at,sum) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
	[SQL_HINT_DELETE] = "DELETE FROM hint WHERE domain=?1",
	[SQL_HINT_SWEEP] =
	    "DELETE FROM hint" RANGE
	    "max(absent_until,agreed_until,failed_until,get_at+?4) NOT BETWEEN ?3 AND ?5",
	[SQL_OUTCOME_GET] =
	    "SELECT boot,at_ms,state,source,finding,reason,sum FROM outcome WHERE domain=?1",
	[SQL_OUTCOME_PUT] = "INSERT OR REPLACE INTO outcome(domain,boot,at_ms,state,source,finding,"
			    "reason,sum) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
	[SQL_OUTCOME_SWEEP] = "DELETE FROM outcome" RANGE "(at_ms<?3 OR boot<>?4)",
	[SQL_STRIKES_GET] = "SELECT mx,finding,at,sum FROM strike WHERE domain=?1",
	[SQL_STRIKE_PUT] =
	    "INSERT OR REPLACE INTO strike(domain,mx,finding,at,sum) VALUES(?1,?2,?3,?4,?5)",
	[SQL_STRIKE_DELETE] = "DELETE FROM strike WHERE domain=?1 AND mx=?2",
	[SQL_STRIKES_DELETE] = "DELETE FROM strike WHERE domain=?1",
	[SQL_STRIKE_SWEEP] = "DELETE FROM strike" RANGE "at<?3",
	[SQL_MARK_GET] = "SELECT domain FROM mark WHERE name=?1",
	[SQL_MARK_PUT] = "INSERT OR REPLACE INTO mark(name,domain) VALUES(?1,?2)",
	[SQL_MARK_POLICY] = LAST "policy" AFTER,
	[SQL_MARK_HINT] = LAST "hint" AFTER,
	[SQL_MARK_OUTCOME] = LAST "outcome" AFTER,
	[SQL_MARK_STRIKE] = LAST "strike" AFTER,
};

/* ---- running ---- */

sqlite3_stmt *
sql_prepare(struct db *db, enum sql which)
{
	if (db->sql[which] == NULL) {
		int r = sqlite3_prepare_v3(
		    db->handle, texts[which], -1, SQLITE_PREPARE_PERSISTENT, &db->sql[which], NULL);
		if (r != SQLITE_OK) {
			db_failed(db, r, "prepare");
			return NULL;
		}
	}
	return db->sql[which];
}

int
sql_step(struct db *db, sqlite3_stmt *sql, const char *doing)
{
	int r = sqlite3_step(sql);

	if (r != SQLITE_ROW && r != SQLITE_DONE)
		db_failed(db, r, doing);
	return r;
}

enum cache_result
sql_run(struct db *db, sqlite3_stmt *sql, const char *doing)
{
	int r;

	if (sql == NULL)
		return CACHE_UNREADABLE;
	while ((r = sql_step(db, sql, doing)) == SQLITE_ROW)
		continue;
	sqlite3_reset(sql);
	return r == SQLITE_DONE ? CACHE_OK : CACHE_UNREADABLE;
}

/* ---- transactions ---- */

static enum cache_result
command(struct db *db, const char *text, const char *doing)
{
	int r = sqlite3_exec(db->handle, text, NULL, NULL, NULL);

	return r == SQLITE_OK ? CACHE_OK : db_failed(db, r, doing);
}

/* Outside of a transaction only: SQLite takes synchronous for the next one. */
static enum cache_result
prepare_writing(struct db *db, bool durable, const char *doing)
{
	/* no temporary files, and no old rows in the free space that damage could call back */
	if (!db->writer &&
	    command(db, "PRAGMA temp_store=2;PRAGMA secure_delete=1;PRAGMA synchronous=1", doing) !=
		CACHE_OK)
		return CACHE_UNREADABLE;
	db->writer = true;
	if (durable != db->durable &&
	    command(db, durable ? "PRAGMA synchronous=2" : "PRAGMA synchronous=1", doing) !=
		CACHE_OK)
		return CACHE_UNREADABLE;
	db->durable = durable;
	return CACHE_OK;
}

enum cache_result
sql_begin(struct db *db, bool durable, const char *doing)
{
	if (prepare_writing(db, durable, doing) != CACHE_OK)
		return CACHE_UNREADABLE;
	/* what may end it is there before it begins, whatever memory there is then */
	if (sql_prepare(db, SQL_COMMIT) == NULL || sql_prepare(db, SQL_ROLLBACK) == NULL)
		return CACHE_UNREADABLE;
	return sql_run(db, sql_prepare(db, SQL_BEGIN), doing);
}

void
sql_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->handle)) /* else SQLite did it by itself */
		sql_run(db, db->sql[SQL_ROLLBACK], "roll back");
	if (!sqlite3_get_autocommit(db->handle))
		db_close(db); /* never stand in the way of others */
}

/* The transaction is safe in the log already: readers that stay in it are only waited for a bit. */
static void
checkpoint(struct db *db, const char *doing)
{
	db->wait_ms = CHECKPOINT_WAIT;
	db->waited_ms = 0;
	int r = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (r != SQLITE_OK && (r & 0xff) != SQLITE_BUSY)
		db_failed(db, r, doing);
}

enum cache_result
sql_commit(struct db *db, const char *doing)
{
	if (sql_run(db, sql_prepare(db, SQL_COMMIT), doing) != CACHE_OK) {
		sql_rollback(db);
		return CACHE_UNREADABLE;
	}
	if (db->durable)
		checkpoint(db, doing);
	return CACHE_OK;
}

/* ---- columns ---- */

bool
sql_column_int(sqlite3_stmt *sql, int i, int64_t *value)
{
	if (sqlite3_column_type(sql, i) != SQLITE_INTEGER)
		return false;
	*value = sqlite3_column_int64(sql, i);
	return true;
}

bool
sql_column_span(sqlite3_stmt *sql, int i, int type, size_t max, struct span *value)
{
	if (sqlite3_column_type(sql, i) != type)
		return false;
	const char *p = sqlite3_column_blob(sql, i); /* of a text too: its octets as they are */
	int n = sqlite3_column_bytes(sql, i);
	if (n < 0 || (size_t)n > max || (p == NULL && n != 0))
		return false;
	*value = span_make(p, (size_t)n);
	return true;
}

void
sql_bind_span(sqlite3_stmt *sql, int i, int type, struct span value)
{
	const char *p = value.p == NULL ? "" : value.p; /* NULL would bind SQL's NULL */

	if (type == SQLITE_TEXT)
		sqlite3_bind_text(sql, i, p, (int)value.n, SQLITE_STATIC);
	else
		sqlite3_bind_blob(sql, i, p, (int)value.n, SQLITE_STATIC);
}
