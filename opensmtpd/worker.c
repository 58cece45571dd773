/* SPDX-License-Identifier: ISC
 *
 * Opens what it lives with, goes behind its walls, and then serves one loop until the supervisor's
 * end of the channel has gone.
 */
#include "opensmtpd/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "opensmtpd/confine.h"
#include "opensmtpd/door.h"
#include "opensmtpd/duct.h"
#include "opensmtpd/rcpt.h"
#include "opensmtpd/relay/announced.h"
#include "opensmtpd/relay/late.h"
#include "opensmtpd/relay/relay.h"
#include "opensmtpd/relay/session.h"
#include "opensmtpd/relay/upstream.h"

enum {
	FDS_KEPT = 64,	 /* descriptors for the store, the helpers and the like */
	FDS_SESSION = 4, /* that a session of smtpd's may need */
	SESSIONS_MAX = 2000,
	SWEEP = 10 * 1000,   /* ms between two looks for what is old */
	OUTDATED = 5 * 1000, /* ms between two looks at the files behind the walls */
	LEAVE = 200,	     /* ms between two looks whether nothing is under way */
};

struct worker {
	const struct worker_config *config;
	struct loop *loop;
	struct mtasts *ctx;
	struct relay relay;
	struct announced *announced;
	struct sessions *sessions;
	struct rcpts *rcpts;
	struct duct *duct;
	struct door *door;
	struct confine confine;
	struct loop_timer sweep, outdated;
	bool is_outdated; /* somebody else should have its place */
	bool is_relieved; /* and has: it ends when nothing is under way */
};

/* ---- the channel ---- */

static void
on_answer(void *arg, uint64_t question, const struct mtasts_decision *decision)
{
	struct worker *w = arg;
	struct channel_message answer = { .kind = CHANNEL_ANSWER, .id = question };

	if (decision != NULL) {
		answer.code = (unsigned)decision->smtp_code;
		buf_keep(answer.enhanced, sizeof answer.enhanced, span_of(decision->enhanced));
		buf_keep(answer.text, sizeof answer.text, span_of(decision->text));
	}
	(void)duct_send(w->duct, &answer);
}

static void
timer_set(struct worker *w, struct loop_timer *timer, int64_t in_ms)
{
	(void)loop_timer_set(w->loop, timer, in_ms); /* which has its place: it was set before */
}

/* Whoever comes from now on is the other's. */
static void
relieved(struct worker *w)
{
	w->is_relieved = true;
	door_shut(w->door);
	timer_set(w, &w->outdated, 0);
}

static void
on_message(void *arg, const struct channel_message *m)
{
	struct worker *w = arg;

	switch (m->kind) {
	case CHANNEL_CONNECT:
		announced_connect(w->announced, m->id, &m->from, &m->to, loop_now_ms(w->loop));
		break;
	case CHANNEL_BEGIN:
		announced_begin(w->announced, m->id);
		break;
	case CHANNEL_ENVELOPE:
		announced_envelope(w->announced, m->id, m->envelope);
		break;
	case CHANNEL_DISCONNECT:
		announced_disconnect(w->announced, m->id);
		break;
	case CHANNEL_QUESTION:
		rcpts_ask(w->rcpts, m->id, &m->domain);
		break;
	case CHANNEL_PING:
		(void)duct_send(w->duct, m);
		break;
	case CHANNEL_LEAVE:
		relieved(w);
		break;
	case CHANNEL_ANSWER:
		break;
	}
}

static void
on_broken(void *arg, const char *why)
{
	struct worker *w = arg;

	log_put(w->config->log, MTASTS_LOG_INFO, "worker end=\"supervisor %s\"", why);
	loop_stop(w->loop);
}

static void
on_connection(void *arg, int fd)
{
	sessions_accept(((struct worker *)arg)->sessions, fd);
}

/* ---- time ---- */

static void
on_sweep(void *arg)
{
	struct worker *w = arg;

	announced_sweep(w->announced, loop_now_ms(w->loop));
	timer_set(w, &w->sweep, SWEEP);
}

static void
leave_if_idle(struct worker *w)
{
	if (sessions_count(w->sessions) == 0 && rcpts_count(w->rcpts) == 0)
		loop_stop(w->loop);
	timer_set(w, &w->outdated, LEAVE);
}

/* A worker that sees the new files takes over; what is under way is finished here. */
static void
look_at_files(struct worker *w)
{
	const struct channel_message leave = { .kind = CHANNEL_LEAVE };

	if (!w->is_outdated && confine_is_outdated(&w->confine)) {
		w->is_outdated = true;
		log_put(w->config->log, MTASTS_LOG_INFO,
		    "worker reason=\"files were exchanged: another takes over\"");
	}
	if (w->is_outdated)
		(void)duct_send(w->duct, &leave);
	timer_set(w, &w->outdated, OUTDATED);
}

