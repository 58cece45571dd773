/* SPDX-License-Identifier: ISC
 *
 * What both helpers share: a command line, and a pipe on standard input and output on which a
 * parent of ours speaks net/wire.h.  A helper owns its process, so these end it when there is
 * nothing left to do.
 */
#ifndef HELPERS_SERVE_H
#define HELPERS_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire.h"

/* Of sysexits. */
enum { EXIT_USAGE = 64, EXIT_DATA = 65, EXIT_NOT_SERVING = 69, EXIT_PERMISSION = 77 };

struct serve_program {
	const char *name;     /* "mtasts-fetch" */
	const char *synopsis; /* "-c DIRECTORY [-a PREFIX]..." */
	const char *does;     /* one line */
	const char *options;  /* for getopt(3) */
	/* One option taken: 0, or -1 for a value that is none. */
	int (*option)(int option, const char *value);
};

/* Options, --help and --version; ends the program when there is nobody to serve, or it is root. */
void serve_begin(const struct serve_program *program, int argc, char **argv);

/* Octets are waiting: read some.  Ends the program when the parent is gone. */
void serve_read(void);
/* The next whole message: 1, or 0 when more must be read.  Ends the program on a malformed one. */
int serve_next(struct wire_message *message);

void serve_answer(uint32_t id, const struct net_answer *answer);
void serve_page(uint32_t id, const struct net_page *page);
/* Not fatal: something the operator should know. */
void serve_note(const char *text);
/* Say so and end: errno may add to it. */
_Noreturn void serve_fail(int error, const char *text);
/* A message that was whole but makes no sense. */
_Noreturn void serve_malformed(void);

int64_t serve_now_ms(void); /* monotonic */

#endif
