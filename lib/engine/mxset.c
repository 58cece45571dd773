/* SPDX-License-Identifier: ISC
 *
 * MX records.  RFC 5321 5.1 (order, implicit MX), RFC 7505 (null MX), RFC 1035 3.3.9 (RDATA).
 */
#include "engine/mxset.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { PREFERENCE = 2 /* octets */, LABEL_MAX = 63 };

/* ---- from an answer ---- */

/* An uncompressed name as text, escaped where a label holds what no host name does. */
static int
name_text(struct span wire, struct buf *text)
{
	while (wire.n != 0) {
		size_t n = (unsigned char)wire.p[0];
		wire = span_from(wire, 1);
		if (n == 0)
			return wire.n == 0 ? 0 : -1;
		if (n > LABEL_MAX || n > wire.n)
			return -1;
		if (text->n != 0)
			buf_putc(text, '.');
		for (size_t i = 0; i < n; i++) {
			char c = wire.p[i];
			if (c == '.' || !is_print(c))
				buf_printf(text, "\\x%02X", (unsigned)(unsigned char)c);
			else
				buf_putc(text, c);
		}
		wire = span_from(wire, n);
	}
	return -1;
}

/* 0, or -1 when this is no host: *text then says what it is, empty for the root. */
static int
host_parse(struct span rdata, struct mxset_host *host, struct buf *text)
{
	if (rdata.n <= PREFERENCE || name_text(span_from(rdata, PREFERENCE), text) != 0)
		return -1;
	host->preference = (unsigned char)rdata.p[0] << 8 | (unsigned char)rdata.p[1];
	if (text->n == 0 || text->full)
		return -1;
	return domain_parse(span_make(text->p, text->n), DOMAIN_UNDERSCORE, &host->name);
}

/* RFC 7505 3: a single record whose host is the root. */
static bool
is_null_mx(const struct net_answer *answer)
{
	return answer->n == 1 && answer->rdata[0].n == PREFERENCE + 1 &&
	       answer->rdata[0].p[PREFERENCE] == '\0';
}

static struct mxset_host *
host_find(struct mtasts_mxset *set, const struct domain *name)
{
	for (size_t i = 0; i < set->n; i++) {
		if (domain_eq(&set->hosts[i].name, name))
			return &set->hosts[i];
	}
	return NULL;
}

static void
host_refuse(const struct domain *domain, const struct buf *text, const struct log *log)
{
	char words[4 * LIMIT_LOG_REMOTE + 8];
	struct buf escaped;

	buf_init(&escaped, words, sizeof words);
	buf_put_escaped(&escaped, span_make(text->p, text->n), LIMIT_LOG_REMOTE, true);
	log_put(log, MTASTS_LOG_WARNING, "mx domain=%s host=%s reason=\"not a host name\"",
	    domain->name, words);
}

/* In its place: best first, equal ones as they came; past the limit the worst goes. */
static void
host_insert(struct mtasts_mxset *set, const struct mxset_host *host)
{
	size_t i = set->n;

	if (set->n == LIMIT_MX_HOSTS && set->hosts[--i].preference <= host->preference)
		return;
	for (; i > 0 && set->hosts[i - 1].preference > host->preference; i--)
		set->hosts[i] = set->hosts[i - 1];
	set->hosts[i] = *host;
	set->n += set->n < LIMIT_MX_HOSTS ? 1 : 0;
}

static void
host_remove(struct mtasts_mxset *set, struct mxset_host *host)
{
	size_t after = set->n - (size_t)(host - set->hosts) - 1;

	memmove(host, host + 1, after * sizeof *host);
	set->n--;
}

static void
hosts_take(struct mtasts_mxset *set, const struct domain *domain, const struct net_answer *answer,
    const struct log *log)
{
	for (size_t i = 0; i < answer->n; i++) {
		struct mxset_host host, *same;
		char storage[4 * DOMAIN_MAX + 1];
		struct buf text;

		buf_init(&text, storage, sizeof storage);
		if (host_parse(answer->rdata[i], &host, &text) != 0) {
			host_refuse(domain, &text, log);
			continue;
		}
		same = host_find(set, &host.name);
		if (same != NULL && same->preference <= host.preference)
			continue;
		if (same != NULL)
			host_remove(set, same);
		host_insert(set, &host);
	}
}

static void
unknown(struct mtasts_mxset *set, const char *reason)
{
	struct buf text;

	set->state = MTASTS_MX_UNKNOWN;
	set->ttl = 0;
	set->n = 0;
	buf_init(&text, set->reason, sizeof set->reason);
	buf_puts(&text, reason);
}

static void
set_fill(struct mtasts_mxset *set, const struct domain *domain, const struct net_answer *answer,
    const struct log *log)
{
	set->is_secure = answer->secure;
	set->ttl = answer->ttl;
	switch (answer->state) {
	case NET_ANSWERED:
		set->state = is_null_mx(answer) ? MTASTS_MX_NULL : MTASTS_MX_FOUND;
		if (set->state == MTASTS_MX_NULL)
			return;
		hosts_take(set, domain, answer, log);
		if (set->n == 0)
			unknown(set, "no MX record holds a host name");
		return;
	case NET_NO_DATA: /* RFC 5321 5.1: the domain as though it were its own MX */
		set->state = MTASTS_MX_IMPLICIT;
		set->hosts[set->n++] = (struct mxset_host){ .name = *domain };
		return;
	case NET_NO_NAME:
		set->state = MTASTS_MX_NO_DOMAIN;
		return;
	case NET_UNKNOWN:
	case NET_FAULT:
		break;
	}
	set->is_secure = false;
	unknown(set, answer->reason != NULL ? answer->reason : "");
}

struct mtasts_mxset *
mxset_make(const struct domain *domain, const struct net_answer *answer, const struct log *log)
{
	size_t room = answer->n < LIMIT_MX_HOSTS ? answer->n : LIMIT_MX_HOSTS;
	struct mtasts_mxset *set = mem_zero(1, sizeof *set + (room + 1) * sizeof set->hosts[0]);

	if (set != NULL)
		set_fill(set, domain, answer, log);
	return set;
}

/* ---- getters ---- */

void
mtasts_mxset_free(struct mtasts_mxset *set)
{
	free(set);
}

enum mtasts_mx_state
mtasts_mxset_state(const struct mtasts_mxset *set)
{
	return set != NULL ? set->state : MTASTS_MX_UNKNOWN;
}

size_t
mtasts_mxset_count(const struct mtasts_mxset *set)
{
	return set != NULL ? set->n : 0;
}

const char *
mtasts_mxset_host(const struct mtasts_mxset *set, size_t i)
{
	return i < mtasts_mxset_count(set) ? set->hosts[i].name.name : NULL;
}

int
mtasts_mxset_preference(const struct mtasts_mxset *set, size_t i)
{
	return i < mtasts_mxset_count(set) ? set->hosts[i].preference : 0;
}

int
mtasts_mxset_secure(const struct mtasts_mxset *set)
{
	return set != NULL && set->is_secure ? 1 : 0;
}

int64_t
mtasts_mxset_ttl(const struct mtasts_mxset *set)
{
	return set != NULL ? set->ttl : 0;
}

const char *
mtasts_mxset_reason(const struct mtasts_mxset *set)
{
	return set != NULL ? set->reason : "";
}
