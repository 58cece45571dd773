/* SPDX-License-Identifier: ISC
 *
 * The connections smtpd says it has made to us, by both their ends, and what it says it is doing
 * there: the report events link-connect, tx-begin, tx-envelope and link-disconnect of smtp-out, in
 * their order.  They come by the filter's pipe, on another way than the connection itself: either
 * may be first.
 */
#ifndef OPENSMTPD_RELAY_ANNOUNCED_H
#define OPENSMTPD_RELAY_ANNOUNCED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct announced;
struct announcement; /* one connection */

enum {
	ANNOUNCED_WAIT = 5000,	/* ms that a connection waits for its announcement */
	ANNOUNCED_KEEP = 60000, /* ms that an announcement waits for its connection: smtpd says
				   when that is over */
	ANNOUNCED_EXPECTED_MAX = 512, /* connections that wait at once */
	ANNOUNCED_UNTAKEN_MAX = 4096, /* announcements that wait; then the oldest goes */
	ANNOUNCED_RCPTS_MAX = 1000    /* envelopes of a message; smtpd has no more in a task */
};

/* Something about the connection became known: it was announced, or has another envelope. */
typedef void announced_fn(void *arg);

struct announced *announced_new(void); /* NULL: out of memory */
void announced_free(struct announced *announced);

/* ---- what smtpd says; session is its id of the connection ---- */
void announced_connect(struct announced *announced, uint64_t session,
    const struct sockaddr_storage *from, const struct sockaddr_storage *to, int64_t now_ms);
void announced_begin(struct announced *announced, uint64_t session);
void announced_envelope(struct announced *announced, uint64_t session, uint64_t envelope);
void announced_disconnect(struct announced *announced, uint64_t session);
/* Announcements that nobody took in time are dropped. */
void announced_sweep(struct announced *announced, int64_t now_ms);

/* ---- what the relay asks ---- */
/*
 * The interest of a connection with these ends; fn is called whenever more is known.  NULL: out of
 * memory, too many wait unannounced, or the two ends are taken already.
 */
struct announcement *announced_expect(struct announced *announced,
    const struct sockaddr_storage *from, const struct sockaddr_storage *to, announced_fn *fn,
    void *arg);
/* fn may drop its own.  NULL is fine. */
void announced_drop(struct announced *announced, struct announcement *announcement);
bool announcement_is_made(const struct announcement *announcement);
/*
 * The envelope of recipient i of message n on this connection, both from 0; 0: not known yet, or
 * no more.  Messages are those whose MAIL was answered 2xx, recipients all RCPTs in their order:
 * smtpd says tx-begin after the one, tx-envelope before the other.  The last two messages are kept.
 */
uint64_t announcement_envelope(const struct announcement *announcement, size_t n, size_t i);

#endif
