/* SPDX-License-Identifier: ISC
 *
 * The fakes behind world.h.  They keep to the contracts of cache/cache.h and net/net.h to the
 * letter, so that what is tested against them holds for the real ones.
 */
#include "world.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mtasts.h"

struct cache_lease {
	struct world_row *row;
};

enum { ANSWERS = 256 };

/* The world's own memory never runs out: not by an allocator that tests make fail (nomem.h). */
static void *
take(size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, sizeof(max_align_t), size) != 0)
		abort();
	memset(p, 0, size);
	return p;
}

struct answer_due {
	bool is_open;
	struct net_question question;
	int64_t at_ms; /* WORLD_NEVER */
};

struct net_request {
	struct net_request *next;
	bool is_fetch, is_cancelled;
	size_t n, n_open;
	struct answer_due due[ANSWERS];
	net_answer_fn *answer_done;
	net_page_fn *page_done;
	void *arg;
};

/* ---- clocks ---- */

static int64_t
real_of(void *arg)
{
	return world_now(arg);
}

static int64_t
mono_of(void *arg)
{
	return ((struct world *)arg)->mono_ms;
}

struct clock
world_clock(struct world *world)
{
	return (struct clock){ real_of, mono_of, world };
}

int64_t
world_now(const struct world *world)
{
	return world->real_ms / 1000;
}

void
world_sleep(struct world *world, int64_t ms)
{
	world->mono_ms += ms;
	world->real_ms += ms;
}

/* ---- the store ---- */

struct world_row *
world_row(struct world *world, const struct domain *domain)
{
	struct world_row *row;

	for (row = world->rows; row != NULL; row = row->next) {
		if (domain_eq(&row->domain, domain))
			return row;
	}
	row = take(sizeof *row);
	row->domain = *domain;
	row->next = world->rows;
	world->rows = row;
	return row;
}

static struct entry *
entry_copy(const struct entry *entry)
{
	struct entry *copy = entry_new(
	    &entry->domain, entry->fetched_at, entry->max_age, span_of(entry->id), entry->body);

	if (copy != NULL)
		copy->used_at = entry->used_at;
	return copy;
}

static enum cache_result
cache_get(void *self, const struct domain *domain, struct entry **entry)
{
	struct world *world = self;
	struct world_row *row = world_row(world, domain);

	if (world->store == WORLD_STORE_UNREADABLE || world->store == WORLD_STORE_DAMAGED)
		return CACHE_UNREADABLE;
	if (row->entry == NULL)
		return CACHE_NOTHING;
	*entry = entry_copy(row->entry);
	return *entry != NULL ? CACHE_OK : CACHE_UNREADABLE;
}

static enum cache_result
cache_put(void *self, const struct entry *entry, int64_t now)
{
	struct world *world = self;
	struct world_row *row = world_row(world, &entry->domain);
	struct entry *copy;

	if (world->store == WORLD_STORE_UNREADABLE || world->store == WORLD_STORE_FULL)
		return CACHE_UNREADABLE;
	if (row->entry != NULL && row->entry->fetched_at >= entry->fetched_at &&
	    row->entry->fetched_at <= now) {
		world->n_refused++;
		return CACHE_REFUSED;
	}
	copy = entry_copy(entry);
	if (copy == NULL)
		return CACHE_UNREADABLE;
	entry_free(row->entry);
	row->entry = copy;
	world->n_put++;
	return CACHE_OK;
}

static enum cache_result
cache_drop(void *self, const struct domain *domain)
{
	struct world_row *row = world_row(self, domain);

	entry_free(row->entry);
	row->entry = NULL;
	return CACHE_OK;
}

static enum cache_result
cache_each(void *self, cache_each_fn *each, void *arg)
{
	struct world *world = self;

	for (struct world_row *row = world->rows; row != NULL; row = row->next) {
		if (row->entry != NULL && each(arg, row->entry) != 0)
			break;
	}
	return CACHE_OK;
}

static void
cache_used(void *self, const struct domain *domain, int64_t now)
{
	struct world_row *row = world_row(self, domain);

	if (row->entry != NULL)
		row->entry->used_at = now;
}

static void
cache_sweep(void *self, int64_t now)
{
	struct world *world = self;

	(void)now;
	world->n_sweep++;
}

static enum cache_result
cache_hint_get(void *self, const struct domain *domain, struct hint *hint)
{
	struct world *world = self;
	struct world_row *row = world_row(world, domain);

	if (world->store == WORLD_STORE_UNREADABLE)
		return CACHE_UNREADABLE;
	if (!row->has_hint)
		return CACHE_NOTHING;
	*hint = row->hint;
	return CACHE_OK;
}

