/* SPDX-License-Identifier: ISC
 *
 * When the next final reply may go out.  smtpd's LMTP client takes one reply at a wake-up and gives
 * the session up ("Remote host sent too much data") when it finds more in its buffer behind it:
 * all recipients that are left are then tried again, and get the message twice.  So a reply is
 * sent only when smtpd has read the one before it.
 */
#ifndef OPENSMTPD_RELAY_PACE_H
#define OPENSMTPD_RELAY_PACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/log.h"

enum {
	PACE_READ = -1, /* smtpd has read it */
	/* ms between two replies where it cannot be asked: smtpd is awake by then but on a host
	   that is very busy, and 100 recipients take five seconds of its 300 */
	PACE_BLIND = 50,
	PACE_MAX = 20 /* ms between two questions */
};

struct pacer;

/*
 * For all connections of this process; what it opens must be opened before a sandbox is.  log is
 * borrowed and is told once when there is no asking.  NULL: out of memory.
 */
struct pacer *pacer_new(const struct log *log);
void pacer_free(struct pacer *pacer);

/* One connection of ours: both ends, and octets that were written to it from its beginning. */
struct pace_end {
	struct sockaddr_storage local, remote;
	uint64_t written;
};

/* Where waiting for one reply stands; zero it when the reply has been written. */
struct pace {
	unsigned n_asked;
	bool has_arrived; /* all that was written is in smtpd's socket */
	bool has_paused;  /* PACE_BLIND */
};

/* PACE_READ, or the ms after which to ask again; 0 is the loop's next turn. */
int pace_ask(struct pacer *pacer, struct pace *pace, const struct pace_end *end);

#endif
