/* SPDX-License-Identifier: ISC
 *
 * mtasts lint: the parsers of the look-up over what a publisher has or is about to have: record
 * (RFC 8461 3.1), policy (3.2), match (4.1).  Touches neither network nor store.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "parse/mxmatch.h"
#include "parse/policyfile.h"
#include "parse/ststxt.h"

enum { SENTENCE_MAX = 256 };

/* What the parsers had to say, told at the end: under --strict a warning is the end of it. */
struct lint {
	struct cli *cli;
	bool is_strict;
	enum reason_unit unit;
	json_t *warnings;
};

static const struct cli_option options[] = {
	{ "strict", NULL, "what the grammar forbids is invalid, even if its meaning is plain" },
	{ NULL, NULL, NULL },
};

static void
sentence(const struct lint *lint, const struct parse_error *error, char text[SENTENCE_MAX])
{
	struct buf out;

	buf_init(&out, text, SENTENCE_MAX);
	reason_put(&out, lint->unit, error);
}

static void
on_slip(void *arg, const struct parse_error *slip)
{
	struct lint *lint = arg;
	char text[SENTENCE_MAX];

	sentence(lint, slip, text);
	fprintf(stderr, "%s%s\n", lint->is_strict ? "" : "warning: ", text);
	json_array_append_new(lint->warnings, json_string(text));
}

/* {"valid": ..., "error": ..., what is valid ..., "warnings": [...]} */
static int
finish_json(struct lint *lint, json_t *value, const char *error, int status)
{
	json_t *json = json_object();

	json_object_set_new(json, "valid", json_boolean(status == EX_OK));
	json_object_set_new(json, "error", error == NULL ? json_null() : json_string(error));
	if (status == EX_OK && value != NULL)
		json_object_update(json, value);
	json_object_set(json, "warnings", lint->warnings);
	json_decref(value);
	int r = cli_json(json);
	return r == EX_OK ? status : r;
}

static int
invalid(struct lint *lint, const struct parse_error *error)
{
	char text[SENTENCE_MAX];

	sentence(lint, error, text);
	fprintf(stderr, "%s\n", text);
	return lint->cli->json ? finish_json(lint, NULL, text, EX_DATAERR) : EX_DATAERR;
}

/* Whether what was parsed counts as valid; when it does not, everything has been said. */
static bool
is_good(struct lint *lint, int *status)
{
	if (!lint->is_strict || json_array_size(lint->warnings) == 0)
		return true;
	*status = EX_DATAERR;
	if (lint->cli->json)
		*status = finish_json(
		    lint, NULL, json_string_value(json_array_get(lint->warnings, 0)), EX_DATAERR);
	return false;
}

/* ---- record ---- */

static int
lint_record(struct lint *lint, int n, char **texts)
{
	struct reason_sink warn = { on_slip, lint };
	struct parse_error error;
	struct ststxt record;
	int status;

	if (n == 0)
		cli_usage(lint->cli, "record takes each TXT record of the name as an argument");
	struct span *records = mem_zero((size_t)n, sizeof *records);
	if (records == NULL) {
		cli_say("out of memory");
		return EX_TEMPFAIL;
	}
	for (int i = 0; i < n; i++)
		records[i] = span_of(texts[i]);
	lint->unit = REASON_RECORD;
	int r = ststxt_parse(records, (size_t)n, &warn, &record, &error);
	free(records);
	if (r != 0)
		return invalid(lint, &error);
	if (!is_good(lint, &status))
		return status;
	if (lint->cli->json)
		return finish_json(lint, json_pack("{s:s}", "id", record.id), NULL, EX_OK);
	printf("id: %s\n", record.id);
	return EX_OK;
}

/* ---- policy ---- */

/* All of a file, one octet more than a policy may have at most; 0 or a status. */
static int
file_read(const char *path, char *text, size_t cap, size_t *n)
{
	bool is_input = strcmp(path, "-") == 0;
	FILE *f = is_input ? stdin : fopen(path, "rb");

	if (f == NULL) {
		int error = errno;
		cli_say("%s: %s", path, strerror(error));
		return error == EACCES ? EX_NOPERM : EX_NOINPUT;
	}
	*n = fread(text, 1, cap, f);
	int error = ferror(f) ? errno : 0;
	if (!is_input)
		fclose(f);
	if (error != 0)
		cli_say("%s: %s", path, strerror(error));
	return error == 0 ? EX_OK : EX_NOINPUT;
}

static json_t *
policy_json(const struct policyfile *policy)
{
	json_t *mx = json_array();

	for (size_t i = 0; i < policy->n_mx; i++)
		json_array_append_new(mx, json_string(policy->mx[i].name));
	return json_pack("{s:s, s:s, s:i, s:o}", "version", "STSv1", "mode",
	    mode_name(policy->mode), "max_age", (int)policy->max_age, "mx", mx);
}