static enum cache_result
cache_peek(void *self, const struct domain *domain, struct entry **entry, enum cache_result *hinted,
    struct hint *hint)
{
	((struct world *)self)->n_peek++;
	*hinted = cache_hint_get(self, domain, hint);
	return cache_get(self, domain, entry);
}

static enum cache_result
cache_hint_put(void *self, const struct domain *domain, const struct hint *hint)
{
	struct world *world = self;
	struct world_row *row = world_row(world, domain);

	if (world->store == WORLD_STORE_UNREADABLE || world->store == WORLD_STORE_FULL)
		return CACHE_UNREADABLE;
	row->hint = *hint;
	row->has_hint = true;
	return CACHE_OK;
}

static enum cache_result
cache_lease_get(
    void *self, const struct domain *domain, unsigned max_fetches, struct cache_lease **lease)
{
	struct world *world = self;
	struct world_row *row = world_row(world, domain);
	unsigned n = 0;

	if (world->store == WORLD_STORE_UNREADABLE || !world->has_leases)
		return CACHE_UNREADABLE;
	for (const struct world_row *r = world->rows; r != NULL; r = r->next)
		n += r->lease != NULL ? 1 : 0;
	if (row->lease != NULL || n >= max_fetches)
		return CACHE_REFUSED;
	*lease = take(sizeof **lease);
	(*lease)->row = row;
	row->lease = *lease;
	return CACHE_OK;
}

static void
cache_lease_end(void *self, struct cache_lease *lease, const struct outcome *outcome)
{
	struct world *world = self;
	struct world_row *row = lease->row;

	if (outcome != NULL && world->store == WORLD_STORE_OK) {
		row->outcome = *outcome;
		row->has_outcome = true;
	}
	row->lease = NULL;
	free(lease);
}

static enum cache_result
cache_outcome_get(void *self, const struct domain *domain, struct outcome *outcome)
{
	struct world *world = self;
	struct world_row *row = world_row(world, domain);

	if (world->store == WORLD_STORE_UNREADABLE)
		return CACHE_UNREADABLE;
	if (!row->has_outcome)
		return CACHE_NOTHING;
	*outcome = row->outcome;
	return CACHE_OK;
}

static enum cache_result
cache_strikes_get(void *self, const struct domain *domain, int64_t now, struct strike *strikes,
    size_t cap, size_t *n)
{
	struct world *world = self;
	struct world_row *row = world_row(world, domain);

	if (world->store == WORLD_STORE_UNREADABLE)
		return CACHE_UNREADABLE;
	*n = 0;
	for (size_t i = 0; i < row->n_strikes; i++) {
		if (row->strikes[i].at + LIMIT_STRIKE <= now)
			continue;
		if (*n < cap)
			strikes[*n] = row->strikes[i];
		(*n)++;
	}
	return CACHE_OK;
}

static enum cache_result
cache_strike_end(void *self, const struct domain *domain, const struct domain *mx)
{
	struct world_row *row = world_row(self, domain);
	size_t kept = 0;

	for (size_t i = 0; i < row->n_strikes; i++) {
		if (mx != NULL && !domain_eq(&row->strikes[i].mx, mx))
			row->strikes[kept++] = row->strikes[i];
	}
	row->n_strikes = kept;
	return CACHE_OK;
}

static enum cache_result
cache_strike_put(void *self, const struct domain *domain, const struct strike *strike)
{
	struct world *world = self;
	struct world_row *row = world_row(world, domain);

	if (world->store == WORLD_STORE_UNREADABLE)
		return CACHE_UNREADABLE;
	(void)cache_strike_end(self, domain, &strike->mx);
	if (row->n_strikes < sizeof row->strikes / sizeof row->strikes[0])
		row->strikes[row->n_strikes++] = *strike;
	return CACHE_OK;
}

struct cache
world_cache(struct world *world)
{
	return (struct cache){ .self = world,
		.get = cache_get,
		.peek = cache_peek,
		.put = cache_put,
		.drop = cache_drop,
		.each = cache_each,
		.used = cache_used,
		.sweep = cache_sweep,
		.hint_get = cache_hint_get,
		.hint_put = cache_hint_put,
		.lease_get = cache_lease_get,
		.lease_end = cache_lease_end,
		.outcome_get = cache_outcome_get,
		.strikes_get = cache_strikes_get,
		.strike_put = cache_strike_put,
		.strike_end = cache_strike_end };
}

/* ---- the network ---- */

static bool
is_ours(const struct world *world, const char *prefix, const struct domain *name)
{
	struct domain ours;

	return domain_under(prefix, &world->domain, &ours) == 0 && domain_eq(&ours, name);
}

static const struct world_addresses *
addresses_of(const struct world *world, enum net_type type)
{
	return type == NET_A ? &world->a : &world->aaaa;
}

