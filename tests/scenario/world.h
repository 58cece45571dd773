/* SPDX-License-Identifier: ISC
 *
 * A world for tests: a store in memory, a DNS and a policy host that say what they are told to,
 * and clocks that move when they are moved.  One domain has a record; all other names do not
 * exist.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "cache/cache.h"
#include "net/net.h"

enum { WORLD_T0 = 1750000000, WORLD_MS0 = 1000000, WORLD_NEVER = -1, WORLD_STRINGS = 8 };

struct world_row {
	struct world_row *next;
	struct domain domain;
	struct entry *entry;
	bool has_hint, has_outcome;
	struct hint hint;
	struct outcome outcome;
	struct cache_lease *lease;
	struct strike strikes[8];
	size_t n_strikes;
};

enum world_store {
	WORLD_STORE_OK,
	WORLD_STORE_UNREADABLE, /* nothing can be read or written */
	WORLD_STORE_FULL,	/* reads, and keeps nothing */
	WORLD_STORE_DAMAGED,	/* policies cannot be read, all else can */
};

struct world_txt {
	enum net_state state;
	uint32_t ttl;
	int64_t delay_ms;	       /* WORLD_NEVER: no answer at all */
	size_t n;		       /* records */
	char text[WORLD_STRINGS][300]; /* one string each */
	bool is_split;		       /* the first record comes as two strings */
};

struct world_addresses {
	enum net_state state;
	int64_t delay_ms;
	size_t n;
	uint8_t address[16];
};

struct world_page {
	enum net_fetch_state state;
	unsigned status;
	int64_t delay_ms;
	char type[64];
	char body[1024];
};

struct world {
	/* clocks */
	int64_t mono_ms;
	int64_t real_ms; /* instant, milliseconds since 1970 */

	/* what is out there, of domain */
	struct domain domain;
	struct world_txt txt;
	struct world_addresses a, aaaa;
	struct world_page page;
	int resolve_error, fetch_error; /* begin nothing: a negative mtasts_error */
	struct world_txt mx;		/* text: "10 mx.example.net" */
	char canonical[64];		/* of every address question, "" is the name itself */

	/* the store */
	enum world_store store;
	bool has_leases; /* false: the lease file is gone */
	struct world_row *rows;

	/* what was done */
	unsigned n_txt, n_get, n_put, n_refused, n_rest, n_sweep, n_process, n_peek;
	struct domain host; /* of the last GET */
	size_t n_addresses; /* of the last GET */
	uint8_t first_octets;

	struct net_request *requests;
};

void world_init(struct world *world);
void world_clear(struct world *world);

struct clock world_clock(struct world *world);
struct cache world_cache(struct world *world);
struct net world_net(struct world *world);

/* Both clocks. */
void world_sleep(struct world *world, int64_t ms);
int64_t world_now(const struct world *world); /* real, seconds */

struct world_row *world_row(struct world *world, const struct domain *domain);

#endif
