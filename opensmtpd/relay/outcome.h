/* SPDX-License-Identifier: ISC
 *
 * What a session came to, in the words of upstream.h: pure.
 */
#ifndef OPENSMTPD_RELAY_OUTCOME_H
#define OPENSMTPD_RELAY_OUTCOME_H

#include <stdbool.h>
#include <sys/socket.h>

#include "opensmtpd/proto/smtp.h"
#include "opensmtpd/relay/upstream.h"

struct outcome_view {
	const struct smtp *smtp;
	enum mtasts_tls certificate; /* with SMTP_TLS_UP; reason: its fault */
	const char *reason;
	bool is_tls_fault; /* TLS broke after its handshake */
	const char *why;   /* the session is over; NULL: it is open */
};

/* All but addresses and TLS version. */
void outcome_fill(struct upstream_outcome *outcome, const struct outcome_view *view);
/* Presentation form, "" for what has none. */
void outcome_address(char out[UPSTREAM_IP_MAX], const struct sockaddr_storage *address);

#endif
