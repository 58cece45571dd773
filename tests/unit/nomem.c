/* SPDX-License-Identifier: ISC
 *
 * The allocator's calls, wrapped by the linker (--wrap).
 */
#include "nomem.h"

#include <errno.h>
#include <stdbool.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t n);

static bool is_counting;
static size_t left, asked;

void
nomem_after(size_t n)
{
	left = n;
	asked = 0;
	is_counting = true;
}

size_t
nomem_end(void)
{
	is_counting = false;
	return asked;
}

static bool
is_out(void)
{
	if (!is_counting)
		return false;
	asked++;
	if (left > 0) {
		left--;
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t n)
{
	return is_out() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_out() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t n)
{
	return is_out() ? NULL : __real_realloc(old, n);
}
