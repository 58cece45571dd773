/* SPDX-License-Identifier: ISC
 *
 * A small table; a hundred comparisons cost less than the expansion that led here.
 */
#include "exim/memory.h"

#include <string.h>

#include "base/buf.h"

static void
told_clear(struct told *told)
{
	mtasts_policy_free(told->policy);
	mtasts_mxset_free(told->mx);
	*told = (struct told){ .domain = "" };
}

struct told *
memory_find(struct memory *memory, const char *domain)
{
	for (size_t i = 0; i < MEMORY_DOMAINS; i++) {
		struct told *told = &memory->told[i];
		if (told->domain[0] == '\0' || strcmp(told->domain, domain) != 0)
			continue;
		told->used = ++memory->uses;
		return told;
	}
	return NULL;
}

static struct told *
least_used(struct memory *memory)
{
	struct told *least = &memory->told[0];

	for (size_t i = 1; i < MEMORY_DOMAINS; i++) {
		if (memory->told[i].used < least->used)
			least = &memory->told[i];
	}
	return least;
}

struct told *
memory_add(struct memory *memory, const char *domain, int64_t now_ms)
{
	struct told *told = memory_find(memory, domain);
	struct buf name;

	if (told == NULL)
		told = least_used(memory);
	told_clear(told);
	buf_init(&name, told->domain, sizeof told->domain);
	buf_puts(&name, domain);
	told->at_ms = now_ms;
	told->used = ++memory->uses;
	return told;
}

void
memory_clear(struct memory *memory)
{
	for (size_t i = 0; i < MEMORY_DOMAINS; i++)
		told_clear(&memory->told[i]);
	memory->uses = 0;
}
