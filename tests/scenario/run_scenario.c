/* SPDX-License-Identifier: ISC
 *
 * Runs *.scn files: the look-up's rules as text, against the real plan and engine in a world of
 * fakes.  The format is README beside this file.  TAP: one test a case.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/policy.h"
#include "world.h"

enum { LINE_MAX_ = 1000, LATER_MAX = 16, LOOKUPS_MAX = 200, STEPS_MAX = 100000 };

struct later {
	int64_t at_ms;
	char command[LINE_MAX_];
};

struct result {
	bool is_over;
	char text[512];
	int64_t over_ms;
};

struct runner {
	const char *file;
	unsigned line;
	FILE *in;
	struct world world;
	struct clock clock;
	struct log log;
	struct engine *engine;
	enum mtasts_log worst; /* of the last lookup */
	char log_text[4096];

	char name[200]; /* of the case, "" before the first */
	unsigned n_cases, n_failed;
	bool has_failed, has_expected;
	char why[2000];

	struct later later[LATER_MAX];
	size_t n_later;
	struct cache_lease *other; /* another process's */
	uint64_t ids[LOOKUPS_MAX];
	struct result results[LOOKUPS_MAX];
	size_t n_results;
	char tokens[1200]; /* of the last lookup */
};

static void fail(struct runner *r, const char *fmt, ...) ATTR_PRINTF(2, 3);

static void
fail(struct runner *r, const char *fmt, ...)
{
	va_list ap;
	size_t n = strlen(r->why);

	r->has_failed = true;
	n += (size_t)snprintf(r->why + n, sizeof r->why - n, "# %s:%u: ", r->file, r->line);
	va_start(ap, fmt);
	if (n < sizeof r->why)
		vsnprintf(r->why + n, sizeof r->why - n, fmt, ap);
	va_end(ap);
	n = strlen(r->why);
	snprintf(r->why + n, sizeof r->why - n, "\n");
}

/* ---- words of a line ---- */

/* The next word; quotes hold blanks, \n in them is a newline.  NULL at the end. */
static char *
word_next(char **at)
{
	char *p = *at + strspn(*at, " \t"), *out = p, *word = p;
	bool quoted = false;

	if (*p == '\0')
		return NULL;
	while (*p != '\0' && (quoted || (*p != ' ' && *p != '\t'))) {
		if (*p == '"') {
			quoted = !quoted;
			p++;
		} else if (quoted && p[0] == '\\' && p[1] == 'n') {
			*out++ = '\n';
			p += 2;
		} else {
			*out++ = *p++;
		}
	}
	if (*p != '\0')
		p++;
	*out = '\0';
	*at = p;
	return word;
}

