/* SPDX-License-Identifier: ISC
 *
 * Paths of the envelope (RFC 5321 4.1.2): "<user@example.net>".  Pure.
 */
#ifndef OPENSMTPD_PROTO_PATH_H
#define OPENSMTPD_PROTO_PATH_H

#include <stdbool.h>

#include "base/span.h"

struct path {
	struct span address; /* without <> and source route; empty: the null path */
	struct span domain;  /* the part behind the '@' */
	bool is_utf8;
};

/*
 * The path that *in begins with; *in moves behind it.  0, or -1 and nothing changed.  Always with
 * a domain but for "<>".  Dots may stand anywhere in a local part: RFC 5321 has them between atoms
 * only, there are mailboxes with others, and the MX host knows.
 */
int path_take(struct span *in, struct path *path);

#endif
