/* SPDX-License-Identifier: ISC
 *
 * RFC 8461 4 at Exim's events, and the one record of RFC 8460 4.3 each connection leaves.
 *
 * A veto is a second lock: what holds is hosts_require_tls and tls_verify_hosts (require.c).
 * Exim honours one at tcp:connect always; at tls:cert with GnuTLS always, with OpenSSL where
 * verification is required; elsewhere never, so there is none elsewhere.
 */
#include "exim/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "exim/reply.h"

/* Exim's own error numbers (its macros.h), the same in every version. */
enum { EXIM_TLS_FAILURE = -37, EXIM_TLS_REQUIRED = -38 };

/* A name that does not fit is no name. */
static void
keep_name(char out[DOMAIN_MAX + 1], struct span s)
{
	buf_keep(out, DOMAIN_MAX + 1, s.n <= DOMAIN_MAX ? s : span_of(""));
}

static void
forget_chain(struct session *s)
{
	for (size_t i = 0; i < LIMIT_CERTIFICATES; i++) {
		free(s->chain[i].der);
		s->chain[i] = (struct session_certificate){ .der = NULL };
	}
	s->depth = -1;
}

void
session_clear(struct session *s)
{
	struct session empty = { .depth = -1 };

	forget_chain(s);
	mtasts_policy_free(s->target.policy);
	*s = empty;
}

/* ---- the beginning ---- */

static bool
is_same_host(const struct session *s, const struct session_event *event)
{
	return span_is(event->ip, s->ip) && span_is(event->domain, s->domain);
}

static void
begin(struct session *s, const struct session_world *world, const struct session_event *event)
{
	struct session old = *s;
	bool again = old.failed_ip[0] != '\0' && span_is(event->ip, old.failed_ip) &&
		     span_is(event->domain, old.failed_domain);

	session_clear(s);
	s->open = true;
	s->in_clear = again && event->kind == SESSION_CONNECT;
	keep_name(s->domain, event->domain);
	keep_name(s->host, event->host);
	buf_keep(s->ip, sizeof s->ip, event->ip);
	s->stale_sni = event->kind == SESSION_CONNECT && event->sni.n != 0;
	if (s->domain[0] == '\0' || s->host[0] == '\0')
		buf_keep(s->target.closed, sizeof s->target.closed,
		    span_of("the transport does not say for which one domain this is"));
	else
		world->look(world->arg, s->domain, s->host, &s->target);
}

/* ---- what is known, as an attempt ---- */

static struct mtasts_verdict
verdict_of(const struct session *s, const struct mtasts_attempt *attempt)
{
	struct mtasts_attempt judged = *attempt;

	if (s->target.closed[0] != '\0')
		return (
		    struct mtasts_verdict){ .need_tls = 1, .finding = MTASTS_VALIDATION_FAILURE };
	if (s->target.policy == NULL)
		return (struct mtasts_verdict){ .deliver = 1 };
	judged.mx_host = s->target.mx_host[0] != '\0' ? s->target.mx_host : NULL;
	return mtasts_judge(s->target.policy, &judged);
}

static struct mtasts_attempt
attempt_of(const struct session *s, enum mtasts_tls tls, const char *detail)
{
	return (struct mtasts_attempt){
		.mx_host = s->target.mx_host[0] != '\0' ? s->target.mx_host : s->host,
		.tls = tls,
		.mx_ip = s->ip[0] != '\0' ? s->ip : NULL,
		.mx_helo = s->helo[0] != '\0' ? s->helo : NULL,
		.local_ip = s->local_ip[0] != '\0' ? s->local_ip : NULL,
		.detail = detail != NULL && detail[0] != '\0' ? detail : NULL,
		.mx_secure = s->target.mx_secure,
		.dane_failed = s->dane_failed,
		.dane_finding = s->dane_finding,
	};
}

/* RFC 8461 4.1, before anything is known of TLS. */
static bool
is_name_refused(const struct session *s)
{
	struct mtasts_attempt attempt = { .tls = MTASTS_TLS_UNTRIED,
		.mx_secure = s->target.mx_secure };

	return !verdict_of(s, &attempt).deliver;
}

