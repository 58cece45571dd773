/* SPDX-License-Identifier: ISC
 *
 * The network by way of mtasts-resolve and mtasts-fetch.  At most one process of each is kept;
 * requests share it.  What it says is believed message by message; the first octet out of place
 * ends it, and whatever it still owed is a FAULT.  Parses nothing of the network's.
 */
#include "net/helper.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/wire.h"
#include "net/worker.h"

enum {
	MESSAGE_MAX = 1024,  /* octets of any request */
	REQUESTS_MAX = 4096, /* under way at once */
	MARGIN_MAX = 1000,   /* ms the helper has less than its parent, to say why itself */
	MARGIN_PART = 10,    /* and at most that part of the time */
	FAIR = 300,	     /* ms in which any helper that works has said something */
	READS_MAX = 256,     /* of one helper in one process() */
};

struct question {
	enum net_type type;
	bool is_open; /* its answer is still to come */
};

struct net_request {
	struct net_request *next;
	enum worker_kind kind;
	uint32_t id; /* of question 0; question i has id + i */
	int64_t start_ms, deadline_ms;
	net_answer_fn *answer_done;
	net_page_fn *page_done;
	void *arg;
	bool is_cancelled; /* its answers may still come, nobody hears of them */
	bool is_lost;	   /* none will come, for this reason: */
	bool is_fault;	   /* and that is our own trouble, not the network's */
	char reason[WIRE_TEXT + 1];
	size_t n, n_open;
	struct question questions[]; /* a fetch has one */
};

struct helpers {
	const struct mtasts_config *config;
	const struct log *log;
	const struct clock *clock;
	pid_t owner;
	bool is_busy; /* inside process(): nothing is freed behind its back */
	bool is_identified;
	struct process_identity identity;
	uint32_t last_id;
	size_t n_requests;
	struct net_request *requests;
	struct worker workers[WORKER_KINDS];
	bool is_noted[WORKER_KINDS]; /* its warning was logged once */
};

static void
request_lose(struct net_request *request, bool is_fault, const char *reason)
{
	struct buf out;

	request->is_lost = true;
	request->is_fault = is_fault;
	buf_init(&out, request->reason, sizeof request->reason);
	buf_printf(&out, "%s: %s", worker_program(request->kind), reason);
}

/* It is past use: a reason to every request it still owed an answer. */
static void
helper_fail(struct helpers *h, enum worker_kind kind, enum mtasts_log level, bool is_fault,
    const char *reason)
{
	worker_end(&h->workers[kind]);
	log_put(h->log, level, "helper program=%s reason=\"%s\"", worker_program(kind), reason);
	for (struct net_request *r = h->requests; r != NULL; r = r->next) {
		if (r->kind == kind && !r->is_lost)
			request_lose(r, is_fault, reason);
	}
}

static bool
has_requests(const struct helpers *h, enum worker_kind kind, bool live_only)
{
	for (const struct net_request *r = h->requests; r != NULL; r = r->next) {
		if (r->kind == kind && !r->is_lost && !(live_only && r->is_cancelled))
			return true;
	}
	return false;
}

/* An idle process that is of no more use is replaced by the next request. */
static void
helper_refresh(struct helpers *h, enum worker_kind kind)
{
	struct worker *worker = &h->workers[kind];

	if (h->is_busy || !worker_is_running(worker) || has_requests(h, kind, false))
		return;
	if (worker_is_stale(worker, h->config))
		worker_end(worker);
}

/* ---- requests ---- */

static void
request_free(struct helpers *h, struct net_request *request)
{
	struct net_request **at = &h->requests;

	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	h->n_requests--;
	free(request);
}

static int
request_new(struct helpers *h, enum worker_kind kind, size_t n, int64_t deadline_ms, void *arg,
    struct net_request **request)
{
	if (h->n_requests >= REQUESTS_MAX)
		return MTASTS_EBUSY;
	struct net_request *r = mem_zero(1, sizeof *r + n * sizeof r->questions[0]);
	if (r == NULL)
		return MTASTS_ENOMEM;
	if (h->last_id > UINT32_MAX - n)
		h->last_id = 0; /* 0 is the notes' */
	r->id = h->last_id + 1;
	h->last_id += (uint32_t)n;
	r->kind = kind;
	r->n = r->n_open = n;
	r->start_ms = clock_mono_ms(h->clock);
	r->deadline_ms = deadline_ms;
	r->arg = arg;
	for (size_t i = 0; i < n; i++)
		r->questions[i].is_open = true;
	r->next = h->requests;
	h->requests = r;
	h->n_requests++;
	*request = r;
	return 0;
}

