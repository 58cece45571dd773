/* SPDX-License-Identifier: ISC
 *
 * mtasts config: the configuration in effect, in the form mtasts.conf(5) has.
 */
#include "cli.h"

#include <stdio.h>

#include "base/buf.h"

static void
print_lines(const struct mtasts_config *config)
{
	char storage[CONF_VALUE_MAX];
	struct buf value;

	for (size_t i = 0; conf_key(i) != NULL; i++) {
		buf_init(&value, storage, sizeof storage);
		conf_value(config, i, &value);
		printf("%s =%s%s\n", conf_key(i), value.n == 0 ? "" : " ", value.p);
	}
}

/* A path may hold any octet, JSON only UTF-8. */
static json_t *
json_of(struct span value)
{
	char storage[CONF_VALUE_MAX];
	struct buf escaped;
	json_t *json = json_stringn(value.p, value.n);

	if (json != NULL)
		return json;
	buf_init(&escaped, storage, sizeof storage);
	buf_put_escaped(&escaped, value, value.n, false);
	return json_string(escaped.p);
}

static int
print_json(const struct mtasts_config *config)
{
	char storage[CONF_VALUE_MAX];
	struct buf value;
	json_t *json = json_object();

	for (size_t i = 0; conf_key(i) != NULL; i++) {
		buf_init(&value, storage, sizeof storage);
		conf_value(config, i, &value);
		json_object_set_new(json, conf_key(i), json_of(span_make(value.p, value.n)));
	}
	return cli_json(json);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	if (cli_options(cli, argc, argv) != argc)
		cli_usage(cli, "takes no arguments");
	int status = cli_configure(cli);
	if (status != EX_OK)
		return status;
	if (cli->json)
		return print_json(cli->config);
	print_lines(cli->config);
	return EX_OK;
}

const struct cli_command command_config = {
	.name = "config",
	.usage = "",
	.summary = "Print the configuration in effect",
	.has_json = true,
	.run = run,
};
