/* SPDX-License-Identifier: ISC
 *
 * A stapled OCSP response (RFC 6960), believed when the certificate's own issuer, which the host
 * has sent along, or who has its leave has signed it.
 */
#include "opensmtpd/relay/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

int
staple_ask(SSL_CTX *tls)
{
	return (int)SSL_CTX_set_tlsext_status_type(tls, TLSEXT_STATUSTYPE_ocsp);
}

/* Who has signed the leaf; NULL: it was not sent. */
static X509 *
issuer_of(X509 *leaf, STACK_OF(X509) * chain)
{
	for (int i = 1; i < sk_X509_num(chain); i++) {
		X509 *x = sk_X509_value(chain, i);
		if (X509_check_issued(x, leaf) == X509_V_OK &&
		    X509_verify(leaf, X509_get0_pubkey(x)) == 1)
			return x;
	}
	return NULL;
}

/* Its responses, and no one else's, are trusted. */
static X509_STORE *
store_of(X509 *issuer)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		return NULL;
	if (X509_STORE_add_cert(store, issuer) == 1 &&
	    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1)
		return store;
	X509_STORE_free(store);
	return NULL;
}

static bool
says_revoked(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer)
{
	ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;
	enum { SKEW = 300 /* seconds two clocks may differ */ };
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, leaf, issuer);

	if (id == NULL)
		return false;
	bool is_about_it =
	    OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &until) == 1;
	OCSP_CERTID_free(id);
	return is_about_it && status == V_OCSP_CERTSTATUS_REVOKED &&
	       OCSP_check_validity(from, until, SKEW, -1) == 1;
}

static bool
response_revokes(OCSP_RESPONSE *response, X509 *leaf, STACK_OF(X509) * chain)
{
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	X509 *issuer = issuer_of(leaf, chain);
	X509_STORE *store = issuer == NULL ? NULL : store_of(issuer);
	bool is_revoked = false;

	if (basic != NULL && store != NULL && OCSP_basic_verify(basic, chain, store, 0) == 1)
		is_revoked = says_revoked(basic, leaf, issuer);
	X509_STORE_free(store);
	OCSP_BASICRESP_free(basic);
	return is_revoked;
}

bool
staple_is_revoked(SSL *ssl)
{
	const unsigned char *der = NULL;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	if (der == NULL || n <= 0 || chain == NULL || sk_X509_num(chain) == 0)
		return false;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, n);
	bool is_revoked =
	    response != NULL && response_revokes(response, sk_X509_value(chain, 0), chain);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return is_revoked;
}
