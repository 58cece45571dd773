/* SPDX-License-Identifier: ISC
 *
 * What a cached look-up costs: in a process that has its context, against reading the same row by
 * a prepared SQLite statement (the raw limit); in a server that has other look-ups under way, which
 * wait for a network that says nothing; and in a fresh process, against a bare fork, the two
 * alternating.  No network: the store is filled by hand.
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api.h"
#include "cache/store.h"
#include "mtasts.h"
#include "stats.h"

enum { DOMAINS = 1000, WARM = 20000, BESIDE = 3000, WAITING = 1000, FORKS = 600 };

static void
die(const char *what)
{
	fprintf(stderr, "bench_lookup: %s\n", what);
	exit(1);
}

static void
fill(const char *directory)
{
	struct owner owner;
	struct store *store = NULL;
	char why[256];
	int64_t now = (int64_t)time(NULL);

	if (owner_of_directory(directory, &owner) != 0 ||
	    store_create(directory, &owner, why, sizeof why) != 0 ||
	    store_open(directory, NULL, &store, why, sizeof why) != 0)
		die("cannot make a store");
	struct cache cache = store_cache(store);
	for (int i = 0; i < DOMAINS; i++) {
		char name[64], body[256];
		struct domain domain;
		snprintf(name, sizeof name, "d%d.example", i);
		snprintf(body, sizeof body,
		    "version: STSv1\nmode: enforce\nmx: mail.%s\nmx: *.mx.%s\nmax_age: 604800\n",
		    name, name);
		if (domain_parse(span_of(name), 0, &domain) != 0)
			die("name");
		struct entry *entry =
		    entry_new(&domain, now - 60, 604800, span_of("20260101"), span_of(body));
		struct hint hint = { .agreed_until = now + 3600 };
		if (entry == NULL || cache.put(cache.self, entry, now) != CACHE_OK ||
		    cache.hint_put(cache.self, &domain, &hint) != CACHE_OK)
			die("cannot fill the store");
		entry_free(entry);
	}
	store_close(store);
}

static struct mtasts *
context(const char *directory)
{
	struct mtasts_config *config;
	struct mtasts *ctx = NULL;

	if (mtasts_config_load("/dev/null", &config) != 0 ||
	    mtasts_config_set(config, "state_directory", directory) != 0 ||
	    mtasts_new(config, NULL, NULL, &ctx) != 0)
		die("cannot make a context");
	mtasts_config_free(config);
	return ctx;
}

/* ---- a network that never answers ---- */

static int
silent_resolve(void *self, const struct net_question *questions, size_t n, int64_t deadline_ms,
    net_answer_fn *done, void *arg, struct net_request **request)
{
	(void)questions, (void)n, (void)deadline_ms, (void)done, (void)arg;
	*request = self; /* not NULL */
	return 0;
}

static int
silent_fetch(void *self, const struct net_fetch *fetch, int64_t deadline_ms, net_page_fn *done,
    void *arg, struct net_request **request)
{
	(void)fetch, (void)deadline_ms, (void)done, (void)arg;
	*request = self;
	return 0;
}

static void
silent_cancel(void *self, struct net_request *request)
{
	(void)self, (void)request;
}

static size_t
silent_pollfds(void *self, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	(void)self, (void)fds, (void)cap;
	*timeout_ms = -1;
	return 0;
}

static void
silent_process(void *self)
{
	(void)self;
}

/* ---- look-ups ---- */

static struct mtasts *
server_context(const char *directory)
{
	static char self[1];
	struct net silent = { self, silent_resolve, silent_fetch, silent_cancel, silent_pollfds,
		silent_process, silent_process };
	struct api_world world = { .net = &silent };
	struct mtasts_config *config;
	struct mtasts *ctx = NULL;

	if (mtasts_config_load("/dev/null", &config) != 0 ||
	    mtasts_config_set(config, "state_directory", directory) != 0 ||
	    api_new(config, &world, NULL, NULL, &ctx) != 0)
		die("cannot make a context");
	mtasts_config_free(config);
	return ctx;
}

