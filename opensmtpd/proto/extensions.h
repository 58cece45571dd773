/* SPDX-License-Identifier: ISC
 *
 * What a mail host offers in its EHLO reply (RFC 5321 4.1.1.1).
 */
#ifndef OPENSMTPD_PROTO_EXTENSIONS_H
#define OPENSMTPD_PROTO_EXTENSIONS_H

#include <stdint.h>

#include "base/span.h"

enum extension {
	EXTENSION_STARTTLS = 1 << 0,   /* RFC 3207 */
	EXTENSION_SIZE = 1 << 1,       /* RFC 1870 */
	EXTENSION_8BITMIME = 1 << 2,   /* RFC 6152 */
	EXTENSION_SMTPUTF8 = 1 << 3,   /* RFC 6531 */
	EXTENSION_PIPELINING = 1 << 4, /* RFC 2920 */
	EXTENSION_DSN = 1 << 5,	       /* RFC 3461 */
	EXTENSION_CODES = 1 << 6,      /* ENHANCEDSTATUSCODES, RFC 2034 */
};

struct extensions {
	unsigned offered;    /* of enum extension */
	uint64_t size_limit; /* octets of a message, 0: it did not say */
};

/* One line of the reply but the first, behind its code; what is not known is passed over. */
void extensions_add(struct extensions *extensions, struct span line);

#endif
