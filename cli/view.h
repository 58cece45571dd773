/* SPDX-License-Identifier: ISC
 *
 * What is known of a domain, for people and as JSON.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include <jansson.h>

#include "mtasts.h"
#include "parse/policyfile.h"

/* "enforce", "-" when no policy is in force. */
const char *view_mode(const struct mtasts_policy *policy);
/* RFC 8460 token, "-" for none. */
const char *view_finding(enum mtasts_finding finding);

/* state, mode, id, source, mx, fetched, expires, finding: "key: value" lines, an mx line a pattern.
 */
void view_print(const struct mtasts_policy *policy);
/* The same as an object, with domain and reason. */
json_t *view_json(const struct mtasts_policy *policy);

/* The mx patterns as an array. */
json_t *view_patterns(const struct policyfile *file);

#endif
