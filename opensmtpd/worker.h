/* SPDX-License-Identifier: ISC
 *
 * The process that speaks with the world: looks policies up for the filter, and relays what smtpd
 * hands over.  Never root, and behind walls before it serves anybody.
 */
#ifndef OPENSMTPD_WORKER_H
#define OPENSMTPD_WORKER_H

#include "base/clock.h"
#include "base/log.h"
#include "mtasts.h"
#include "opensmtpd/listeners.h"

struct worker_config {
	const struct mtasts_config *config;
	const struct clock *clock;
	const struct log *log;
	const struct listeners *listeners;
};

/* channel: its end, which is the worker's.  Until the other end has gone; the exit status. */
int worker_main(const struct worker_config *config, int channel);

#endif
