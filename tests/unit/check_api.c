/* SPDX-License-Identifier: ISC
 *
 * The public calls: contract, callbacks, decisions and records, over a world of fakes or a store
 * in a temporary directory; and every call with memory that runs out.
 */
#include "api.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../scenario/world.h"
#include "base/limits.h"
#include "cache/store.h"
#include "engine/policy.h"
#include "nomem.h"
#include "report/journal.h"
#include "sample.h"
#include "unit.h"

enum { DAY = 86400 };

static struct world world;
static struct mtasts *ctx;
static struct mtasts_config *config;
static char directory[64];	      /* of tests with a real store and journal */
static struct journal_reader *reader; /* NULL: none is open */
static char log_text[8192];

static void
log_take(void *arg, enum mtasts_log level, const char *text)
{
	size_t n = strlen(log_text);

	(void)arg;
	snprintf(log_text + n, sizeof log_text - n, "%d %s\n", (int)level, text);
}

static void
configure(const char *key, const char *value)
{
	ck_assert_int_eq(mtasts_config_set(config, key, value), 0);
}

/* parts: what of the world is a fake. */
static void
open_over(bool fake_cache, bool fake_clock)
{
	struct cache cache = world_cache(&world);
	struct net net = world_net(&world);
	struct clock clock = world_clock(&world);
	struct api_world parts = { .net = &net };

	if (fake_cache)
		parts.cache = &cache;
	if (fake_clock)
		parts.clock = &clock;
	ck_assert_int_eq(api_new(config, &parts, log_take, NULL, &ctx), 0);
}