static int64_t
delay_of(const struct world *world, const struct net_question *question)
{
	switch (question->type) {
	case NET_TXT:
		return world->txt.delay_ms;
	case NET_A:
	case NET_AAAA:
		return addresses_of(world, question->type)->delay_ms;
	case NET_MX:
		break;
	}
	return world->mx.delay_ms;
}

static struct net_request *
request_new(struct world *world, void *arg)
{
	struct net_request *request = take(sizeof *request);

	request->arg = arg;
	request->next = world->requests;
	world->requests = request;
	return request;
}

static int
net_resolve(void *self, const struct net_question *questions, size_t n, int64_t deadline_ms,
    net_answer_fn *done, void *arg, struct net_request **made)
{
	struct world *world = self;

	(void)deadline_ms;
	if (world->resolve_error != 0)
		return world->resolve_error;
	struct net_request *request = request_new(world, arg);
	request->answer_done = done;
	request->n = request->n_open = n;
	for (size_t i = 0; i < n && i < ANSWERS; i++) {
		struct answer_due *due = &request->due[i];
		int64_t delay = delay_of(world, &questions[i]);
		*due = (struct answer_due){ true, questions[i], WORLD_NEVER };
		if (delay != WORLD_NEVER)
			due->at_ms = world->mono_ms + delay;
		world->n_txt += questions[i].type == NET_TXT ? 1 : 0;
	}
	*made = request;
	return 0;
}

static int
net_fetch(void *self, const struct net_fetch *fetch, int64_t deadline_ms, net_page_fn *done,
    void *arg, struct net_request **made)
{
	struct world *world = self;

	(void)deadline_ms;
	if (world->fetch_error != 0)
		return world->fetch_error;
	struct net_request *request = request_new(world, arg);
	request->is_fetch = true;
	request->page_done = done;
	request->n = request->n_open = 1;
	request->due[0] = (struct answer_due){ .is_open = true, .at_ms = WORLD_NEVER };
	if (world->page.delay_ms != WORLD_NEVER)
		request->due[0].at_ms = world->mono_ms + world->page.delay_ms;
	world->n_get++;
	world->host = fetch->host;
	world->n_addresses = fetch->n;
	world->first_octets = fetch->n != 0 ? fetch->addresses[0].octets : 0;
	*made = request;
	return 0;
}

static void
net_cancel(void *self, struct net_request *request)
{
	(void)self;
	request->is_cancelled = true;
}

/* Character-strings of one record: all of text, or its first half and the rest. */
static struct span
txt_rdata(const struct world_txt *txt, size_t i, char *storage)
{
	size_t n = strlen(txt->text[i]), first = i == 0 && txt->is_split ? n / 2 : n;
	char *p = storage;

	*p++ = (char)first;
	memcpy(p, txt->text[i], first);
	p += first;
	if (first != n) {
		*p++ = (char)(n - first);
		memcpy(p, txt->text[i] + first, n - first);
		p += n - first;
	}
	return span_make(storage, (size_t)(p - storage));
}

/* "10 mx.example.net" as preference and uncompressed name. */
static struct span
mx_rdata(const char *text, char *storage)
{
	char *end = NULL, *p = storage;
	unsigned long preference = strtoul(text, &end, 10);

	*p++ = (char)(preference >> 8);
	*p++ = (char)(preference & 0xff);
	for (const char *name = end + 1; *name != '\0';) {
		size_t n = strcspn(name, ".");
		if (n != 0)
			*p++ = (char)n;
		memcpy(p, name, n);
		p += n;
		name += n + (name[n] == '.' ? 1 : 0);
	}
	*p++ = '\0';
	return span_make(storage, (size_t)(p - storage));
}

static void
answer_txt(const struct world *world, const struct net_question *question,
    struct net_answer *answer, struct span *rdata, char storage[][310])
{
	const struct world_txt *txt = question->type == NET_TXT ? &world->txt : &world->mx;
	bool is_known = question->type == NET_TXT ? is_ours(world, "_mta-sts", &question->name)
						  : domain_eq(&question->name, &world->domain);

	answer->state = is_known ? txt->state : NET_NO_NAME;
	answer->ttl = txt->ttl;
	answer->n = answer->state == NET_ANSWERED ? txt->n : 0;
	for (size_t i = 0; i < answer->n; i++)
		rdata[i] = question->type == NET_TXT ? txt_rdata(txt, i, storage[i])
						     : mx_rdata(txt->text[i], storage[i]);
}

static void
answer_address(const struct world *world, const struct net_question *question,
    struct net_answer *answer, struct span *rdata)
{
	const struct world_addresses *addresses = addresses_of(world, question->type);

