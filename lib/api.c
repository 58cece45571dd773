/* SPDX-License-Identifier: ISC
 *
 * The public calls of mtasts.h: they check the contract and hand on to the layers.
 */
#include "mtasts.h"

const char *
mtasts_version(void)
{
	return "0.1.0";
}
