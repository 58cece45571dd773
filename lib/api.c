/* SPDX-License-Identifier: ISC
 *
 * The public calls of mtasts.h that need a context: they check the contract and hand on to the
 * layers.  What a process may not need (journal, CA directory) is opened when it is first used.
 */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/store.h"
#include "engine/addresses.h"
#include "engine/engine.h"
#include "engine/mxask.h"
#include "engine/origin.h"
#include "engine/round.h"
#include "engine/strikes.h"
#include "net/helper.h"
#include "report/journal.h"
#include "tls/chain.h"

struct mtasts {
	pid_t pid;
	struct mtasts_config config;
	struct log log;
	struct clock clock;
	struct store *store;
	struct helpers *helpers;
	struct cache cache;
	struct net net;
	struct engine *engine;
	struct journal *journal;   /* NULL until the first record */
	struct chain_trust *trust; /* NULL until the first certificate */
};

const char *
mtasts_version(void)
{
	return PACKAGE_VERSION;
}

/* ---- context ---- */

/* A store that cannot be opened is one whose every call says so: look-ups then fail closed. */
static int
store_attach(struct mtasts *ctx)
{
	char why[256] = "";
	int r = store_open(ctx->config.state_directory, &ctx->log, &ctx->store, why, sizeof why);

	if (r == MTASTS_ECACHE)
		log_put(&ctx->log, MTASTS_LOG_ERROR, "store directory=%s reason=\"%s\"",
		    ctx->config.state_directory, why);
	if (r != 0 && r != MTASTS_ECACHE)
		return r;
	ctx->cache = store_cache(ctx->store);
	return 0;
}

static int
helpers_attach(struct mtasts *ctx)
{
	int r = helpers_new(&ctx->config, &ctx->log, &ctx->clock, &ctx->helpers);

	if (r == 0)
		ctx->net = helpers_net(ctx->helpers);
	return r;
}

static int
context_fill(struct mtasts *ctx, const struct api_world *world)
{
	struct engine_config config = { .max_fetches = (unsigned)ctx->config.max_fetches,
		.fault_delivers = ctx->config.cache_fault == CONF_DELIVER };
	int r = 0;

	ctx->clock = world->clock != NULL ? *world->clock : clock_system();
	if (world->cache != NULL)
		ctx->cache = *world->cache;
	else
		r = store_attach(ctx);
	if (r != 0)
		return r;
	if (world->net != NULL)
		ctx->net = *world->net;
	else
		r = helpers_attach(ctx);
	if (r != 0)
		return r;
	ctx->engine = engine_new(&config, &ctx->cache, &ctx->net, &ctx->clock, &ctx->log);
	return ctx->engine != NULL ? 0 : MTASTS_ENOMEM;
}

int
api_new(const struct mtasts_config *config, const struct api_world *world, mtasts_log_fn *log,
    void *arg, struct mtasts **ctx)
{
	if (config == NULL || ctx == NULL)
		return MTASTS_EINVAL;
	struct mtasts *made = mem_zero(1, sizeof *made);
	if (made == NULL)
		return MTASTS_ENOMEM;
	made->pid = getpid();
	made->config = *config;
	made->log = (struct log){ .fn = log, .arg = arg, .level = config->log_level };
	int r = context_fill(made, world);
	if (r != 0) {
		mtasts_free(made);
		return r;
	}
	*ctx = made;
	return 0;
}

int
mtasts_new(const struct mtasts_config *config, mtasts_log_fn *log, void *arg, struct mtasts **ctx)
{
	static const struct api_world real = { 0 };

	return api_new(config, &real, log, arg, ctx);
}

void
mtasts_free(struct mtasts *ctx)
{
	if (ctx == NULL)
		return;
	engine_free(ctx->engine, ctx->pid != getpid());
	helpers_free(ctx->helpers);
	store_close(ctx->store);
	journal_free(ctx->journal);
	chain_trust_free(ctx->trust);
	free(ctx);
}

