/* SPDX-License-Identifier: ISC
 *
 * SQLite, with care.  Any result that is neither ROW nor DONE is told once and is "unreadable",
 * never "no entry".
 *
 * The -wal and -shm files stay when the last connection closes: they are there (with the owner
 * and modes of `mtasts init`) for a read-only mount, and no close waits for a disk.
 *
 * The shared memory is mapped: who may write the directory can have us killed by cutting that file
 * under us.  That is trusted to the owner and the group, as the contents are.
 *
 * A child of fork() closes its copy of the parent's connection, against SQLite's general advice:
 * with no transaction open and no checkpoint on close that touches no file, and its locks are the
 * parent's, not the child's to drop.  Leaking it would leave the copy in SQLite's table of open
 * files, and a connection opened anew in the child would take locks for held that it has not.
 */
#include "cache/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cache/row.h"
#include "cache/sql.h"

enum {
	FORMAT = 1,		  /* user_version */
	APPLICATION = 0x6d535453, /* application_id, "mSTS" */
	LENGTH_MAX = 1024 * 1024, /* octets of one value or row; damage may claim more */
	CHECKPOINT_PAGES = 32,	  /* of the log, before it is written back: bounds recovery */
	STEPS = 20000,
	STEPS_MAX = 200,	 /* SQLite's instructions a look, and looks a call */
	SLEEP_MAX = 20,		 /* ms, between two tries for a lock */
	CREATE_WAIT = 2000,	 /* ms */
	TELL_AGAIN = 600 * 1000, /* ms, until the log is told the same once more */
	REASON = DB_REASON_MAX,
};

/* ---- waiting, bounded ---- */

/* SQLite's busy handler: sleep a little longer each time, until the call's time is used up. */
static int
wait_for_others(void *arg, int count)
{
	struct db *db = arg;
	int ms = 1 + count < SLEEP_MAX ? 1 + count : SLEEP_MAX;
	struct timespec ts = { 0, ms * 1000000L };

	if (db->waited_ms + ms > db->wait_ms)
		return 0;
	db->waited_ms += ms;
	nanosleep(&ts, NULL);
	return 1;
}

/* A damaged file could have SQLite walk in circles. */
static int
count_steps(void *arg)
{
	struct db *db = arg;

	return ++db->steps > STEPS_MAX;
}

bool
db_start(struct db *db, int wait_ms)
{
	if (db->handle == NULL)
		return false; /* store_open() said why */
	if (db->pid != getpid()) {
		db_tell(db, CAUSE_FORKED, "use", "the store was opened by another process");
		return false;
	}
	db->wait_ms = db->is_hasty ? 0 : wait_ms;
	db->waited_ms = 0;
	db->steps = 0;
	return true;
}

/* ---- failures ---- */

enum cache_result
db_tell(struct db *db, unsigned cause, const char *doing, const char *reason)
{
	uint64_t bit = UINT64_C(1) << (cause & 63);
	struct clock clock = clock_system();
	int64_t now = clock_mono_ms(&clock);

	if (db->told == 0 || now - db->told_at >= TELL_AGAIN) {
		db->told = 0;
		db->told_at = now;
	}
	if ((db->told & bit) == 0)
		log_put(&db->log, MTASTS_LOG_ERROR,
		    "store error file=\"%s\" doing=\"%s\" reason=\"%s\"", db->path, doing, reason);
	db->told |= bit;
	return CACHE_UNREADABLE;
}

enum cache_result
db_damaged(struct db *db, const char *doing)
{
	db->is_suspect = true;
	return db_tell(db, CAUSE_DAMAGE, doing, "a row is damaged");
}

/* SQLite's words for the latest failure, with the system's error if there was one. */
static void
reason_of(sqlite3 *handle, int code, char *reason, size_t cap)
{
	int kind = code & 0xff;
	struct buf b;

	buf_init(&b, reason, cap);
	buf_puts(&b, sqlite3_errstr(kind));
	buf_printf(&b, " (%d)", code);
	if (handle != NULL && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN))
		buf_printf(&b, ": %s", strerror(sqlite3_system_errno(handle)));
}

