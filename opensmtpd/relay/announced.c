/* SPDX-License-Identifier: ISC
 *
 * One record a connection, found by its ends and, once it is announced, by smtpd's session.  A
 * record is smtpd's (announced, and not over), the relay's (expected), or both; it goes when it is
 * nobody's.
 */
#include "opensmtpd/relay/announced.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BUCKETS = 1024, MESSAGES = 2 /* kept: the last ones */ };

/* Both ends; IPv4 as ::ffff:192.0.2.1.  No padding: compared as octets. */
struct ends {
	uint8_t address[2][16];
	uint8_t port[2][2]; /* network order */
};

struct envelopes {
	uint64_t *ids;
	size_t n, cap;
	bool is_cut; /* out of memory: those behind are not known */
};

struct link {
	struct announcement *next, **at;
};

struct announcement {
	struct ends ends;
	uint64_t session; /* of is_made */
	bool is_made;
	bool is_smtpds;	  /* it has not said that it is over */
	announced_fn *fn; /* NULL: not the relay's */
	void *arg;
	int64_t made_ms;
	struct link by_ends, by_session;     /* at NULL: not in it */
	struct announcement *older, *newer;  /* untaken */
	size_t n_messages;		     /* that have begun */
	struct envelopes messages[MESSAGES]; /* message n at n % MESSAGES */
};

struct announced {
	struct announcement *by_ends[BUCKETS], *by_session[BUCKETS];
	struct announcement *oldest, *newest; /* untaken: smtpd's alone */
	size_t n_untaken, n_expected;	      /* expected: the relay's, not announced yet */
};

/* ---- ends ---- */

static void
end_set(struct ends *ends, int i, const struct sockaddr_storage *from)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	if (from->ss_family == AF_INET) {
		memcpy(ends->address[i], mapped, sizeof mapped);
		memcpy(ends->address[i] + 12, &v4->sin_addr, 4);
		memcpy(ends->port[i], &v4->sin_port, 2);
	} else if (from->ss_family == AF_INET6) {
		memcpy(ends->address[i], &v6->sin6_addr, 16);
		memcpy(ends->port[i], &v6->sin6_port, 2);
	}
}

/* What has no port is no connection over which anybody comes. */
static bool
ends_make(struct ends *ends, const struct sockaddr_storage *from, const struct sockaddr_storage *to)
{
	memset(ends, 0, sizeof *ends);
	end_set(ends, 0, from);
	end_set(ends, 1, to);
	return (ends->port[0][0] | ends->port[0][1]) != 0 &&
	       (ends->port[1][0] | ends->port[1][1]) != 0;
}

static size_t
hash(const void *p, size_t n)
{
	const uint8_t *octets = p;
	uint32_t h = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ octets[i]) * 16777619U;
	return (h ^ (h >> 16)) % BUCKETS;
}

/* ---- the tables ---- */

static void
link_in(struct announcement **bucket, struct announcement *a, struct link *link, bool is_by_ends)
{
	link->next = *bucket;
	link->at = bucket;
	if (link->next != NULL)
		(is_by_ends ? &link->next->by_ends : &link->next->by_session)->at = &link->next;
	*bucket = a;
}

static void
link_out(struct link *link, bool is_by_ends)
{
	if (link->at == NULL)
		return;
	*link->at = link->next;
	if (link->next != NULL)
		(is_by_ends ? &link->next->by_ends : &link->next->by_session)->at = link->at;
	link->at = NULL;
}

static struct announcement *
find_ends(const struct announced *announced, const struct ends *ends)
{
	struct announcement *a = announced->by_ends[hash(ends, sizeof *ends)];

	while (a != NULL && memcmp(&a->ends, ends, sizeof *ends) != 0)
		a = a->by_ends.next;
	return a;
}

static struct announcement *
find_session(const struct announced *announced, uint64_t session)
{
	struct announcement *a = announced->by_session[hash(&session, sizeof session)];

	while (a != NULL && a->session != session)
		a = a->by_session.next;
	return a;
}

static void
untaken_add(struct announced *announced, struct announcement *a)
{
	a->newer = NULL;
	a->older = announced->newest;
	*(a->older != NULL ? &a->older->newer : &announced->oldest) = a;
	announced->newest = a;
	announced->n_untaken++;
}

static void
untaken_remove(struct announced *announced, struct announcement *a)
{
	*(a->older != NULL ? &a->older->newer : &announced->oldest) = a->newer;
	*(a->newer != NULL ? &a->newer->older : &announced->newest) = a->older;
	announced->n_untaken--;
}

