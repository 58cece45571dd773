/* SPDX-License-Identifier: ISC
 *
 * The look-up.  RFC 8461 3.1 (record), 3.3 (fetch, failed ids), 5 (recheck), 5.1 (flow), 10.2
 * (nothing but expiry or a fetched successor ends a cached policy).  Does no I/O and reads no
 * clock: every event brings its time.
 */
#include "engine/plan.h"

#include <string.h>

#include "engine/memo.h"
#include "engine/reply.h"

enum { POLL_DOUBLINGS = 4, FIRST_POLLS = 2 };

/* ---- what is known so far ---- */

static bool
is_flagged(const struct plan *plan, unsigned flag)
{
	return (plan->config.flags & flag) != 0;
}

/* Fetched so lately that there must not be another GET: it counts even with max_age 0. */
static bool
is_fresh(const struct plan *plan, struct plan_time now)
{
	return plan->cached == CACHED_POLICY && !entry_is_from_future(plan->entry, now.real) &&
	       now.real - plan->entry->fetched_at < LIMIT_RETRY_GET;
}

static void
slip_take(void *arg, const struct parse_error *slip, enum reason_unit unit)
{
	struct plan *plan = arg;
	struct buf text;
	size_t n = strlen(plan->slips);

	buf_init(&text, plan->slips + n, sizeof plan->slips - n);
	if (n != 0)
		buf_puts(&text, "; ");
	reason_put(&text, unit, slip);
}

static void
slip_in_record(void *arg, const struct parse_error *slip)
{
	slip_take(arg, slip, REASON_RECORD);
}

static void
slip_in_policy(void *arg, const struct parse_error *slip)
{
	slip_take(arg, slip, REASON_LINE);
}

/* The answer is made; then the hint is written, unless there is no store to write it to. */
static enum plan_want
store_hint(struct plan *plan, enum plan_want answered)
{
	if (plan->error != 0 || plan->cached == CACHED_UNREADABLE)
		return answered;
	plan->put_entry = NULL;
	plan->phase = PHASE_STORE_HINT;
	return PLAN_STORE;
}

/* ---- reading the store ---- */

static enum plan_want
want_read(struct plan *plan, enum plan_phase phase)
{
	plan->phase = phase;
	return PLAN_READ;
}

/* A stored body that no longer parses is damage, not absence. */
static int
entry_take(struct plan *plan, enum cache_result got, struct entry *entry)
{
	struct parse_error error;

	entry_free(plan->entry);
	policyfile_free(plan->file);
	plan->entry = entry;
	plan->file = NULL;
	switch (got) {
	case CACHE_NOTHING:
		plan->cached = CACHED_NOTHING;
		return 0;
	case CACHE_OK:
		break;
	case CACHE_REFUSED:
	case CACHE_UNREADABLE:
		plan->cached = CACHED_UNREADABLE;
		return 0;
	}
	int r = entry != NULL ? policyfile_parse(entry->body, NULL, &plan->file, &error)
			      : POLICYFILE_INVALID;
	plan->cached = r == 0 ? CACHED_POLICY : CACHED_UNREADABLE;
	plan->is_spoiled = r == POLICYFILE_INVALID;
	return r == POLICYFILE_INVALID ? 0 : r;
}

static void
hint_take(
    struct plan *plan, struct plan_time now, enum cache_result hinted, const struct hint *hint)
{
	if (hinted == CACHE_OK)
		plan->hint = *hint;
	else
		plan->hint = (struct hint){ 0 };
	memo_trim(&plan->hint, now.real);
}

static enum plan_want
want_lease(struct plan *plan)
{
	plan->phase = PHASE_LEASE;
	return PLAN_LEASE;
}

/* RFC 8461 3.1: one TXT question; the addresses beside it, so that a GET need not wait for them. */
static enum plan_want
want_ask(struct plan *plan, struct plan_time now)
{
	static const enum net_type types[] = { NET_TXT, NET_A, NET_AAAA };

	for (size_t i = 0; i < PLAN_QUESTIONS; i++) {
		struct net_question *question = &plan->questions[i];
		question->type = types[i];
		if (domain_under(i == PLAN_TXT ? "_mta-sts" : "mta-sts", &plan->domain,
			&question->name) != 0) /* too long for the record: there can be none */
			return reply_none(plan, now, MTASTS_ABSENT, MTASTS_NOTHING_WRONG,
			    "domain is too long for a record");
	}
	plan->fetch.host = plan->questions[PLAN_A].name;
	plan->fetch.path = "/.well-known/mta-sts.txt"; /* RFC 8461 3.2 */
	plan->phase = PHASE_ASK;
	return PLAN_ASK;
}