static void
state_make(void)
{
	struct owner owner;
	char why[256] = "";

	snprintf(directory, sizeof directory, "/tmp/check_api.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	char journal[96];
	ck_assert_int_eq(chmod(directory, 02770), 0);
	snprintf(journal, sizeof journal, "%s/" JOURNAL_DIRECTORY, directory);
	ck_assert_int_eq(mkdir(journal, 0770), 0);
	ck_assert_int_eq(owner_of_directory(directory, &owner), 0);
	ck_assert_msg(store_create(directory, &owner, why, sizeof why) == 0, "%s", why);
}

static void
state_remove(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

static void
setup(void)
{
	log_text[0] = '\0';
	world_init(&world);
	ck_assert_int_eq(mtasts_config_load("/dev/null", &config), 0);
	configure("log_level", "debug");
	state_make();
	configure("state_directory", directory);
	open_over(true, true);
}

static void
teardown(void)
{
	mtasts_free(ctx);
	if (reader != NULL)
		journal_close(reader);
	reader = NULL;
	mtasts_config_free(config);
	world_clear(&world);
	state_remove();
}

static void
publish(const char *id, const char *mode, const char *mx)
{
	world.txt = (struct world_txt){ .state = NET_ANSWERED, .ttl = 300, .n = 1 };
	snprintf(world.txt.text[0], sizeof world.txt.text[0], "v=STSv1; id=%s;", id);
	world.page =
	    (struct world_page){ .state = NET_FETCHED, .status = 200, .type = "text/plain" };
	snprintf(world.page.body, sizeof world.page.body,
	    "version: STSv1\nmode: %s\nmx: %s\nmax_age: 864000\n", mode, mx);
}

static struct mtasts_policy *
look_up(unsigned flags)
{
	struct mtasts_policy *policy = NULL;

	ck_assert_int_eq(mtasts_lookup(ctx, "Example.COM.", flags, 0, &policy), 0);
	ck_assert_ptr_nonnull(policy);
	return policy;
}

/* ---- contract ---- */

static void
ignore(void *arg, int error, struct mtasts_policy *policy)
{
	(void)arg;
	(void)error;
	mtasts_policy_free(policy);
}

static void
ignore_mx(void *arg, int error, struct mtasts_mxset *set)
{
	(void)arg;
	(void)error;
	mtasts_mxset_free(set);
}

static void
ignore_addresses(void *arg, int error, struct mtasts_addresses *addresses)
{
	(void)arg;
	(void)error;
	mtasts_addresses_free(addresses);
}

static void
ignore_decision(
    void *arg, int error, struct mtasts_policy *policy, const struct mtasts_decision *decision)
{
	(void)arg;
	(void)error;
	(void)decision;
	mtasts_policy_free(policy);
}

static int
start_addresses(const char *host, int deadline_ms, mtasts_addresses_fn *done, uint64_t *id)
{
	return mtasts_addresses_start(ctx, host, deadline_ms, done, NULL, id);
}

/* Nothing of what is wrong takes the policy. */
static void
assert_decide_start_refuses(struct mtasts_policy *policy)
{
	const struct {
		struct mtasts *ctx;
		struct mtasts_policy *policy;
		size_t n;
		int64_t age, bounce_after;
		int deadline_ms;
		mtasts_decide_fn *done;
		uint64_t *id;
	} bad[] = {
		{ NULL, policy, 0, 0, -1, 0, ignore_decision, &(uint64_t){ 0 } },
		{ ctx, NULL, 0, 0, -1, 0, ignore_decision, &(uint64_t){ 0 } },
		{ ctx, policy, 1, 0, -1, 0, ignore_decision, &(uint64_t){ 0 } },
		{ ctx, policy, 0, -1, -1, 0, ignore_decision, &(uint64_t){ 0 } },
		{ ctx, policy, 0, 0, -2, 0, ignore_decision, &(uint64_t){ 0 } },
		{ ctx, policy, 0, 0, -1, -1, ignore_decision, &(uint64_t){ 0 } },
		{ ctx, policy, 0, 0, -1, 0, NULL, &(uint64_t){ 0 } },
		{ ctx, policy, 0, 0, -1, 0, ignore_decision, NULL },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int r = mtasts_decide_start(bad[i].ctx, bad[i].policy, NULL, bad[i].n, bad[i].age,
		    bad[i].bounce_after, bad[i].deadline_ms, bad[i].done, NULL, bad[i].id);
		ck_assert_msg(r == MTASTS_EINVAL, "%zu: %d", i, r);
	}
}

START_TEST(test_null)
{
	struct mtasts_policy *policy = NULL, *none = NULL;
	struct mtasts_mxset *set = NULL;
	struct mtasts_attempt attempt = { .mx_host = "a.example" };
	struct mtasts_decision decision;
	struct mtasts_verdict verdict = { 0 };
	struct mtasts *made = NULL;
	const char *name = "x";
	uint64_t id = 7;
	int timeout = 5;

	ck_assert_int_eq(mtasts_new(NULL, NULL, NULL, &made), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_new(config, NULL, NULL, NULL), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_lookup(NULL, "a.example", 0, 0, &policy), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_lookup(ctx, NULL, 0, 0, &policy), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_lookup(ctx, "a.example", 0, 0, NULL), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_lookup(ctx, "a.example", 0, -1, &policy), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_lookup(ctx, "a.example", 1u << 7, 0, &policy), MTASTS_EINVAL);
	ck_assert_int_eq(
	    mtasts_lookup(ctx, "a.example", MTASTS_CACHED_ONLY | MTASTS_RECHECK, 0, &policy),
	    MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_start(NULL, "a.example", 0, 0, ignore, NULL, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_start(ctx, "a.example", 0, 0, NULL, NULL, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_start(ctx, "a.example", 0, 0, ignore, NULL, NULL), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_start(ctx, NULL, 0, 0, ignore, NULL, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_start(ctx, "a.example", 8, 0, ignore, NULL, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_process(NULL), MTASTS_EINVAL);
	ck_assert_uint_eq(mtasts_pollfds(NULL, NULL, 0, &timeout), 0);
	ck_assert_int_eq(timeout, -1);
	ck_assert_uint_eq(mtasts_pollfds(ctx, NULL, 4, &timeout), 0);
	ck_assert_uint_eq(mtasts_pollfds(ctx, NULL, 0, NULL), 0);
	mtasts_cancel(NULL, 1);
	mtasts_cancel(ctx, 4711);
	ck_assert_int_eq(mtasts_mx_lookup(NULL, "a.example", 0, &set), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_lookup(ctx, NULL, 0, &set), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "a.example", 0, NULL), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "a.example", -2, &set), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_start(NULL, "a.example", 0, ignore_mx, 0, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_start(ctx, NULL, 0, ignore_mx, NULL, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_start(ctx, "a.example", 0, NULL, NULL, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_start(ctx, "a.example", 0, ignore_mx, 0, NULL), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mx_start(ctx, "a.example", -1, ignore_mx, 0, &id), MTASTS_EINVAL);
	ck_assert_int_eq(
	    mtasts_addresses_start(NULL, "a.example", 0, ignore_addresses, 0, &id), MTASTS_EINVAL);
	ck_assert_int_eq(start_addresses(NULL, 0, ignore_addresses, &id), MTASTS_EINVAL);
	ck_assert_int_eq(start_addresses("a.example", 0, NULL, &id), MTASTS_EINVAL);
	ck_assert_int_eq(start_addresses("a.example", 0, ignore_addresses, NULL), MTASTS_EINVAL);
	ck_assert_int_eq(start_addresses("a.example", -1, ignore_addresses, &id), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_mxset_origin(ctx, NULL, "a.example", 0, &name), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_decide(ctx, NULL, NULL, 0, 0, -1, 0, &decision), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_decide(ctx, &none, NULL, 0, 0, -1, 0, &decision), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_record(ctx, NULL, &attempt, verdict), MTASTS_EINVAL);
	policy = look_up(MTASTS_CACHED_ONLY);
	ck_assert_int_eq(mtasts_record(ctx, policy, NULL, verdict), MTASTS_EINVAL);
	assert_decide_start_refuses(policy);
	ck_assert_int_eq(mtasts_decide(ctx, &policy, NULL, 1, 0, -1, 0, &decision), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_decide(ctx, &policy, NULL, 0, -1, -1, 0, &decision), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_decide(ctx, &policy, NULL, 0, 0, -2, 0, &decision), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_decide(ctx, &policy, NULL, 0, 0, -1, 0, NULL), MTASTS_EINVAL);
	mtasts_policy_free(policy);
	mtasts_free(NULL);
	ck_assert_ptr_null(made);
	ck_assert_ptr_null(set);
	ck_assert_uint_eq(id, 7);
	ck_assert_str_eq(name, "x");
}
END_TEST

/* t50 */
START_TEST(test_names)
{
	static const char *const bad[] = { "", ".", "[192.0.2.1]", "192.0.2.1", ".example.com",
		"a..example", "exa mple.com", "\xc3\xa4.example" };
	struct mtasts_policy *policy = NULL;
	struct mtasts_mxset *set = NULL;
	uint64_t id;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_int_eq(mtasts_lookup(ctx, bad[i], 0, 0, &policy), MTASTS_ENAME);
		ck_assert_int_eq(mtasts_start(ctx, bad[i], 0, 0, ignore, NULL, &id), MTASTS_ENAME);
		ck_assert_int_eq(mtasts_mx_lookup(ctx, bad[i], 0, &set), MTASTS_ENAME);
		ck_assert_int_eq(
		    mtasts_mx_start(ctx, bad[i], 0, ignore_mx, NULL, &id), MTASTS_ENAME);
		ck_assert_int_eq(start_addresses(bad[i], 0, ignore_addresses, &id), MTASTS_ENAME);
	}
	ck_assert_uint_eq(world.n_txt, 0);
}
END_TEST

static int
in_child(void)
{
	struct mtasts_policy *policy = NULL;
	struct mtasts_mxset *set = NULL;
	struct mtasts_attempt attempt = { 0 };
	struct mtasts_verdict verdict = { 0 };
	struct mtasts_decision decision;
	struct mtasts_policy *given = look_up(MTASTS_CACHED_ONLY);
	uint64_t id;
	char reason[64];
	int timeout = 0, status = 0;
	pid_t pid = fork();

	if (pid != 0) {
		mtasts_policy_free(given);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
	}
	int bad = mtasts_lookup(ctx, "a.example", 0, 0, &policy) != MTASTS_EFORK;
	bad += mtasts_start(ctx, "a.example", 0, 0, ignore, NULL, &id) != MTASTS_EFORK;
	bad += mtasts_process(ctx) != MTASTS_EFORK;
	bad += mtasts_pollfds(ctx, NULL, 0, &timeout) != 0 || timeout != -1;
	bad += mtasts_mx_lookup(ctx, "a.example", 0, &set) != MTASTS_EFORK;
	bad += mtasts_mx_start(ctx, "a.example", 0, ignore_mx, NULL, &id) != MTASTS_EFORK;
	bad += start_addresses("a.example", 0, ignore_addresses, &id) != MTASTS_EFORK;
	bad += mtasts_decide_start(ctx, given, NULL, 0, 0, -1, 0, ignore_decision, NULL, &id) !=
	       MTASTS_EFORK;
	bad += mtasts_decide(ctx, &given, NULL, 0, 0, -1, 0, &decision) != MTASTS_EFORK;
	bad += mtasts_record(ctx, given, &attempt, verdict) != MTASTS_EFORK;
	bad += mtasts_certificate_check(ctx, NULL, 0, "a.example", reason, sizeof reason) !=
	       MTASTS_TLS_FAILED;
	mtasts_cancel(ctx, 1);
	bad += strcmp(mtasts_policy_domain(given), "example.com") != 0; /* plain memory */
	mtasts_free(ctx);
	_exit(bad);
}

START_TEST(test_fork)
{
	uint64_t id;

	world.txt.delay_ms = world.mx.delay_ms = WORLD_NEVER;
	ck_assert_int_eq(mtasts_start(ctx, "example.com", 0, 0, ignore, NULL, &id), 0);
	ck_assert_int_eq(mtasts_mx_start(ctx, "example.com", 0, ignore_mx, NULL, &id), 0);
	ck_assert_int_eq(mtasts_process(ctx), 0); /* holds a lease and requests */
	ck_assert_int_eq(in_child(), 0);
	ck_assert_ptr_nonnull(world_row(&world, &world.domain)->lease);
	ck_assert_ptr_nonnull(world.requests); /* nor has the child taken back our questions */
}
END_TEST

/* ---- look-ups ---- */

START_TEST(test_lookup)
{
	publish("A", "enforce", "*.example.com");
	struct mtasts_policy *policy = look_up(0);
	ck_assert_str_eq(mtasts_policy_domain(policy), "example.com");
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_PUBLISHED);
	ck_assert_int_eq((int)mtasts_policy_mode(policy), MTASTS_ENFORCE);
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_NETWORK);
	ck_assert_str_eq(mtasts_policy_id(policy), "A");
	ck_assert_int_eq(mtasts_policy_fetched(policy), WORLD_T0);
	ck_assert_int_eq(mtasts_policy_expires(policy), WORLD_T0 + 864000);
	ck_assert_uint_eq(mtasts_policy_mx_count(policy), 1);
	ck_assert_str_eq(mtasts_policy_mx(policy, 0), "*.example.com");
	ck_assert_ptr_null(mtasts_policy_mx(policy, 1));
	mtasts_policy_free(policy);
	ck_assert_uint_eq(world.n_sweep, 1);
	ck_assert_uint_eq(world.n_rest, 1); /* nobody's child is left to be reaped by others */
	ck_assert_ptr_nonnull(strstr(log_text,
	    "2 lookup domain=example.com state=published mode=enforce source=network finding=- "
	    "ms=0 reason=\"\"\n"));
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_CACHE);
	ck_assert_uint_eq(world.n_sweep, 1); /* what is quick does no housework */
	mtasts_policy_free(policy);
}
END_TEST

/* Neither a write, nor the network, nor the end of a helper is waited for. */
START_TEST(test_cached_only)
{
	struct world_row *row = world_row(&world, &world.domain);
	struct mtasts_policy *policy;

	policy = look_up(MTASTS_CACHED_ONLY);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_UNKNOWN);
	mtasts_policy_free(policy);
	publish("A", "enforce", "*.example.com");
	mtasts_policy_free(look_up(0));
	unsigned n_txt = world.n_txt, n_rest = world.n_rest, n_sweep = world.n_sweep;
	int64_t used_at = row->entry->used_at;
	world.n_peek = world.n_put = world.n_process = 0;
	world_sleep(&world, (int64_t)2 * DAY * 1000);
	policy = look_up(MTASTS_CACHED_ONLY);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_PUBLISHED);
	mtasts_policy_free(policy);
	ck_assert_uint_eq(world.n_peek, 1);
	ck_assert_uint_eq(world.n_txt, n_txt);
	ck_assert_uint_eq(world.n_rest, n_rest);
	ck_assert_uint_eq(world.n_sweep, n_sweep);
	ck_assert_uint_eq(world.n_put + world.n_process, 0);
	ck_assert_int_eq(row->entry->used_at, used_at);
	mtasts_policy_free(look_up(0));
	ck_assert_int_gt(row->entry->used_at, used_at); /* the others do note it */
	world.store = WORLD_STORE_UNREADABLE;
	policy = look_up(MTASTS_CACHED_ONLY);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_FAULT);
	mtasts_policy_free(policy);
}
END_TEST

/* One line a look-up, remote words escaped. */
START_TEST(test_log)
{
	size_t lines = 0;

	publish("A", "enforce", "*.example.com");
	snprintf(world.page.type, sizeof world.page.type, "text/\nhtml \"x\"");
	mtasts_policy_free(look_up(0));
	for (const char *p = log_text; *p != '\0'; p++)
		lines += *p == '\n' ? 1 : 0;
	ck_assert_uint_eq(lines, 1);
	ck_assert_ptr_nonnull(strstr(log_text, "1 lookup domain=example.com state=absent"));
	ck_assert_ptr_nonnull(strstr(log_text, "text/\\x0Ahtml"));
}
END_TEST

