/* SPDX-License-Identifier: ISC
 *
 * Things by a number of 64 bit.  The node is part of the thing, so that nothing here can fail.
 */
#ifndef OPENSMTPD_IDMAP_H
#define OPENSMTPD_IDMAP_H

#include <stddef.h>
#include <stdint.h>

enum { IDMAP_BUCKETS = 4096 };

struct idmap_node {
	uint64_t id;
	void *thing;
	struct idmap_node *next, **at; /* at NULL: in no map */
};

/* Zero it first. */
struct idmap {
	size_t n;
	struct idmap_node *buckets[IDMAP_BUCKETS];
};

/* Nothing of that number is in it. */
void idmap_put(struct idmap *map, struct idmap_node *node, uint64_t id, void *thing);
/* Harmless when it is in none. */
void idmap_remove(struct idmap *map, struct idmap_node *node);
void *idmap_get(const struct idmap *map, uint64_t id); /* NULL: nothing */
void *idmap_any(const struct idmap *map);	       /* NULL: it is empty */

/* fn must not change the map. */
void idmap_each(const struct idmap *map, void (*fn)(void *thing, void *arg), void *arg);

#endif
