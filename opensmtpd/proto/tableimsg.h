/* SPDX-License-Identifier: ISC
 *
 * The table protocol of OpenSMTPD before 7.6: imsg frames, both ways on one socket.  Pure.
 *
 * Everything is in the host's own order and sizes.  A frame is a header of 16 octets {uint32_t
 * type; uint16_t length, its own included; uint16_t flags; uint32_t peer, pid} and its data:
 *
 *	2 OPEN    version and name		0 OK
 *	3 CLOSE					no answer
 *	4 UPDATE				0 OK  int 1
 *	5 CHECK   int service; size_t n; n pairs "name\0value\0"; "key\0"
 *						0 OK  int 1 found, 0 not, -1 error
 *	6 LOOKUP  the same			0 OK  the same, after 1 "value\0"
 *	7 FETCH   the same without key		0 OK  the same
 *
 * So "example.net" asked as domain (2) is, on a little-endian machine of 64 bits,
 *	05 00 00 00  28 00  00 00  00 00 00 00  00 00 00 00
 *	02 00 00 00  00 00 00 00 00 00 00 00  "example.net" 00
 */
#ifndef OPENSMTPD_PROTO_TABLEIMSG_H
#define OPENSMTPD_PROTO_TABLEIMSG_H

#include "opensmtpd/proto/table.h"

enum { TABLEIMSG_HEADER = 16 };

/*
 * The next frame of *in, which moves behind it: 1.  0: it is not whole, give it again with more
 * behind it.  -1: no frame can begin like this.
 */
int tableimsg_next(struct span *in, struct table_question *question);

/* The answer; nothing where none is wanted.  out: TABLE_ANSWER_MAX and a NUL. */
void tableimsg_format(
    struct buf *out, const struct table_question *question, const struct table_answer *answer);

#endif
