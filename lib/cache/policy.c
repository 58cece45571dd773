/* SPDX-License-Identifier: ISC
 *
 * Policies in the store.  Every answer comes from a row whose check sums are good: the domain's
 * own, or the one before its place, which says that there is none.
 */
#include "cache/policy.h"

#include <string.h>

#include "cache/row.h"

enum {
	WAIT = 2000,	   /* ms, for others' locks */
	USED_EVERY = 3600, /* seconds between two notes of a use */
};

/* ---- reading ---- */

static bool
read_row(sqlite3_stmt *sql, struct row *row)
{
	return sql_column_span(sql, 0, SQLITE_TEXT, DOMAIN_MAX, &row->domain) &&
	       sql_column_span(sql, 1, SQLITE_TEXT, DOMAIN_MAX, &row->next) &&
	       sql_column_int(sql, 2, &row->used_at) && sql_column_int(sql, 3, &row->link) &&
	       sql_column_int(sql, 4, &row->fetched_at) && sql_column_int(sql, 5, &row->max_age) &&
	       sql_column_span(sql, 6, SQLITE_TEXT, LIMIT_ID, &row->id) &&
	       sql_column_span(sql, 7, SQLITE_BLOB, LIMIT_POLICY, &row->body) &&
	       sql_column_int(sql, 8, &row->sum);
}

/* A copy of the policy in row: damaged, or NULL for want of memory. */
static enum cache_result
copy_entry(struct db *db, const struct row *row, const struct place *place, struct entry **entry)
{
	struct entry view;

	if (!row_entry(row, place, &view))
		return db_damaged(db, "read a policy");
	struct entry *copy =
	    entry_new(&view.domain, view.fetched_at, view.max_age, row->id, view.body);
	if (copy == NULL)
		return db_tell(db, SQLITE_NOMEM, "read a policy", "out of memory");
	copy->used_at = view.used_at;
	*entry = copy;
	return CACHE_OK;
}

/*
 * The row of name, or the one before its place: *place is where it stands.  CACHE_OK: it is
 * name's (then *entry, unless entry is NULL); CACHE_NOTHING: proved that name has none.
 */
static enum cache_result
find(struct db *db, struct span name, struct place *place, struct entry **entry)
{
	static const char doing[] = "read a policy";
	struct row row;
	enum cache_result result = CACHE_NOTHING;

	sqlite3_stmt *sql = sql_prepare(db, SQL_POLICY_AT);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	sql_bind_span(sql, 1, SQLITE_TEXT, name);
	int r = sql_step(db, sql, doing);
	if (r == SQLITE_DONE)
		result = db_damaged(db, doing); /* not even the head */
	else if (r != SQLITE_ROW)
		result = CACHE_UNREADABLE;
	else if (!read_row(sql, &row) || !row_place(&row, place))
		result = db_damaged(db, doing);
	else if (span_eq(domain_span(&place->at), name))
		result = entry == NULL ? CACHE_OK : copy_entry(db, &row, place, entry);
	else if (!row_surrounds(place, name))
		result = db_damaged(db, doing);
	sqlite3_reset(sql);
	return result;
}

/* The row before that of name, which must say so. */
static enum cache_result
find_before(struct db *db, struct span name, struct place *place)
{
	static const char doing[] = "find the row before";
	struct row row;
	enum cache_result result = CACHE_OK;

	sqlite3_stmt *sql = sql_prepare(db, SQL_POLICY_BEFORE);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	sql_bind_span(sql, 1, SQLITE_TEXT, name);
	int r = sql_step(db, sql, doing);
	if (r != SQLITE_ROW && r != SQLITE_DONE)
		result = CACHE_UNREADABLE;
	else if (r == SQLITE_DONE || !read_row(sql, &row) || !row_place(&row, place) ||
		 !span_eq(domain_span(&place->next), name))
		result = db_damaged(db, doing);
	sqlite3_reset(sql);
	return result;
}

