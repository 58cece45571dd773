/* SPDX-License-Identifier: ISC
 *
 * Reads tests/vectors/policies.txt; its form is described there.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <stddef.h>

#include "base/limits.h"
#include "base/span.h"

enum vector_expect {
	VECTOR_ACCEPT,
	VECTOR_TESTING,
	VECTOR_NONE,
	VECTOR_CLAMP,
	VECTOR_SLIP, /* reject* */
	VECTOR_DROP_MX,
	VECTOR_REJECT
};

struct vector {
	char name[64];
	size_t n_records;
	struct span records[LIMIT_TXT_RECORDS]; /* each RDATA: character-strings with lengths */
	int status;
	const char *type; /* Content-Type, "" none */
	struct span body;
	enum vector_expect expect;
};

/* All of them, never freed; a fault in the file ends the program.  Their number goes to *n. */
const struct vector *vectors_load(const char *path, size_t *n);

#endif
