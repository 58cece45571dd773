/* SPDX-License-Identifier: ISC
 *
 * The language of a helper's pipe: framed messages, integers in network order.  Both ends are
 * ours, but the helper's end may have been taken over by whoever it spoke with: each message is
 * checked whole before anything of it is believed.  Pure.
 *
 *   message   "ms" %x01 type:1 id:4 length:4 payload       at most LIMIT_FRAME octets in all
 *   string    length:2 octets
 *
 *   to a helper
 *   'Q' question  ms:4 type:2 name:string
 *   'G' get       ms:4 host:string path:string n:1 n*(octets:1 address)
 *   from a helper
 *   'A' answer    state:1 secure:1 ttl:4 canonical:string reason:string n:2 n*rdata:string
 *   'P' page      state:1 status:2 media-type:string reason:string body-length:4 body
 *   'N' note      fatal:1 errno:4 text:string              id 0; what its operator should know
 *
 * ms: the time there is for an answer, milliseconds.  Question 7, TXT of _mta-sts.example.net,
 * within 14 s, and the answer that the name does not exist, to be believed for 300 s:
 *
 *   6d 73 01 51 00 00 00 07 00 00 00 1c
 *   00 00 36 b0 00 10 00 14 5f 6d 74 61 2d 73 74 73 2e 65 78 61 6d 70 6c 65 2e 6e 65 74
 *
 *   6d 73 01 41 00 00 00 07 00 00 00 0c
 *   02 00 00 00 01 2c 00 00 00 00 00 00
 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/span.h"
#include "net/net.h"

enum wire_type {
	WIRE_QUESTION = 'Q',
	WIRE_GET = 'G',
	WIRE_ANSWER = 'A',
	WIRE_PAGE = 'P',
	WIRE_NOTE = 'N',
};

enum {
	WIRE_HEAD = 12,		       /* octets before the payload */
	WIRE_TEXT = 255,	       /* octets of a reason, a path, a media type or a note */
	WIRE_RECORDS = LIMIT_MX_HOSTS, /* records of one answer */
};

/* One message as it came; payload borrows from what was read. */
struct wire_message {
	enum wire_type type;
	uint32_t id;
	struct span payload;
};

struct wire_question {
	uint32_t ms;
	struct net_question question;
};

struct wire_get {
	uint32_t ms;
	struct net_fetch fetch; /* its path points at path below */
	char path[WIRE_TEXT + 1];
};

struct wire_answer {
	struct net_answer answer; /* rdata and reason point at those below */
	struct span rdata[WIRE_RECORDS];
	char reason[WIRE_TEXT + 1];
};

struct wire_page {
	struct net_page page; /* its reason points at reason below */
	char reason[WIRE_TEXT + 1];
};

struct wire_note {
	bool fatal;	/* the helper will serve nothing */
	uint32_t error; /* errno, 0 none */
	char text[WIRE_TEXT + 1];
};

/*
 * Take one whole message off the front of in.  1 taken, 0 more octets are needed, -1 malformed
 * (said as soon as the first wrong octet is there; in is untouched).
 */
int wire_next(struct span *in, struct wire_message *message);

/* The payload of a message of that type: 0, or -1 for anything but exactly that form. */
int wire_question_parse(struct span payload, struct wire_question *question);
int wire_get_parse(struct span payload, struct wire_get *get);
int wire_answer_parse(struct span payload, struct wire_answer *answer);
int wire_page_parse(struct span payload, struct wire_page *page);
int wire_note_parse(struct span payload, struct wire_note *note);

/*
 * The records of an answer have the form of that type, uncompressed, and keep the limits of
 * base/limits.h.  Who asked looks at this before it believes the answer.
 */
bool wire_answer_fits(const struct net_answer *answer, enum net_type type);

/* Append a whole message.  0, or -1 when it does not fit (out is as it was). */
int wire_question_format(
    struct buf *out, uint32_t id, uint32_t ms, const struct net_question *question);
int wire_get_format(struct buf *out, uint32_t id, uint32_t ms, const struct net_fetch *fetch);
int wire_answer_format(struct buf *out, uint32_t id, const struct net_answer *answer);
int wire_page_format(struct buf *out, uint32_t id, const struct net_page *page);
int wire_note_format(struct buf *out, bool fatal, uint32_t error, const char *text);

#endif
