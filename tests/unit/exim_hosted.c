/* SPDX-License-Identifier: ISC
 *
 * One more function in the plugin under test: where its configuration is.
 */
#include "exim/context.h"

MTASTS_API void hosted_config(const char *path);

void
hosted_config(const char *path)
{
	context_config = path;
}