enum cache_result
db_failed(struct db *db, int code, const char *doing)
{
	char reason[REASON];

	int kind = code & 0xff;

	if (kind == SQLITE_BUSY && db->wait_ms == 0)
		return CACHE_UNREADABLE; /* best effort, and others had the better of it */
	if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_IOERR)
		db->is_suspect = true;
	if (kind == SQLITE_READONLY && db->readonly[0] != '\0')
		return db_tell(db, SQLITE_READONLY, doing, db->readonly);
	reason_of(db->handle, code, reason, sizeof reason);
	return db_tell(db, (unsigned)kind, doing, reason);
}

/* ---- opening ---- */

static int
first_int(sqlite3 *handle, const char *sql, int *value)
{
	sqlite3_stmt *statement;
	int r = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

	if (r != SQLITE_OK)
		return r;
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		*value = sqlite3_column_int(statement, 0);
	int end = sqlite3_finalize(statement);
	return r == SQLITE_ROW ? SQLITE_OK : r == SQLITE_DONE ? SQLITE_CORRUPT : end;
}

/* Nothing in the file is trusted to run, and nothing is done beyond what is asked. */
static int
configure(struct db *db)
{
	static const struct {
		int option, value;
	} options[] = {
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	};
	sqlite3_int64 mapped = 0;

	sqlite3_busy_handler(db->handle, wait_for_others, db);
	sqlite3_progress_handler(db->handle, STEPS, count_steps, db);
	sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		int r =
		    sqlite3_db_config(db->handle, options[i].option, options[i].value, (int *)NULL);
		if (r != SQLITE_OK)
			return r;
	}
	int r = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_MMAP_SIZE, &mapped);
	if (r != SQLITE_OK && r != SQLITE_NOTFOUND)
		return r;
	sqlite3_wal_autocheckpoint(db->handle, CHECKPOINT_PAGES);
	return sqlite3_exec(db->handle, "PRAGMA cell_size_check=1", NULL, NULL, NULL);
}

/* Open, and read for the first time: from here on SQLite has all its files open. */
static int
connect_to(struct db *db, const char *name, int flags, int *application, int *format)
{
	flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		 SQLITE_OPEN_NOFOLLOW;
	int r = sqlite3_open_v2(name, &db->handle, flags, NULL);
	if (r == SQLITE_OK) {
		sqlite3_extended_result_codes(db->handle, 1);
		r = configure(db);
	}
	if (r == SQLITE_OK)
		r = first_int(db->handle, "PRAGMA application_id", application);
	if (r == SQLITE_OK)
		r = first_int(db->handle, "PRAGMA user_version", format);
	return r;
}

static void
disconnect(struct db *db)
{
	sqlite3_close(db->handle);
	db->handle = NULL;
}

/* path as a URI that asks for the shared memory as it is, or on the heap. */
static char *
readonly_uri(const char *path)
{
	static const char hex[] = "0123456789ABCDEF", end[] = "?readonly_shm=1";
	size_t n = strlen(path);
	char *uri = mem_zero(5 + 3 * n + sizeof end, 1);

	if (uri == NULL)
		return NULL;
	memcpy(uri, "file:", 5);
	char *p = uri + 5;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)path[i];
		if (is_alnum(path[i]) || c == '/' || c == '.' || c == '-' || c == '_') {
			*p++ = path[i];
		} else {
			*p++ = '%';
			*p++ = hex[c >> 4];
			*p++ = hex[c & 15];
		}
	}
	memcpy(p, end, sizeof end);
	return uri;
}

/*
 * On a full disk the shared memory file cannot be made large enough: read all the same, with an
 * index of the log on the heap.  Nothing can be written then.
 */
static int
connect_readonly(struct db *db, int code, int *application, int *format)
{
	char *uri = readonly_uri(db->path);

	if (uri == NULL)
		return SQLITE_NOMEM;
	reason_of(db->handle, code, db->readonly, sizeof db->readonly);
	disconnect(db);
	int r = connect_to(db, uri, SQLITE_OPEN_URI, application, format);
	free(uri);
	return r;
}

static int
refuse(struct db *db, char *why, size_t cap, const char *words)
{
	struct buf b;

	disconnect(db);
	buf_init(&b, why, cap);
	buf_printf(&b, "%s: %s", db->path, words);
	return MTASTS_ECACHE;
}

static int
refuse_code(struct db *db, int code, char *why, size_t cap)
{
	char reason[REASON];

	reason_of(db->handle, code, reason, sizeof reason);
	return refuse(db, why, cap, reason);
}

