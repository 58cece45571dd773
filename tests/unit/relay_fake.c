/* SPDX-License-Identifier: ISC
 *
 * Nothing here but the tables knows what comes next.
 */
#include "relay_fake.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/addresses.h"
#include "engine/decide.h"
#include "engine/mxset.h"
#include "engine/policy.h"
#include "opensmtpd/proto/hostaddress.h"
#include "opensmtpd/relay/late.h"
#include "opensmtpd/relay/upstream.h"

enum { TIMERS = 256, EVENTS = 128, DELIVERED = 64, UPSTREAMS = 64, RCPTS = 32, TEXT = 96 };

struct world world;

/* ---- time ---- */

static struct loop_timer *timers[TIMERS];
static size_t timers_cap;
static uint64_t last_order;

static int64_t
real(void *arg)
{
	(void)arg;
	return world.now;
}

static int64_t
mono(void *arg)
{
	(void)arg;
	return world.now_ms;
}

int64_t
loop_now_ms(const struct loop *loop)
{
	(void)loop;
	return world.now_ms;
}

/* As the real one: where there was room once there is room again. */
int
loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t in_ms)
{
	(void)loop;
	if (timer->place == 0 && world.n_timers == timers_cap) {
		void *probe = malloc(1);
		if (probe == NULL)
			return MTASTS_ENOMEM;
		free(probe);
		timers_cap++;
	}
	if (timer->place == 0) {
		assert(world.n_timers < TIMERS);
		timers[world.n_timers++] = timer;
		timer->place = 1;
	}
	timer->at_ms = world.now_ms + (in_ms > 0 ? in_ms : 0);
	timer->order = ++last_order;
	return 0;
}

void
loop_timer_end(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	for (size_t i = 0; i < world.n_timers; i++) {
		if (timers[i] == timer)
			timers[i] = timers[--world.n_timers];
	}
	timer->place = 0;
}

/* ---- the library ---- */

enum kind { KIND_POLICY, KIND_MX, KIND_ADDRESSES, KIND_DECISION };

struct job {
	struct job *next;
	enum kind kind;
	uint64_t id, order;
	int64_t at_ms; /* WORLD_NEVER */
	char name[DOMAIN_MAX + 1];
	union {
		mtasts_lookup_fn *policy;
		mtasts_mx_fn *mx;
		mtasts_addresses_fn *addresses;
		mtasts_decide_fn *decision;
	} done;
	void *arg;
	struct mtasts_policy *policy;
	struct mtasts_decision decision;
};

static struct job *jobs;

static const struct world_domain absent = { .name = "", .mx_state = MTASTS_MX_NO_DOMAIN };

static const struct world_domain *
domain_find(const char *name)
{
	for (const struct world_domain *d = world.domains; d->name != NULL; d++) {
		if (strcmp(d->name, name) == 0)
			return d;
	}
	return &absent;
}

static struct job *
job_new(enum kind kind, const char *name, int64_t ms, void *arg, uint64_t *id)
{
	struct job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return NULL;
	job->kind = kind;
	buf_keep(job->name, sizeof job->name, span_of(name));
	job->order = ++last_order;
	job->id = *id = job->order;
	job->at_ms = ms == WORLD_NEVER ? WORLD_NEVER : world.now_ms + ms;
	job->arg = arg;
	job->next = jobs;
	jobs = job;
	world.n_jobs++;
	return job;
}

static void
job_take_out(struct job *job)
{
	struct job **at = &jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	world.n_jobs--;
}

int
mtasts_start(struct mtasts *ctx, const char *name, unsigned flags, int deadline_ms,
    mtasts_lookup_fn *done, void *arg, uint64_t *id)
{
	struct job *job = job_new(KIND_POLICY, name, domain_find(name)->policy_ms, arg, id);

	assert(flags == 0 && deadline_ms == 0);
	(void)ctx;
	if (job == NULL)
		return MTASTS_ENOMEM;
	job->done.policy = done;
	return 0;
}

