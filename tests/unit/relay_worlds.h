/* SPDX-License-Identifier: ISC
 *
 * The worlds in which transactions are tried.
 */
#ifndef TESTS_RELAY_WORLDS_H
#define TESTS_RELAY_WORLDS_H

#include "relay_fake.h"

/* Each ends with one that has no name. */
extern const struct world_domain worlds_domains[];
extern const struct world_name worlds_names[];
extern const struct world_host worlds_hosts[];

#endif
