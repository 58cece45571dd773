/* SPDX-License-Identifier: ISC
 *
 * What the worker gives up before it speaks with anybody, for good.  It holds TLS sessions with
 * strangers and the state directory: so it is never root, and behind Landlock and seccomp it
 * reaches nothing but that directory, the certificates, the helpers, and TCP ports 25, 53 and 443.
 *
 * Call confine_become() first of all, open what the worker lives with (listening sockets, the
 * netlink socket, the context, the SSL_CTX), then confine_enter().
 */
#ifndef OPENSMTPD_CONFINE_H
#define OPENSMTPD_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "base/conf.h"

/*
 * A process that is root becomes the configured user, with the configured group as its only one;
 * any other stays what it is.  It may have as many descriptors as the hard limit allows, from here
 * on.  0, or -1 with why: whoever gets that must not go on.
 */
int confine_become(const struct mtasts_config *config, struct buf *why);

enum { CONFINE_WATCHED = 16 };

/* What the walls were built around, by its name then. */
struct confine {
	size_t n;
	struct confine_watch {
		char path[CONF_PATH_MAX + 32];
		bool has_contents; /* a folder: what stands in it counts too */
		bool is_there;
		dev_t device;
		ino_t inode;
		struct timespec changed;
	} watched[CONFINE_WATCHED];
};

/*
 * From here on.  0, with missing saying what this kernel does not have ("" when nothing), for the
 * log; or -1 with errno when a wall that should stand could not be built: do not go on.
 */
int confine_enter(struct confine *confine, const struct mtasts_config *config, struct buf *missing);

/*
 * Certificates, resolv.conf, or the folders of state and helpers are others by now (an upgrade, a
 * new lease of an address), which nobody behind the walls can open: finish what is under way and
 * end, to be started anew.  A few calls of stat(2): ask it every few seconds.
 */
bool confine_is_outdated(const struct confine *confine);

#endif
