/* SPDX-License-Identifier: ISC
 *
 * The look-up as a state machine: events in, wants out, no I/O.  The only home of the look-up
 * table (DESIGN: "The look-up"), of RFC 8461 3.1, 3.3, 5.1 and of what is stored when.
 *
 *	start -> READ -> (answer) | LEASE -> READ again -> ASK -> (answer) | FETCH -> STORE ->
 *answer
 *
 * The driver calls plan_start(), does what it is told to want, hands the result back by the call
 * of the same name, and so on until PLAN_DONE.  Every event may come late, never, or twice from
 * an older want: the deadline is an event too.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache.h"
#include "engine/policy.h"
#include "net/net.h"

enum plan_want {
	PLAN_READ,  /* cache: policy and hint -> plan_read() */
	PLAN_LEASE, /* the lease; while another has it look at its outcome -> plan_lease() */
	PLAN_ASK,   /* DNS: TXT at _mta-sts, A and AAAA at mta-sts, at once -> plan_txt(),
		       plan_address() twice */
	PLAN_WAIT,  /* nothing new: events of PLAN_ASK are still to come */
	PLAN_FETCH, /* HTTPS from the addresses in plan->fetch -> plan_page() */
	PLAN_STORE, /* write what plan->store says -> plan_stored() */
	PLAN_DONE,  /* plan->answer is the caller's; plan->outcome is for those who wait */
};

struct plan_config {
	unsigned flags;	    /* enum mtasts_lookup_flags */
	int64_t start_real; /* instants of the start */
	int64_t start_mono_ms;
};

struct plan; /* its members are plan.c's own; the driver uses the calls */

#endif