/* "key=value" -> value, or NULL. */
static const char *
value_of(const char *word, const char *key)
{
	size_t n = strlen(key);

	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

/* Seconds after the start of time; "now", "now+5" and "now-5" too. */
static int64_t
instant_of(const struct runner *r, const char *text)
{
	if (strncmp(text, "now", 3) == 0)
		return world_now(&r->world) + strtoll(text + 3, NULL, 10);
	return WORLD_T0 + strtoll(text, NULL, 10);
}

static int64_t
delay_of(const char *text)
{
	return strcmp(text, "never") == 0 ? WORLD_NEVER : strtoll(text, NULL, 10);
}

/* ---- what is out there ---- */

static void
do_txt(struct runner *r, char *rest)
{
	struct world_txt *txt = &r->world.txt;
	char *word;

	*txt = (struct world_txt){ .state = NET_ANSWERED, .ttl = 300 };
	while ((word = word_next(&rest)) != NULL) {
		const char *value;
		if ((value = value_of(word, "id")) != NULL)
			snprintf(
			    txt->text[txt->n++], sizeof txt->text[0], "v=STSv1; id=%s;", value);
		else if ((value = value_of(word, "raw")) != NULL)
			snprintf(txt->text[txt->n++], sizeof txt->text[0], "%s", value);
		else if ((value = value_of(word, "ttl")) != NULL)
			txt->ttl = (uint32_t)strtoul(value, NULL, 10);
		else if ((value = value_of(word, "delay")) != NULL)
			txt->delay_ms = delay_of(value);
		else if (strcmp(word, "split") == 0)
			txt->is_split = true;
		else if (strcmp(word, "nodata") == 0)
			txt->state = NET_NO_DATA;
		else if (strcmp(word, "nxdomain") == 0)
			txt->state = NET_NO_NAME;
		else if (strcmp(word, "unknown") == 0)
			txt->state = NET_UNKNOWN;
		else if (strcmp(word, "fault") == 0)
			txt->state = NET_FAULT;
		else
			fail(r, "txt: %s?", word);
	}
}

static void
do_address(struct runner *r, struct world_addresses *addresses, char *rest)
{
	char *word;

	*addresses =
	    (struct world_addresses){ .state = NET_ANSWERED, .n = 1, .address = { 198, 18, 0, 1 } };
	while ((word = word_next(&rest)) != NULL) {
		const char *value;
		if ((value = value_of(word, "delay")) != NULL)
			addresses->delay_ms = delay_of(value);
		else if (strcmp(word, "nodata") == 0)
			addresses->state = NET_NO_DATA;
		else if (strcmp(word, "nxdomain") == 0)
			addresses->state = NET_NO_NAME;
		else if (strcmp(word, "unknown") == 0)
			addresses->state = NET_UNKNOWN;
		else if (strcmp(word, "fault") == 0)
			addresses->state = NET_FAULT;
		else if (strcmp(word, "found") != 0)
			fail(r, "address: %s?", word);
	}
}

/* A policy: mode and the values of max_age and mx. */
static void
policy_text(char *out, size_t cap, const char *mode, const char *max_age, const char *mx)
{
	snprintf(out, cap, "version: STSv1\nmode: %s\n%s%s%smax_age: %s\n", mode,
	    mx[0] != '\0' ? "mx: " : "", mx, mx[0] != '\0' ? "\n" : "", max_age);
}

static void
do_https(struct runner *r, char *rest)
{
	struct world_page *page = &r->world.page;
	const char *mode = NULL, *max_age = "86400", *mx = "*.example.com", *value;
	char *word;

	*page = (struct world_page){ .state = NET_FETCHED, .status = 200, .type = "text/plain" };
	while ((word = word_next(&rest)) != NULL) {
		if (strcmp(word, "enforce") == 0 || strcmp(word, "testing") == 0 ||
		    strcmp(word, "none") == 0)
			mode = word;
		else if ((value = value_of(word, "max_age")) != NULL)
			max_age = value;
		else if ((value = value_of(word, "mx")) != NULL)
			mx = value;
		else if ((value = value_of(word, "status")) != NULL)
			page->status = (unsigned)strtoul(value, NULL, 10);
		else if ((value = value_of(word, "type")) != NULL)
			snprintf(page->type, sizeof page->type, "%s", value);
		else if ((value = value_of(word, "body")) != NULL)
			snprintf(page->body, sizeof page->body, "%s", value);
		else if ((value = value_of(word, "delay")) != NULL)
			page->delay_ms = delay_of(value);
		else if (strcmp(word, "certificate") == 0)
			page->state = NET_BAD_CERTIFICATE;
		else if (strcmp(word, "failed") == 0)
			page->state = NET_FETCH_FAILED;
		else if (strcmp(word, "fault") == 0)
			page->state = NET_FETCH_FAULT;
		else
			fail(r, "https: %s?", word);
	}
	if (mode != NULL)
		policy_text(page->body, sizeof page->body, mode, max_age, mx);
}

/* ---- the store ---- */

static void
do_store(struct runner *r, char *rest)
{
	char *word = word_next(&rest);

	r->world.has_leases = true;
	if (word == NULL || strcmp(word, "ok") == 0)
		r->world.store = WORLD_STORE_OK;
	else if (strcmp(word, "unreadable") == 0)
		r->world.store = WORLD_STORE_UNREADABLE;
	else if (strcmp(word, "full") == 0)
		r->world.store = WORLD_STORE_FULL;
	else if (strcmp(word, "damaged") == 0)
		r->world.store = WORLD_STORE_DAMAGED;
	else if (strcmp(word, "leaseless") == 0)
		r->world.has_leases = false;
	else
		fail(r, "store: %s?", word);
}

/* A row as another process would have written it. */
static void
do_entry(struct runner *r, char *rest)
{
	const char *id = "A", *mode = "enforce", *fetched = "now", *max_age = "86400", *value;
	const char *raw = NULL;
	struct world_row *row = world_row(&r->world, &r->world.domain);
	char body[512], *word;

	while ((word = word_next(&rest)) != NULL) {
		if ((value = value_of(word, "id")) != NULL)
			id = value;
		else if ((value = value_of(word, "mode")) != NULL)
			mode = value;
		else if ((value = value_of(word, "fetched")) != NULL)
			fetched = value;
		else if ((value = value_of(word, "max_age")) != NULL)
			max_age = value;
		else if ((value = value_of(word, "body")) != NULL)
			raw = value;
		else
			fail(r, "entry: %s?", word);
	}
	policy_text(body, sizeof body, mode, max_age, "*.example.com");
	entry_free(row->entry);
	row->entry = entry_new(&r->world.domain, instant_of(r, fetched), strtoll(max_age, NULL, 10),
	    span_of(id), span_of(raw != NULL ? raw : body));
	if (row->entry == NULL)
		fail(r, "entry: refused");
}

/* Another process: takes the lease, or is done with an outcome, or dies. */
static void
do_other(struct runner *r, char *rest)
{
	struct cache cache = world_cache(&r->world);
	struct outcome outcome = { .at_ms = r->world.mono_ms };
	char *word = word_next(&rest);

	if (word != NULL && strcmp(word, "begins") == 0) {
		if (cache.lease_get(cache.self, &r->world.domain, 32, &r->other) != CACHE_OK)
			fail(r, "other: the lease is taken");
		return;
	}
	if (r->other == NULL) {
		fail(r, "other: has no lease");
		return;
	}
	bool is_done = word != NULL && strcmp(word, "done") == 0;
	while ((word = word_next(&rest)) != NULL) {
		const char *value;
		if (strcmp(word, "published") == 0)
			outcome.state = MTASTS_PUBLISHED;
		else if (strcmp(word, "absent") == 0)
			outcome.state = MTASTS_ABSENT;
		else if (strcmp(word, "unknown") == 0)
			outcome.state = MTASTS_UNKNOWN;
		else if (strcmp(word, "fault") == 0)
			outcome.state = MTASTS_FAULT;
		else if (strcmp(word, "network") == 0)
			outcome.source = MTASTS_FROM_NETWORK;
		else if (strcmp(word, "cache") == 0)
			outcome.source = MTASTS_FROM_CACHE;
		else if (strcmp(word, "stale") == 0)
			outcome.source = MTASTS_FROM_STALE;
		else if ((value = value_of(word, "finding")) != NULL)
			(void)finding_of(span_of(value), &outcome.finding);
		else
			fail(r, "other: %s?", word);
	}
	cache.lease_end(cache.self, r->other, is_done ? &outcome : NULL);
	r->other = NULL;
}

/* ---- time ---- */

static void command_run(struct runner *r, char *line);

static void
later_run(struct runner *r)
{
	for (size_t i = 0; i < r->n_later; i++) {
		char command[LINE_MAX_];
		if (r->later[i].at_ms > r->world.mono_ms)
			continue;
		memcpy(command, r->later[i].command, sizeof command);
		r->later[i--] = r->later[--r->n_later];
		command_run(r, command);
	}
}

static void
do_after(struct runner *r, char *rest)
{
	struct later *later = &r->later[r->n_later];

	if (r->n_later == LATER_MAX) {
		fail(r, "after: too many");
		return;
	}
	later->at_ms = r->world.mono_ms + strtoll(rest, &rest, 10);
	snprintf(later->command, sizeof later->command, "%s", rest);
	r->n_later++;
}

static void
do_at(struct runner *r, char *rest)
{
	int64_t ms = (WORLD_T0 + strtoll(rest, NULL, 10)) * 1000 - r->world.real_ms;

	if (ms < 0)
		fail(r, "at: time does not go back (clock does)");
	else
		world_sleep(&r->world, ms);
}

/* ---- a look-up ---- */

static void
log_take(void *arg, enum mtasts_log level, const char *text)
{
	struct runner *r = arg;
	size_t n = strlen(r->log_text);

	if (level < r->worst)
		r->worst = level;
	snprintf(r->log_text + n, sizeof r->log_text - n, "%s\n", text);
}

static void
answered(void *arg, int error, struct mtasts_policy *policy)
{
	struct result *result = arg;
	const char *finding;

	if (result->is_over)
		abort(); /* exactly once */
	result->is_over = true;
	if (error != 0) {
		snprintf(result->text, sizeof result->text, "error=%d", error);
		return;
	}
	finding = mtasts_finding_token(mtasts_policy_finding(policy));
	snprintf(result->text, sizeof result->text,
	    "%s mode=%s source=%s id=%s finding=%s rechecked=%s fetched=%lld expires=%lld",
	    state_name(mtasts_policy_state(policy)),
	    policy->state == MTASTS_PUBLISHED ? mode_name(mtasts_policy_mode(policy)) : "-",
	    source_name(mtasts_policy_source(policy)), mtasts_policy_id(policy),
	    finding != NULL ? finding : "-", policy->rechecked ? "yes" : "no",
	    policy->fetched_at != 0 ? (long long)policy->fetched_at - WORLD_T0 : -1LL,
	    policy->expires != 0 ? (long long)policy->expires - WORLD_T0 : -1LL);
	mtasts_policy_free(policy);
}

static size_t
n_open(const struct runner *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_results; i++)
		n += r->results[i].is_over ? 0 : 1;
	return n;
}

