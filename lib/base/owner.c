/* SPDX-License-Identifier: ISC
 *
 * Opening state files as their owner.  With file system ids (Linux) only this thread's view of
 * the file system changes, and the kernel takes root's file capabilities away for as long; with
 * effective ids (elsewhere) the process is the owner for that moment.
 */
#include "base/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_SYS_FSUID_H
#include <sys/fsuid.h>
#endif

#include "base/mem.h"
#include "mtasts.h"

enum {
	CREATE_TRIES = 20, /* another process made the file and has not yet set its mode */
	CREATE_WAIT = 1	   /* ms between two tries */
};

bool
owner_is_root(void)
{
	uid_t real = getuid(), effective = geteuid(), saved = effective;
#ifdef HAVE_SETRESUID
	(void)getresuid(&real, &effective, &saved);
#endif
	return real == 0 || effective == 0 || saved == 0;
}

int
owner_of_directory(const char *path, struct owner *owner)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return MTASTS_ECACHE;
	if (!S_ISDIR(st.st_mode) || (st.st_mode & S_IWOTH) != 0)
		return MTASTS_ECACHE;
	*owner = (struct owner){ st.st_uid, st.st_gid };
	return 0;
}

#ifdef HAVE_SETFSUID

/* setfsuid() never says that it failed: ask again with an id that cannot be set. */
static int
set_gid(gid_t gid)
{
	(void)setfsgid(gid);
	return (gid_t)setfsgid((gid_t)-1) == gid ? 0 : -1;
}

static int
set_uid(uid_t uid)
{
	(void)setfsuid(uid);
	return (uid_t)setfsuid((uid_t)-1) == uid ? 0 : -1;
}

static void
get_ids(struct owner_saved *saved)
{
	saved->uid = (uid_t)setfsuid((uid_t)-1);
	saved->gid = (gid_t)setfsgid((gid_t)-1);
}

#else

static int
set_gid(gid_t gid)
{
	return setegid(gid);
}

static int
set_uid(uid_t uid)
{
	return seteuid(uid);
}

static void
get_ids(struct owner_saved *saved)
{
	saved->uid = geteuid();
	saved->gid = getegid();
}

#endif

/* Root's other groups would reach what the owner does not: remember them for owner_leave(). */
static int
save_groups(struct owner_saved *saved)
{
	int n = getgroups(0, NULL);

	if (n < 0)
		return -1;
	gid_t *groups = mem_zero((size_t)n, sizeof *groups);
	if (groups == NULL)
		return -1;
	n = n == 0 ? 0 : getgroups(n, groups);
	if (n < 0) {
		free(groups);
		return -1;
	}
	saved->groups = groups;
	saved->n_groups = (size_t)n;
	return 0;
}

int
owner_enter(const struct owner *owner, struct owner_saved *saved)
{
	struct owner_saved was = { 0 };

	if (geteuid() != 0 || owner->uid == 0) {
		*saved = was;
		return 0;
	}
	get_ids(&was);
	if (save_groups(&was) != 0)
		return MTASTS_ECACHE;
	was.changed = true;
	if ((was.n_groups != 0 && setgroups(0, NULL) != 0) || set_gid(owner->gid) != 0 ||
	    set_uid(owner->uid) != 0) {
		owner_leave(&was);
		return MTASTS_ECACHE;
	}
	*saved = was;
	return 0;
}

void
owner_leave(struct owner_saved *saved)
{
	int error = errno;

	if (!saved->changed)
		return;
	/* who could leave root's ids for a moment can take them back: failing is a bug of ours */
	if (set_uid(saved->uid) != 0 || set_gid(saved->gid) != 0 ||
	    (saved->n_groups != 0 && setgroups(saved->n_groups, saved->groups) != 0))
		abort();
	free(saved->groups);
	*saved = (struct owner_saved){ 0 };
	errno = error;
}

/* A plain file that nobody linked here and that is the owner's or the owner's group's. */
static bool
is_ours(const struct owner *owner, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       (st->st_uid == owner->uid || st->st_gid == owner->gid);
}

static int
open_checked(const struct owner *owner, int dirfd, const char *name, int flags, mode_t mode)
{
	struct stat st;

	/* not blocking: a FIFO put there must not hold us */
	int fd = openat(dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	if (!is_ours(owner, &st)) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	/* whatever our caller's umask took away: the others of the group need it */
	if ((flags & O_CREAT) != 0 && (st.st_mode & mode) != mode)
		(void)fchmod(fd, mode); /* fails when another's: then its mode is its maker's */
	return fd;
}

int
owner_open(const struct owner *owner, int dirfd, const char *name, int flags, mode_t mode)
{
	struct owner_saved saved;
	struct timespec wait = { 0, CREATE_WAIT * 1000000L };

	if (owner_enter(owner, &saved) != 0) {
		errno = EPERM;
		return -1;
	}
	int fd = open_checked(owner, dirfd, name, flags, mode);
	for (int i = 0; fd < 0 && errno == EACCES && (flags & O_CREAT) != 0 && i < CREATE_TRIES;
	     i++) {
		nanosleep(&wait, NULL);
		fd = open_checked(owner, dirfd, name, flags, mode);
	}
	owner_leave(&saved);
	return fd;
}
