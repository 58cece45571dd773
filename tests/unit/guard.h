/* SPDX-License-Identifier: ISC
 *
 * Inputs that end at a page nobody may read: a parser that looks one octet too far dies.
 */
#ifndef TESTS_GUARD_H
#define TESTS_GUARD_H

#include <stddef.h>

#include "base/span.h"

struct guard {
	char *map;
	size_t size;
	struct span span; /* the copy */
};

void guard_init(struct guard *g, const void *p, size_t n);
void guard_clear(struct guard *g);

#endif
