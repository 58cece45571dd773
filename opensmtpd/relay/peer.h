/* SPDX-License-Identifier: ISC
 *
 * What the other end of a TCP connection has read, when that end is on this host too: the kernel
 * says it of any socket to anybody (sock_diag(7)).  Linux alone; elsewhere it is not known.
 */
#ifndef OPENSMTPD_RELAY_PEER_H
#define OPENSMTPD_RELAY_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct peer_look {
	bool is_there;	   /* there is such a socket */
	uint64_t received; /* octets that have come to it, from the connection's beginning */
	uint32_t unread;   /* octets of these that nobody has read */
};

/* What is asked over. */
struct peer {
	int fd;
	uint32_t number; /* of the last question: tells its answer from one that came too late */
};

/* 0; -1: there is no asking. */
int peer_open(struct peer *peer);
void peer_close(struct peer *peer);
/*
 * The socket whose own end is local.  0; -1 when there was no answer (and nothing is known).
 * unread is a moment older than received.
 */
int peer_look(struct peer *peer, const struct sockaddr_storage *local,
    const struct sockaddr_storage *remote, struct peer_look *look);

#endif
