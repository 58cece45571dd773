/* SPDX-License-Identifier: ISC
 *
 * smtpd's own connections, those to the relay among them: what it says of them goes on to the
 * worker, and to the next one what that cannot know.
 */
#ifndef OPENSMTPD_OWN_H
#define OPENSMTPD_OWN_H

#include "opensmtpd/proto/channel.h"
#include "opensmtpd/proto/event.h"

enum { OWNS_MAX = 16384 /* that are remembered */ };

struct owns;

/* tell: 0, or -1 when no worker will get it.  NULL: out of memory. */
struct owns *owns_new(int (*tell)(void *arg, const struct channel_message *message), void *arg);
void owns_free(struct owns *owns);
/* Of smtp-out. */
void owns_event(struct owns *owns, const struct event *event);
/* There is another worker: it is told of the connections that may still wait to be accepted. */
void owns_again(struct owns *owns);

#endif
