/* SPDX-License-Identifier: ISC
 *
 * Where a server listens: "inet:8461@127.0.0.1", "inet:8461@[::1]", "unix:/path", as Postfix and
 * sendmail write them; and sockets that systemd has opened (sd_listen_fds(3)).
 */
#ifndef SOCKETMAP_LISTEN_H
#define SOCKETMAP_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/buf.h"

enum {
	LISTEN_MAX = 16,    /* sockets of one server */
	LISTEN_NAME = 128,  /* octets of an address in words */
	LISTEN_QUEUE = 1024 /* connections that wait to be accepted */
};

enum {
	LISTEN_REFUSED = -1,   /* by the system */
	LISTEN_NO_ADDRESS = -2 /* what was given has none of the forms above */
};

struct listener {
	int fd;
	char name[LISTEN_NAME]; /* as above */
	/* of a file that we made, and take away in the end */
	bool has_file;
	dev_t dev;
	ino_t ino;
};

/* For files. */
struct listen_rights {
	mode_t mode;
	gid_t gid; /* (gid_t)-1: the process's own */
};

/*
 * 0, or one of the two above and why.  A file that nobody listens at any more is replaced; one
 * that somebody does listen at, or that is no socket, is left alone.
 */
int listen_open(struct span address, const struct listen_rights *rights, struct listener *listener,
    struct buf *why);
/* Those handed over by systemd, if any: how many, or LISTEN_REFUSED and why. */
int listen_inherit(struct listener *listeners, int cap, struct buf *why);
void listen_close(struct listener *listener);

#endif
