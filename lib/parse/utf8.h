/* SPDX-License-Identifier: ISC
 *
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef PARSE_UTF8_H
#define PARSE_UTF8_H

#include "base/span.h"

/* Octets of the character s begins with: 1..4, or 0 when it is none (or s is empty). */
size_t utf8_take(struct span s);

#endif