	answer->state = addresses->state;
	answer->n = answer->state == NET_ANSWERED ? addresses->n : 0;
	answer->canonical = question->name;
	if (world->canonical[0] != '\0')
		(void)domain_parse(
		    span_of(world->canonical), DOMAIN_UNDERSCORE, &answer->canonical);
	for (size_t i = 0; i < answer->n; i++)
		rdata[i] =
		    span_make((const char *)addresses->address, question->type == NET_A ? 4 : 16);
}

static void
answer_deliver(struct world *world, struct net_request *request, size_t i)
{
	const struct net_question *question = &request->due[i].question;
	char storage[WORLD_STRINGS][310];
	struct span rdata[WORLD_STRINGS];
	struct net_answer answer = { .rdata = rdata, .reason = "" };

	if (question->type == NET_TXT || question->type == NET_MX)
		answer_txt(world, question, &answer, rdata, storage);
	else
		answer_address(world, question, &answer, rdata);
	if (answer.state == NET_UNKNOWN)
		answer.reason = "SERVFAIL";
	if (answer.state == NET_FAULT)
		answer.reason = "mtasts-resolve: not there";
	request->answer_done(request->arg, i, &answer);
}

static void
page_deliver(struct world *world, struct net_request *request)
{
	const struct world_page *told = &world->page;
	struct net_page page = { .state = told->state, .reason = "" };

	if (told->state == NET_FETCHED) {
		page.status = told->status;
		page.media_type = span_of(told->type);
		page.body = span_of(told->body);
	} else {
		page.reason = told->state == NET_BAD_CERTIFICATE ? "certificate has expired"
								 : "connection refused";
	}
	request->page_done(request->arg, &page);
}

/* One answer that is due. */
static bool
deliver_next(struct world *world)
{
	for (struct net_request *request = world->requests; request != NULL;
	     request = request->next) {
		for (size_t i = 0; i < request->n && !request->is_cancelled; i++) {
			struct answer_due *due = &request->due[i];
			if (!due->is_open || due->at_ms == WORLD_NEVER ||
			    due->at_ms > world->mono_ms)
				continue;
			due->is_open = false;
			request->n_open--;
			if (request->is_fetch)
				page_deliver(world, request);
			else
				answer_deliver(world, request, i);
			return true;
		}
	}
	return false;
}

static void
requests_sweep(struct world *world)
{
	struct net_request **at = &world->requests;

	while (*at != NULL) {
		struct net_request *request = *at;
		if (!request->is_cancelled && request->n_open != 0) {
			at = &request->next;
			continue;
		}
		*at = request->next;
		free(request);
	}
}

static void
net_process(void *self)
{
	struct world *world = self;

	world->n_process++;
	while (deliver_next(world))
		;
	requests_sweep(world);
}

static size_t
net_pollfds(void *self, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	struct world *world = self;
	int64_t wait = -1;

	(void)fds;
	(void)cap;
	for (struct net_request *request = world->requests; request != NULL;
	     request = request->next) {
		for (size_t i = 0; i < request->n && !request->is_cancelled; i++) {
			const struct answer_due *due = &request->due[i];
			if (!due->is_open || due->at_ms == WORLD_NEVER)
				continue;
			int64_t left = due->at_ms - world->mono_ms;
			left = left < 0 ? 0 : left;
			if (wait < 0 || left < wait)
				wait = left;
		}
	}
	*timeout_ms = (int)wait;
	return 0;
}

static void
net_rest(void *self)
{
	struct world *world = self;

	world->n_rest++;
}

struct net
world_net(struct world *world)
{
	return (struct net){ .self = world,
		.resolve = net_resolve,
		.fetch = net_fetch,
		.cancel = net_cancel,
		.pollfds = net_pollfds,
		.process = net_process,
		.rest = net_rest };
}

/* ---- the world ---- */

void
world_init(struct world *world)
{
	*world = (struct world){ .mono_ms = WORLD_MS0,
		.real_ms = (int64_t)WORLD_T0 * 1000,
		.has_leases = true,
		.txt = { .state = NET_NO_NAME, .ttl = 300 },
		.mx = { .state = NET_NO_NAME, .ttl = 300 },
		.a = { .state = NET_ANSWERED, .n = 1, .address = { 198, 18, 0, 1 } },
		.aaaa = { .state = NET_NO_DATA },
		.page = { .state = NET_FETCH_FAILED } };
	if (domain_parse(span_of("example.com"), DOMAIN_STRICT, &world->domain) != 0)
		abort();
}

void
world_clear(struct world *world)
{
	while (world->requests != NULL) {
		struct net_request *request = world->requests;
		world->requests = request->next;
		free(request);
	}
	while (world->rows != NULL) {
		struct world_row *row = world->rows;
		world->rows = row->next;
		entry_free(row->entry);
		free(row->lease);
		free(row);
	}
}
