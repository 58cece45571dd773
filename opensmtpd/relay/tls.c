/* SPDX-License-Identifier: ISC
 *
 * OpenSSL's handshake verifies nothing here: a host whose certificate is bad must still be spoken
 * to where its domain has no policy, and where it has one the reason is wanted.
 */
#include "opensmtpd/relay/tls.h"

#include <string.h>

#include <openssl/err.h>

#include "base/buf.h"
#include "base/domain.h"
#include "base/limits.h"
#include "opensmtpd/relay/staple.h"
#include "opensmtpd/relay/upstream.h"

SSL_CTX *
upstream_tls_new(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls == NULL)
		return NULL;
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	/* a session that is taken up again shows no certificate */
	SSL_CTX_set_options(
	    tls, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (staple_ask(tls) != 1 ||
	    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1) { /* R7.2.1 */
		SSL_CTX_free(tls);
		return NULL;
	}
	return tls;
}

/* RFC 6066 3: a name, never an address. */
static bool
name_set(SSL *ssl, const char *mx_host)
{
	struct domain name;

	if (domain_parse(span_of(mx_host), DOMAIN_UNDERSCORE, &name) != 0)
		return true;
	return SSL_set_tlsext_host_name(ssl, name.name) == 1;
}

SSL *
tls_new(SSL_CTX *tls, int fd, const char *mx_host)
{
	SSL *ssl = SSL_new(tls);

	if (ssl == NULL)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1 || !name_set(ssl, mx_host)) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

const char *
tls_why(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason != NULL ? reason : "connection lost";
}

enum mtasts_tls
tls_check(struct mtasts *ctx, SSL *ssl, const char *mx_host, char *reason, size_t cap)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	struct mtasts_certificate der[LIMIT_CERTIFICATES];
	unsigned char *octets[LIMIT_CERTIFICATES];
	size_t n = 0;

	while (n < LIMIT_CERTIFICATES && (int)n < sk_X509_num(chain)) {
		octets[n] = NULL;
		int length = i2d_X509(sk_X509_value(chain, (int)n), &octets[n]);
		if (length <= 0)
			break;
		der[n] = (struct mtasts_certificate){ octets[n], (size_t)length };
		n++;
	}
	enum mtasts_tls found = mtasts_certificate_check(ctx, der, n, mx_host, reason, cap);
	while (n > 0)
		OPENSSL_free(octets[--n]);
	if (found == MTASTS_TLS_VERIFIED && staple_is_revoked(ssl)) { /* R4.2.2 */
		buf_keep(reason, cap, span_of("certificate is revoked"));
		return MTASTS_TLS_UNTRUSTED;
	}
	return found;
}
