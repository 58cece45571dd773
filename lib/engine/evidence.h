/* SPDX-License-Identifier: ISC
 *
 * What the network's answers mean to RFC 8461: a TXT answer (3.1), a page (3.2, 3.3).  Pure.
 */
#ifndef ENGINE_EVIDENCE_H
#define ENGINE_EVIDENCE_H

#include "base/buf.h"
#include "net/net.h"
#include "parse/policyfile.h"
#include "parse/ststxt.h"

enum evidence_txt {
	EVIDENCE_PENDING, /* no answer yet */
	EVIDENCE_RECORD,  /* exactly one STSv1 record, and it is good */
	EVIDENCE_ABSENT,  /* answered: no such record, several, or a broken one */
	EVIDENCE_UNKNOWN, /* R3.1.7: not the same */
	EVIDENCE_FAULT,	  /* our own resolver is missing or died */
};

/* reason gets words for the last three. */
enum evidence_txt evidence_txt(const struct net_answer *answer, const struct reason_sink *warn,
    struct ststxt *record, struct buf *reason);

/*
 * Of what is no NET_FETCH_FAULT: 0 and *file; 1 and *finding with words in reason; or
 * MTASTS_ENOMEM.  RFC 8461 3.3: only status 200 counts; 3.2: text/plain.
 */
int evidence_page(const struct net_page *page, const struct reason_sink *warn,
    struct policyfile **file, enum mtasts_finding *finding, struct buf *reason);

#endif
