/* SPDX-License-Identifier: ISC
 *
 * Sets of a few entries each, found by hash; in each the one longest unused makes room.
 */
#include "socketmap/told.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	SETS = 1024,
	WAYS = 8,
	NAME_MAX_OCTETS = 640 /* process, id, two domains, an address, and what is between them */
};

struct entry {
	uint64_t hash;
	char *name;	  /* NULL: free */
	uint64_t session; /* the last one seen */
	uint64_t used;
};

struct told {
	uint64_t uses;
	struct entry sets[SETS][WAYS];
};

struct told *
told_new(void)
{
	return mem_zero(1, sizeof(struct told));
}

void
told_free(struct told *told)
{
	for (size_t i = 0; told != NULL && i < (size_t)SETS * WAYS; i++)
		free(told->sets[i / WAYS][i % WAYS].name);
	free(told);
}

/* FNV-1a.  Who can choose names can make a set forget: see told.h. */
static uint64_t
hash_of(struct span s)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.n; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

/* An attempt at a delivery to one host, for one domain. */
static void
name_of(const struct verdict_request *request, struct buf *name)
{
	buf_put(name, request->attempt);
	buf_putc(name, '/');
	buf_put(name, request->id);
	buf_printf(name, "/%s/%s/%s", request->mx_ip, request->mx, request->domain.name);
}

static struct entry *
find(struct entry *set, uint64_t hash, const char *name)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].name != NULL && set[i].hash == hash && strcmp(set[i].name, name) == 0)
			return &set[i];
	}
	return NULL;
}

static struct entry *
make_room(struct entry *set)
{
	struct entry *oldest = &set[0];

	for (size_t i = 1; i < WAYS; i++) {
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	free(oldest->name);
	*oldest = (struct entry){ .name = NULL };
	return oldest;
}

bool
told_is_first(struct told *told, const struct verdict_request *request)
{
	char storage[NAME_MAX_OCTETS];
	struct buf name;

	buf_init(&name, storage, sizeof storage);
	name_of(request, &name);
	uint64_t hash = hash_of(span_make(name.p, name.n));
	struct entry *set = told->sets[hash % SETS];
	struct entry *entry = find(set, hash, storage);
	bool is_first = entry == NULL || entry->session != request->session;
	if (entry == NULL) {
		entry = make_room(set);
		entry->name = mem_dup(name.p, name.n);
		if (entry->name == NULL)
			return false;
		entry->hash = hash;
	}
	entry->session = request->session;
	entry->used = ++told->uses;
	return is_first;
}
