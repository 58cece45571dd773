/* SPDX-License-Identifier: ISC
 *
 * What this host knows of domains, for the table: the configuration and the store, both opened when
 * they are first needed and again when they could not be.  Nothing here waits for the network, a
 * helper or another's lock, and no failure is the end.
 */
#ifndef OPENSMTPD_KNOWN_H
#define OPENSMTPD_KNOWN_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/span.h"
#include "mtasts.h"
#include "opensmtpd/proto/place.h"

struct known {
	const char *path; /* of the configuration; NULL: the default one */
	struct clock clock;
	struct mtasts_config *config; /* NULL: it could not be read */
	struct mtasts *ctx;	      /* NULL: there was no memory for it */
	int64_t again_ms;	      /* not before is either tried again; monotonic */
	struct place_key key;	      /* the same as long as smtpd runs */
};

/* path is borrowed.  Reads the configuration. */
void known_init(struct known *known, const char *path);
void known_clear(struct known *known);
/* The configuration and the store anew; false: the configuration is not good, which was logged. */
bool known_reload(struct known *known);

/* Whether it is known that the domain has no policy.  What is not a domain's name is not known. */
bool known_is_absent(struct known *known, struct span domain);
/* Where the relay takes mail for the domain; false: without a configuration nobody can say. */
bool known_place(struct known *known, struct span domain, struct place *place);

#endif
