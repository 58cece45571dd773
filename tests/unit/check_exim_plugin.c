/* SPDX-License-Identifier: ISC
 *
 * The four functions as Exim calls them: connections event by event, as three Exims raise them
 * (GnuTLS shows all certificates, OpenSSL those that verified), routing, lists, forks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "engine_fake.h"
#include "exim/ask.h"
#include "exim/plugin.h"
#include "nomem.h"
#include "unit.h"

#define POLICY(mode, mx) "version: STSv1\nmode: " mode "\nmax_age: 86400\n" mx
#define MX1                                                                                        \
	{                                                                                          \
		"mx1.a.example", 10, NULL                                                          \
	}
#define MX2                                                                                        \
	{                                                                                          \
		"mx2.a.example", 20, NULL                                                          \
	}
#define EVIL                                                                                       \
	{                                                                                          \
		"evil.example", 5, NULL                                                            \
	}

static const struct fake_domain world[] = {
	{ .name = "a.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx1.a.example\nmx: mx2.a.example\n"),
	    .hosts = { MX1, MX2 } },
	{ .name = "evil.a.example", /* some evil, some good */
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: *.a.example\n"),
	    .hosts = { EVIL, { "even.worse.example", 10, NULL }, MX1,
		{ "late.example", 15, NULL } } },
	{ .name = "badmx.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx.other.example\n"),
	    .hosts = { MX1, MX2 } },
	{ .name = "alias.example", /* an MX name that is a CNAME */
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mail.alias.example\n"),
	    .hosts = { { "mail.alias.example", 10, "real.hosting.example" } } },
	{ .name = "target.example", /* the policy names what the CNAME leads to: not R4.1.1 */
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: real.hosting.example\n"),
	    .hosts = { { "mail.target.example", 10, "real.hosting.example" } } },
	{ .name = "aonly.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: aonly.example\n"),
	    .mx_state = MTASTS_MX_IMPLICIT,
	    .hosts = { { "aonly.example", 0, NULL } } },
	{ .name = "t.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("testing", "mx: mx1.a.example\n"),
	    .hosts = { MX1, MX2, { "evil.example", 30, NULL } } },
	{ .name = "none.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("none", ""),
	    .hosts = { MX1 } },
	{ .name = "unknown.example", .state = MTASTS_UNKNOWN, .hosts = { MX1 } },
	{ .name = "fault.example", .state = MTASTS_FAULT, .hosts = { MX1 } },
	{ .name = "open.example", .state = MTASTS_FAULT, .fault_delivers = true, .hosts = { MX1 } },
	{ .name = "nomx.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx1.a.example\n"),
	    .mx_state = MTASTS_MX_UNKNOWN },
	{ .name = "nowhere.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx1.a.example\n"),
	    .mx_state = MTASTS_MX_NO_DOMAIN },
	{ .name = "null.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx1.a.example\n"),
	    .mx_state = MTASTS_MX_NULL },
	{ .name = "oldbadmx.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx.other.example\n"),
	    .recheck = POLICY("enforce", "mx: mx.other.example\n"),
	    .hosts = { MX1 } },
	{ .name = "mended.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx.other.example\n"),
	    .recheck = POLICY("enforce", "mx: mx1.a.example\n"),
	    .hosts = { MX1 } },
	{ .name = "given-up.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx.other.example\n"),
	    .recheck = POLICY("testing", "mx: mx.other.example\n"),
	    .hosts = { MX1 } },
	{ .name = "struck.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("enforce", "mx: mx1.a.example\n"),
	    .strike = "mx1.a.example",
	    .recheck = POLICY("enforce", "mx: mx1.a.example\n"),
	    .hosts = { MX1 } },
	{ .name = NULL },
};

/* ---- calling as Exim does ---- */

typedef int function(unsigned char **yield, int argc, unsigned char *argv[]);

/* Arguments are copies that are gone afterwards: an answer must not be one of them. */
static const char *
call(function *f, int argc, const char *const *args)
{
	unsigned char *argv[8], *yield = NULL;

	for (int i = 0; i < argc; i++) {
		argv[i] = (unsigned char *)strdup(args[i]);
		ck_assert_ptr_nonnull(argv[i]);
	}
	argv[argc] = NULL;
	int r = f(&yield, argc, argv);
	ck_assert_int_eq(r, 0); /* OK, whatever happens */
	ck_assert_ptr_nonnull(yield);
	for (int i = 0; i < argc; i++) {
		memset(argv[i], 'x', strlen(args[i]));
		free(argv[i]);
	}
	ck_assert_int_eq(fake.contexts, 0); /* Exim may fork now */
	return (const char *)yield;
}

static const char *
route(const char *domain, const char *age, const char *id, const char *verify)
{
	return call(mtasts_route, 4, (const char *const[]){ domain, age, id, verify });
}

static const char *
require(const char *domain)
{
	return call(mtasts_require, 1, &domain);
}

static const char *
ignore(const char *domain, const char *separator)
{
	return call(mtasts_ignore, 2, (const char *const[]){ domain, separator });
}

/* ---- connections ---- */

struct step {
	const char *event;
	const char *vars; /* "name=value,..." that differ from those of the connection */
	const char *data;
	const char *certificate;
	const char *veto; /* how it must begin; NULL: no veto */
};

#define EHLO_TLS "250-mx1.a.example\n250-STARTTLS\n250 SIZE"
#define EHLO_NO	 "250-mx1.a.example\n250 SIZE"
#define CONNECT                                                                                    \
	{                                                                                          \
		"tcp:connect", "", "", "", NULL                                                    \
	}
