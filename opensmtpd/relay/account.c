/* SPDX-License-Identifier: ISC
 *
 *	relay domain=good.example policy=enforce mx=mx.good.example ip=192.0.2.10 tls=verified
 *	    version=TLSv1.3 result=delivered n=1 reply="250 2.0.0 Queued"
 *
 * in one line.  What the remote said is escaped.
 */
#include "opensmtpd/relay/account.h"

#include "base/buf.h"
#include "base/limits.h"

static const char *
tls_word(enum mtasts_tls tls)
{
	switch (tls) {
	case MTASTS_TLS_UNTRIED:
	case MTASTS_TLS_UNREACHED:
		return "-";
	case MTASTS_TLS_VERIFIED:
		return "verified";
	case MTASTS_TLS_NOT_OFFERED:
		return "none";
	case MTASTS_TLS_WRONG_NAME:
		return "wrong-name";
	case MTASTS_TLS_EXPIRED:
		return "expired";
	case MTASTS_TLS_UNTRUSTED:
		return "untrusted";
	case MTASTS_TLS_FAILED:
		return "failed";
	}
	return "-";
}

static const char *
result_word(const struct reply *reply)
{
	if (reply_is_good(reply))
		return "delivered";
	return reply->code < 500 ? "deferred" : "refused";
}

static const char *
or_dash(const char *word)
{
	return word[0] != '\0' ? word : "-";
}

/* Without the last line's end. */
static struct span
text_of(const struct reply *reply)
{
	struct span text = span_make(reply->text, reply->n);

	while (text.n != 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	return text;
}

void
account_log(const struct account *account, const struct log *log)
{
	char words[4 * LIMIT_LOG_REMOTE + 8], to[4 * LIMIT_LOG_REMOTE + 8];
	const struct upstream_outcome *outcome = account->outcome;
	struct buf escaped;

	buf_init(&escaped, words, sizeof words);
	buf_put_escaped(&escaped, text_of(account->reply), LIMIT_LOG_REMOTE, false);
	buf_init(&escaped, to, sizeof to);
	buf_put_escaped(&escaped, account->recipient, LIMIT_LOG_REMOTE, true);
	log_put(log, MTASTS_LOG_INFO,
	    "relay domain=%s policy=%s mx=%s ip=%s tls=%s version=%s result=%s %s%s%sn=%zu "
	    "reply=\"%s\"",
	    account->domain, account->policy, account->mx_host, or_dash(outcome->ip),
	    tls_word(outcome->tls), or_dash(outcome->tls_version), result_word(account->reply),
	    to[0] != '\0' ? "rcpt=" : "", to, to[0] != '\0' ? " " : "", account->n, words);
}
