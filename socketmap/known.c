/* SPDX-License-Identifier: ISC
 *
 * A hash table with chains, and a list of all by last use.
 */
#include "socketmap/known.h"

#include <stdlib.h>
#ifdef HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#include "base/mem.h"

enum {
	BUCKETS = 1 << 15,
	HOST_OCTETS = sizeof(struct domain) + 8, /* of an MX host */
	POLICY_OCTETS = 2048,			 /* of a policy without its patterns, about */
	PATTERN_OCTETS = 128,			 /* of a pattern and its line, about */
};

struct known_table {
	uint32_t salt;
	size_t n;
	size_t octets;
	struct known *newest, *oldest;
	struct known *soonest, *latest; /* of those with a policy */
	struct known *buckets[BUCKETS];
};

static uint32_t
salt(void)
{
	uint32_t salt;

#ifdef HAVE_SYS_RANDOM_H
	if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) == sizeof salt)
		return salt;
#endif
	salt = (uint32_t)((uintptr_t)&salt >> 4); /* where memory lies is chance, too */
	return salt * 2654435761U;
}

struct known_table *
known_new(void)
{
	struct known_table *table = mem_zero(1, sizeof *table);

	/* that nobody can choose names of one bucket */
	if (table != NULL)
		table->salt = salt();
	return table;
}

/* FNV-1a, then mixed, for the low bits choose the bucket. */
static uint32_t
hash_of(const struct known_table *table, const struct domain *domain)
{
	uint32_t h = 2166136261U ^ table->salt;

	for (size_t i = 0; i < domain->n; i++)
		h = (h ^ (unsigned char)domain->name[i]) * 16777619U;
	return h ^ h >> 15;
}

/* ---- the list by last use ---- */

static void
list_remove(struct known_table *table, struct known *known)
{
	if (known->newer != NULL)
		known->newer->older = known->older;
	else
		table->newest = known->older;
	if (known->older != NULL)
		known->older->newer = known->newer;
	else
		table->oldest = known->newer;
}

static void
list_add(struct known_table *table, struct known *known)
{
	known->newer = NULL;
	known->older = table->newest;
	if (table->newest != NULL)
		table->newest->newer = known;
	else
		table->oldest = known;
	table->newest = known;
}

static void
touch(struct known_table *table, struct known *known)
{
	if (table->newest == known)
		return;
	list_remove(table, known);
	list_add(table, known);
}

/* ---- the list of those with a policy ---- */

static void
policy_remove(struct known_table *table, struct known *known)
{
	if (known->policy == NULL)
		return;
	mtasts_policy_free(known->policy);
	known->policy = NULL;
	if (known->sooner != NULL)
		known->sooner->later = known->later;
	else
		table->soonest = known->later;
	if (known->later != NULL)
		known->later->sooner = known->sooner;
	else
		table->latest = known->sooner;
}

static void
policy_add(struct known_table *table, struct known *known, struct mtasts_policy *policy)
{
	known->policy = policy;
	known->later = NULL;
	known->sooner = table->latest;
	if (table->latest != NULL)
		table->latest->later = known;
	else
		table->soonest = known;
	table->latest = known;
}

/* ---- what one holds ---- */

static void
count(struct known_table *table, struct known *known)
{
	size_t octets = sizeof *known;

	if (known->policy != NULL)
		octets += POLICY_OCTETS + mtasts_policy_mx_count(known->policy) * PATTERN_OCTETS;
	if (known->set != NULL)
		octets += mtasts_mxset_count(known->set) * HOST_OCTETS;
	for (size_t i = 0; i < REPLY_FORMS; i++)
		octets += known->frames[i].n;
	table->octets += octets - known->octets;
	known->octets = octets;
}

static void
frames_clear(struct known *known)
{
	for (size_t i = 0; i < REPLY_FORMS; i++) {
		free(known->frames[i].p);
		known->frames[i] = (struct known_frame){ NULL, 0 };
	}
}

static void
known_delete(struct known_table *table, struct known *known)
{
	struct known **at = &table->buckets[known->hash % BUCKETS];

	while (*at != known)
		at = &(*at)->chain;
	*at = known->chain;
	list_remove(table, known);
	table->n--;
	table->octets -= known->octets;
	policy_remove(table, known);
	mtasts_mxset_free(known->set);
	frames_clear(known);
	free(known);
}

static bool
is_in_use(const struct known *known)
{
	return known->is_asking || known->is_asking_mx || known->waiters[0].first != NULL ||
	       known->waiters[1].first != NULL;
}

/* Who is in use stays: there are never more of them than look-ups under way. */
static void
trim(struct known_table *table, const struct known *except)
{
	struct known *known = table->oldest, *next;

	for (; known != NULL && (table->n > KNOWN_MAX || table->octets > KNOWN_OCTETS);
	     known = next) {
		next = known->newer;
		if (known != except && !is_in_use(known))
			known_delete(table, known);
	}
}

void
known_free(struct known_table *table)
{
	if (table == NULL)
		return;
	while (table->newest != NULL)
		known_delete(table, table->newest);
	free(table);
}

struct known *
known_find(struct known_table *table, const struct domain *domain)
{
	uint32_t hash = hash_of(table, domain);

	for (struct known *k = table->buckets[hash % BUCKETS]; k != NULL; k = k->chain) {
		if (k->hash == hash && domain_eq(&k->domain, domain)) {
			touch(table, k);
			return k;
		}
	}
	return NULL;
}

struct known *
known_get(struct known_table *table, const struct domain *domain)
{
	struct known *known = known_find(table, domain);

	if (known != NULL)
		return known;
	known = mem_zero(1, sizeof *known);
	if (known == NULL)
		return NULL;
	known->hash = hash_of(table, domain);
	known->domain = *domain;
	known->chain = table->buckets[known->hash % BUCKETS];
	table->buckets[known->hash % BUCKETS] = known;
	list_add(table, known);
	table->n++;
	count(table, known);
	trim(table, known);
	return known;
}

void
known_put_policy(
    struct known_table *table, struct known *known, struct mtasts_policy *policy, int64_t until)
{
	policy_remove(table, known);
	frames_clear(known);
	policy_add(table, known, policy);
	known->needs_mx = reply_needs_mx(policy);
	known->policy_until = until;
	count(table, known);
	trim(table, known);
}

void
known_put_set(
    struct known_table *table, struct known *known, struct mtasts_mxset *set, int64_t until)
{
	mtasts_mxset_free(known->set);
	frames_clear(known);
	known->set = set;
	known->set_until = until;
	count(table, known);
	trim(table, known);
}

void
known_put_frame(
    struct known_table *table, struct known *known, enum reply_form form, struct span frame)
{
	char *copy = mem_dup(frame.p, frame.n);

	if (copy == NULL)
		return;
	free(known->frames[form].p);
	known->frames[form] = (struct known_frame){ copy, frame.n };
	count(table, known);
	trim(table, known);
}

void
known_expire(struct known_table *table, int64_t now_ms)
{
	struct known *known = table->soonest, *next;

	/* all are kept for the same time at most: the first that is not too old ends it */
	for (; known != NULL && known->policy_until <= now_ms; known = next) {
		next = known->later;
		if (is_in_use(known))
			continue;
		policy_remove(table, known);
		frames_clear(known);
		count(table, known);
		if (known->set == NULL)
			known_delete(table, known);
	}
}

size_t
known_count(const struct known_table *table)
{
	return table->n;
}