static struct net_request *
request_find(struct helpers *h, enum worker_kind kind, uint32_t id)
{
	for (struct net_request *r = h->requests; r != NULL; r = r->next) {
		if (r->kind == kind && id >= r->id && id - r->id < r->n && !r->is_lost)
			return r->questions[id - r->id].is_open ? r : NULL;
	}
	return NULL;
}

/* The time a helper is given, a little less than ours. */
static uint32_t
helper_ms(const struct helpers *h, int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_mono_ms(h->clock);
	int64_t margin = left / MARGIN_PART < MARGIN_MAX ? left / MARGIN_PART : MARGIN_MAX;

	left -= margin;
	if (left < 1)
		left = 1;
	return left > INT32_MAX ? INT32_MAX : (uint32_t)left;
}

static int
helper_start(struct helpers *h, enum worker_kind kind, struct buf *why)
{
	if (!h->is_identified) {
		if (process_identify(h->config->helper_user, &h->identity, why) != 0)
			return -1;
		h->is_identified = true;
	}
	return worker_start(&h->workers[kind], h->config, &h->identity, why);
}

/* A process for the request; without one the request is lost, which process() tells. */
static bool
request_has_worker(struct helpers *h, struct net_request *request)
{
	char text[WIRE_TEXT + 1];
	struct buf why;

	if (worker_is_running(&h->workers[request->kind]))
		return true;
	buf_init(&why, text, sizeof text);
	if (helper_start(h, request->kind, &why) == 0)
		return true;
	log_put(h->log, MTASTS_LOG_ERROR, "helper program=%s reason=\"%s\"",
	    worker_program(request->kind), text);
	request_lose(request, true, text);
	return false;
}

static int
helpers_resolve(void *self, const struct net_question *questions, size_t n, int64_t deadline_ms,
    net_answer_fn *done, void *arg, struct net_request **request)
{
	struct helpers *h = self;
	struct worker *worker = &h->workers[WORKER_RESOLVE];
	struct net_request *r = NULL;
	char storage[MESSAGE_MAX + 1];
	struct buf message;

	assert(n > 0 && h->owner == getpid());
	helper_refresh(h, WORKER_RESOLVE);
	int error = request_new(h, WORKER_RESOLVE, n, deadline_ms, arg, &r);
	if (error != 0)
		return error;
	r->answer_done = done;
	*request = r;
	if (!request_has_worker(h, r))
		return 0;
	uint32_t ms = helper_ms(h, deadline_ms);
	for (size_t i = 0; i < n && error == 0; i++) {
		r->questions[i].type = questions[i].type;
		buf_init(&message, storage, sizeof storage);
		error = wire_question_format(&message, r->id + (uint32_t)i, ms, &questions[i]);
		assert(error == 0);
		error = worker_queue(worker, span_make(message.p, message.n));
	}
	if (error != 0)
		request_lose(r, true, "out of memory");
	(void)worker_send(worker); /* a failure shows in process() */
	return 0;
}

static int
helpers_fetch(void *self, const struct net_fetch *fetch, int64_t deadline_ms, net_page_fn *done,
    void *arg, struct net_request **request)
{
	struct helpers *h = self;
	struct worker *worker = &h->workers[WORKER_FETCH];
	struct net_request *r = NULL;
	char storage[MESSAGE_MAX + 1];
	struct buf message;

	assert(h->owner == getpid());
	if (fetch->n > LIMIT_ADDRESSES || strlen(fetch->path) > WIRE_TEXT)
		return MTASTS_EINVAL;
	helper_refresh(h, WORKER_FETCH);
	int error = request_new(h, WORKER_FETCH, 1, deadline_ms, arg, &r);
	if (error != 0)
		return error;
	r->page_done = done;
	*request = r;
	if (!request_has_worker(h, r))
		return 0;
	buf_init(&message, storage, sizeof storage);
	error = wire_get_format(&message, r->id, helper_ms(h, deadline_ms), fetch);
	assert(error == 0);
	if (worker_queue(worker, span_make(message.p, message.n)) != 0)
		request_lose(r, true, "out of memory");
	(void)worker_send(worker);
	return 0;
}

static void
helpers_cancel(void *self, struct net_request *request)
{
	(void)self;
	request->is_cancelled = true;
}

/* ---- answers ---- */

/* Question i is answered; the request may be gone afterwards. */
static void
answer_deliver(
    struct helpers *h, struct net_request *request, size_t i, const struct net_answer *answer)
{
	request->questions[i].is_open = false;
	request->n_open--;
	if (!request->is_cancelled)
		request->answer_done(request->arg, i, answer);
	if (request->n_open == 0)
		request_free(h, request);
}

