/* SPDX-License-Identifier: ISC
 *
 * A chain as the peer sends it: each certificate behind its length in two octets.  Nobody is
 * trusted, so nothing can come out good.
 */
#include <assert.h>

#include "base/limits.h"
#include "fuzz.h"
#include "tls/chain.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mtasts_certificate chain[LIMIT_CERTIFICATES + 1];
	struct domain host = { "mx.a.example", 12 };
	char reason[256];
	size_t n = 0;

	for (; n <= LIMIT_CERTIFICATES && size >= 2; n++) {
		size_t len = (size_t)data[0] << 8 | data[1];
		len = len > size - 2 ? size - 2 : len;
		chain[n] = (struct mtasts_certificate){ data + 2, len };
		data += 2 + len;
		size -= 2 + len;
	}
	struct chain_trust *trust = chain_trust_new("/nonexistent");
	assert(trust != NULL);
	assert(chain_check(trust, chain, n, &host, 1750000000, reason, sizeof reason) !=
	       MTASTS_TLS_VERIFIED);
	chain_trust_free(trust);
	return 0;
}
