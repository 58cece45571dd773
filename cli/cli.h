/* SPDX-License-Identifier: ISC
 *
 * What the subcommands of mtasts(1) share: options, messages, names, times, tables.  A subcommand
 * is one file with one struct cli_command, listed in main.c.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/conf.h"
#include "base/domain.h"
#include "mtasts.h"

enum {
	CLI_NO_MATCH = 1, /* of `lint match`; all other statuses are those of sysexits.h */
	CLI_TIME_SIZE = sizeof "2026-11-22T16:40:00Z",
	CLI_SETTINGS_MAX = 64 /* -o on one command line */
};

/* The table of a subcommand's own options ends in one whose name is NULL. */
struct cli_option {
	const char *name;     /* without "--" */
	const char *argument; /* "NAME", NULL: takes none */
	const char *help;
};

struct cli;

struct cli_command {
	const char *name;
	const char *usage;   /* behind name and options: "DOMAIN..." */
	const char *summary; /* a line, no final period */
	const struct cli_option *options;
	const char *letters; /* of the first options, for short: "l"; NULL: none */
	bool has_json;	     /* takes --json */
	/* options are still to be taken by cli_option(); an exit status */
	int (*run)(struct cli *cli, int argc, char **argv);
};

struct cli {
	const struct cli_command *command; /* NULL: none named yet */
	struct mtasts_config *config;	   /* after cli_configure() */
	const char *config_file;	   /* -c; NULL: the built-in path */
	const char *settings[CLI_SETTINGS_MAX];
	size_t n_settings;
	bool json;
	bool is_verbose;
};

extern const struct cli_command command_cache, command_config, command_explain, command_init,
    command_lint, command_lookup, command_socketmap;

/* Options before the command; its place in argv.  --help and --version end the program. */
int cli_global_options(struct cli *cli, int argc, char **argv, void (*help)(void));
/*
 * The next option of the subcommand's own, as its place in the table; its argument is in optarg.
 * -1: the options are over, operands begin at argv[optind].  The common options are taken here;
 * --help ends the program, so does an option that nobody knows.
 */
int cli_option(struct cli *cli, int argc, char **argv);
/* The same for a subcommand without options of its own: where the operands begin. */
int cli_options(struct cli *cli, int argc, char **argv);
/* "mtasts lookup: why" and where help is; ends the program with EX_USAGE. */
_Noreturn void cli_usage(const struct cli *cli, const char *why);
/* Reads the configuration, -c and -o; 0, or EX_CONFIG after saying why. */
int cli_configure(struct cli *cli);

/* "mtasts: ..." on standard error; control characters are escaped. */
void cli_say(const char *fmt, ...) ATTR_PRINTF(1, 2);
/* For mtasts_new() and the layers; errors and warnings always, the rest with -v. */
void cli_log(void *arg, enum mtasts_log level, const char *text);
/* What goes on, on a terminal; an empty text wipes it away. */
void cli_progress(const char *fmt, ...) ATTR_PRINTF(1, 2);

/* Any name a person may type, U-labels included; 0, or EX_DATAERR after saying why. */
int cli_domain(const char *text, struct domain *domain);
/* U-labels to A-labels, all else as it is; the caller frees. NULL after saying why. */
char *cli_ascii(const char *text);

/* RFC 3339 in UTC, "-" for 0; lives in text. */
const char *cli_time(int64_t instant, char text[CLI_TIME_SIZE]);
const char *cli_dash(const char *text); /* "-" for "" */

/* On standard output; takes the reference.  An exit status. */
int cli_json(json_t *json);
json_t *cli_json_time(int64_t instant);	 /* null for 0 */
json_t *cli_json_text(const char *text); /* null for "" */

/* The state directory and its store as this user finds them: 0, or a status after saying why. */
int cli_find_store(const struct cli *cli);

#endif
