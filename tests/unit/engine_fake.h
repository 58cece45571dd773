/* SPDX-License-Identifier: ISC
 *
 * The engine as an adapter's test wants it: policies and MX records from a table, certificates
 * that say of themselves what they are, records kept as text.  judge, decide and the policies are
 * the real ones.
 */
#ifndef TESTS_ENGINE_FAKE_H
#define TESTS_ENGINE_FAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "mtasts.h"

enum { FAKE_HOSTS = 8 };

struct fake_host {
	const char *name; /* of the MX record */
	int preference;
	const char *canonical; /* behind a CNAME; NULL: the name itself */
};

struct fake_domain {
	const char *name;
	enum mtasts_state state;
	const char *body; /* PUBLISHED: the policy file */
	enum mtasts_mx_state mx_state;
	struct fake_host hosts[FAKE_HOSTS];
	bool secure;	     /* the MX records */
	const char *strike;  /* host that an earlier round has left a strike against */
	const char *recheck; /* body a recheck finds; NULL: none completes */
	bool fault_delivers; /* cache_fault = deliver */
};

struct fake {
	const struct fake_domain *domains; /* ends with a NULL name; others are ABSENT */
	bool broken;			   /* mtasts_new() fails */
	bool defer_on_unknown;
	int lookups, mx_lookups, origins; /* how often */
	int contexts;			  /* that are open now */
	char records[4096]; /* "HOST RESULT[ DETAIL]\n" each; RESULT "success" or RFC 8460's */
};

extern struct fake fake;

/* Everything as at the start. */
void fake_reset(const struct fake_domain *domains);

#endif
