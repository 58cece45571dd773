/* SPDX-License-Identifier: ISC
 *
 * One connection of Exim's smtp transport as a state machine: events in, a veto or none and at
 * most one record out.  Knows the policy, the names and the certificates only by the world it is
 * given, so that a test or a fuzzer can be that world.
 *
 *	tcp:connect -> smtp:connect -> smtp:ehlo -> tls:cert (depth n..0) -> smtp:ehlo
 *	    -> tcp:close [-> msg:host:defer]
 *
 * A connection that failed before it was one raises tcp:connect and msg:host:defer alone; one that
 * another process passed on begins with tls:cert; DANE may fail before tcp:connect (dane:fail).
 * GnuTLS shows every certificate of the peer, OpenSSL those that have verified so far and in
 * the end, as the peer's certificate, the one that did not.
 */
#ifndef EXIM_SESSION_H
#define EXIM_SESSION_H

#include <stdbool.h>

#include "base/domain.h"
#include "base/limits.h"
#include "base/span.h"
#include "mtasts.h"

enum session_kind {
	SESSION_CONNECT,    /* tcp:connect: about to connect */
	SESSION_BANNER,	    /* smtp:connect */
	SESSION_EHLO,	    /* smtp:ehlo: in clear, and again when TLS is up */
	SESSION_CERT,	    /* tls:cert: one of the peer's, at depth data */
	SESSION_CLOSE,	    /* tcp:close */
	SESSION_HOST_DEFER, /* msg:host:defer: data says why */
	SESSION_DANE_FAIL   /* dane:fail: data is the result type */
};

/* What Exim knew at that moment.  Borrowed; empty: not known. */
struct session_event {
	enum session_kind kind;
	struct span domain, host, ip, local_ip;
	struct span version;		/* of TLS, when it is up */
	struct span sni;		/* was sent, or is about to be */
	struct span data;		/* $event_data */
	struct mtasts_certificate peer; /* $tls_out_peercert; n 0: none */
	int tlsa;			/* not 0: DANE applies to this host */
	bool dane;			/* DANE authenticated it */
	int error;			/* Exim's, of SESSION_HOST_DEFER */
	bool delivering;		/* a message is: not a callout, not a test */
};

/* Whom the mail is for and by which name the host is one of his.  policy is the session's now. */
struct session_target {
	struct mtasts_policy *policy; /* NULL: the domain can have none */
	char mx_host[DOMAIN_MAX + 1]; /* the MX record's name; "" when no MX leads to the host */
	int mx_secure;
	char closed[MTASTS_TEXT_MAX]; /* why nothing may be sent whatever the host; "" it may */
};

struct session_world {
	void *arg;
	/* domain and host are not empty; *target is zeroed and "closed" when in doubt */
	void (*look)(
	    void *arg, const char *domain, const char *host, struct session_target *target);
	enum mtasts_tls (*check)(void *arg, const struct mtasts_certificate *chain, size_t n,
	    const char *mx_host, char *reason, size_t cap);
	void (*record)(void *arg, const struct mtasts_policy *policy,
	    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict);
};

enum { SESSION_WORD = 64, SESSION_REASON = 256 };

struct session_certificate {
	unsigned char *der;
	size_t n;
};

struct session {
	bool open; /* begun, and its record neither written nor given up */
	char domain[DOMAIN_MAX + 1];
	char host[DOMAIN_MAX + 1];
	char ip[SESSION_WORD];
	struct session_target target;

	char helo[DOMAIN_MAX + 3];
	char local_ip[SESSION_WORD];
	bool greeted;	/* has answered EHLO */
	bool offered;	/* STARTTLS */
	bool stale_sni; /* what Exim calls the SNI was there before: it tells nothing */
	bool handshake; /* has begun */
	bool up;	/* EHLO was answered over TLS */
	char version[SESSION_WORD];

	struct session_certificate chain[LIMIT_CERTIFICATES]; /* by depth */
	int depth;					      /* the last one shown; -1: none */
	bool judged;
	enum mtasts_tls tls; /* the certificate's, when judged */
	char reason[SESSION_REASON];

	bool dane;	  /* applies */
	bool dane_failed; /* Exim said so */
	enum mtasts_finding dane_finding;

	/* The last host whose handshake failed: Exim may come again in clear (once). */
	char failed_domain[DOMAIN_MAX + 1];
	char failed_ip[SESSION_WORD];
	bool in_clear; /* this is that second connection: the failure is recorded already */

	char veto[MTASTS_TEXT_MAX];
};

/* Zero it first.  The text of a veto, or ""; good until the next call. */
const char *session_step(
    struct session *s, const struct session_world *world, const struct session_event *event);
void session_clear(struct session *s);

#endif
