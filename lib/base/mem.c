/* SPDX-License-Identifier: ISC
 *
 * The allocator's calls with the multiplications checked.
 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *
mem_zero(size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	if (n > SIZE_MAX / size) /* calloc() checks too, but sanitizers end the program there */
		return NULL;
	return calloc(n, size);
}

void *
mem_resize(void *old, size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	if (n > SIZE_MAX / size)
		return NULL;
	return realloc(old, n * size);
}

char *
mem_dup(const char *p, size_t n)
{
	char *copy = n == SIZE_MAX ? NULL : malloc(n + 1);

	if (copy == NULL)
		return NULL;
	if (n != 0)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}