int
mtasts_mx_start(struct mtasts *ctx, const char *name, int deadline_ms, mtasts_mx_fn *done,
    void *arg, uint64_t *id)
{
	struct job *job = job_new(KIND_MX, name, domain_find(name)->mx_ms, arg, id);

	assert(deadline_ms >= 0);
	(void)ctx;
	if (job == NULL)
		return MTASTS_ENOMEM;
	job->done.mx = done;
	return 0;
}

static const struct world_name *
name_find(const char *name)
{
	for (const struct world_name *n = world.names; n->name != NULL; n++) {
		if (strcmp(n->name, name) == 0)
			return n;
	}
	return NULL;
}

int
mtasts_addresses_start(struct mtasts *ctx, const char *host, int deadline_ms,
    mtasts_addresses_fn *done, void *arg, uint64_t *id)
{
	const struct world_name *name = name_find(host);
	struct job *job = job_new(KIND_ADDRESSES, host,
	    name == NULL || name->ms == WORLD_NEVER ? deadline_ms : name->ms, arg, id);

	assert(deadline_ms > 0);
	(void)ctx;
	if (job == NULL)
		return MTASTS_ENOMEM;
	job->done.addresses = done;
	return 0;
}

int
mtasts_decide_start(struct mtasts *ctx, struct mtasts_policy *policy,
    const struct mtasts_attempt *attempts, size_t n, int64_t message_age, int64_t bounce_after,
    int deadline_ms, mtasts_decide_fn *done, void *arg, uint64_t *id)
{
	struct decide_round round = { .attempts = attempts, .n = n, .message_age = message_age };
	struct decide_config config = { .bounce_after = bounce_after == -1 ? 86400 : bounce_after,
		.defer_on_unknown = world.defer_on_unknown };
	struct job *job = job_new(KIND_DECISION, "", world.decide_ms, arg, id);

	assert(policy != NULL && message_age >= 0 && bounce_after >= -1 && deadline_ms >= 0);
	(void)ctx;
	if (job == NULL)
		return MTASTS_ENOMEM;
	if (decide(policy, &round, &config, &job->decision) == 1 && !world.is_recheck_lost) {
		round.is_rechecked = true;
		(void)decide(policy, &round, &config, &job->decision);
	}
	job->policy = policy;
	job->done.decision = done;
	return 0;
}

static void
job_free(struct job *job)
{
	job_take_out(job);
	mtasts_policy_free(job->policy);
	free(job);
}

void
mtasts_cancel(struct mtasts *ctx, uint64_t id)
{
	(void)ctx;
	for (struct job *job = jobs; job != NULL; job = job->next) {
		if (job->id == id) {
			job_free(job);
			return;
		}
	}
	assert(!"cancelled what is not under way");
}

static struct mtasts_policy *
policy_make(const char *text, const struct world_domain *d)
{
	struct domain name;
	struct policyfile *file;
	struct parse_error error;
	struct mtasts_policy *policy = NULL;

	if (domain_parse(span_of(text), DOMAIN_UNDERSCORE, &name) == 0)
		policy = policy_new(&name, d->name[0] != '\0' ? d->state : MTASTS_ABSENT);
	if (policy == NULL || policy->state != MTASTS_PUBLISHED)
		return policy;
	if (policyfile_parse(span_of(d->body), NULL, &file, &error) != 0) {
		policy_free(policy);
		return NULL;
	}
	policy_publish(policy, MTASTS_FROM_CACHE, file);
	return policy;
}

static struct mtasts_mxset *
set_make(const char *text, const struct world_domain *d)
{
	struct mtasts_mxset *set = mem_zero(1, sizeof *set + WORLD_HOSTS * sizeof set->hosts[0]);

	if (set == NULL)
		return NULL;
	set->state = d->mx_state;
	set->is_secure = d->is_secure;
	if (set->state == MTASTS_MX_IMPLICIT)
		(void)domain_parse(span_of(text), DOMAIN_UNDERSCORE, &set->hosts[set->n++].name);
	for (size_t i = 0; i < WORLD_HOSTS && d->hosts[i].name != NULL; i++) {
		set->hosts[set->n].preference = d->hosts[i].preference;
		int r = domain_parse(
		    span_of(d->hosts[i].name), DOMAIN_UNDERSCORE, &set->hosts[set->n++].name);
		assert(r == 0);
	}
	return set;
}