enum cache_result
policy_get(struct db *db, const struct domain *domain, struct entry **entry)
{
	struct place place;

	if (!db_start(db, WAIT))
		return CACHE_UNREADABLE;
	return find(db, domain_span(domain), &place, entry);
}

/*
 * Along the chain, a row at a time, so that what each() does holds up nobody.  Rows that come and
 * go meanwhile are given or not; the names only grow, so it ends.
 */
enum cache_result
policy_each(struct db *db, cache_each_fn *each, void *arg)
{
	struct domain name = { .n = 0 };
	struct place place;

	if (!db_start(db, WAIT))
		return CACHE_UNREADABLE;
	enum cache_result result = find(db, domain_span(&name), &place, NULL);
	while (result != CACHE_UNREADABLE && place.next.n != 0) {
		struct entry *entry = NULL;
		name = place.next;
		if (!db_start(db, WAIT))
			return CACHE_UNREADABLE;
		result = find(db, domain_span(&name), &place, &entry);
		int stop = result == CACHE_OK ? each(arg, entry) : 0;
		entry_free(entry);
		if (stop != 0)
			break;
	}
	return result == CACHE_UNREADABLE ? CACHE_UNREADABLE : CACHE_OK;
}

/* ---- writing, within a transaction ---- */

/* The statement must have changed just the one row: anything else is damage. */
static enum cache_result
change_row(struct db *db, sqlite3_stmt *sql, const char *doing)
{
	enum cache_result result = sql_run(db, sql, doing);

	if (result == CACHE_OK && sqlite3_changes(db->handle) != 1)
		return db_damaged(db, doing);
	return result;
}

static enum cache_result
write_link(struct db *db, const struct place *place)
{
	sqlite3_stmt *sql = sql_prepare(db, SQL_POLICY_LINK);

	if (sql == NULL)
		return CACHE_UNREADABLE;
	sql_bind_span(sql, 1, SQLITE_TEXT, domain_span(&place->at));
	sql_bind_span(sql, 2, SQLITE_TEXT, domain_span(&place->next));
	sqlite3_bind_int64(sql, 3, place->used_at);
	sqlite3_bind_int64(sql, 4, row_link(place));
	return change_row(db, sql, "link a row");
}

static void
bind_entry(sqlite3_stmt *sql, int first, const struct entry *entry)
{
	sqlite3_bind_int64(sql, first, entry->fetched_at);
	sqlite3_bind_int64(sql, first + 1, entry->max_age);
	sql_bind_span(sql, first + 2, SQLITE_TEXT, span_of(entry->id));
	sql_bind_span(sql, first + 3, SQLITE_BLOB, entry->body);
	sqlite3_bind_int64(sql, first + 4, (int64_t)entry_checksum(entry));
}

/* A row for a domain that has none; *before is the one before its place. */
static enum cache_result
insert(struct db *db, const struct entry *entry, struct place *before)
{
	struct place place = { entry->domain, before->next, entry->used_at };

	sqlite3_stmt *sql = sql_prepare(db, SQL_POLICY_INSERT);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	sql_bind_span(sql, 1, SQLITE_TEXT, domain_span(&place.at));
	sql_bind_span(sql, 2, SQLITE_TEXT, domain_span(&place.next));
	sqlite3_bind_int64(sql, 3, place.used_at);
	sqlite3_bind_int64(sql, 4, row_link(&place));
	bind_entry(sql, 5, entry);
	enum cache_result result = change_row(db, sql, "write a policy");
	if (result != CACHE_OK)
		return result;
	before->next = entry->domain;
	return write_link(db, before);
}

/* Compare and swap: the newer fetch wins, a row dated after now always loses. */
static enum cache_result
replace(struct db *db, const struct entry *entry, int64_t now)
{
	sqlite3_stmt *sql = sql_prepare(db, SQL_POLICY_REPLACE);

	if (sql == NULL)
		return CACHE_UNREADABLE;
	sql_bind_span(sql, 1, SQLITE_TEXT, domain_span(&entry->domain));
	bind_entry(sql, 2, entry);
	sqlite3_bind_int64(sql, 7, now);
	enum cache_result result = sql_run(db, sql, "write a policy");
	if (result == CACHE_OK && sqlite3_changes(db->handle) == 0)
		return CACHE_REFUSED;
	return result;
}

