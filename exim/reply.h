/* SPDX-License-Identifier: ISC
 *
 * What a host's banner and its answer to EHLO say, as Exim hands them to an event: the lines of
 * one SMTP reply, code included.  Pure.
 */
#ifndef EXIM_REPLY_H
#define EXIM_REPLY_H

#include "base/span.h"

/*
 * The host's own name: the first word after the code of a 2yz reply (RFC 5321 4.2, 4.1.1.1).
 * Empty when there is none that could be a name or an address literal.
 */
struct span reply_name(struct span reply);

/* RFC 3207 3: a line after the first whose keyword is STARTTLS. */
bool reply_offers_starttls(struct span reply);

#endif
