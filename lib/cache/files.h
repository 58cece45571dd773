/* SPDX-License-Identifier: ISC
 *
 * The state directory and the store's files in it.  0, MTASTS_ENOMEM, or MTASTS_ECACHE with the
 * words in why.
 */
#ifndef CACHE_FILES_H
#define CACHE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/owner.h"

/* The words into why; returns MTASTS_ECACHE. */
int files_refuse(char *why, size_t cap, const char *fmt, ...) ATTR_PRINTF(3, 4);

/* A descriptor of the directory itself, not of what a link leads to; or an error. */
int files_open_directory(const char *directory, char *why, size_t cap);

/* The store and what SQLite keeps beside it are ours and plain.  *size -1: there is no store. */
int files_check(int directory, const struct owner *owner, off_t *size, char *why, size_t cap);

/* The store's path, absolute and without links: free() it. */
int files_path(const char *directory, char **path, char *why, size_t cap);

#endif
