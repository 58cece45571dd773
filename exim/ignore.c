/* SPDX-License-Identifier: ISC
 *
 * The list, first match decides:
 *
 *	^(?!(?i)(mx1\.a\.example|backup\.example)$) : !@[] : !^(?i)mx1\.a\.example$ : *
 *
 * - dropped are first of all the names that are neither allowed nor behind the best allowed host in
 *   the domain's MX records: whoever forges a record with an address of this very host must not
 *make Exim believe that it is the domain's best MX host (it freezes the message then);
 * - then this host's own addresses are kept: Exim's loop check, which removes this host as a backup
 *   MX and all behind it, comes after (R8.4.1);
 * - then the allowed hosts are kept, and the rest is dropped: all of it, where none is allowed or
 *   they could not be found out.
 *
 * Names are regular expressions, for a plain name in a host list is looked up and its addresses
 * compared.
 */
#include "exim/ignore.h"

#include <string.h>

#include "exim/ask.h"
#include "maillog/maillog.h"

enum { PATTERN_MAX = 16384 /* octets */ };

static char
separator_of(const char *wanted)
{
	static const char known[] = ":;,";

	if (wanted[0] == '\0')
		return ':';
	if (wanted[1] == '\0' && strchr(known, wanted[0]) != NULL)
		return wanted[0];
	maillog(MTASTS_LOG_ERROR, "ignore error=\"the separator has to be one of %s\"", known);
	return ':';
}

/* An octet that no host name has stands for any: it must not end the item or the list. */
static void
put_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++) {
		if (is_alnum(*name) || *name == '-' || *name == '_')
			buf_putc(out, *name);
		else
			buf_puts(out, *name == '.' ? "\\." : ".");
	}
}

static bool
is_allowed(const struct told *told, size_t i)
{
	struct mtasts_attempt attempt = { .mx_host = mtasts_mxset_host(told->mx, i),
		.tls = MTASTS_TLS_UNTRIED,
		.mx_secure = mtasts_mxset_secure(told->mx) };

	return mtasts_judge(told->policy, &attempt).deliver;
}

/* The best preference of an allowed host; -1: none is allowed. */
static int
best_of(const struct told *told)
{
	int best = -1;

	for (size_t i = 0; i < mtasts_mxset_count(told->mx); i++) {
		int preference = mtasts_mxset_preference(told->mx, i);
		if (is_allowed(told, i) && (best == -1 || preference < best))
			best = preference;
	}
	return best;
}

/*
 * The loop check's two items.  A pattern must not grow beyond what can be compiled: of so many
 * names only the allowed ones count, and this host can only be one of them.
 */
static void
put_loop_check(struct buf *out, const struct told *told, int best, char separator)
{
	struct buf list;
	char storage[PATTERN_MAX];

	buf_init(&list, storage, sizeof storage);
	for (size_t i = 0; i < mtasts_mxset_count(told->mx); i++) {
		if (!is_allowed(told, i) && mtasts_mxset_preference(told->mx, i) <= best)
			continue;
		if (list.n != 0)
			buf_putc(&list, '|');
		put_name(&list, mtasts_mxset_host(told->mx, i));
	}
	if (!list.full)
		buf_printf(out, "^(?!(?i)(%s)$) %c !@[] %c ", storage, separator, separator);
}

static void
put_hosts(struct buf *out, const struct told *told, char separator)
{
	int best = best_of(told);

	if (best == -1)
		return;
	put_loop_check(out, told, best, separator);
	for (size_t i = 0; i < mtasts_mxset_count(told->mx); i++) {
		if (!is_allowed(told, i))
			continue;
		buf_puts(out, "!^(?i)");
		put_name(out, mtasts_mxset_host(told->mx, i));
		buf_printf(out, "$ %c ", separator);
	}
}

void
ignore(struct memory *memory, struct context *context, const char *domain, const char *wanted,
    struct buf *out)
{
	char separator = separator_of(wanted);
	struct told *told =
	    domain[0] != '\0' ? ask_policy(memory, context, domain, ASK_DELIVERY) : NULL;

	if (told != NULL && !told_needs_tls(told))
		return;
	if (told != NULL && !told_is_closed(told) && ask_mx(told, context) != NULL)
		put_hosts(out, told, separator);
	buf_puts(out, "*");
}
