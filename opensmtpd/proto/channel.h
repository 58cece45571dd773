/* SPDX-License-Identifier: ISC
 *
 * What the supervisor, with whom smtpd speaks, and its worker tell each other: one packet a
 * message, over a socket that keeps packets apart.  Numbers have the most significant octet first.
 * Pure.
 *
 *	to the worker
 *	C session:8 end:19 end:19	smtpd has connected: from, to.  An end is family:1 (4, 6)
 *					address:16 (IPv4: 4, then zeros) port:2
 *	B session:8			tx-begin on that connection
 *	E session:8 envelope:8		tx-envelope
 *	D session:8			it is over
 *	Q question:8 domain		a recipient of that domain: what is known of it?
 *	P number:8			is anybody there?
 *	L number:8			another has taken your place: finish what is under way, and
 *end
 *
 *	from the worker
 *	A question:8 code:2 n:1 enhanced:n text		code 0: proceed; else the refusal
 *	P number:8			yes
 *	L number:8			somebody else should have my place (it is asked again)
 *
 * As octets, "D 00 00 00 00 00 00 00 2a" is the end of session 0x2a, and
 * "A 00 00 00 00 00 00 00 01 02 26 05 5.4.8 No" refuses question 1 by "550 5.4.8 No".
 */
#ifndef OPENSMTPD_PROTO_CHANNEL_H
#define OPENSMTPD_PROTO_CHANNEL_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/domain.h"
#include "base/span.h"
#include "mtasts.h"

enum {
	CHANNEL_ENHANCED_MAX = 8,
	CHANNEL_MAX = 1 + 8 + 2 + 1 + CHANNEL_ENHANCED_MAX + MTASTS_TEXT_MAX /* octets of one */
};

enum channel_kind {
	CHANNEL_CONNECT = 'C',
	CHANNEL_BEGIN = 'B',
	CHANNEL_ENVELOPE = 'E',
	CHANNEL_DISCONNECT = 'D',
	CHANNEL_QUESTION = 'Q',
	CHANNEL_PING = 'P',
	CHANNEL_LEAVE = 'L',
	CHANNEL_ANSWER = 'A'
};

struct channel_message {
	enum channel_kind kind;
	uint64_t id; /* session, question or number */
	struct sockaddr_storage from, to;
	uint64_t envelope;
	struct domain domain;
	unsigned code;
	char enhanced[CHANNEL_ENHANCED_MAX + 1];
	char text[MTASTS_TEXT_MAX];
};

/* 0, or -1: no message. */
int channel_parse(struct span packet, struct channel_message *message);
/* out needs CHANNEL_MAX octets and a NUL. */
void channel_format(struct buf *out, const struct channel_message *message);

#endif
