/* SPDX-License-Identifier: ISC
 *
 * Keeps one worker process going: started anew when it ends, at once and then after pauses that
 * grow to a minute; killed when it no longer answers.  One that wants to be relieved gets a
 * successor, and lives on beside it until what it has under way is finished.
 */
#ifndef OPENSMTPD_KEEPER_H
#define OPENSMTPD_KEEPER_H

#include "base/log.h"
#include "loop/loop.h"
#include "opensmtpd/proto/channel.h"

struct keeper;

struct keeper_config {
	void *arg;
	/* In the new process: its end of the channel; what it returns is the exit status. */
	int (*work)(void *arg, int channel);
	void (*message)(void *arg, const struct channel_message *message);
	void (*gone)(void *arg);  /* the worker has: what it was asked is not answered */
	void (*again)(void *arg); /* there is another; not called for the first */
	int64_t ping_ms;	  /* between two questions whether it is there */
	int64_t hang_ms;	  /* until it must have answered one */
};

/* Starts the first; log is borrowed.  NULL: out of memory. */
struct keeper *keeper_new(
    struct loop *loop, const struct keeper_config *config, const struct log *log);
/* The worker's channel ends, and the worker with it; not waited for. */
void keeper_free(struct keeper *keeper);
/*
 * 0, or -1: there is none now, or it has missed a message, for which it is replaced: it would no
 * longer know what smtpd is at.  gone() comes from the loop.  What smtpd does with its connections
 * is told to the relieved one too.
 */
int keeper_tell(struct keeper *keeper, const struct channel_message *message);

#endif