static struct announcement *
record_new(struct announced *announced, const struct ends *ends)
{
	struct announcement *a = mem_zero(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->ends = *ends;
	link_in(&announced->by_ends[hash(ends, sizeof *ends)], a, &a->by_ends, true);
	return a;
}

static void
record_free(struct announcement *a)
{
	link_out(&a->by_ends, true);
	link_out(&a->by_session, false);
	for (size_t i = 0; i < MESSAGES; i++)
		free(a->messages[i].ids);
	free(a);
}

/* smtpd's no longer. */
static void
record_over(struct announced *announced, struct announcement *a)
{
	a->is_smtpds = false;
	link_out(&a->by_session, false);
	if (a->fn != NULL)
		return;
	untaken_remove(announced, a);
	record_free(a);
}

/* ---- what smtpd says ---- */

static void
make(struct announced *announced, struct announcement *a, uint64_t session, int64_t now_ms)
{
	a->session = session;
	a->is_made = a->is_smtpds = true;
	a->made_ms = now_ms;
	link_in(&announced->by_session[hash(&session, sizeof session)], a, &a->by_session, false);
}

/* The ends are another connection's now, or the session is: smtpd knows. */
static void
displace(struct announced *announced, const struct ends *ends, uint64_t session)
{
	struct announcement *a = find_session(announced, session);

	if (a != NULL)
		record_over(announced, a);
	a = find_ends(announced, ends);
	if (a == NULL || !a->is_made)
		return;
	link_out(&a->by_ends, true);
	if (a->is_smtpds)
		record_over(announced, a);
}

void
announced_connect(struct announced *announced, uint64_t session,
    const struct sockaddr_storage *from, const struct sockaddr_storage *to, int64_t now_ms)
{
	struct ends ends;

	if (!ends_make(&ends, from, to))
		return;
	displace(announced, &ends, session);
	struct announcement *a = find_ends(announced, &ends);
	if (a != NULL) {
		make(announced, a, session, now_ms);
		announced->n_expected--;
		a->fn(a->arg);
		return;
	}
	if (announced->n_untaken == ANNOUNCED_UNTAKEN_MAX)
		record_over(announced, announced->oldest);
	a = record_new(announced, &ends);
	if (a == NULL)
		return;
	make(announced, a, session, now_ms);
	untaken_add(announced, a);
}

void
announced_begin(struct announced *announced, uint64_t session)
{
	struct announcement *a = find_session(announced, session);

	if (a == NULL)
		return;
	struct envelopes *message = &a->messages[a->n_messages++ % MESSAGES];
	message->n = 0;
	message->is_cut = false;
}

static bool
envelopes_put(struct envelopes *message, uint64_t envelope)
{
	if (message->is_cut || message->n == ANNOUNCED_RCPTS_MAX)
		return false;
	if (message->n == message->cap) {
		size_t cap = 2 * message->cap + 2;
		uint64_t *ids = mem_resize(message->ids, cap, sizeof *ids);
		if (ids == NULL) {
			message->is_cut = true;
			return false;
		}
		message->ids = ids;
		message->cap = cap;
	}
	message->ids[message->n++] = envelope;
	return true;
}

void
announced_envelope(struct announced *announced, uint64_t session, uint64_t envelope)
{
	struct announcement *a = find_session(announced, session);

	if (a == NULL || a->n_messages == 0)
		return;
	if (envelopes_put(&a->messages[(a->n_messages - 1) % MESSAGES], envelope) && a->fn != NULL)
		a->fn(a->arg);
}

void
announced_disconnect(struct announced *announced, uint64_t session)
{
	struct announcement *a = find_session(announced, session);

	if (a != NULL)
		record_over(announced, a);
}

void
announced_sweep(struct announced *announced, int64_t now_ms)
{
	while (announced->oldest != NULL && announced->oldest->made_ms + ANNOUNCED_KEEP <= now_ms)
		record_over(announced, announced->oldest);
}

/* ---- what the relay asks ---- */

static struct announcement *
expect_new(struct announced *announced, const struct ends *ends)
{
	if (announced->n_expected == ANNOUNCED_EXPECTED_MAX)
		return NULL;
	struct announcement *a = record_new(announced, ends);
	if (a != NULL)
		announced->n_expected++;
	return a;
}

struct announcement *
announced_expect(struct announced *announced, const struct sockaddr_storage *from,
    const struct sockaddr_storage *to, announced_fn *fn, void *arg)
{
	struct ends ends;

	if (!ends_make(&ends, from, to))
		return NULL;
	struct announcement *a = find_ends(announced, &ends);
	if (a == NULL)
		a = expect_new(announced, &ends);
	else if (a->fn == NULL)
		untaken_remove(announced, a);
	else
		a = NULL;
	if (a == NULL)
		return NULL;
	a->fn = fn;
	a->arg = arg;
	return a;
}

void
announced_drop(struct announced *announced, struct announcement *a)
{
	if (a == NULL)
		return;
	if (!a->is_made)
		announced->n_expected--;
	record_free(a);
}

bool
announcement_is_made(const struct announcement *a)
{
	return a->is_made;
}

uint64_t
announcement_envelope(const struct announcement *a, size_t n, size_t i)
{
	const struct envelopes *message = &a->messages[n % MESSAGES];

	if (n >= a->n_messages || a->n_messages - n > MESSAGES)
		return 0;
	return i < message->n ? message->ids[i] : 0;
}

/* ---- all of it ---- */

struct announced *
announced_new(void)
{
	return mem_zero(1, sizeof(struct announced));
}

void
announced_free(struct announced *announced)
{
	if (announced == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (announced->by_ends[i] != NULL)
			record_free(announced->by_ends[i]);
	}
	free(announced);
}