/* T4.3.2: in mode testing too a host outside the policy has a reason code of its own. */
static bool
is_name_wrong(const struct session *s)
{
	struct mtasts_attempt attempt = { .tls = MTASTS_TLS_UNTRIED,
		.mx_secure = s->target.mx_secure };

	return verdict_of(s, &attempt).finding != MTASTS_NOTHING_WRONG;
}

/* Exim must not go on in clear. */
static bool
needs_tls(const struct session *s)
{
	struct mtasts_attempt attempt = { .tls = MTASTS_TLS_UNTRIED };

	return verdict_of(s, &attempt).need_tls;
}

/* The end of the session: its one record, where a message was being delivered. */
static void
finish(struct session *s, const struct session_world *world, const struct session_event *event,
    struct mtasts_attempt attempt)
{
	s->open = false;
	if (s->in_clear && !s->handshake && !needs_tls(s))
		return; /* the first of the two connections is on record */
	if (!event->delivering || s->target.policy == NULL || s->target.closed[0] != '\0')
		return;
	if (is_name_wrong(s) && !attempt.dane_failed)
		attempt.detail = "mx-mismatch";
	world->record(world->arg, s->target.policy, &attempt, verdict_of(s, &attempt));
}

/* ---- the certificate ---- */

static void
put_certificate(struct session *s, int depth, const struct mtasts_certificate *peer)
{
	struct session_certificate *slot;

	s->depth = depth;
	if (depth < 0 || depth >= LIMIT_CERTIFICATES)
		return;
	slot = &s->chain[depth];
	free(slot->der);
	*slot = (struct session_certificate){ .der = NULL };
	if (peer->n == 0 || peer->n > LIMIT_CERTIFICATE)
		return;
	slot->der = malloc(peer->n);
	if (slot->der == NULL)
		return; /* no certificate: judged as such */
	memcpy(slot->der, peer->der, peer->n);
	slot->n = peer->n;
}

/* The host's own certificate and whatever others were shown, in the order of their depths. */
static void
judge_certificate(struct session *s, const struct session_world *world)
{
	struct mtasts_certificate chain[LIMIT_CERTIFICATES];
	size_t n = 0;

	s->judged = true;
	s->tls = MTASTS_TLS_FAILED;
	buf_keep(s->reason, sizeof s->reason, span_of("no certificate"));
	if (s->chain[0].n == 0 || s->target.closed[0] != '\0')
		return;
	for (size_t i = 0; i < LIMIT_CERTIFICATES; i++) {
		if (s->chain[i].n != 0)
			chain[n++] = (struct mtasts_certificate){ .der = s->chain[i].der,
				.n = s->chain[i].n };
	}
	s->tls = world->check(world->arg, chain, n,
	    s->target.mx_host[0] != '\0' ? s->target.mx_host : s->host, s->reason,
	    sizeof s->reason);
}

/*
 * OpenSSL's Exim keeps the certificate that failed and shows it only afterwards.  It is the host's
 * own when the one above it was the last to verify.  Otherwise which one it is can only be
 * guessed, and of the guess only what is true of any certificate is taken: not its name.
 */
static void
judge_failed(
    struct session *s, const struct session_world *world, const struct session_event *event)
{
	bool own = s->depth == 1;

	if (s->judged || event->peer.n == 0 || s->depth == 0)
		return;
	put_certificate(s, 0, &event->peer);
	judge_certificate(s, world);
	if (!own && s->tls != MTASTS_TLS_EXPIRED && s->tls != MTASTS_TLS_UNTRUSTED)
		s->judged = false;
}

/* ---- texts ---- */

static const char *
veto(struct session *s, const char *what, const char *why)
{
	struct buf text;

	buf_init(&text, s->veto, sizeof s->veto);
	buf_puts(&text, "MTA-STS: ");
	buf_puts(&text, what);
	buf_puts(&text, why[0] != '\0' ? ": " : "");
	buf_put_escaped(&text, span_of(why), LIMIT_LOG_REMOTE, false);
	return s->veto;
}

static const char *
veto_name(struct session *s)
{
	struct buf what;
	char storage[2 * DOMAIN_MAX + 64];

	if (s->target.closed[0] != '\0')
		return veto(s, s->target.closed, "");
	buf_init(&what, storage, sizeof storage);
	buf_puts(&what, "MX host ");
	buf_put_escaped(&what, span_of(s->target.mx_host[0] != '\0' ? s->target.mx_host : s->host),
	    DOMAIN_MAX, true);
	buf_puts(&what, " is not in the policy of ");
	buf_put_escaped(&what, span_of(s->domain), DOMAIN_MAX, true);
	return veto(s, storage, "");
}

