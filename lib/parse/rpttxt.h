/* SPDX-License-Identifier: ISC
 *
 * The _smtp._tls TXT record (RFC 8460 3): where a domain wants its reports.
 */
#ifndef PARSE_RPTTXT_H
#define PARSE_RPTTXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/domain.h"
#include "base/limits.h"
#include "base/span.h"
#include "parse/reason.h"

enum {
	RPTTXT_LOCAL_MAX = 64, /* octets of a mailbox's local part, RFC 5321 4.5.3.1.1 */
	/* URIs, and what quoting a local part can add */
	RPTTXT_STORAGE = LIMIT_TXT_SET + LIMIT_RUA * (RPTTXT_LOCAL_MAX + 4)
};

enum rpttxt_scheme { RPTTXT_MAILTO, RPTTXT_HTTPS };

/* One place that reports can be sent to.  text lies in the record. */
struct rpttxt_target {
	enum rpttxt_scheme scheme;
	/*
	 * mailto: an RFC 5321 Mailbox (local part quoted where it must be), fit for an envelope
	 * and a To: header.  https: path and query as they go into the request, "/" at least.
	 */
	const char *text;
	struct domain host; /* of the mailbox, or the web server */
	uint16_t port;	    /* https */
};

/* Points into itself: never copied, lives where it was parsed. */
struct rpttxt {
	size_t n; /* may be 0: a good record, but no URI of it is of use */
	struct rpttxt_target target[LIMIT_RUA];
	char storage[RPTTXT_STORAGE];
};

/*
 * The n TXT records at the name, each with its strings joined.  0, or -1 and *error: the domain
 * takes no reports, for that reason (its line is the record's number); *record then holds nothing
 * of use.  The URIs of all rua fields count, the first LIMIT_RUA of those of use are kept.  Of no
 * use is what is neither mailto: nor https:, an address literal as a web server, a name or mailbox
 * that is none; warn hears of each.  The header fields of a mailto: URI and a size suffix ("!10m",
 * DMARC's) are not honoured.
 */
int rpttxt_parse(const struct span *records, size_t n, const struct reason_sink *warn,
    struct rpttxt *record, struct parse_error *error);

#endif
