/* SPDX-License-Identifier: ISC
 *
 * Hints, outcomes and strikes: a row each, written without waiting for the disk.
 */
#include "cache/hint.h"

#include <string.h>

#include "cache/hash.h"

enum { WAIT = 2000 }; /* ms, for others' locks */

/* One statement that writes, in a transaction of its own. */
static enum cache_result
write_one(struct db *db, sqlite3_stmt *sql, const char *doing)
{
	if (sql_begin(db, false, doing) != CACHE_OK)
		return CACHE_UNREADABLE;
	if (sql_run(db, sql, doing) != CACHE_OK) {
		sql_rollback(db);
		return CACHE_UNREADABLE;
	}
	return sql_commit(db, doing);
}

/* Start a call and bind the domain it is about; NULL: CACHE_UNREADABLE. */
static sqlite3_stmt *
start(struct db *db, enum sql which, const struct domain *domain)
{
	sqlite3_stmt *sql = db_start(db, WAIT) ? sql_prepare(db, which) : NULL;

	if (sql != NULL)
		sql_bind_span(sql, 1, SQLITE_TEXT, domain_span(domain));
	return sql;
}

/* A text that fits into a C string of cap octets. */
static bool
column_text(sqlite3_stmt *sql, int i, char *text, size_t cap)
{
	struct span s;

	if (!sql_column_span(sql, i, SQLITE_TEXT, cap - 1, &s) || span_find(s, '\0') != s.n)
		return false;
	if (s.n != 0)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return true;
}

/* A column that holds one of an enum's values, 0 .. last. */
static bool
column_enum(sqlite3_stmt *sql, int i, int last, int *value)
{
	int64_t n;

	if (!sql_column_int(sql, i, &n) || n < 0 || n > last)
		return false;
	*value = (int)n;
	return true;
}

static bool
column_sum(sqlite3_stmt *sql, int i, int64_t sum)
{
	int64_t stored;

	return sql_column_int(sql, i, &stored) && stored == sum;
}

/* ---- hints ---- */

static int64_t
hint_sum(const struct domain *domain, const struct hint *hint)
{
	struct hash h;

	hash_init(&h, NULL);
	hash_span(&h, domain_span(domain));
	hash_u64(&h, (uint64_t)hint->absent_until);
	hash_u64(&h, (uint64_t)hint->agreed_until);
	hash_span(&h, span_of(hint->failed_id));
	hash_u64(&h, hint->failed_finding);
	hash_u64(&h, (uint64_t)hint->failed_until);
	hash_u64(&h, (uint64_t)hint->get_at);
	return (int64_t)hash_end(&h);
}

static bool
read_hint(sqlite3_stmt *sql, const struct domain *domain, struct hint *hint)
{
	struct hint read = { .get_at = 0 };
	int finding;

	if (!sql_column_int(sql, 0, &read.absent_until) ||
	    !sql_column_int(sql, 1, &read.agreed_until) ||
	    !column_text(sql, 2, read.failed_id, sizeof read.failed_id) ||
	    !column_enum(sql, 3, MTASTS_DANE_REQUIRED, &finding) ||
	    !sql_column_int(sql, 4, &read.failed_until) || !sql_column_int(sql, 5, &read.get_at))
		return false;
	read.failed_finding = (enum mtasts_finding)finding;
	if (!column_sum(sql, 6, hint_sum(domain, &read)))
		return false;
	*hint = read;
	return true;
}

enum cache_result
hint_get(struct db *db, const struct domain *domain, struct hint *hint)
{
	static const char doing[] = "read a hint";
	enum cache_result result = CACHE_OK;

	sqlite3_stmt *sql = start(db, SQL_HINT_GET, domain);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	int r = sql_step(db, sql, doing);
	if (r == SQLITE_DONE)
		result = CACHE_NOTHING;
	else if (r != SQLITE_ROW)
		result = CACHE_UNREADABLE;
	else if (!read_hint(sql, domain, hint))
		result = db_damaged(db, doing);
	sqlite3_reset(sql);
	return result;
}

enum cache_result
hint_put(struct db *db, const struct domain *domain, const struct hint *hint)
{
	sqlite3_stmt *sql = start(db, SQL_HINT_PUT, domain);

	if (sql == NULL)
		return CACHE_UNREADABLE;
	sqlite3_bind_int64(sql, 2, hint->absent_until);
	sqlite3_bind_int64(sql, 3, hint->agreed_until);
	sql_bind_span(sql, 4, SQLITE_TEXT, span_of(hint->failed_id));
	sqlite3_bind_int64(sql, 5, hint->failed_finding);
	sqlite3_bind_int64(sql, 6, hint->failed_until);
	sqlite3_bind_int64(sql, 7, hint->get_at);
	sqlite3_bind_int64(sql, 8, hint_sum(domain, hint));
	return write_one(db, sql, "write a hint");
}

/* ---- outcomes ---- */

static int64_t
outcome_sum(const struct domain *domain, int64_t boot, const struct outcome *outcome)
{
	struct hash h;

	hash_init(&h, NULL);
	hash_span(&h, domain_span(domain));
	hash_u64(&h, (uint64_t)boot);
	hash_u64(&h, (uint64_t)outcome->at_ms);
	hash_u64(&h, outcome->state);
	hash_u64(&h, outcome->source);
	hash_u64(&h, outcome->finding);
	hash_span(&h, span_of(outcome->reason));
	return (int64_t)hash_end(&h);
}

