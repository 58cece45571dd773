/* SPDX-License-Identifier: ISC
 *
 * What smtpd says to a filter and what a filter says to it (smtpd-filters(7)), a line at a time,
 * protocols 0.5 to 0.7.  Pure.
 *
 *	config|smtpd-version|7.6.0-portable		config|subsystem|smtp-out	config|ready
 *	filter|0.7|1795336346.813468|smtp-in|rcpt-to|SESSION|TOKEN|user@example.net
 *	report|0.7|1795336346.813468|smtp-in|link-auth|SESSION|pass|user	(0.6: user|pass)
 *	report|0.7|1795336346.813468|smtp-out|link-connect|SESSION|rdns|pass|127.0.0.1:4711|127.7.146.175:10027
 *	report|0.7|1795336346.813468|smtp-out|tx-envelope|SESSION|MESSAGE|ENVELOPE
 *
 * Sessions, tokens and envelopes are 64 bit in hexadecimal, messages 32.  A line that smtpd does
 * not understand ends it, and all mail with it: the writers here can write no such line.
 */
#ifndef OPENSMTPD_PROTO_EVENT_H
#define OPENSMTPD_PROTO_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/span.h"

enum {
	EVENT_DOMAIN_MAX = 255, /* octets of a recipient's domain */
	EVENT_LINE_MAX = 640	/* octets of the longest line that is written, newline counted */
};

enum event_kind {
	EVENT_MALFORMED, /* not a line of the protocol: to be logged, nothing to be answered */
	EVENT_OTHER,	 /* nothing of ours, or of a protocol to come */
	EVENT_CONFIG,	 /* key, value */
	EVENT_READY,	 /* end of the configuration: now event_put_register() */
	EVENT_RCPT,	 /* a question: token, recipient, domain */
	EVENT_QUESTION,	 /* about anything else, which nobody registered for: token; proceed */
	EVENT_CONNECT,	 /* from, to */
	EVENT_AUTH,	 /* user, is_passed */
	EVENT_DISCONNECT,
	EVENT_BEGIN,	/* message */
	EVENT_ENVELOPE, /* message, envelope */
};

enum event_direction { EVENT_IN, EVENT_OUT }; /* smtp-in, smtp-out */

struct event {
	enum event_kind kind;
	enum event_direction direction;
	uint64_t session; /* from EVENT_RCPT on, as direction */
	uint64_t
	    token; /* smtpd gives all sessions the same: only with session it names a question */
	struct span key, value;		  /* parts of the line, as all spans here */
	struct sockaddr_storage from, to; /* AF_UNIX: a local socket, no address */
	struct span user;
	bool is_passed;
	struct span recipient; /* as the client wrote it, without <> and parameters */
	/* Behind its last '@', lower case; "[192.0.2.1]" too.  "": none, too long, or no text. */
	char domain[EVENT_DOMAIN_MAX + 1];
	uint32_t message;
	uint64_t envelope;
};

/*
 * A line without its newline.  Total: what cannot be read is EVENT_MALFORMED, what is of no use
 * EVENT_OTHER.  Later protocols of version 0 are read as 0.7, for a question without an answer
 * stops mail, but for EVENT_AUTH, whose fields have changed places before; other versions are
 * EVENT_OTHER.
 */
void event_parse(struct span line, struct event *event);

/* ---- lines for smtpd; whole ones, with newline; out needs EVENT_LINE_MAX octets and a NUL ---- */

/* All that is registered, register|ready last; smtpd takes it whatever subsystems it has said. */
void event_put_register(struct buf *out);
void event_put_proceed(struct buf *out, uint64_t session, uint64_t token);
/*
 * code 400..599 but 421, which would end the client's connection (else it becomes 451); enhanced
 * as "5.4.8".  Of text what is not printable becomes '?', what is too long is cut off.
 */
void event_put_reject(struct buf *out, uint64_t session, uint64_t token, unsigned code,
    const char *enhanced, const char *text);

#endif