static int64_t
now_ms(void)
{
	struct clock clock = clock_system();

	return clock_mono_ms(&clock);
}

/* Real time: a network that never says anything does not hold anybody. */
START_TEST(test_deadline)
{
	struct mtasts_policy *policy = NULL;
	struct mtasts_mxset *set = NULL;

	mtasts_free(ctx);
	open_over(true, false);
	world.txt.delay_ms = world.mx.delay_ms = WORLD_NEVER;
	int64_t began = now_ms();
	ck_assert_int_eq(mtasts_lookup(ctx, "example.com", 0, 200, &policy), 0);
	int64_t took = now_ms() - began;
	ck_assert_msg(took >= 200 && took < 1000, "%lld ms", (long long)took);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_UNKNOWN);
	mtasts_policy_free(policy);
	began = now_ms();
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "example.com", 100, &set), 0);
	took = now_ms() - began;
	ck_assert_msg(took >= 100 && took < 1000, "%lld ms", (long long)took);
	ck_assert_int_eq((int)mtasts_mxset_state(set), MTASTS_MX_UNKNOWN);
	ck_assert_str_eq(mtasts_mxset_reason(set), "no answer in time");
	mtasts_mxset_free(set);
}
END_TEST

/* A network that cannot even begin is our own fault. */
START_TEST(test_cannot_begin)
{
	struct mtasts_mxset *set = NULL;
	struct mtasts_policy *policy;

	world.resolve_error = MTASTS_ENOMEM;
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_FAULT);
	ck_assert_str_eq(mtasts_policy_reason(policy), "out of memory");
	ck_assert_ptr_nonnull(strstr(log_text, "0 network reason=\"out of memory\"\n"));
	mtasts_policy_free(policy);
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "example.com", 0, &set), MTASTS_ENOMEM);
	world.resolve_error = 0;
	world.fetch_error = MTASTS_EBUSY;
	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_FAULT);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(test_settings)
{
	struct mtasts_policy *policy;
	struct mtasts_decision decision;

	world.store = WORLD_STORE_UNREADABLE;
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_FAULT);
	ck_assert_int_eq(mtasts_decide(ctx, &policy, NULL, 0, 0, -1, 0, &decision), 0);
	ck_assert_int_eq(decision.smtp_code, 451);
	ck_assert_str_eq(decision.enhanced, "4.3.0");
	mtasts_policy_free(policy);

	mtasts_free(ctx);
	configure("cache_fault", "deliver");
	configure("on_unknown", "defer");
	open_over(true, true);
	policy = look_up(0);
	ck_assert_int_eq(mtasts_decide(ctx, &policy, NULL, 0, 0, -1, 0, &decision), 0);
	ck_assert_int_eq((int)decision.action, MTASTS_DELIVER);
	mtasts_policy_free(policy);

	world.store = WORLD_STORE_OK;
	world.txt.state = NET_UNKNOWN;
	policy = look_up(0);
	ck_assert_int_eq(mtasts_decide(ctx, &policy, NULL, 0, 0, -1, 0, &decision), 0);
	ck_assert_str_eq(decision.enhanced, "4.4.3");
	mtasts_policy_free(policy);
}
END_TEST

/* ---- callbacks ---- */

struct heard {
	int n, error;
	enum mtasts_state state;
	uint64_t cancels; /* an id to cancel from within */
	bool starts;	  /* another from within */
	struct heard *next;
};

static void
hear(void *arg, int error, struct mtasts_policy *policy)
{
	struct heard *heard = arg;
	uint64_t id = 0;

	heard->n++;
	heard->error = error;
	heard->state = mtasts_policy_state(policy);
	mtasts_policy_free(policy);
	if (heard->cancels != 0)
		mtasts_cancel(ctx, heard->cancels);
	if (heard->starts)
		ck_assert_int_eq(mtasts_start(ctx, "example.com", 0, 0, hear, heard->next, &id), 0);
}

static void
process(void)
{
	ck_assert_int_eq(mtasts_process(ctx), 0);
}

START_TEST(test_callback)
{
	struct heard heard = { 0 };
	uint64_t id = 0;
	int timeout = -1;

	ck_assert_int_eq(mtasts_start(ctx, "example.com", 0, 0, hear, &heard, &id), 0);
	ck_assert_uint_ne(id, 0);
	ck_assert_int_eq(heard.n, 0);
	(void)mtasts_pollfds(ctx, NULL, 0, &timeout);
	ck_assert_int_eq(timeout, 0); /* something is to be done at once */
	for (int i = 0; i < 5; i++)
		process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq((int)heard.state, MTASTS_ABSENT);
	(void)mtasts_pollfds(ctx, NULL, 0, &timeout);
	ck_assert_int_eq(timeout, -1);
}
END_TEST

START_TEST(test_cancel)
{
	struct heard one = { 0 }, two = { 0 };
	uint64_t first, second;

	world.txt.delay_ms = 10;
	ck_assert_int_eq(mtasts_start(ctx, "example.com", 0, 0, hear, &one, &first), 0);
	ck_assert_int_eq(mtasts_start(ctx, "other.example", 0, 0, hear, &two, &second), 0);
	process();
	mtasts_cancel(ctx, first);
	mtasts_cancel(ctx, first);
	ck_assert_ptr_null(world_row(&world, &world.domain)->lease);
	world_sleep(&world, 10);
	process();
	process();
	ck_assert_int_eq(one.n, 0);
	ck_assert_int_eq(two.n, 1);
}
END_TEST

/* From within a callback: itself, one that is over too, one that is not. */
START_TEST(test_cancel_within)
{
	struct heard heard[3] = { { 0 } };
	uint64_t ids[3];

	ck_assert_int_eq(mtasts_start(ctx, "a.example", 0, 0, hear, &heard[0], &ids[0]), 0);
	ck_assert_int_eq(mtasts_start(ctx, "b.example", 0, 0, hear, &heard[1], &ids[1]), 0);
	heard[0].cancels = ids[0];
	process();
	process();
	ck_assert_int_eq(heard[0].n + heard[1].n, 2);

	ck_assert_int_eq(mtasts_start(ctx, "c.example", 0, 0, hear, &heard[0], &ids[0]), 0);
	ck_assert_int_eq(mtasts_start(ctx, "d.example", 0, 0, hear, &heard[1], &ids[1]), 0);
	ck_assert_int_eq(mtasts_start(ctx, "e.example", 0, 0, hear, &heard[2], &ids[2]), 0);
	memset(heard, 0, sizeof heard);
	heard[0].cancels = ids[1];
	process();
	process();
	ck_assert_int_eq(heard[0].n, 1);
	ck_assert_int_eq(heard[1].n, 0);
	ck_assert_int_eq(heard[2].n, 1);
}
END_TEST

START_TEST(test_start_within)
{
	struct heard later = { 0 }, first = { .starts = true, .next = &later };
	uint64_t id;

	ck_assert_int_eq(mtasts_start(ctx, "example.com", 0, 0, hear, &first, &id), 0);
	for (int i = 0; i < 6; i++)
		process();
	ck_assert_int_eq(first.n, 1);
	ck_assert_int_eq(later.n, 1);
}
END_TEST

/* Callbacks run inside mtasts_process() and nowhere else. */
START_TEST(test_blocking_beside)
{
	struct heard heard = { 0 };
	uint64_t id;
	int timeout = -1;

	ck_assert_int_eq(mtasts_start(ctx, "other.example", 0, 0, hear, &heard, &id), 0);
	mtasts_policy_free(look_up(0));
	mtasts_policy_free(look_up(MTASTS_RECHECK));
	ck_assert_int_eq(heard.n, 0);
	(void)mtasts_pollfds(ctx, NULL, 0, &timeout);
	ck_assert_int_eq(timeout, 0); /* its answer is there, and it is to be told */
	process();
	process();
	ck_assert_int_eq(heard.n, 1);
}
END_TEST

/* Real time: who waits sleeps, even while another's answer waits to be told. */
START_TEST(test_blocking_sleeps)
{
	struct mtasts_policy *policy = NULL;
	struct mtasts_mxset *set = NULL;
	struct heard heard = { 0 };
	uint64_t id;

	mtasts_free(ctx);
	open_over(true, false);
	ck_assert_int_eq(mtasts_start(ctx, "other.example", 0, 0, hear, &heard, &id), 0);
	mtasts_policy_free(look_up(0));
	world.txt.delay_ms = world.mx.delay_ms = WORLD_NEVER;
	world.n_process = 0;
	ck_assert_int_eq(mtasts_lookup(ctx, "third.example", 0, 200, &policy), 0);
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "third.example", 200, &set), 0);
	ck_assert_msg(world.n_process < 40, "%u rounds in 400 ms", world.n_process);
	ck_assert_int_eq(heard.n, 0);
	mtasts_policy_free(policy);
	mtasts_mxset_free(set);
}
END_TEST

