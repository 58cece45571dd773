/* SPDX-License-Identifier: ISC
 *
 * Certificates made with libcrypto alone.
 */
#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void
must(int is_done)
{
	if (!is_done)
		abort();
}

static void
extension_put(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL);
	must(X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
}

/* subjectAltName with octets that the configuration form cannot say. */
static void
raw_dns_put(X509 *x, const char *p, int n)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	must(names != NULL && name != NULL && ASN1_STRING_set(string, p, n));
	GENERAL_NAME_set0_value(name, GEN_DNS, string);
	must(sk_GENERAL_NAME_push(names, name));
	must(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0));
	GENERAL_NAMES_free(names);
}

static void
unknown_put(X509 *x)
{
	ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

	must(object != NULL && ASN1_OCTET_STRING_set(value, (const unsigned char *)"\5\0", 2));
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
	must(extension != NULL && X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void
name_set(X509 *x, const char *subject)
{
	X509_NAME *name = X509_get_subject_name(x);

	must(X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0));
}

struct pki_cert
pki_make(const struct pki_want *want)
{
	static long serial = 1;
	struct pki_cert cert = { .x = X509_new() };

	cert.key =
	    want->rsa_bits != 0 ? EVP_RSA_gen((unsigned)want->rsa_bits) : EVP_EC_gen("P-256");
	must(cert.x != NULL && cert.key != NULL);
	X509 *issuer = want->issuer != NULL ? want->issuer->x : cert.x;
	must(X509_set_version(cert.x, X509_VERSION_3));
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert.x), serial++));
	name_set(cert.x, want->subject);
	must(X509_set_issuer_name(cert.x, X509_get_subject_name(issuer)));
	must(ASN1_TIME_set(X509_getm_notBefore(cert.x), (time_t)want->not_before) != NULL);
	must(ASN1_TIME_set(X509_getm_notAfter(cert.x), (time_t)want->not_after) != NULL);
	must(X509_set_pubkey(cert.x, cert.key));
	extension_put(cert.x, issuer, NID_basic_constraints, want->constraints);
	extension_put(cert.x, issuer, NID_subject_alt_name, want->san);
	extension_put(cert.x, issuer, NID_ext_key_usage, want->usage);
	extension_put(cert.x, issuer, NID_name_constraints, want->names);
	if (want->raw_dns != NULL)
		raw_dns_put(cert.x, want->raw_dns, want->raw_dns_n);
	if (want->has_unknown_critical)
		unknown_put(cert.x);
	const EVP_MD *digest = EVP_get_digestbyname(want->digest != NULL ? want->digest : "SHA256");
	must(X509_sign(cert.x, want->issuer != NULL ? want->issuer->key : cert.key, digest) > 0);
	cert.n = i2d_X509(cert.x, &cert.der);
	must(cert.n > 0);
	return cert;
}

void
pki_clear(struct pki_cert *cert)
{
	X509_free(cert->x);
	EVP_PKEY_free(cert->key);
	OPENSSL_free(cert->der);
	memset(cert, 0, sizeof *cert);
}

void
pki_install(const struct pki_cert *cert, const char *directory, char *path, size_t cap)
{
	snprintf(path, cap, "%s/%08lx.0", directory, X509_subject_name_hash(cert->x));
	FILE *f = fopen(path, "w");
	must(f != NULL && PEM_write_X509(f, cert->x));
	must(fclose(f) == 0);
}
