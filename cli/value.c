/* SPDX-License-Identifier: ISC
 *
 * Values as people type and read them: names with U-labels, instants, JSON.
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <idn2.h>

#include "base/mem.h"
#include "cache/store.h"

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

char *
cli_ascii(const char *text)
{
	char *name = NULL;

	if (is_ascii(text)) {
		name = mem_dup(text, strlen(text));
		if (name == NULL)
			cli_say("out of memory");
		return name;
	}
	int r = idn2_to_ascii_8z(text, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (r != IDN2_OK) {
		cli_say("%s: %s", text, idn2_strerror(r));
		return NULL;
	}
	return name;
}

int
cli_domain(const char *text, struct domain *domain)
{
	char *name = cli_ascii(text);

	if (name == NULL)
		return EX_DATAERR;
	int r = domain_parse(span_of(name), DOMAIN_UNDERSCORE, domain);
	free(name);
	if (r == 0)
		return EX_OK;
	cli_say("%s: %s", text, mtasts_strerror(r));
	return EX_DATAERR;
}

const char *
cli_time(int64_t instant, char text[CLI_TIME_SIZE])
{
	time_t t = (time_t)instant;
	struct tm tm;

	if (instant == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, CLI_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(text, CLI_TIME_SIZE, "-");
	return text;
}

const char *
cli_dash(const char *text)
{
	return text[0] == '\0' ? "-" : text;
}

int
cli_json(json_t *json)
{
	int r = json == NULL ? -1 : json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	json_decref(json);
	if (r != 0) {
		cli_say("JSON: %s", json == NULL ? "out of memory" : strerror(errno));
		return json == NULL ? EX_TEMPFAIL : EX_CANTCREAT;
	}
	putchar('\n');
	return EX_OK;
}

json_t *
cli_json_time(int64_t instant)
{
	char text[CLI_TIME_SIZE];

	return instant == 0 ? json_null() : json_string(cli_time(instant, text));
}

json_t *
cli_json_text(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

int
cli_find_store(const struct cli *cli)
{
	const char *directory = cli->config->state_directory;
	char path[CONF_PATH_MAX + sizeof "/" STORE_FILE];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", directory, STORE_FILE);
	if (lstat(path, &st) == 0)
		return EX_OK;
	if (errno == ENOENT || errno == ENOTDIR) {
		cli_say("no store in %s: run 'mtasts init'", directory);
		return EX_CONFIG;
	}
	if (errno == EACCES) {
		cli_say(
		    "%s: not permitted: be root or in the group %s", directory, cli->config->group);
		return EX_NOPERM;
	}
	cli_say("%s: %s", path, strerror(errno));
	return EX_TEMPFAIL;
}
