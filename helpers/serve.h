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
#include "sandbox/sandbox.h"

/* Of sysexits. */
enum { EXIT_USAGE = 64, EXIT_DATA = 65, EXIT_NOT_SERVING = 69, EXIT_PERMISSION = 77 };

struct serve_program {
	const char *name;     /* "mtasts-fetch" */
	const char *synopsis; /* its options */
	const char *does;     /* one line */
	const char *options;  /* for getopt(3) */
	/* One option taken: 0, or -1 for a value that is none. */
	int (*option)(int option, const char *value);
};

/* Options, --help and --version; ends the program when there is nobody to serve, or it is root. */
void serve_begin(const struct serve_program *program, int argc, char **argv);

/* Give up all but what sandbox allows; what this kernel has no walls for is told. */
void serve_shut_in(struct sandbox *sandbox);

/*
 * Octets are waiting: take them, and each message that is whole.  Ends the program when the
 * parent is gone or what it says is malformed.
 */
typedef void serve_request_fn(const struct wire_message *message);
void serve_requests(serve_request_fn *request);

void serve_answer(uint32_t id, const struct net_answer *answer);
void serve_page(uint32_t id, const struct net_page *page);
/* Say so and end; error is an errno, or 0. */
_Noreturn void serve_fail(int error, const char *text);
/* A message that was whole but makes no sense. */
_Noreturn void serve_malformed(void);

int64_t serve_now_ms(void); /* monotonic */

#endif
