/* SPDX-License-Identifier: ISC
 *
 * A build without the relay: the filter says so and ends, and smtpd with it.
 */
#include "opensmtpd/filter.h"

#include <stdio.h>
#include <sysexits.h>

int
filter_main(const struct mtasts_config *config)
{
	(void)config;
	fputs("filter-mtasts: built without the relay\n", stderr);
	return EX_UNAVAILABLE;
}
