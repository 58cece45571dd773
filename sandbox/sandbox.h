/* SPDX-License-Identifier: ISC
 *
 * What a process gives up before it reads a word from the network, for good: files but those it
 * names, other processes, and every system call it has no use for.  Landlock and seccomp where
 * the kernel has them; where it has not, the caller is told and the rest holds (own user, no
 * privileges, limits).
 *
 * Without any of the booleans it is the sandbox of a process that reads files, speaks TCP as a
 * client, and starts nothing: for such a one, trying to start a program is fatal.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum sandbox_right {
	SANDBOX_READ = 1 << 0,
	SANDBOX_WRITE = 1 << 1, /* of a folder: make files in it too, but remove none */
	SANDBOX_EXECUTE = 1 << 2
};

struct sandbox {
	int ruleset;	       /* Landlock's, -1 none */
	unsigned abi;	       /* Landlock's version, 0 none */
	const uint16_t *ports; /* of TCP servers it may connect to */
	size_t n_ports;
	bool datagrams; /* UDP too, with a port of its own */
	bool threads;	/* in the same process */
	bool writes;	/* files */
	bool serves;	/* takes connections, and may choose the address it connects from */
	bool starts;	/* programs, which may go behind walls of their own */
};

/* Begin with nothing allowed. */
void sandbox_init(struct sandbox *sandbox);
/*
 * The file, or all below the folder; a link is followed now.  rights: of enum sandbox_right.  0,
 * or -1 with errno.
 */
int sandbox_allow(struct sandbox *sandbox, const char *path, unsigned rights);
/*
 * A folder of certificates named by their hash, and what these names are links to, to be read.
 * *n: how many certificates.  0, or -1 with errno.
 */
int sandbox_allow_certificates(struct sandbox *sandbox, const char *directory, size_t *n);
/* This kernel's Landlock knows TCP ports (6.7) and so keeps to sandbox->ports. */
bool sandbox_has_ports(const struct sandbox *sandbox);
/*
 * From here on.  0, with missing saying what this kernel does not have ("" when nothing), or -1
 * with errno when a wall that should stand could not be built.
 */
int sandbox_enter(struct sandbox *sandbox, struct buf *missing);

#endif
