/* SPDX-License-Identifier: ISC
 *
 * A copy placed against the end of a mapping, with an unreadable page behind it.
 */
#include "guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void
guard_init(struct guard *g, const void *p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t body = (n + page - 1) / page * page + page;

	g->size = body + page;
	g->map = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->map == MAP_FAILED || mprotect(g->map + body, page, PROT_NONE) != 0)
		abort();
	char *at = g->map + body - n;
	if (n != 0)
		memcpy(at, p, n);
	g->span.p = at;
	g->span.n = n;
}

void
guard_clear(struct guard *g)
{
	munmap(g->map, g->size);
}
