/* SPDX-License-Identifier: ISC
 *
 * The lines an SMTP client sends (RFC 5321 4.1.1), each made whole and checked here: no octet of
 * an address or a parameter can end a line or begin something else.
 */
#ifndef OPENSMTPD_PROTO_COMMAND_H
#define OPENSMTPD_PROTO_COMMAND_H

#include <stdbool.h>

#include "base/buf.h"
#include "opensmtpd/proto/extensions.h"

enum {
	COMMAND_ADDRESS_MAX = 320, /* octets: 64, '@' and 255 (RFC 5321 4.5.3.1) */
	COMMAND_VALUE_MAX = 500,   /* octets of a parameter's value (RFC 3461 5.4) */
	COMMAND_MAX = 2048	   /* octets of a line, its CRLF and a NUL counted */
};

enum command_fault {
	COMMAND_FINE,
	COMMAND_BAD,	   /* no address that can be sent */
	COMMAND_NEEDS_UTF8 /* RFC 6531 is needed, and not offered or not asked for in MAIL */
};

struct command_mail {
	struct span sender;	/* without <>; "": the null sender */
	struct span ret, envid; /* RFC 3461; empty: none */
	uint64_t size;		/* octets of the message; 0: not known */
	bool smtputf8;		/* RFC 6531 is needed */
	bool is_8bit;		/* of the message */
};

struct command_rcpt {
	struct span recipient;	   /* without <> */
	struct span notify, orcpt; /* RFC 3461; empty: none */
};

/* A name or an address literal as EHLO takes it. */
bool command_is_name(struct span name);
bool command_is_8bit(struct span address);

/*
 * The line with CRLF, with those parameters that are offered and have a form that can be sent; out
 * (COMMAND_MAX) is not to be used when the result is a fault.
 */
enum command_fault command_mail(
    struct buf *out, const struct command_mail *mail, const struct extensions *extensions);
/* smtputf8: MAIL has said it. */
enum command_fault command_rcpt(struct buf *out, const struct command_rcpt *rcpt,
    const struct extensions *extensions, bool smtputf8);

#endif