#define GREETING                                                                                   \
	{ "smtp:connect", "", "220 mx1.a.example", "", NULL },                                     \
	{                                                                                          \
		"smtp:ehlo", "", EHLO_TLS, "", NULL                                                \
	}
#define BEGIN CONNECT, GREETING
#define BEGIN_NO                                                                                   \
	CONNECT, { "smtp:connect", "", "220 mx1.a.example", "", NULL },                            \
	{                                                                                          \
		"smtp:ehlo", "", EHLO_NO, "", NULL                                                 \
	}
#define CA                                                                                         \
	{                                                                                          \
		"tls:cert", "sni=mx1.a.example", "1", "ca", NULL                                   \
	}
#define LEAF(what, veto)                                                                           \
	{                                                                                          \
		"tls:cert", "sni=mx1.a.example", "0", what, veto                                   \
	}
#define UP(version)                                                                                \
	{                                                                                          \
		"smtp:ehlo", "ver=" version ",sni=mx1.a.example", EHLO_NO, "", NULL                \
	}
#define CLOSE(version, leaf)                                                                       \
	{                                                                                          \
		"tcp:close", "ver=" version ",sni=mx1.a.example", "", leaf, NULL                   \
	}
#define DEFER(number, words, leaf)                                                                 \
	{                                                                                          \
		"msg:host:defer", "sni=mx1.a.example,errno=" number, words, leaf, NULL             \
	}
#define NO_TLS	   "a TLS session is required, but the server did not offer TLS support"
#define NO_START   "a TLS session is required, but an attempt to start TLS failed"
#define GNUTLS_BAD "TLS session: (certificate verification failed): certificate invalid"
#define OPENSSL_BAD                                                                                \
	"TLS session: (SSL_connect): error:0A000086:SSL routines::certificate verify failed"

enum { WRONG_NAME = 3 }; /* index of it below */

