/* SPDX-License-Identifier: ISC
 *
 * mtasts(1): finds the subcommand and hands on to it.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static const struct cli_command *const commands[] = {
	&command_init,
	&command_lookup,
	&command_explain,
	&command_lint,
	&command_cache,
	&command_config,
	&command_socketmap,
};

enum {
	N_COMMANDS = sizeof commands / sizeof commands[0],
	COMMAND_SHOWN = 40, /* octets of a word that is no command */
};

static void
help(void)
{
	printf("usage: mtasts [-c FILE] [-o KEY=VALUE] COMMAND [OPTION...] [ARGUMENT...]\n"
	       "\n"
	       "MTA-STS (RFC 8461) for mail servers that send.\n"
	       "\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-9s  %s\n", commands[i]->name, commands[i]->summary);
	printf("\n"
	       "'mtasts COMMAND --help' has the options; mtasts(1) tells the rest.\n");
}

static const struct cli_command *
command_of(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
	}
	return NULL;
}

/* What was printed may still be lost on its way to the disk. */
static int
close_output(int status)
{
	if (fclose(stdout) == 0 || status != EX_OK)
		return status;
	perror("mtasts: standard output");
	return EX_CANTCREAT;
}

int
main(int argc, char **argv)
{
	struct cli cli = { 0 };
	char words[256], name[40];
	struct buf why;
	int at = cli_global_options(&cli, argc, argv, help);

	if (at == argc)
		cli_usage(&cli, "a command is needed");
	cli.command = command_of(argv[at]);
	if (cli.command == NULL) {
		buf_init(&why, words, sizeof words);
		buf_puts(&why, "no command '");
		buf_put_escaped(&why, span_of(argv[at]), COMMAND_SHOWN, false);
		buf_putc(&why, '\'');
		cli_usage(&cli, why.p);
	}
	snprintf(name, sizeof name, "mtasts %s", cli.command->name);
	argv[at] = name; /* as getopt_long() says it */
	int status = cli.command->run(&cli, argc - at, argv + at);
	mtasts_config_free(cli.config);
	return close_output(status);
}
