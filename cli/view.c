/* SPDX-License-Identifier: ISC
 *
 * One policy, told in full.
 */
#include "view.h"

#include <stdio.h>

#include "base/err.h"
#include "cli.h"

const char *
view_mode(const struct mtasts_policy *policy)
{
	bool is_published = mtasts_policy_state(policy) == MTASTS_PUBLISHED;

	return is_published ? mode_name(mtasts_policy_mode(policy)) : "-";
}

const char *
view_finding(enum mtasts_finding finding)
{
	const char *token = mtasts_finding_token(finding);

	return token == NULL ? "-" : token;
}

void
view_print(const struct mtasts_policy *policy)
{
	size_t n = mtasts_policy_mx_count(policy);
	char text[CLI_TIME_SIZE];

	printf("state: %s\n", state_name(mtasts_policy_state(policy)));
	printf("mode: %s\n", view_mode(policy));
	printf("id: %s\n", cli_dash(mtasts_policy_id(policy)));
	printf("source: %s\n", source_name(mtasts_policy_source(policy)));
	for (size_t i = 0; i < n; i++)
		printf("mx: %s\n", mtasts_policy_mx(policy, i));
	printf("fetched: %s\n", cli_time(mtasts_policy_fetched(policy), text));
	printf("expires: %s\n", cli_time(mtasts_policy_expires(policy), text));
	printf("finding: %s\n", view_finding(mtasts_policy_finding(policy)));
	if (mtasts_policy_reason(policy)[0] != '\0')
		printf("reason: %s\n", mtasts_policy_reason(policy));
}

json_t *
view_json(const struct mtasts_policy *policy)
{
	json_t *json = json_object(), *mx = json_array();
	const char *mode = view_mode(policy);
	const char *source = source_name(mtasts_policy_source(policy));
	const char *finding = mtasts_finding_token(mtasts_policy_finding(policy));

	for (size_t i = 0; i < mtasts_policy_mx_count(policy); i++)
		json_array_append_new(mx, json_string(mtasts_policy_mx(policy, i)));
	json_object_set_new(json, "domain", json_string(mtasts_policy_domain(policy)));
	json_object_set_new(json, "state", json_string(state_name(mtasts_policy_state(policy))));
	json_object_set_new(json, "mode", cli_json_text(mode[0] == '-' ? "" : mode));
	json_object_set_new(json, "id", cli_json_text(mtasts_policy_id(policy)));
	json_object_set_new(json, "source", cli_json_text(source[0] == '-' ? "" : source));
	json_object_set_new(json, "mx", mx);
	json_object_set_new(json, "fetched", cli_json_time(mtasts_policy_fetched(policy)));
	json_object_set_new(json, "expires", cli_json_time(mtasts_policy_expires(policy)));
	json_object_set_new(json, "finding", cli_json_text(finding == NULL ? "" : finding));
	json_object_set_new(json, "reason", cli_json_text(mtasts_policy_reason(policy)));
	return json;
}

json_t *
view_patterns(const struct policyfile *file)
{
	json_t *mx = json_array();

	for (size_t i = 0; i < file->n_mx; i++)
		json_array_append_new(mx, json_string(file->mx[i].name));
	return mx;
}