/* Look-ups under way end with the context: leases are given back, nobody hears of them. */
START_TEST(test_free)
{
	struct heard heard = { 0 };
	uint64_t id;

	publish("A", "enforce", "*.example.com");
	world.page.delay_ms = 10;
	ck_assert_int_eq(mtasts_start(ctx, "example.com", 0, 0, hear, &heard, &id), 0);
	ck_assert_int_eq(mtasts_start(ctx, "other.example", 0, 0, hear, &heard, &id), 0);
	process();
	process();
	ck_assert_uint_eq(world.n_get, 1);
	ck_assert_ptr_nonnull(world_row(&world, &world.domain)->lease);
	mtasts_free(ctx);
	ck_assert_ptr_null(world_row(&world, &world.domain)->lease);
	ck_assert(!world_row(&world, &world.domain)->has_outcome);
	open_over(true, true);
	world_sleep(&world, 100);
	process(); /* the page comes to nobody */
	ck_assert_int_eq(heard.n, 1);
}
END_TEST

START_TEST(test_busy)
{
	struct mtasts_policy *policy = NULL;
	struct heard heard = { 0 };
	uint64_t id = 0, first = 0;
	char name[64];

	world.txt.delay_ms = WORLD_NEVER;
	for (int i = 0; i < LIMIT_LOOKUPS; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_int_eq(mtasts_start(ctx, name, 0, 0, hear, &heard, &id), 0);
		first = i == 0 ? id : first;
	}
	ck_assert_int_eq(mtasts_start(ctx, "x.example", 0, 0, hear, &heard, &id), MTASTS_EBUSY);
	ck_assert_int_eq(mtasts_lookup(ctx, "x.example", 0, 0, &policy), MTASTS_EBUSY);
	mtasts_cancel(ctx, first);
	ck_assert_int_eq(mtasts_start(ctx, "x.example", 0, 0, hear, &heard, &id), 0);
	process();
	ck_assert_int_eq(heard.n, 0); /* and are dropped with the context */
}
END_TEST

/* Everybody is answered at his own deadline. */
START_TEST(test_deadlines)
{
	struct heard one = { 0 }, two = { 0 };
	uint64_t id;
	int timeout = -1;

	world.txt.delay_ms = WORLD_NEVER;
	ck_assert_int_eq(mtasts_start(ctx, "a.example", 0, 500, hear, &one, &id), 0);
	ck_assert_int_eq(mtasts_start(ctx, "b.example", 0, 0, hear, &two, &id), 0);
	process();
	process();
	(void)mtasts_pollfds(ctx, NULL, 0, &timeout);
	ck_assert_int_eq(timeout, 500);
	world_sleep(&world, 499);
	process();
	ck_assert_int_eq(one.n, 0);
	world_sleep(&world, 1);
	process();
	ck_assert_int_eq(one.n, 1);
	ck_assert_int_eq((int)one.state, MTASTS_UNKNOWN);
	(void)mtasts_pollfds(ctx, NULL, 0, &timeout);
	ck_assert_int_eq(timeout, 14500); /* deadline = 15s */
	world_sleep(&world, 14500);
	process();
	ck_assert_int_eq(two.n, 1);
}
END_TEST

/* ---- MX hosts ---- */

START_TEST(test_mx)
{
	struct mtasts_mxset *set = NULL;
	const char *name = "x";

	world.mx = (struct world_txt){
		.state = NET_ANSWERED, .n = 2, .text = { "20 b.example.com", "10 a.example.com" }
	};
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "EXAMPLE.com", 0, &set), 0);
	ck_assert_int_eq((int)mtasts_mxset_state(set), MTASTS_MX_FOUND);
	ck_assert_str_eq(mtasts_mxset_host(set, 0), "a.example.com");
	ck_assert_uint_eq(world.n_rest, 1);

	/* an MX name itself: nothing is asked */
	world.a.delay_ms = world.aaaa.delay_ms = WORLD_NEVER;
	ck_assert_int_eq(mtasts_mxset_origin(ctx, set, "B.Example.com.", 0, &name), 0);
	ck_assert_str_eq(name, "b.example.com");
	world.a.delay_ms = world.aaaa.delay_ms = 0;

	/* m21: where its CNAME leads; the better MX of two */
	snprintf(world.canonical, sizeof world.canonical, "real.provider.example");
	ck_assert_int_eq(mtasts_mxset_origin(ctx, set, "real.provider.example", 0, &name), 0);
	ck_assert_str_eq(name, "a.example.com");
	ck_assert_int_eq(mtasts_mxset_origin(ctx, set, "elsewhere.example", 0, &name), 0);
	ck_assert_ptr_null(name);

	world.a.state = world.aaaa.state = NET_UNKNOWN;
	ck_assert_int_eq(mtasts_mxset_origin(ctx, set, "real.provider.example", 0, &name), 0);
	ck_assert_ptr_null(name);
	ck_assert_int_eq(mtasts_mxset_origin(ctx, set, "192.0.2.1", 0, &name), MTASTS_ENAME);
	mtasts_mxset_free(set);
}
END_TEST

/* ---- MX hosts, by callback ---- */

struct heard_mx {
	int n, error;
	enum mtasts_mx_state state;
	char host[DOMAIN_MAX + 1];
	int64_t ttl;
	uint64_t cancels; /* an id to cancel from within */
	struct heard_mx *starts;
};

static void
hear_mx(void *arg, int error, struct mtasts_mxset *set)
{
	struct heard_mx *heard = arg;
	const char *host = mtasts_mxset_host(set, 0);
	uint64_t id = 0;

	heard->n += (set == NULL) == (error != 0) ? 1 : 100; /* no assertion without memory */
	heard->error = error;
	heard->state = mtasts_mxset_state(set);
	heard->ttl = mtasts_mxset_ttl(set);
	snprintf(heard->host, sizeof heard->host, "%s", host != NULL ? host : "");
	mtasts_mxset_free(set);
	if (heard->cancels != 0)
		mtasts_cancel(ctx, heard->cancels);
	if (heard->starts != NULL)
		ck_assert_int_eq(
		    mtasts_mx_start(ctx, "example.com", 0, hear_mx, heard->starts, &id), 0);
}

static uint64_t
start_mx(const char *domain, int deadline_ms, struct heard_mx *heard)
{
	uint64_t id = 0;

	ck_assert_int_eq(mtasts_mx_start(ctx, domain, deadline_ms, hear_mx, heard, &id), 0);
	ck_assert_uint_ne(id, 0);
	return id;
}

static int
wait_ms(void)
{
	int timeout = -2;

	(void)mtasts_pollfds(ctx, NULL, 0, &timeout);
	return timeout;
}

START_TEST(test_mx_start)
{
	struct heard_mx heard = { 0 }, other = { 0 };
	struct mtasts_mxset *set = NULL;

	world.mx = (struct world_txt){ .state = NET_ANSWERED,
		.ttl = 300,
		.delay_ms = 10,
		.n = 1,
		.text = { "10 a.example" } };
	(void)start_mx("EXAMPLE.com.", 0, &heard);
	(void)start_mx("other.example", 0, &other);
	process();
	ck_assert_int_eq(heard.n + other.n, 0);
	world_sleep(&world, 10);
	/* a blocking call takes the answer for us, and tells nobody */
	world.mx.delay_ms = 0;
	mtasts_policy_free(look_up(MTASTS_RECHECK));
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "third.example", 0, &set), 0);
	mtasts_mxset_free(set);
	ck_assert_int_eq(heard.n + other.n, 0);
	ck_assert_int_eq(wait_ms(), 0);
	process();
	process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq(heard.error, 0);
	ck_assert_int_eq((int)heard.state, MTASTS_MX_FOUND);
	ck_assert_str_eq(heard.host, "a.example");
	ck_assert_int_eq(heard.ttl, 300);
	ck_assert_int_eq(other.n, 1);
	ck_assert_int_eq((int)other.state, MTASTS_MX_NO_DOMAIN);
	ck_assert_int_eq(wait_ms(), -1);
}
END_TEST

