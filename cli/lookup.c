/* SPDX-License-Identifier: ISC
 *
 * mtasts lookup: what is known of each domain, as a mail server would be told now.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
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

enum { AT_ONCE = 16 /* look-ups under way */, FDS_MAX = 256 };

/* One domain of the command line. */
struct question {
	struct lookup *lookup;
	struct domain domain;
	struct mtasts_policy *policy; /* NULL: not answered yet */
};

struct lookup {
	struct cli *cli;
	struct mtasts *ctx;
	unsigned flags;
	size_t n;
	struct question *questions;
	size_t n_started, n_done;
	int error; /* the first one, enum mtasts_error */
};

static int
names_take(struct lookup *lookup, char **names)
{
	for (size_t i = 0; i < lookup->n; i++) {
		int status = cli_domain(names[i], &lookup->questions[i].domain);
		if (status != EX_OK)
			return status;
		lookup->questions[i].lookup = lookup;
	}
	return EX_OK;
}

static void
on_answer(void *arg, int error, struct mtasts_policy *policy)
{
	struct question *question = arg;
	struct lookup *lookup = question->lookup;

	question->policy = policy;
	if (lookup->error == 0)
		lookup->error = error;
	lookup->n_done++;
	cli_progress("%zu of %zu", lookup->n_done, lookup->n);
}

/* As many as may be under way. */
static void
start_some(struct lookup *lookup)
{
	uint64_t id;

	while (lookup->n_started < lookup->n && lookup->n_started - lookup->n_done < AT_ONCE) {
		struct question *question = &lookup->questions[lookup->n_started];
		int r = mtasts_start(
		    lookup->ctx, question->domain.name, lookup->flags, 0, on_answer, question, &id);
		if (r == MTASTS_EBUSY && lookup->n_started > lookup->n_done)
			return;
		if (r != 0) {
			lookup->error = r;
			return;
		}
		lookup->n_started++;
	}
}

static int
wait_for_one(struct lookup *lookup)
{
	struct pollfd fds[FDS_MAX];
	int timeout_ms = -1;
	size_t n = mtasts_pollfds(lookup->ctx, fds, FDS_MAX, &timeout_ms);

	if (poll(fds, n < FDS_MAX ? n : FDS_MAX, timeout_ms) < 0 && errno != EINTR)
		return MTASTS_EINVAL;
	return mtasts_process(lookup->ctx);
}

/* Every look-up ends by its deadline, and so does this. */
static int
ask(struct lookup *lookup)
{
	cli_progress("0 of %zu", lookup->n);
	while (lookup->error == 0 && lookup->n_done < lookup->n) {
		start_some(lookup);
		int r = lookup->error == 0 ? wait_for_one(lookup) : 0;
		if (r != 0)
			lookup->error = r;
	}
	cli_progress("%s", "");
	if (lookup->error == 0)
		return EX_OK;
	cli_say("%s", mtasts_strerror(lookup->error));
	return EX_TEMPFAIL;
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
		const struct mtasts_policy *policy = lookup->questions[i].policy;
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
		json_array_append_new(json, view_json(lookup->questions[i].policy));
	return cli_json(json);
}

/* 0 when the answer is known, that there is none included. */
static int
status_of(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->n; i++) {
		switch (mtasts_policy_state(lookup->questions[i].policy)) {
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
		view_print(lookup->questions[0].policy);
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
	lookup.questions = mem_zero(lookup.n, sizeof *lookup.questions);
	if (lookup.questions == NULL) {
		cli_say("out of memory");
		return EX_TEMPFAIL;
	}
	int status = lookup_all(&lookup, argv + optind);
	for (size_t i = 0; i < lookup.n; i++)
		mtasts_policy_free(lookup.questions[i].policy);
	free(lookup.questions);
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