int
db_open(struct db *db, int wait_ms, char *why, size_t cap)
{
	int application = 0, format = 0;

	db->wait_ms = wait_ms;
	db->waited_ms = 0;
	db->steps = 0;
	db->is_suspect = db->writer = db->durable = false;
	db->readonly[0] = '\0';
	int r = connect_to(db, db->path, 0, &application, &format);
	if ((r & 0xff) == SQLITE_IOERR || (r & 0xff) == SQLITE_FULL) {
		int again = connect_readonly(db, r, &application, &format);
		r = again == SQLITE_OK ? again : r;
	}
	if (r != SQLITE_OK)
		return refuse_code(db, r, why, cap);
	if (application != APPLICATION)
		return refuse(
		    db, why, cap, "not a store of mtasts, or not finished: run mtasts init");
	if (format != FORMAT)
		return refuse(db, why, cap, "a store of another version of mtasts");
	return 0;
}

void
db_close(struct db *db)
{
	/* fork() within a call (from the log's callback) left a transaction open: not ours to end
	 */
	if (db->handle != NULL && db->pid != getpid() && !sqlite3_get_autocommit(db->handle))
		db->handle = NULL;
	if (db->handle == NULL)
		return;
	for (int i = 0; i < SQL_N; i++)
		sqlite3_finalize(db->sql[i]);
	memset(db->sql, 0, sizeof db->sql);
	disconnect(db);
}

/* ---- making ---- */

static int
fill(struct db *db)
{
	struct place head = { .used_at = 0 };
	char ids[96];

	int r = sqlite3_exec(db->handle, sql_schema, NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return r;
	sqlite3_stmt *sql = sql_prepare(db, SQL_POLICY_INSERT);
	if (sql == NULL)
		return sqlite3_errcode(db->handle);
	const struct span empty = { "", 0 };
	for (int i = 1; i <= 9; i++)
		sqlite3_bind_int64(sql, i, 0);
	sql_bind_span(sql, 1, SQLITE_TEXT, empty);
	sql_bind_span(sql, 2, SQLITE_TEXT, empty);
	sql_bind_span(sql, 7, SQLITE_TEXT, empty);
	sql_bind_span(sql, 8, SQLITE_BLOB, empty);
	sqlite3_bind_int64(sql, 4, row_link(&head));
	sqlite3_step(sql);
	r = sqlite3_reset(sql);
	if (r != SQLITE_OK)
		return r;
	snprintf(ids, sizeof ids, "PRAGMA application_id=%d;PRAGMA user_version=%d", APPLICATION,
	    FORMAT);
	return sqlite3_exec(db->handle, ids, NULL, NULL, NULL);
}

static int
count_tables(struct db *db, int *tables)
{
	return first_int(db->handle, "SELECT count(*) FROM sqlite_master", tables);
}

/* Within a transaction, for another may be making it too. */
static int
fill_if_empty(struct db *db)
{
	int tables = 0;

	int r = sqlite3_exec(db->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return r;
	r = count_tables(db, &tables);
	if (r == SQLITE_OK && tables == 0)
		r = fill(db);
	if (r == SQLITE_OK)
		return sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL);
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int
create(struct db *db)
{
	int r = sqlite3_exec(
	    db->handle, "PRAGMA page_size=4096;PRAGMA journal_mode=WAL", NULL, NULL, NULL);

	if (r == SQLITE_OK)
		r = fill_if_empty(db);
	if (r == SQLITE_OK)
		r = sqlite3_wal_checkpoint_v2(
		    db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return r == SQLITE_BUSY ? SQLITE_OK : r; /* another writes: then it checkpoints */
}

int
db_create(const char *path, char *why, size_t cap)
{
	struct db db = { .pid = getpid(), .wait_ms = CREATE_WAIT };
	int application = 0, format = 0, tables = 0;

	db.path = mem_dup(path, strlen(path));
	if (db.path == NULL)
		return MTASTS_ENOMEM;
	int result = 0;
	int r = connect_to(&db, path, 0, &application, &format);
	if (r == SQLITE_OK)
		r = count_tables(&db, &tables);
	if (r == SQLITE_OK && application == 0 && format == 0 && tables == 0)
		r = create(&db);
	else if (r == SQLITE_OK && (application != APPLICATION || format != FORMAT))
		result = refuse(&db, why, cap, "there, but not a store of this version of mtasts");
	if (r != SQLITE_OK)
		result = refuse_code(&db, r, why, cap);
	db_close(&db);
	free(db.path);
	return result;
}
