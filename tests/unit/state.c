/* SPDX-License-Identifier: ISC
 *
 * A state directory for tests.
 */
#include "state.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

enum { MAX_AGE = 604800, LARGE = 30000 };

static void
count_line(void *arg, enum mtasts_log level, const char *text)
{
	struct state *state = arg;

	if (level != MTASTS_LOG_ERROR)
		return;
	state->lines++;
	snprintf(state->line, sizeof state->line, "%s", text);
}

void
state_make(struct state *state, const char *base)
{
	struct owner owner;

	*state = (struct state){ .store = NULL };
	snprintf(
	    state->dir, sizeof state->dir, "%s/check_store.XXXXXX", base == NULL ? "/tmp" : base);
	ck_assert_ptr_nonnull(mkdtemp(state->dir));
	if (geteuid() == 0)
		ck_assert_int_eq(chown(state->dir, STATE_OWNER, STATE_GROUP), 0);
	ck_assert_int_eq(chmod(state->dir, 02770), 0);
	ck_assert_int_eq(owner_of_directory(state->dir, &owner), 0);
	int r = store_create(state->dir, &owner, state->why, sizeof state->why);
	ck_assert_msg(r == 0, "%s", state->why);
}

int
state_open(struct state *state)
{
	struct log log = { count_line, state, MTASTS_LOG_DEBUG };

	state->lines = 0;
	state->line[0] = '\0';
	int r = store_open(state->dir, &log, &state->store, state->why, sizeof state->why);
	ck_assert_int_ne(r, MTASTS_ENOMEM);
	state->cache = store_cache(state->store);
	return r;
}

void
state_close(struct state *state)
{
	store_close(state->store);
	state->store = NULL;
}

const char *
state_path(const struct state *state, const char *name, char path[200])
{
	snprintf(path, 200, "%s/%s", state->dir, name);
	return path;
}

void
state_remove(struct state *state)
{
	static const char *const names[] = { STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm",
		STORE_FILE "-journal", STORE_LEASES, "other" };
	char path[200];

	state_close(state);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(state_path(state, names[i], path));
	ck_assert_int_eq(rmdir(state->dir), 0);
}

void
state_become_mail(void)
{
	gid_t group = STATE_GROUP;

	if (geteuid() != 0)
		return;
	if (setgroups(1, &group) != 0 || setresgid(STATE_MAIL, STATE_MAIL, STATE_MAIL) != 0 ||
	    setresuid(STATE_MAIL, STATE_MAIL, STATE_MAIL) != 0)
		abort();
}

struct domain
state_domain(const char *text)
{
	struct domain domain;

	if (domain_parse(span_of(text), 0, &domain) != 0)
		abort();
	return domain;
}

/* What stands in the policy, from its name and instant alone. */
static size_t
write_body(const struct domain *domain, int64_t fetched_at, char *body, size_t cap)
{
	int n = snprintf(body, cap, "version: STSv1\nmode: enforce\nmx: %s\nx: %lld\n",
	    domain->name, (long long)fetched_at);
	size_t want = (domain->name[0] + (size_t)fetched_at) % 7 == 0 ? cap : (size_t)n;

	for (size_t i = (size_t)n; i < want; i++)
		body[i] = (char)('a' + (i * 31 + (size_t)fetched_at) % 26);
	return want;
}

struct entry *
state_entry(const struct domain *domain, int64_t fetched_at)
{
	static char body[LARGE];
	size_t n = write_body(domain, fetched_at, body, sizeof body);
	struct entry *entry =
	    entry_new(domain, fetched_at, MAX_AGE, span_of("20260101"), span_make(body, n));

	if (entry == NULL)
		abort();
	return entry;
}

bool
state_is_right(const struct entry *entry)
{
	static char body[LARGE];
	size_t n = write_body(&entry->domain, entry->fetched_at, body, sizeof body);

	return entry->max_age == MAX_AGE && strcmp(entry->id, "20260101") == 0 &&
	       span_eq(entry->body, span_make(body, n));
}

enum cache_result
state_put(struct state *state, const char *name, int64_t fetched_at, int64_t now)
{
	struct domain domain = state_domain(name);
	struct entry *entry = state_entry(&domain, fetched_at);
	enum cache_result result = state->cache.put(state->cache.self, entry, now);

	entry_free(entry);
	return result;
}

int64_t
state_get(struct state *state, const char *name)
{
	struct domain domain = state_domain(name);
	struct entry *entry = NULL;
	int64_t fetched_at = -2;

	switch (state->cache.get(state->cache.self, &domain, &entry)) {
	case CACHE_OK:
		fetched_at = entry->fetched_at;
		if (!domain_eq(&entry->domain, &domain) || !state_is_right(entry))
			fetched_at = -3;
		break;
	case CACHE_NOTHING:
		fetched_at = -1;
		break;
	case CACHE_REFUSED:
		abort();
	case CACHE_UNREADABLE:
		break;
	}
	entry_free(entry);
	return fetched_at;
}
