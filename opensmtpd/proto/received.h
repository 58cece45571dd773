/* SPDX-License-Identifier: ISC
 *
 * When the local smtpd took a message: the date of its topmost Received header field (RFC 5321
 * 4.4), which smtpd itself puts there, whoever sent it.  Those below are other people's words and
 * do not count.  Pure; the message may come in parts of any size.
 */
#ifndef OPENSMTPD_PROTO_RECEIVED_H
#define OPENSMTPD_PROTO_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
	RECEIVED_LOOKED_AT = 65536, /* octets of a message; then there is none */
	RECEIVED_DATE_MAX = 127	    /* octets behind the last semicolon */
};

/* Zero it before each message. */
struct received {
	enum received_state {
		RECEIVED_NAME,	/* in a field's name, or before it */
		RECEIVED_COLON, /* behind it */
		RECEIVED_OTHER, /* in another field */
		RECEIVED_OTHER_LINE,
		RECEIVED_VALUE,
		RECEIVED_VALUE_LINE,
		RECEIVED_FOUND,
		RECEIVED_NOT_FOUND
	} state;
	bool is_received; /* so far the name is its beginning */
	bool is_dated;	  /* behind a semicolon */
	size_t n_name, n_octets, n_date;
	char date[RECEIVED_DATE_MAX];
	int64_t at;
};

/* The next octets as body.h makes them: CRLF is the only line end. */
void received_take(struct received *received, struct span octets);
/* The message is at its end. */
void received_end(struct received *received);
/* Nothing more is looked at; before received_end() it may be that there is none yet. */
bool received_is_over(const struct received *received);
/* 1 and *at, seconds since 1970 UTC; 0: there is none, or one without a date. */
int received_get(const struct received *received, int64_t *at);

#endif