static const struct replay {
	const char *name, *domain, *host, *id;
	struct step steps[16];
	const char *records;
} replays[] = {
	{ "success", "a.example", "mx1.a.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "good") },
	    "mx1.a.example success\n" },
	{ "success, OpenSSL with its root", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tls:cert", "sni=x", "2", "root", NULL }, CA, LEAF("good", NULL),
		UP("TLSv1.3"), CLOSE("TLSv1.3", "good") },
	    "mx1.a.example success\n" },
	{ "success, TLS 1.2, then a 4yz to RCPT", "a.example", "mx1.a.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.2"), CLOSE("TLS1.2", "good"),
		DEFER("0", "SMTP error from remote mail server after RCPT TO: 450", "") },
	    "mx1.a.example success\n" },
	{ "wrong name, GnuTLS", "a.example", "mx1.a.example", "1",
	    { BEGIN, CA, LEAF("wrong", "MTA-STS: certificate-host-mismatch: it is wrong"),
		CLOSE("", ""), DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example certificate-host-mismatch it is wrong\n" },
	{ "wrong name, OpenSSL", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tls:cert", "", "2", "root", NULL }, CA, CLOSE("", "wrong"),
		DEFER("-37", OPENSSL_BAD, "wrong") },
	    "mx1.a.example certificate-host-mismatch it is wrong\n" },
	{ "expired, GnuTLS", "a.example", "mx1.a.example", "1",
	    { BEGIN, CA, LEAF("expired", "MTA-STS: certificate-expired: it is expired"),
		CLOSE("", ""), DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example certificate-expired it is expired\n" },
	{ "expired, OpenSSL", "a.example", "mx1.a.example", "1",
	    { BEGIN, CA, CLOSE("", "expired"), DEFER("-37", OPENSSL_BAD, "expired") },
	    "mx1.a.example certificate-expired it is expired\n" },
	{ "self-signed, GnuTLS", "a.example", "mx1.a.example", "1",
	    { BEGIN, LEAF("untrusted", "MTA-STS: certificate-not-trusted: it is untrusted"),
		CLOSE("", ""), DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example certificate-not-trusted it is untrusted\n" },
	{ "self-signed, OpenSSL: no event at all", "a.example", "mx1.a.example", "1",
	    { BEGIN, CLOSE("", "untrusted"), DEFER("-37", OPENSSL_BAD, "untrusted") },
	    "mx1.a.example certificate-not-trusted it is untrusted\n" },
	{ "an intermediate failed, OpenSSL: its name says nothing", "a.example", "mx1.a.example",
	    "1",
	    { BEGIN, { "tls:cert", "", "3", "root", NULL }, CLOSE("", "wrong"),
		DEFER("-37", "TLS session: path length", "wrong") },
	    "mx1.a.example validation-failure TLS session: path length\n" },
	{ "Exim refuses what we trust", "a.example", "mx1.a.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), CLOSE("TLS1.3", ""), DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example validation-failure " GNUTLS_BAD "\n" },
	{ "garbage for a certificate", "a.example", "mx1.a.example", "1",
	    { BEGIN, LEAF("junk", "MTA-STS: validation-failure: not DER"), CLOSE("", ""),
		DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example validation-failure not DER\n" },
	{ "no certificate with its event", "a.example", "mx1.a.example", "1",
	    { BEGIN, LEAF("", "MTA-STS: validation-failure: no certificate"), CLOSE("", ""),
		DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example validation-failure no certificate\n" },
	{ "no depth with a certificate", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tls:cert", "", "x", "good", "MTA-STS: no depth" }, CLOSE("", ""),
		DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example validation-failure " GNUTLS_BAD "\n" },
	{ "no STARTTLS", "a.example", "mx1.a.example", "1",
	    { BEGIN_NO, { "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=-38", NO_TLS, "", NULL } },
	    "mx1.a.example starttls-not-supported not offered\n" },
	{ "no EHLO", "a.example", "mx1.a.example", "1",
	    { CONNECT, { "smtp:connect", "", "220 mx1.a.example", "", NULL },
		{ "smtp:ehlo", "", "502 what?", "", NULL }, { "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=-38", NO_TLS, "", NULL } },
	    "mx1.a.example starttls-not-supported not offered\n" },
	{ "454 to STARTTLS", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=-38", NO_START, "", NULL } },
	    "mx1.a.example starttls-not-supported " NO_START "\n" },
	{ "454 to STARTTLS, tls_tempfail_tryclear = false", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=0",
		    "SMTP error from remote mail server after STARTTLS: 454 later", "", NULL } },
	    "mx1.a.example starttls-not-supported "
	    "SMTP error from remote mail server after STARTTLS: 454 later\n" },
	{ "lost after STARTTLS", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=-18", "lost after STARTTLS", "", NULL } },
	    "mx1.a.example validation-failure lost after STARTTLS\n" },
	{ "TLS 1.1 refused in the handshake", "a.example", "mx1.a.example", "1",
	    { BEGIN, CLOSE("", ""),
		DEFER("-37", "TLS session: (gnutls_handshake): Error in protocol version", "") },
	    "mx1.a.example validation-failure "
	    "TLS session: (gnutls_handshake): Error in protocol version\n" },
	{ "TLS 1.1 used in mode testing", "t.example", "mx1.a.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.1"), CLOSE("TLS1.1", "good") },
	    "mx1.a.example validation-failure TLS1.1\n" },
	{ "lost after the handshake", "a.example", "mx1.a.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), CLOSE("TLS1.3", "good"),
		{ "msg:host:defer", "errno=-18", "lost", "", NULL } },
	    "mx1.a.example success\n" },
	{ "connection refused", "a.example", "mx1.a.example", "1",
	    { CONNECT, { "msg:host:defer", "errno=111", "Connection refused", "", NULL } },
	    "mx1.a.example unreached success\n" },
	{ "421 for a banner", "a.example", "mx1.a.example", "1",
	    { CONNECT, { "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=0", "421 busy", "", NULL } },
	    "mx1.a.example unreached success\n" },
	{ "MX not in the policy", "a.example", "evil.example", "1",
	    { { "tcp:connect", "", "", "",
		  "MTA-STS: MX host evil.example is not in the policy of a.example" },
		{ "msg:host:defer", "errno=-58", "Event requests alternate response", "", NULL } },
	    "evil.example validation-failure mx-mismatch\n" },
	{ "MX behind a CNAME", "alias.example", "real.hosting.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "good") },
	    "mail.alias.example success\n" },
	{ "policy names the target of the CNAME", "target.example", "real.hosting.example", "1",
	    { { "tcp:connect", "", "", "",
		"MTA-STS: MX host mail.target.example is not in the policy" } },
	    "mail.target.example validation-failure mx-mismatch\n" },
	{ "implicit MX", "aonly.example", "aonly.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "good") },
	    "aonly.example success\n" },
	{ "MX names in any case", "a.example", "MX1.A.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "good") },
	    "mx1.a.example success\n" },
	{ "fail-over", "a.example", "mx1.a.example", "1",
	    { BEGIN, LEAF("expired", "MTA-STS: certificate-expired"), CLOSE("", ""),
		DEFER("-37", GNUTLS_BAD, ""),
		{ "tcp:connect", "host=mx2.a.example,ip=192.0.2.2", "", "", NULL },
		{ "smtp:ehlo", "host=mx2.a.example,ip=192.0.2.2", EHLO_TLS, "", NULL },
		{ "tls:cert", "host=mx2.a.example,ip=192.0.2.2", "0", "good", NULL },
		{ "smtp:ehlo", "host=mx2.a.example,ip=192.0.2.2,ver=TLS1.3", EHLO_NO, "", NULL },
		{ "tcp:close", "host=mx2.a.example,ip=192.0.2.2,ver=TLS1.3", "", "good", NULL } },
	    "mx1.a.example certificate-expired it is expired\nmx2.a.example success\n" },
	{ "batch of several domains", "", "mx1.a.example", "1",
	    { { "tcp:connect", "", "", "", "MTA-STS: the transport does not say" },
		{ "msg:host:defer", "domain=a.example,errno=-58", "", "", NULL } },
	    "" },
	{ "callout", "a.example", "mx1.a.example", "",
	    { BEGIN, CA, LEAF("expired", "MTA-STS: certificate-expired"),
		{ "tcp:close", "host=,ip=", "", "", NULL } },
	    "" },
	{ "callout with an id, from an ACL after DATA", "a.example", "mx1.a.example", "1",
	    { { "tcp:connect", "verify=R", "", "", NULL },
		{ "smtp:ehlo", "verify=R", EHLO_NO, "", NULL },
		{ "tcp:close", "verify=R", "", "", NULL } },
	    "" },
	{ "passed on in clear, TLS begun anew", "a.example", "mx1.a.example", "1",
	    { CA, LEAF("wrong", "MTA-STS: certificate-host-mismatch"), CLOSE("", ""),
		DEFER("-37", GNUTLS_BAD, "") },
	    "mx1.a.example certificate-host-mismatch it is wrong\n" },
	{ "passed on, MX not in the policy", "a.example", "evil.example", "1",
	    { { "tls:cert", "", "1", "ca", "MTA-STS: MX host evil.example" } }, "" },
	{ "passed on in clear, no TLS there", "a.example", "mx1.a.example", "1",
	    { { "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=-38", NO_TLS, "", NULL } },
	    "mx1.a.example starttls-not-supported " NO_TLS "\n" },
	{ "resumed session: the certificate is remembered", "a.example", "mx1.a.example", "1",
	    { BEGIN, UP("TLSv1.3"), CLOSE("TLSv1.3", "untrusted") },
	    "mx1.a.example certificate-not-trusted it is untrusted\n" },
	{ "resumed session: no certificate", "a.example", "mx1.a.example", "1",
	    { BEGIN, UP("TLSv1.3"), CLOSE("TLSv1.3", "") },
	    "mx1.a.example validation-failure no certificate\n" },
	{ "DANE succeeds over a certificate nobody trusts", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tls:cert", "tlsa=8", "0", "untrusted", NULL },
		{ "smtp:ehlo", "tlsa=8,ver=TLS1.3", EHLO_NO, "", NULL },
		{ "tcp:close", "tlsa=8,dane=yes,ver=TLS1.3", "", "untrusted", NULL } },
	    "mx1.a.example dane success\n" },
	{ "DANE applies, yet Exim did not authenticate by it", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tls:cert", "tlsa=8", "0", "untrusted", NULL },
		{ "smtp:ehlo", "tlsa=8,ver=TLS1.3", EHLO_NO, "", NULL },
		{ "tcp:close", "tlsa=8,dane=no,ver=TLS1.3", "", "untrusted", NULL } },
	    "mx1.a.example certificate-not-trusted it is untrusted\n" },
	{ "DANE fails over a good certificate", "a.example", "mx1.a.example", "1",
	    { BEGIN, { "tls:cert", "tlsa=8", "0", "good", NULL },
		{ "dane:fail", "tlsa=8", "validation-failure", "", NULL },
		{ "tcp:close", "tlsa=8", "", "", NULL },
		{ "msg:host:defer", "tlsa=8,errno=-37", "TLS session: no TLSA matches", "",
		    NULL } },
	    "mx1.a.example dane validation-failure TLS session: no TLSA matches\n" },
	{ "DANE without STARTTLS", "a.example", "mx1.a.example", "1",
	    { BEGIN_NO, { "dane:fail", "", "starttls-not-supported", "", NULL },
		{ "tcp:close", "", "", "", NULL },
		{ "msg:host:defer", "errno=-38", NO_TLS, "", NULL } },
	    "mx1.a.example dane starttls-not-supported not offered\n" },
	{ "TLSA records that cannot be had", "a.example", "mx1.a.example", "1",
	    { { "dane:fail", "", "dnssec-invalid", "", NULL },
		{ "msg:host:defer", "errno=-33", "DANE error: tlsa lookup DEFER", "", NULL } },
	    "mx1.a.example dane dnssec-invalid DANE error: tlsa lookup DEFER\n" },
	{ "DANE required", "none.example", "mx1.a.example", "1",
	    { { "dane:fail", "", "dane-required", "", NULL },
		{ "msg:host:defer", "errno=-33", "DANE error: lookup not DNSSEC", "", NULL } },
	    "mx1.a.example dane dane-required DANE error: lookup not DNSSEC\n" },
	{ "DANE at a host of the attacker's own", "a.example", "evil.example", "1",
	    { { "tcp:connect", "", "", "", "MTA-STS: MX host evil.example" } },
	    "evil.example validation-failure mx-mismatch\n" },
	{ "testing, self-signed", "t.example", "mx1.a.example", "1",
	    { BEGIN, LEAF("untrusted", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "untrusted") },
	    "mx1.a.example certificate-not-trusted it is untrusted\n" },
	{ "testing, no STARTTLS", "t.example", "mx1.a.example", "1",
	    { BEGIN_NO, { "tcp:close", "", "", "", NULL } },
	    "mx1.a.example starttls-not-supported not offered\n" },
	{ "testing, 454 to STARTTLS and on in clear", "t.example", "mx1.a.example", "1",
	    { BEGIN, { "tcp:close", "", "", "", NULL } },
	    "mx1.a.example starttls-not-supported refused\n" },
	{ "testing, handshake fails, then a second connection in clear", "t.example",
	    "mx1.a.example", "1",
	    { BEGIN, CLOSE("", ""), DEFER("-37", "TLS session: (gnutls_handshake): closed", ""),
		{ "tcp:connect", "sni=mx1.a.example", "", "", NULL },
		{ "smtp:ehlo", "sni=mx1.a.example", EHLO_TLS, "", NULL },
		{ "tcp:close", "sni=mx1.a.example", "", "", NULL } },
	    "mx1.a.example validation-failure TLS session: (gnutls_handshake): closed\n" },
	{ "the same, and its SNI is forgotten", "t.example", "mx1.a.example", "1",
	    { BEGIN, CLOSE("", ""), DEFER("-37", "TLS session: (SSL_connect): closed", ""), BEGIN,
		{ "tcp:close", "", "", "", NULL } },
	    "mx1.a.example validation-failure TLS session: (SSL_connect): closed\n" },
	{ "testing, handshake fails at the host's second address", "t.example", "mx1.a.example",
	    "1",
	    { { "tcp:connect", "sni=mx1.a.example", "", "", NULL },
		{ "smtp:ehlo", "sni=mx1.a.example", EHLO_TLS, "", NULL }, CLOSE("", ""),
		DEFER("-37", "TLS session: (gnutls_handshake): closed", "") },
	    "mx1.a.example validation-failure TLS session: (gnutls_handshake): closed\n" },
	{ "a failure of another host", "a.example", "mx1.a.example", "1",
	    { BEGIN,
		{ "msg:host:defer", "ip=192.0.2.2,errno=111", "Connection refused", "", NULL } },
	    "" },
	{ "testing, MX not in the policy", "t.example", "evil.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "good") },
	    "evil.example validation-failure mx-mismatch\n" },
	{ "no policy", "free.example", "mx.free.example", "1",
	    { BEGIN, CA, LEAF("good", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "good") },
	    "mx.free.example success\n" },
	{ "no policy, self-signed", "free.example", "mx.free.example", "1",
	    { BEGIN, LEAF("untrusted", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "untrusted") },
	    "mx.free.example certificate-not-trusted it is untrusted\n" },
	{ "mode none", "none.example", "mx1.a.example", "1",
	    { BEGIN, LEAF("untrusted", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "untrusted") },
	    "mx1.a.example certificate-not-trusted it is untrusted\n" },
	{ "an address literal", "[192.0.2.1]", "192.0.2.1", "1",
	    { BEGIN, LEAF("untrusted", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "untrusted") }, "" },
	{ "store unreadable", "fault.example", "mx1.a.example", "1",
	    { { "tcp:connect", "", "", "", "MTA-STS: MTA-STS state of this host is unreadable" } },
	    "" },
	{ "store unreadable, passed on", "fault.example", "mx1.a.example", "1",
	    { { "tls:cert", "", "0", "good", "MTA-STS: MTA-STS state" } }, "" },
	{ "store unreadable, cache_fault = deliver", "open.example", "mx1.a.example", "1",
	    { BEGIN, LEAF("untrusted", NULL), UP("TLS1.3"), CLOSE("TLS1.3", "untrusted") },
	    "mx1.a.example certificate-not-trusted it is untrusted\n" },
	{ "MX records that cannot be had", "nomx.example", "mx1.a.example", "1",
	    { { "tcp:connect", "", "", "", "MTA-STS: MX host mx1.a.example" } },
	    "mx1.a.example validation-failure mx-mismatch\n" },
	{ "events that say nothing of a connection", "a.example", "mx1.a.example", "1",
	    { { "msg:delivery", "", "", "", NULL }, { "msg:rcpt:host:defer", "", "", "", NULL },
		{ "msg:complete", "", "", "", NULL }, { "smtp:ehlo", "", EHLO_NO, "", NULL },
		{ "tcp:close", "", "", "", NULL } },
	    "" },
};

/* The block with some of its variables changed. */
static void
put_block(struct buf *out, const struct replay *replay, const struct step *step)
{
	static const char *const names[] = { "event", "domain", "host", "ip", "port", "sip", "sni",
		"ver", "cv", "dane", "tlsa", "dnssec", "errno", "verify", "id" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = strcmp(names[i], "event") == 0    ? step->event
				    : strcmp(names[i], "domain") == 0 ? replay->domain
				    : strcmp(names[i], "host") == 0   ? replay->host
				    : strcmp(names[i], "ip") == 0     ? "192.0.2.1"
				    : strcmp(names[i], "id") == 0     ? replay->id
				    : strcmp(names[i], "dane") == 0   ? "no"
								      : "";
		struct span changes = span_of(step->vars);
		buf_printf(out, "%s=", names[i]);
		while (changes.n != 0) {
			struct span one = span_make(changes.p, span_find(changes, ','));
			size_t n = strlen(names[i]);
			changes = span_from(changes, one.n + 1);
			if (span_begins(one, names[i]) && one.n > n && one.p[n] == '=') {
				buf_put(out, span_from(one, n + 1));
				value = "";
			}
		}
		buf_printf(out, "%s\n", value);
	}
}

static const char *
block_of(const struct replay *replay, const struct step *step)
{
	static char block[2048];
	struct buf out;

	buf_init(&out, block, sizeof block);
	put_block(&out, replay, step);
	return block;
}

static const char *
base64_of(const struct step *step)
{
	static char base64[128];

	base64[0] = '\0';
	if (step->certificate[0] != '\0')
		EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)step->certificate,
		    (int)strlen(step->certificate));
	return base64;
}