static void
page_deliver(struct helpers *h, struct net_request *request, const struct net_page *page)
{
	request->questions[0].is_open = false;
	request->n_open = 0;
	if (!request->is_cancelled)
		request->page_done(request->arg, page);
	request_free(h, request);
}

static const char *
answer_take(struct helpers *h, const struct wire_message *message)
{
	struct net_request *request = request_find(h, WORKER_RESOLVE, message->id);
	struct wire_answer wire;

	if (request == NULL)
		return "answered what was not asked";
	size_t i = message->id - request->id;
	if (wire_answer_parse(message->payload, &wire) != 0 ||
	    !wire_answer_fits(&wire.answer, request->questions[i].type))
		return "malformed answer";
	answer_deliver(h, request, i, &wire.answer);
	return NULL;
}

static const char *
page_take(struct helpers *h, const struct wire_message *message)
{
	struct net_request *request = request_find(h, WORKER_FETCH, message->id);
	struct wire_page wire;

	if (request == NULL)
		return "answered what was not asked";
	if (wire_page_parse(message->payload, &wire) != 0)
		return "malformed page";
	page_deliver(h, request, &wire.page);
	return NULL;
}

/* A warning goes to the log, once a handle; a fatal one is why, in text. */
static const char *
note_take(
    struct helpers *h, enum worker_kind kind, const struct wire_message *message, struct buf *text)
{
	struct wire_note note;

	if (message->id != 0 || wire_note_parse(message->payload, &note) != 0)
		return "malformed note";
	text->n = 0;
	buf_put_escaped(text, span_of(note.text), LIMIT_LOG_REMOTE, false);
	if (note.error != 0)
		buf_printf(text, ": %s", strerror((int)note.error));
	if (note.fatal)
		return text->p;
	if (!h->is_noted[kind])
		log_put(h->log, MTASTS_LOG_WARNING, "helper program=%s note=\"%s\"",
		    worker_program(kind), text->p);
	h->is_noted[kind] = true;
	return NULL;
}

/* NULL, or why the helper is past use. */
static const char *
message_take(
    struct helpers *h, enum worker_kind kind, const struct wire_message *message, struct buf *text)
{
	switch (message->type) {
	case WIRE_ANSWER:
		return kind == WORKER_RESOLVE ? answer_take(h, message) : "malformed message";
	case WIRE_PAGE:
		return kind == WORKER_FETCH ? page_take(h, message) : "malformed message";
	case WIRE_NOTE:
		return note_take(h, kind, message, text);
	case WIRE_QUESTION:
	case WIRE_GET:
		break;
	}
	return "malformed message";
}

/* All whole messages that are there. */
static const char *
messages_take(struct helpers *h, enum worker_kind kind, struct buf *text)
{
	struct worker *worker = &h->workers[kind];
	struct span in = span_make(worker->in, worker->n_in);
	struct wire_message message;
	const char *fault = NULL;
	int r = 0;

	while (fault == NULL && (r = wire_next(&in, &message)) == 1)
		fault = message_take(h, kind, &message, text);
	if (fault == NULL && r < 0)
		fault = "malformed message";
	if (in.n > 0)
		memmove(worker->in, in.p, in.n);
	worker->n_in = in.n;
	return fault;
}

/* Read and answer until nothing more is there.  NULL, or why the helper is past use. */
static const char *
helper_read(struct helpers *h, enum worker_kind kind, struct buf *text)
{
	struct worker *worker = &h->workers[kind];
	const char *fault = NULL;

	for (int i = 0; fault == NULL && i < READS_MAX; i++) {
		int r = worker_receive(worker);
		if (r < 0)
			return worker->n_in > 0 ? "ended within a message" : "ended";
		if (r == 0)
			return NULL;
		fault = messages_take(h, kind, text);
	}
	return fault;
}

static void
helper_process(struct helpers *h, enum worker_kind kind)
{
	struct worker *worker = &h->workers[kind];
	char storage[2 * WIRE_TEXT];
	struct buf text;

	if (!worker_is_running(worker))
		return;
	buf_init(&text, storage, sizeof storage);
	const char *fault = helper_read(h, kind, &text);
	if (fault == NULL && worker_send(worker) != 0)
		fault = "ended";
	if (fault == NULL)
		return;
	bool is_told = fault == text.p;		     /* by itself */
	if (is_told || has_requests(h, kind, false)) /* the operator must act */
		helper_fail(h, kind, MTASTS_LOG_ERROR, true, fault);
	else
		worker_end(worker);
}

/*
 * Who is late for one is late for all: it hangs, for the network's time-outs are before ours.
 * Unless there was hardly any time left to ask in: then the network has used it up.
 */
