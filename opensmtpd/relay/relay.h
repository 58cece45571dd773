/* SPDX-License-Identifier: ISC
 *
 * What the parts of the relay share, and nothing else.
 */
#ifndef OPENSMTPD_RELAY_RELAY_H
#define OPENSMTPD_RELAY_RELAY_H

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "loop/loop.h"
#include "mtasts.h"

struct relay {
	struct loop *loop;
	struct mtasts *ctx;
	const struct clock *clock;
	const struct log *log;
	SSL_CTX *tls;
	struct late *late;		   /* relay/late.h */
	const struct conf_prefixes *allow; /* addresses that are connected whatever they are */
};

enum {
/* smtpd waits 300 s for any answer of ours (its mta_session.c), and delivers again after
   that.  Every reply to smtpd is given within so many ms. */
#ifdef RELAY_HASTY /* tests/tools/filter-hasty */
	RELAY_ANSWER = 9 * 1000,
#else
	RELAY_ANSWER = 280 * 1000,
#endif
};

#endif