enum cache_result
policy_remove(struct db *db, struct span domain)
{
	struct place place, before;

	enum cache_result result = find(db, domain, &place, NULL);
	if (result != CACHE_OK)
		return result;
	result = find_before(db, domain, &before);
	if (result != CACHE_OK)
		return result;
	before.next = place.next;
	result = write_link(db, &before);
	if (result != CACHE_OK)
		return result;
	sqlite3_stmt *sql = sql_prepare(db, SQL_POLICY_DELETE);
	if (sql == NULL)
		return CACHE_UNREADABLE;
	sql_bind_span(sql, 1, SQLITE_TEXT, domain);
	return change_row(db, sql, "remove a policy");
}

/* End a transaction: it counts only when all of it went well. */
static enum cache_result
finish(struct db *db, enum cache_result result, const char *doing)
{
	if (result != CACHE_OK && result != CACHE_NOTHING) {
		sql_rollback(db);
		return result;
	}
	return sql_commit(db, doing) == CACHE_OK ? result : CACHE_UNREADABLE;
}

/* ---- whole calls ---- */

enum cache_result
policy_put(struct db *db, const struct entry *entry, int64_t now)
{
	static const char doing[] = "write a policy";
	struct place place;
	struct entry *old = NULL;

	if (!db_start(db, WAIT))
		return CACHE_UNREADABLE;
	if (entry_is_from_future(entry, now))
		return CACHE_REFUSED;
	if (sql_begin(db, true, doing) != CACHE_OK)
		return CACHE_UNREADABLE;
	/* a damaged row is not written over: it might be the newer one */
	enum cache_result result = find(db, domain_span(&entry->domain), &place, &old);
	if (result == CACHE_OK)
		result = replace(db, entry, now);
	else if (result == CACHE_NOTHING)
		result = insert(db, entry, &place);
	entry_free(old);
	return finish(db, result, doing);
}

/* The policy, and what would stand in the way of a fresh look-up. */
static enum cache_result
remove_all(struct db *db, const struct domain *domain)
{
	static const enum sql others[] = { SQL_HINT_DELETE, SQL_STRIKES_DELETE };

	enum cache_result result = policy_remove(db, domain_span(domain));
	for (size_t i = 0; i < sizeof others / sizeof *others && result != CACHE_UNREADABLE; i++) {
		sqlite3_stmt *sql = sql_prepare(db, others[i]);
		if (sql == NULL)
			return CACHE_UNREADABLE;
		sql_bind_span(sql, 1, SQLITE_TEXT, domain_span(domain));
		if (sql_run(db, sql, "drop a domain") != CACHE_OK)
			result = CACHE_UNREADABLE;
	}
	return result;
}

enum cache_result
policy_drop(struct db *db, const struct domain *domain)
{
	static const char doing[] = "drop a domain";

	if (!db_start(db, WAIT) || sql_begin(db, true, doing) != CACHE_OK)
		return CACHE_UNREADABLE;
	return finish(db, remove_all(db, domain), doing);
}

/* Read first: nearly always there is nothing to write. */
void
policy_used(struct db *db, const struct domain *domain, int64_t now)
{
	static const char doing[] = "note a use";
	struct place place;

	if (!db_start(db, 0) || find(db, domain_span(domain), &place, NULL) != CACHE_OK)
		return;
	/* a note from the future would never be mended */
	if (now < 0 || (place.used_at <= now && now - place.used_at < USED_EVERY))
		return;
	if (sql_begin(db, false, doing) != CACHE_OK)
		return;
	enum cache_result result = find(db, domain_span(domain), &place, NULL);
	place.used_at = now;
	if (result == CACHE_OK)
		result = write_link(db, &place);
	finish(db, result, doing);
}
