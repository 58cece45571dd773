/* SPDX-License-Identifier: ISC */
#include "opensmtpd/idmap.h"

/* smtpd's numbers are random, ours are counted: both fall everywhere after a multiplication. */
static size_t
bucket(uint64_t id)
{
	return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 52) % IDMAP_BUCKETS;
}

void
idmap_put(struct idmap *map, struct idmap_node *node, uint64_t id, void *thing)
{
	struct idmap_node **at = &map->buckets[bucket(id)];

	node->id = id;
	node->thing = thing;
	node->next = *at;
	node->at = at;
	if (node->next != NULL)
		node->next->at = &node->next;
	*at = node;
	map->n++;
}

void
idmap_remove(struct idmap *map, struct idmap_node *node)
{
	if (node->at == NULL)
		return;
	*node->at = node->next;
	if (node->next != NULL)
		node->next->at = node->at;
	node->at = NULL;
	map->n--;
}

void *
idmap_get(const struct idmap *map, uint64_t id)
{
	const struct idmap_node *node = map->buckets[bucket(id)];

	while (node != NULL && node->id != id)
		node = node->next;
	return node == NULL ? NULL : node->thing;
}

void *
idmap_any(const struct idmap *map)
{
	for (size_t i = 0; map->n != 0 && i < IDMAP_BUCKETS; i++) {
		if (map->buckets[i] != NULL)
			return map->buckets[i]->thing;
	}
	return NULL;
}

void
idmap_each(const struct idmap *map, void (*fn)(void *thing, void *arg), void *arg)
{
	for (size_t i = 0; map->n != 0 && i < IDMAP_BUCKETS; i++) {
		for (const struct idmap_node *node = map->buckets[i]; node != NULL;
		     node = node->next)
			fn(node->thing, arg);
	}
}