static int
policy_print(struct lint *lint, const struct policyfile *policy)
{
	if (lint->cli->json)
		return finish_json(lint, policy_json(policy), NULL, EX_OK);
	size_t cap = LIMIT_POLICY * 2;
	char *text = mem_zero(cap, 1);
	if (text == NULL) {
		cli_say("out of memory");
		return EX_TEMPFAIL;
	}
	struct buf out;
	buf_init(&out, text, cap);
	policyfile_format(policy, &out);
	fwrite(out.p, 1, out.n, stdout);
	free(text);
	return EX_OK;
}

static int
policy_judge(struct lint *lint, struct span body)
{
	struct reason_sink warn = { on_slip, lint };
	struct parse_error error;
	struct policyfile *policy;
	int status;

	lint->unit = REASON_LINE;
	int r = policyfile_parse(body, &warn, &policy, &error);
	if (r == POLICYFILE_INVALID)
		return invalid(lint, &error);
	if (r != 0) {
		cli_say("%s", mtasts_strerror(r));
		return EX_TEMPFAIL;
	}
	if (is_good(lint, &status))
		status = policy_print(lint, policy);
	policyfile_free(policy);
	return status;
}

static int
lint_policy(struct lint *lint, int n, char **files)
{
	size_t cap = LIMIT_POLICY + 1, got = 0;

	if (n > 1)
		cli_usage(lint->cli, "policy takes one file");
	char *text = mem_zero(cap, 1);
	if (text == NULL) {
		cli_say("out of memory");
		return EX_TEMPFAIL;
	}
	int status = file_read(n == 0 ? "-" : files[0], text, cap, &got);
	if (status == EX_OK)
		status = policy_judge(lint, span_make(text, got));
	free(text);
	return status;
}

/* ---- match ---- */

static void
match_slips(struct lint *lint, unsigned slips)
{
	if ((slips & MXMATCH_SLIP_DOT) != 0)
		on_slip(lint, &(struct parse_error){ .why = "pattern ends in a dot" });
	if ((slips & MXMATCH_SLIP_UNDERSCORE) != 0)
		on_slip(lint, &(struct parse_error){ .why = "pattern has an underscore" });
}

/* Does the pattern hold for the host?  What is no name matches nothing. */
static bool
match(const struct mxpattern *pattern, enum mxmatch_kind kind, const char *host)
{
	struct domain name;

	if (kind == MXMATCH_ADDRESS) {
		fprintf(stderr, "pattern is an address: it can match nothing\n");
		return false;
	}
	if (domain_parse(span_of(host), DOMAIN_UNDERSCORE, &name) != 0) {
		fprintf(stderr, "host is not a domain name: nothing can match it\n");
		return false;
	}
	return mxmatch_holds(pattern, &name);
}

static int
match_judge(struct lint *lint, const char *text, const char *host)
{
	char storage[MXPATTERN_MAX + 1];
	struct mxpattern pattern;
	unsigned slips = 0;
	const char *why;
	int status = EX_OK;

	enum mxmatch_kind kind = mxmatch_parse(span_of(text), storage, &pattern, &slips, &why);
	if (kind == MXMATCH_INVALID)
		return invalid(lint, &(struct parse_error){ .why = why });
	match_slips(lint, slips);
	if (!is_good(lint, &status))
		return status;
	bool is_match = match(&pattern, kind, host);
	if (lint->cli->json)
		status =
		    finish_json(lint, json_pack("{s:b}", "matches", is_match ? 1 : 0), NULL, EX_OK);
	else
		printf("%s\n", is_match ? "matches" : "does not match");
	return status != EX_OK ? status : is_match ? EX_OK : CLI_NO_MATCH;
}

static int
lint_match(struct lint *lint, int n, char **texts)
{
	if (n != 2)
		cli_usage(lint->cli, "match takes a pattern and a host");
	lint->unit = REASON_LINE;
	char *host = cli_ascii(texts[1]);
	if (host == NULL)
		return EX_DATAERR;
	int status = match_judge(lint, texts[0], host);
	free(host);
	return status;
}

/* ---- which ---- */

static const struct {
	const char *name;
	int (*run)(struct lint *lint, int n, char **operands);
} kinds[] = { { "record", lint_record }, { "policy", lint_policy }, { "match", lint_match } };

static int
run(struct cli *cli, int argc, char **argv)
{
	struct lint lint = { .cli = cli };

	while (cli_option(cli, argc, argv) != -1)
		lint.is_strict = true; /* the only one */
	if (optind == argc)
		cli_usage(cli, "record, policy or match?");
	lint.warnings = json_array();
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(argv[optind], kinds[i].name) == 0) {
			int status = kinds[i].run(&lint, argc - optind - 1, argv + optind + 1);
			json_decref(lint.warnings);
			return status;
		}
	}
	json_decref(lint.warnings);
	cli_usage(cli, "record, policy or match?");
}

const struct cli_command command_lint = {
	.name = "lint",
	.usage = "record TXT... | policy [FILE] | match PATTERN HOST",
	.summary = "Check a record, a policy, or whether a policy allows a host",
	.options = options,
	.has_json = true,
	.run = run,
};
