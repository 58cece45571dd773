/* SPDX-License-Identifier: ISC
 *
 * Allocation with overflow checks.  NULL on failure, never exit.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed; n * size is checked.  n or size 0 gives a pointer that free() takes. */
void *mem_zero(size_t n, size_t size);
/* n elements of size; the old block is untouched on failure. */
void *mem_resize(void *old, size_t n, size_t size);
char *mem_dup(const char *p, size_t n); /* NUL added */

#endif
