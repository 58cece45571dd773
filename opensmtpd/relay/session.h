/* SPDX-License-Identifier: ISC
 *
 * One LMTP connection of smtpd's (RFC 2033): reads its commands, hands the message to a
 * transaction as it comes, gives the answers back at a pace that smtpd can take.
 */
#ifndef OPENSMTPD_RELAY_SESSION_H
#define OPENSMTPD_RELAY_SESSION_H

#include <stddef.h>

#include "opensmtpd/relay/announced.h"
#include "opensmtpd/relay/relay.h"

struct sessions;

/* relay and announced are borrowed.  NULL: out of memory. */
struct sessions *sessions_new(const struct relay *relay, struct announced *announced, size_t max);
void sessions_free(struct sessions *sessions);
/*
 * fd, connected and non-blocking, is the sessions' from here on.  It is served when smtpd has
 * announced it, which is waited for (5 s): 421 4.7.0 to anybody else, and to all beyond max.
 */
void sessions_accept(struct sessions *sessions, int fd);
size_t sessions_count(const struct sessions *sessions);

#endif
