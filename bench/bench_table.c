/* SPDX-License-Identifier: ISC
 *
 * What an answer of the table costs smtpd, which waits for each: in both protocols, from a store of
 * 100,000 domains, half of them with a policy and half known to have none, beside a process that
 * answers every question with the same octets over the same kind of socket (the raw limit).  The
 * two take turns.  All share a processor, for only one of them ever has something to do, and how
 * long an idle processor takes to wake is none of our business.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "asker.h"
#include "cache/store.h"
#include "stats.h"

enum { DOMAINS = 100000, ROUNDS = 20, QUESTIONS = 2500 /* a round */ };

static const char *const names[] = { "text, 7.6 and later", "imsg, before 7.6" };

static void
die(const char *what)
{
	fprintf(stderr, "bench_table: %s\n", what);
	exit(1);
}

static void
name_of(int i, char name[32])
{
	snprintf(name, 32, "d%d.example", i);
}

static void
put(struct cache *cache, const struct domain *domain, bool has_policy, int64_t now)
{
	static const char body[] =
	    "version: STSv1\nmode: enforce\nmx: mail.example\nmx: *.mx.example\nmax_age: 604800\n";
	struct hint hint = { .absent_until = now + 3600 };

	if (!has_policy) {
		if (cache->hint_put(cache->self, domain, &hint) != CACHE_OK)
			die("cannot fill the store");
		return;
	}
	struct entry *entry =
	    entry_new(domain, now - 60, 604800, span_of("20260101"), span_of(body));
	if (entry == NULL || cache->put(cache->self, entry, now) != CACHE_OK)
		die("cannot fill the store");
	entry_free(entry);
}

static void
fill(const char *directory)
{
	struct owner owner;
	struct store *store = NULL;
	char why[256], name[32];
	int64_t now = (int64_t)time(NULL);

	if (owner_of_directory(directory, &owner) != 0 ||
	    store_create(directory, &owner, why, sizeof why) != 0 ||
	    store_open(directory, NULL, &store, why, sizeof why) != 0)
		die("cannot make a store");
	struct cache cache = store_cache(store);
	for (int i = 0; i < DOMAINS; i++) {
		struct domain domain;
		name_of(i, name);
		if (domain_parse(span_of(name), 0, &domain) != 0)
			die("name");
		put(&cache, &domain, i % 2 == 0, now);
	}
	store_close(store);
}

/* ---- the raw limit ---- */

/* The question's number stands where it does in every line of asker.c. */
static void
answer_text(int fd)
{
	static const char head[] = "table|0.1|1795336346.813468|mtasts|check|domain|";
	char in[512], out[] = "check-result|12345678|found\n";

	for (;;) {
		ssize_t n = recv(fd, in, sizeof in, 0);
		if (n <= (ssize_t)sizeof head + 8)
			return;
		memcpy(out + 13, in + sizeof head - 1, 8);
		if (send(fd, out, sizeof out - 1, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void
answer_imsg(int fd)
{
	char in[512], out[20] = { 0 };
	uint16_t length = sizeof out;
	int32_t found = 1;

	memcpy(out + 4, &length, sizeof length);
	memcpy(out + 16, &found, sizeof found);
	while (recv(fd, in, sizeof in, 0) > 0) {
		if (send(fd, out, sizeof out, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void
raw_start(struct asker *asker, enum asker_protocol protocol)
{
	int pair[2];

	*asker = (struct asker){ .protocol = protocol };
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		die("socketpair");
	asker->pid = fork();
	if (asker->pid == 0) {
		close(pair[1]);
		if (protocol == ASKER_TEXT)
			answer_text(pair[0]);
		else
			answer_imsg(pair[0]);
		_exit(0);
	}
	close(pair[0]);
	asker->fd = pair[1];
}

/* ---- measuring ---- */

static void
round_of(struct asker *asker, bool is_raw, int first, struct stats *s)
{
	char name[32];

	for (int i = 0; i < QUESTIONS; i++) {
		int which = (int)((first + (long)i * 7919) % DOMAINS);
		name_of(which, name);
		double before = stats_now();
		int got = asker_check(asker, name);
		stats_add(s, stats_now() - before);
		if (got != (is_raw || which % 2 == 0 ? ASKER_FOUND : ASKER_NOT_FOUND))
			die("a wrong answer");
	}
}

static long
memory_of(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	FILE *file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		(void)sscanf(line, "VmRSS: %ld", &kib);
	if (file != NULL)
		fclose(file);
	return kib;
}

static void
measure(const char *program, const char *conf, enum asker_protocol protocol)
{
	struct asker table, raw;
	struct stats answers, limit;
	char row[64];

	stats_init(&answers, ROUNDS * QUESTIONS);
	stats_init(&limit, ROUNDS * QUESTIONS);
	raw_start(&raw, protocol);
	if (!asker_start(&table, program, conf, protocol))
		die("no table");
	for (int i = 0; i < ROUNDS; i++) {
		round_of(&raw, true, i * 31, &limit);
		round_of(&table, false, i * 31, &answers);
	}
	long kib = memory_of(table.pid);
	if (asker_stop(&table) != 0 || asker_stop(&raw) != 0)
		die("an unhappy end");
	snprintf(row, sizeof row, "a constant (%s)", protocol == ASKER_TEXT ? "text" : "imsg");
	stats_row(row, &limit, NULL);
	stats_row(names[protocol], &answers, &limit);
	printf("    %.0f answers a second, of %.0f; %ld KiB\n", 1e6 / stats_at(&answers, 50),
	    1e6 / stats_at(&limit, 50), kib);
	stats_clear(&answers);
	stats_clear(&limit);
}

static void
share_a_processor(void)
{
	cpu_set_t all, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof all, &all) != 0)
		die("no processor");
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one) != 0)
		die("no processor of our own");
}

int
main(int argc, char **argv)
{
	char directory[64] = "/dev/shm/bench_table.XXXXXX", conf[96], command[128];

	if (argc != 2)
		return 64;
	if (access("/dev/shm", W_OK) != 0)
		strcpy(directory, "/tmp/bench_table.XXXXXX");
	if (mkdtemp(directory) == NULL || chmod(directory, 0700) != 0)
		die("no directory");
	snprintf(conf, sizeof conf, "%s/conf", directory);
	FILE *file = fopen(conf, "w");
	if (file == NULL || fprintf(file, "state_directory = %s\n", directory) < 0 ||
	    fclose(file) != 0)
		die("no configuration");
	share_a_processor();
	double before = stats_now();
	fill(directory);
	printf("%d domains in %.1f s\n", DOMAINS, (stats_now() - before) / 1e6);
	stats_head();
	measure(argv[1], conf, ASKER_TEXT);
	measure(argv[1], conf, ASKER_IMSG);
	snprintf(command, sizeof command, "rm -r %s", directory);
	return system(command) == 0 ? 0 : 1;
}