/* ---- the contract ---- */

static int
context_check(const struct mtasts *ctx)
{
	if (ctx == NULL)
		return MTASTS_EINVAL;
	return ctx->pid == getpid() ? 0 : MTASTS_EFORK;
}

/* 0 is the configured time. */
static int
timeout_take(const struct mtasts *ctx, int deadline_ms)
{
	return deadline_ms != 0 ? deadline_ms : (int)(ctx->config.deadline * 1000);
}

static int
name_take(const char *name, struct domain *domain)
{
	return domain_parse(span_of(name), DOMAIN_UNDERSCORE, domain);
}

static bool
flags_are_sane(unsigned flags)
{
	const unsigned both = MTASTS_CACHED_ONLY | MTASTS_RECHECK;

	return (flags & ~both) == 0 && (flags & both) != both;
}

/* ---- look-ups ---- */

int
mtasts_lookup(struct mtasts *ctx, const char *domain, unsigned flags, int deadline_ms,
    struct mtasts_policy **policy)
{
	struct domain name;
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (domain == NULL || policy == NULL || deadline_ms < 0 || !flags_are_sane(flags))
		return MTASTS_EINVAL;
	r = name_take(domain, &name);
	if (r != 0)
		return r;
	return engine_lookup(ctx->engine, &name, flags, timeout_take(ctx, deadline_ms), policy);
}

int
mtasts_start(struct mtasts *ctx, const char *domain, unsigned flags, int deadline_ms,
    mtasts_lookup_fn *done, void *arg, uint64_t *id)
{
	struct domain name;
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (domain == NULL || done == NULL || id == NULL || deadline_ms < 0 ||
	    !flags_are_sane(flags))
		return MTASTS_EINVAL;
	r = name_take(domain, &name);
	if (r != 0)
		return r;
	return engine_start(
	    ctx->engine, &name, flags, timeout_take(ctx, deadline_ms), done, arg, id);
}

void
mtasts_cancel(struct mtasts *ctx, uint64_t id)
{
	if (context_check(ctx) == 0)
		engine_cancel(ctx->engine, id);
}

size_t
mtasts_pollfds(struct mtasts *ctx, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	int timeout = -1;
	size_t n = 0;

	if (context_check(ctx) == 0 && (fds != NULL || cap == 0))
		n = engine_pollfds(ctx->engine, fds, cap, &timeout);
	if (timeout_ms != NULL)
		*timeout_ms = timeout;
	return n;
}

int
mtasts_process(struct mtasts *ctx)
{
	int r = context_check(ctx);

	if (r == 0)
		engine_process(ctx->engine);
	return r;
}

/* ---- the hosts a domain's mail goes to ---- */

int
mtasts_mx_lookup(struct mtasts *ctx, const char *domain, int deadline_ms, struct mtasts_mxset **set)
{
	struct domain name;
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (domain == NULL || set == NULL || deadline_ms < 0)
		return MTASTS_EINVAL;
	r = name_take(domain, &name);
	if (r != 0)
		return r;
	return mxask_wait(ctx->engine, &name, timeout_take(ctx, deadline_ms), &ctx->log, set);
}

int
mtasts_mx_start(struct mtasts *ctx, const char *domain, int deadline_ms, mtasts_mx_fn *done,
    void *arg, uint64_t *id)
{
	struct domain name;
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (domain == NULL || done == NULL || id == NULL || deadline_ms < 0)
		return MTASTS_EINVAL;
	r = name_take(domain, &name);
	if (r != 0)
		return r;
	return mxask_start(
	    ctx->engine, &name, timeout_take(ctx, deadline_ms), &ctx->log, done, arg, id);
}

