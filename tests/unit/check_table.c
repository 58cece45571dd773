/* SPDX-License-Identifier: ISC
 *
 * The table as smtpd runs it: a process, in both protocols, over a real store; and with everything
 * that can be wrong beside it, for whatever happens it must not end, nor say "not found" of a
 * domain that has a policy.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "asker.h"
#include "state.h"
#include "unit.h"

enum {
	QUESTIONS = 100000,
	SOON = 500 /* ms: an answer that waited for nobody, on a busy machine */
};

static const char *const names[] = { "text", "imsg" };
static struct state state;
static struct asker table;
static char conf[200], program[400];

/* ---- the world ---- */

static int64_t
now(void)
{
	return (int64_t)time(NULL);
}

static long
ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
absent_put(const char *name, int64_t until)
{
	struct domain domain = state_domain(name);
	struct hint hint = { .absent_until = until };

	ck_assert_int_eq(state.cache.hint_put(state.cache.self, &domain, &hint), CACHE_OK);
}

/* absent.example: known to have none; was.example: it was; policy.example: has one. */
static void
fill(void)
{
	ck_assert_msg(state_open(&state) == 0, "%s", state.why);
	absent_put("absent.example", now() + 600);
	absent_put("was.example", now() - 1);
	ck_assert_int_eq(state_put(&state, "policy.example", now() - 60, now()), CACHE_OK);
	state_close(&state);
}

static void
conf_write(const char *text)
{
	FILE *file = fopen(conf, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "state_directory = %s\n%s", state.dir, text);
	ck_assert_int_eq(fclose(file), 0);
}

static void
world_make(void)
{
	const char *build = getenv("top_builddir");

	snprintf(
	    program, sizeof program, "%s/opensmtpd/filter-mtasts", build != NULL ? build : ".");
	state_make(&state, NULL);
	snprintf(conf, sizeof conf, "%s.conf", state.dir);
	conf_write("");
	fill();
}

static void
world_remove(void)
{
	unlink(conf);
	state_remove(&state);
}

static void
start(int protocol)
{
	ck_assert_msg(asker_start(&table, program, conf, (enum asker_protocol)protocol), "%s",
	    names[protocol]);
}

