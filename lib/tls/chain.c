/* SPDX-License-Identifier: ISC
 *
 * The certificate of an MX host: RFC 8461 4.2 (R4.2.1), names by RFC 6125 without common name and
 * with wildcards only as the whole left-most label.  Everything lives in a library context of its
 * own, so that nothing of the server's OpenSSL (configuration, providers, error queue) is used or
 * changed.  CAs are found by hash in their directory: loading a whole bundle takes 30 ms.
 */
#include "tls/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "tls/errors.h"

enum {
	SECURITY_LEVEL = 2, /* 112 bits: RSA 2048, no SHA-1 below the root; GnuTLS asks the same */
	NAMES_SHOWN = 4,    /* names of a certificate for another host that are told */
	UNREADABLE = -1	    /* not one of X509_V_*: our CA directory is the trouble */
};

struct chain_trust {
	char *directory;
	OSSL_LIB_CTX *library;
	X509_STORE *store; /* with the CAs met so far; made anew when the directory changes */
	struct timespec changed;
};

enum wrong { WRONG_OURS, WRONG_EXPIRED, WRONG_UNTRUSTED, WRONG_NAME, N_WRONG };

/* The first error of each kind in one verification. */
struct faults {
	int error[N_WRONG]; /* X509_V_OK: none */
	int depth[N_WRONG];
};

struct chain_trust *
chain_trust_new(const char *ca_directory)
{
	struct chain_trust *trust = mem_zero(1, sizeof *trust);

	if (trust == NULL)
		return NULL;
	trust->directory = mem_dup(ca_directory, strlen(ca_directory));
	if (trust->directory == NULL) {
		free(trust);
		return NULL;
	}
	return trust;
}

void
chain_trust_free(struct chain_trust *trust)
{
	if (trust == NULL)
		return;
	X509_STORE_free(trust->store);
	OSSL_LIB_CTX_free(trust->library);
	free(trust->directory);
	free(trust);
}

/* A CA that was taken out of the directory must not live on in a process that runs for weeks. */
static void
store_drop_if_changed(struct chain_trust *trust)
{
	struct stat st;

	if (stat(trust->directory, &st) != 0)
		return;
	if (st.st_mtim.tv_sec == trust->changed.tv_sec &&
	    st.st_mtim.tv_nsec == trust->changed.tv_nsec)
		return;
	X509_STORE_free(trust->store);
	trust->store = NULL;
	trust->changed = st.st_mtim;
}

/* 0, or -1 without memory. */
static int
store_make(struct chain_trust *trust)
{
	store_drop_if_changed(trust);
	if (trust->store != NULL)
		return 0;
	if (trust->library == NULL)
		trust->library = OSSL_LIB_CTX_new();
	if (trust->library == NULL)
		return -1;
	X509_STORE *store = X509_STORE_new();
	if (store == NULL)
		return -1;
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	if (lookup == NULL ||
	    X509_LOOKUP_add_dir(lookup, trust->directory, X509_FILETYPE_PEM) != 1) {
		X509_STORE_free(store);
		return -1;
	}
	trust->store = store;
	return 0;
}

/* One certificate that is all of der, or NULL with *why. */
static X509 *
certificate_parse(struct chain_trust *trust, const struct mtasts_certificate *der, const char **why)
{
	const unsigned char *p = der->der;

	if (der->n > LIMIT_CERTIFICATE) {
		*why = "certificate is too large";
		return NULL;
	}
	X509 *x = X509_new_ex(trust->library, NULL);
	if (x == NULL) {
		*why = "out of memory";
		return NULL;
	}
	if (der->n == 0 || d2i_X509(&x, &p, (long)der->n) == NULL) {
		X509_free(x); /* NULL when d2i has freed it */
		*why = "not a certificate in DER";
		return NULL;
	}
	if (p != der->der + der->n) {
		X509_free(x);
		*why = "octets behind the certificate's DER";
		return NULL;
	}
	return x;
}

