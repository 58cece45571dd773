/* SPDX-License-Identifier: ISC
 *
 * Command lines of LMTP (RFC 2033) with the parameters of the extensions that are offered: SIZE
 * (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), DSN (RFC 3461).  Pure.
 */
#ifndef OPENSMTPD_PROTO_LMTP_H
#define OPENSMTPD_PROTO_LMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
	LMTP_LINE_MAX = 2048,	/* octets of a command line, CRLF not counted: 512 (RFC 5321
				   4.5.3.1.4) and what the parameters may add, with room */
	LMTP_NAME_MAX = 255,	/* of LHLO's argument */
	LMTP_ADDRESS_MAX = 512, /* of an address, source route not counted */
	LMTP_ENVID_MAX = 100,	/* RFC 3461 4.4 */
	LMTP_ORCPT_MAX = 500,	/* RFC 3461 4.2 */
	LMTP_ANSWER_MAX = 512	/* octets of the answer to LHLO, NUL counted */
};

enum lmtp_verb {
	LMTP_LHLO,
	LMTP_MAIL,
	LMTP_RCPT,
	LMTP_DATA,
	LMTP_RSET,
	LMTP_NOOP,
	LMTP_QUIT,
	LMTP_VRFY
};

/* The spans are parts of the line. */
struct lmtp_command {
	enum lmtp_verb verb;
	struct span name;    /* LHLO */
	struct span address; /* MAIL, RCPT: without <> and source route; MAIL: "" is the null
				sender */
	struct span domain;  /* of address, "[192.0.2.1]" included; empty where that is */
	bool is_utf8;	     /* address has characters that need SMTPUTF8 */
	/* MAIL; empty, 0 or false when not said */
	uint64_t size;
	bool is_7bit; /* BODY=7BIT */
	bool is_8bit; /* BODY=8BITMIME */
	bool smtputf8;
	struct span ret, envid;
	struct span notify, orcpt; /* RCPT */
};

/* What is said to a line that is none of these. */
struct lmtp_refusal {
	unsigned code;
	const char *enhanced, *text; /* static */
};

/*
 * line without its CRLF.  NULL, or why it is refused (*command is untouched then).  Keywords are
 * taken in any case; a source route is left out, as RFC 5321 4.1.1.3 wants it.
 */
const struct lmtp_refusal *lmtp_parse(struct span line, struct lmtp_command *command);

/* The whole answer to LHLO, CRLFs included, from host of that name. */
void lmtp_format_lhlo(struct buf *out, struct span name);

#endif