static const char *
play(const struct replay *replay, const struct step *step)
{
	return call(mtasts_event, 3,
	    (const char *const[]){ block_of(replay, step), step->data, base64_of(step) });
}

START_TEST(connection)
{
	const struct replay *replay = &replays[_i];

	fake_reset(world);
	for (const struct step *step = replay->steps; step->event != NULL; step++) {
		const char *veto = play(replay, step);
		const char *wanted = step->veto != NULL ? step->veto : "";
		ck_assert_msg(strncmp(veto, wanted, strlen(wanted)) == 0 &&
				  (wanted[0] != '\0' || veto[0] == '\0'),
		    "%s: %s: \"%s\"", replay->name, step->event, veto);
	}
	ck_assert_msg(strcmp(fake.records, replay->records) == 0, "%s: records:\n%s", replay->name,
	    fake.records);
}
END_TEST

/* An event_action that does not give what is judged by. */
START_TEST(misconfigured)
{
	static const char no_id[] = "event=tcp:connect\ndomain=a.example\nhost=mx1.a.example\n"
				    "ip=192.0.2.1\nsip=\nver=\nsni=\nerrno=0\nverify=\n";
	static const char *const blocks[] = { "", "event=tcp:connect\n",
		"domain=a.example\nhost=mx1.a.example\n", "garbage", no_id };

	fake_reset(world);
	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		ck_assert_str_ne(
		    call(mtasts_event, 3, (const char *const[]){ blocks[i], "", "" }), "");
	ck_assert_str_ne(call(mtasts_event, 0, NULL), "");
}
END_TEST