int
mtasts_addresses_start(struct mtasts *ctx, const char *host, int deadline_ms,
    mtasts_addresses_fn *done, void *arg, uint64_t *id)
{
	struct domain name;
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (host == NULL || done == NULL || id == NULL || deadline_ms < 0)
		return MTASTS_EINVAL;
	r = name_take(host, &name);
	if (r != 0)
		return r;
	return addresses_start(ctx->engine, &name, timeout_take(ctx, deadline_ms), done, arg, id);
}

int
mtasts_mxset_origin(struct mtasts *ctx, const struct mtasts_mxset *set, const char *host,
    int deadline_ms, const char **name)
{
	struct domain wanted;
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (set == NULL || host == NULL || name == NULL || deadline_ms < 0)
		return MTASTS_EINVAL;
	r = name_take(host, &wanted);
	if (r != 0)
		return r;
	return origin_find(ctx->engine, set, &wanted, timeout_take(ctx, deadline_ms), name);
}

/* ---- decisions ---- */

/* 0 and the round, of which attempts and n are in it already; or what is wrong with it. */
static int
round_make(struct mtasts *ctx, const struct mtasts_policy *policy, int64_t message_age,
    int64_t bounce_after, int deadline_ms, struct round *round)
{
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (policy == NULL || (round->attempts == NULL && round->n != 0) || message_age < 0 ||
	    bounce_after < -1 || deadline_ms < 0)
		return MTASTS_EINVAL;
	round->cache = &ctx->cache;
	round->message_age = message_age;
	round->now = clock_real(&ctx->clock);
	round->timeout_ms = timeout_take(ctx, deadline_ms);
	round->config =
	    (struct decide_config){ .bounce_after = bounce_after == -1 ? ctx->config.bounce_after
								       : bounce_after,
		    .defer_on_unknown = ctx->config.on_unknown == CONF_DEFER };
	return 0;
}

int
mtasts_decide(struct mtasts *ctx, struct mtasts_policy **policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, struct mtasts_decision *decision)
{
	struct round round = { .attempts = attempts, .n = n };
	int r = round_make(
	    ctx, policy != NULL ? *policy : NULL, message_age, bounce_after, deadline_ms, &round);

	if (r != 0)
		return r;
	if (decision == NULL)
		return MTASTS_EINVAL;
	return round_wait(ctx->engine, &round, policy, decision);
}

int
mtasts_decide_start(struct mtasts *ctx, struct mtasts_policy *policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, mtasts_decide_fn *done, void *arg, uint64_t *id)
{
	struct round round = { .attempts = attempts, .n = n };
	int r = round_make(ctx, policy, message_age, bounce_after, deadline_ms, &round);

	if (r != 0)
		return r;
	if (done == NULL || id == NULL)
		return MTASTS_EINVAL;
	return round_start(ctx->engine, &round, policy, done, arg, id);
}

/* ---- certificates ---- */

static bool
has_authorities(const struct mtasts *ctx)
{
	return faccessat(AT_FDCWD, ctx->config.ca_directory, R_OK | X_OK, AT_EACCESS) == 0;
}

static enum mtasts_tls
certificate_check(struct mtasts *ctx, const struct mtasts_certificate *chain, size_t n,
    const char *mx_host, char *reason, size_t cap)
{
	struct domain host;
	struct buf words;

	buf_init(&words, reason, cap);
	if (context_check(ctx) != 0 || (chain == NULL && n != 0) || mx_host == NULL) {
		buf_puts(&words, "called against its contract");
		return MTASTS_TLS_FAILED;
	}
	if (name_take(mx_host, &host) != 0) {
		buf_puts(&words, "the MX host's name is none");
		return MTASTS_TLS_FAILED;
	}
	if (ctx->trust == NULL)
		ctx->trust = chain_trust_new(ctx->config.ca_directory);
	if (ctx->trust == NULL) {
		buf_puts(&words, mtasts_strerror(MTASTS_ENOMEM));
		return MTASTS_TLS_FAILED;
	}
	enum mtasts_tls tls =
	    chain_check(ctx->trust, chain, n, &host, clock_real(&ctx->clock), reason, cap);
	if (tls == MTASTS_TLS_FAILED && !has_authorities(ctx))
		log_put(&ctx->log, MTASTS_LOG_ERROR, "certificate ca_directory=%s reason=\"%s\"",
		    ctx->config.ca_directory, strerror(errno));
	return tls;
}