static struct mtasts_addresses *
addresses_make(const char *host)
{
	const struct world_name *name = name_find(host);
	struct mtasts_addresses *set = addresses_new();

	if (set == NULL)
		return NULL;
	set->state = MTASTS_ADDRESSES_NONE;
	if (name != NULL && (name->is_unknown || name->ms == WORLD_NEVER))
		set->state = MTASTS_ADDRESSES_UNKNOWN;
	for (size_t i = 0; name != NULL && i < WORLD_ADDRESSES && name->addresses[i] != NULL; i++) {
		size_t family =
		    strchr(name->addresses[i], ':') != NULL ? ADDRESSES_IPV6 : ADDRESSES_IPV4;
		struct net_address *to = &set->addresses[family][set->n[family]++];
		to->octets = family == ADDRESSES_IPV6 ? 16 : 4;
		int r = inet_pton(
		    family == ADDRESSES_IPV6 ? AF_INET6 : AF_INET, name->addresses[i], to->address);
		assert(r == 1);
		set->state = MTASTS_ADDRESSES_FOUND;
	}
	return set;
}

static int
error_of(int error, const void *made)
{
	return error == 0 && made == NULL ? MTASTS_ENOMEM : error;
}

static void
job_run(struct job *job)
{
	const struct world_domain *d = domain_find(job->name);
	struct mtasts_policy *policy;
	struct mtasts_mxset *set;
	struct mtasts_addresses *addresses;

	job_take_out(job);
	switch (job->kind) {
	case KIND_POLICY:
		policy = d->error == 0 ? policy_make(job->name, d) : NULL;
		job->done.policy(job->arg, error_of(d->error, policy), policy);
		break;
	case KIND_MX:
		set = d->mx_error == 0 ? set_make(job->name, d) : NULL;
		job->done.mx(job->arg, error_of(d->mx_error, set), set);
		break;
	case KIND_ADDRESSES:
		addresses = addresses_make(job->name);
		job->done.addresses(job->arg, error_of(0, addresses), addresses);
		break;
	case KIND_DECISION:
		job->done.decision(job->arg, world.decide_error, job->policy,
		    world.decide_error == 0 ? &job->decision : NULL);
		break;
	}
	free(job);
}

int
mtasts_record(struct mtasts *ctx, const struct mtasts_policy *policy,
    const struct mtasts_attempt *attempt, struct mtasts_verdict verdict)
{
	const char *token = mtasts_finding_token(verdict.finding);

	(void)ctx;
	assert(policy != NULL && attempt->mx_host != NULL);
	buf_printf(&world.records, "%s %s%s%s, ", attempt->mx_host,
	    attempt->tls == MTASTS_TLS_UNREACHED ? "unreached"
	    : token != NULL			 ? token
						 : "ok",
	    attempt->mx_ip != NULL ? " " : "", attempt->mx_ip != NULL ? attempt->mx_ip : "");
	return 0;
}

/* ---- MX hosts ---- */

enum upstream_event { EVENT_READY, EVENT_MAIL, EVENT_RCPT, EVENT_DATA, EVENT_ROOM, EVENT_END };

struct event {
	enum upstream_event kind;
	int64_t at_ms;
	uint64_t order;
	size_t i;
	const char *reply; /* "-": closed */
};

struct upstream {
	const struct world_host *host;
	struct upstream_events events;
	char mx_host[DOMAIN_MAX + 1];
	bool starttls, is_open, is_mailed, is_body, is_ended, is_over;
	enum mtasts_tls tls;
	size_t session; /* its number */
	size_t n_rcpts;
	char rcpts[RCPTS][TEXT];
	bool is_accepted[RCPTS];
	size_t held; /* octets that it has not taken */
	uint64_t octets;
	struct event queue[EVENTS];
	size_t n;
};

static struct upstream *upstreams[UPSTREAMS];
static struct {
	char recipient[TEXT];
	unsigned n;
} delivered[DELIVERED];

static const struct world_host nobody = { .unreachable = "Connection timed out" };

static const struct world_host *
host_find(const char *ip)
{
	for (const struct world_host *h = world.hosts; h->ip != NULL; h++) {
		if (strcmp(h->ip, ip) == 0)
			return h;
	}
	return &nobody;
}