static bool
read_outcome(sqlite3_stmt *sql, const struct domain *domain, int64_t *boot, struct outcome *outcome)
{
	struct outcome read = { .at_ms = 0 };
	int state, source, finding;

	if (!sql_column_int(sql, 0, boot) || !sql_column_int(sql, 1, &read.at_ms) ||
	    !column_enum(sql, 2, MTASTS_FAULT, &state) ||
	    !column_enum(sql, 3, MTASTS_FROM_STALE, &source) ||
	    !column_enum(sql, 4, MTASTS_DANE_REQUIRED, &finding) ||
	    !column_text(sql, 5, read.reason, sizeof read.reason))
		return false;
	read.state = (enum mtasts_state)state;
	read.source = (enum mtasts_source)source;
	read.finding = (enum mtasts_finding)finding;
	if (!column_sum(sql, 6, outcome_sum(domain, *boot, &read)))
		return false;
	*outcome = read;
	return true;
}

enum cache_result
outcome_get(struct db *db, const struct domain *domain, int64_t boot, struct outcome *outcome)
{
	static const char doing[] = "read an outcome";
	enum cache_result result = CACHE_NOTHING;
	struct outcome read;
	int64_t its_boot;

	sqlite3_stmt *sql = start(db, SQL_OUTCOME_GET, domain);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	int r = sql_step(db, sql, doing);
	if (r != SQLITE_ROW && r != SQLITE_DONE)
		result = CACHE_UNREADABLE;
	else if (r == SQLITE_ROW && !read_outcome(sql, domain, &its_boot, &read))
		result = db_damaged(db, doing);
	else if (r == SQLITE_ROW && its_boot == boot) {
		*outcome = read;
		result = CACHE_OK;
	}
	sqlite3_reset(sql);
	return result;
}

enum cache_result
outcome_put(struct db *db, const struct domain *domain, int64_t boot, const struct outcome *outcome)
{
	sqlite3_stmt *sql = start(db, SQL_OUTCOME_PUT, domain);

	if (sql == NULL)
		return CACHE_UNREADABLE;
	sqlite3_bind_int64(sql, 2, boot);
	sqlite3_bind_int64(sql, 3, outcome->at_ms);
	sqlite3_bind_int64(sql, 4, outcome->state);
	sqlite3_bind_int64(sql, 5, outcome->source);
	sqlite3_bind_int64(sql, 6, outcome->finding);
	sql_bind_span(sql, 7, SQLITE_TEXT, span_of(outcome->reason));
	sqlite3_bind_int64(sql, 8, outcome_sum(domain, boot, outcome));
	return write_one(db, sql, "write an outcome");
}

/* ---- strikes ---- */

static int64_t
strike_sum(const struct domain *domain, const struct strike *strike)
{
	struct hash h;

	hash_init(&h, NULL);
	hash_span(&h, domain_span(domain));
	hash_span(&h, domain_span(&strike->mx));
	hash_u64(&h, strike->finding);
	hash_u64(&h, (uint64_t)strike->at);
	return (int64_t)hash_end(&h);
}

static bool
read_strike(sqlite3_stmt *sql, const struct domain *domain, struct strike *strike)
{
	struct span mx;
	int finding;

	if (!sql_column_span(sql, 0, SQLITE_TEXT, DOMAIN_MAX, &mx) ||
	    domain_parse(mx, DOMAIN_UNDERSCORE, &strike->mx) != 0 ||
	    !column_enum(sql, 1, MTASTS_DANE_REQUIRED, &finding) ||
	    !sql_column_int(sql, 2, &strike->at))
		return false;
	strike->finding = (enum mtasts_finding)finding;
	return column_sum(sql, 3, strike_sum(domain, strike));
}

enum cache_result
strikes_get(struct db *db, const struct domain *domain, int64_t now, struct strike *strikes,
    size_t cap, size_t *n)
{
	static const char doing[] = "read strikes";
	enum cache_result result = CACHE_OK;
	struct strike strike;
	size_t count = 0;
	int r;

	sqlite3_stmt *sql = start(db, SQL_STRIKES_GET, domain);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	while (result == CACHE_OK && (r = sql_step(db, sql, doing)) != SQLITE_DONE) {
		if (r != SQLITE_ROW)
			result = CACHE_UNREADABLE;
		else if (!read_strike(sql, domain, &strike))
			result = db_damaged(db, doing);
		else if (strike.at <= now && now - strike.at <= LIMIT_STRIKE) {
			if (count < cap)
				strikes[count] = strike;
			count++;
		}
	}
	sqlite3_reset(sql);
	if (result == CACHE_OK)
		*n = count;
	return result;
}

enum cache_result
strike_put(struct db *db, const struct domain *domain, const struct strike *strike)
{
	sqlite3_stmt *sql = start(db, SQL_STRIKE_PUT, domain);

	if (sql == NULL)
		return CACHE_UNREADABLE;
	sql_bind_span(sql, 2, SQLITE_TEXT, domain_span(&strike->mx));
	sqlite3_bind_int64(sql, 3, strike->finding);
	sqlite3_bind_int64(sql, 4, strike->at);
	sqlite3_bind_int64(sql, 5, strike_sum(domain, strike));
	return write_one(db, sql, "write a strike");
}

/* After every good delivery: look whether there is anything to end before taking the lock. */
enum cache_result
strike_end(struct db *db, const struct domain *domain, const struct domain *mx)
{
	static const char doing[] = "end a strike";

	sqlite3_stmt *sql = start(db, SQL_STRIKES_GET, domain);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	int r = sql_step(db, sql, doing);
	sqlite3_reset(sql);
	if (r == SQLITE_DONE)
		return CACHE_OK;
	if (r != SQLITE_ROW)
		return CACHE_UNREADABLE;
	sql = start(db, mx == NULL ? SQL_STRIKES_DELETE : SQL_STRIKE_DELETE, domain);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	if (mx != NULL)
		sql_bind_span(sql, 2, SQLITE_TEXT, domain_span(mx));
	return write_one(db, sql, doing);
}
