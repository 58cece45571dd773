/* SPDX-License-Identifier: ISC
 *
 * The sockets at which the relay is listened for: every place of proto/place.h, and no address of
 * another interface.
 */
#ifndef OPENSMTPD_LISTENERS_H
#define OPENSMTPD_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/conf.h"

struct listeners {
	int *fds;
	size_t n;
	bool is_anywhere; /* the system did not bind it to the loopback interface */
};

/* 0, or -1 with why ("port 10027: Address already in use"). */
int listeners_open(
    struct listeners *listeners, const struct mtasts_config *config, struct buf *why);
void listeners_close(struct listeners *listeners);
/* An accepted connection came to a loopback address. */
bool listeners_is_ours(const struct listeners *listeners, int fd);

#endif