/* Of one session, in their order; "" never comes, and nothing after it. */
static void
put(struct upstream *u, enum upstream_event kind, size_t i, const char *reply, int64_t ms)
{
	int64_t at = world.now_ms + ms;

	if (u->n != 0 && u->queue[u->n - 1].at_ms == WORLD_NEVER)
		return;
	if (u->n != 0 && at < u->queue[u->n - 1].at_ms)
		at = u->queue[u->n - 1].at_ms;
	if (ms == WORLD_NEVER || (reply != NULL && reply[0] == '\0'))
		at = WORLD_NEVER;
	assert(u->n < EVENTS);
	u->queue[u->n++] = (struct event){
		.kind = kind, .at_ms = at, .order = ++last_order, .i = i, .reply = reply
	};
}

SSL_CTX *
upstream_tls_new(void)
{
	return NULL;
}

struct upstream *
upstream_new(
    const struct upstream_config *config, const struct upstream_events *events, const char **why)
{
	char ip[HOSTADDRESS_TEXT];
	struct upstream *u = calloc(1, sizeof *u);
	size_t slot = 0;

	if (u == NULL) {
		*why = "out of memory";
		return NULL;
	}
	hostaddress_text(&config->to, ip);
	assert(config->connect_ms > 0 && config->end_ms >= RELAY_ANSWER);
	u->host = host_find(ip);
	u->events = *events;
	u->starttls = config->starttls;
	buf_keep(u->mx_host, sizeof u->mx_host, span_of(config->mx_host));
	buf_printf(&world.sessions, "%s%s%s", world.sessions.n != 0 ? " " : "", ip,
	    config->starttls ? "" : "/clear");
	while (upstreams[slot] != NULL)
		slot++;
	assert(slot < UPSTREAMS);
	upstreams[slot] = u;
	world.n_upstreams++;
	put(u, EVENT_READY, 0, NULL, u->host == &nobody ? config->connect_ms : u->host->ready_ms);
	return u;
}

void
upstream_free(struct upstream *u)
{
	for (size_t i = 0; u != NULL && i < UPSTREAMS; i++) {
		if (upstreams[i] == u) {
			upstreams[i] = NULL;
			world.n_upstreams--;
		}
	}
	free(u);
}

void
upstream_mail(struct upstream *u, struct span sender, const struct upstream_params *params)
{
	assert(u->is_open && !u->is_mailed);
	(void)sender;
	(void)params;
	u->is_mailed = true;
	buf_puts(&world.sessions, " MAIL");
	put(u, EVENT_MAIL, 0, u->host->mail, u->host->mail_ms);
}

/* What this is all about: RFC 8461 5, mode enforce. */
static void
assert_allowed(const struct upstream *u, struct span recipient)
{
	size_t at = span_find(recipient, '@');
	char domain[DOMAIN_MAX + 1];

	assert(at < recipient.n);
	buf_keep(domain, sizeof domain, span_from(recipient, at + 1));
	const struct world_domain *d = domain_find(domain);
	if (d->state != MTASTS_PUBLISHED || d->name[0] == '\0' ||
	    strstr(d->body, "enforce") == NULL)
		return;
	struct mtasts_policy *policy = policy_make(domain, d);
	if (policy == NULL)
		return; /* memory runs out in this test */
	assert(u->tls == MTASTS_TLS_VERIFIED && judge_name(policy, u->mx_host));
	policy_free(policy);
}

static const char *
rcpt_reply(const struct upstream *u, struct span recipient)
{
	if (span_begins(recipient, "no"))
		return "550 5.1.1 No such user";
	if (span_begins(recipient, "later"))
		return "451 4.2.1 Mailbox busy";
	return u->host->rcpt;
}

void
upstream_rcpt(struct upstream *u, struct span recipient, struct span notify, struct span orcpt)
{
	assert(u->is_mailed && u->n_rcpts < RCPTS && !u->is_body);
	(void)notify;
	(void)orcpt;
	assert_allowed(u, recipient);
	buf_keep(u->rcpts[u->n_rcpts], TEXT, recipient);
	buf_puts(&world.sessions, " RCPT");
	put(u, EVENT_RCPT, u->n_rcpts, rcpt_reply(u, recipient), u->host->rcpt_ms);
	u->n_rcpts++;
}

