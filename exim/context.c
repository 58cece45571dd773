/* SPDX-License-Identifier: ISC
 *
 * Opened when it is first needed: what is in memory needs none.
 */
#include "exim/context.h"

#include "maillog/maillog.h"

const char maillog_name[] = "mtasts-exim";
const char *context_config;

struct mtasts *
context_get(struct context *context)
{
	struct mtasts_config *config = NULL;

	if (context->ctx != NULL || context->refused)
		return context->ctx;
	int r = mtasts_config_load(context_config, &config);
	if (r == 0)
		r = mtasts_new(config, maillog_line, NULL, &context->ctx);
	if (r == MTASTS_ECONFIG && config != NULL)
		maillog(MTASTS_LOG_ERROR, "open error=\"%s\"", mtasts_config_error(config));
	else if (r != 0)
		maillog(MTASTS_LOG_ERROR, "open error=\"%s\"", mtasts_strerror(r));
	mtasts_config_free(config);
	context->refused = r != 0;
	return context->ctx;
}

void
context_close(struct context *context)
{
	mtasts_free(context->ctx);
	*context = (struct context){ .ctx = NULL };
}