/* ---- routing ---- */

static const struct {
	const char *domain, *age, *id, *verify, *answer, *records;
} routes[] = {
	{ "a.example", "0", "1", "", "", "" },
	{ "free.example", "0", "1", "", "", "" },
	{ "none.example", "0", "1", "", "", "" },
	{ "t.example", "0", "1", "", "", "" },
	{ "unknown.example", "0", "1", "", "", "" },
	{ "[192.0.2.1]", "0", "1", "", "", "" },
	{ "badmx.example", "0", "1", "",
	    ":defer: 451 4.4.8 MX hosts of 'badmx.example' failed MTA-STS validation; will retry",
	    "mx1.a.example validation-failure mx-mismatch\n"
	    "mx2.a.example validation-failure mx-mismatch\n" },
	{ "badmx.example", "0", "", "R",
	    ":defer: 451 4.4.8 MX hosts of 'badmx.example' failed MTA-STS validation; will retry",
	    "" },
	{ "badmx.example", "0", "1", "R",
	    ":defer: 451 4.4.8 MX hosts of 'badmx.example' failed MTA-STS validation; will retry",
	    "" },
	{ "badmx.example", "90000", "1", "",
	    ":defer: 451 4.4.8 MX hosts of 'badmx.example' failed MTA-STS validation; will retry",
	    "mx1.a.example validation-failure mx-mismatch\n"
	    "mx2.a.example validation-failure mx-mismatch\n" },
	{ "oldbadmx.example", "90000", "1", "",
	    ":fail: 550 5.4.8 MX hosts of 'oldbadmx.example' failed MTA-STS validation.",
	    "mx1.a.example validation-failure mx-mismatch\n" },
	{ "oldbadmx.example", "-90000", "1", "",
	    ":defer: 451 4.4.8 MX hosts of 'oldbadmx.example' failed MTA-STS validation; "
	    "will retry",
	    "mx1.a.example validation-failure mx-mismatch\n" },
	{ "mended.example", "90000", "1", "", "", "" },
	{ "given-up.example", "90000", "1", "", "", "" },
	{ "struck.example", "0", "1", "", "", "" },
	{ "struck.example", "90000", "1", "",
	    ":fail: 550 5.7.5 Remote certificate failed MTA-STS validation. "
	    "Reason: certificate-expired",
	    "" },
	{ "evil.a.example", "0", "1", "", "", "evil.example validation-failure mx-mismatch\n" },
	{ "nomx.example", "0", "1", "",
	    ":defer: 451 4.4.3 MX hosts of 'nomx.example' could not be looked up; will retry", "" },
	{ "nowhere.example", "0", "1", "", "", "" },
	{ "null.example", "0", "1", "", "", "" },
	{ "fault.example", "0", "1", "",
	    ":defer: 451 4.3.0 MTA-STS state of this host is unreadable", "" },
	{ "open.example", "0", "1", "", "", "" },
	{ "", "0", "1", "", ":defer: 451 4.3.0 mtasts_route was given no domain", "" },
	{ "m\303\274nchen.example", "0", "1", "",
	    ":defer: 451 4.3.0 the name of the domain is not in A-labels", "" },
};