/* The store's word as it stands, for those who must not wait for the network. */
static enum plan_want
answer_cached_only(struct plan *plan, struct plan_time now)
{
	if (plan->cached == CACHED_UNREADABLE)
		return reply_unknown(plan, now, "network not asked");
	if (reply_is_live(plan, now) && plan->hint.failed_id[0] != '\0')
		return reply_stale(plan, now, plan->hint.failed_finding, "failed lately");
	if (reply_is_live(plan, now) && plan->is_from_future)
		return reply_stale(plan, now, MTASTS_NOTHING_WRONG, "fetched in the future");
	if (reply_is_live(plan, now))
		return reply_policy(plan, now, MTASTS_FROM_CACHE, MTASTS_NOTHING_WRONG, "");
	if (memo_is_absent(&plan->hint))
		return reply_none(
		    plan, now, MTASTS_ABSENT, MTASTS_NOTHING_WRONG, "answered lately");
	return reply_unknown(plan, now, "not in the store");
}

/* Rows of the table that need no network; else what comes next. */
static enum plan_want
read_done(struct plan *plan, struct plan_time now, bool leased)
{
	bool is_recheck = is_flagged(plan, MTASTS_RECHECK);

	if (is_flagged(plan, MTASTS_CACHED_ONLY))
		return answer_cached_only(plan, now);
	if (plan->cached == CACHED_UNREADABLE)
		return want_ask(plan, now);
	if (reply_is_live(plan, now)) {
		if (!is_recheck && !plan->is_from_future && memo_is_agreed(&plan->hint))
			return reply_policy(plan, now, MTASTS_FROM_CACHE, MTASTS_NOTHING_WRONG, "");
	} else if (!is_recheck && memo_is_absent(&plan->hint)) {
		return reply_none(
		    plan, now, MTASTS_ABSENT, MTASTS_NOTHING_WRONG, "answered lately");
	}
	return leased ? want_ask(plan, now) : want_lease(plan);
}

/* Absent, or as though it were, since that id failed. */
static enum plan_want
outcome_absent(struct plan *plan, struct plan_time now)
{
	const struct outcome *seen = &plan->seen;
	enum plan_want want = reply_none(plan, now, MTASTS_ABSENT, seen->finding, seen->reason);

	if (plan->answer != NULL && seen->finding != MTASTS_NOTHING_WRONG)
		memcpy(plan->answer->id, plan->hint.failed_id, sizeof plan->answer->id);
	return want;
}

/* What another's look-up left, which ended after our start (f36). */
static enum plan_want
outcome_done(struct plan *plan, struct plan_time now)
{
	const struct outcome *seen = &plan->seen;
	bool has_policy =
	    reply_is_live(plan, now) ||
	    (plan->cached == CACHED_POLICY && plan->entry->fetched_at >= plan->start.real);

	if (plan->cached == CACHED_UNREADABLE)
		return want_ask(plan, now);
	switch (seen->state) {
	case MTASTS_PUBLISHED:
		if (has_policy)
			return reply_policy(plan, now, seen->source, seen->finding, seen->reason);
		break; /* it could not be stored: everybody for himself */
	case MTASTS_ABSENT:
		if (!reply_is_live(plan, now))
			return outcome_absent(plan, now);
		break;
	case MTASTS_UNKNOWN:
		return reply_unknown(plan, now, seen->reason);
	case MTASTS_FAULT:
		return reply_fault(plan, now, seen->reason);
	}
	plan->outcome_floor = seen->at_ms + 1;
	return plan->has_lease ? read_done(plan, now, true) : want_lease(plan);
}

/* Our put was refused: the newer fetch wins, and it is the one in force. */
static enum plan_want
newer_done(struct plan *plan, struct plan_time now)
{
	struct mtasts_policy *own = plan->answer;
	bool counts = reply_is_live(plan, now) || (plan->cached == CACHED_POLICY &&
						      plan->entry->fetched_at >= plan->start.real);

	if (!counts)
		return reply_done(plan);
	plan->answer = NULL;
	enum plan_want want =
	    reply_policy(plan, now, MTASTS_FROM_NETWORK, MTASTS_NOTHING_WRONG, "");
	if (plan->answer != NULL)
		plan->answer->rechecked = own->rechecked;
	policy_free(own);
	return want;
}