/* ---- events ---- */

static const char *
on_connect(struct session *s, const struct session_world *world, const struct session_event *event)
{
	begin(s, world, event);
	if (!is_name_refused(s))
		return "";
	finish(s, world, event, attempt_of(s, MTASTS_TLS_UNTRIED, NULL));
	return veto_name(s);
}

static void
on_greeting(struct session *s, const struct session_event *event)
{
	struct span name = reply_name(event->data);

	if (!s->open)
		return;
	if (name.n != 0)
		buf_keep(s->helo, sizeof s->helo, name);
	if (event->kind == SESSION_BANNER)
		return;
	s->greeted = true;
	if (event->version.n != 0)
		s->up = true;
	else if (reply_offers_starttls(event->data))
		s->offered = true;
}

static const char *
on_certificate(
    struct session *s, const struct session_world *world, const struct session_event *event)
{
	struct mtasts_attempt attempt;
	uint64_t depth;

	if (!s->open || !is_same_host(s, event))
		begin(s, world, event);
	s->handshake = true;
	s->dane = event->tlsa != 0;
	if (is_name_refused(s))
		return veto_name(s);
	if (span_u64(event->data, 3, 999, &depth) != 0)
		return veto(s, "no depth with a certificate", "");
	put_certificate(s, (int)depth, &event->peer);
	if (depth != 0)
		return "";
	judge_certificate(s, world);
	attempt = attempt_of(s, s->tls, s->reason);
	attempt.dane = s->dane; /* Exim will not go on unless it succeeds */
	struct mtasts_verdict verdict = verdict_of(s, &attempt);
	if (verdict.deliver)
		return "";
	const char *token = mtasts_finding_token(verdict.finding);
	return veto(s, token != NULL ? token : "certificate refused", s->reason);
}

/* R7.2.1: less than TLS 1.2 is refused.  "TLS1.3" (GnuTLS), "TLSv1.2" (OpenSSL). */
static bool
is_old_version(const char *version)
{
	struct span s = span_of(version);

	if (span_begins(s, "TLSv"))
		s = span_from(s, 4);
	else if (span_begins(s, "TLS"))
		s = span_from(s, 3);
	return !span_is(s, "1.2") && !span_is(s, "1.3");
}

/* TLS was up: what the session was worth. */
static struct mtasts_attempt
attempt_up(struct session *s, const struct session_world *world, const struct session_event *event)
{
	struct mtasts_attempt attempt;

	if (!s->judged) { /* a resumed session shows no certificates, but may remember one */
		put_certificate(s, 0, &event->peer);
		judge_certificate(s, world);
	}
	attempt = attempt_of(s, s->tls, s->reason);
	if (is_old_version(s->version)) {
		attempt.tls = MTASTS_TLS_FAILED;
		attempt.detail = s->version;
	}
	attempt.dane = (s->dane || event->tlsa != 0) && event->dane && !s->dane_failed;
	return attempt;
}

/*
 * The connection is over.  Where TLS failed Exim says why in msg:host:defer, so that is waited
 * for; but where it may go on in clear after a refused STARTTLS there may be none to come.
 */
static void
on_close(struct session *s, const struct session_world *world, const struct session_event *event)
{
	bool may_be_clear = !needs_tls(s) && !s->dane && !s->dane_failed;

	if (!s->open)
		return;
	if (s->up)
		finish(s, world, event, attempt_up(s, world, event));
	else if (s->greeted && !s->offered)
		finish(s, world, event, attempt_of(s, MTASTS_TLS_NOT_OFFERED, "not offered"));
	else if (s->offered && !s->handshake && !s->stale_sni && may_be_clear)
		finish(s, world, event, attempt_of(s, MTASTS_TLS_NOT_OFFERED, "refused"));
}

