/* SPDX-License-Identifier: ISC
 *
 * Policies as TLS policies of Postfix.  Whatever is not said outright here fails closed: TEMP.
 */
#include "socketmap/reply.h"

#include <string.h>

/* ---- names ---- */

/*
 * A name of one label is left out: "hostname", "nexthop" and "dot-nexthop" are no names to
 * Postfix, and the first of them would let any host prove that it is itself.
 */
static bool
is_writable(const char *name)
{
	bool has_dot = false;

	if (name[0] == '.')
		return false;
	for (const char *p = name; *p != '\0'; p++) {
		if (!is_alnum(*p) && *p != '.' && *p != '-' && *p != '_')
			return false;
		has_dot = has_dot || *p == '.';
	}
	return has_dot;
}

static bool
has_wildcard(const struct mtasts_policy *policy)
{
	for (size_t i = 0; i < mtasts_policy_mx_count(policy); i++) {
		if (mtasts_policy_mx(policy, i)[0] == '*')
			return true;
	}
	return false;
}

/* RFC 8461 4.1, judged where it is judged for everybody. */
static bool
is_allowed(const struct mtasts_policy *policy, const char *host)
{
	struct mtasts_attempt attempt = { .mx_host = host, .tls = MTASTS_TLS_UNTRIED };

	return mtasts_judge(policy, &attempt).deliver;
}

/* One more name; where the list may not grow that far, it is left as it is. */
static void
list_add(struct buf *list, const char *name)
{
	size_t n = strlen(name) + (list->n != 0 ? 1 : 0);

	if (!is_writable(name) || list->n + n >= list->cap)
		return;
	if (list->n != 0)
		buf_putc(list, ':');
	buf_puts(list, name);
}

/* The policy's own names, which are no patterns. */
static void
list_policy(struct buf *list, const struct mtasts_policy *policy)
{
	for (size_t i = 0; i < mtasts_policy_mx_count(policy); i++) {
		const char *name = mtasts_policy_mx(policy, i);
		if (name[0] != '*')
			list_add(list, name);
	}
}

/* The MX hosts that the policy allows, best preference first. */
static void
list_hosts(struct buf *list, const struct mtasts_policy *policy, const struct mtasts_mxset *set)
{
	for (size_t i = 0; i < mtasts_mxset_count(set); i++) {
		const char *host = mtasts_mxset_host(set, i);
		if (is_allowed(policy, host))
			list_add(list, host);
	}
}

static size_t
list_octets(const struct mtasts_policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < mtasts_policy_mx_count(policy); i++)
		n += strlen(mtasts_policy_mx(policy, i)) + 1;
	return n == 0 ? 0 : n - 1;
}

/* ---- replies ---- */

static bool
is_enforced(const struct mtasts_policy *policy)
{
	return mtasts_policy_state(policy) == MTASTS_PUBLISHED &&
	       mtasts_policy_mode(policy) == MTASTS_ENFORCE;
}

bool
reply_needs_mx(const struct mtasts_policy *policy)
{
	return is_enforced(policy) &&
	       (has_wildcard(policy) || list_octets(policy) > REPLY_LIST_SENDMAIL);
}

static void
put_late_mx(struct buf *out, const char *domain, const char *reason)
{
	buf_printf(out, "TEMP MX hosts of '%s', whose MTA-STS policy names patterns, ", domain);
	buf_printf(out, "could not be found out: %s", reason);
}

static bool
put_hosts(struct buf *out, const struct mtasts_policy *policy, const struct mtasts_mxset *set,
    enum reply_form form)
{
	static const char head[] = "OK secure match=", tail[] = " servername=hostname";
	size_t room = form == REPLY_SENDMAIL ? REPLY_LIST_SENDMAIL : out->cap - 1;
	bool by_hosts = reply_needs_mx(policy);
	struct buf list;

	/* Without MX hosts a list of names alone is what it is, if the reader can hold it. */
	if (by_hosts && mtasts_mxset_state(set) == MTASTS_MX_UNKNOWN && !has_wildcard(policy) &&
	    form == REPLY_POSTFIX)
		by_hosts = false;
	if (by_hosts && mtasts_mxset_state(set) == MTASTS_MX_UNKNOWN) {
		put_late_mx(out, mtasts_policy_domain(policy), mtasts_mxset_reason(set));
		return true;
	}
	buf_puts(out, head);
	if (room > out->cap - out->n - sizeof tail)
		room = out->cap - out->n - sizeof tail;
	buf_init(&list, out->p + out->n, room + 1);
	if (by_hosts)
		list_hosts(&list, policy, set);
	else
		list_policy(&list, policy);
	if (list.n == 0) {
		out->n = 0;
		buf_printf(out, "TEMP MX hosts of '%s' failed MTA-STS validation",
		    mtasts_policy_domain(policy));
		return true;
	}
	out->n += list.n;
	buf_puts(out, tail);
	return false;
}

bool
reply_format(struct buf *out, const struct mtasts_policy *policy, const struct mtasts_mxset *set,
    enum reply_form form, const struct reply_config *config)
{
	const char *domain = mtasts_policy_domain(policy);

	switch (mtasts_policy_state(policy)) {
	case MTASTS_PUBLISHED:
		if (is_enforced(policy))
			return put_hosts(out, policy, set, form);
		reply_not_found(out); /* testing: Postfix would not deliver what fails */
		return false;
	case MTASTS_ABSENT:
		reply_not_found(out);
		return false;
	case MTASTS_UNKNOWN:
		if (!config->defer_on_unknown) {
			reply_not_found(out);
			return false;
		}
		buf_printf(out, "TEMP MTA-STS policy of '%s' could not be found out: %s", domain,
		    mtasts_policy_reason(policy));
		return false; /* the look-up has told */
	case MTASTS_FAULT:
		if (config->fault_delivers) {
			reply_not_found(out);
			return false;
		}
		buf_printf(out, "TEMP MTA-STS state of this host is unreadable: %s",
		    mtasts_policy_reason(policy));
		return false; /* so has who met it */
	}
	buf_puts(out, "TEMP MTA-STS state of this host is unreadable");
	return true;
}

void
reply_not_found(struct buf *out)
{
	buf_puts(out, "NOTFOUND ");
}

void
reply_malformed(struct buf *out)
{
	buf_puts(out, "PERM a request is the name of a map, a space and a key");
}

void
reply_late(struct buf *out, const struct domain *domain, const struct reply_config *config)
{
	if (config->defer_on_unknown)
		buf_printf(
		    out, "TIMEOUT MTA-STS policy of '%s' was not found out in time", domain->name);
	else
		reply_not_found(out);
}

void
reply_mx_late(struct buf *out, const struct domain *domain)
{
	buf_printf(
	    out, "TIMEOUT MX hosts of '%s', whose MTA-STS policy names patterns, ", domain->name);
	buf_puts(out, "were not found out in time");
}

void
reply_busy(struct buf *out, int error)
{
	buf_printf(out, "TEMP %s", mtasts_strerror(error));
}

enum reply_form
reply_form_of(struct span map)
{
	return span_is(map, "sts") ? REPLY_SENDMAIL : REPLY_POSTFIX;
}