enum plan_want
plan_read(struct plan *plan, struct plan_time now, enum cache_result got, struct entry *entry,
    enum cache_result hinted, const struct hint *hint)
{
	enum plan_phase phase = plan->phase;

	if (phase != PHASE_READ && phase != PHASE_READ_OUTCOME && phase != PHASE_READ_LEASED &&
	    phase != PHASE_READ_NEWER) {
		entry_free(entry);
		return PLAN_WAIT;
	}
	int r = entry_take(plan, got, entry);
	if (r != 0)
		return reply_fail(plan, r);
	plan->is_from_future =
	    plan->cached == CACHED_POLICY && entry_is_from_future(plan->entry, now.real);
	hint_take(plan, now, hinted, hint);
	if (phase == PHASE_READ_OUTCOME)
		return outcome_done(plan, now);
	if (phase == PHASE_READ_NEWER)
		return newer_done(plan, now);
	return read_done(plan, now, phase == PHASE_READ_LEASED);
}

/* ---- single flight ---- */

/* Newer than our start, and of this boot.  A recheck believes only what it asked itself. */
static bool
outcome_counts(const struct plan *plan, struct plan_time now, const struct outcome *outcome)
{
	return !is_flagged(plan, MTASTS_RECHECK) && outcome->at_ms >= plan->outcome_floor &&
	       outcome->at_ms <= now.mono_ms;
}

/* The first looks come quickly one after the other, later ones further apart. */
static enum plan_want
poll_later(struct plan *plan, struct plan_time now)
{
	unsigned doublings = plan->polls < FIRST_POLLS ? 0 : plan->polls - FIRST_POLLS;
	int64_t wait = (int64_t)LIMIT_POLL_MIN
		       << (doublings < POLL_DOUBLINGS ? doublings : POLL_DOUBLINGS);

	plan->polls++;
	plan->phase = PHASE_POLL;
	plan->wake_ms = now.mono_ms + (wait < LIMIT_POLL_MAX ? wait : LIMIT_POLL_MAX);
	if (plan->wake_ms > plan->config.deadline_ms)
		plan->wake_ms = plan->config.deadline_ms;
	return PLAN_WAIT;
}

enum plan_want
plan_lease(struct plan *plan, struct plan_time now, enum cache_result got, enum cache_result looked,
    const struct outcome *outcome)
{
	if (plan->phase != PHASE_LEASE)
		return PLAN_WAIT;
	switch (got) {
	case CACHE_OK:
		plan->has_lease = true;
		break;
	case CACHE_NOTHING:
	case CACHE_UNREADABLE: /* nobody can have it: go on alone */
		return want_ask(plan, now);
	case CACHE_REFUSED:
		break;
	}
	plan->wake_ms = plan->config.deadline_ms;
	if (looked == CACHE_OK && outcome_counts(plan, now, outcome)) {
		plan->seen = *outcome;
		return want_read(plan, PHASE_READ_OUTCOME);
	}
	if (plan->has_lease)
		return want_read(plan, PHASE_READ_LEASED);
	if (now.mono_ms >= plan->config.deadline_ms)
		return reply_unknown(plan, now, "another look-up did not end in time");
	return poll_later(plan, now);
}

/* ---- the network's answers ---- */

/* A try for the policy failed; RFC 8461 3.3: five minutes for this id, R3.3.7 without a policy. */
static enum plan_want
fetch_failed(
    struct plan *plan, struct plan_time now, enum mtasts_finding finding, const char *reason)
{
	if (plan->cached == CACHED_UNREADABLE)
		return reply_none(plan, now, MTASTS_FAULT, MTASTS_NOTHING_WRONG, reason);
	memo_failed(&plan->hint, now.real, plan->record.id, finding);
	enum plan_want want = reply_is_live(plan, now)
				  ? reply_stale(plan, now, finding, reason)
				  : reply_none(plan, now, MTASTS_ABSENT, finding, reason);
	return store_hint(plan, want);
}

/* "Not before T": the finding of then is the finding of now. */
static enum plan_want
failed_lately(struct plan *plan, struct plan_time now)
{
	enum mtasts_finding finding = plan->hint.failed_finding;

	if (plan->cached == CACHED_UNREADABLE)
		return reply_none(
		    plan, now, MTASTS_FAULT, MTASTS_NOTHING_WRONG, "this id failed lately");
	if (reply_is_live(plan, now))
		return reply_stale(plan, now, finding, "this id failed lately");
	return reply_none(plan, now, MTASTS_ABSENT, finding, "this id failed lately");
}