/* Everybody at his own deadline, whatever the network does; nobody holds what comes later. */
START_TEST(test_mx_deadline)
{
	struct heard_mx one = { 0 }, two = { 0 };

	world.mx.delay_ms = WORLD_NEVER;
	(void)start_mx("example.com", 500, &one);
	(void)start_mx("example.com", 0, &two);
	process();
	ck_assert_int_eq(wait_ms(), 500);
	world_sleep(&world, 499);
	process();
	ck_assert_int_eq(one.n, 0);
	world_sleep(&world, 1);
	ck_assert_int_eq(wait_ms(), 0);
	process();
	ck_assert_int_eq(one.n, 1);
	ck_assert_int_eq(one.error, 0);
	ck_assert_int_eq((int)one.state, MTASTS_MX_UNKNOWN);
	ck_assert_int_eq(one.ttl, 0);
	ck_assert_int_eq(wait_ms(), 14500); /* deadline = 15s */
	world_sleep(&world, 14500);
	process();
	ck_assert_int_eq(two.n, 1);
	ck_assert_int_eq(wait_ms(), -1);
	process();
	ck_assert_ptr_null(world.requests);
}
END_TEST

/* Ids are of one kind; from within: itself, one that is over too, and another begun. */
START_TEST(test_mx_cancel)
{
	struct heard_mx heard[3] = { { 0 } }, later = { 0 };
	struct heard policy = { 0 };
	uint64_t ids[3], id = 0;

	world.mx.delay_ms = WORLD_NEVER;
	ids[0] = start_mx("example.com", 0, &heard[0]);
	ck_assert_int_eq(mtasts_start(ctx, "other.example", 0, 0, hear, &policy, &id), 0);
	ck_assert_uint_ne(id, ids[0]);
	process();
	mtasts_cancel(ctx, ids[0]);
	mtasts_cancel(ctx, ids[0]);
	for (int i = 0; i < 5; i++)
		process();
	ck_assert_int_eq(heard[0].n, 0);
	ck_assert_int_eq(policy.n, 1);
	ck_assert_int_eq(wait_ms(), -1);

	world.mx.delay_ms = 0;
	for (size_t i = 0; i < 3; i++)
		ids[i] = start_mx("example.com", 0, &heard[i]);
	heard[0].cancels = ids[1];
	heard[2].cancels = ids[2];
	heard[2].starts = &later;
	process();
	ck_assert_int_eq(later.n, 0);
	process();
	process();
	ck_assert_int_eq(heard[0].n, 1);
	ck_assert_int_eq(heard[1].n, 0);
	ck_assert_int_eq(heard[2].n, 1);
	ck_assert_int_eq(later.n, 1);
}
END_TEST

/* A bound for both kinds together; what cannot begin says so; a context's end tells nobody. */
START_TEST(test_mx_bounds)
{
	struct heard_mx heard = { 0 };
	struct mtasts_mxset *set = NULL;
	struct heard policy = { 0 };
	uint64_t id = 0, first = 0;

	world.resolve_error = MTASTS_ENOMEM;
	ck_assert_int_eq(
	    mtasts_mx_start(ctx, "example.com", 0, hear_mx, &heard, &id), MTASTS_ENOMEM);
	ck_assert_uint_eq(id, 0);
	ck_assert_int_eq(wait_ms(), -1);
	world.resolve_error = 0;
	world.mx.delay_ms = WORLD_NEVER;
	for (int i = 0; i < LIMIT_LOOKUPS; i++) {
		id = start_mx("example.com", 0, &heard);
		first = i == 0 ? id : first;
	}
	ck_assert_int_eq(
	    mtasts_mx_start(ctx, "example.com", 0, hear_mx, &heard, &id), MTASTS_EBUSY);
	ck_assert_int_eq(mtasts_mx_lookup(ctx, "example.com", 0, &set), MTASTS_EBUSY);
	ck_assert_int_eq(mtasts_start(ctx, "a.example", 0, 0, hear, &policy, &id), MTASTS_EBUSY);
	mtasts_cancel(ctx, first);
	(void)start_mx("example.com", 0, &heard);
	mtasts_free(ctx);
	open_over(true, true);
	world_sleep(&world, 20000);
	process();
	ck_assert_ptr_null(world.requests);
	ck_assert_int_eq(heard.n, 0);
}
END_TEST

/* ---- decisions: c16, R5.0.4, R5.0.5 ---- */

static struct mtasts_attempt
attempt_of(const char *mx, enum mtasts_tls tls)
{
	return (struct mtasts_attempt){ .mx_host = mx, .tls = tls };
}

static void
record(const struct mtasts_policy *policy, const struct mtasts_attempt *attempt)
{
	ck_assert_int_eq(mtasts_record(ctx, policy, attempt, mtasts_judge(policy, attempt)), 0);
}

/* Each test of decisions runs over both forms of the call. */
enum { WAITED_FOR, BY_CALLBACK, FORMS };

static int form;

struct heard_decision {
	int n, error;
	struct mtasts_policy *policy;
	struct mtasts_decision decision;
};

static void
hear_decision(
    void *arg, int error, struct mtasts_policy *policy, const struct mtasts_decision *decision)
{
	struct heard_decision *heard = arg;

	heard->n += (decision == NULL) == (error != 0) ? 1 : 100; /* no assertion without memory */
	heard->error = error;
	heard->policy = policy;
	if (decision != NULL)
		heard->decision = *decision;
}

static int
decide_by_callback(struct mtasts_policy **policy, const struct mtasts_attempt *attempt, int64_t age,
    int64_t bounce_after, struct mtasts_decision *decision)
{
	struct heard_decision heard = { 0 };
	char host[64];
	struct mtasts_attempt *passing = malloc(sizeof *passing);
	uint64_t id = 0;

	ck_assert_ptr_nonnull(passing);
	*passing = *attempt;
	passing->mx_host = strcpy(host, attempt->mx_host);
	int r = mtasts_decide_start(
	    ctx, *policy, passing, 1, age, bounce_after, 0, hear_decision, &heard, &id);
	memset(host, 'x', sizeof host); /* neither needs to last */
	free(passing);
	if (r != 0)
		return r;
	ck_assert_int_eq(heard.n, 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(mtasts_process(ctx), 0);
	ck_assert_int_eq(heard.n, 1);
	*policy = heard.policy;
	*decision = heard.decision;
	return heard.error;
}

static struct mtasts_decision
decide_after(struct mtasts_policy **policy, const struct mtasts_attempt *attempt, int64_t age,
    int64_t bounce_after)
{
	struct mtasts_decision decision;
	int r;

	if (form == WAITED_FOR)
		r = mtasts_decide(ctx, policy, attempt, 1, age, bounce_after, 0, &decision);
	else
		r = decide_by_callback(policy, attempt, age, bounce_after, &decision);
	ck_assert_int_eq(r, 0);
	return decision;
}

static struct mtasts_decision
decide_for(struct mtasts_policy **policy, const struct mtasts_attempt *attempt, int64_t age)
{
	return decide_after(policy, attempt, age, -1);
}

START_TEST(test_c16)
{
	struct mtasts_attempt outside = attempt_of("mx.attacker.example", MTASTS_TLS_UNTRIED);
	struct mtasts_policy *policy;

	form = _i;
	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	world_sleep(&world, 60000);

	/* young: no recheck */
	ck_assert_int_eq((int)decide_for(&policy, &outside, 0).action, MTASTS_DEFER);
	ck_assert_uint_eq(world.n_txt, 1);

	/* old, the record unknown: not completed, transient */
	world.txt.state = NET_UNKNOWN;
	ck_assert_int_eq((int)decide_for(&policy, &outside, DAY).action, MTASTS_DEFER);
	ck_assert_uint_eq(world.n_txt, 2);
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_STALE);

	/* the GET fails: not completed */
	world.txt.state = NET_ANSWERED;
	world.page.status = 500;
	ck_assert_int_eq((int)decide_for(&policy, &outside, DAY).action, MTASTS_DEFER);
	ck_assert_uint_eq(world.n_get, 2);

	/* the five-minute rule holds: still not completed */
	world.page.status = 200;
	world_sleep(&world, 60000);
	ck_assert_int_eq((int)decide_for(&policy, &outside, DAY).action, MTASTS_DEFER);
	ck_assert_uint_eq(world.n_get, 2);

	/* completed, and it still fails: final */
	world_sleep(&world, 300000);
	struct mtasts_decision decision = decide_for(&policy, &outside, DAY);
	ck_assert_int_eq((int)decision.action, MTASTS_FAIL);
	ck_assert_str_eq(decision.text, "MX hosts of 'example.com' failed MTA-STS validation.");
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_NETWORK);

	/* c16: a newer policy is applied and tried, with the id forgotten as is usual */
	world_sleep(&world, 60000);
	publish("A", "enforce", "*.attacker.example");
	ck_assert_int_eq((int)decide_for(&policy, &outside, DAY).action, MTASTS_DELIVER);
	ck_assert_str_eq(mtasts_policy_mx(policy, 0), "*.attacker.example");
	mtasts_policy_free(policy);
}
END_TEST