/* It ends when smtpd does, and as it should. */
static void
stop(void)
{
	int status = asker_stop(&table);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

static void
expect(const char *domain, int answer)
{
	long before = ms();
	int got = asker_check(&table, domain);

	ck_assert_msg(got == answer, "%s: %d", domain, got);
	ck_assert_msg(ms() - before < SOON, "%s: %ld ms", domain, ms() - before);
}

/* Within three seconds: a store is looked for anew once a second. */
static void
expect_at_last(const char *domain, int answer)
{
	struct timespec pause = { 0, 50 * 1000 * 1000 };
	int got = 0;

	for (int i = 0; i < 60; i++) {
		got = asker_check(&table, domain);
		if (got == answer)
			return;
		ck_assert_int_ge(got, ASKER_ERROR);
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("%s: %d", domain, got);
}

/* A loopback address, which one is chance, and this port. */
static void
expect_place(const char *value, int port)
{
	unsigned x, y, z;
	int at, n = 0;

	ck_assert_int_eq(sscanf(value, "lmtp://[127.%u.%u.%u]:%d%n", &x, &y, &z, &at, &n), 4);
	ck_assert_int_eq(value[n], '\0');
	ck_assert_int_eq(at, port);
}

/* ---- answers ---- */

START_TEST(answers)
{
	char value[128], again[128];

	start(_i);
	expect("absent.example", ASKER_NOT_FOUND);
	expect("ABSENT.example.", ASKER_NOT_FOUND);
	expect("was.example", ASKER_FOUND);
	expect("policy.example", ASKER_FOUND);
	expect("unknown.example", ASKER_FOUND);
	expect("sub.absent.example", ASKER_FOUND); /* R3.4.2: a policy is of one domain */
	expect("[192.0.2.1]", ASKER_NOT_FOUND);
	expect("[ipv6:2001:db8::1]", ASKER_NOT_FOUND);
	expect("b\303\274cher.example", ASKER_FOUND);
	expect("no name", ASKER_FOUND);
	expect("a|b", ASKER_FOUND);
	ck_assert_int_eq(asker_lookup(&table, "absent.example", value), ASKER_FOUND);
	ck_assert_int_eq(asker_lookup(&table, "Absent.Example", again), ASKER_FOUND);
	ck_assert_str_eq(value, again);
	ck_assert_int_eq(asker_lookup(&table, "example.net", value), ASKER_FOUND);
	ck_assert_str_ne(value, again);
	expect_place(value, 10027);
	ck_assert_int_eq(asker_lookup(&table, "[192.0.2.1]", again), ASKER_FOUND);
	expect_place(again, 10027);
	ck_assert_int_eq(asker_update(&table), ASKER_FOUND);
	ck_assert_int_eq(asker_lookup(&table, "example.net", again), ASKER_FOUND);
	ck_assert_str_eq(value, again);
	expect("absent.example", ASKER_NOT_FOUND);
	stop();
}
END_TEST

START_TEST(ports)
{
	char value[128];

	conf_write("relay_port = 2000\nrelay_ports = 8\n");
	start(_i);
	ck_assert_int_eq(asker_lookup(&table, "example.net", value), ASKER_FOUND);
	value[strlen(value) - 1] = '\0';
	ck_assert_str_eq(value, "lmtp://[127.0.0.1]:200");
	stop();
}
END_TEST

/* Nobody outside knows in which queue a domain's mail waits: each start has places of its own. */
START_TEST(own_places)
{
	static const char *const domains[] = { "a.example", "b.example", "c.example" };
	char first[3][128], second[128];
	int same = 0;

	start(_i);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(asker_lookup(&table, domains[i], first[i]), ASKER_FOUND);
	stop();
	start(_i);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(asker_lookup(&table, domains[i], second), ASKER_FOUND);
		same += strcmp(first[i], second) == 0;
	}
	ck_assert_int_lt(same, 2);
	stop();
}
END_TEST

/* What the others of the host find out is known at once. */
START_TEST(learns)
{
	start(_i);
	expect("new.example", ASKER_FOUND);
	ck_assert_int_eq(state_open(&state), 0);
	absent_put("new.example", now() + 600);
	expect("new.example", ASKER_NOT_FOUND);
	ck_assert_int_eq(state_put(&state, "new.example", now(), now()), CACHE_OK);
	expect("new.example", ASKER_FOUND); /* a hint hides no policy */
	state_close(&state);
	stop();
}
END_TEST

/* ---- the configuration ---- */

START_TEST(bad_configuration)
{
	char value[128];

	conf_write("relay_prot = 2000\n");
	start(_i);
	expect("absent.example", ASKER_FOUND);
	expect("[192.0.2.1]", ASKER_NOT_FOUND);
	ck_assert_int_eq(asker_lookup(&table, "example.net", value), ASKER_ERROR);
	ck_assert_int_eq(asker_update(&table), ASKER_ERROR);
	conf_write("relay_port = 2000\n");
	expect_at_last("absent.example", ASKER_NOT_FOUND);
	ck_assert_int_eq(asker_lookup(&table, "example.net", value), ASKER_FOUND);
	expect_place(value, 2000);
	conf_write("relay_port = 3000\n");
	ck_assert_int_eq(asker_update(&table), ASKER_FOUND);
	ck_assert_int_eq(asker_lookup(&table, "example.net", value), ASKER_FOUND);
	expect_place(value, 3000);
	unlink(conf);
	expect("absent.example", ASKER_NOT_FOUND); /* what it has read, it has */
	ck_assert_int_eq(asker_update(&table), ASKER_ERROR);
	expect("absent.example", ASKER_FOUND);
	stop();
}
END_TEST

/* ---- the store ---- */

static void
remove_store(void)
{
	static const char *const files[] = { STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm",
		STORE_LEASES };
	char path[200];

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(state_path(&state, files[i], path));
}

START_TEST(removed_and_made_again)
{
	struct owner owner;

	start(_i);
	expect("absent.example", ASKER_NOT_FOUND);
	remove_store();
	expect_at_last("absent.example", ASKER_FOUND);
	expect("policy.example", ASKER_FOUND);
	ck_assert_int_eq(owner_of_directory(state.dir, &owner), 0);
	ck_assert_int_eq(store_create(state.dir, &owner, state.why, sizeof state.why), 0);
	fill();
	expect_at_last("absent.example", ASKER_NOT_FOUND);
	expect("policy.example", ASKER_FOUND);
	stop();
}
END_TEST

START_TEST(missing_at_the_start)
{
	struct owner owner;

	remove_store();
	start(_i);
	expect("absent.example", ASKER_FOUND);
	ck_assert_int_eq(owner_of_directory(state.dir, &owner), 0);
	ck_assert_int_eq(store_create(state.dir, &owner, state.why, sizeof state.why), 0);
	fill();
	expect_at_last("absent.example", ASKER_NOT_FOUND);
	stop();
}
END_TEST

/* All but the first octets of the file, in which SQLite knows its own. */
static void
damage(const char *name, char with)
{
	char path[200], page[4096];
	struct stat st;
	FILE *file = fopen(state_path(&state, name, path), "r+");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	memset(page, with, sizeof page);
	for (long at = 100; at < st.st_size; at += (long)sizeof page) {
		ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
		fwrite(page, 1, sizeof page, file);
	}
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(damaged)
{
	static const char with[] = { '\0', '\377', 'x' };

	for (size_t i = 0; i < sizeof with; i++) {
		damage(STORE_FILE "-wal", with[i]);
		damage(STORE_FILE, with[i]);
		start(_i);
		expect_at_last("absent.example", ASKER_FOUND);
		expect("policy.example", ASKER_FOUND);
		stop();
	}
}
END_TEST

/* Under a running table: of what it has in memory it may still know. */
START_TEST(damaged_under_way)
{
	start(_i);
	expect("absent.example", ASKER_NOT_FOUND);
	damage(STORE_FILE "-wal", '\377');
	damage(STORE_FILE, '\377');
	for (int i = 0; i < 1000; i++) {
		char name[32];
		snprintf(name, sizeof name, "d%d.example", i);
		expect(name, ASKER_FOUND);
		expect("policy.example", ASKER_FOUND);
	}
	stop();
}
END_TEST

/* ---- others that use it ---- */

/* A process of ours that has done that to the store, and then stands still. */
static pid_t
stand_still_after(const char *sql)
{
	char path[200];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		sqlite3 *db;
		if (sqlite3_open(state_path(&state, STORE_FILE, path), &db) != SQLITE_OK ||
		    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
			fprintf(stderr, "# %s\n", sqlite3_errmsg(db));
			_exit(1);
		}
		raise(SIGSTOP);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	ck_assert_msg(WIFSTOPPED(status), "status %x", (unsigned)status);
	return pid;
}

static void
end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Who writes holds up no reader. */
START_TEST(writer_stands_still)
{
	start(_i);
	pid_t pid = stand_still_after("BEGIN IMMEDIATE; CREATE TABLE other (a); "
				      "INSERT INTO other VALUES (zeroblob(1000000))");
	for (int i = 0; i < 50; i++) {
		expect("absent.example", ASKER_NOT_FOUND);
		expect("policy.example", ASKER_FOUND);
		expect("unknown.example", ASKER_FOUND);
	}
	end(pid);
	expect("absent.example", ASKER_NOT_FOUND);
	stop();
}
END_TEST

/* Who has it for himself alone does; then nothing is known, at once. */
START_TEST(holder_stands_still)
{
	pid_t pid = stand_still_after("PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE; "
				      "CREATE TABLE other (a)");
	start(_i); /* the store is opened: two seconds at most */
	for (int i = 0; i < 50; i++) {
		expect("absent.example", ASKER_FOUND);
		expect("policy.example", ASKER_FOUND);
	}
	end(pid);
	expect_at_last("absent.example", ASKER_NOT_FOUND);
	stop();
}
END_TEST

/* ---- input ---- */

START_TEST(octet_by_octet)
{
	struct timespec pause = { 0, 1000 };
	char question[512];

	start(_i);
	size_t n = asker_question(&table, "absent.example", question);
	for (size_t i = 0; i < n; i++) {
		ck_assert(asker_put(&table, question + i, 1));
		nanosleep(&pause, NULL);
	}
	ck_assert_int_eq(asker_answer(&table, table.n_asked - 1), ASKER_NOT_FOUND);
	stop();
}
END_TEST

/* All of them asked without waiting: two processes, for one could not read while it writes. */
START_TEST(many_questions)
{
	unsigned first;
	int status;

	start(_i);
	first = table.n_asked;
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < QUESTIONS; i++) {
			char question[512];
			size_t n = asker_question(
			    &table, i % 2 == 0 ? "absent.example" : "policy.example", question);
			if (!asker_put(&table, question, n))
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < QUESTIONS; i++) {
		int got = asker_answer(&table, first + (unsigned)i);
		ck_assert_msg(got == i % 2, "%d: %d", i, got);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	stop();
}
END_TEST

/* Octets that are no question at all do not end it, and do not make it deaf. */
START_TEST(garbage)
{
	struct timespec pause = { 0, 20 * 1000 * 1000 };
	char octets[300];

	srandom(1);
	start(_i);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof octets; i++)
			octets[i] = (char)random();
		memset(octets + 4, 0, 2); /* no length, where it is a frame */
		octets[sizeof octets - 1] = '\n';
		ck_assert(asker_put(&table, octets, sizeof octets));
		if (_i == ASKER_IMSG)
			ck_assert_int_eq(asker_answer(&table, 0), ASKER_ERROR);
		nanosleep(&pause, NULL);
	}
	expect("absent.example", ASKER_NOT_FOUND);
	expect("policy.example", ASKER_FOUND);
	stop();
}
END_TEST

