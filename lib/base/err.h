/* SPDX-License-Identifier: ISC
 *
 * Words of the public enums, both ways: what is printed can be read back.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/span.h"
#include "mtasts.h"

/* "published", "absent", "unknown", "fault" */
const char *state_name(enum mtasts_state state);
/* "none", "testing", "enforce" */
const char *mode_name(enum mtasts_mode mode);
/* "-", "network", "cache", "stale" */
const char *source_name(enum mtasts_source source);

/* The reverse; -1 when the word is none of them. */
int mode_of(struct span word, enum mtasts_mode *mode);
/* RFC 8460 token; "" or "-" is MTASTS_NOTHING_WRONG. */
int finding_of(struct span word, enum mtasts_finding *finding);

#endif