/* A recheck that comes to nothing does not end the policy of this very delivery (c21, R10.2.1). */
static const struct {
	enum net_state txt; /* of the recheck */
	int recheck_get;    /* its status */
	bool faults_deliver;
} unfinished[] = {
	{ NET_UNKNOWN, 200, false },
	{ NET_NO_NAME, 200, false },
	{ NET_ANSWERED, 500, false },
	{ NET_FAULT, 200, true },
};

START_TEST(test_recheck_in_vain)
{
	struct mtasts_attempt outside = attempt_of("mx.attacker.example", MTASTS_TLS_UNTRIED);
	struct mtasts_policy *policy;
	int i = _i / FORMS;

	form = _i % FORMS;
	mtasts_free(ctx);
	configure("cache_fault", unfinished[i].faults_deliver ? "deliver" : "defer");
	open_over(true, true);
	publish("A", "enforce", "*.example.com");
	char *age = strstr(world.page.body, "864000");
	ck_assert_ptr_nonnull(age);
	memcpy(age, "0    \n", sizeof "0    \n"); /* no store holds it, as when its disk is full */
	policy = look_up(0);
	world_sleep(&world, 60000);
	world.txt.state = unfinished[i].txt;
	world.page.status = (unsigned)unfinished[i].recheck_get;
	ck_assert_int_eq((int)decide_for(&policy, &outside, DAY).action, MTASTS_DEFER);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_PUBLISHED);
	ck_assert_int_eq((int)mtasts_policy_mode(policy), MTASTS_ENFORCE);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(test_strikes)
{
	struct mtasts_attempt untried = attempt_of("mx.example.com", MTASTS_TLS_UNTRIED);
	struct mtasts_attempt expired = attempt_of("MX.example.com.", MTASTS_TLS_EXPIRED);
	struct mtasts_attempt unreached = attempt_of("mx.example.com", MTASTS_TLS_UNREACHED);
	struct mtasts_attempt verified = attempt_of("mx2.example.com", MTASTS_TLS_VERIFIED);
	struct mtasts_policy *policy;

	form = _i;
	configure("reports", "no");
	mtasts_free(ctx);
	open_over(true, true);
	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	world_sleep(&world, (int64_t)DAY * 1000);

	/* no strike: go and try, however old */
	ck_assert_int_eq((int)decide_for(&policy, &untried, 2 * DAY).action, MTASTS_DELIVER);
	record(policy, &expired);
	world_sleep(&world, 60000);
	/* a strike: a young message goes and tries, an old one is over */
	ck_assert_int_eq((int)decide_for(&policy, &untried, 120).action, MTASTS_DELIVER);
	struct mtasts_decision decision = decide_for(&policy, &untried, 2 * DAY);
	ck_assert_int_eq((int)decision.action, MTASTS_FAIL);
	ck_assert_str_eq(decision.enhanced, "5.7.5");
	ck_assert_str_eq(decision.text,
	    "Remote certificate failed MTA-STS validation. Reason: certificate-expired");
	/* bounce_after 0: what failed before it came says nothing about a message */
	ck_assert_int_eq((int)decide_after(&policy, &untried, 30, 0).action, MTASTS_DELIVER);
	ck_assert_int_eq((int)decide_after(&policy, &untried, 90, 0).action, MTASTS_FAIL);

	/* unreachable ends the host's, success ends all of the domain's */
	record(policy, &unreached);
	ck_assert_int_eq((int)decide_for(&policy, &untried, 2 * DAY).action, MTASTS_DELIVER);
	record(policy, &expired);
	ck_assert_int_eq((int)decide_for(&policy, &untried, 2 * DAY).action, MTASTS_FAIL);
	record(policy, &verified);
	ck_assert_int_eq((int)decide_for(&policy, &untried, 2 * DAY).action, MTASTS_DELIVER);

	/* it lasts a day */
	record(policy, &expired);
	world_sleep(&world, (int64_t)(LIMIT_STRIKE + 1) * 1000);
	ck_assert_int_eq((int)decide_for(&policy, &untried, 9 * DAY).action, MTASTS_DELIVER);

	/* DANE's failures and hosts outside the policy leave none */
	expired.dane_failed = 1;
	record(policy, &expired);
	struct mtasts_attempt outside = attempt_of("mx.other.example", MTASTS_TLS_EXPIRED);
	record(policy, &outside);
	struct mtasts_attempt nameless = attempt_of(NULL, MTASTS_TLS_EXPIRED);
	record(policy, &nameless);
	ck_assert_uint_eq(world_row(&world, &world.domain)->n_strikes, 1); /* the old one */
	mtasts_policy_free(policy);
}
END_TEST

/* ---- records ---- */

/* How many there are; *record is the last one, which borrows until teardown(). */
static size_t
read_journal(struct record *record)
{
	struct journal_reader *counter = NULL;
	size_t n = 0;

	if (journal_open(directory, WORLD_T0 / DAY, &counter) != 0)
		return 0;
	while (journal_next(counter, record) == 1)
		n++;
	ck_assert_uint_eq(journal_torn(counter), 0);
	journal_close(counter);
	ck_assert_int_eq(journal_open(directory, WORLD_T0 / DAY, &reader), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(journal_next(reader, record), 1);
	return n;
}

static const struct {
	const char *name;
	const char *mode; /* "" absent */
	struct mtasts_attempt attempt;
	enum record_type type;
	bool is_written, success;
	enum mtasts_finding finding;
} records[] = {
	{ "good", "enforce", { .mx_host = "a.example.com", .tls = MTASTS_TLS_VERIFIED }, RECORD_STS,
	    true, true, 0 },
	{ "expired", "enforce", { .mx_host = "a.example.com", .tls = MTASTS_TLS_EXPIRED },
	    RECORD_STS, true, false, MTASTS_CERTIFICATE_EXPIRED },
	{ "testing", "testing", { .mx_host = "a.example.com", .tls = MTASTS_TLS_NOT_OFFERED },
	    RECORD_STS, true, false, MTASTS_STARTTLS_NOT_SUPPORTED },
	{ "T4.3.2 unreached", "enforce",
	    { .mx_host = "a.example.com", .tls = MTASTS_TLS_UNREACHED }, RECORD_STS, false, false,
	    0 },
	{ "only routed", "enforce", { .mx_host = "a.example.com", .tls = MTASTS_TLS_UNTRIED },
	    RECORD_STS, false, false, 0 },
	{ "T4.3.2 refused by the router", "enforce",
	    { .mx_host = "a.other.example", .tls = MTASTS_TLS_UNTRIED }, RECORD_STS, true, false,
	    MTASTS_VALIDATION_FAILURE },
	{ "DANE", "enforce", { .mx_host = "a.example.com", .tls = MTASTS_TLS_UNTRUSTED, .dane = 1 },
	    RECORD_TLSA, true, true, 0 },
	{ "DANE failed", "enforce",
	    { .mx_host = "a.example.com",
		.tls = MTASTS_TLS_FAILED,
		.dane_failed = 1,
		.dane_finding = MTASTS_TLSA_INVALID },
	    RECORD_TLSA, true, false, MTASTS_TLSA_INVALID },
	{ "T4.4.3 no policy", "", { .mx_host = "a.example.com", .tls = MTASTS_TLS_NOT_OFFERED },
	    RECORD_NO_POLICY, true, false, MTASTS_STARTTLS_NOT_SUPPORTED },
	{ "R5.0.3 mode none", "none", { .mx_host = "a.example.com", .tls = MTASTS_TLS_VERIFIED },
	    RECORD_NO_POLICY, true, true, 0 },
};

START_TEST(test_record)
{
	static struct record read;
	struct mtasts_policy *policy;

	if (records[_i].mode[0] != '\0')
		publish("A", records[_i].mode, "*.example.com");
	policy = look_up(0);
	record(policy, &records[_i].attempt);
	ck_assert_msg(
	    read_journal(&read) == (records[_i].is_written ? 1 : 0), "%s", records[_i].name);
	if (records[_i].is_written) {
		ck_assert_msg(read.type == records[_i].type, "%s: type", records[_i].name);
		ck_assert_msg(read.success == records[_i].success, "%s", records[_i].name);
		ck_assert_msg(read.finding == records[_i].finding, "%s", records[_i].name);
		ck_assert_int_eq(read.at, WORLD_T0);
	}
	mtasts_policy_free(policy);
}
END_TEST

/* What a report needs is in the line. */
START_TEST(test_record_whole)
{
	static struct record read;
	struct mtasts_attempt attempt = { .mx_host = "mx.other.example",
		.tls = MTASTS_TLS_VERIFIED,
		.mx_ip = "192.0.2.1",
		.mx_helo = "helo.example",
		.local_ip = "198.51.100.2",
		.detail = "words" };
	struct mtasts_policy *policy;

	publish("A", "testing", "*.example.com");
	policy = look_up(0);
	world_sleep(&world, 400000);
	publish("B", "testing", "x");
	world.page.state = NET_BAD_CERTIFICATE;
	mtasts_policy_free(policy);
	policy = look_up(0);
	record(policy, &attempt);
	ck_assert_uint_eq(read_journal(&read), 1);
	ck_assert_int_eq((int)read.policy_finding, MTASTS_STS_WEBPKI_INVALID);
	ck_assert(span_is(read.policy_id, "A"));
	ck_assert(span_is(read.detail, "mx-mismatch"));
	ck_assert_uint_eq(read.n_policy_strings, 4);
	ck_assert(span_is(read.policy_strings[1], "mode: testing"));
	ck_assert(span_is(read.mx_patterns[0], "*.example.com"));
	ck_assert(span_is(read.mx_helo, "helo.example"));
	ck_assert(span_is(read.mx_ip, "192.0.2.1"));
	ck_assert(span_is(read.local_ip, "198.51.100.2"));
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(test_record_off)
{
	static struct record read;
	struct mtasts_attempt attempt = attempt_of("a.example.com", MTASTS_TLS_VERIFIED);
	struct mtasts_policy *policy;

	configure("reports", "no");
	mtasts_free(ctx);
	open_over(true, true);
	policy = look_up(0);
	record(policy, &attempt);
	ck_assert_uint_eq(read_journal(&read), 0);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(test_record_refused)
{
	struct mtasts_attempt attempt = attempt_of("a.example.com", MTASTS_TLS_VERIFIED);
	struct mtasts_policy *policy = look_up(0);

	configure("state_directory", "/nonexistent/mtasts");
	mtasts_free(ctx);
	open_over(true, true);
	ck_assert_int_eq(
	    mtasts_record(ctx, policy, &attempt, mtasts_judge(policy, &attempt)), MTASTS_EREPORT);
	mtasts_policy_free(policy);
}
END_TEST

/* ---- certificates ---- */

START_TEST(test_certificate)
{
	static const unsigned char junk[] = { 0x30, 0x00 };
	struct mtasts_certificate chain = { junk, sizeof junk };
	char reason[64] = "";

	ck_assert_int_eq(
	    (int)mtasts_certificate_check(ctx, NULL, 0, "a.example", reason, sizeof reason),
	    MTASTS_TLS_FAILED);
	ck_assert_str_ne(reason, "");
	ck_assert_int_eq(
	    (int)mtasts_certificate_check(ctx, &chain, 1, "a.example", reason, sizeof reason),
	    MTASTS_TLS_FAILED);
	ck_assert_int_eq(
	    (int)mtasts_certificate_check(ctx, &chain, 1, "a..b", reason, sizeof reason),
	    MTASTS_TLS_FAILED);
	ck_assert_ptr_nonnull(strstr(reason, "name"));
	ck_assert_int_eq(
	    (int)mtasts_certificate_check(ctx, NULL, 3, NULL, NULL, 0), MTASTS_TLS_FAILED);
	ck_assert_int_eq((int)mtasts_certificate_check(NULL, &chain, 1, "a.example", NULL, 0),
	    MTASTS_TLS_FAILED);
}
END_TEST

/* ---- the real store ---- */

START_TEST(test_store)
{
	struct mtasts_policy *policy;

	mtasts_free(ctx);
	open_over(false, false);
	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_NETWORK);
	mtasts_policy_free(policy);
	mtasts_free(ctx);
	world.txt.state = NET_UNKNOWN;
	open_over(false, false);
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_CACHE);
	ck_assert_int_eq((int)mtasts_policy_mode(policy), MTASTS_ENFORCE);
	mtasts_policy_free(policy);
	policy = look_up(MTASTS_RECHECK);
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_STALE);
	mtasts_policy_free(policy);
	ck_assert_uint_eq(world.n_get, 1);
}
END_TEST

