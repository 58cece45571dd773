/* SPDX-License-Identifier: ISC
 *
 * The look-up as a state machine: events in, wants out, no I/O.  The only home of the look-up
 * table (DESIGN: "The look-up"), of RFC 8461 3.1, 3.3, 5.1 and of what is stored when.
 *
 *	start -> READ -> (answer)
 *	         LEASE, while another has it poll -> READ again -> (answer)
 *	         ASK -> (answer) | STORE, FETCH -> STORE -> (answer)
 *
 * The driver calls plan_start(), does what it is told to want, hands the result back by the call
 * of the same name, and so on until PLAN_DONE.  Events may come late, never, or twice: what is no
 * longer asked for changes nothing.  plan->wake_ms is the driver's only timer.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache.h"
#include "engine/evidence.h"
#include "engine/policy.h"
#include "net/net.h"

enum plan_want {
	PLAN_WAIT,  /* nothing new: for an event under way, or for plan->wake_ms -> plan_tick() */
	PLAN_READ,  /* cache: policy and hint -> plan_read() */
	PLAN_LEASE, /* try for the lease, and look at the last outcome -> plan_lease() */
	PLAN_ASK,   /* DNS: plan->questions, at once -> plan_answer() for each */
	PLAN_FETCH, /* HTTPS: plan->fetch -> plan_page() */
	PLAN_STORE, /* write plan->put_entry or, if that is NULL, plan->hint -> plan_stored() */
	PLAN_DONE,  /* plan->answer is the caller's, NULL if plan->error is not 0 */
};

struct plan_time {
	int64_t real;	 /* instant, seconds */
	int64_t mono_ms; /* instant of the monotonic clock */
};

struct plan_config {
	unsigned flags;	     /* enum mtasts_lookup_flags */
	int64_t deadline_ms; /* instant of the monotonic clock: the answer is made by then */
	bool fault_delivers; /* cache_fault = deliver */
};

enum { PLAN_TXT, PLAN_A, PLAN_AAAA, PLAN_QUESTIONS };

enum plan_phase {
	PHASE_READ,	    /* first look at the store */
	PHASE_LEASE,	    /* the lease was asked for */
	PHASE_POLL,	    /* another has it */
	PHASE_READ_OUTCOME, /* another's look-up has ended since our start: what did it leave? */
	PHASE_READ_LEASED,  /* second look, now that nobody else writes */
	PHASE_ASK,	    /* TXT and addresses are under way */
	PHASE_PAUSE,	    /* the last GET is too near */
	PHASE_STORE_GET,    /* a GET is about to begin: say so */
	PHASE_FETCH,
	PHASE_STORE_POLICY,
	PHASE_READ_NEWER, /* our policy was refused: a newer one stands there */
	PHASE_STORE_HINT, /* the answer is made, its hint is being written */
	PHASE_DONE,
};

enum plan_cached { CACHED_NOTHING, CACHED_POLICY, CACHED_UNREADABLE };

struct plan {
	/* for the driver */
	int error;
	struct mtasts_policy *answer;
	int64_t wake_ms; /* instant of the monotonic clock of the next plan_tick(), at the latest */
	struct domain domain;
	struct net_question questions[PLAN_QUESTIONS];
	struct net_fetch fetch;
	const struct entry *put_entry;
	struct hint hint;
	struct outcome outcome; /* for those who wait; when has_outcome */
	bool has_outcome;	/* the lease is ours and something was found out */
	bool is_spoiled;	/* what the store holds does not parse */
	bool put_failed;	/* the policy is good, but could not be stored */
	bool was_used;		/* the cached policy is the answer: its "last used" is due */
	bool is_from_future;	/* the cached policy was fetched later than now */
	char slips[256];	/* what was forgiven in record and policy, "" nothing */

	/* plan.c's own */
	struct plan_config config;
	struct plan_time start;
	enum plan_phase phase;
	enum plan_cached cached;
	struct entry *entry;	 /* of CACHED_POLICY, expired or not */
	struct policyfile *file; /* of entry; NULL once the answer has it */
	bool has_lease;
	unsigned polls;
	int64_t outcome_floor; /* outcomes from before this instant are none of ours */
	struct outcome seen;   /* of PHASE_READ_OUTCOME */
	enum evidence_txt txt;
	struct ststxt record; /* of EVIDENCE_RECORD */
	uint32_t txt_ttl;
	char txt_reason[POLICY_REASON_MAX];
	bool has_answer[PLAN_QUESTIONS];
	enum net_state address_state[PLAN_QUESTIONS]; /* of A and AAAA */
	size_t n_addresses[PLAN_QUESTIONS];
	struct net_address addresses[PLAN_QUESTIONS][LIMIT_ADDRESSES];
};

/* The first want. */
enum plan_want plan_start(struct plan *plan, const struct domain *domain,
    const struct plan_config *config, struct plan_time now);

/* entry is plan's from here on; NULL unless got is CACHE_OK.  hint is read if hinted is CACHE_OK.
 */
enum plan_want plan_read(struct plan *plan, struct plan_time now, enum cache_result got,
    struct entry *entry, enum cache_result hinted, const struct hint *hint);
/* outcome is read if looked is CACHE_OK. */
enum plan_want plan_lease(struct plan *plan, struct plan_time now, enum cache_result got,
    enum cache_result looked, const struct outcome *outcome);
/* question: PLAN_TXT, PLAN_A, PLAN_AAAA. */
enum plan_want plan_answer(
    struct plan *plan, struct plan_time now, size_t question, const struct net_answer *answer);
enum plan_want plan_page(struct plan *plan, struct plan_time now, const struct net_page *page);
enum plan_want plan_stored(struct plan *plan, struct plan_time now, enum cache_result put);
enum plan_want plan_tick(struct plan *plan, struct plan_time now);

/* What is still in it; an answer that nobody took too. */
void plan_clear(struct plan *plan);

#endif
