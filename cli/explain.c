/* SPDX-License-Identifier: ISC
 *
 * mtasts explain: what a sender would do now with mail for a domain, and why, step by step.  Every
 * answer is asked of the code that decides delivery (look-up, judge, decide); nothing here knows a
 * rule of its own.  Connects to no mail host.
 */
#include "explain.h"

#include <getopt.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/decide.h"

enum { OPTION_RECHECK };

static const struct cli_option options[] = {
	[OPTION_RECHECK] = { "recheck", NULL, "DNS anew and one fetch, whatever is remembered" },
	{ NULL, NULL, NULL },
};

/* ---- asking ---- */

static int
fault(const struct explain *explain, int r)
{
	cli_say("%s: %s", explain->domain.name, mtasts_strerror(r));
	return EX_TEMPFAIL;
}

static int
ask_policy(struct explain *explain)
{
	const char *name = explain->domain.name;

	int r = mtasts_lookup(explain->ctx, name, MTASTS_CACHED_ONLY, 0, &explain->cached);
	if (r != 0)
		return fault(explain, r);
	cli_progress("record and policy of %s", name);
	r = mtasts_lookup(explain->ctx, name, explain->flags, 0, &explain->policy);
	return r == 0 ? EX_OK : fault(explain, r);
}

static int
ask_mx(struct explain *explain)
{
	cli_progress("MX hosts of %s", explain->domain.name);
	int r = mtasts_mx_lookup(explain->ctx, explain->domain.name, 0, &explain->mx);
	if (r != 0)
		return fault(explain, r);
	explain->n = mtasts_mxset_count(explain->mx);
	explain->attempts = mem_zero(explain->n, sizeof *explain->attempts);
	if (explain->attempts == NULL)
		return fault(explain, MTASTS_ENOMEM);
	for (size_t i = 0; i < explain->n; i++)
		explain->attempts[i] = (struct mtasts_attempt){
			.mx_host = mtasts_mxset_host(explain->mx, i),
			.tls = MTASTS_TLS_UNTRIED,
			.mx_secure = mtasts_mxset_secure(explain->mx),
		};
	return EX_OK;
}

/* The real decision; a final one brings its recheck with it, and maybe another policy. */
static int
ask_decision(struct explain *explain)
{
	struct answer *answer = &explain->answer;
	struct mtasts_policy *policy = mtasts_policy_copy(explain->policy);
	int64_t old = explain->cli->config->bounce_after;

	if (policy == NULL)
		return fault(explain, MTASTS_ENOMEM);
	cli_progress("verdict on %s", explain->domain.name);
	int r = mtasts_decide(
	    explain->ctx, &policy, explain->attempts, explain->n, 0, old + 1, 0, &answer->now);
	if (r == 0 && answer->now.action != MTASTS_DELIVER)
		r = mtasts_decide(explain->ctx, &policy, explain->attempts, explain->n, old, old, 0,
		    &answer->later);
	mtasts_policy_free(policy);
	return r == 0 ? EX_OK : fault(explain, r);
}

/* The same question to the same code for a world in which no certificate holds. */
static int
ask_broken(struct explain *explain)
{
	struct mtasts_attempt *attempts = mem_zero(explain->n, sizeof *attempts);
	const struct mtasts_config *conf = explain->cli->config;
	struct decide_round round = { .attempts = attempts, .n = explain->n };
	struct decide_config config = { .bounce_after = conf->bounce_after + 1,
		.defer_on_unknown = conf->on_unknown == CONF_DEFER };

	if (attempts == NULL)
		return fault(explain, MTASTS_ENOMEM);
	for (size_t i = 0; i < explain->n; i++) {
		attempts[i] = explain->attempts[i];
		attempts[i].tls = MTASTS_TLS_UNTRUSTED;
	}
	(void)decide(explain->policy, &round, &config, &explain->broken.now);
	config.bounce_after = round.message_age = conf->bounce_after;
	round.is_rechecked = true; /* and found the same */
	(void)decide(explain->policy, &round, &config, &explain->broken.later);
	free(attempts);
	return EX_OK;
}

static int
ask(struct explain *explain)
{
	int status = ask_policy(explain);

	if (status == EX_OK)
		status = ask_mx(explain);
	if (status == EX_OK && explain->n > 0)
		status = ask_decision(explain);
	if (status == EX_OK && explain->n > 0)
		status = ask_broken(explain);
	cli_progress("%s", "");
	return status;
}

/* ---- the command ---- */

static int
status_of(const struct explain *explain)
{
	enum mtasts_state state = mtasts_policy_state(explain->policy);

	if (state == MTASTS_UNKNOWN || state == MTASTS_FAULT)
		return EX_TEMPFAIL;
	return mtasts_mxset_state(explain->mx) == MTASTS_MX_UNKNOWN ? EX_TEMPFAIL : EX_OK;
}

static int
explain_all(struct explain *explain)
{
	struct cli *cli = explain->cli;

	int status = cli_configure(cli);
	if (status == EX_OK)
		status = cli_find_store(cli);
	if (status != EX_OK)
		return status;
	int r = mtasts_new(cli->config, cli_log, cli, &explain->ctx);
	if (r != 0)
		return fault(explain, r);
	status = ask(explain);
	if (status == EX_OK && cli->json)
		status = explain_json(explain);
	else if (status == EX_OK)
		explain_print(explain);
	return status == EX_OK ? status_of(explain) : status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct explain explain = { .cli = cli };

	while (cli_option(cli, argc, argv) != -1)
		explain.flags = MTASTS_RECHECK; /* the only one */
	if (argc - optind != 1)
		cli_usage(cli, "one domain is needed");
	int status = cli_domain(argv[optind], &explain.domain);
	if (status == EX_OK)
		status = explain_all(&explain);
	free(explain.attempts);
	mtasts_mxset_free(explain.mx);
	mtasts_policy_free(explain.cached);
	mtasts_policy_free(explain.policy);
	mtasts_free(explain.ctx);
	return status;
}

const struct cli_command command_explain = {
	.name = "explain",
	.usage = "DOMAIN",
	.summary = "Tell step by step what a sender would do with mail for a domain",
	.options = options,
	.has_json = true,
	.run = run,
};