/* Until all are answered: time jumps from event to event. */
static void
world_run(struct runner *r)
{
	for (unsigned steps = 0; n_open(r) != 0; steps++) {
		int timeout = -1;
		later_run(r);
		engine_process(r->engine);
		if (n_open(r) == 0)
			return;
		(void)engine_pollfds(r->engine, NULL, 0, &timeout);
		for (size_t i = 0; i < r->n_later; i++) {
			int64_t left = r->later[i].at_ms - r->world.mono_ms;
			if (timeout < 0 || left < timeout)
				timeout = (int)left;
		}
		if (timeout < 0 || steps > STEPS_MAX) {
			fail(r, "lookup: waits for nothing");
			return;
		}
		world_sleep(&r->world, timeout);
	}
}

static void
tokens_make(struct runner *r, int64_t began_ms, unsigned n_txt, unsigned n_get)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	const struct world *world = &r->world;
	bool is_same = true;

	for (size_t i = 1; i < r->n_results; i++)
		is_same = is_same && strcmp(r->results[i].text, r->results[0].text) == 0;
	snprintf(r->tokens, sizeof r->tokens,
	    "%s %s txt=%u get=%u ms=%lld log=%s host=%s addresses=%zu first=%s", r->results[0].text,
	    is_same ? "same" : "different", world->n_txt - n_txt, world->n_get - n_get,
	    (long long)(world->mono_ms - began_ms), levels[r->worst],
	    world->host.n != 0 ? world->host.name : "-", world->n_addresses,
	    world->first_octets == 16 ? "v6" : "v4");
}

