/* SPDX-License-Identifier: ISC
 *
 * Options: those all subcommands share, and each one's own table, for getopt_long and --help.
 */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { OPTIONS_MAX = 24, OWN = 256 /* val of a subcommand's first option */, HELP_WIDTH = 22 };

static const struct option common[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "option", required_argument, NULL, 'o' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
};

static const struct option json_option = { "json", no_argument, NULL, 'j' };
static const struct option version_option = { "version", no_argument, NULL, 'V' };

enum { N_COMMON = sizeof common / sizeof common[0], SHORT_SIZE = 32 };

/* Ends in a zeroed element, as all is zero where nothing is put. */
static void
options_make(const struct cli *cli, struct option *all)
{
	const struct cli_command *command = cli->command;
	size_t n = N_COMMON;

	memset(all, 0, OPTIONS_MAX * sizeof *all);
	memcpy(all, common, sizeof common);
	if (command == NULL) {
		all[n] = version_option;
		return;
	}
	if (command->has_json)
		all[n++] = json_option;
	for (size_t i = 0; command->options != NULL && command->options[i].name != NULL; i++) {
		const struct cli_option *own = &command->options[i];
		all[n++] = (struct option){ own->name,
			own->argument == NULL ? no_argument : required_argument, NULL,
			OWN + (int)i };
	}
}

static size_t
n_letters(const struct cli_command *command)
{
	return command->letters == NULL ? 0 : strlen(command->letters);
}

/* For getopt_long(): the common letters, then the command's own. */
static void
letters_make(const struct cli_command *command, char *text)
{
	struct buf letters;

	buf_init(&letters, text, SHORT_SIZE);
	buf_puts(&letters, "c:o:vh");
	for (size_t i = 0; i < n_letters(command); i++) {
		buf_putc(&letters, command->letters[i]);
		if (command->options[i].argument != NULL)
			buf_putc(&letters, ':');
	}
}

/* The option's place in the command's table, by what getopt_long() gave. */
static int
own_option(const struct cli_command *command, int c)
{
	const char *letter =
	    c < OWN && n_letters(command) != 0 ? strchr(command->letters, c) : NULL;

	return letter != NULL ? (int)(letter - command->letters) : c - OWN;
}

static void
option_help(const char *option, const char *argument, const char *help)
{
	char text[64];

	snprintf(text, sizeof text, "%s%s%s", option, argument == NULL ? "" : " ",
	    argument == NULL ? "" : argument);
	printf("  %-*s  %s\n", HELP_WIDTH, text, help);
}

static void
command_help(const struct cli_command *command)
{
	const struct cli_option *own = command->options;
	char name[40];

	printf("usage: mtasts %s [OPTION...]%s%s\n\n%s.\n\n", command->name,
	    command->usage[0] == '\0' ? "" : " ", command->usage, command->summary);
	for (; own != NULL && own->name != NULL; own++) {
		size_t i = (size_t)(own - command->options);
		if (i < n_letters(command))
			snprintf(name, sizeof name, "-%c, --%s", command->letters[i], own->name);
		else
			snprintf(name, sizeof name, "--%s", own->name);
		option_help(name, own->argument, own->help);
	}
	if (command->has_json)
		option_help("--json", NULL, "print JSON");
	option_help("-c, --config", "FILE", "read this configuration");
	option_help("-o, --option", "KEY=VALUE", "set a key of mtasts.conf(5)");
	option_help("-v, --verbose", NULL, "say more on standard error");
	option_help("-h, --help", NULL, "this text");
	printf("\nMore in mtasts-%s(1).\n", command->name);
}

void
cli_usage(const struct cli *cli, const char *why)
{
	const char *blank = cli->command == NULL ? "" : " ";
	const char *name = cli->command == NULL ? "" : cli->command->name;

	fprintf(stderr, "mtasts%s%s: %s; see 'mtasts%s%s --help'\n", blank, name, why, blank, name);
	exit(EX_USAGE);
}

/* "-o key=value" is kept until the configuration file has been read. */
static void
setting_add(struct cli *cli, const char *setting)
{
	if (strchr(setting, '=') == NULL)
		cli_usage(cli, "-o takes KEY=VALUE");
	if (cli->n_settings == CLI_SETTINGS_MAX)
		cli_usage(cli, "too many -o");
	cli->settings[cli->n_settings++] = setting;
}

/* false: the option is not one of those that all share. */
static bool
common_take(struct cli *cli, int c)
{
	switch (c) {
	case 'c':
		cli->config_file = optarg;
		return true;
	case 'o':
		setting_add(cli, optarg);
		return true;
	case 'v':
		cli->is_verbose = true;
		return true;
	case 'j':
		cli->json = true;
		return true;
	case 'h':
		command_help(cli->command);
		exit(EX_OK);
	case '?': /* getopt_long has said what is wrong */
		exit(EX_USAGE);
	default:
		return false;
	}
}

int
cli_global_options(struct cli *cli, int argc, char **argv, void (*help)(void))
{
	struct option all[OPTIONS_MAX];
	int c;

	options_make(cli, all);
	while ((c = getopt_long(argc, argv, "+c:o:vhV", all, NULL)) != -1) {
		if (c == 'h') {
			help();
			exit(EX_OK);
		}
		if (c == 'V') {
			printf("mtasts %s\n", mtasts_version());
			exit(EX_OK);
		}
		(void)common_take(cli, c);
	}
	int at = optind;
	optind = 0; /* the command's options are another argv */
	return at;
}

int
cli_option(struct cli *cli, int argc, char **argv)
{
	struct option all[OPTIONS_MAX];
	char letters[SHORT_SIZE];
	int c;

	options_make(cli, all);
	letters_make(cli->command, letters);
	while ((c = getopt_long(argc, argv, letters, all, NULL)) != -1) {
		if (!common_take(cli, c))
			return own_option(cli->command, c);
	}
	return -1;
}

int
cli_options(struct cli *cli, int argc, char **argv)
{
	while (cli_option(cli, argc, argv) != -1)
		continue;
	return optind;
}

int
cli_configure(struct cli *cli)
{
	int r = mtasts_config_load(cli->config_file, &cli->config);

	for (size_t i = 0; r == 0 && i < cli->n_settings; i++) {
		char key[64];
		const char *equals = strchr(cli->settings[i], '=');
		snprintf(
		    key, sizeof key, "%.*s", (int)(equals - cli->settings[i]), cli->settings[i]);
		r = mtasts_config_set(cli->config, key, equals + 1);
	}
	if (r == 0)
		return EX_OK;
	cli_say("%s", r == MTASTS_ECONFIG ? mtasts_config_error(cli->config) : mtasts_strerror(r));
	return r == MTASTS_ECONFIG ? EX_CONFIG : EX_TEMPFAIL;
}
