/* SPDX-License-Identifier: ISC
 *
 * What a policy comes to in Postfix's language of TLS policies, which sendmail's FEATURE(`sts')
 * reads too: "OK secure match=mx1.example.net:mx2.example.net servername=hostname".  Pure.
 *
 * Only names of hosts are ever written, never ".example.net" for a policy's "*.example.net":
 * Postfix before 3.10.5 takes that for any number of labels, RFC 8461 4.1 for exactly one.  Where
 * a policy has such patterns, or more names than sendmail can hold, the MX hosts of the domain
 * that the policy allows are named instead.
 */
#ifndef SOCKETMAP_REPLY_H
#define SOCKETMAP_REPLY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/domain.h"
#include "mtasts.h"

enum {
	/*
	 * Octets of all names and colons that sendmail reads: its rules take the list through a
	 * regex map, which cuts it off there (retbuf[MAXNAME] in regex_map_lookup()), within a name
	 * if need be.
	 */
	REPLY_LIST_SENDMAIL = 255,
	/* Of any reply: a policy of 64 KiB has no longer list.  Postfix takes 100000 octets. */
	REPLY_MAX = 65536 + 1024,
};

/* Who asks, by the name of the map: FEATURE(`sts') calls it "sts". */
enum reply_form { REPLY_POSTFIX, REPLY_SENDMAIL, REPLY_FORMS };

struct reply_config {
	bool defer_on_unknown; /* on_unknown = defer */
	bool fault_delivers;   /* cache_fault = deliver */
};

enum reply_form reply_form_of(struct span map);

/* Whether reply_format() wants the MX hosts of the domain. */
bool reply_needs_mx(const struct mtasts_policy *policy);

/*
 * The payload of the answer: OK, NOTFOUND, or TEMP and why.  set NULL: not asked for.  true: it is
 * TEMP, for a reason that the administrator should hear of.
 */
bool reply_format(struct buf *out, const struct mtasts_policy *policy,
    const struct mtasts_mxset *set, enum reply_form form, const struct reply_config *config);

/* Of those that no policy speaks in. */
void reply_not_found(struct buf *out);
void reply_malformed(struct buf *out);
/* Nothing is known of the domain and the time is over. */
void reply_late(struct buf *out, const struct domain *domain, const struct reply_config *config);
/* A policy that needs MX hosts, and the time is over. */
void reply_mx_late(struct buf *out, const struct domain *domain);
/* No look-up can be begun. */
void reply_busy(struct buf *out, int error);

#endif
