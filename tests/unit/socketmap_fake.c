/* SPDX-License-Identifier: ISC
 *
 * What lib/api.c and the engine do for real.
 */
#include "socketmap_fake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/mxset.h"
#include "engine/policy.h"

struct fake fake;

struct job {
	struct job *next;
	uint64_t id;
	int64_t due_ms; /* FAKE_NEVER */
	const struct fake_domain *domain;
	char name[DOMAIN_MAX + 1];
	mtasts_lookup_fn *done;
	mtasts_mx_fn *mx_done; /* one of the two */
	void *arg;
};

struct mtasts {
	struct job *jobs;
	uint64_t last_id;
};

static const struct fake_domain absent = { .state = MTASTS_ABSENT, .stored = MTASTS_UNKNOWN };

/* ---- clocks ---- */

static int64_t
real(void *arg)
{
	struct clock clock = clock_system();

	(void)arg;
	return fake.has_clock ? fake.now : clock_real(&clock);
}

static int64_t
mono(void *arg)
{
	struct clock clock = clock_system();

	(void)arg;
	return fake.has_clock ? fake.now_ms : clock_mono_ms(&clock);
}

struct clock
fake_clock(void)
{
	return (struct clock){ real, mono, NULL };
}

void
fake_reset(const struct fake_domain *domains)
{
	fake = (struct fake){ .domains = domains, .now_ms = 1000000, .now = 1750000000 };
}

struct mtasts *
fake_new(void)
{
	struct mtasts *ctx = calloc(1, sizeof *ctx);

	assert(ctx != NULL);
	return ctx;
}

static const struct fake_domain *
find(const char *name)
{
	for (const struct fake_domain *d = fake.domains; d->name != NULL; d++) {
		if (strcmp(d->name, name) == 0)
			return d;
	}
	return &absent;
}

/* ---- what look-ups give ---- */

static struct mtasts_policy *
policy_make(const char *text, const struct fake_domain *d, enum mtasts_state state)
{
	struct domain name;
	struct policyfile *file;
	struct parse_error error;

	int r = domain_parse(span_of(text), DOMAIN_UNDERSCORE, &name);
	assert(r == 0);
	struct mtasts_policy *policy = policy_new(&name, state);
	assert(policy != NULL);
	if (state != MTASTS_PUBLISHED)
		return policy;
	r = policyfile_parse(span_of(d->body), NULL, &file, &error);
	assert(r == 0);
	policy_publish(policy, MTASTS_FROM_CACHE, file);
	policy->expires = d->expires != 0 ? d->expires : INT32_MAX * INT64_C(2);
	return policy;
}

static struct mtasts_mxset *
set_make(const struct fake_domain *d)
{
	struct mtasts_mxset *set = mem_zero(1, sizeof *set + FAKE_HOSTS * sizeof set->hosts[0]);

	assert(set != NULL);
	set->state = d->mx_state;
	set->ttl = d->mx_ttl;
	for (size_t i = 0; i < FAKE_HOSTS && d->hosts[i] != NULL; i++) {
		int r = domain_parse(span_of(d->hosts[i]), DOMAIN_UNDERSCORE, &set->hosts[i].name);
		assert(r == 0);
		set->n++;
	}
	return set;
}

/* ---- the calls ---- */

static struct job *
job_new(struct mtasts *ctx, const char *name, int64_t delay_ms, uint64_t *id)
{
	struct job *job = calloc(1, sizeof *job), **at = &ctx->jobs;

	if (job == NULL)
		return NULL;
	assert(strlen(name) <= DOMAIN_MAX);
	strcpy(job->name, name);
	job->domain = find(name);
	job->id = *id = ++ctx->last_id;
	job->due_ms = delay_ms == FAKE_NEVER ? FAKE_NEVER : mono(NULL) + delay_ms;
	while (*at != NULL)
		at = &(*at)->next;
	*at = job;
	fake.n_under_way++;
	return job;
}