/* The whole chain in its order, or NULL with *why. */
static STACK_OF(X509) * chain_parse(struct chain_trust *trust,
			    const struct mtasts_certificate *chain, size_t n, const char **why)
{
	*why = "out of memory";
	STACK_OF(X509) *stack = sk_X509_new_null();
	if (stack == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		X509 *x = certificate_parse(trust, &chain[i], why);
		if (x == NULL || sk_X509_push(stack, x) == 0) {
			X509_free(x);
			sk_X509_pop_free(stack, X509_free);
			return NULL;
		}
	}
	return stack;
}

static enum wrong
wrong_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return WRONG_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return WRONG_NAME;
	case X509_V_ERR_OUT_OF_MEM:
	case X509_V_ERR_STORE_LOOKUP:
	case X509_V_ERR_INVALID_CALL:
	case X509_V_ERR_UNSPECIFIED:
		return WRONG_OURS;
	default: /* an int, not an enum: whatever else libcrypto finds makes the chain untrusted */
		return WRONG_UNTRUSTED;
	}
}

/* Go on after every fault, so that all are seen; none is forgiven (chain_judge()). */
static int
on_fault(int ok, X509_STORE_CTX *verify)
{
	struct faults *faults = X509_STORE_CTX_get_app_data(verify);
	int error = X509_STORE_CTX_get_error(verify);

	if (ok == 1)
		return 1;
	enum wrong wrong = wrong_of(error);
	if (faults->error[wrong] == X509_V_OK) {
		faults->error[wrong] = error;
		faults->depth[wrong] = X509_STORE_CTX_get_error_depth(verify);
	}
	return 1;
}

/* 0, or -1 without memory. */
static int
verify_set(X509_STORE_CTX *verify, const struct domain *host, int64_t now, struct faults *faults)
{
	if (X509_STORE_CTX_set_default(verify, "ssl_server") != 1)
		return -1;
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(verify);
	X509_VERIFY_PARAM_set_depth(param, LIMIT_CERTIFICATES);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, host->name, host->n) != 1)
		return -1;
	X509_STORE_CTX_set_app_data(verify, faults);
	X509_STORE_CTX_set_verify_cb(verify, on_fault);
	return 0;
}

/* All faults of the chain; an error of our own is WRONG_OURS. */
static struct faults
chain_verify(
    struct chain_trust *trust, STACK_OF(X509) * stack, const struct domain *host, int64_t now)
{
	struct faults faults = { { X509_V_OK }, { 0 } };
	X509_STORE_CTX *verify = X509_STORE_CTX_new_ex(trust->library, NULL);

	if (verify == NULL ||
	    X509_STORE_CTX_init(verify, trust->store, sk_X509_value(stack, 0), stack) != 1 ||
	    verify_set(verify, host, now, &faults) != 0) {
		faults.error[WRONG_OURS] = X509_V_ERR_OUT_OF_MEM;
	} else if (X509_verify_cert(verify) != 1 && faults.error[WRONG_OURS] == X509_V_OK) {
		int error = X509_STORE_CTX_get_error(verify);
		faults.error[WRONG_OURS] = error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
	}
	X509_STORE_CTX_free(verify);
	return faults;
}

static bool
is_issuer_missing(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

/* libcrypto may have said so by the queue alone, which was empty when the check began. */
static bool
has_lacked_memory(void)
{
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			return true;
	}
	return false;
}

/* An issuer we do not know is the peer's fault only when we could look. */
static void
check_ourselves(const struct chain_trust *trust, struct faults *faults)
{
	if (has_lacked_memory())
		faults->error[WRONG_OURS] = X509_V_ERR_OUT_OF_MEM;
	if (is_issuer_missing(faults->error[WRONG_UNTRUSTED]) &&
	    faccessat(AT_FDCWD, trust->directory, X_OK, AT_EACCESS) != 0)
		faults->error[WRONG_OURS] = UNREADABLE;
}

