/* SPDX-License-Identifier: ISC
 *
 * What mtasts.h declares and lib/engine/engine.c does for real.  A certificate's octets are "good",
 * "wrong", "expired" or "untrusted"; anything else cannot be judged.
 */
#include "engine_fake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/decide.h"

struct fake fake;

struct mtasts {
	pid_t pid;
};

struct mtasts_mxset {
	const struct fake_domain *domain;
};

void
fake_reset(const struct fake_domain *domains)
{
	fake = (struct fake){ .domains = domains };
}

static const struct fake_domain *
find(const char *name)
{
	static const struct fake_domain absent = { .name = "", .state = MTASTS_ABSENT };

	for (const struct fake_domain *d = fake.domains; d->name != NULL; d++) {
		if (strcmp(d->name, name) == 0)
			return d;
	}
	return &absent;
}

int
mtasts_new(const struct mtasts_config *config, mtasts_log_fn *log, void *arg, struct mtasts **ctx)
{
	(void)config;
	(void)log;
	(void)arg;
	if (fake.broken)
		return MTASTS_ECACHE;
	struct mtasts *made = calloc(1, sizeof *made);
	if (made == NULL)
		return MTASTS_ENOMEM;
	made->pid = getpid();
	*ctx = made;
	fake.contexts++;
	return 0;
}

void
mtasts_free(struct mtasts *ctx)
{
	if (ctx != NULL)
		fake.contexts--;
	free(ctx);
}

static int
publish(struct mtasts_policy *policy, const char *body)
{
	struct policyfile *file;
	struct parse_error error;

	int r = policyfile_parse(span_of(body), NULL, &file, &error);
	assert(r == 0 || r == MTASTS_ENOMEM);
	if (r != 0)
		return r;
	policyfile_free(policy->file);
	policy_publish(policy, MTASTS_FROM_CACHE, file);
	return 0;
}

int
mtasts_lookup(struct mtasts *ctx, const char *domain, unsigned flags, int deadline_ms,
    struct mtasts_policy **policy)
{
	const struct fake_domain *d = find(domain);
	struct domain name;

	(void)deadline_ms;
	assert(ctx->pid == getpid() && flags == 0);
	fake.lookups++;
	if (domain_parse(span_of(domain), DOMAIN_STRICT, &name) != 0)
		return MTASTS_ENAME;
	struct mtasts_policy *made = policy_new(&name, d->state);
	if (made == NULL)
		return MTASTS_ENOMEM;
	made->fault_delivers = d->fault_delivers;
	if (d->state == MTASTS_PUBLISHED && publish(made, d->body) != 0) {
		policy_free(made);
		return MTASTS_ENOMEM;
	}
	*policy = made;
	return 0;
}

int
mtasts_mx_lookup(struct mtasts *ctx, const char *domain, int deadline_ms, struct mtasts_mxset **set)
{
	(void)deadline_ms;
	assert(ctx->pid == getpid());
	fake.mx_lookups++;
	struct mtasts_mxset *made = calloc(1, sizeof *made);
	if (made == NULL)
		return MTASTS_ENOMEM;
	made->domain = find(domain);
	*set = made;
	return 0;
}

void
mtasts_mxset_free(struct mtasts_mxset *set)
{
	free(set);
}

enum mtasts_mx_state
mtasts_mxset_state(const struct mtasts_mxset *set)
{
	return set->domain->mx_state;
}

size_t
mtasts_mxset_count(const struct mtasts_mxset *set)
{
	size_t n = 0;

	while (n < FAKE_HOSTS && set->domain->hosts[n].name != NULL)
		n++;
	return n;
}

const char *
mtasts_mxset_host(const struct mtasts_mxset *set, size_t i)
{
	return set->domain->hosts[i].name;
}

int
mtasts_mxset_preference(const struct mtasts_mxset *set, size_t i)
{
	return set->domain->hosts[i].preference;
}

int
mtasts_mxset_secure(const struct mtasts_mxset *set)
{
	return set->domain->secure;
}

const char *
mtasts_mxset_reason(const struct mtasts_mxset *set)
{
	return set->domain->mx_state == MTASTS_MX_UNKNOWN ? "SERVFAIL" : "";
}

int
mtasts_mxset_origin(struct mtasts *ctx, const struct mtasts_mxset *set, const char *host,
    int deadline_ms, const char **name)
{
	(void)deadline_ms;
	assert(ctx->pid == getpid());
	fake.origins++;
	*name = NULL;
	for (size_t i = 0; i < mtasts_mxset_count(set); i++) {
		const char *canonical = set->domain->hosts[i].canonical;
		if (canonical != NULL && strcmp(canonical, host) == 0)
			*name = set->domain->hosts[i].name;
	}
	return 0;
}

int
mtasts_decide(struct mtasts *ctx, struct mtasts_policy **policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, struct mtasts_decision *decision)
{
	const struct fake_domain *d = find((*policy)->domain.name);
	struct strike strike = { .finding = MTASTS_CERTIFICATE_EXPIRED };
	struct decide_round round = { attempts, n, &strike, d->strike != NULL, message_age, false };
	struct decide_config config = { bounce_after != -1 ? bounce_after : 86400,
		fake.defer_on_unknown };

	(void)deadline_ms;
	assert(ctx->pid == getpid());
	if (d->strike != NULL) {
		int r = domain_parse(span_of(d->strike), DOMAIN_STRICT, &strike.mx);
		assert(r == 0);
	}
	if (decide(*policy, &round, &config, decision) == 1 && d->recheck != NULL) {
		if (publish(*policy, d->recheck) != 0)
			return MTASTS_ENOMEM;
		round.is_rechecked = true;
		decide(*policy, &round, &config, decision);
	}
	return 0;
}

enum mtasts_tls
mtasts_certificate_check(struct mtasts *ctx, const struct mtasts_certificate *chain, size_t n,
    const char *mx_host, char *reason, size_t cap)
{
	static const struct {
		const char *octets;
		enum mtasts_tls tls;
	} kinds[] = { { "good", MTASTS_TLS_VERIFIED }, { "wrong", MTASTS_TLS_WRONG_NAME },
		{ "expired", MTASTS_TLS_EXPIRED }, { "untrusted", MTASTS_TLS_UNTRUSTED } };
	struct buf out;

	(void)mx_host;
	assert(ctx->pid == getpid() && n > 0);
	buf_init(&out, reason, cap);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (chain[0].n != strlen(kinds[i].octets) ||
		    memcmp(chain[0].der, kinds[i].octets, chain[0].n) != 0)
			continue;
		if (kinds[i].tls != MTASTS_TLS_VERIFIED)
			buf_printf(&out, "it is %s", kinds[i].octets);
		return kinds[i].tls;
	}
	buf_puts(&out, "not DER");
	return MTASTS_TLS_FAILED;
}

int
mtasts_record(struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict)
{
	const char *token = mtasts_finding_token(verdict.finding);
	struct buf out = {
		.p = fake.records, .n = strlen(fake.records), .cap = sizeof fake.records
	};

	(void)policy;
	assert(ctx->pid == getpid());
	buf_printf(&out, "%s %s%s", attempt->mx_host,
	    attempt->tls == MTASTS_TLS_UNREACHED    ? "unreached "
	    : attempt->dane || attempt->dane_failed ? "dane "
						    : "",
	    token != NULL ? token : "success");
	if (token != NULL && attempt->detail != NULL)
		buf_printf(&out, " %s", attempt->detail);
	buf_putc(&out, '\n');
	return 0;
}