/* c21, c23: no store is a fault, not an empty cache; a good fetch counts all the same. */
START_TEST(test_no_store)
{
	struct mtasts_policy *policy;

	mtasts_free(ctx);
	configure("state_directory", "/nonexistent/mtasts");
	open_over(false, false);
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_FAULT);
	ck_assert_ptr_nonnull(strstr(log_text, "0 store directory=/nonexistent/mtasts reason="));
	mtasts_policy_free(policy);
	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	ck_assert_int_eq((int)mtasts_policy_source(policy), MTASTS_FROM_NETWORK);
	mtasts_policy_free(policy);
}
END_TEST

/* A process that asks the store alone notices that it went and came. */
START_TEST(test_store_comes_back)
{
	struct timespec step = { 0, 20 * 1000000 };
	char there[96], aside[96];
	struct mtasts_policy *policy;
	enum mtasts_state state = MTASTS_FAULT;

	mtasts_free(ctx);
	snprintf(there, sizeof there, "%s/" STORE_FILE, directory);
	snprintf(aside, sizeof aside, "%s/aside", directory);
	ck_assert_int_eq(rename(there, aside), 0);
	open_over(false, false);
	policy = look_up(MTASTS_CACHED_ONLY);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_FAULT);
	mtasts_policy_free(policy);
	ck_assert_int_eq(rename(aside, there), 0);
	for (int i = 0; state == MTASTS_FAULT && i < 150; i++) {
		nanosleep(&step, NULL);
		policy = look_up(MTASTS_CACHED_ONLY);
		state = mtasts_policy_state(policy);
		mtasts_policy_free(policy);
	}
	ck_assert_int_eq((int)state, MTASTS_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(log_text, "reason=\"can be read again\"\n"));
}
END_TEST

/* ---- memory that runs out ---- */

enum { CALLS_MAX = 500 };

/* The n-th allocation of a whole call fails: ENOMEM or an answer, and never a weaker one. */
static bool
lookup_without_memory(size_t n)
{
	struct mtasts_policy *policy = NULL;

	nomem_after(n);
	int r = mtasts_lookup(ctx, "example.com", 0, 0, &policy);
	size_t asked = nomem_end();
	ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
	if (r == 0) {
		enum mtasts_state is = mtasts_policy_state(policy);
		ck_assert_msg(is == MTASTS_PUBLISHED || is == MTASTS_FAULT, "allocation %zu: %s", n,
		    mtasts_policy_reason(policy));
		mtasts_policy_free(policy);
	}
	ck_assert_ptr_null(world_row(&world, &world.domain)->lease);
	return asked > n;
}

static void
forget(void)
{
	struct cache cache = world_cache(&world);
	struct world_row *row = world_row(&world, &world.domain);

	(void)cache.drop(cache.self, &world.domain);
	row->has_hint = row->has_outcome = false;
}

START_TEST(test_nomem_lookup)
{
	size_t n = 0;

	publish("A", "enforce", "*.example.com");
	do
		forget();
	while (lookup_without_memory(n++) && n < CALLS_MAX);
	ck_assert_uint_gt(n, 4);
	ck_assert_uint_lt(n, CALLS_MAX);
	/* R10.2.1: nor does it end what is cached */
	world.txt.state = NET_NO_NAME;
	for (n = 0; n < CALLS_MAX && lookup_without_memory(n); n++)
		world_row(&world, &world.domain)->has_hint = false;
	ck_assert_uint_gt(n, 2);
	ck_assert_uint_lt(n, CALLS_MAX);
}
END_TEST

START_TEST(test_nomem_new)
{
	struct cache cache = world_cache(&world);
	struct net net = world_net(&world);
	struct api_world fakes = { .cache = &cache, .net = &net }, real = { 0 };
	struct mtasts *made = NULL;
	size_t n;
	bool is_out = true;

	for (n = 0, is_out = true; is_out && n < CALLS_MAX; n++) {
		nomem_after(n);
		int r = api_new(config, n % 2 ? &fakes : &real, NULL, NULL, &made);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
		if (r == 0)
			mtasts_free(made);
	}
	ck_assert_uint_lt(n, CALLS_MAX);
	ck_assert_uint_gt(n, 2);
}
END_TEST

START_TEST(test_nomem_start)
{
	struct heard heard = { 0 };
	uint64_t id = 0;
	size_t n;
	bool is_out = true;

	publish("A", "enforce", "*.example.com");
	for (n = 0; is_out && n < CALLS_MAX; n++) {
		memset(&heard, 0, sizeof heard);
		forget();
		nomem_after(n);
		int r = mtasts_start(ctx, "example.com", 0, 0, hear, &heard, &id);
		for (int i = 0; r == 0 && i < 10; i++)
			(void)mtasts_process(ctx);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
		ck_assert_int_eq(heard.n, r == 0 ? 1 : 0);
		ck_assert(heard.error == 0 || heard.error == MTASTS_ENOMEM);
	}
	ck_assert_uint_lt(n, CALLS_MAX);
}
END_TEST

