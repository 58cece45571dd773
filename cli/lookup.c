/* SPDX-License-Identifier: ISC
 *
 * mtasts lookup: what is known of each domain, as a mail server would be told now.
 */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "table.h"
#include "view.h"

enum { OPTION_CACHED, OPTION_RECHECK };

static const struct cli_option options[] = {
	[OPTION_CACHED] = { "cached", NULL, "the store alone: no DNS, no HTTPS" },
	[OPTION_RECHECK] = { "recheck", NULL, "DNS anew and one fetch, whatever is remembered" },
	{ NULL, NULL, NULL },
};

struct lookup {
	struct cli *cli;
	struct mtasts *ctx;
	unsigned flags;
	size_t n;
	struct domain *domains;
	struct mtasts_policy **policies;
};

static int
names_take(struct lookup *lookup, char **names)
{
	for (size_t i = 0; i < lookup->n; i++) {
		int status = cli_domain(names[i], &lookup->domains[i]);
		if (status != EX_OK)
			return status;
	}
	return EX_OK;
}

static int
ask(struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->n; i++) {
		const char *name = lookup->domains[i].name;
		cli_progress("%zu of %zu: %s", i + 1, lookup->n, name);
		int r = mtasts_lookup(lookup->ctx, name, lookup->flags, 0, &lookup->policies[i]);
		if (r != 0) {
			cli_say("%s: %s", name, mtasts_strerror(r));
			return r == MTASTS_ENAME ? EX_DATAERR : EX_TEMPFAIL;
		}
	}
	cli_progress("%s", "");
	return EX_OK;
}

static void
print_table(const struct lookup *lookup)
{
	static const char *const head[] = { "DOMAIN", "STATE", "MODE", "ID", "SOURCE", "FETCHED",
		"EXPIRES", "FINDING", "MX" };
	struct table table;

	table_init(&table, sizeof head / sizeof head[0]);
	table_add(&table, head);
	for (size_t i = 0; i < lookup->n; i++) {
		const struct mtasts_policy *policy = lookup->policies[i];
		char fetched[CLI_TIME_SIZE], expires[CLI_TIME_SIZE], patterns[1024];
		struct buf mx;
		buf_init(&mx, patterns, sizeof patterns);
		for (size_t m = 0; m < mtasts_policy_mx_count(policy); m++)
			buf_printf(&mx, "%s%s", m == 0 ? "" : " ", mtasts_policy_mx(policy, m));
		if (mx.full)
			memcpy(patterns + sizeof patterns - sizeof "...", "...", sizeof "...");
		const char *const row[] = { mtasts_policy_domain(policy),
			state_name(mtasts_policy_state(policy)), view_mode(policy),
			cli_dash(mtasts_policy_id(policy)),
			source_name(mtasts_policy_source(policy)),
			cli_time(mtasts_policy_fetched(policy), fetched),
			cli_time(mtasts_policy_expires(policy), expires),
			view_finding(mtasts_policy_finding(policy)), cli_dash(patterns) };
		table_add(&table, row);
	}
	table_print(&table, "");
}

static int
print_json(const struct lookup *lookup)
{
	json_t *json = json_array();

	for (size_t i = 0; i < lookup->n; i++)
		json_array_append_new(json, view_json(lookup->policies[i]));
	return cli_json(json);
}

/* 0 when the answer is known, that there is none included. */
static int
status_of(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->n; i++) {
		switch (mtasts_policy_state(lookup->policies[i])) {
		case MTASTS_PUBLISHED:
		case MTASTS_ABSENT:
			break;
		case MTASTS_UNKNOWN:
		case MTASTS_FAULT:
			return EX_TEMPFAIL;
		}
	}
	return EX_OK;
}

static int
print(const struct lookup *lookup)
{
	int status = EX_OK;

	if (lookup->cli->json)
		status = print_json(lookup);
	else if (lookup->n == 1)
		view_print(lookup->policies[0]);
	else
		print_table(lookup);
	return status == EX_OK ? status_of(lookup) : status;
}

static int
lookup_all(struct lookup *lookup, char **names)
{
	struct cli *cli = lookup->cli;

	int status = names_take(lookup, names);
	if (status == EX_OK)
		status = cli_configure(cli);
	if (status == EX_OK)
		status = cli_find_store(cli);
	if (status != EX_OK)
		return status;
	int r = mtasts_new(cli->config, cli_log, cli, &lookup->ctx);
	if (r != 0) {
		cli_say("%s", mtasts_strerror(r));
		return EX_TEMPFAIL;
	}
	status = ask(lookup);
	if (status == EX_OK)
		status = print(lookup);
	mtasts_free(lookup->ctx);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct lookup lookup = { .cli = cli };
	int option;

	while ((option = cli_option(cli, argc, argv)) != -1)
		lookup.flags |= option == OPTION_CACHED ? MTASTS_CACHED_ONLY : MTASTS_RECHECK;
	if (optind == argc)
		cli_usage(cli, "a domain is needed");
	if ((lookup.flags & MTASTS_CACHED_ONLY) != 0 && (lookup.flags & MTASTS_RECHECK) != 0)
		cli_usage(cli, "--cached and --recheck exclude each other");
	lookup.n = (size_t)(argc - optind);
	lookup.domains = mem_zero(lookup.n, sizeof *lookup.domains);
	lookup.policies = mem_zero(lookup.n, sizeof(struct mtasts_policy *));
	int status = EX_TEMPFAIL;
	if (lookup.domains == NULL || lookup.policies == NULL)
		cli_say("out of memory");
	else
		status = lookup_all(&lookup, argv + optind);
	for (size_t i = 0; lookup.policies != NULL && i < lookup.n; i++)
		mtasts_policy_free(lookup.policies[i]);
	free(lookup.policies);
	free(lookup.domains);
	return status;
}

const struct cli_command command_lookup = {
	.name = "lookup",
	.usage = "DOMAIN...",
	.summary = "Print what is known of a domain's policy",
	.options = options,
	.has_json = true,
	.run = run,
};