static void
look_up(struct mtasts *ctx, unsigned i)
{
	struct mtasts_policy *policy;
	char name[64];

	snprintf(name, sizeof name, "d%u.example", i % DOMAINS);
	if (mtasts_lookup(ctx, name, 0, 0, &policy) != 0 ||
	    mtasts_policy_source(policy) != MTASTS_FROM_CACHE ||
	    mtasts_policy_mode(policy) != MTASTS_ENFORCE)
		die("not answered from the cache");
	mtasts_policy_free(policy);
}

static void
in_process(const char *directory)
{
	struct stats ours, raw;
	struct mtasts *ctx = context(directory);
	char path[512];
	sqlite3 *db;
	sqlite3_stmt *get;

	snprintf(path, sizeof path, "%s/%s", directory, STORE_FILE);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "SELECT * FROM policy WHERE domain = ?", -1, &get, NULL) !=
		SQLITE_OK)
		die("cannot open the store as SQLite");
	stats_init(&ours, WARM);
	stats_init(&raw, WARM);
	for (unsigned i = 0; i < WARM; i++) {
		char name[64];
		double t0 = stats_now();
		look_up(ctx, i * 7);
		double t1 = stats_now();
		snprintf(name, sizeof name, "d%u.example", i * 7 % DOMAINS);
		sqlite3_bind_text(get, 1, name, -1, SQLITE_STATIC);
		if (sqlite3_step(get) != SQLITE_ROW)
			die("raw row is missing");
		sqlite3_reset(get);
		double t2 = stats_now();
		stats_add(&ours, t1 - t0);
		stats_add(&raw, t2 - t1);
	}
	stats_row("SQLite: the row by a prepared statement", &raw, NULL);
	stats_row("mtasts_lookup, cached, same process", &ours, &raw);
	stats_clear(&ours);
	stats_clear(&raw);
	sqlite3_finalize(get);
	sqlite3_close(db);
	mtasts_free(ctx);
}

static void
answered(void *arg, int error, struct mtasts_policy *policy)
{
	if (error != 0 || mtasts_policy_source(policy) != MTASTS_FROM_CACHE)
		die("not answered from the cache");
	*(int *)arg = 1;
	mtasts_policy_free(policy);
}

static void
never(void *arg, int error, struct mtasts_policy *policy)
{
	(void)arg, (void)error, (void)policy;
	die("the silent network has answered");
}

/* As an event loop does it: start, how long to wait, process. */
static void
beside(const char *directory, unsigned waiting, struct stats *stats)
{
	struct mtasts *ctx = server_context(directory);
	char name[64];
	uint64_t id;
	int timeout_ms;

	for (unsigned i = 0; i < waiting; i++) {
		snprintf(name, sizeof name, "cold%u.example", i);
		if (mtasts_start(ctx, name, 0, 600000, never, NULL, &id) != 0)
			die("cannot start");
	}
	(void)mtasts_process(ctx);
	stats_init(stats, BESIDE);
	for (unsigned i = 0; i < BESIDE; i++) {
		int is_answered = 0;
		snprintf(name, sizeof name, "d%u.example", i * 7 % DOMAINS);
		double t0 = stats_now();
		if (mtasts_start(ctx, name, 0, 0, answered, &is_answered, &id) != 0)
			die("cannot start");
		(void)mtasts_pollfds(ctx, NULL, 0, &timeout_ms);
		while (!is_answered)
			(void)mtasts_process(ctx);
		stats_add(stats, stats_now() - t0);
	}
	mtasts_free(ctx);
}

static void
in_a_server(const char *directory)
{
	struct stats alone, crowded;

	beside(directory, 0, &alone);
	beside(directory, WAITING, &crowded);
	stats_row("mtasts_start and mtasts_process, cached", &alone, NULL);
	stats_row("  the same beside 1000 that wait", &crowded, &alone);
	stats_clear(&alone);
	stats_clear(&crowded);
}

