/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 5: refusals are transient first, and permanent only after a recheck (5, last
 * paragraph).  Codes and final texts are those Exchange Online's users know.
 */
#include "engine/decide.h"

#include <string.h>

#include "base/buf.h"

/* How one MX host stands, from best to worst for whoever waits for the mail. */
enum standing {
	OPEN,	   /* passed, or may still be tried */
	UNREACHED, /* allowed, but there was no session */
	STRUCK,	   /* not tried this time, failed by TLS in an earlier round */
	DANE,	   /* DANE failed: transient, and none of our policy's doing */
	TLS,	   /* STARTTLS or certificate failed now */
	NAME,	   /* not in the policy */
	STANDINGS
};

struct tally {
	size_t n[STANDINGS];
	enum mtasts_finding finding; /* of the first host that failed by TLS: now, else earlier */
};

static const struct strike *
strike_of(const struct decide_round *round, const char *mx_host)
{
	struct domain host;

	if (mx_host == NULL || domain_parse(span_of(mx_host), DOMAIN_UNDERSCORE, &host) != 0)
		return NULL;
	for (size_t i = 0; i < round->n_strikes; i++) {
		if (domain_eq(&round->strikes[i].mx, &host))
			return &round->strikes[i];
	}
	return NULL;
}

static enum standing
standing_of(const struct mtasts_policy *policy, const struct decide_round *round,
    const struct mtasts_attempt *attempt, enum mtasts_finding *finding)
{
	struct mtasts_verdict verdict = judge(policy, attempt);
	const struct strike *strike;

	*finding = verdict.finding;
	if (attempt->dane_failed)
		return DANE;
	if (judge_name_fails(policy, attempt))
		return NAME;
	if (attempt->tls == MTASTS_TLS_UNREACHED)
		return UNREACHED;
	if (attempt->tls != MTASTS_TLS_UNTRIED)
		return verdict.deliver ? OPEN : TLS;
	strike = strike_of(round, attempt->mx_host);
	if (strike == NULL)
		return OPEN;
	*finding = strike->finding;
	return STRUCK;
}

static struct tally
count(const struct mtasts_policy *policy, const struct decide_round *round)
{
	struct tally tally = { .n = { 0 } };
	enum mtasts_finding earlier = MTASTS_NOTHING_WRONG;

	for (size_t i = 0; i < round->n; i++) {
		enum mtasts_finding finding;
		enum standing standing = standing_of(policy, round, &round->attempts[i], &finding);
		tally.n[standing]++;
		if ((standing == TLS || standing == DANE) && tally.finding == MTASTS_NOTHING_WRONG)
			tally.finding = finding;
		if (standing == STRUCK && earlier == MTASTS_NOTHING_WRONG)
			earlier = finding;
	}
	if (tally.finding == MTASTS_NOTHING_WRONG)
		tally.finding = earlier;
	return tally;
}

static const char *
finding_word(enum mtasts_finding finding)
{
	const char *word = mtasts_finding_token(finding);

	return word != NULL ? word : "validation-failure";
}

static void
say(struct mtasts_decision *decision, enum mtasts_action action, const char *enhanced,
    const char *before, const char *what, const char *after)
{
	struct buf text;

	decision->action = action;
	decision->smtp_code = action == MTASTS_FAIL ? 550 : 451;
	buf_init(&text, decision->enhanced, sizeof decision->enhanced);
	buf_puts(&text, enhanced);
	buf_init(&text, decision->text, sizeof decision->text);
	buf_puts(&text, before);
	buf_puts(&text, what);
	buf_puts(&text, after);
}

/* A domain is checked text and a finding one of ours: nothing here needs an escaper. */
static void
say_refused(struct mtasts_decision *decision, const struct mtasts_policy *policy,
    const struct tally *tally, size_t n, bool final)
{
	static const char certificate[] = "Remote certificate failed MTA-STS validation. Reason: ";
	enum mtasts_action action = final ? MTASTS_FAIL : MTASTS_DEFER;

	if (tally->n[NAME] == n)
		say(decision, action, final ? "5.4.8" : "4.4.8", "MX hosts of '",
		    policy->domain.name,
		    final ? "' failed MTA-STS validation."
			  : "' failed MTA-STS validation; will retry");
	else
		say(decision, action, final ? "5.7.5" : "4.7.5", certificate,
		    finding_word(tally->finding), final ? "" : "; will retry");
}

static int
decide_enforced(const struct mtasts_policy *policy, const struct decide_round *round,
    const struct decide_config *config, struct mtasts_decision *decision)
{
	struct tally tally = count(policy, round);
	size_t by_policy = tally.n[NAME] + tally.n[TLS] + tally.n[STRUCK];
	bool now = tally.n[TLS] != 0 || tally.n[DANE] != 0 || tally.n[NAME] == round->n;
	bool final = by_policy == round->n && round->message_age >= config->bounce_after;

	if (round->n == 0 || tally.n[OPEN] != 0)
		return 0;
	if (final && round->is_rechecked) {
		say_refused(decision, policy, &tally, round->n, true);
		return 0;
	}
	if (now)
		say_refused(decision, policy, &tally, round->n, false);
	return final ? 1 : 0;
}

int
decide(const struct mtasts_policy *policy, const struct decide_round *round,
    const struct decide_config *config, struct mtasts_decision *decision)
{
	*decision = (struct mtasts_decision){ .action = MTASTS_DELIVER };
	switch (policy->state) {
	case MTASTS_PUBLISHED:
		if (!policy_enforces(policy))
			return 0;
		return decide_enforced(policy, round, config, decision);
	case MTASTS_ABSENT:
		return 0;
	case MTASTS_UNKNOWN:
		if (config->defer_on_unknown)
			say(decision, MTASTS_DEFER, "4.4.3", "MTA-STS policy of '",
			    policy->domain.name, "' could not be found out; will retry");
		return 0;
	case MTASTS_FAULT:
		if (!policy->fault_delivers)
			say(decision, MTASTS_DEFER, "4.3.0",
			    "MTA-STS state of this host is unreadable", "", "");
		return 0;
	}
	say(decision, MTASTS_DEFER, "4.3.0", "MTA-STS state of this host is unreadable", "", "");
	return 0;
}
