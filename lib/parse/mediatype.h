/* SPDX-License-Identifier: ISC
 *
 * The Content-Type of a policy response (RFC 8461 3.2: SHOULD be text/plain).
 */
#ifndef PARSE_MEDIATYPE_H
#define PARSE_MEDIATYPE_H

#include "base/span.h"

/* R3.2.6: text/plain in any case; whatever parameters follow a ';' are ignored. */
bool mediatype_is_text_plain(struct span value);

#endif