static void
do_lookup(struct runner *r, char *rest)
{
	const char *name = "example.com", *value;
	unsigned flags = 0, n_txt = r->world.n_txt, n_get = r->world.n_get;
	int64_t began_ms = r->world.mono_ms;
	int timeout_ms = 15000;
	struct domain domain;
	char *word;

	r->n_results = 1;
	r->worst = MTASTS_LOG_DEBUG;
	r->log_text[0] = '\0';
	memset(r->results, 0, sizeof r->results);
	while ((word = word_next(&rest)) != NULL) {
		if (strcmp(word, "recheck") == 0)
			flags |= MTASTS_RECHECK;
		else if (strcmp(word, "cached") == 0)
			flags |= MTASTS_CACHED_ONLY;
		else if ((value = value_of(word, "domain")) != NULL)
			name = value;
		else if ((value = value_of(word, "deadline")) != NULL)
			timeout_ms = (int)strtol(value, NULL, 10);
		else if ((value = value_of(word, "n")) != NULL)
			r->n_results = strtoul(value, NULL, 10);
		else
			fail(r, "lookup: %s?", word);
	}
	if (domain_parse(span_of(name), DOMAIN_UNDERSCORE, &domain) != 0) {
		snprintf(r->tokens, sizeof r->tokens, "no-name txt=0 get=0");
		return;
	}
	for (size_t i = 0; i < r->n_results; i++) {
		if (engine_start(r->engine, &domain, flags, timeout_ms, answered, &r->results[i],
			&r->ids[i]) != 0)
			fail(r, "lookup: not started");
	}
	world_run(r);
	tokens_make(r, began_ms, n_txt, n_get);
}

