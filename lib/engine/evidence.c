/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 3.1, 3.2, 3.3; RFC 8460 4.3.2.2 for the names of what went wrong.
 */
#include "engine/evidence.h"

#include "parse/mediatype.h"
#include "parse/txtset.h"

/* RFC 8461 3.1: the one record among all TXT records at the name. */
static enum evidence_txt
records_parse(const struct net_answer *answer, const struct reason_sink *warn,
    struct ststxt *record, struct buf *reason)
{
	struct span records[LIMIT_TXT_RECORDS];
	char storage[LIMIT_TXT_SET];
	struct parse_error error;
	size_t used = 0;

	if (answer->n > LIMIT_TXT_RECORDS) {
		buf_puts(reason, "too many TXT records");
		return EVIDENCE_ABSENT;
	}
	for (size_t i = 0; i < answer->n; i++) {
		if (answer->rdata[i].n > sizeof storage - used) {
			buf_puts(reason, "TXT records too large");
			return EVIDENCE_ABSENT;
		}
		if (txtset_join(answer->rdata[i], storage + used, &records[i]) != 0) {
			buf_puts(reason, "TXT record is malformed");
			return EVIDENCE_UNKNOWN; /* a resolver's fault, not the domain's */
		}
		used += records[i].n;
	}
	if (ststxt_parse(records, answer->n, warn, record, &error) == 0)
		return EVIDENCE_RECORD;
	reason_put(reason, REASON_RECORD, &error);
	return EVIDENCE_ABSENT;
}

enum evidence_txt
evidence_txt(const struct net_answer *answer, const struct reason_sink *warn, struct ststxt *record,
    struct buf *reason)
{
	switch (answer->state) {
	case NET_ANSWERED:
		return records_parse(answer, warn, record, reason);
	case NET_NO_DATA:
	case NET_NO_NAME:
		buf_puts(reason, "no TXT record");
		return EVIDENCE_ABSENT;
	case NET_UNKNOWN:
	case NET_FAULT:
		break;
	}
	buf_puts(reason, answer->reason != NULL ? answer->reason : "");
	return answer->state == NET_UNKNOWN ? EVIDENCE_UNKNOWN : EVIDENCE_FAULT;
}

/* A whole response: 200, text/plain, and a policy. */
static int
response_parse(const struct net_page *page, const struct reason_sink *warn,
    struct policyfile **file, enum mtasts_finding *finding, struct buf *reason)
{
	struct parse_error error;

	if (page->status != 200) {
		*finding = MTASTS_STS_POLICY_FETCH_ERROR;
		buf_printf(reason, "status %u", page->status);
		return 1;
	}
	if (!mediatype_is_text_plain(page->media_type)) {
		*finding = MTASTS_STS_POLICY_INVALID;
		buf_puts(reason, "media type is not text/plain: ");
		buf_put_escaped(reason, page->media_type, 64, true);
		return 1;
	}
	int r = policyfile_parse(page->body, warn, file, &error);
	if (r != POLICYFILE_INVALID)
		return r;
	*finding = MTASTS_STS_POLICY_INVALID;
	reason_put(reason, REASON_LINE, &error);
	return 1;
}

int
evidence_page(const struct net_page *page, const struct reason_sink *warn, struct policyfile **file,
    enum mtasts_finding *finding, struct buf *reason)
{
	switch (page->state) {
	case NET_FETCHED:
		return response_parse(page, warn, file, finding, reason);
	case NET_BAD_CERTIFICATE:
		*finding = MTASTS_STS_WEBPKI_INVALID;
		break;
	case NET_FETCH_FAILED:
	case NET_FETCH_FAULT:
		*finding = MTASTS_STS_POLICY_FETCH_ERROR;
		break;
	}
	buf_puts(reason, page->reason != NULL ? page->reason : "");
	return 1;
}
