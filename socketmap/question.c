/* SPDX-License-Identifier: ISC
 *
 * Requests by their map.
 */
#include "socketmap/question.h"

#include "socketmap/request.h"

static void
verdict_question_parse(struct span key, struct question *question)
{
	question->kind = QUESTION_VERDICT_NOW;
	question->is_verdict_good = verdict_parse(key, &question->verdict) == 0;
	if (!question->is_verdict_good || !question->verdict.has_domain)
		return;
	question->kind = QUESTION_VERDICT;
	question->domain = question->verdict.domain;
}

void
question_parse(struct span payload, struct question *question)
{
	struct request request;

	question->kind = QUESTION_MALFORMED;
	if (request_parse(payload, &request) != 0)
		return;
	if (span_is(request.map, "mtastsd")) {
		verdict_question_parse(request.key, question);
		return;
	}
	question->form = reply_form_of(request.map);
	question->kind =
	    request_domain(request.key, &question->domain) ? QUESTION_POLICY : QUESTION_NO_DOMAIN;
}

bool
question_needs_policy(const struct question *question)
{
	switch (question->kind) {
	case QUESTION_POLICY:
	case QUESTION_VERDICT:
		return true;
	case QUESTION_MALFORMED:
	case QUESTION_NO_DOMAIN:
	case QUESTION_VERDICT_NOW:
		break;
	}
	return false;
}