static void
deadlines_keep(struct helpers *h, int64_t now)
{
	for (const struct net_request *r = h->requests; r != NULL; r = r->next) {
		if (r->is_lost || r->deadline_ms > now)
			continue;
		bool is_fault = r->deadline_ms - r->start_ms >= FAIR;
		helper_fail(h, r->kind, is_fault ? MTASTS_LOG_ERROR : MTASTS_LOG_WARNING, is_fault,
		    "no answer in time");
	}
}

/* Tell those whose answer will not come; callbacks may add and cancel requests meanwhile. */
static void
lost_deliver(struct helpers *h)
{
	struct net_request *r = h->requests;

	while (r != NULL) {
		if (!r->is_lost) {
			r = r->next;
			continue;
		}
		char reason[WIRE_TEXT + 1];
		memcpy(reason, r->reason, sizeof reason);
		if (r->kind == WORKER_FETCH) {
			struct net_page page = { .reason = reason,
				.state = r->is_fault ? NET_FETCH_FAULT : NET_FETCH_FAILED };
			page_deliver(h, r, &page);
		} else {
			struct net_answer answer = { .reason = reason,
				.state = r->is_fault ? NET_FAULT : NET_UNKNOWN };
			size_t i = 0;
			while (!r->questions[i].is_open)
				i++;
			answer_deliver(h, r, i, &answer);
		}
		r = h->requests;
	}
}

static void
helpers_process(void *self)
{
	struct helpers *h = self;

	assert(!h->is_busy && h->owner == getpid());
	h->is_busy = true;
	helper_process(h, WORKER_RESOLVE);
	helper_process(h, WORKER_FETCH);
	deadlines_keep(h, clock_mono_ms(h->clock));
	lost_deliver(h);
	h->is_busy = false;
}

/* ---- waiting and ending ---- */

static size_t
helpers_pollfds(void *self, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	struct helpers *h = self;
	int64_t now = clock_mono_ms(h->clock), wait = -1;
	size_t n = 0;

	for (int kind = 0; kind < WORKER_KINDS; kind++) {
		const struct worker *worker = &h->workers[kind];
		if (!worker_is_running(worker))
			continue;
		if (n < cap)
			fds[n] = (struct pollfd){ worker->process.fd,
				(short)(POLLIN | (worker->n_out > 0 ? POLLOUT : 0)), 0 };
		n++;
	}
	for (const struct net_request *r = h->requests; r != NULL; r = r->next) {
		int64_t left = r->is_lost || r->deadline_ms <= now ? 0 : r->deadline_ms - now;
		if (wait < 0 || left < wait)
			wait = left;
	}
	*timeout_ms = wait > INT32_MAX ? INT32_MAX : (int)wait;
	return n;
}

/* Cancelled requests go with the helper that would have answered them. */
static void
cancelled_free(struct helpers *h, enum worker_kind kind)
{
	struct net_request *next;

	for (struct net_request *r = h->requests; r != NULL; r = next) {
		next = r->next;
		if (r->kind == kind && r->is_cancelled)
			request_free(h, r);
	}
}

static void
helpers_rest(void *self)
{
	struct helpers *h = self;

	assert(!h->is_busy && h->owner == getpid());
	for (int kind = 0; kind < WORKER_KINDS; kind++) {
		if (has_requests(h, (enum worker_kind)kind, true))
			continue;
		worker_end(&h->workers[kind]);
		cancelled_free(h, (enum worker_kind)kind);
	}
}

int
helpers_new(const struct mtasts_config *config, const struct log *log, const struct clock *clock,
    struct helpers **helpers)
{
	struct helpers *h = mem_zero(1, sizeof *h);

	if (h == NULL)
		return MTASTS_ENOMEM;
	h->config = config;
	h->log = log;
	h->clock = clock;
	h->owner = getpid();
	for (int kind = 0; kind < WORKER_KINDS; kind++)
		worker_init(&h->workers[kind], (enum worker_kind)kind);
	*helpers = h;
	return 0;
}

void
helpers_free(struct helpers *h)
{
	if (h == NULL)
		return;
	for (int kind = 0; kind < WORKER_KINDS; kind++)
		worker_clear(&h->workers[kind], h->owner == getpid());
	while (h->requests != NULL)
		request_free(h, h->requests);
	free(h);
}

struct net
helpers_net(struct helpers *helpers)
{
	return (struct net){
		.self = helpers,
		.resolve = helpers_resolve,
		.fetch = helpers_fetch,
		.cancel = helpers_cancel,
		.pollfds = helpers_pollfds,
		.process = helpers_process,
		.rest = helpers_rest,
	};
}
