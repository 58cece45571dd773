/* SPDX-License-Identifier: ISC
 *
 * What became of a message, as a line in the log: who, where to, over what, and the words.
 */
#ifndef OPENSMTPD_RELAY_ACCOUNT_H
#define OPENSMTPD_RELAY_ACCOUNT_H

#include "base/log.h"
#include "base/span.h"
#include "opensmtpd/proto/reply.h"
#include "opensmtpd/relay/upstream.h"

/* All borrowed. */
struct account {
	const char *domain, *policy, *mx_host; /* safe in a log */
	const struct upstream_outcome *outcome;
	struct span recipient; /* empty: it is about n of them */
	size_t n;
	const struct reply *reply;
};

void account_log(const struct account *account, const struct log *log);

#endif
