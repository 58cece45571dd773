/* SPDX-License-Identifier: ISC
 *
 * mtasts explain: what a sender would do now with mail for a domain, and why, step by step.  Every
 * answer is asked of the code that decides delivery (look-up, judge, decide); nothing here knows a
 * rule of its own.  Connects to no mail host.
 */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "engine/decide.h"
#include "table.h"
#include "view.h"

enum { OPTION_RECHECK };

static const struct cli_option options[] = {
	[OPTION_RECHECK] = { "recheck", NULL, "DNS anew and one fetch, whatever is remembered" },
	{ NULL, NULL, NULL },
};

/* What a message would meet while it is young, and when it is as old as bounce_after. */
struct answer {
	struct mtasts_decision now, later;
};

struct explain {
	struct cli *cli;
	struct mtasts *ctx;
	unsigned flags;
	struct domain domain;
	struct mtasts_policy *cached; /* before this look-up */
	struct mtasts_policy *policy; /* what this look-up gave */
	struct mtasts_mxset *mx;
	size_t n;
	struct mtasts_attempt *attempts; /* of n hosts, none tried yet */
	struct answer answer;		 /* of these */
	struct answer broken;		 /* if each host that may be tried had a bad certificate */
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

/* ---- telling people ---- */

/* "published, mode enforce", with "source network" when it was looked up now. */
static void
policy_put(struct buf *out, const struct mtasts_policy *policy, bool has_source)
{
	buf_puts(out, state_name(mtasts_policy_state(policy)));
	if (mtasts_policy_state(policy) != MTASTS_PUBLISHED)
		return;
	buf_printf(out, ", mode %s", view_mode(policy));
	if (has_source)
		buf_printf(out, ", source %s", source_name(mtasts_policy_source(policy)));
}

static void
print_times(const struct mtasts_policy *policy)
{
	char fetched[CLI_TIME_SIZE], expires[CLI_TIME_SIZE];

	if (mtasts_policy_state(policy) == MTASTS_PUBLISHED)
		printf("         fetched %s, expires %s\n",
		    cli_time(mtasts_policy_fetched(policy), fetched),
		    cli_time(mtasts_policy_expires(policy), expires));
}

static void
reason_put_both(struct buf *out, const struct mtasts_policy *policy)
{
	const char *token = mtasts_finding_token(mtasts_policy_finding(policy));
	const char *reason = mtasts_policy_reason(policy);

	if (token != NULL)
		buf_printf(out, "; %s", token);
	if (reason[0] != '\0')
		buf_printf(out, "%s %s", token == NULL ? ";" : ":", reason);
}

static const char *
record_words(const struct mtasts_policy *policy)
{
	switch (mtasts_policy_state(policy)) {
	case MTASTS_PUBLISHED:
	case MTASTS_ABSENT:
		return mtasts_policy_id(policy)[0] != '\0' ? "id " : "none that counts";
	case MTASTS_UNKNOWN:
		return "could not be found out";
	case MTASTS_FAULT:
		return "-";
	}
	return "?";
}

static void
print_cached(const struct explain *explain)
{
	char storage[128];
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	if (mtasts_policy_state(explain->cached) == MTASTS_PUBLISHED)
		policy_put(&out, explain->cached, false);
	else if (mtasts_policy_state(explain->cached) == MTASTS_FAULT)
		buf_puts(&out, "unreadable");
	else
		buf_puts(&out, "nothing in force");
	printf("cache    %s\n", out.p);
	print_times(explain->cached);
}

static void
print_policy(const struct explain *explain)
{
	const struct mtasts_policy *policy = explain->policy;
	bool has_id = mtasts_policy_state(policy) == MTASTS_PUBLISHED ||
		      mtasts_policy_state(policy) == MTASTS_ABSENT;
	char storage[1024];
	struct buf out;

	printf("record   %s%s\n", record_words(policy), has_id ? mtasts_policy_id(policy) : "");
	buf_init(&out, storage, sizeof storage);
	policy_put(&out, policy, true);
	reason_put_both(&out, policy);
	printf("policy   %s\n", out.p);
	print_times(policy);
	for (size_t i = 0; i < mtasts_policy_mx_count(policy); i++)
		printf("         mx %s\n", mtasts_policy_mx(policy, i));
}

static const char *
mx_words(enum mtasts_mx_state state)
{
	switch (state) {
	case MTASTS_MX_FOUND:
		return "";
	case MTASTS_MX_IMPLICIT:
		return "no MX record: the domain is its own host";
	case MTASTS_MX_NULL:
		return "null MX: the domain takes no mail";
	case MTASTS_MX_NO_DOMAIN:
		return "no such domain";
	case MTASTS_MX_UNKNOWN:
		return "could not be found out";
	}
	return "?";
}

static const char *
verdict_words(struct mtasts_verdict verdict)
{
	if (!verdict.deliver)
		return "not used";
	return verdict.need_tls ? "only over verified TLS" : "used";
}

static void
print_hosts(const struct explain *explain)
{
	struct table table;

	table_init(&table, 4);
	for (size_t i = 0; i < explain->n; i++) {
		struct mtasts_verdict verdict =
		    mtasts_judge(explain->policy, &explain->attempts[i]);
		const char *finding = mtasts_finding_token(verdict.finding);
		char preference[16];
		snprintf(
		    preference, sizeof preference, "%d", mtasts_mxset_preference(explain->mx, i));
		const char *const row[] = { preference, explain->attempts[i].mx_host,
			verdict_words(verdict), finding == NULL ? "" : finding };
		table_add(&table, row);
	}
	table_print(&table, "         ");
}

static void
print_mx(const struct explain *explain)
{
	const char *words = mx_words(mtasts_mxset_state(explain->mx));
	const char *reason = mtasts_mxset_reason(explain->mx);

	printf("hosts    %s%s%s\n", words[0] == '\0' ? "by MX record" : words,
	    reason[0] == '\0' ? "" : ": ", reason);
	print_hosts(explain);
}

static const char *
action_name(enum mtasts_action action)
{
	switch (action) {
	case MTASTS_DELIVER:
		return "deliver";
	case MTASTS_DEFER:
		return "defer";
	case MTASTS_FAIL:
		return "fail";
	}
	return "?";
}

static void
print_decision(const char *label, const char *when, const struct mtasts_decision *decision)
{
	printf("%-9s%s: %s", label, when, action_name(decision->action));
	if (decision->action != MTASTS_DELIVER)
		printf(", %d %s %s", decision->smtp_code, decision->enhanced, decision->text);
	putchar('\n');
}

/* later NULL: there is no "now" before it (bounce_after = 0). */
static void
print_answer(const char *label, const char *later, const struct answer *answer)
{
	if (answer->now.action == MTASTS_DELIVER || later != NULL)
		print_decision(label, "now", &answer->now);
	if (answer->now.action != MTASTS_DELIVER)
		print_decision(
		    later == NULL ? label : "", later == NULL ? "now" : later, &answer->later);
}

/* "after 1d", the value of bounce_after as the configuration says it; NULL when that is 0. */
static const char *
later_words(const struct mtasts_config *config, char *text, size_t cap)
{
	struct buf out;
	size_t i = 0;

	if (config->bounce_after == 0)
		return NULL;
	while (conf_key(i) != NULL && !span_is(span_of(conf_key(i)), "bounce_after"))
		i++;
	buf_init(&out, text, cap);
	buf_puts(&out, "after ");
	conf_value(config, i, &out);
	return text;
}

static void
print(const struct explain *explain)
{
	char text[64];
	const char *later = later_words(explain->cli->config, text, sizeof text);

	printf("domain   %s\n", explain->domain.name);
	print_cached(explain);
	print_policy(explain);
	print_mx(explain);
	if (explain->n == 0)
		return;
	print_answer("verdict", later, &explain->answer);
	if (explain->answer.now.action == MTASTS_DELIVER &&
	    explain->broken.now.action != MTASTS_DELIVER) {
		printf("bounce   if the certificate of every host is bad\n");
		print_answer("", later, &explain->broken);
	}
}

/* ---- telling programs ---- */

static json_t *
decision_json(const struct mtasts_decision *decision)
{
	json_t *json = json_object();

	json_object_set_new(json, "action", json_string(action_name(decision->action)));
	if (decision->action == MTASTS_DELIVER)
		return json;
	json_object_set_new(json, "smtp_code", json_integer(decision->smtp_code));
	json_object_set_new(json, "enhanced", json_string(decision->enhanced));
	json_object_set_new(json, "text", json_string(decision->text));
	return json;
}

static json_t *
answer_json(const struct answer *answer)
{
	json_t *json = json_object();

	json_object_set_new(json, "now", decision_json(&answer->now));
	if (answer->now.action != MTASTS_DELIVER)
		json_object_set_new(json, "later", decision_json(&answer->later));
	return json;
}

static const char *
mx_state_name(enum mtasts_mx_state state)
{
	switch (state) {
	case MTASTS_MX_FOUND:
		return "found";
	case MTASTS_MX_IMPLICIT:
		return "implicit";
	case MTASTS_MX_NULL:
		return "null";
	case MTASTS_MX_NO_DOMAIN:
		return "no-domain";
	case MTASTS_MX_UNKNOWN:
		return "unknown";
	}
	return "?";
}

static json_t *
mx_json(const struct explain *explain)
{
	json_t *json = json_object(), *hosts = json_array();

	for (size_t i = 0; i < explain->n; i++) {
		struct mtasts_verdict verdict =
		    mtasts_judge(explain->policy, &explain->attempts[i]);
		const char *finding = mtasts_finding_token(verdict.finding);
		json_t *host = json_object();
		json_object_set_new(
		    host, "preference", json_integer(mtasts_mxset_preference(explain->mx, i)));
		json_object_set_new(host, "host", json_string(explain->attempts[i].mx_host));
		json_object_set_new(host, "deliver", json_boolean(verdict.deliver));
		json_object_set_new(host, "need_tls", json_boolean(verdict.need_tls));
		json_object_set_new(host, "finding", cli_json_text(finding == NULL ? "" : finding));
		json_array_append_new(hosts, host);
	}
	json_object_set_new(
	    json, "state", json_string(mx_state_name(mtasts_mxset_state(explain->mx))));
	json_object_set_new(json, "secure", json_boolean(mtasts_mxset_secure(explain->mx)));
	json_object_set_new(json, "reason", cli_json_text(mtasts_mxset_reason(explain->mx)));
	json_object_set_new(json, "hosts", hosts);
	return json;
}

static int
print_json(const struct explain *explain)
{
	json_t *json = json_object();

	json_object_set_new(json, "domain", json_string(explain->domain.name));
	json_object_set_new(json, "cached", view_json(explain->cached));
	json_object_set_new(json, "policy", view_json(explain->policy));
	json_object_set_new(json, "mx", mx_json(explain));
	if (explain->n > 0) {
		json_object_set_new(json, "decision", answer_json(&explain->answer));
		json_object_set_new(json, "bad_certificates", answer_json(&explain->broken));
	}
	return cli_json(json);
}

/* ---- */

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
		status = print_json(explain);
	else if (status == EX_OK)
		print(explain);
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