START_TEST(routing)
{
	fake_reset(world);
	const char *answer =
	    route(routes[_i].domain, routes[_i].age, routes[_i].id, routes[_i].verify);
	ck_assert_str_eq(answer, routes[_i].answer);
	ck_assert_msg(strcmp(fake.records, routes[_i].records) == 0, "%s: records:\n%s",
	    routes[_i].domain, fake.records);
}
END_TEST

START_TEST(routing_unknown)
{
	fake_reset(world);
	fake.defer_on_unknown = true;
	ck_assert_str_eq(route("unknown.example", "0", "1", ""),
	    ":defer: 451 4.4.3 MTA-STS policy of 'unknown.example' could not be found out; "
	    "will retry");
	ck_assert_str_eq(require("unknown.example"), "*");
}
END_TEST

/* Fifty recipients of one message in one domain: one look-up, one record a host. */
START_TEST(routing_many)
{
	fake_reset(world);
	for (int i = 0; i < 50; i++)
		route("badmx.example", "0", "1", "");
	ck_assert_int_eq(fake.lookups, 1);
	ck_assert_int_eq(fake.mx_lookups, 1);
	ck_assert_str_eq(fake.records, "mx1.a.example validation-failure mx-mismatch\n"
				       "mx2.a.example validation-failure mx-mismatch\n");
	route("badmx.example", "0", "2", "");
	ck_assert_str_eq(fake.records, "mx1.a.example validation-failure mx-mismatch\n"
				       "mx2.a.example validation-failure mx-mismatch\n"
				       "mx1.a.example validation-failure mx-mismatch\n"
				       "mx2.a.example validation-failure mx-mismatch\n");
}
END_TEST

