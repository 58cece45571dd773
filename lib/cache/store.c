/* SPDX-License-Identifier: ISC
 *
 * The store as the engine knows it: opened, looked at again, closed, and the table of calls.  Its
 * files: files.c, make.c; SQLite: db.c, sql.c; policies: policy.c; hints, outcomes, strikes:
 * hint.c; leases: lease.c.
 */
#include "cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cache/db.h"
#include "cache/files.h"
#include "cache/hash.h"
#include "cache/hint.h"
#include "cache/lease.h"
#include "cache/policy.h"
#include "cache/sweep.h"

enum {
	SIZE_MIN = 512,	   /* octets of the smallest database */
	OPEN_WAIT = 2000,  /* ms, for others' locks */
	LOOK_EVERY = 100,  /* ms, whether the file is still the one in the directory */
	OPEN_AGAIN = 1000, /* ms, between two tries to open it anew */
	WHY_MAX = 256,
};

struct store {
	struct db db;
	struct leases leases;
	char *name;		      /* the directory's, as it was given */
	int directory;		      /* descriptor, -1 */
	int64_t looked_ms, opened_ms; /* monotonic: the latest look, the latest try to open */
	char why[WHY_MAX];	      /* of that try, when it failed */
	bool has_boot;
	int64_t boot;
};

/* ---- the files ---- */

