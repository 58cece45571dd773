/* SPDX-License-Identifier: ISC
 *
 * What a cached look-up costs: in a process that has its context, against reading the same row by
 * a prepared SQLite statement (the raw limit); and in a fresh process, against a bare fork, the two
 * alternating.  No network: the store is filled by hand.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cache/store.h"
#include "mtasts.h"
#include "stats.h"

enum { DOMAINS = 1000, WARM = 20000, FORKS = 600 };

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
	struct store *store;
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
	struct mtasts *ctx;

	if (mtasts_config_load("/dev/null", &config) != 0 ||
	    mtasts_config_set(config, "state_directory", directory) != 0 ||
	    mtasts_new(config, NULL, NULL, &ctx) != 0)
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
	fresh_process(directory);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
