/* SPDX-License-Identifier: ISC
 *
 * The list, first match decides:
 *
 *	^(?i)evil\.example$ : !@[] : !^(?i)mx1\.a\.example$ : *
 *
 * - first the hosts to drop that stand before or beside the best allowed one: whoever forges an
 *   MX record with an address of this very host must not make Exim believe that it is the
 *   domain's best MX host (it freezes the message then);
 * - then this host's own addresses are kept, whatever their names: Exim's loop check, which removes
 *   this host as a backup MX and all behind it, comes after (R8.4.1);
 * - then the allowed hosts are kept, and the rest is dropped: all of it, where none is allowed or
 *   they could not be found out.
 *
 * Names are regular expressions, for a plain name in a host list is looked up and its addresses
 * compared.
 */
#include "exim/ignore.h"

#include <string.h>

#include "exim/ask.h"
#include "exim/maillog.h"

static char
separator_of(const char *wanted)
{
	static const char known[] = ":;,|/";

	if (wanted[0] == '\0')
		return ':';
	if (wanted[1] == '\0' && strchr(known, wanted[0]) != NULL)
		return wanted[0];
	maillog(MTASTS_LOG_ERROR, "ignore error=\"the separator has to be one of %s\"", known);
	return ':';
}

/* An octet that no host name has stands for any: it must not end the item or the list. */
static void
put_name(struct buf *out, const char *before, const char *name, char separator)
{
	buf_puts(out, before);
	buf_puts(out, "^(?i)");
	for (; *name != '\0'; name++) {
		if (is_alnum(*name) || *name == '-' || *name == '_')
			buf_putc(out, *name);
		else
			buf_puts(out, *name == '.' ? "\\." : ".");
	}
	buf_printf(out, "$ %c ", separator);
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

static void
put_hosts(struct buf *out, const struct told *told, char separator)
{
	size_t n = mtasts_mxset_count(told->mx);
	int best = best_of(told);

	if (best == -1)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!is_allowed(told, i) && mtasts_mxset_preference(told->mx, i) <= best)
			put_name(out, "", mtasts_mxset_host(told->mx, i), separator);
	}
	buf_printf(out, "!@[] %c ", separator);
	for (size_t i = 0; i < n; i++) {
		if (is_allowed(told, i))
			put_name(out, "!", mtasts_mxset_host(told->mx, i), separator);
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