/* The file in the directory is still the one SQLite opened by its name. */
static bool
is_same_file(const struct store *store)
{
	struct stat here, there;
	int moved = 1;

	if (sqlite3_file_control(store->db.handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) !=
	    SQLITE_OK)
		moved = 1;
	return moved == 0 && stat(store->db.path, &there) == 0 &&
	       fstatat(store->directory, STORE_FILE, &here, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* ---- opening ---- */

static int64_t
now_ms(void)
{
	struct clock clock = clock_system();

	return clock_mono_ms(&clock);
}

static int
open_db(struct store *store, const struct owner *owner, int wait_ms, char *why, size_t cap)
{
	struct owner_saved saved;

	if (owner_enter(owner, &saved) != 0)
		return files_refuse(why, cap, "cannot become the owner of %s", store->db.path);
	int r = db_open(&store->db, wait_ms, why, cap);
	owner_leave(&saved);
	if (r == 0 && !is_same_file(store)) {
		db_close(&store->db);
		return files_refuse(
		    why, cap, "%s was replaced while it was opened", store->db.path);
	}
	return r;
}

static int
open_in(struct store *store, int wait_ms, char *why, size_t cap)
{
	struct owner owner;
	off_t size;

	store->directory = files_open_directory(store->name, why, cap);
	if (store->directory < 0)
		return store->directory;
	int r = files_path(store->name, &store->db.path, why, cap);
	if (r != 0)
		return r;
	if (owner_of_directory(store->name, &owner) != 0)
		return files_refuse(why, cap, "%s can be written by everybody", store->name);
	lease_move(&store->leases, store->directory, &owner);
	r = files_check(store->directory, &owner, &size, why, cap);
	if (r != 0)
		return r;
	if (size < 0)
		return files_refuse(why, cap, "no store in %s: run mtasts init", store->name);
	if (size < SIZE_MIN) /* SQLite would take it for new and remove the log beside it */
		return files_refuse(
		    why, cap, "%s is empty or cut off: run mtasts init", store->db.path);
	return open_db(store, &owner, wait_ms, why, cap);
}

/* All but the leases that are held. */
static void
close_in(struct store *store)
{
	db_close(&store->db);
	if (store->directory >= 0)
		close(store->directory);
	store->directory = -1;
	free(store->db.path);
	store->db.path = NULL;
}

int
store_open(
    const char *directory, const struct log *log, struct store **store, char *why, size_t cap)
{
	struct owner nobody = { 0, 0 };

	if (cap != 0)
		why[0] = '\0';
	struct store *opened = mem_zero(1, sizeof *opened);
	if (opened == NULL)
		return MTASTS_ENOMEM;
	if (log != NULL)
		opened->db.log = *log;
	opened->directory = -1;
	opened->db.pid = getpid();
	lease_init(&opened->leases, -1, &nobody);
	opened->looked_ms = opened->opened_ms = now_ms();
	opened->name = mem_dup(directory, strlen(directory));
	int r = opened->name == NULL ? MTASTS_ENOMEM
				     : open_in(opened, OPEN_WAIT, opened->why, sizeof opened->why);
	if (r == MTASTS_ENOMEM) {
		store_close(opened);
		return r;
	}
	buf_keep(why, cap, span_of(opened->why));
	*store = opened;
	return r;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	lease_clear(&store->leases, store->db.pid != getpid());
	close_in(store);
	free(store->name);
	free(store);
}

/* ---- another store in its place ---- */

/* Nobody is waited for; who cannot open it now tries again soon. */
static void
open_anew(struct store *store)
{
	const struct log *log = &store->db.log;
	char why[WHY_MAX] = "";

	close_in(store);
	int r = open_in(store, 0, why, sizeof why);
	if (r == MTASTS_ENOMEM)
		buf_keep(why, sizeof why, span_of(mtasts_strerror(r)));
	if (r == 0 && store->why[0] != '\0')
		log_put(log, MTASTS_LOG_INFO, "store directory=%s reason=\"can be read again\"",
		    store->name);
	if (r != 0 && strcmp(why, store->why) != 0)
		log_put(
		    log, MTASTS_LOG_ERROR, "store directory=%s reason=\"%s\"", store->name, why);
	memcpy(store->why, why, sizeof why);
}

/*
 * For processes that live long: a store that was not there, was replaced, or was damaged may be
 * another now.  Between two calls only, when nothing refers to the connection.
 */
static void
look_again(struct store *store)
{
	int64_t now = now_ms();

	if (now - store->looked_ms < LOOK_EVERY || store->db.pid != getpid())
		return;
	store->looked_ms = now;
	bool is_good = store->db.handle != NULL && !store->db.is_suspect &&
		       store->db.readonly[0] == '\0' && is_same_file(store);
	if (is_good || now - store->opened_ms < OPEN_AGAIN)
		return;
	store->opened_ms = now;
	open_anew(store);
}

/* ---- the boot ---- */

/* A number that is another after the next start of the machine; 0 where there is none. */
static int64_t
read_boot(void)
{
	char id[64];
	struct hash h;

	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, id, sizeof id);
	close(fd);
	if (n <= 0)
		return 0;
	hash_init(&h, NULL);
	hash_span(&h, span_make(id, (size_t)n));
	return (int64_t)hash_end(&h);
}

static int64_t
boot_of(struct store *store)
{
	if (!store->has_boot)
		store->boot = read_boot();
	store->has_boot = true;
	return store->boot;
}

/* ---- the table ---- */

/* At the beginning of every call. */
static struct db *
db_of(void *self)
{
	struct store *store = self;

	look_again(store);
	return &store->db;
}

static enum cache_result
get(void *self, const struct domain *domain, struct entry **entry)
{
	return policy_get(db_of(self), domain, entry);
}

static enum cache_result
peek(void *self, const struct domain *domain, struct entry **entry, enum cache_result *hinted,
    struct hint *hint)
{
	struct db *db = db_of(self);

	db->is_hasty = true;
	enum cache_result result = policy_get(db, domain, entry);
	*hinted = hint_get(db, domain, hint);
	db->is_hasty = false;
	return result;
}

static enum cache_result
put(void *self, const struct entry *entry, int64_t now)
{
	return policy_put(db_of(self), entry, now);
}

static enum cache_result
drop(void *self, const struct domain *domain)
{
	return policy_drop(db_of(self), domain);
}

static enum cache_result
each_policy(void *self, cache_each_fn *each, void *arg)
{
	return policy_each(db_of(self), each, arg);
}

static void
used(void *self, const struct domain *domain, int64_t now)
{
	policy_used(db_of(self), domain, now);
}

static void
sweep_all(void *self, int64_t now)
{
	sweep(db_of(self), now, now_ms(), boot_of(self));
}

static enum cache_result
get_hint(void *self, const struct domain *domain, struct hint *hint)
{
	return hint_get(db_of(self), domain, hint);
}

static enum cache_result
put_hint(void *self, const struct domain *domain, const struct hint *hint)
{
	return hint_put(db_of(self), domain, hint);
}

static enum cache_result
get_lease(void *self, const struct domain *domain, unsigned max_fetches, struct cache_lease **lease)
{
	struct store *store = self;
	const char *why = "";

	if (!db_start(db_of(self), 0))
		return CACHE_UNREADABLE;
	enum cache_result result =
	    lease_get(&store->leases, STORE_LEASES, domain, max_fetches, lease, &why);
	/* one file system, one cause */
	bool is_readonly = sqlite3_db_readonly(store->db.handle, "main") == 1;
	if (result == CACHE_UNREADABLE)
		db_tell(
		    &store->db, is_readonly ? CAUSE_READONLY : CAUSE_LEASES, "lease a domain", why);
	return result;
}

static void
end_lease(void *self, struct cache_lease *lease, const struct outcome *outcome)
{
	struct store *store = self;
	bool in_child = store->db.pid != getpid();

	/* the outcome first: who sees the lease gone finds it */
	if (outcome != NULL && !in_child)
		outcome_put(&store->db, lease_domain(lease), boot_of(store), outcome);
	lease_end(&store->leases, lease, in_child);
}

static enum cache_result
get_outcome(void *self, const struct domain *domain, struct outcome *outcome)
{
	return outcome_get(db_of(self), domain, boot_of(self), outcome);
}

static enum cache_result
get_strikes(void *self, const struct domain *domain, int64_t now, struct strike *strikes,
    size_t cap, size_t *n)
{
	return strikes_get(db_of(self), domain, now, strikes, cap, n);
}

static enum cache_result
put_strike(void *self, const struct domain *domain, const struct strike *strike)
{
	return strike_put(db_of(self), domain, strike);
}

static enum cache_result
end_strike(void *self, const struct domain *domain, const struct domain *mx)
{
	return strike_end(db_of(self), domain, mx);
}

struct cache
store_cache(struct store *store)
{
	return (struct cache){
		.self = store,
		.get = get,
		.peek = peek,
		.put = put,
		.drop = drop,
		.each = each_policy,
		.used = used,
		.sweep = sweep_all,
		.hint_get = get_hint,
		.hint_put = put_hint,
		.lease_get = get_lease,
		.lease_end = end_lease,
		.outcome_get = get_outcome,
		.strikes_get = get_strikes,
		.strike_put = put_strike,
		.strike_end = end_strike,
	};
}
