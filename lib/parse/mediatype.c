/* SPDX-License-Identifier: ISC
 *
 * The media type of a policy.  RFC 8461 3.2, RFC 9110 8.3.1.
 */
#include "parse/mediatype.h"

bool
mediatype_is_text_plain(struct span value)
{
	value.n = span_find(value, ';');
	return span_eq_nocase(span_trim_wsp(value), span_of("text/plain"));
}