/*
 * A router asks again after a minute.  What it then does not find out any more (max_age 0, a full
 * disk) does not end the policy by which an address of this message was routed before.
 */
static const struct fake_domain lost[][2] = {
	{ { .name = "a.example", .state = MTASTS_UNKNOWN, .hosts = { MX1 } }, { .name = NULL } },
	{ { .name = "a.example", .state = MTASTS_ABSENT, .hosts = { MX1 } }, { .name = NULL } },
	{ { .name = "a.example", .state = MTASTS_FAULT, .fault_delivers = true, .hosts = { MX1 } },
	    { .name = NULL } },
};

START_TEST(routing_lost)
{
	fake_reset(world);
	ck_assert_str_eq(route("a.example", "0", "1", ""), "");
	ask_routing_ms = -1;
	fake_reset(lost[_i]);
	ck_assert_str_eq(route("a.example", "0", "1", ""), "");
	ck_assert_int_eq(fake.lookups, 1);
	ck_assert_str_eq(require("a.example"), "*");
}
END_TEST

static const struct fake_domain given_up[] = {
	{ .name = "a.example",
	    .state = MTASTS_PUBLISHED,
	    .body = POLICY("none", ""),
	    .hosts = { MX1 } },
	{ .name = NULL },
};

START_TEST(routing_replaced)
{
	fake_reset(world);
	ck_assert_str_eq(require("a.example"), "*");
	ask_routing_ms = -1;
	fake_reset(given_up);
	ck_assert_str_eq(route("a.example", "0", "1", ""), "");
	ck_assert_str_eq(require("a.example"), "");
}
END_TEST

START_TEST(broken)
{
	fake_reset(world);
	fake.broken = true;
	ck_assert_str_eq(route("a.example", "0", "1", ""),
	    ":defer: 451 4.3.0 MTA-STS is out of order on this host");
	ck_assert_str_eq(require("a.example"), "*");
	ck_assert_str_eq(ignore("a.example", ";"), "*");
	ck_assert_str_ne(play(&replays[0], &replays[0].steps[0]), "");
}
END_TEST

/* ---- lists ---- */

static const struct {
	const char *domain, *list;
} required[] = {
	{ "a.example", "*" },
	{ "badmx.example", "*" },
	{ "t.example", "" },
	{ "none.example", "" },
	{ "free.example", "" },
	{ "unknown.example", "" },
	{ "fault.example", "*" },
	{ "open.example", "" },
	{ "[192.0.2.1]", "" },
	{ "m\303\274nchen.example", "*" },
	{ "", "*" },
};

START_TEST(requiring)
{
	fake_reset(world);
	ck_assert_str_eq(require(required[_i].domain), required[_i].list);
}
END_TEST

START_TEST(requiring_nothing)
{
	unsigned char *none[] = { NULL };
	unsigned char *yield = NULL;

	fake_reset(world);
	ck_assert_str_eq(call(mtasts_require, 0, NULL), "*");
	ck_assert_int_eq(mtasts_require(&yield, 1, none), 0);
	ck_assert_str_eq((char *)yield, "*");
	ck_assert_int_eq(mtasts_require(NULL, 0, NULL), 0);
}
END_TEST

START_TEST(over_long)
{
	char name[3000];

	fake_reset(world);
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert_str_eq(require(name), "*");
	ck_assert_str_eq(require(name), "*");
	ck_assert_str_eq(
	    route(name, name, name, ""), ":defer: 451 4.3.0 the name of the domain is too long");
	ck_assert_str_eq(ignore(name, name), "*");
	ck_assert_int_eq(fake.lookups, 0);
}
END_TEST

static const struct {
	const char *domain, *separator, *list;
} ignored[] = {
	{ "a.example", ":",
	    "^(?!(?i)(mx1\\.a\\.example|mx2\\.a\\.example)$) : !@[] : !^(?i)mx1\\.a\\.example$ : "
	    "!^(?i)mx2\\.a\\.example$ : *" },
	{ "a.example", "",
	    "^(?!(?i)(mx1\\.a\\.example|mx2\\.a\\.example)$) : !@[] : !^(?i)mx1\\.a\\.example$ : "
	    "!^(?i)mx2\\.a\\.example$ : *" },
	{ "a.example", ";",
	    "^(?!(?i)(mx1\\.a\\.example|mx2\\.a\\.example)$) ; !@[] ; !^(?i)mx1\\.a\\.example$ ; "
	    "!^(?i)mx2\\.a\\.example$ ; *" },
	{ "a.example", ")",
	    "^(?!(?i)(mx1\\.a\\.example|mx2\\.a\\.example)$) : !@[] : !^(?i)mx1\\.a\\.example$ : "
	    "!^(?i)mx2\\.a\\.example$ : *" },
	{ "evil.a.example", ";",
	    "^(?!(?i)(mx1\\.a\\.example|late\\.example)$) ; !@[] ; !^(?i)mx1\\.a\\.example$ ; *" },
	{ "aonly.example", ";", "^(?!(?i)(aonly\\.example)$) ; !@[] ; !^(?i)aonly\\.example$ ; *" },
	{ "alias.example", ";",
	    "^(?!(?i)(mail\\.alias\\.example)$) ; !@[] ; !^(?i)mail\\.alias\\.example$ ; *" },
	{ "badmx.example", ";", "*" },
	{ "nomx.example", ";", "*" },
	{ "fault.example", ";", "*" },
	{ "", ";", "*" },
	{ "t.example", ";", "" },
	{ "none.example", ";", "" },
	{ "free.example", ";", "" },
	{ "open.example", ";", "" },
};