int
mtasts_start(struct mtasts *ctx, const char *domain, unsigned flags, int deadline_ms,
    mtasts_lookup_fn *done, void *arg, uint64_t *id)
{
	const struct fake_domain *d = find(domain);

	assert(flags == 0 && deadline_ms == 0);
	if (d->error != 0)
		return d->error;
	struct job *job = job_new(ctx, domain, d->delay_ms, id);
	if (job == NULL)
		return MTASTS_ENOMEM;
	job->done = done;
	job->arg = arg;
	fake.n_started++;
	return 0;
}

int
mtasts_mx_start(struct mtasts *ctx, const char *domain, int deadline_ms, mtasts_mx_fn *done,
    void *arg, uint64_t *id)
{
	const struct fake_domain *d = find(domain);

	assert(deadline_ms > 0);
	if (d->mx_error != 0)
		return d->mx_error;
	struct job *job = job_new(ctx, domain, d->mx_delay_ms, id);
	if (job == NULL)
		return MTASTS_ENOMEM;
	job->mx_done = done;
	job->arg = arg;
	fake.n_mx_started++;
	return 0;
}

static void
job_free(struct mtasts *ctx, struct job *job)
{
	struct job **at = &ctx->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	free(job);
	fake.n_under_way--;
}

void
mtasts_cancel(struct mtasts *ctx, uint64_t id)
{
	for (struct job *job = ctx->jobs; job != NULL; job = job->next) {
		if (job->id == id) {
			job_free(ctx, job);
			fake.n_cancelled++;
			return;
		}
	}
}

static struct job *
due(const struct mtasts *ctx)
{
	struct job *job = ctx->jobs;

	while (job != NULL && (job->due_ms == FAKE_NEVER || job->due_ms > mono(NULL)))
		job = job->next;
	return job;
}

int
mtasts_process(struct mtasts *ctx)
{
	struct job *job;

	while ((job = due(ctx)) != NULL) {
		struct job copy = *job;
		job_free(ctx, job);
		if (copy.done != NULL)
			copy.done(
			    copy.arg, 0, policy_make(copy.name, copy.domain, copy.domain->state));
		else
			copy.mx_done(copy.arg, 0, set_make(copy.domain));
	}
	return 0;
}

size_t
mtasts_pollfds(struct mtasts *ctx, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	(void)fds;
	(void)cap;
	*timeout_ms = -1;
	for (const struct job *job = ctx->jobs; job != NULL; job = job->next) {
		int64_t left = job->due_ms - mono(NULL);
		if (job->due_ms == FAKE_NEVER)
			continue;
		if (left < 0)
			left = 0;
		if (*timeout_ms < 0 || left < *timeout_ms)
			*timeout_ms = (int)left;
	}
	return 0;
}

int
mtasts_lookup(struct mtasts *ctx, const char *domain, unsigned flags, int deadline_ms,
    struct mtasts_policy **policy)
{
	const struct fake_domain *d = find(domain);

	(void)ctx;
	(void)deadline_ms;
	assert(flags == MTASTS_CACHED_ONLY);
	fake.n_stored++;
	*policy = policy_make(domain, d, d->stored);
	return 0;
}

void
mtasts_free(struct mtasts *ctx)
{
	while (ctx != NULL && ctx->jobs != NULL)
		job_free(ctx, ctx->jobs);
	free(ctx);
}

/* What the judge of a packaged sendmail asks besides. */

int
mtasts_decide(struct mtasts *ctx, struct mtasts_policy **policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, struct mtasts_decision *decision)
{
	(void)ctx;
	(void)policy;
	(void)attempts;
	(void)message_age;
	(void)bounce_after;
	(void)deadline_ms;
	*decision = (struct mtasts_decision){ .action = n == 0 ? MTASTS_DELIVER : MTASTS_DEFER,
		.smtp_code = n == 0 ? 0 : 451 };
	return 0;
}

int
mtasts_record(struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict)
{
	(void)ctx;
	(void)policy;
	(void)attempt;
	(void)verdict;
	fake.n_records++;
	return 0;
}
