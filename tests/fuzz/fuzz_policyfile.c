/* SPDX-License-Identifier: ISC
 *
 * parse(format(x)) == x; and a refusal has its place inside the input.
 */
#include "parse/policyfile.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static char storage[256 * 1024];

static int
is_equal(const struct policyfile *a, const struct policyfile *b)
{
	if (a->mode != b->mode || a->max_age != b->max_age || a->n_mx != b->n_mx)
		return 0;
	for (size_t i = 0; i < a->n_mx; i++) {
		if (strcmp(a->mx[i].name, b->mx[i].name) != 0)
			return 0;
	}
	return 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policyfile *policy, *again;
	struct parse_error error = { 0 };
	struct buf out;

	if (policyfile_parse(span_make((const char *)data, size), NULL, &policy, &error) != 0) {
		if (error.why == NULL || error.at > size)
			abort();
		return 0;
	}
	buf_init(&out, storage, sizeof storage);
	policyfile_format(policy, &out);
	if (out.n <= 64 * 1024) {
		if (policyfile_parse(span_make(out.p, out.n), NULL, &again, &error) != 0 ||
		    !is_equal(policy, again))
			abort();
		policyfile_free(again);
	}
	policyfile_free(policy);
	return 0;
}