/* Addresses in the order in which they are tried: IPv6 and IPv4 by turns (RFC 8305 4). */
static void
addresses_mix(struct plan *plan)
{
	plan->fetch.n = 0;
	for (size_t i = 0; i < LIMIT_ADDRESSES; i++) {
		for (size_t q = PLAN_AAAA; q >= PLAN_A; q--) {
			if (i < plan->n_addresses[q] && plan->fetch.n < LIMIT_ADDRESSES)
				plan->fetch.addresses[plan->fetch.n++] = plan->addresses[q][i];
		}
	}
}

/* f25: a record without a policy host is a failed fetch. */
static enum plan_want
no_address(struct plan *plan, struct plan_time now)
{
	if (plan->address_state[PLAN_A] == NET_FAULT || plan->address_state[PLAN_AAAA] == NET_FAULT)
		return reply_fault(plan, now, "addresses could not be asked for");
	bool is_known = plan->has_answer[PLAN_A] && plan->has_answer[PLAN_AAAA] &&
			plan->address_state[PLAN_A] != NET_UNKNOWN &&
			plan->address_state[PLAN_AAAA] != NET_UNKNOWN;

	return fetch_failed(plan, now, MTASTS_STS_POLICY_FETCH_ERROR,
	    is_known ? "policy host has no address" : "address of the policy host is unknown");
}

static enum plan_want
want_fetch(struct plan *plan)
{
	plan->wake_ms = plan->config.deadline_ms;
	plan->phase = PHASE_FETCH;
	return PLAN_FETCH;
}

/* A GET is due: with both families' addresses, or a moment later with those of one. */
static enum plan_want
fetch_begin(struct plan *plan, struct plan_time now)
{
	bool has_both = plan->has_answer[PLAN_A] && plan->has_answer[PLAN_AAAA];

	addresses_mix(plan);
	if (plan->fetch.n == 0 && has_both)
		return no_address(plan, now);
	if (plan->fetch.n == 0 || (!has_both && now.mono_ms < plan->wake_ms)) {
		int64_t later = now.mono_ms + LIMIT_ADDRESS_WAIT;
		if (plan->fetch.n != 0 && later < plan->wake_ms)
			plan->wake_ms = later;
		plan->phase = PHASE_ASK;
		return PLAN_WAIT;
	}
	plan->hint.get_at = now.real;
	if (plan->cached == CACHED_UNREADABLE)
		return want_fetch(plan);
	plan->put_entry = NULL;
	plan->phase = PHASE_STORE_GET;
	return PLAN_STORE;
}

/*
 * The last GET is too near, and what it brought is all that is known.  If that is nothing, good or
 * bad, it ended with its process or its helper: our trouble, not a failure of the domain's.
 */
static enum plan_want
answer_too_soon(struct plan *plan, struct plan_time now)
{
	static const char reason[] = "policy host was asked just now";

	if (reply_is_live(plan, now) || is_fresh(plan, now))
		return reply_stale(plan, now, plan->hint.failed_finding, reason);
	if (plan->hint.failed_id[0] == '\0')
		return reply_fault(plan, now, reason);
	return reply_unknown(plan, now, reason);
}

/* Never two GETs to one domain within LIMIT_RETRY_GET: wait for it where nothing else protects. */
static enum plan_want
fetch_soon(struct plan *plan, struct plan_time now, int64_t wait)
{
	int64_t at = now.mono_ms + wait * 1000;

	if (reply_is_live(plan, now) && !is_flagged(plan, MTASTS_RECHECK))
		return answer_too_soon(plan, now);
	if (at >= plan->config.deadline_ms)
		return answer_too_soon(plan, now);
	plan->wake_ms = at;
	plan->phase = PHASE_PAUSE;
	return PLAN_WAIT;
}

/* The TXT record still has the cached policy's id. */
static enum plan_want
agreed(struct plan *plan, struct plan_time now)
{
	memo_agreed(&plan->hint, now.real, plan->txt_ttl);
	enum plan_want want = reply_policy(plan, now, MTASTS_FROM_CACHE, MTASTS_NOTHING_WRONG, "");
	if (plan->answer != NULL)
		plan->answer->rechecked = is_flagged(plan, MTASTS_RECHECK);
	return store_hint(plan, want);
}