/* The process dies: nobody hears of its look-ups. */
static void
do_kill(struct runner *r)
{
	for (size_t i = 0; i < r->n_results; i++) {
		engine_cancel(r->engine, r->ids[i]);
		if (!r->results[i].is_over)
			snprintf(r->results[i].text, sizeof r->results[i].text, "killed");
		r->results[i].is_over = true;
	}
}

/* ---- what must be ---- */

static bool
has_token(const char *tokens, const char *token)
{
	size_t n = strlen(token);

	for (const char *p = tokens; (p = strstr(p, token)) != NULL; p++) {
		bool begins = p == tokens || p[-1] == ' ';
		if (begins && (p[n] == ' ' || p[n] == '\0'))
			return true;
	}
	return false;
}

/* "ms<50" */
static bool
is_under(const char *tokens, const char *word)
{
	const char *ms = strstr(tokens, " ms=");

	return ms != NULL && strtol(ms + 4, NULL, 10) < strtol(word + 3, NULL, 10);
}

static void
do_expect(struct runner *r, char *rest)
{
	char *word;

	r->has_expected = true;
	while ((word = word_next(&rest)) != NULL) {
		bool holds = strncmp(word, "ms<", 3) == 0 ? is_under(r->tokens, word)
							  : has_token(r->tokens, word);
		if (!holds)
			fail(r, "expected %s, got: %s", word, r->tokens);
	}
}

static void
do_logged(struct runner *r, char *rest)
{
	const char *text = word_next(&rest);

	r->has_expected = true;
	if (text == NULL || strstr(r->log_text, text) == NULL)
		fail(r, "no such line in the log: %s", r->log_text);
}

static int
after_start(int64_t instant)
{
	return instant != 0 ? (int)(instant - WORLD_T0) : -1;
}

static void
do_stored(struct runner *r, char *rest)
{
	const struct world_row *row = world_row(&r->world, &r->world.domain);
	const struct entry *entry = row->entry;
	const struct hint *hint = &row->hint;
	char tokens[600], *word;
	int n = 0;

	r->has_expected = true;
	if (entry == NULL)
		n = snprintf(tokens, sizeof tokens, "nothing");
	else
		n = snprintf(tokens, sizeof tokens, "id=%s fetched=%d max_age=%d used=%d",
		    entry->id, (int)(entry->fetched_at - WORLD_T0), (int)entry->max_age,
		    after_start(entry->used_at));
	snprintf(tokens + n, sizeof tokens - (size_t)n,
	    " absent=%d agreed=%d failed=%s until=%d lease=%s outcome=%d put=%u refused=%u",
	    after_start(hint->absent_until), after_start(hint->agreed_until),
	    hint->failed_id[0] != '\0' ? hint->failed_id : "-", after_start(hint->failed_until),
	    row->lease != NULL ? "yes" : "no",
	    row->has_outcome ? (int)(row->outcome.at_ms - WORLD_MS0) : -1, r->world.n_put,
	    r->world.n_refused);
	while ((word = word_next(&rest)) != NULL) {
		if (!has_token(tokens, word))
			fail(r, "expected %s, stored: %s", word, tokens);
	}
}

