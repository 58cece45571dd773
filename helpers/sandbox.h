/* SPDX-License-Identifier: ISC
 *
 * What a helper gives up before it reads a word from the network, for good: files but those it
 * names, programs, other processes, and every system call it has no use for.  Landlock and
 * seccomp where the kernel has them; where it has not, the caller is told and the rest holds
 * (own user, no privileges, limits).
 */
#ifndef HELPERS_SANDBOX_H
#define HELPERS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct sandbox {
	int ruleset;	       /* Landlock's, -1 none */
	unsigned abi;	       /* Landlock's version, 0 none */
	const uint16_t *ports; /* of TCP servers it may connect to */
	size_t n_ports;
	bool datagrams; /* UDP too, with a port of its own */
	bool threads;	/* in the same process */
};

/* Begin with nothing allowed. */
void sandbox_init(struct sandbox *sandbox);
/* The file, or all below the folder, may be read.  0, or -1 with errno. */
int sandbox_allow(struct sandbox *sandbox, const char *path);
/*
 * From here on.  0, with missing saying what this kernel does not have ("" when nothing), or -1
 * with errno when a wall that should stand could not be built.
 */
int sandbox_enter(struct sandbox *sandbox, struct buf *missing);

#endif
