/* SPDX-License-Identifier: ISC
 *
 * Netstrings, the frames of the socket map protocol: "5:hello," (length in decimal, a colon, that
 * many octets, a comma).  Pure.
 */
#ifndef SOCKETMAP_NETSTRING_H
#define SOCKETMAP_NETSTRING_H

#include "base/buf.h"
#include "base/span.h"

enum { NETSTRING_HEAD = 11 /* octets of the largest length and its colon */ };

/*
 * The next netstring of *in, which moves behind it: 1 and *payload, a part of *in.  0: what is
 * there is good, but not all of it.  -1 and *error as soon as it can be seen that it is none: no
 * digit, a leading zero, a payload of more than max octets, anything but a comma at its end.
 */
int netstring_next(struct span *in, size_t max, struct span *payload, struct parse_error *error);

void netstring_format(struct buf *out, struct span payload);

#endif
