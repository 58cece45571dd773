/* SPDX-License-Identifier: ISC
 *
 * The judge of a packaged sendmail.  Its rulesets (sendmail/mtastsd.m4) ask the map "mtastsd" what
 * to make of a session, before each recipient and after a STARTTLS that came to nothing:
 *
 *	rcpt/12073/1/4AMJd2mo012073/OK/SAN/TLSv1.3/198.51.100.7/mx.example.net/example.net./end
 *	server/12073/1/4AMJd2mo012073/SOFTWARE/-/-/198.51.100.7/mx.example.net/example.net./end
 *
 * process, session of that process, queue id; what sendmail says of TLS; whether a name in the
 * certificate is the host's; TLS version; address and MX name of the host; next hop.  Sendmail
 * cuts a key that is too long for it, so the last word must be there.
 *
 * The answer is "ok" or what tls_rcpt is to say: E:451:4.7.5:"text".  Transient always: what the
 * other MX hosts of the message were worth is not in the key.
 */
#ifndef SOCKETMAP_VERDICT_H
#define SOCKETMAP_VERDICT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/domain.h"
#include "base/span.h"
#include "mtasts.h"

enum {
	VERDICT_KEY = 1024, /* octets of a key: sendmail's own limit */
	VERDICT_TEXT = 240, /* octets of a text: sendmail takes no longer word (its MAXNAME) */
	VERDICT_ANSWER = VERDICT_TEXT + 32 /* octets of an answer, NUL counted */
};

enum verdict_kind {
	VERDICT_RCPT,  /* a recipient: judge */
	VERDICT_SERVER /* a session that ends before it has one: remember it, no more */
};

/* Spans borrow from the key. */
struct verdict_request {
	enum verdict_kind kind;
	bool has_domain;      /* the next hop is no address */
	struct domain domain; /* policy domain (RFC 8461 3.4) */
	struct span attempt;  /* process, and queue id: the same as long as a delivery lasts */
	struct span id;
	uint64_t session;	 /* in which one of its sessions the process is; 0: not known */
	struct span verify;	 /* sendmail's word for what came of TLS */
	struct span version;	 /* "TLSv1.3" */
	bool is_named;		 /* the certificate has the host's name */
	char mx[DOMAIN_MAX + 1]; /* the MX record's name, or an address */
	char mx_ip[64];		 /* presentation form; "": not known */
};

/* 0, or -1: not as the ruleset makes them.  Pure. */
int verdict_parse(struct span key, struct verdict_request *request);

struct verdict; /* which sessions are on record: bounded */

/* NULL: out of memory. */
struct verdict *verdict_new(void);
void verdict_free(struct verdict *verdict);

/*
 * The answer to a request, at the end of out; and the one record of its session and domain, in the
 * journal.  policy: of request->domain; NULL when it has none or could not be had.  Asks no
 * network.
 */
void verdict_answer(struct verdict *verdict, struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct verdict_request *request, struct buf *out);
/* The answer to a key that could not be parsed, or when there is no memory for more. */
void verdict_refuse(struct buf *out);

#endif