/* ---- cases ---- */

static void
case_end(struct runner *r)
{
	if (r->name[0] == '\0')
		return;
	if (!r->has_expected)
		fail(r, "the case expects nothing");
	if (r->other != NULL)
		do_other(r, (char[]){ "dies" });
	engine_free(r->engine, false);
	world_clear(&r->world);
	r->n_cases++;
	r->n_failed += r->has_failed ? 1 : 0;
	printf("%sok %u - %s\n%s", r->has_failed ? "not " : "", r->n_cases, r->name, r->why);
	r->name[0] = '\0';
}

static void
case_begin(struct runner *r, char *rest)
{
	struct engine_config config = { .max_fetches = 32 };

	case_end(r);
	world_init(&r->world);
	struct cache cache = world_cache(&r->world);
	struct net net = world_net(&r->world);
	r->clock = world_clock(&r->world);
	r->log = (struct log){ log_take, r, MTASTS_LOG_DEBUG };
	r->engine = engine_new(&config, &cache, &net, &r->clock, &r->log);
	r->has_failed = r->has_expected = false;
	r->why[0] = r->tokens[0] = '\0';
	r->n_later = r->n_results = 0;
	snprintf(r->name, sizeof r->name, "%s", rest + strspn(rest, " \t"));
}

static void
command_run(struct runner *r, char *line)
{
	char *rest = line, *word = word_next(&rest);

	if (word == NULL || word[0] == '#')
		return;
	if (strcmp(word, "case") == 0)
		case_begin(r, rest);
	else if (r->name[0] == '\0')
		fail(r, "%s outside a case", word);
	else if (strcmp(word, "at") == 0)
		do_at(r, rest);
	else if (strcmp(word, "clock") == 0)
		r->world.real_ms += strtoll(rest, NULL, 10) * 1000;
	else if (strcmp(word, "txt") == 0)
		do_txt(r, rest);
	else if (strcmp(word, "a") == 0)
		do_address(r, &r->world.a, rest);
	else if (strcmp(word, "aaaa") == 0)
		do_address(r, &r->world.aaaa, rest);
	else if (strcmp(word, "https") == 0)
		do_https(r, rest);
	else if (strcmp(word, "store") == 0)
		do_store(r, rest);
	else if (strcmp(word, "entry") == 0)
		do_entry(r, rest);
	else if (strcmp(word, "other") == 0)
		do_other(r, rest);
	else if (strcmp(word, "after") == 0)
		do_after(r, rest);
	else if (strcmp(word, "kill") == 0)
		do_kill(r);
	else if (strcmp(word, "lookup") == 0)
		do_lookup(r, rest);
	else if (strcmp(word, "expect") == 0)
		do_expect(r, rest);
	else if (strcmp(word, "logged") == 0)
		do_logged(r, rest);
	else if (strcmp(word, "stored") == 0)
		do_stored(r, rest);
	else
		fail(r, "%s?", word);
}

static int
file_run(struct runner *r, const char *path)
{
	char line[LINE_MAX_];

	r->file = path;
	r->line = 0;
	r->in = fopen(path, "r");
	if (r->in == NULL) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof line, r->in) != NULL) {
		r->line++;
		line[strcspn(line, "\n")] = '\0';
		command_run(r, line);
	}
	case_end(r);
	fclose(r->in);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct runner runner;

	for (int i = 1; i < argc; i++) {
		if (file_run(&runner, argv[i]) != 0)
			return 99;
	}
	printf("1..%u\n", runner.n_cases);
	return runner.n_failed == 0 && runner.n_cases != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