/* "certificate is for 'a.example', 'b.example'" */
static void
names_put(struct buf *out, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int shown = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS)
			continue;
		if (++shown > NAMES_SHOWN)
			break;
		const ASN1_IA5STRING *s = name->d.dNSName;
		buf_puts(out, shown == 1 ? "certificate is for '" : ", '");
		buf_put_escaped(out,
		    span_make(
			(const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)),
		    DOMAIN_MAX, false);
		buf_puts(out, "'");
	}
	if (shown == 0)
		buf_puts(out, "certificate has no DNS name in subjectAltName");
	else if (shown > NAMES_SHOWN)
		buf_puts(out, " and others");
	GENERAL_NAMES_free(names);
}

/* What is wrong in words; issuers' dates and keys are told from the host's own. */
static void
fault_put(struct buf *out, int error, int depth)
{
	bool is_of_one = error == X509_V_ERR_CERT_HAS_EXPIRED ||
			 error == X509_V_ERR_CERT_NOT_YET_VALID ||
			 error == X509_V_ERR_CA_KEY_TOO_SMALL || error == X509_V_ERR_CA_MD_TOO_WEAK;

	if (is_of_one && depth > 0)
		buf_printf(out, "issuer %d: ", depth);
	buf_puts(out, X509_verify_cert_error_string(error));
}

/* The verdict on a chain that was verified as far as it goes. */
static enum mtasts_tls
chain_judge(
    const struct chain_trust *trust, X509 *own, const struct faults *faults, struct buf *why)
{
	static const enum mtasts_tls results[N_WRONG] = { [WRONG_OURS] = MTASTS_TLS_FAILED,
		[WRONG_EXPIRED] = MTASTS_TLS_EXPIRED,
		[WRONG_UNTRUSTED] = MTASTS_TLS_UNTRUSTED,
		[WRONG_NAME] = MTASTS_TLS_WRONG_NAME };

	for (int i = 0; i < N_WRONG; i++) {
		if (faults->error[i] == X509_V_OK)
			continue;
		if (faults->error[i] == UNREADABLE)
			buf_printf(why, "CA directory %s cannot be read", trust->directory);
		else if (i == WRONG_NAME)
			names_put(why, own);
		else
			fault_put(why, faults->error[i], faults->depth[i]);
		return results[i];
	}
	return MTASTS_TLS_VERIFIED;
}

static enum mtasts_tls
check(struct chain_trust *trust, const struct mtasts_certificate *chain, size_t n,
    const struct domain *host, int64_t now, struct buf *why)
{
	const char *fault = "no certificate";

	if (n > LIMIT_CERTIFICATES)
		fault = "too many certificates";
	if (n == 0 || n > LIMIT_CERTIFICATES) {
		buf_puts(why, fault);
		return MTASTS_TLS_FAILED;
	}
	if (store_make(trust) != 0) {
		buf_puts(why, "out of memory");
		return MTASTS_TLS_FAILED;
	}
	STACK_OF(X509) *stack = chain_parse(trust, chain, n, &fault);
	if (stack == NULL) {
		buf_puts(why, fault);
		return MTASTS_TLS_FAILED;
	}
	struct faults faults = chain_verify(trust, stack, host, now);
	check_ourselves(trust, &faults);
	enum mtasts_tls result = chain_judge(trust, sk_X509_value(stack, 0), &faults, why);
	sk_X509_pop_free(stack, X509_free);
	return result;
}

enum mtasts_tls
chain_check(struct chain_trust *trust, const struct mtasts_certificate *chain, size_t n,
    const struct domain *host, int64_t now, char *reason, size_t cap)
{
	char unused[1];
	struct buf why;
	struct errors errors;
	int error = errno;

	buf_init(&why, cap > 0 ? reason : unused, cap > 0 ? cap : 1);
	errors_take(&errors);
	enum mtasts_tls result = check(trust, chain, n, host, now, &why);
	errors_give_back(&errors);
	errno = error;
	return result;
}
