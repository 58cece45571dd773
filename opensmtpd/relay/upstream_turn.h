/* SPDX-License-Identifier: ISC
 *
 * The inside of a session with an MX host, for upstream.c alone.
 */
#ifndef OPENSMTPD_RELAY_UPSTREAM_TURN_H
#define OPENSMTPD_RELAY_UPSTREAM_TURN_H

#include "opensmtpd/proto/smtp.h"
#include "opensmtpd/relay/connection.h"
#include "opensmtpd/relay/upstream.h"

enum stage { STAGE_CONNECTING, STAGE_TALKING, STAGE_HANDSHAKE, STAGE_OVER };

struct upstream {
	struct loop *loop;
	struct mtasts *ctx;
	SSL_CTX *tls;
	const struct log *log;
	char mx_host[MTASTS_NAME_MAX + 1], helo[MTASTS_NAME_MAX + 1];
	char ip[UPSTREAM_IP_MAX];
	bool starttls;
	int connect_ms, command_ms, stall_ms, end_ms;
	struct upstream_events events;
	struct connection connection;
	struct loop_fd fd;
	struct loop_timer timer;
	struct smtp smtp;
	enum stage stage;
	int64_t since_ms; /* what is waited for is waited for since then */
	char *kept;	  /* the part of a line that has come, or NULL */
	size_t n_kept;
	enum mtasts_tls certificate;
	char reason[UPSTREAM_DETAIL_MAX];  /* its fault */
	char why[UPSTREAM_DETAIL_MAX];	   /* the session has to end; "": no */
	bool is_told;			   /* ready() was called */
	bool is_body, is_ending, is_ended; /* the message: may come, its end is wanted, is sent */
	bool is_inside_line;		   /* the last octets of the message were no CRLF */
	bool is_after_cr;
	bool is_choked;		   /* there was no room */
	bool is_in_turn, is_again; /* something was asked for in a turn */
	bool is_freed;		   /* in a turn */
};

/*
 * All that can be done now, and every event.  Afterwards the session is watched and its timer set,
 * or it is over.
 */
void upstream_turn(struct upstream *upstream);

/* It ends in its next turn; the first reason counts. */
void upstream_fail(struct upstream *upstream, const char *why);
bool upstream_is_failed(const struct upstream *upstream);
/* What it waits for it waits for from now on. */
void upstream_waits(struct upstream *upstream);
void upstream_hang_up(struct upstream *upstream);
void upstream_destroy(struct upstream *upstream);

#endif