void
upstream_data(struct upstream *u)
{
	assert(u->is_mailed);
	buf_puts(&world.sessions, " DATA");
	put(u, EVENT_DATA, 0, u->host->data != NULL ? u->host->data : "354 Go", u->host->data_ms);
}

void
upstream_body(struct upstream *u, struct span octets)
{
	assert(u->is_body && !u->is_ended);
	u->octets += octets.n;
	if (u->host->early != NULL && u->octets == octets.n)
		put(u, EVENT_END, 0, u->host->early, 0);
	if (u->host->room_ms == 0)
		return;
	u->held += octets.n;
	put(u, EVENT_ROOM, 0, NULL, u->host->room_ms);
}

size_t
upstream_room(const struct upstream *u)
{
	return u->held == 0 ? UPSTREAM_ROOM : 0;
}

void
upstream_end(struct upstream *u)
{
	assert(u->is_body && !u->is_ended);
	u->is_ended = true;
	buf_puts(&world.sessions, " .");
	put(u, EVENT_END, 0, u->host->end, u->host->end_ms);
}

uint64_t
upstream_size_limit(const struct upstream *u)
{
	return u->host->limit;
}

static void
take_message(const struct upstream *u)
{
	world.n_octets += u->octets;
	for (size_t i = 0; i < u->n_rcpts; i++) {
		size_t k = 0;
		if (!u->is_accepted[i])
			continue;
		while (delivered[k].n != 0 && strcmp(delivered[k].recipient, u->rcpts[i]) != 0)
			k++;
		assert(k < DELIVERED);
		strcpy(delivered[k].recipient, u->rcpts[i]);
		delivered[k].n++;
	}
}

unsigned
world_delivered(const char *recipient)
{
	for (size_t k = 0; k < DELIVERED && delivered[k].n != 0; k++) {
		if (strcmp(delivered[k].recipient, recipient) == 0)
			return delivered[k].n;
	}
	return 0;
}

static void
reply_make(struct reply *reply, const char *text)
{
	struct buf out;

	assert(strlen(text) > 3);
	*reply = (struct reply){ .code = (unsigned)((text[0] - '0') * 100 + (text[1] - '0') * 10 +
						    (text[2] - '0')) };
	buf_init(&out, reply->text, sizeof reply->text);
	buf_puts(&out, text);
	buf_puts(&out, "\r\n");
	reply->n = out.n;
}

static void
outcome_make(struct upstream *u, struct upstream_outcome *outcome)
{
	const struct world_host *h = u->host;

	*outcome = (struct upstream_outcome){ .tls = MTASTS_TLS_UNREACHED };
	if (h->unreachable != NULL) {
		buf_keep(outcome->detail, sizeof outcome->detail, span_of(h->unreachable));
		return;
	}
	buf_keep(outcome->ip, sizeof outcome->ip, span_of(h->ip));
	if (h->greeting != NULL) {
		reply_make(&outcome->reply, h->greeting);
		return;
	}
	outcome->tls = h->tls == MTASTS_TLS_UNTRIED ? MTASTS_TLS_VERIFIED : h->tls;
	if (!u->starttls)
		outcome->tls = MTASTS_TLS_NOT_OFFERED;
	else if (h->is_handshake_lost)
		outcome->tls = MTASTS_TLS_FAILED;
	outcome->is_handshake_lost = u->starttls && h->is_handshake_lost;
	outcome->is_open = !outcome->is_handshake_lost;
	u->is_open = outcome->is_open;
	u->tls = outcome->tls;
}