/* Rows of the table with a good record. */
static enum plan_want
record_weigh(struct plan *plan, struct plan_time now)
{
	bool is_same =
	    plan->cached == CACHED_POLICY && strcmp(plan->entry->id, plan->record.id) == 0;
	bool is_enough =
	    reply_is_live(plan, now) && !is_flagged(plan, MTASTS_RECHECK) && !plan->is_from_future;

	if (is_same && (is_enough || is_fresh(plan, now)))
		return agreed(plan, now);
	if (memo_has_failed(&plan->hint, plan->record.id))
		return failed_lately(plan, now);
	int64_t wait = memo_get_wait(&plan->hint, now.real);
	if (wait > 0)
		return fetch_soon(plan, now, wait);
	return fetch_begin(plan, now);
}

/* Rows of the table without: "answered: absent" and "unknown" are different (R3.1.7). */
static enum plan_want
absent_weigh(struct plan *plan, struct plan_time now)
{
	if (plan->cached == CACHED_UNREADABLE || reply_is_live(plan, now))
		return reply_unknown(plan, now, plan->txt_reason);
	memo_absent(&plan->hint, now.real, plan->txt_ttl);
	return store_hint(
	    plan, reply_none(plan, now, MTASTS_ABSENT, MTASTS_NOTHING_WRONG, plan->txt_reason));
}

static enum plan_want
weigh(struct plan *plan, struct plan_time now)
{
	switch (plan->txt) {
	case EVIDENCE_PENDING:
		return PLAN_WAIT;
	case EVIDENCE_RECORD:
		return record_weigh(plan, now);
	case EVIDENCE_ABSENT:
		return absent_weigh(plan, now);
	case EVIDENCE_UNKNOWN:
		return reply_unknown(plan, now, plan->txt_reason);
	case EVIDENCE_FAULT:
		break;
	}
	return reply_fault(plan, now, plan->txt_reason);
}

static void
txt_take(struct plan *plan, const struct net_answer *answer)
{
	struct reason_sink sink = { slip_in_record, plan };
	struct buf reason;

	buf_init(&reason, plan->txt_reason, sizeof plan->txt_reason);
	plan->txt = evidence_txt(answer, &sink, &plan->record, &reason);
	plan->txt_ttl = answer->ttl;
}

static void
addresses_take(struct plan *plan, size_t question, const struct net_answer *answer)
{
	size_t octets = question == PLAN_A ? 4 : 16;

	plan->address_state[question] = answer->state;
	if (answer->state != NET_ANSWERED)
		return;
	for (size_t i = 0; i < answer->n && plan->n_addresses[question] < LIMIT_ADDRESSES; i++) {
		struct net_address *address =
		    &plan->addresses[question][plan->n_addresses[question]];
		if (answer->rdata[i].n != octets)
			continue;
		memcpy(address->address, answer->rdata[i].p, octets);
		address->octets = (uint8_t)octets;
		plan->n_addresses[question]++;
	}
}

enum plan_want
plan_answer(
    struct plan *plan, struct plan_time now, size_t question, const struct net_answer *answer)
{
	if (plan->phase != PHASE_ASK && plan->phase != PHASE_PAUSE)
		return PLAN_WAIT;
	if (question >= PLAN_QUESTIONS || plan->has_answer[question])
		return PLAN_WAIT;
	plan->has_answer[question] = true;
	if (question == PLAN_TXT)
		txt_take(plan, answer);
	else
		addresses_take(plan, question, answer);
	return plan->phase == PHASE_ASK ? weigh(plan, now) : PLAN_WAIT;
}

/* Fetched and good: it counts from now on, for this message too (RFC 8461 5.1). */
static enum plan_want
fetched(
    struct plan *plan, struct plan_time now, const struct net_page *page, struct policyfile *file)
{
	struct entry *entry =
	    entry_new(&plan->domain, now.real, file->max_age, span_of(plan->record.id), page->body);
	enum plan_cached before = plan->cached;

	if (entry == NULL) {
		policyfile_free(file);
		return reply_fail(plan, MTASTS_ENOMEM);
	}
	policyfile_free(plan->file);
	entry_free(plan->entry);
	plan->entry = entry;
	plan->file = file;
	plan->cached = CACHED_POLICY;
	plan->is_from_future = false;
	enum plan_want want =
	    reply_policy(plan, now, MTASTS_FROM_NETWORK, MTASTS_NOTHING_WRONG, "");
	if (want != PLAN_DONE || plan->error != 0)
		return want;
	plan->answer->rechecked = is_flagged(plan, MTASTS_RECHECK);
	plan->cached = before; /* what the store holds has not changed yet */
	plan->put_entry = plan->entry;
	plan->phase = PHASE_STORE_POLICY;
	return PLAN_STORE;
}