START_TEST(test_nomem_mx)
{
	struct mtasts_mxset *set = NULL, *kept = NULL;
	const char *name = NULL;
	size_t n;
	bool is_out = true;

	world.mx = (struct world_txt){ .state = NET_ANSWERED, .n = 1, .text = { "10 a.example" } };
	for (n = 0; is_out && n < CALLS_MAX; n++) {
		nomem_after(n);
		int r = mtasts_mx_lookup(ctx, "example.com", 0, &set);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
		if (r == 0) {
			mtasts_mxset_free(kept);
			kept = set;
		}
	}
	ck_assert_ptr_nonnull(kept);
	for (n = 0, is_out = true; is_out && n < CALLS_MAX; n++) {
		nomem_after(n);
		int r = mtasts_mxset_origin(ctx, kept, "b.example", 0, &name);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
	}
	ck_assert_uint_lt(n, CALLS_MAX);
	mtasts_mxset_free(kept);
}
END_TEST

/* The callback comes once, with a set or with the error; or nothing was begun. */
START_TEST(test_nomem_mx_start)
{
	struct heard_mx heard;
	uint64_t id = 0;
	size_t n;
	bool is_out = true;

	world.mx = (struct world_txt){ .state = NET_ANSWERED, .n = 1, .text = { "10 a.example" } };
	for (n = 0; is_out && n < CALLS_MAX; n++) {
		heard = (struct heard_mx){ 0 };
		nomem_after(n);
		int r = mtasts_mx_start(ctx, "example.com", 0, hear_mx, &heard, &id);
		for (int i = 0; r == 0 && i < 3; i++)
			(void)mtasts_process(ctx);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
		ck_assert_int_eq(heard.n, r == 0 ? 1 : 0);
		ck_assert(heard.error == 0 || heard.error == MTASTS_ENOMEM);
	}
	ck_assert_uint_gt(n, 2);
	ck_assert_uint_lt(n, CALLS_MAX);
	ck_assert_str_eq(heard.host, "a.example");
}
END_TEST

START_TEST(test_nomem_decide)
{
	struct mtasts_attempt outside = attempt_of("mx.attacker.example", MTASTS_TLS_UNTRIED);
	struct mtasts_decision decision;
	struct mtasts_policy *policy;
	size_t n;
	bool is_out = true;

	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	for (n = 0; is_out && n < CALLS_MAX; n++) {
		world_sleep(&world, 400000);
		nomem_after(n);
		int r = mtasts_decide(ctx, &policy, &outside, 1, 9 * DAY, -1, 0, &decision);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
		ck_assert_msg(r != 0 || decision.action != MTASTS_DELIVER, "allocation %zu", n);
		if (mtasts_policy_state(policy) == MTASTS_PUBLISHED)
			continue;
		mtasts_policy_free(policy);
		policy = look_up(0);
	}
	ck_assert_uint_lt(n, CALLS_MAX);
	ck_assert_int_eq((int)decision.action, MTASTS_FAIL);
	mtasts_policy_free(policy);
}
END_TEST

/* The callback comes once, with a decision or the error; or nothing was begun: no policy is lost.
 */
START_TEST(test_nomem_decide_start)
{
	struct mtasts_attempt outside = attempt_of("mx.attacker.example", MTASTS_TLS_UNTRIED);
	struct heard_decision heard = { 0 };
	struct mtasts_policy *policy;
	uint64_t id = 0;
	size_t n;
	bool is_out = true;

	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	for (n = 0; is_out && n < CALLS_MAX; n++) {
		world_sleep(&world, 400000);
		heard = (struct heard_decision){ 0 };
		nomem_after(n);
		int r = mtasts_decide_start(
		    ctx, policy, &outside, 1, 9 * DAY, -1, 0, hear_decision, &heard, &id);
		for (int i = 0; r == 0 && i < 10; i++)
			(void)mtasts_process(ctx);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
		ck_assert_int_eq(heard.n, r == 0 ? 1 : 0);
		ck_assert(heard.error == 0 || heard.error == MTASTS_ENOMEM);
		ck_assert(r != 0 || heard.policy != NULL);
		ck_assert(r != 0 || heard.error != 0 || heard.decision.action != MTASTS_DELIVER);
		policy = r == 0 ? heard.policy : policy;
		ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_PUBLISHED);
		ck_assert_ptr_null(world_row(&world, &world.domain)->lease);
	}
	ck_assert_uint_gt(n, 8);
	ck_assert_uint_lt(n, CALLS_MAX);
	ck_assert_int_eq((int)heard.decision.action, MTASTS_FAIL);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(test_nomem_rest)
{
	struct mtasts_attempt attempt = attempt_of("a.example.com", MTASTS_TLS_EXPIRED);
	struct mtasts_policy *policy, *copy;
	struct mtasts_config *loaded = NULL;
	size_t n;
	bool is_out = true;

	publish("A", "enforce", "*.example.com");
	policy = look_up(0);
	for (n = 0; is_out && n < CALLS_MAX; n++) {
		nomem_after(n);
		int r = mtasts_record(ctx, policy, &attempt, mtasts_judge(policy, &attempt));
		is_out = nomem_end() > n;
		ck_assert(r == 0 || r == MTASTS_ENOMEM || r == MTASTS_EREPORT);
	}
	for (n = 0, is_out = true; is_out && n < CALLS_MAX; n++) {
		nomem_after(n);
		copy = mtasts_policy_copy(policy);
		is_out = nomem_end() > n;
		ck_assert_int_eq(copy == NULL, is_out);
		mtasts_policy_free(copy);
	}
	ck_assert_uint_gt(n, 2);
	for (n = 0, is_out = true; is_out && n < CALLS_MAX; n++) {
		nomem_after(n);
		int r = mtasts_config_load("/dev/null", &loaded);
		is_out = nomem_end() > n;
		ck_assert(r == 0 || r == MTASTS_ENOMEM);
		if (r == 0)
			mtasts_config_free(loaded);
	}
	for (n = 0, is_out = true; is_out && n < CALLS_MAX; n++) {
		char reason[64];
		nomem_after(n);
		(void)mtasts_certificate_check(ctx, NULL, 0, "a.example", reason, sizeof reason);
		is_out = nomem_end() > n;
	}
	mtasts_policy_free(policy);
}
END_TEST

static TCase *
tcase_of(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("api");
	TCase *contract = tcase_of(suite, "contract"), *lookup = tcase_of(suite, "lookup");
	TCase *callback = tcase_of(suite, "callback"), *decide = tcase_of(suite, "decide");
	TCase *records_case = tcase_of(suite, "record"), *nomem = tcase_of(suite, "nomem");

	tcase_add_test(contract, test_null);
	tcase_add_test(contract, test_names);
	tcase_add_test(contract, test_fork);
	tcase_add_test(lookup, test_lookup);
	tcase_add_test(lookup, test_cached_only);
	tcase_add_test(lookup, test_log);
	tcase_add_test(lookup, test_deadline);
	tcase_add_test(lookup, test_cannot_begin);
	tcase_add_test(lookup, test_settings);
	tcase_add_test(lookup, test_mx);
	tcase_add_test(lookup, test_store);
	tcase_add_test(lookup, test_no_store);
	tcase_add_test(lookup, test_store_comes_back);
	tcase_add_test(callback, test_callback);
	tcase_add_test(callback, test_cancel);
	tcase_add_test(callback, test_cancel_within);
	tcase_add_test(callback, test_start_within);
	tcase_add_test(callback, test_blocking_beside);
	tcase_add_test(callback, test_blocking_sleeps);
	tcase_add_test(callback, test_free);
	tcase_add_test(callback, test_busy);
	tcase_add_test(callback, test_deadlines);
	tcase_add_test(callback, test_mx_start);
	tcase_add_test(callback, test_mx_deadline);
	tcase_add_test(callback, test_mx_cancel);
	tcase_add_test(callback, test_mx_bounds);
	tcase_add_loop_test(decide, test_c16, 0, FORMS);
	tcase_add_loop_test(
	    decide, test_recheck_in_vain, 0, FORMS * sizeof unfinished / sizeof unfinished[0]);
	tcase_add_loop_test(decide, test_strikes, 0, FORMS);
	tcase_add_loop_test(records_case, test_record, 0, sizeof records / sizeof records[0]);
	tcase_add_test(records_case, test_record_whole);
	tcase_add_test(records_case, test_record_off);
	tcase_add_test(records_case, test_record_refused);
	tcase_add_test(records_case, test_certificate);
	tcase_add_test(nomem, test_nomem_new);
	tcase_add_test(nomem, test_nomem_lookup);
	tcase_add_test(nomem, test_nomem_start);
	tcase_add_test(nomem, test_nomem_mx);
	tcase_add_test(nomem, test_nomem_mx_start);
	tcase_add_test(nomem, test_nomem_decide);
	tcase_add_test(nomem, test_nomem_decide_start);
	tcase_add_test(nomem, test_nomem_rest);
	return unit_main(suite);
}
