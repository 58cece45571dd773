/* SPDX-License-Identifier: ISC
 *
 * The filter's side towards smtpd: lines in, answers out.  A recipient of a trusted client is held
 * until the worker has looked at its domain; whatever goes wrong, it proceeds in the end.  Knows no
 * process and no descriptor.
 *
 * Trusted are sessions that have authenticated, that came by a local socket, or from a prefix of
 * filter_clients: strangers cannot make us look anything up.
 */
#ifndef OPENSMTPD_SUPERVISOR_H
#define OPENSMTPD_SUPERVISOR_H

#include "base/conf.h"
#include "base/log.h"
#include "loop/loop.h"
#include "opensmtpd/proto/channel.h"

enum {
	SUPERVISOR_SESSIONS_MAX = 65536, /* of clients; more are not trusted */
	SUPERVISOR_MARGIN = 1000	 /* ms that the worker's answer may be late */
};

struct supervisor;

struct supervisor_ports {
	void *arg;
	/* For smtpd: whole lines. */
	void (*say)(void *arg, struct span lines);
	/* For the worker: 0, or -1 when nobody will get it. */
	int (*tell)(void *arg, const struct channel_message *message);
};

/* All borrowed but the ports.  NULL: out of memory. */
struct supervisor *supervisor_new(struct loop *loop, const struct mtasts_config *config,
    const struct supervisor_ports *ports, const struct log *log);
void supervisor_free(struct supervisor *supervisor);

/* A line of smtpd's; is_cut: the beginning of one that was too long. */
void supervisor_line(struct supervisor *supervisor, struct span line, bool is_cut);
/* The worker's answer. */
void supervisor_answer(struct supervisor *supervisor, const struct channel_message *answer);
/* The worker has gone: whoever is held proceeds. */
void supervisor_alone(struct supervisor *supervisor);
/* There is another: it is told of the connections that may still wait to be accepted. */
void supervisor_again(struct supervisor *supervisor);
size_t supervisor_held(const struct supervisor *supervisor);

#endif
