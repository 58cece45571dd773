/* SPDX-License-Identifier: ISC
 *
 * Each call takes the next few rows of each table, in the order of their domains, from where the
 * call before stopped (table mark), whoever made it.  So a call costs the same whatever there is,
 * and every row is looked at again and again.
 */
#include "cache/sweep.h"

#include "cache/policy.h"

enum {
	ROWS = 32,			/* of a table, a call */
	KEEP_OUTCOME = 3600 * 1000,	/* ms */
	KEEP_AHEAD = LIMIT_KEEP_EXPIRED /* seconds a hint may lie ahead: no limit is longer */
};

static const char doing[] = "sweep";

/* The domains after *after and up to *last are this call's part of a table. */
struct part {
	struct domain after;
	struct domain last; /* n 0: none */
};

struct instant {
	int64_t now;
	int64_t now_ms;
	int64_t boot;
};

static bool
get_name(struct db *db, sqlite3_stmt *sql, struct domain *name)
{
	struct span s;
	bool good = false;

	name->n = 0;
	int r = sql_step(db, sql, doing);
	/* no row, or NULL where there is no maximum: the end of the table */
	if (r == SQLITE_DONE || (r == SQLITE_ROW && sqlite3_column_type(sql, 0) == SQLITE_NULL))
		good = true;
	else if (r == SQLITE_ROW && sql_column_span(sql, 0, SQLITE_TEXT, DOMAIN_MAX, &s))
		good = s.n == 0 || domain_parse(s, DOMAIN_UNDERSCORE, name) == 0;
	sqlite3_reset(sql);
	return good;
}

static bool
get_part(struct db *db, const char *table, enum sql last, struct part *part)
{
	sqlite3_stmt *sql = sql_prepare(db, SQL_MARK_GET);

	if (sql == NULL)
		return false;
	sql_bind_span(sql, 1, SQLITE_TEXT, span_of(table));
	if (!get_name(db, sql, &part->after))
		return false;
	sql = sql_prepare(db, last);
	if (sql == NULL)
		return false;
	sql_bind_span(sql, 1, SQLITE_TEXT, domain_span(&part->after));
	sqlite3_bind_int64(sql, 2, ROWS);
	return get_name(db, sql, &part->last);
}

static bool
put_mark(struct db *db, const char *table, const struct part *part)
{
	sqlite3_stmt *sql = sql_prepare(db, SQL_MARK_PUT);

	if (sql == NULL)
		return false;
	sql_bind_span(sql, 1, SQLITE_TEXT, span_of(table));
	sql_bind_span(sql, 2, SQLITE_TEXT, domain_span(&part->last)); /* "": from the beginning */
	return sql_run(db, sql, doing) == CACHE_OK;
}

static sqlite3_stmt *
bind_part(struct db *db, enum sql which, const struct part *part, int64_t before)
{
	sqlite3_stmt *sql = sql_prepare(db, which);

	if (sql == NULL)
		return NULL;
	sql_bind_span(sql, 1, SQLITE_TEXT, domain_span(&part->after));
	sql_bind_span(sql, 2, SQLITE_TEXT, domain_span(&part->last));
	sqlite3_bind_int64(sql, 3, before);
	return sql;
}

/* One by one, for each removal mends the chain. */
static bool
sweep_policies(struct db *db, const struct part *part, const struct instant *at)
{
	for (int i = 0; i < ROWS; i++) {
		struct domain old;
		sqlite3_stmt *sql =
		    bind_part(db, SQL_POLICY_OLD, part, at->now - LIMIT_KEEP_EXPIRED);
		if (sql == NULL || !get_name(db, sql, &old))
			return false;
		if (old.n == 0)
			return true;
		if (policy_remove(db, domain_span(&old)) != CACHE_OK)
			return false;
	}
	return true;
}

static bool
sweep_hints(struct db *db, const struct part *part, const struct instant *at)
{
	sqlite3_stmt *sql = bind_part(db, SQL_HINT_SWEEP, part, at->now);

	if (sql == NULL)
		return false;
	sqlite3_bind_int64(sql, 4, LIMIT_RETRY_GET);
	sqlite3_bind_int64(sql, 5, at->now + KEEP_AHEAD);
	return sql_run(db, sql, doing) == CACHE_OK;
}

static bool
sweep_outcomes(struct db *db, const struct part *part, const struct instant *at)
{
	sqlite3_stmt *sql = bind_part(db, SQL_OUTCOME_SWEEP, part, at->now_ms - KEEP_OUTCOME);

	if (sql == NULL)
		return false;
	sqlite3_bind_int64(sql, 4, at->boot);
	return sql_run(db, sql, doing) == CACHE_OK;
}

static bool
sweep_strikes(struct db *db, const struct part *part, const struct instant *at)
{
	return sql_run(db, bind_part(db, SQL_STRIKE_SWEEP, part, at->now - LIMIT_STRIKE), doing) ==
	       CACHE_OK;
}

static const struct table {
	const char *name;
	enum sql last;
	bool (*sweep)(struct db *db, const struct part *part, const struct instant *at);
} tables[] = {
	{ "policy", SQL_MARK_POLICY, sweep_policies },
	{ "hint", SQL_MARK_HINT, sweep_hints },
	{ "outcome", SQL_MARK_OUTCOME, sweep_outcomes },
	{ "strike", SQL_MARK_STRIKE, sweep_strikes },
};

static bool
sweep_table(struct db *db, const struct table *table, const struct instant *at)
{
	struct part part;

	if (!get_part(db, table->name, table->last, &part))
		return false;
	if (part.last.n != 0 && !table->sweep(db, &part, at))
		return false;
	/* nothing after nothing: an empty table needs no mark */
	return (part.after.n == 0 && part.last.n == 0) || put_mark(db, table->name, &part);
}

void
sweep(struct db *db, int64_t now, int64_t now_ms, int64_t boot)
{
	struct instant at = { now, now_ms, boot };
	bool good = true;

	if (!db_start(db, 0) || sql_begin(db, false, doing) != CACHE_OK)
		return;
	for (size_t i = 0; i < sizeof tables / sizeof *tables && good; i++)
		good = sweep_table(db, &tables[i], &at);
	if (good)
		sql_commit(db, doing);
	else
		sql_rollback(db);
}
