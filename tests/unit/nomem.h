/* SPDX-License-Identifier: ISC
 *
 * Memory that runs out: the n-th allocation from now on fails, and all after it.  Only calls from
 * the program's own objects are caught (linked with NOMEM_WRAP), not those inside libraries.
 */
#ifndef TESTS_NOMEM_H
#define TESTS_NOMEM_H

#include <stddef.h>

/* n counted from 0. */
void nomem_after(size_t n);
/* Memory is there again; how many allocations were asked for since nomem_after(). */
size_t nomem_end(void);

#endif