/* ---- as OpenSMTPD's table asks, at every recipient ---- */

static pid_t
put_for_ever(const char *directory)
{
	struct store *store = NULL;
	struct domain domain;
	char why[256];

	pid_t pid = fork();
	if (pid != 0)
		return pid;
	if (store_open(directory, NULL, &store, why, sizeof why) != 0 ||
	    domain_parse(span_of("d0.example"), 0, &domain) != 0)
		_exit(1);
	struct cache cache = store_cache(store);
	for (int64_t at = (int64_t)time(NULL) - 50;; at++) {
		struct entry *entry = entry_new(&domain, at, 604800, span_of("20260101"),
		    span_of("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 604800\n"));
		if (entry == NULL || cache.put(cache.self, entry, at) != CACHE_OK)
			_exit(2);
		entry_free(entry);
	}
}

static void
peek_many(struct mtasts *ctx, struct stats *stats)
{
	struct mtasts_policy *policy;
	double worst = 0;
	char name[64];

	stats_init(stats, WARM);
	double began = stats_now();
	for (unsigned i = 0; i < WARM; i++) {
		snprintf(name, sizeof name, "%s%u.example", i % 2 != 0 ? "d" : "none",
		    1 + i * 7 % (DOMAINS - 1));
		double t0 = stats_now();
		if (mtasts_lookup(ctx, name, MTASTS_CACHED_ONLY, 0, &policy) != 0 ||
		    mtasts_policy_state(policy) != (i % 2 != 0 ? MTASTS_PUBLISHED : MTASTS_UNKNOWN))
			die("not answered by the store as it stands");
		mtasts_policy_free(policy);
		double took = stats_now() - t0;
		worst = took > worst ? took : worst;
		stats_add(stats, took);
	}
	printf("  %.0f answers a second, slowest %.0f us:\n", WARM / ((stats_now() - began) / 1e6),
	    worst);
}

static void
cached_only(const char *directory)
{
	struct mtasts *ctx = context(directory);
	struct stats alone, beside_writer;
	int status;

	peek_many(ctx, &alone);
	stats_row("mtasts_lookup, MTASTS_CACHED_ONLY", &alone, NULL);
	pid_t pid = put_for_ever(directory);
	peek_many(ctx, &beside_writer);
	stats_row("  the same beside one that stores", &beside_writer, &alone);
	if (kill(pid, SIGKILL) != 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		die("the writer had ended");
	stats_clear(&alone);
	stats_clear(&beside_writer);
	mtasts_free(ctx);
}

static double
forked(const char *directory, unsigned i, int work)
{
	double t0 = stats_now();
	pid_t pid = fork();
	if (pid == 0) {
		if (work) {
			struct mtasts *ctx = context(directory);
			look_up(ctx, i);
			mtasts_free(ctx);
		}
		_exit(0);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("child failed");
	return stats_now() - t0;
}

static void
fresh_process(const char *directory)
{
	struct stats bare, ours, over;

	stats_init(&bare, FORKS);
	stats_init(&ours, FORKS);
	stats_init(&over, FORKS);
	for (unsigned i = 0; i < FORKS; i++) {
		double b = forked(directory, i, 0), o = forked(directory, i, 1);
		stats_add(&bare, b);
		stats_add(&ours, o);
		stats_add(&over, o - b);
	}
	stats_row("fork and exit", &bare, NULL);
	stats_row("fork, context, cached look-up, exit", &ours, &bare);
	stats_row("  the difference (aim: under 500)", &over, NULL);
	stats_clear(&bare);
	stats_clear(&ours);
	stats_clear(&over);
}

int
main(void)
{
	char directory[] = "/tmp/mtasts-bench-XXXXXX";
	char command[64];

	if (mkdtemp(directory) == NULL || chmod(directory, 0770) != 0)
		die("no temporary directory");
	fill(directory);
	stats_head();
	in_process(directory);
	in_a_server(directory);
	fresh_process(directory);
	cached_only(directory);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
