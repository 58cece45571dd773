/* SPDX-License-Identifier: ISC
 *
 * What a request asks for, whichever map it names: "mtastsd" is the judge's of a packaged
 * sendmail (verdict.h), all others want a policy in Postfix's words (reply.h).  Pure.
 */
#ifndef SOCKETMAP_QUESTION_H
#define SOCKETMAP_QUESTION_H

#include "base/domain.h"
#include "base/span.h"
#include "socketmap/reply.h"
#include "socketmap/verdict.h"

enum question_kind {
	QUESTION_MALFORMED,
	QUESTION_NO_DOMAIN,  /* a key that means none */
	QUESTION_POLICY,     /* of domain, in that form */
	QUESTION_VERDICT,    /* of the judge, by the policy of domain */
	QUESTION_VERDICT_NOW /* of the judge, who needs no policy */
};

/* Parts of it borrow from the payload. */
struct question {
	enum question_kind kind;
	enum reply_form form;
	struct domain domain;
	bool is_verdict_good; /* verdict is set, for the judge to look at */
	struct verdict_request verdict;
};

void question_parse(struct span payload, struct question *question);

/* Nothing can be said before the policy of question->domain is known. */
bool question_needs_policy(const struct question *question);

#endif
