/* SPDX-License-Identifier: ISC
 *
 * Judge and decide are the engine's; here sendmail's words become an attempt, and a decision
 * becomes words that sendmail's rulesets do not take apart.
 */
#include "socketmap/verdict.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "socketmap/told.h"

struct verdict {
	struct told *told;
};

struct verdict *
verdict_new(void)
{
	struct verdict *verdict = mem_zero(1, sizeof *verdict);

	if (verdict == NULL)
		return NULL;
	verdict->told = told_new();
	if (verdict->told != NULL)
		return verdict;
	free(verdict);
	return NULL;
}

void
verdict_free(struct verdict *verdict)
{
	if (verdict != NULL)
		told_free(verdict->told);
	free(verdict);
}

/* ---- what sendmail saw ---- */

struct seen {
	struct mtasts_attempt attempt;
	bool is_ours; /* our own trouble: judged, and not reported */
	char detail[48];
};

/* R7.2.1 */
static bool
is_old_version(struct span version)
{
	return !span_is(version, "TLSv1.2") && !span_is(version, "TLSv1.3");
}

/* A certificate that sendmail's CAs vouch for: the name is for us to look at, by RFC 8461 4.2. */
static void
see_verified(const struct verdict_request *request, struct seen *seen)
{
	seen->attempt.tls = MTASTS_TLS_VERIFIED;
	if (!request->is_named) {
		seen->attempt.tls = MTASTS_TLS_WRONG_NAME;
		seen->attempt.detail = "no name in the certificate is the host's";
	}
	if (is_old_version(request->version)) {
		seen->attempt.tls = MTASTS_TLS_FAILED;
		seen->attempt.detail = request->version.n != 0 ? seen->detail : "no TLS version";
	}
}

/*
 * Sendmail's ${verify}.  FAIL is any fault of the chain, an expired certificate too: it does not
 * say which.  CLEAR is sendmail's own choice: after a handshake that failed, which is on record
 * (TLSFallbacktoClear), or always.  TRUSTED and DANE_* are DANE's.
 */
static void
see(const struct verdict_request *request, struct seen *seen)
{
	static const struct {
		const char *verify;
		enum mtasts_tls tls;
		const char *detail;
		bool is_ours;
	} words[] = {
		{ "FAIL", MTASTS_TLS_UNTRUSTED, "verify=FAIL", false },
		{ "NO", MTASTS_TLS_FAILED, "no certificate", false },
		{ "NOT", MTASTS_TLS_FAILED, "no certificate", false },
		{ "NONE", MTASTS_TLS_NOT_OFFERED, "not offered", false },
		{ "TEMP", MTASTS_TLS_NOT_OFFERED, "refused", false },
		{ "PROTOCOL", MTASTS_TLS_NOT_OFFERED, "refused", false },
		{ "SOFTWARE", MTASTS_TLS_FAILED, "handshake failed", false },
		{ "CLEAR", MTASTS_TLS_FAILED, "in clear", true },
		{ "CONFIG", MTASTS_TLS_FAILED, "tls_clt_features", true },
	};
	struct buf detail;

	buf_init(&detail, seen->detail, sizeof seen->detail);
	if (span_is(request->verify, "OK")) {
		buf_put_escaped(&detail, request->version, LIMIT_LOG_REMOTE, true);
		see_verified(request, seen);
		return;
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!span_is(request->verify, words[i].verify))
			continue;
		seen->attempt.tls = words[i].tls;
		seen->attempt.detail = words[i].detail;
		seen->is_ours = words[i].is_ours;
		return;
	}
	buf_puts(&detail, "verify=");
	buf_put_escaped(&detail, request->verify, LIMIT_LOG_REMOTE, true);
	seen->attempt.tls = MTASTS_TLS_FAILED;
	seen->attempt.detail = seen->detail;
	seen->attempt.dane = span_is(request->verify, "TRUSTED");
	seen->attempt.dane_failed = span_begins(request->verify, "DANE_");
	if (span_is(request->verify, "DANE_NOTLS"))
		seen->attempt.dane_finding = MTASTS_STARTTLS_NOT_SUPPORTED;
}

/* ---- words ---- */

/*
 * A quoted string is one word to sendmail.  What would end it, what map arguments are written by
 * (%1) and what is not printable is not let in; "$" and the like mean nothing in an answer.
 */
static void
say(struct buf *out, int code, const char *enhanced, const char *text)
{
	buf_printf(out, "E:%d:%s:\"", code, enhanced);
	for (size_t n = 0; text[n] != '\0' && n < VERDICT_TEXT; n++) {
		char c = text[n];
		bool is_plain = is_print(c) && c != '"' && c != '\\' && c != '%';
		buf_putc(out, is_plain ? c : '?');
	}
	buf_putc(out, '"');
}

void
verdict_refuse(struct buf *out)
{
	say(out, 451, "4.3.0", "MTA-STS is out of order on this host");
}

static void
say_decision(struct buf *out, const struct mtasts_decision *decision)
{
	say(out, decision->smtp_code, decision->enhanced, decision->text);
}

/* ---- the answer ---- */

/*
 * Transient whatever the age of the message (there is no age that is greater than this one): so
 * nothing is looked up.  0, and *decision.
 */
static int
decide(struct mtasts *ctx, const struct mtasts_policy *policy, const struct mtasts_attempt *attempt,
    size_t n, struct mtasts_decision *decision)
{
	struct mtasts_policy *copy = mtasts_policy_copy(policy);

	if (copy == NULL)
		return MTASTS_ENOMEM;
	int r = mtasts_decide(ctx, &copy, attempt, n, 0, INT64_MAX, 0, decision);
	mtasts_policy_free(copy);
	return r;
}

static void
judge(struct verdict *verdict, struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct verdict_request *request, struct buf *out)
{
	struct seen seen = { .attempt = { .mx_host = request->mx,
				 .mx_ip = request->mx_ip[0] != '\0' ? request->mx_ip : NULL } };
	struct mtasts_decision decision = { .action = MTASTS_DEFER };

	see(request, &seen);
	struct mtasts_verdict is = mtasts_judge(policy, &seen.attempt);
	if (!seen.is_ours && told_is_first(verdict->told, request)) /* its errors are logged */
		(void)mtasts_record(ctx, policy, &seen.attempt, is);
	if (request->kind == VERDICT_SERVER || is.deliver)
		buf_puts(out, "ok");
	else if (decide(ctx, policy, &seen.attempt, 1, &decision) == 0 &&
		 decision.action != MTASTS_DELIVER)
		say_decision(out, &decision);
	else
		verdict_refuse(out);
}

void
verdict_answer(struct verdict *verdict, struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct verdict_request *request, struct buf *out)
{
	struct mtasts_decision closed;

	if (!request->has_domain) { /* R3.4.2: an address literal has no policy */
		buf_puts(out, "ok");
		return;
	}
	if (policy == NULL || decide(ctx, policy, NULL, 0, &closed) != 0)
		verdict_refuse(out);
	else if (closed.action != MTASTS_DELIVER) /* nothing may be sent, whatever the host */
		say_decision(out, &closed);
	else
		judge(verdict, ctx, policy, request, out);
}
