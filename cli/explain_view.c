/* SPDX-License-Identifier: ISC
 *
 * mtasts explain: the steps, told to people and to programs.
 */
#include "explain.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "table.h"
#include "view.h"

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

void
explain_print(const struct explain *explain)
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

int
explain_json(const struct explain *explain)
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
