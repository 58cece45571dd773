/* SPDX-License-Identifier: ISC
 *
 * The library as the socket map server sees it: look-ups that take as long as a table says, over a
 * clock that can be moved.  Policies, MX sets and judgements are the real ones.
 */
#ifndef TESTS_SOCKETMAP_FAKE_H
#define TESTS_SOCKETMAP_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "mtasts.h"

enum { FAKE_NEVER = -1, FAKE_HOSTS = 3 };

struct fake_domain {
	const char *name;
	enum mtasts_state state;
	const char *body;	  /* PUBLISHED: the policy file */
	int64_t delay_ms;	  /* of the look-up; FAKE_NEVER */
	int64_t expires;	  /* instant, of PUBLISHED; 0: far off */
	int error;		  /* of the look-up's start */
	enum mtasts_state stored; /* what the store alone says; of PUBLISHED it has body */
	enum mtasts_mx_state mx_state;
	const char *hosts[FAKE_HOSTS];
	int64_t mx_delay_ms;
	uint32_t mx_ttl;
	int mx_error;
};

struct fake {
	const struct fake_domain *domains; /* ends with a NULL name; others are ABSENT at once */
	bool has_clock;			   /* now_ms counts, not the machine's clock */
	int64_t now_ms, now;
	unsigned n_started, n_mx_started, n_stored, n_cancelled, n_under_way, n_records;
};

extern struct fake fake;

void fake_reset(const struct fake_domain *domains);
struct clock fake_clock(void);
/* A context; mtasts_free() takes it. */
struct mtasts *fake_new(void);

#endif