/* The one callback of an event is its last act: the upstream may be gone then. */
static void
upstream_run(struct upstream *u)
{
	static const char *const good[] = { [EVENT_MAIL] = "250 2.1.0 Ok",
		[EVENT_RCPT] = "250 2.1.5 Ok",
		[EVENT_END] = "250 2.0.0 Queued" };
	struct event event = u->queue[0];
	struct upstream_outcome outcome;
	struct reply reply;

	memmove(&u->queue[0], &u->queue[1], --u->n * sizeof u->queue[0]);
	if (event.kind == EVENT_READY) {
		outcome_make(u, &outcome);
		u->events.ready(u->events.arg, &outcome);
		return;
	}
	if (event.kind == EVENT_ROOM) {
		u->held = 0;
		u->events.room(u->events.arg);
		return;
	}
	if (event.reply != NULL && strcmp(event.reply, "-") == 0) {
		u->n = 0;
		u->events.closed(u->events.arg, "connection reset");
		return;
	}
	reply_make(&reply, event.reply != NULL ? event.reply : good[event.kind]);
	switch (event.kind) {
	case EVENT_READY:
	case EVENT_ROOM:
		break;
	case EVENT_MAIL:
		u->events.mail(u->events.arg, &reply);
		break;
	case EVENT_RCPT:
		u->is_accepted[event.i] = reply.code / 100 == 2;
		u->events.rcpt(u->events.arg, event.i, &reply);
		break;
	case EVENT_DATA:
		u->is_body = reply.code == 354;
		u->events.data(u->events.arg, &reply);
		break;
	case EVENT_END:
		if (reply.code / 100 == 2 && u->is_ended)
			take_message(u);
		u->events.end(u->events.arg, &reply);
		break;
	}
}

/* ---- what comes next ---- */

struct next {
	int64_t at_ms;
	uint64_t order;
	struct loop_timer *timer;
	struct job *job;
	struct upstream *upstream;
};

static void
sooner(struct next *next, struct next other)
{
	bool is_first = next->order == 0;

	if (other.at_ms == WORLD_NEVER)
		return;
	if (is_first || other.at_ms < next->at_ms ||
	    (other.at_ms == next->at_ms && other.order < next->order))
		*next = other;
}

bool
world_step(void)
{
	struct next next = { .order = 0 };

	for (size_t i = 0; i < world.n_timers; i++)
		sooner(&next,
		    (struct next){
			.at_ms = timers[i]->at_ms, .order = timers[i]->order, .timer = timers[i] });
	for (struct job *job = jobs; job != NULL; job = job->next)
		sooner(
		    &next, (struct next){ .at_ms = job->at_ms, .order = job->order, .job = job });
	for (size_t i = 0; i < UPSTREAMS; i++) {
		struct upstream *u = upstreams[i];
		if (u != NULL && u->n != 0)
			sooner(&next, (struct next){ .at_ms = u->queue[0].at_ms,
					  .order = u->queue[0].order,
					  .upstream = u });
	}
	if (next.order == 0)
		return false;
	if (next.at_ms > world.now_ms)
		world.now_ms = next.at_ms;
	if (next.job != NULL) {
		job_run(next.job);
	} else if (next.upstream != NULL) {
		upstream_run(next.upstream);
	} else {
		loop_timer_end(NULL, next.timer);
		next.timer->fn(next.timer->arg);
	}
	return true;
}

/* ---- beginning and end ---- */

static void
on_log(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	(void)level;
	buf_puts(&world.log, text);
	buf_putc(&world.log, '\n');
}

void
world_begin(const struct world_domain *domains, const struct world_name *names,
    const struct world_host *hosts)
{
	static const struct log log = { .fn = on_log, .level = MTASTS_LOG_DEBUG };
	static const struct clock clock = { real, mono, NULL };

	memset(&world, 0, sizeof world);
	memset(delivered, 0, sizeof delivered);
	timers_cap = 0;
	world.domains = domains;
	world.names = names;
	world.hosts = hosts;
	world.now_ms = 1000000;
	world.now = 1750000000;
	buf_init(&world.sessions, world.sessions_text, sizeof world.sessions_text);
	buf_init(&world.records, world.records_text, sizeof world.records_text);
	buf_init(&world.log, world.log_text, sizeof world.log_text);
	world.relay = (struct relay){ .clock = &clock, .log = &log, .late = late_new() };
	assert(world.relay.late != NULL);
}

void
world_end(void)
{
	late_free(world.relay.late);
	assert(world.n_jobs == 0 && world.n_upstreams == 0 && world.n_timers == 0);
}
