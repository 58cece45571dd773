/* SPDX-License-Identifier: ISC
 *
 * The first argument of mtasts_event: what Exim knows, as lines "name=value".  Values may be
 * empty, may hold '=' and are borrowed from the block.  Pure.
 *
 * The transport's event_action gives these, and others that nobody here asks for:
 *
 *	event     $event_name
 *	domain    the policy domain: $domain, or a smart host's own; empty in a batch of several
 *	host      $host
 *	ip        $host_address
 *	sip       $sending_ip_address
 *	ver       $tls_out_ver
 *	sni       $tls_out_sni              says that a handshake has begun
 *	tlsa      $tls_out_tlsa_usage       0, or missing: DANE does not apply
 *	dane      $tls_out_dane             "yes": the host was authenticated by DANE
 *	errno     $event_defer_errno
 *	id        $message_exim_id          empty: nothing is being delivered, nothing is recorded
 *	verify    $verify_mode              not empty: the same
 */
#ifndef EXIM_VARS_H
#define EXIM_VARS_H

#include "base/span.h"

enum { VARS_MAX = 32 };

struct vars {
	size_t n;
	struct {
		struct span name;
		struct span value;
	} item[VARS_MAX];
};

/*
 * 0, or -1 with *error filled: a line without '=' or name, a name twice, a control character, more
 * than VARS_MAX lines.  Unknown names are kept: a newer transport may say more.
 */
int vars_parse(struct span block, struct vars *vars, struct parse_error *error);

/* The value, empty when there is none of that name. */
struct span vars_get(const struct vars *vars, const char *name);
/* false: the name is missing altogether. */
bool vars_has(const struct vars *vars, const char *name);
/* The value as a decimal number with an optional '-'; fallback when it is none or too large. */
int vars_int(const struct vars *vars, const char *name, int fallback);

#endif
