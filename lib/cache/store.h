/* SPDX-License-Identifier: ISC
 *
 * The store: one SQLite file (WAL) in the state directory, shared by every process of the host.
 * Made by store_create() (`mtasts init`) and never by a mail server: a missing store is a fault,
 * not an empty cache.
 *
 * What it does when things are wrong; each cause is one error line in the log:
 *   full disk	reads go on; what cannot be written is CACHE_UNREADABLE
 *   read-only	the same; leases too are CACHE_UNREADABLE then, for a lock needs a file to write
 *   damage	whatever answer the damaged bytes are part of is CACHE_UNREADABLE, never another
 *   locked	two seconds of waiting for others a call at most, then CACHE_UNREADABLE
 *   kill -9	what put() had returned from is there; what it had not is there whole or not at all
 *	missing, replaced, made whole: looked for again by each call, at most every second
 *
 * A handle belongs to the process that opened it.  In a child of fork() every call answers
 * CACHE_UNREADABLE; close it there, before another is opened: SQLite keeps a table of its open
 * files, which fork() copies, and would take the parent's locks for the child's.
 */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "base/log.h"
#include "base/owner.h"
#include "cache/cache.h"

#define STORE_FILE   "policies.db" /* in the state directory */
#define STORE_LEASES "leases"	   /* locked ranges are the leases; holds a salt */

struct store;

/*
 * Make what is missing in directory (which exists and is the owner's): store and lease file, mode
 * 0660.  Harmless when they are there.  0, MTASTS_ECACHE (why gets the words), MTASTS_ENOMEM.
 */
int store_create(const char *directory, const struct owner *owner, char *why, size_t cap);

/*
 * Open as the directory's owner.  MTASTS_ECACHE: no store, not a store, not readable; *store is
 * then a store all the same, on which every call answers CACHE_UNREADABLE, so that a look-up can
 * still go to the network (and fail closed).  why gets the words, which are not logged here.
 * MTASTS_ENOMEM: no *store.
 */
int store_open(
    const char *directory, const struct log *log, struct store **store, char *why, size_t cap);
/* NULL is fine.  Leases end.  In a child of fork() no file is written and no lock dropped. */
void store_close(struct store *store);

/* The table over this store; valid until store_close(). */
struct cache store_cache(struct store *store);

#endif
