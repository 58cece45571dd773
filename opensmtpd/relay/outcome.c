/* SPDX-License-Identifier: ISC
 *
 * What the end of a session says about TLS.  Before STARTTLS was asked for it says nothing; from
 * there to the end of the handshake it says that TLS failed; later the certificate has the word.
 */
#include "opensmtpd/relay/outcome.h"

#include <netdb.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/limits.h"

void
outcome_address(char out[UPSTREAM_IP_MAX], const struct sockaddr_storage *address)
{
	socklen_t n = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						     : sizeof(struct sockaddr_in);

	if (getnameinfo((const struct sockaddr *)address, n, out, UPSTREAM_IP_MAX, NULL, 0,
		NI_NUMERICHOST) != 0)
		out[0] = '\0';
}

/* The host's no that ended the session, NULL when it was something else. */
static const struct reply *
no_of(const struct smtp *smtp)
{
	return smtp->is_over && smtp->reply.code >= 400 ? &smtp->reply : NULL;
}

/* Words of ours, and the first line of what the host said. */
static void
put_words(struct buf *out, const char *words, const struct reply *reply)
{
	buf_puts(out, words);
	if (reply == NULL)
		return;
	struct span said = span_make(reply->text, reply->n);
	buf_puts(out, ": ");
	buf_put_escaped(out, span_make(said.p, span_find(said, '\r')), LIMIT_LOG_REMOTE, false);
}

static void
fill_open(struct upstream_outcome *outcome, const struct outcome_view *view, struct buf *detail)
{
	outcome->tls = MTASTS_TLS_NOT_OFFERED;
	switch (view->smtp->tls) {
	case SMTP_TLS_UP:
		outcome->tls = view->certificate;
		buf_puts(detail, view->reason);
		return;
	case SMTP_TLS_REFUSED:
		put_words(detail, "STARTTLS refused", &view->smtp->reply);
		return;
	case SMTP_TLS_NOT_OFFERED:
		buf_puts(detail, "STARTTLS not offered");
		return;
	case SMTP_TLS_NOT_ASKED:
	case SMTP_TLS_ASKED:
	case SMTP_TLS_AGREED:
		buf_puts(detail, "STARTTLS not tried");
		return;
	}
}

static enum mtasts_tls
tls_of(const struct outcome_view *view)
{
	switch (view->smtp->tls) {
	case SMTP_TLS_UP:
		if (view->is_tls_fault && view->certificate == MTASTS_TLS_VERIFIED)
			return MTASTS_TLS_FAILED;
		return view->certificate;
	case SMTP_TLS_ASKED: /* 421: the host shuts down, whatever it was asked */
		return no_of(view->smtp) != NULL ? MTASTS_TLS_UNREACHED : MTASTS_TLS_FAILED;
	case SMTP_TLS_AGREED:
		return MTASTS_TLS_FAILED;
	case SMTP_TLS_NOT_ASKED:
	case SMTP_TLS_NOT_OFFERED:
	case SMTP_TLS_REFUSED:
		return MTASTS_TLS_UNREACHED;
	}
	return MTASTS_TLS_UNREACHED;
}

static void
fill_over(struct upstream_outcome *outcome, const struct outcome_view *view, struct buf *detail)
{
	const struct reply *no = no_of(view->smtp);
	enum smtp_tls tls = view->smtp->tls;
	bool is_bad;

	outcome->tls = tls_of(view);
	outcome->is_handshake_lost =
	    tls == SMTP_TLS_ASKED || tls == SMTP_TLS_AGREED || (tls == SMTP_TLS_UP && no == NULL);
	if (no != NULL)
		outcome->reply = *no;
	is_bad = outcome->tls != MTASTS_TLS_UNREACHED && outcome->tls != MTASTS_TLS_FAILED;
	if (is_bad && view->reason[0] != '\0')
		buf_puts(detail, view->reason);
	else
		put_words(detail, view->why, no);
}

void
outcome_fill(struct upstream_outcome *outcome, const struct outcome_view *view)
{
	struct buf detail;

	*outcome = (struct upstream_outcome){ .is_open = view->why == NULL };
	buf_init(&detail, outcome->detail, sizeof outcome->detail);
	buf_keep(outcome->helo, sizeof outcome->helo, span_of(view->smtp->host));
	if (outcome->is_open)
		fill_open(outcome, view, &detail);
	else
		fill_over(outcome, view, &detail);
}
