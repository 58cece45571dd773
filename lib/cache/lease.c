/* SPDX-License-Identifier: ISC
 *
 * Locked ranges as leases.  Locks of the open file (Linux, POSIX 2024) where there are any: they
 * are the handle's own, so two handles of a process exclude each other, and closing one frees
 * nothing of the other.  Elsewhere they are the process's, with those two weaknesses: a look-up
 * may then be made twice.
 */
#include "cache/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/mem.h"

#ifdef F_OFD_SETLK
enum { SET_LOCK = F_OFD_SETLK };
#else
enum { SET_LOCK = F_SETLK };
#endif

enum { MODE = 0660, SLOTS_MAX = 65536 };

_Static_assert(sizeof(off_t) >= 8, "a domain's byte lies beyond 2^62");

struct cache_lease {
	struct cache_lease *next;
	struct domain domain;
	off_t byte;    /* of the domain */
	unsigned slot; /* of the look-up: that byte */
};

/* ---- the file ---- */

int
lease_create(int directory, const struct owner *owner, const char *name)
{
	uint8_t salt[HASH_KEY];
	char there;
	int result = MTASTS_ECACHE;

	int fd = owner_open(owner, directory, name, O_RDWR | O_CREAT, MODE);
	if (fd < 0)
		return MTASTS_ECACHE;
	ssize_t n = pread(fd, &there, 1, 0);
	sqlite3_randomness(sizeof salt, salt);
	if (n == 1 || (n == 0 && pwrite(fd, salt, sizeof salt, 0) == (ssize_t)sizeof salt))
		result = 0;
	close(fd);
	return result;
}

void
lease_init(struct leases *leases, int directory, const struct owner *owner)
{
	*leases = (struct leases){ .fd = -1, .directory = directory, .owner = *owner };
}

/* The open file is still the one in the directory, which may be another by now. */
static bool
is_current(const struct leases *leases, const char *name)
{
	struct stat here, there;

	return fstat(leases->fd, &here) == 0 &&
	       fstatat(leases->directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* At the first lease, for most processes need none; and anew when the file was replaced. */
static enum cache_result
open_file(struct leases *leases, const char *name, const char **why)
{
	if (leases->fd >= 0 && (leases->held != NULL || is_current(leases, name)))
		return CACHE_OK;
	if (leases->fd >= 0)
		close(leases->fd);
	leases->fd = -1;
	int fd = owner_open(&leases->owner, leases->directory, name, O_RDWR, 0);
	if (fd < 0) {
		*why = errno == ENOENT	? "the file of leases is missing: run mtasts init"
		       : errno == EROFS ? "the file of leases is on a read-only file system"
					: "the file of leases cannot be opened";
		return CACHE_UNREADABLE;
	}
	if (pread(fd, leases->salt, sizeof leases->salt, 0) != (ssize_t)sizeof leases->salt) {
		close(fd);
		*why = "the file of leases is damaged: remove it and run mtasts init";
		return CACHE_UNREADABLE;
	}
	leases->fd = fd;
	return CACHE_OK;
}

/* ---- locks ---- */

/* 0 taken, 1 another has it, -1 errno. */
static int
lock(int fd, off_t byte, short type)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	if (fcntl(fd, SET_LOCK, &range) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? 1 : -1;
}

/* Beyond all slots; off_t is 64 bits wide. */
static off_t
byte_of(const struct leases *leases, const struct domain *domain)
{
	struct hash h;

	hash_init(&h, leases->salt);
	hash_span(&h, domain_span(domain));
	return (off_t)(UINT64_C(1) << 62 | hash_end(&h) >> 2);
}

static bool
holds_byte(const struct leases *leases, off_t byte)
{
	for (const struct cache_lease *held = leases->held; held != NULL; held = held->next) {
		if (held->byte == byte || (off_t)held->slot == byte)
			return true;
	}
	return false;
}

static int
take_byte(const struct leases *leases, off_t byte)
{
	return holds_byte(leases, byte) ? 1 : lock(leases->fd, byte, F_WRLCK);
}

/* Any free slot; each process begins elsewhere, so that they seldom meet. */
static int
take_slot(const struct leases *leases, unsigned max_fetches, unsigned *slot)
{
	unsigned first = (unsigned)getpid() % max_fetches;

	for (unsigned i = 0; i < max_fetches; i++) {
		unsigned candidate = (first + i) % max_fetches;
		int r = take_byte(leases, (off_t)candidate);
		if (r == 0)
			*slot = candidate;
		if (r <= 0)
			return r;
	}
	return 1;
}

static int
take(const struct leases *leases, unsigned max_fetches, struct cache_lease *lease)
{
	int r = take_byte(leases, lease->byte);

	if (r != 0)
		return r;
	r = take_slot(leases, max_fetches, &lease->slot);
	if (r != 0)
		lock(leases->fd, lease->byte, F_UNLCK);
	return r;
}

/* ---- leases ---- */

enum cache_result
lease_get(struct leases *leases, const char *name, const struct domain *domain,
    unsigned max_fetches, struct cache_lease **lease, const char **why)
{
	if (open_file(leases, name, why) != CACHE_OK)
		return CACHE_UNREADABLE;
	if (max_fetches > SLOTS_MAX)
		max_fetches = SLOTS_MAX;
	if (leases->n_held >= max_fetches)
		return CACHE_REFUSED; /* all slots are our own: those who wait ask often */
	struct cache_lease *taken = mem_zero(1, sizeof *taken);
	if (taken == NULL) {
		*why = "out of memory";
		return CACHE_UNREADABLE;
	}
	taken->domain = *domain;
	taken->byte = byte_of(leases, domain);
	int r = take(leases, max_fetches, taken);
	if (r != 0) {
		free(taken);
		*why = "the file of leases cannot be locked";
		return r < 0 ? CACHE_UNREADABLE : CACHE_REFUSED;
	}
	taken->next = leases->held;
	leases->held = taken;
	leases->n_held++;
	*lease = taken;
	return CACHE_OK;
}

void
lease_end(struct leases *leases, struct cache_lease *lease, bool in_child)
{
	for (struct cache_lease **at = &leases->held; *at != NULL; at = &(*at)->next) {
		if (*at == lease) {
			*at = lease->next;
			leases->n_held--;
			break;
		}
	}
	if (!in_child) {
		lock(leases->fd, (off_t)lease->slot, F_UNLCK);
		lock(leases->fd, lease->byte, F_UNLCK);
	}
	free(lease);
}

void
lease_move(struct leases *leases, int directory, const struct owner *owner)
{
	leases->directory = directory;
	leases->owner = *owner;
}

void
lease_clear(struct leases *leases, bool in_child)
{
	while (leases->held != NULL)
		lease_end(leases, leases->held, in_child);
	if (leases->fd >= 0)
		close(leases->fd);
	leases->fd = -1;
}

const struct domain *
lease_domain(const struct cache_lease *lease)
{
	return &lease->domain;
}