START_TEST(ends_within_a_question)
{
	char question[512];

	start(_i);
	ck_assert(asker_put(&table, question, asker_question(&table, "x.example", question) / 2));
	stop();
}
END_TEST

START_TEST(nobody_reads)
{
	char question[512];

	start(_i);
	for (int i = 0; i < 100; i++)
		ck_assert(asker_put(
		    &table, question, asker_question(&table, "absent.example", question)));
	stop(); /* answers were on their way to a socket that is closed */
}
END_TEST

/* ---- the process ---- */

START_TEST(signals)
{
	static const int all[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	start(_i);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		ck_assert_int_eq(kill(table.pid, all[i]), 0);
	expect("absent.example", ASKER_NOT_FOUND);
	ck_assert_int_eq(kill(table.pid, SIGSTOP), 0);
	ck_assert_int_eq(kill(table.pid, SIGCONT), 0);
	expect("absent.example", ASKER_NOT_FOUND);
	stop();
}
END_TEST

#ifndef WITH_SANITIZERS
/* No more memory, and no descriptor either. */
START_TEST(nothing_left)
{
	const struct rlimit none = { 0, 0 };
	char value[128];

	start(_i);
	ck_assert_int_eq(prlimit(table.pid, RLIMIT_AS, &none, NULL), 0);
	ck_assert_int_eq(prlimit(table.pid, RLIMIT_DATA, &none, NULL), 0);
	ck_assert_int_eq(prlimit(table.pid, RLIMIT_NOFILE, &none, NULL), 0);
	for (int i = 0; i < 2000; i++) {
		char name[32];
		snprintf(name, sizeof name, "d%d.example", i);
		expect(name, ASKER_FOUND);
		expect("policy.example", ASKER_FOUND);
	}
	remove_store();
	expect_at_last("absent.example", ASKER_FOUND);
	ck_assert_int_eq(asker_lookup(&table, "example.net", value), ASKER_FOUND);
	stop();
}
END_TEST
#endif

/* Without an argument smtpd's greeting tells what is wanted. */
START_TEST(no_argument)
{
	ck_assert(asker_start(&table, program, NULL, (enum asker_protocol)_i));
	expect("[192.0.2.1]", ASKER_NOT_FOUND);
	stop();
}
END_TEST

START_TEST(no_argument_in_parts)
{
	struct timespec pause = { 0, 30 * 1000 * 1000 };

	ck_assert(asker_fork(&table, program, NULL, ASKER_TEXT));
	ck_assert(asker_put(&table, "config|smtpd-ver", 16));
	nanosleep(&pause, NULL);
	ck_assert(asker_put(&table, "sion|7.6.0\n", 11));
	nanosleep(&pause, NULL);
	ck_assert_int_eq(asker_greet(&table), ASKER_FOUND);
	expect("[192.0.2.1]", ASKER_NOT_FOUND);
	stop();
}
END_TEST

/* A filter is greeted otherwise, and no table answers then. */
START_TEST(no_table)
{
	static const char *const greetings[] = {
		"config|smtpd-version|6.8.0p2\nconfig|smtp-session-timeout|300\n",
		"config|smtpd-version|7.6.0\nconfig|protocol|0.7\nconfig|subsystem|smtp-in\n",
	};
	char line[512] = "";

	ck_assert(asker_fork(&table, program, NULL, ASKER_TEXT));
	ck_assert(asker_put(&table, greetings[_i], strlen(greetings[_i])));
	ck_assert(asker_put(&table, "config|ready\n", 13));
	ssize_t n = read(table.fd, line, sizeof line - 1);
	ck_assert_msg(n <= 0 || strstr(line, "register|domain") == NULL, "%s", line);
	asker_stop(&table);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("table");
	TCase *tests = tcase_create("table");

	tcase_add_checked_fixture(tests, world_make, world_remove);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, answers, 0, 2);
	tcase_add_loop_test(tests, ports, 0, 2);
	tcase_add_loop_test(tests, own_places, 0, 2);
	tcase_add_loop_test(tests, learns, 0, 2);
	tcase_add_loop_test(tests, bad_configuration, 0, 2);
	tcase_add_loop_test(tests, removed_and_made_again, 0, 2);
	tcase_add_loop_test(tests, missing_at_the_start, 0, 2);
	tcase_add_loop_test(tests, damaged, 0, 2);
	tcase_add_loop_test(tests, damaged_under_way, 0, 2);
	tcase_add_loop_test(tests, writer_stands_still, 0, 2);
	tcase_add_loop_test(tests, holder_stands_still, 0, 2);
	tcase_add_loop_test(tests, octet_by_octet, 0, 2);
	tcase_add_loop_test(tests, many_questions, 0, 2);
	tcase_add_loop_test(tests, garbage, 0, 2);
	tcase_add_loop_test(tests, ends_within_a_question, 0, 2);
	tcase_add_loop_test(tests, nobody_reads, 0, 2);
	tcase_add_loop_test(tests, signals, 0, 2);
#ifndef WITH_SANITIZERS
	tcase_add_loop_test(tests, nothing_left, 0, 2);
#endif
	tcase_add_loop_test(tests, no_argument, 0, 2);
	tcase_add_test(tests, no_argument_in_parts);
	tcase_add_loop_test(tests, no_table, 0, 2);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
