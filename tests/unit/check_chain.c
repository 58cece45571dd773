/* SPDX-License-Identifier: ISC */
#include "tls/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/limits.h"
#include "guard.h"
#include "pki.h"
#include "unit.h"

/* Instants of the test's world. */
enum { NOW = 1750000000, PAST = 1600000000, LONG_PAST = 1500000000, FUTURE = 1900000000 };

/* Who signs: a CA in the directory, one below it, one that nobody knows, the certificate itself. */
enum signer { BY_CA, BY_INTERMEDIATE, BY_STRANGER, BY_ITSELF, BY_NO_CA, BY_EXPIRED_CA, BY_LIMITED };

static char directory[] = "/tmp/check_chain.XXXXXX"; /* anew for each test */
static char ca_path[sizeof directory + 32];
static struct pki_cert ca, intermediate, stranger, no_ca, expired_ca, limited, leaf;
static struct chain_trust *trust;

static const struct {
	const char *name;
	enum signer signer;
	struct pki_want want; /* dates 0: valid now */
	const char *host;
	enum mtasts_tls result;
	const char *reason; /* a part of it */
} cases[] = {
	{ "name is in the SAN", BY_CA, { .san = "DNS:mx.a.example" }, "mx.a.example",
	    MTASTS_TLS_VERIFIED, "" },
	{ "second of two names", BY_CA, { .san = "DNS:x.a.example,DNS:mx.a.example" },
	    "mx.a.example", MTASTS_TLS_VERIFIED, "" },
	{ "another case", BY_CA, { .san = "DNS:MX.a.EXAMPLE" }, "mx.a.example", MTASTS_TLS_VERIFIED,
	    "" },
	{ "intermediate comes along", BY_INTERMEDIATE, { .san = "DNS:mx.a.example" },
	    "mx.a.example", MTASTS_TLS_VERIFIED, "" },
	{ "m24: another host that the pattern would match", BY_CA, { .san = "DNS:mx2.a.example" },
	    "mx.a.example", MTASTS_TLS_WRONG_NAME, "certificate is for 'mx2.a.example'" },
	{ "m24: the recipient's domain", BY_CA, { .san = "DNS:a.example" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "'a.example'" },
	{ "m25: common name only", BY_CA, { .subject = "mx.a.example" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "no DNS name" },
	{ "m25: common name beside another SAN", BY_CA,
	    { .subject = "mx.a.example", .san = "DNS:b.example" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "'b.example'" },
	{ "m26: expired", BY_CA,
	    { .san = "DNS:mx.a.example", .not_before = LONG_PAST, .not_after = PAST },
	    "mx.a.example", MTASTS_TLS_EXPIRED, "certificate has expired" },
	{ "m27: unknown CA", BY_STRANGER, { .san = "DNS:mx.a.example" }, "mx.a.example",
	    MTASTS_TLS_UNTRUSTED, "self-signed certificate in certificate chain" },
	{ "m28: wildcard", BY_CA, { .san = "DNS:*.a.example" }, "mx.a.example", MTASTS_TLS_VERIFIED,
	    "" },
	{ "m29: address only", BY_CA, { .san = "IP:192.0.2.1" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "no DNS name" },
	{ "wildcard is one label", BY_CA, { .san = "DNS:*.a.example" }, "mx.b.a.example",
	    MTASTS_TLS_WRONG_NAME, "'*.a.example'" },
	{ "wildcard is not no label", BY_CA, { .san = "DNS:*.a.example" }, "a.example",
	    MTASTS_TLS_WRONG_NAME, "" },
	{ "f22: part of a label", BY_CA, { .san = "DNS:m*.a.example" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "" },
	{ "f22: end of a label", BY_CA, { .san = "DNS:*x.a.example" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "" },
	{ "f22: top level", BY_CA, { .san = "DNS:*.example" }, "a.example", MTASTS_TLS_WRONG_NAME,
	    "" },
	{ "wildcard in an inner label", BY_CA, { .san = "DNS:mx.*.example" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "" },
	{ "bare wildcard", BY_CA, { .san = "DNS:*" }, "mx.a.example", MTASTS_TLS_WRONG_NAME, "" },
	{ "name in a URI", BY_CA, { .san = "URI:https://mx.a.example/" }, "mx.a.example",
	    MTASTS_TLS_WRONG_NAME, "no DNS name" },
	{ "NUL in the name", BY_CA, { .raw_dns = "mx.a.example\0.evil.example", .raw_dns_n = 26 },
	    "mx.a.example", MTASTS_TLS_WRONG_NAME, "mx.a.example\\x00.evil" },
	{ "line feed in the name", BY_CA, { .raw_dns = "x\n550 ok", .raw_dns_n = 8 },
	    "mx.a.example", MTASTS_TLS_WRONG_NAME, "'x\\x0A550 ok'" },
	{ "underscore", BY_CA, { .san = "DNS:mx_1.a.example" }, "mx_1.a.example",
	    MTASTS_TLS_VERIFIED, "" },
	{ "many names are cut", BY_CA,
	    { .san = "DNS:1.example,DNS:2.example,DNS:3.example,DNS:4.example,DNS:5.example" },
	    "mx.a.example", MTASTS_TLS_WRONG_NAME, "'4.example' and others" },
	{ "R4.2.1: not yet valid is untrusted", BY_CA,
	    { .san = "DNS:mx.a.example", .not_before = FUTURE, .not_after = FUTURE + 1000 },
	    "mx.a.example", MTASTS_TLS_UNTRUSTED, "not yet valid" },
	{ "self-signed", BY_ITSELF, { .san = "DNS:mx.a.example" }, "mx.a.example",
	    MTASTS_TLS_UNTRUSTED, "self-signed certificate" },
	{ "signer is no CA", BY_NO_CA, { .san = "DNS:mx.a.example" }, "mx.a.example",
	    MTASTS_TLS_UNTRUSTED, "CA" },
	{ "signer has expired", BY_EXPIRED_CA, { .san = "DNS:mx.a.example" }, "mx.a.example",
	    MTASTS_TLS_EXPIRED, "issuer 1: certificate has expired" },
	{ "signer may not sign this name", BY_LIMITED, { .san = "DNS:mx.a.example" },
	    "mx.a.example", MTASTS_TLS_UNTRUSTED, "permitted subtree" },
	{ "key too small", BY_CA, { .san = "DNS:mx.a.example", .rsa_bits = 1024 }, "mx.a.example",
	    MTASTS_TLS_UNTRUSTED, "key too weak" },
	{ "SHA-1", BY_CA, { .san = "DNS:mx.a.example", .digest = "SHA1" }, "mx.a.example",
	    MTASTS_TLS_UNTRUSTED, "digest algorithm too weak" },
	{ "for clients only", BY_CA, { .san = "DNS:mx.a.example", .usage = "clientAuth" },
	    "mx.a.example", MTASTS_TLS_UNTRUSTED, "purpose" },
	{ "for servers too", BY_CA, { .san = "DNS:mx.a.example", .usage = "clientAuth,serverAuth" },
	    "mx.a.example", MTASTS_TLS_VERIFIED, "" },
	{ "critical extension that nobody knows", BY_CA,
	    { .san = "DNS:mx.a.example", .has_unknown_critical = 1 }, "mx.a.example",
	    MTASTS_TLS_UNTRUSTED, "critical extension" },
	{ "expired is told before untrusted and name", BY_STRANGER,
	    { .san = "DNS:x.example", .not_before = LONG_PAST, .not_after = PAST }, "mx.a.example",
	    MTASTS_TLS_EXPIRED, "expired" },
	{ "untrusted is told before name", BY_STRANGER, { .san = "DNS:x.example" }, "mx.a.example",
	    MTASTS_TLS_UNTRUSTED, "self-signed" },
};

static struct pki_cert *
signer_of(enum signer signer)
{
	switch (signer) {
	case BY_CA:
		return &ca;
	case BY_INTERMEDIATE:
		return &intermediate;
	case BY_STRANGER:
		return &stranger;
	case BY_ITSELF:
		return NULL;
	case BY_NO_CA:
		return &no_ca;
	case BY_EXPIRED_CA:
		return &expired_ca;
	case BY_LIMITED:
		return &limited;
	}
	return NULL;
}

static struct pki_cert
make(struct pki_want want, const struct pki_cert *issuer)
{
	if (want.subject == NULL)
		want.subject = "some host";
	if (want.not_after == 0) {
		want.not_before = LONG_PAST;
		want.not_after = FUTURE;
	}
	want.issuer = issuer;
	return pki_make(&want);
}

static struct domain
domain(const char *name)
{
	struct domain d;

	ck_assert_int_eq(domain_parse(span_of(name), DOMAIN_UNDERSCORE, &d), 0);
	return d;
}

static struct mtasts_certificate
der_of(const struct pki_cert *cert)
{
	return (struct mtasts_certificate){ cert->der, (size_t)cert->n };
}

static void
setup(void)
{
	static const char is_ca[] = "critical,CA:TRUE";

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ca = make((struct pki_want){ .subject = "CA", .constraints = is_ca }, NULL);
	stranger = make((struct pki_want){ .subject = "Stranger", .constraints = is_ca }, NULL);
	intermediate = make((struct pki_want){ .subject = "Below", .constraints = is_ca }, &ca);
	no_ca = make((struct pki_want){ .subject = "None", .constraints = "CA:FALSE" }, &ca);
	expired_ca = make((struct pki_want){ .subject = "Old",
			      .constraints = is_ca,
			      .not_before = LONG_PAST,
			      .not_after = PAST },
	    &ca);
	limited = make((struct pki_want){ .subject = "Limited",
			   .constraints = is_ca,
			   .names = "critical,permitted;DNS:other.example" },
	    &ca);
	leaf = make((struct pki_want){ .san = "DNS:mx.a.example" }, &ca);
	pki_install(&ca, directory, ca_path, sizeof ca_path);
	trust = chain_trust_new(directory);
	ck_assert_ptr_nonnull(trust);
}

static void
teardown(void)
{
	struct pki_cert *all[] = { &ca, &intermediate, &stranger, &no_ca, &expired_ca, &limited,
		&leaf };

	chain_trust_free(trust);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		pki_clear(all[i]);
	unlink(ca_path);
	rmdir(directory);
	memset(strrchr(directory, '.') + 1, 'X', 6);
}

START_TEST(test_case)
{
	struct pki_cert *signer = signer_of(cases[_i].signer);
	struct pki_cert own = make(cases[_i].want, signer);
	struct mtasts_certificate chain[2] = { der_of(&own) };
	struct domain host = domain(cases[_i].host);
	char reason[512] = "?";
	size_t n = 1;

	if (signer != NULL && signer != &ca)
		chain[n++] = der_of(signer);
	enum mtasts_tls result = chain_check(trust, chain, n, &host, NOW, reason, sizeof reason);
	ck_assert_msg(result == cases[_i].result, "%s: %d (%s)", cases[_i].name, result, reason);
	ck_assert_msg(strstr(reason, cases[_i].reason) != NULL, "%s: %s", cases[_i].name, reason);
	ck_assert_msg((reason[0] == '\0') == (result == MTASTS_TLS_VERIFIED), "%s: %s",
	    cases[_i].name, reason);
	pki_clear(&own);
}
END_TEST

START_TEST(test_intermediate_missing)
{
	struct pki_cert own = make((struct pki_want){ .san = "DNS:mx.a.example" }, &intermediate);
	struct mtasts_certificate chain = der_of(&own);
	struct domain host = domain("mx.a.example");
	char reason[512];

	enum mtasts_tls result = chain_check(trust, &chain, 1, &host, NOW, reason, sizeof reason);
	ck_assert_int_eq(result, MTASTS_TLS_UNTRUSTED);
	ck_assert_str_eq(reason, "unable to get local issuer certificate");
	pki_clear(&own);
}
END_TEST

START_TEST(test_instants)
{
	struct mtasts_certificate chain = der_of(&leaf);
	struct domain host = domain("mx.a.example");
	char reason[512];

	ck_assert_int_eq(chain_check(trust, &chain, 1, &host, FUTURE - 1, reason, sizeof reason),
	    MTASTS_TLS_VERIFIED);
	ck_assert_int_eq(chain_check(trust, &chain, 1, &host, FUTURE + 1, reason, sizeof reason),
	    MTASTS_TLS_EXPIRED);
	ck_assert_int_eq(chain_check(trust, &chain, 1, &host, LONG_PAST, reason, sizeof reason),
	    MTASTS_TLS_VERIFIED);
	ck_assert_int_eq(chain_check(trust, &chain, 1, &host, LONG_PAST - 1, reason, sizeof reason),
	    MTASTS_TLS_UNTRUSTED);
}
END_TEST

static void
cannot_be_judged(const struct mtasts_certificate *chain, size_t n, const char *why)
{
	struct domain host = domain("mx.a.example");
	char reason[512];

	ck_assert_int_eq(
	    chain_check(trust, chain, n, &host, NOW, reason, sizeof reason), MTASTS_TLS_FAILED);
	ck_assert_str_eq(reason, why);
}

START_TEST(test_not_judged)
{
	struct mtasts_certificate chain[LIMIT_CERTIFICATES + 1];
	size_t n = (size_t)leaf.n;
	unsigned char *longer = malloc(n + 1);
	unsigned char *huge = calloc(1, LIMIT_CERTIFICATE + 1);

	ck_assert(longer != NULL && huge != NULL);
	memcpy(longer, leaf.der, n);
	longer[n] = 0;
	cannot_be_judged(chain, 0, "no certificate");
	chain[0] = (struct mtasts_certificate){ longer, n + 1 };
	cannot_be_judged(chain, 1, "octets behind the certificate's DER");
	chain[0] = (struct mtasts_certificate){ huge, LIMIT_CERTIFICATE + 1 };
	cannot_be_judged(chain, 1, "certificate is too large");
	chain[0] = (struct mtasts_certificate){ NULL, 0 };
	cannot_be_judged(chain, 1, "not a certificate in DER");
	chain[0] = der_of(&leaf);
	chain[1] = (struct mtasts_certificate){ huge, 100 };
	cannot_be_judged(chain, 2, "not a certificate in DER");
	for (size_t i = 0; i <= LIMIT_CERTIFICATES; i++)
		chain[i] = der_of(&leaf);
	cannot_be_judged(chain, LIMIT_CERTIFICATES + 1, "too many certificates");
	free(longer);
	free(huge);
}
END_TEST

/* Every shorter form of a certificate: none is read past its end, none is good. */
START_TEST(test_cut_short)
{
	for (size_t n = 0; n < (size_t)leaf.n; n++) {
		struct guard g;
		guard_init(&g, leaf.der, n);
		struct mtasts_certificate chain = { (const unsigned char *)g.span.p, n };
		cannot_be_judged(&chain, 1, "not a certificate in DER");
		guard_clear(&g);
	}
}
END_TEST

/* Every octet changed in turn: whatever it makes of the certificate, it is not VERIFIED. */
START_TEST(test_octet_changed)
{
	struct domain host = domain("mx.a.example");
	size_t n = (size_t)leaf.n;
	unsigned char *copy = malloc(n);

	ck_assert_ptr_nonnull(copy);
	for (size_t i = 0; i < n; i++) {
		struct mtasts_certificate chain = { copy, n };
		char reason[512];
		memcpy(copy, leaf.der, n);
		copy[i] ^= 0x04;
		enum mtasts_tls result =
		    chain_check(trust, &chain, 1, &host, NOW, reason, sizeof reason);
		ck_assert_msg(result != MTASTS_TLS_VERIFIED, "octet %zu", i);
	}
	free(copy);
}
END_TEST

START_TEST(test_directory_missing)
{
	struct chain_trust *none = chain_trust_new("/nonexistent/ca");
	struct mtasts_certificate chain = der_of(&leaf);
	struct domain host = domain("mx.a.example");
	char reason[512];

	ck_assert_ptr_nonnull(none);
	ck_assert_int_eq(
	    chain_check(none, &chain, 1, &host, NOW, reason, sizeof reason), MTASTS_TLS_FAILED);
	ck_assert_str_eq(reason, "CA directory /nonexistent/ca cannot be read");
	chain_trust_free(none);
}
END_TEST

/* A CA that is taken away counts no more, without a new process. */
START_TEST(test_directory_changes)
{
	struct mtasts_certificate chain = der_of(&leaf);
	struct domain host = domain("mx.a.example");
	char reason[512];

	ck_assert_int_eq(
	    chain_check(trust, &chain, 1, &host, NOW, reason, sizeof reason), MTASTS_TLS_VERIFIED);
	unlink(ca_path);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	ck_assert_int_eq(utimensat(AT_FDCWD, directory, times, 0), 0);
	ck_assert_int_eq(
	    chain_check(trust, &chain, 1, &host, NOW, reason, sizeof reason), MTASTS_TLS_UNTRUSTED);
}
END_TEST

/* The error queue and errno are the host's: as they were, after good and bad chains. */
START_TEST(test_manners)
{
	struct mtasts_certificate bad = { (const unsigned char *)"junk", 4 }, good = der_of(&leaf);
	struct domain host = domain("mx.a.example");
	const char *data;
	char reason[512];

	ERR_clear_error();
	ERR_raise_data(ERR_LIB_USER, 41, "first %d", 1);
	ERR_raise(ERR_LIB_USER, 42);
	unsigned long before = ERR_peek_last_error();
	errno = 4711;
	chain_check(trust, &bad, 1, &host, NOW, reason, sizeof reason);
	chain_check(trust, &good, 1, &host, NOW, reason, sizeof reason);
	ck_assert_int_eq(errno, 4711);
	ck_assert_uint_eq(ERR_peek_last_error(), before);
	ck_assert_int_eq(ERR_GET_REASON(ERR_get_error_all(NULL, NULL, NULL, &data, NULL)), 41);
	ck_assert_str_eq(data, "first 1");
	ck_assert_uint_eq(ERR_get_error(), before);
	ck_assert_uint_eq(ERR_get_error(), 0);
}
END_TEST

START_TEST(test_reason_is_cut)
{
	struct mtasts_certificate bad = { (const unsigned char *)"junk", 4 };
	struct domain host = domain("mx.a.example");
	char reason[8];

	chain_check(trust, &bad, 1, &host, NOW, reason, sizeof reason);
	ck_assert_str_eq(reason, "not a c");
	ck_assert_int_eq(chain_check(trust, &bad, 1, &host, NOW, reason, 0), MTASTS_TLS_FAILED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chain");
	TCase *tcase = tcase_create("chain");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_case, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, test_intermediate_missing);
	tcase_add_test(tcase, test_instants);
	tcase_add_test(tcase, test_not_judged);
	tcase_add_test(tcase, test_cut_short);
	tcase_add_test(tcase, test_octet_changed);
	tcase_add_test(tcase, test_directory_missing);
	tcase_add_test(tcase, test_directory_changes);
	tcase_add_test(tcase, test_manners);
	tcase_add_test(tcase, test_reason_is_cut);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