enum plan_want
plan_page(struct plan *plan, struct plan_time now, const struct net_page *page)
{
	struct reason_sink sink = { slip_in_policy, plan };
	enum mtasts_finding finding = MTASTS_NOTHING_WRONG;
	struct policyfile *file = NULL;
	char words[POLICY_REASON_MAX];
	struct buf reason;

	if (plan->phase != PHASE_FETCH)
		return PLAN_WAIT;
	if (page->state == NET_FETCH_FAULT)
		return reply_fault(plan, now, page->reason != NULL ? page->reason : "");
	buf_init(&reason, words, sizeof words);
	int r = evidence_page(page, &sink, &file, &finding, &reason);
	if (r < 0)
		return reply_fail(plan, r);
	if (r != 0)
		return fetch_failed(plan, now, finding, words);
	return fetched(plan, now, page, file);
}

/* ---- after a write ---- */

static enum plan_want
policy_stored(struct plan *plan, struct plan_time now, enum cache_result put)
{
	switch (put) {
	case CACHE_OK:
		memo_fetched(&plan->hint, now.real, plan->txt_ttl);
		plan->cached = CACHED_POLICY;
		return store_hint(plan, PLAN_DONE);
	case CACHE_REFUSED:
		return want_read(plan, PHASE_READ_NEWER);
	case CACHE_NOTHING:
	case CACHE_UNREADABLE:
		break;
	}
	plan->put_failed = true; /* good for this delivery: from router to transport */
	return reply_done(plan);
}

enum plan_want
plan_stored(struct plan *plan, struct plan_time now, enum cache_result put)
{
	if (plan->phase == PHASE_STORE_GET)
		return want_fetch(plan);
	if (plan->phase == PHASE_STORE_POLICY)
		return policy_stored(plan, now, put);
	if (plan->phase == PHASE_STORE_HINT)
		return reply_done(plan);
	return PLAN_WAIT;
}

/* ---- time ---- */

/* Nobody waits any longer: what has not come is unknown. */
static enum plan_want
deadline(struct plan *plan, struct plan_time now)
{
	switch (plan->phase) {
	case PHASE_LEASE:
	case PHASE_POLL:
		return reply_unknown(plan, now, "another look-up did not end in time");
	case PHASE_ASK:
		if (plan->txt == EVIDENCE_PENDING)
			return reply_unknown(plan, now, "no answer in time");
		return no_address(plan, now);
	case PHASE_PAUSE:
		return answer_too_soon(plan, now);
	case PHASE_FETCH:
		return fetch_failed(
		    plan, now, MTASTS_STS_POLICY_FETCH_ERROR, "no response in time");
	case PHASE_READ:
	case PHASE_READ_OUTCOME:
	case PHASE_READ_LEASED:
	case PHASE_STORE_GET:
	case PHASE_STORE_POLICY:
	case PHASE_READ_NEWER:
	case PHASE_STORE_HINT:
	case PHASE_DONE:
		break;
	}
	return PLAN_WAIT; /* the disk is waited for */
}

enum plan_want
plan_tick(struct plan *plan, struct plan_time now)
{
	if (now.mono_ms < plan->wake_ms)
		return PLAN_WAIT;
	if (now.mono_ms >= plan->config.deadline_ms)
		return deadline(plan, now);
	if (plan->phase == PHASE_POLL)
		return want_lease(plan);
	if (plan->phase == PHASE_PAUSE)
		plan->wake_ms = plan->config.deadline_ms;
	if (plan->phase == PHASE_ASK || plan->phase == PHASE_PAUSE)
		return weigh(plan, now);
	return PLAN_WAIT;
}

enum plan_want
plan_start(struct plan *plan, const struct domain *domain, const struct plan_config *config,
    struct plan_time now)
{
	*plan = (struct plan){ .domain = *domain,
		.config = *config,
		.start = now,
		.outcome_floor = now.mono_ms + 1,
		.wake_ms = config->deadline_ms };
	return want_read(plan, PHASE_READ);
}

void
plan_clear(struct plan *plan)
{
	entry_free(plan->entry);
	policyfile_free(plan->file);
	policy_free(plan->answer);
	plan->entry = NULL;
	plan->file = NULL;
	plan->answer = NULL;
}