/* A session that came to nothing, by Exim's words and numbers. */
static struct mtasts_attempt
attempt_failed(
    struct session *s, const struct session_world *world, const struct session_event *event)
{
	if (s->dane_failed)
		return attempt_of(s, MTASTS_TLS_FAILED, NULL);
	if (event->error == EXIM_TLS_REQUIRED)
		return attempt_of(s, MTASTS_TLS_NOT_OFFERED, NULL);
	if (event->error == EXIM_TLS_FAILURE || s->handshake) {
		judge_failed(s, world, event);
		if (s->judged && s->tls != MTASTS_TLS_VERIFIED)
			return attempt_of(s, s->tls, s->reason);
		if (s->judged && event->error != EXIM_TLS_FAILURE && s->version[0] != '\0')
			return attempt_of(s, MTASTS_TLS_VERIFIED, NULL); /* lost later on */
		return attempt_of(s, MTASTS_TLS_FAILED, NULL);
	}
	if (s->offered) /* lost between STARTTLS and the handshake, or a 4yz to it */
		return attempt_of(s, MTASTS_TLS_FAILED, NULL);
	return attempt_of(s, MTASTS_TLS_UNREACHED, NULL);
}

/* "SMTP error from remote mail server after STARTTLS: 454 ..." (tls_tempfail_tryclear = false) */
static bool
is_starttls_refused(struct span words)
{
	static const char after[] = "after STARTTLS: ";
	size_t n = sizeof after - 1;

	for (size_t i = 0; i + n < words.n; i++) {
		struct span rest = span_from(words, i);
		if (span_begins(rest, after))
			return rest.p[n] == '4' || rest.p[n] == '5';
	}
	return false;
}

static void
on_host_defer(
    struct session *s, const struct session_world *world, const struct session_event *event)
{
	char words[LIMIT_DETAIL];
	struct mtasts_attempt attempt;

	if (s->open && !is_same_host(s, event))
		s->open = false;
	if (!s->open) {
		if (event->error != EXIM_TLS_REQUIRED || is_same_host(s, event))
			return;		/* recorded before */
		begin(s, world, event); /* passed on in clear, and no TLS to be had */
	}
	buf_keep(words, sizeof words, event->data);
	attempt = attempt_failed(s, world, event);
	if (attempt.tls == MTASTS_TLS_FAILED && !s->handshake && !s->dane_failed &&
	    is_starttls_refused(event->data))
		attempt.tls = MTASTS_TLS_NOT_OFFERED;
	if (attempt.detail == NULL)
		attempt.detail = words;
	finish(s, world, event, attempt);
	if (event->error == EXIM_TLS_FAILURE) {
		buf_keep(s->failed_ip, sizeof s->failed_ip, event->ip);
		keep_name(s->failed_domain, event->domain);
	}
}

static void
on_dane_fail(
    struct session *s, const struct session_world *world, const struct session_event *event)
{
	if (!s->open || !is_same_host(s, event))
		begin(s, world, event);
	s->dane_failed = true;
	s->dane_finding = MTASTS_VALIDATION_FAILURE;
	for (int i = MTASTS_NOTHING_WRONG + 1; i <= MTASTS_DANE_REQUIRED; i++) {
		const char *token = mtasts_finding_token((enum mtasts_finding)i);
		if (token != NULL && span_is(event->data, token))
			s->dane_finding = (enum mtasts_finding)i;
	}
}

static void
remember(struct session *s, const struct session_event *event)
{
	if (event->local_ip.n != 0)
		buf_keep(s->local_ip, sizeof s->local_ip, event->local_ip);
	if (event->version.n != 0)
		buf_keep(s->version, sizeof s->version, event->version);
	if (event->sni.n != 0 && !s->stale_sni)
		s->handshake = true;
}

const char *
session_step(
    struct session *s, const struct session_world *world, const struct session_event *event)
{
	const char *text = "";

	if (event->kind == SESSION_CONNECT)
		return on_connect(s, world, event);
	if (event->kind == SESSION_CERT)
		text = on_certificate(s, world, event);
	if (s->open)
		remember(s, event);
	switch (event->kind) {
	case SESSION_CONNECT:
	case SESSION_CERT:
		break;
	case SESSION_BANNER:
	case SESSION_EHLO:
		on_greeting(s, event);
		break;
	case SESSION_CLOSE:
		on_close(s, world, event);
		break;
	case SESSION_HOST_DEFER:
		on_host_defer(s, world, event);
		break;
	case SESSION_DANE_FAIL:
		on_dane_fail(s, world, event);
		break;
	}
	return text;
}