static void
on_outdated(void *arg)
{
	struct worker *w = arg;

	if (w->is_relieved)
		leave_if_idle(w);
	else
		look_at_files(w);
}

/* ---- all of it ---- */

static size_t
sessions_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= 2 * FDS_KEPT)
		return FDS_KEPT / FDS_SESSION;
	rlim_t n = (limit.rlim_cur - FDS_KEPT) / FDS_SESSION;
	return n < SESSIONS_MAX ? (size_t)n : SESSIONS_MAX;
}

static int
fault(const struct worker *w, const char *what, const char *why)
{
	log_put(w->config->log, MTASTS_LOG_ERROR, "worker %s=\"%s\"", what, why);
	return EX_UNAVAILABLE;
}

static int
relay_open(struct worker *w)
{
	w->relay = (struct relay){ .loop = w->loop,
		.ctx = w->ctx,
		.clock = w->config->clock,
		.log = w->config->log,
		.tls = upstream_tls_new(),
		.late = late_new(),
		.allow = &w->config->config->allow_addresses };
	w->announced = announced_new();
	if (w->relay.tls == NULL || w->relay.late == NULL || w->announced == NULL)
		return fault(w, "relay", strerror(ENOMEM));
	w->sessions = sessions_new(&w->relay, w->announced, sessions_max());
	return w->sessions != NULL ? EX_OK : fault(w, "relay", strerror(ENOMEM));
}

static int
talk_open(struct worker *w, int channel)
{
	const struct duct_events events = { w, on_message, on_broken };

	w->rcpts = rcpts_new(
	    w->loop, w->ctx, w->config->config->deadline * 1000, w->config->log, on_answer, w);
	w->duct = duct_new(w->loop, channel, &events);
	w->door = door_new(w->loop, w->config->listeners, w->config->log, on_connection, w);
	if (w->rcpts == NULL || w->duct == NULL || w->door == NULL)
		return fault(w, "channel", strerror(errno));
	w->sweep = (struct loop_timer){ .fn = on_sweep, .arg = w };
	w->outdated = (struct loop_timer){ .fn = on_outdated, .arg = w };
	if (loop_timer_set(w->loop, &w->sweep, SWEEP) != 0 ||
	    loop_timer_set(w->loop, &w->outdated, OUTDATED) != 0)
		return fault(w, "timers", strerror(ENOMEM));
	return EX_OK;
}

static int
walls_enter(struct worker *w)
{
	char words[256];
	struct buf missing;

	buf_init(&missing, words, sizeof words);
	if (confine_enter(&w->confine, w->config->config, &missing) != 0)
		return fault(w, "sandbox", strerror(errno));
	log_put(w->config->log, MTASTS_LOG_INFO, "worker version=%s port=%lld sandbox=\"%s%s\"",
	    mtasts_version(), (long long)w->config->config->relay_port,
	    missing.n == 0 ? "complete" : "without ", missing.p);
	return EX_OK;
}

static int
worker_open(struct worker *w, int channel)
{
	const struct log *log = w->config->log;

	w->loop = loop_new(w->config->clock);
	if (w->loop == NULL)
		return fault(w, "loop", strerror(errno));
	int r = mtasts_new(w->config->config, log->fn, log->arg, &w->ctx);
	if (r != 0)
		return fault(w, "library", mtasts_strerror(r));
	loop_library(w->loop, w->ctx);
	r = relay_open(w);
	if (r == EX_OK)
		r = talk_open(w, channel);
	return r != EX_OK ? r : walls_enter(w);
}

/* An upstream that late answers are waited for ends with late. */
static void
worker_close(struct worker *w)
{
	door_free(w->door);
	rcpts_free(w->rcpts);
	sessions_free(w->sessions);
	late_free(w->relay.late);
	announced_free(w->announced);
	SSL_CTX_free(w->relay.tls);
	duct_free(w->duct);
	if (w->loop != NULL)
		loop_library(w->loop, NULL);
	mtasts_free(w->ctx);
	loop_free(w->loop);
	free(w);
}

int
worker_main(const struct worker_config *config, int channel)
{
	struct worker *w = mem_zero(1, sizeof *w);

	if (w == NULL)
		return EX_OSERR;
	w->config = config;
	int r = worker_open(w, channel);
	if (r == EX_OK)
		loop_run(w->loop);
	worker_close(w);
	return r;
}
