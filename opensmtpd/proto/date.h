/* SPDX-License-Identifier: ISC
 *
 * Dates of mail headers (RFC 5322 3.3, and the old forms of 4.3 that every reader must take).
 * Pure.
 */
#ifndef OPENSMTPD_PROTO_DATE_H
#define OPENSMTPD_PROTO_DATE_H

#include <stdint.h>

#include "base/span.h"

/*
 * All of text, folding and comments included: "Sun, 22 Nov 2026 22:37:42 +0100 (CET)".  0 and *at,
 * seconds since 1970 UTC; -1: not a date.  Years 1970 to 9999.  A zone of letters that says nothing
 * (RFC 5322 4.3) is UTC; the day's name is not compared.
 */
int date_parse(struct span text, int64_t *at);

#endif
