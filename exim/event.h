/* SPDX-License-Identifier: ISC
 *
 * mtasts_event: an event of the smtp transport, from Exim's words to a step of the session.
 */
#ifndef EXIM_EVENT_H
#define EXIM_EVENT_H

#include "base/buf.h"
#include "exim/context.h"
#include "exim/memory.h"
#include "exim/session.h"

/* What the transport gives, borrowed. */
struct event_given {
	struct span block;	 /* vars.h */
	struct span data;	 /* $event_data */
	struct span certificate; /* $tls_out_peercert as base64 of DER; empty: none */
};

/* "" or the text of a veto. */
void event(struct memory *memory, struct context *context, struct session *session,
    const struct event_given *given, struct buf *out);

/* The DER octets, for free(); n 0 and NULL when base64 is not that of something that fits. */
unsigned char *event_der(struct span base64, size_t *n);

#endif