enum mtasts_tls
mtasts_certificate_check(struct mtasts *ctx, const struct mtasts_certificate *chain, size_t n,
    const char *mx_host, char *reason, size_t cap)
{
	char unread[1];

	if (reason == NULL || cap == 0)
		return certificate_check(ctx, chain, n, mx_host, unread, sizeof unread);
	return certificate_check(ctx, chain, n, mx_host, reason, cap);
}

/* ---- records ---- */

static struct span
span_or_none(const char *text)
{
	return text != NULL ? span_of(text) : span_make("", 0);
}

/* RFC 8460 4.4: which policy the session was held under. */
static enum record_type
record_type_of(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	if (attempt->dane || attempt->dane_failed)
		return RECORD_TLSA;
	if (policy->state == MTASTS_PUBLISHED && policy->mode != MTASTS_NONE)
		return RECORD_STS;
	return RECORD_NO_POLICY;
}

static void
record_put_policy(struct record *record, const struct mtasts_policy *policy)
{
	const struct policyfile *file = policy->file;

	record->mode = policy->mode;
	record->policy_id = span_of(policy->id);
	for (size_t i = 0; i < file->n_lines && i < RECORD_STRINGS_MAX; i++)
		record->policy_strings[record->n_policy_strings++] = file->lines[i];
	for (size_t i = 0; i < file->n_mx && i < RECORD_STRINGS_MAX; i++)
		record->mx_patterns[record->n_mx_patterns++] =
		    span_make(file->mx[i].name, file->mx[i].n);
}

static void
record_make(struct record *record, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict, int64_t now)
{
	*record = (struct record){ .at = now,
		.domain = policy->domain,
		.type = record_type_of(policy, attempt),
		.success = verdict.finding == MTASTS_NOTHING_WRONG,
		.finding = verdict.finding,
		.policy_finding = policy->finding,
		.mx_host = span_or_none(attempt->mx_host),
		.mx_helo = span_or_none(attempt->mx_helo),
		.mx_ip = span_or_none(attempt->mx_ip),
		.local_ip = span_or_none(attempt->local_ip),
		.detail = span_or_none(attempt->detail) };
	if (record->type != RECORD_STS)
		return;
	record_put_policy(record, policy);
	if (judge_name_fails(policy, attempt))
		record->detail = span_of("mx-mismatch"); /* T4.3.2 */
}

/* Sessions that came about, and refusals before there could be one. */
static bool
is_on_record(const struct mtasts_attempt *attempt, struct mtasts_verdict verdict)
{
	if (attempt->tls == MTASTS_TLS_UNREACHED)
		return false;
	return attempt->tls != MTASTS_TLS_UNTRIED || verdict.finding != MTASTS_NOTHING_WRONG;
}

int
mtasts_record(struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict)
{
	struct record record;
	int r = context_check(ctx);

	if (r != 0)
		return r;
	if (policy == NULL || attempt == NULL)
		return MTASTS_EINVAL;
	if (attempt->tls == MTASTS_TLS_FAILED && !has_authorities(ctx))
		return 0; /* our own trouble, which was told: neither a strike nor a report */
	int64_t now = clock_real(&ctx->clock);
	strikes_note(&ctx->cache, policy, attempt, verdict, now);
	if (!ctx->config.reports || !is_on_record(attempt, verdict))
		return 0;
	if (ctx->journal == NULL)
		ctx->journal = journal_new(ctx->config.state_directory, &ctx->log);
	if (ctx->journal == NULL)
		return MTASTS_ENOMEM;
	record_make(&record, policy, attempt, verdict, now);
	return journal_append(ctx->journal, &record);
}
