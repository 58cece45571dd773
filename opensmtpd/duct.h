/* SPDX-License-Identifier: ISC
 *
 * One end of the channel between supervisor and worker (proto/channel.h): never waits, keeps what
 * cannot go now within bounds.
 */
#ifndef OPENSMTPD_DUCT_H
#define OPENSMTPD_DUCT_H

#include <stdint.h>

#include "loop/loop.h"
#include "opensmtpd/proto/channel.h"

enum { DUCT_KEPT_MAX = 4 * 1024 * 1024 /* octets that wait to be sent */ };

struct duct;

struct duct_events {
	void *arg;
	void (*message)(void *arg, const struct channel_message *message);
	/* The other end has gone, or speaks nonsense; nothing comes after it.  why: static. */
	void (*broken)(void *arg, const char *why);
};

/*
 * fd is the duct's when this succeeds.  Events come from the loop; the duct may be freed in them.
 * NULL with errno.
 */
struct duct *duct_new(struct loop *loop, int fd, const struct duct_events *events);
void duct_free(struct duct *duct);
/* For a fork()ed child that must not hold it. */
int duct_fd(const struct duct *duct);
/* 0, or -1: it is full, or there is no memory, and the other end has missed a message. */
int duct_send(struct duct *duct, const struct channel_message *message);

#endif
