/* SPDX-License-Identifier: ISC
 *
 * One TCP connection, in clear or with TLS, that never blocks.  It does what can be done now and
 * says what it waits for; who owns it calls again when that has come.
 *
 * OpenSSL writes with write(2): the process ignores SIGPIPE.
 */
#ifndef OPENSMTPD_RELAY_CONNECTION_H
#define OPENSMTPD_RELAY_CONNECTION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/span.h"

/* The caller's storage. */
struct connection {
	int fd; /* -1: none */
	SSL *ssl;
	bool is_secure;	    /* the handshake is done */
	bool is_broken;	    /* nothing can be written any more, never mind what */
	bool is_tls_fault;  /* and TLS itself was the reason */
	const char *why;    /* of what failed; static, or until the next call */
	char *out;	    /* what waits to be written, NULL when there is nothing */
	size_t at, n, cap;  /* it is n octets from at */
	bool wants_writing; /* the handshake, or reading, waits for room to write */
	bool wants_reading; /* writing waits for something to be read (TLS) */
};

/* 0 connected or about to be; -1 failed, *errno_is_ours says by lack of memory or descriptors. */
int connection_open(struct connection *connection, const struct sockaddr_storage *to,
    const struct sockaddr_storage *from, bool *errno_is_ours);
/* 1 it is connected, 0 not yet, -1 it will not be. */
int connection_finish(struct connection *connection);

/* ssl is the connection's from here on. */
void connection_secure(struct connection *connection, SSL *ssl);
/* 1 done, 0 not yet, -1 failed. */
int connection_handshake(struct connection *connection);

/* How many octets; 0 nothing yet, -1 that was all: the peer has closed, or why. */
int connection_read(struct connection *connection, char *p, size_t cap);
/* Is taken; connection_flush() writes it.  0, or -1: out of memory. */
int connection_write(struct connection *connection, struct span octets);
/* The same, and what can be written now is written at once, from where it is. */
int connection_send(struct connection *connection, struct span octets);
/* How many octets of what waits were written. */
size_t connection_flush(struct connection *connection);
size_t connection_unsent(const struct connection *connection);

/* POLLIN, POLLOUT */
short connection_events(const struct connection *connection);
/* What waits is dropped; with TLS the peer is told that this is the end, as far as it can be now.
 */
void connection_close(struct connection *connection);

#endif
