/* SPDX-License-Identifier: ISC
 *
 * mtasts.conf: what conf_value() says of everything, read back, is everything.
 */
#include "base/conf.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static struct mtasts_config config, again;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char value[CONF_VALUE_MAX];

	conf_defaults(&config);
	(void)conf_parse(&config, "fuzz", span_make((const char *)data, size));
	memcpy(&again, &config, sizeof again);
	for (size_t i = 0; conf_key(i) != NULL; i++) {
		struct buf out;
		buf_init(&out, value, sizeof value);
		conf_value(&config, i, &out);
		if (out.full ||
		    conf_set(&again, span_of(conf_key(i)), span_make(out.p, out.n)) != 0)
			abort();
	}
	if (memcmp(&again, &config, sizeof again) != 0)
		abort();
	return 0;
}
