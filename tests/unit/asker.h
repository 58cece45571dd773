/* SPDX-License-Identifier: ISC
 *
 * smtpd's side of a table: starts the process as smtpd does, and asks it in either protocol.  For
 * tests and benchmarks.
 */
#ifndef TESTS_ASKER_H
#define TESTS_ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum asker_protocol { ASKER_TEXT, ASKER_IMSG };

enum {
	ASKER_NOT_FOUND = 0,
	ASKER_FOUND = 1,   /* update: done */
	ASKER_ERROR = -1,  /* the table's own word */
	ASKER_BROKEN = -2, /* an answer that ends smtpd */
	ASKER_GONE = -3,   /* no table any more */
	ASKER_SILENT = -4, /* no answer in ten seconds */
};

struct asker {
	enum asker_protocol protocol;
	pid_t pid;
	int fd;
	unsigned n_asked;
	size_t n;
	char in[4096];
};

/*
 * argument: what stands behind the colon of the table's source, or NULL.  false: no process.  The
 * greeting has been exchanged.
 */
bool asker_start(
    struct asker *asker, const char *program, const char *argument, enum asker_protocol protocol);
/* The same without a greeting. */
bool asker_fork(
    struct asker *asker, const char *program, const char *argument, enum asker_protocol protocol);
int asker_greet(struct asker *asker);
/* Our end is closed: the status of waitpid(2). */
int asker_stop(struct asker *asker);

int asker_check(struct asker *asker, const char *domain);
/* value: 128 octets. */
int asker_lookup(struct asker *asker, const char *domain, char *value);
int asker_update(struct asker *asker);

/* Octets as they are; false: not all could be sent. */
bool asker_put(struct asker *asker, const void *p, size_t n);
/* A check's question; octets written to out (512). */
size_t asker_question(struct asker *asker, const char *domain, char *out);
/* The answer to the oldest question that has none yet: text has its number. */
int asker_answer(struct asker *asker, unsigned number);

#endif