START_TEST(ignoring)
{
	fake_reset(world);
	ck_assert_str_eq(ignore(ignored[_i].domain, ignored[_i].separator), ignored[_i].list);
}
END_TEST

/* ---- processes ---- */

/*
 * The router's process is told; by the time its transport runs the store has lost everything and
 * the network with it.
 */
START_TEST(inherited)
{
	static const struct fake_domain nothing[] = { { .name = NULL } };
	int status = -1;

	fake_reset(world);
	ck_assert_str_eq(route("a.example", "0", "1", ""), "");
	pid_t pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		fake_reset(nothing);
		bool same =
		    strcmp(require("a.example"), "*") == 0 &&
		    strcmp(play(&replays[WRONG_NAME], &replays[WRONG_NAME].steps[0]), "") == 0 &&
		    strcmp(play(&replays[WRONG_NAME], &replays[WRONG_NAME].steps[2]), "") == 0 &&
		    strstr(play(&replays[WRONG_NAME], &replays[WRONG_NAME].steps[4]),
			"host-mismatch") != NULL &&
		    fake.lookups == 0 && fake.mx_lookups == 0;
		_exit(same ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(require("a.example"), "*");
}
END_TEST

/* More domains than are remembered: those of long ago are asked for again, and rightly. */
START_TEST(bounded)
{
	char name[32];

	fake_reset(world);
	ck_assert_str_eq(require("a.example"), "*");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_str_eq(require(name), "");
	}
	ck_assert_int_eq(fake.lookups, 1001);
	ck_assert_str_eq(require("a.example"), "*");
	ck_assert_int_eq(fake.lookups, 1002);
}
END_TEST

/* ---- memory ---- */

/* Without a check's own allocations. */
static const char *
plain_call(function *f, int argc, const char *const *args)
{
	char storage[4][2048];
	unsigned char *argv[5] = { NULL }, *yield = NULL;

	for (int i = 0; i < argc; i++) {
		snprintf(storage[i], sizeof storage[i], "%s", args[i]);
		argv[i] = (unsigned char *)storage[i];
	}
	return f(&yield, argc, argv) == 0 && yield != NULL ? (const char *)yield : "no answer";
}

/* A delivery with a certificate for another host, the n-th allocation failing and all after it. */
static bool
is_safe_without_memory(size_t n)
{
	const struct replay *replay = &replays[WRONG_NAME];
	bool is_safe, is_vetoed = false;

	nomem_after(n);
	const char *answer =
	    plain_call(mtasts_route, 4, (const char *const[]){ replay->domain, "0", "1", "" });
	is_safe = answer[0] == '\0' || strncmp(answer, ":defer: 451 4.3.0 ", 18) == 0;
	answer = plain_call(mtasts_require, 1, &replay->domain);
	is_safe = is_safe && strcmp(answer, "*") == 0;
	answer = plain_call(mtasts_ignore, 2, (const char *const[]){ replay->domain, ";" });
	is_safe = is_safe && answer[0] != '\0' && answer[strlen(answer) - 1] == '*';
	for (const struct step *step = replay->steps; step->event != NULL; step++) {
		answer = plain_call(mtasts_event, 3,
		    (const char *const[]){ block_of(replay, step), step->data, base64_of(step) });
		is_vetoed = is_vetoed || answer[0] != '\0';
	}
	return is_safe && is_vetoed;
}

/* 0: safe; 1: not; 2: safe, and there was memory enough. */
static int
try_without_memory(size_t n)
{
	int status = -1;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		bool is_safe = is_safe_without_memory(n);
		size_t asked = nomem_end();
		_exit(!is_safe ? 1 : asked <= n ? 2 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(no_memory)
{
	size_t n = 0;
	int result = 0;

	fake_reset(world);
	while (n < 1000 && (result = try_without_memory(n)) == 0)
		n++;
	ck_assert_msg(result == 2 && n > 10, "allocation %zu: %d", n, result);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("exim_plugin");
	TCase *plugin = tcase_create("plugin"); /* each test in a process of its own */

	tcase_add_loop_test(plugin, connection, 0, sizeof replays / sizeof replays[0]);
	tcase_add_test(plugin, misconfigured);
	tcase_add_loop_test(plugin, routing, 0, sizeof routes / sizeof routes[0]);
	tcase_add_test(plugin, routing_unknown);
	tcase_add_test(plugin, routing_many);
	tcase_add_loop_test(plugin, routing_lost, 0, sizeof lost / sizeof lost[0]);
	tcase_add_test(plugin, routing_replaced);
	tcase_add_test(plugin, broken);
	tcase_add_loop_test(plugin, requiring, 0, sizeof required / sizeof required[0]);
	tcase_add_test(plugin, requiring_nothing);
	tcase_add_test(plugin, over_long);
	tcase_add_loop_test(plugin, ignoring, 0, sizeof ignored / sizeof ignored[0]);
	tcase_add_test(plugin, inherited);
	tcase_add_test(plugin, bounded);
	tcase_add_test(plugin, no_memory);
	suite_add_tcase(suite, plugin);
	return unit_main(suite);
}
