/* SPDX-License-Identifier: ISC
 *
 * The system's users and groups: looked up, and made by the system's own tools.
 */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

/* false: there is none of that name. */
bool account_user(const char *name, uid_t *uid, gid_t *gid);
bool account_group(const char *name, gid_t *gid);
/* By the group's list of members, or as the user's own group. */
bool account_is_member(const char *user, const char *group);

/* By the first of the system's tools that is there; 0, or -1 after saying why.  As root. */
int account_make_group(const char *name);
int account_make_user(const char *name, const char *group, const char *home);
int account_make_lone_user(const char *name); /* with a group of its own */
int account_join(const char *user, const char *group);

#endif
