/* SPDX-License-Identifier: ISC
 *
 * A state directory with a store in it, for the tests of the store.  When the tests are root it
 * belongs to another user, as in life; policies have contents that can be told by their names.
 */
#ifndef TESTS_STATE_H
#define TESTS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/store.h"

/* Ids that nobody has: the owner of the state, its group, and a mail server's user in it. */
enum { STATE_OWNER = 54321, STATE_GROUP = 54322, STATE_MAIL = 54323 };

struct state {
	char dir[128];
	struct store *store; /* NULL: not open */
	struct cache cache;
	char why[300];
	int lines; /* in the log, since state_open() */
	char line[1100];
};

/* In /tmp, or where base says.  The store is made and not opened. */
void state_make(struct state *state, const char *base);
int state_open(struct state *state);
void state_close(struct state *state);
void state_remove(struct state *state);
/* One of the files, e.g. STORE_FILE "-wal". */
const char *state_path(const struct state *state, const char *name, char path[200]);

/* Give up root for a mail server's user. */
void state_become_mail(void);

struct domain state_domain(const char *text);
/* The policy a name had at that instant; every seventh is large. */
struct entry *state_entry(const struct domain *domain, int64_t fetched_at);
bool state_is_right(const struct entry *entry);

enum cache_result state_put(struct state *state, const char *name, int64_t fetched_at, int64_t now);
/* -1: NOTHING, -2: UNREADABLE, -3: a policy it never had; else when it was fetched. */
int64_t state_get(struct state *state, const char *name);

#endif
