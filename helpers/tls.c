/* SPDX-License-Identifier: ISC
 *
 * OpenSSL as mtasts-fetch wants it below libcurl.
 */
#include "tls.h"

#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* The status of the certificate itself in a verified response; V_OCSP_CERTSTATUS_UNKNOWN else. */
static int
status_of(OCSP_BASICRESP *basic, STACK_OF(X509) * chain, X509_STORE *store)
{
	X509 *leaf = sk_X509_value(chain, 0), *issuer = sk_X509_value(chain, 1);
	ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;
	enum { SKEW = 300 /* seconds two clocks may differ */ };

	if (leaf == NULL || issuer == NULL || OCSP_basic_verify(basic, chain, store, 0) != 1)
		return V_OCSP_CERTSTATUS_UNKNOWN;
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, leaf, issuer);
	if (id == NULL)
		return V_OCSP_CERTSTATUS_UNKNOWN;
	if (OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &until) != 1 ||
	    OCSP_check_validity(from, until, SKEW, -1) != 1)
		status = V_OCSP_CERTSTATUS_UNKNOWN;
	OCSP_CERTID_free(id);
	return status;
}

/*
 * RFC 8461 4.2 leaves revocation to us: a stapled response that says so is heeded, none is asked
 * for elsewhere.  Called once the chain is verified; 1 go on, 0 break off.
 */
static int
on_status(SSL *ssl, void *arg)
{
	struct tls_check *check = arg;
	const unsigned char *der = NULL;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);

	if (der == NULL || n <= 0 || chain == NULL)
		return 1;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, n);
	OCSP_BASICRESP *basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
	if (basic != NULL) {
		X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
		check->is_revoked = status_of(basic, chain, store) == V_OCSP_CERTSTATUS_REVOKED;
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return check->is_revoked ? 0 : 1;
}

/* The peer has said that this was all (RFC 8446 6.1). */
static void
on_event(const SSL *ssl, int where, int value)
{
	void *check = NULL;

	if (where != SSL_CB_READ_ALERT || (value & 0xff) != SSL_AD_CLOSE_NOTIFY)
		return;
	if (SSL_CTX_get_tlsext_status_arg(SSL_get_SSL_CTX(ssl), &check) == 1 && check != NULL)
		((struct tls_check *)check)->is_ended = true;
}

int
tls_prepare(SSL_CTX *context, struct tls_check *check)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);

	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, check->host, 0) != 1)
		return -1;
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return -1;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_set_tlsext_status_cb(context, on_status);
	SSL_CTX_set_tlsext_status_arg(context, check);
	SSL_CTX_set_info_callback(context, on_event);
	return 0;
}

const char *
tls_words(long verify_result)
{
	return X509_verify_cert_error_string(verify_result);
}
