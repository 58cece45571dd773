/* SPDX-License-Identifier: ISC
 *
 * Memory that runs out inside libcrypto, at every allocation of a check in turn: a bad chain never
 * becomes a good one, and a good one is not blamed on the peer.
 */
#include "tls/chain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "pki.h"
#include "unit.h"

enum { NOW = 1750000000, BEFORE = NOW - 1000, AFTER = NOW + 1000, LIMIT = 100000 };

static long allocations, failing_at; /* of libcrypto; it and all after it fail; -1 none */

/* Where memory runs out libcrypto loses some of its own; that it does is not what is tested here.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libcrypto";
}

static bool
is_failing(void)
{
	long n = allocations++;

	return failing_at >= 0 && n >= failing_at;
}

static void *
crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n == 0 || is_failing() ? NULL : malloc(n);
}

static void *
crypto_realloc(void *old, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n == 0) {
		free(old);
		return NULL;
	}
	return is_failing() ? NULL : realloc(old, n);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static char directory[] = "/tmp/check_chain_memory.XXXXXX";

static enum mtasts_tls
check_once(const struct pki_cert *cert)
{
	struct mtasts_certificate chain = { cert->der, (size_t)cert->n };
	struct domain host = { "mx.a.example", 12 };
	struct chain_trust *trust = chain_trust_new(directory);
	char reason[256];

	ck_assert_ptr_nonnull(trust);
	enum mtasts_tls result = chain_check(trust, &chain, 1, &host, NOW, reason, sizeof reason);
	chain_trust_free(trust);
	return result;
}

/* At each allocation in turn.  Under valgrind, which counts libcrypto's losses, at none. */
static void
starve(const struct pki_cert *cert, enum mtasts_tls good)
{
	long n = 0, limit = getenv("VALGRIND") == NULL ? LIMIT : 0;

	for (; n < limit; n++) {
		allocations = 0;
		failing_at = n;
		enum mtasts_tls result = check_once(cert);
		failing_at = -1;
		bool is_bad = good != MTASTS_TLS_VERIFIED && result != MTASTS_TLS_VERIFIED;
		ck_assert_msg(result == good || result == MTASTS_TLS_FAILED || is_bad,
		    "allocation %ld: %d", n, result);
		if (allocations <= n)
			break; /* there was no such allocation: all went as it should */
	}
	ck_assert(limit == 0 || (n > 100 && n < limit));
	ck_assert_int_eq(check_once(cert), good);
}

START_TEST(test_starve)
{
	struct pki_want want = { .subject = "CA",
		.not_before = BEFORE,
		.not_after = AFTER,
		.constraints = "critical,CA:TRUE" };
	struct pki_cert ca = pki_make(&want), stranger = pki_make(&want);
	struct pki_want leaf = { .subject = "host",
		.not_before = BEFORE,
		.not_after = AFTER,
		.issuer = &ca,
		.san = "DNS:mx.a.example" };
	struct pki_cert good = pki_make(&leaf);
	char path[sizeof directory + 32];

	leaf.issuer = &stranger;
	struct pki_cert bad = pki_make(&leaf);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	pki_install(&ca, directory, path, sizeof path);
	(void)check_once(&good); /* what libcrypto makes once a process */
	starve(&good, MTASTS_TLS_VERIFIED);
	starve(&bad, MTASTS_TLS_UNTRUSTED);
	pki_clear(&ca);
	pki_clear(&stranger);
	pki_clear(&good);
	pki_clear(&bad);
	unlink(path);
	rmdir(directory);
	memset(strrchr(directory, '.') + 1, 'X', 6);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chain memory");
	TCase *tcase = tcase_create("chain memory");

	failing_at = -1;
	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_starve);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
