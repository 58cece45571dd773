/* SPDX-License-Identifier: ISC
 *
 * mtasts_event as a whole over an engine of the tests: lines of an input are calls, each "block
 * TAB data TAB base64" with "," for the newlines of the block.  Never anything but OK, never text
 * that could end a line.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/engine_fake.h"
#include "base/span.h"
#include "exim/plugin.h"
#include "fuzz.h"

static const struct fake_domain domains[] = {
	{ .name = "a.example",
	    .state = MTASTS_PUBLISHED,
	    .body = "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx1.a.example\n",
	    .hosts = { { "mx1.a.example", 10, "real.example" }, { "evil.example", 20, NULL } } },
	{ .name = NULL },
};

static unsigned char *
copy(struct span s)
{
	unsigned char *p = malloc(s.n + 1);

	assert(p != NULL);
	if (s.n != 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

static void
call(struct span line)
{
	unsigned char *argv[4] = { NULL }, *yield = NULL;

	for (int i = 0; i < 3; i++) {
		struct span one = span_make(line.p, span_find(line, '\t'));
		argv[i] = copy(one);
		line = span_from(line, one.n + 1);
	}
	for (unsigned char *p = argv[0]; *p != '\0'; p++)
		*p = *p == ',' ? '\n' : *p;
	assert(mtasts_event(&yield, 3, argv) == 0 && yield != NULL);
	for (const unsigned char *p = yield; *p != '\0'; p++)
		assert(is_print((char)*p));
	for (int i = 0; i < 3; i++)
		free(argv[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size);

	fake_reset(domains);
	while (rest.n != 0) {
		struct span line = span_make(rest.p, span_find(rest, '\n'));
		call(line);
		rest = span_from(rest, line.n + 1);
	}
	return 0;
}
