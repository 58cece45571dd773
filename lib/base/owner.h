/* SPDX-License-Identifier: ISC
 *
 * Opening state files without root's powers: a process that is root takes on the owner's ids for
 * the moment of the open (file system ids where the kernel has them, effective ids elsewhere), so
 * that a link planted in the state directory reaches nothing the owner could not reach, and what
 * it makes belongs to the owner.  A process that is not root changes nothing.
 */
#ifndef BASE_OWNER_H
#define BASE_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct owner {
	uid_t uid;
	gid_t gid;
};

/* What owner_leave() goes back to; owner_enter() fills it, owner_leave() releases it. */
struct owner_saved {
	bool changed;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t n_groups;
};

/* Whether any of this process's user ids is root's: what it has put off it could take on again. */
bool owner_is_root(void);

/* The owner of a directory; refuses (MTASTS_ECACHE) what is no directory or writable by others. */
int owner_of_directory(const char *path, struct owner *owner);

/* 0, or MTASTS_ECACHE with nothing changed. */
int owner_enter(const struct owner *owner, struct owner_saved *saved);
/* errno stays as it was. */
void owner_leave(struct owner_saved *saved);

/*
 * open(2) as the owner with O_CLOEXEC | O_NOFOLLOW; what is opened must be a plain file with one
 * link that belongs to the owner's user or group.  A file that is made gets exactly mode, whatever
 * the umask.  No O_TRUNC: it would cut before anything is checked.  The descriptor, or -1 with
 * errno (EPERM: it is not what it must be).
 */
int owner_open(const struct owner *owner, int dirfd, const char *name, int flags, mode_t mode);

#endif
