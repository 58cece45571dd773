/* SPDX-License-Identifier: ISC
 *
 * The block of variables: whatever is taken lies in the block, holds no control character, and
 * reads the same when it is written out again.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "exim/vars.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span block = span_make((const char *)data, size);
	struct vars vars, again;
	struct parse_error error;
	struct buf out;
	char *storage;

	if (vars_parse(block, &vars, &error) != 0) {
		assert(error.why != NULL && error.at <= size);
		return 0;
	}
	storage = malloc(size + 2);
	assert(storage != NULL);
	buf_init(&out, storage, size + 2);
	for (size_t i = 0; i < vars.n; i++) {
		assert(vars.item[i].value.p >= block.p);
		assert(vars.item[i].value.p + vars.item[i].value.n <= block.p + size);
		buf_put(&out, vars.item[i].name);
		buf_putc(&out, '=');
		buf_put(&out, vars.item[i].value);
		buf_putc(&out, '\n');
	}
	assert(vars_parse(span_make(out.p, out.n), &again, &error) == 0 && again.n == vars.n);
	for (size_t i = 0; i < vars.n; i++)
		assert(span_eq(again.item[i].value, vars.item[i].value));
	(void)vars_int(&vars, "errno", 0);
	free(storage);
	return 0;
}
