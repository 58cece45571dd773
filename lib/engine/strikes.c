/* SPDX-License-Identifier: ISC
 *
 * Strikes: best effort, in the store.  A lost one means another try, never a bounce.
 */
#include "engine/strikes.h"

#include "engine/judge.h"

size_t
strikes_against(const struct cache *cache, const struct domain *domain, int64_t received,
    int64_t now, struct strike *strikes, size_t cap)
{
	size_t n = 0, kept = 0;

	if (cache->strikes_get(cache->self, domain, now, strikes, cap, &n) != CACHE_OK)
		return 0;
	if (n > cap)
		n = cap;
	for (size_t i = 0; i < n; i++) {
		if (strikes[i].at >= received && strikes[i].at <= now)
			strikes[kept++] = strikes[i];
	}
	return kept;
}

static void
strike_put(const struct cache *cache, const struct domain *domain, const struct domain *mx,
    enum mtasts_finding finding, int64_t now)
{
	struct strike strike = { .mx = *mx, .finding = finding, .at = now };

	(void)cache->strike_put(cache->self, domain, &strike);
}

/* mx NULL: all.  A read costs microseconds, a write milliseconds. */
static void
strike_end(
    const struct cache *cache, const struct domain *domain, const struct domain *mx, int64_t now)
{
	struct strike strikes[LIMIT_MX_HOSTS];
	size_t n = strikes_against(cache, domain, INT64_MIN, now, strikes, LIMIT_MX_HOSTS);
	bool is_there = mx == NULL && n != 0;

	for (size_t i = 0; mx != NULL && i < n; i++)
		is_there = is_there || domain_eq(&strikes[i].mx, mx);
	if (is_there)
		(void)cache->strike_end(cache->self, domain, mx);
}

void
strikes_note(const struct cache *cache, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict, int64_t now)
{
	struct domain mx;

	if (!policy_enforces(policy) || attempt->mx_host == NULL || attempt->dane_failed)
		return;
	if (domain_parse(span_of(attempt->mx_host), DOMAIN_UNDERSCORE, &mx) != 0)
		return;
	switch (attempt->tls) {
	case MTASTS_TLS_UNTRIED:
		return;
	case MTASTS_TLS_UNREACHED:
		strike_end(cache, &policy->domain, &mx, now);
		return;
	case MTASTS_TLS_VERIFIED:
	case MTASTS_TLS_NOT_OFFERED:
	case MTASTS_TLS_WRONG_NAME:
	case MTASTS_TLS_EXPIRED:
	case MTASTS_TLS_UNTRUSTED:
	case MTASTS_TLS_FAILED:
		break;
	}
	if (verdict.finding == MTASTS_NOTHING_WRONG)
		strike_end(cache, &policy->domain, NULL, now);
	else if (!verdict.deliver && !judge_name_fails(policy, attempt))
		strike_put(cache, &policy->domain, &mx, verdict.finding, now);
}
