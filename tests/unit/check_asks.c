/* SPDX-License-Identifier: ISC
 *
 * What is answered later: the addresses of a host and decisions, over a world of fakes.  Every
 * callback once, by its deadline, or cancelled and never; and with memory that runs out.  (MX
 * hosts, and what is decided: check_api.c.)
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scenario/world.h"
#include "api.h"
#include "base/limits.h"
#include "engine/addresses.h"
#include "nomem.h"
#include "unit.h"

enum { DAY = 86400, CALLS_MAX = 500 };

static struct world world;
static struct mtasts *ctx;

static void
context_open(void)
{
	struct cache cache = world_cache(&world);
	struct net net = world_net(&world);
	struct clock clock = world_clock(&world);
	struct api_world parts = { .cache = &cache, .net = &net, .clock = &clock };
	struct mtasts_config *config;

	ck_assert_int_eq(mtasts_config_load("/dev/null", &config), 0);
	ck_assert_int_eq(api_new(config, &parts, NULL, NULL, &ctx), 0);
	mtasts_config_free(config);
}

static void
setup(void)
{
	world_init(&world);
	context_open();
}

static void
teardown(void)
{
	mtasts_free(ctx);
	world_clear(&world);
}

static void
process(void)
{
	ck_assert_int_eq(mtasts_process(ctx), 0);
}

static int
wait_ms(void)
{
	int timeout = -2;

	(void)mtasts_pollfds(ctx, NULL, 0, &timeout);
	return timeout;
}

/* ---- addresses, from the answers ---- */

enum { ANSWERS_MAX = 20 };

static const struct {
	const char *name;
	enum net_state state6, state4;
	size_t n6, n4;
	size_t octets6; /* of the AAAA records; 0: 16 */
	enum mtasts_addresses_state state;
	size_t count;
	const char *reason;
} answers[] = {
	{ "both", NET_ANSWERED, NET_ANSWERED, 2, 3, 0, MTASTS_ADDRESSES_FOUND, 5, "" },
	{ "IPv6 alone", NET_ANSWERED, NET_NO_DATA, 1, 0, 0, MTASTS_ADDRESSES_FOUND, 1, "" },
	{ "IPv4 alone", NET_NO_DATA, NET_ANSWERED, 0, 1, 0, MTASTS_ADDRESSES_FOUND, 1, "" },
	{ "none", NET_NO_DATA, NET_NO_DATA, 0, 0, 0, MTASTS_ADDRESSES_NONE, 0, "" },
	{ "no such name", NET_NO_NAME, NET_NO_NAME, 0, 0, 0, MTASTS_ADDRESSES_NONE, 0, "" },
	{ "unknown", NET_UNKNOWN, NET_UNKNOWN, 0, 0, 0, MTASTS_ADDRESSES_UNKNOWN, 0, "six" },
	{ "IPv6 unknown", NET_UNKNOWN, NET_ANSWERED, 0, 1, 0, MTASTS_ADDRESSES_FOUND, 1, "" },
	{ "IPv4 unknown", NET_ANSWERED, NET_UNKNOWN, 1, 0, 0, MTASTS_ADDRESSES_FOUND, 1, "" },
	{ "IPv6 unknown, no IPv4", NET_UNKNOWN, NET_NO_DATA, 0, 0, 0, MTASTS_ADDRESSES_UNKNOWN, 0,
	    "six" },
	{ "IPv4 unknown, no IPv6", NET_NO_DATA, NET_UNKNOWN, 0, 0, 0, MTASTS_ADDRESSES_UNKNOWN, 0,
	    "four" },
	{ "our own fault", NET_FAULT, NET_FAULT, 0, 0, 0, MTASTS_ADDRESSES_UNKNOWN, 0, "six" },
	{ "a fault beside", NET_ANSWERED, NET_FAULT, 1, 0, 0, MTASTS_ADDRESSES_FOUND, 1, "" },
	{ "too many", NET_ANSWERED, NET_ANSWERED, 20, 17, 0, MTASTS_ADDRESSES_FOUND, 32, "" },
	{ "short records", NET_ANSWERED, NET_NO_DATA, 2, 0, 15, MTASTS_ADDRESSES_UNKNOWN, 0,
	    "no record holds an address" },
	{ "short records beside", NET_ANSWERED, NET_ANSWERED, 1, 1, 4, MTASTS_ADDRESSES_FOUND, 1,
	    "" },
};

static void
records_make(struct span *rdata, char records[][16], size_t n, size_t octets, char family)
{
	for (size_t i = 0; i < n; i++) {
		memset(records[i], family, octets);
		records[i][octets - 1] = (char)i;
		rdata[i] = span_make(records[i], octets);
	}
}

START_TEST(test_answers)
{
	struct span rdata[2][ANSWERS_MAX];
	char records[2][ANSWERS_MAX][16];
	struct net_answer six = {
		.state = answers[_i].state6, .n = answers[_i].n6, .rdata = rdata[0], .reason = "six"
	};
	struct net_answer four = { .state = answers[_i].state4,
		.n = answers[_i].n4,
		.rdata = rdata[1],
		.reason = "four" };

	records_make(
	    rdata[0], records[0], six.n, answers[_i].octets6 ? answers[_i].octets6 : 16, 6);
	records_make(rdata[1], records[1], four.n, 4, 4);
	struct mtasts_addresses *addresses = addresses_new();
	ck_assert_ptr_nonnull(addresses);
	addresses_take(addresses, ADDRESSES_IPV6, &six);
	addresses_take(addresses, ADDRESSES_IPV4, &four);
	ck_assert_int_eq((int)mtasts_addresses_state(addresses), (int)answers[_i].state);
	ck_assert_uint_eq(mtasts_addresses_count(addresses), answers[_i].count);
	ck_assert_str_eq(mtasts_addresses_reason(addresses), answers[_i].reason);
	mtasts_addresses_free(addresses);
}
END_TEST

/* All of IPv6 first, each as a socket wants it; nothing beyond the last. */
START_TEST(test_get)
{
	struct span rdata[2][ANSWERS_MAX];
	char records[2][ANSWERS_MAX][16], text[INET6_ADDRSTRLEN];
	struct net_answer six = { .state = NET_ANSWERED, .n = 2, .rdata = rdata[0] };
	struct net_answer four = { .state = NET_ANSWERED, .n = 2, .rdata = rdata[1] };
	struct mtasts_addresses *addresses = addresses_new();
	struct sockaddr_storage address, untouched;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	records_make(rdata[0], records[0], 2, 16, 0x20);
	records_make(rdata[1], records[1], 2, 4, 10);
	addresses_take(addresses, ADDRESSES_IPV4, &four); /* in whatever order they come */
	addresses_take(addresses, ADDRESSES_IPV6, &six);
	memset(&address, 0xff, sizeof address);
	ck_assert_int_eq(mtasts_addresses_get(addresses, 1, &address), 0);
	memcpy(&in6, &address, sizeof in6);
	ck_assert_int_eq(in6.sin6_family, AF_INET6);
	ck_assert_int_eq(in6.sin6_port, 0);
	ck_assert_uint_eq(in6.sin6_scope_id, 0);
	ck_assert_str_eq(inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text),
	    "2020:2020:2020:2020:2020:2020:2020:2001");
	memset(&address, 0xff, sizeof address);
	ck_assert_int_eq(mtasts_addresses_get(addresses, 3, &address), 0);
	memcpy(&in, &address, sizeof in);
	ck_assert_int_eq(in.sin_family, AF_INET);
	ck_assert_int_eq(in.sin_port, 0);
	ck_assert_str_eq(inet_ntop(AF_INET, &in.sin_addr, text, sizeof text), "10.10.10.1");
	memset(&address, 0xaa, sizeof address);
	untouched = address;
	ck_assert_int_eq(mtasts_addresses_get(addresses, 4, &address), MTASTS_EINVAL);
	ck_assert_int_eq(mtasts_addresses_get(NULL, 0, &address), MTASTS_EINVAL);
	ck_assert_mem_eq(&address, &untouched, sizeof address);
	ck_assert_int_eq(mtasts_addresses_get(addresses, 0, NULL), MTASTS_EINVAL);
	ck_assert_uint_eq(mtasts_addresses_count(NULL), 0);
	ck_assert_int_eq((int)mtasts_addresses_state(NULL), MTASTS_ADDRESSES_UNKNOWN);
	ck_assert_str_eq(mtasts_addresses_reason(NULL), "");
	mtasts_addresses_free(NULL);
	mtasts_addresses_free(addresses);
}
END_TEST

/* ---- addresses, by callback ---- */

struct heard {
	int n, error;
	enum mtasts_addresses_state state;
	size_t count;
	char reason[128];
	uint64_t cancels; /* an id to cancel from within */
	struct heard *starts;
};

static void
hear(void *arg, int error, struct mtasts_addresses *addresses)
{
	struct heard *heard = arg;
	uint64_t id = 0;

	heard->n += (addresses == NULL) == (error != 0) ? 1 : 100; /* no assertion without memory */
	heard->error = error;
	heard->state = mtasts_addresses_state(addresses);
	heard->count = mtasts_addresses_count(addresses);
	snprintf(heard->reason, sizeof heard->reason, "%s", mtasts_addresses_reason(addresses));
	mtasts_addresses_free(addresses);
	if (heard->cancels != 0)
		mtasts_cancel(ctx, heard->cancels);
	if (heard->starts != NULL)
		ck_assert_int_eq(
		    mtasts_addresses_start(ctx, "mx.example", 0, hear, heard->starts, &id), 0);
}

static uint64_t
ask(int deadline_ms, struct heard *heard)
{
	uint64_t id = 0;

	ck_assert_int_eq(
	    mtasts_addresses_start(ctx, "MX.example.", deadline_ms, hear, heard, &id), 0);
	ck_assert_uint_ne(id, 0);
	return id;
}

/* Both families are waited for; the second alone brings the answer. */
START_TEST(test_both_families)
{
	struct heard heard = { 0 };

	world.a.delay_ms = 10;
	world.aaaa = (struct world_addresses){
		.state = NET_ANSWERED, .delay_ms = 30, .n = 1, .address = { 0x20, 1 }
	};
	(void)ask(0, &heard);
	process();
	world_sleep(&world, 10);
	process();
	ck_assert_int_eq(heard.n, 0);
	ck_assert_int_eq(wait_ms(), 20);
	world_sleep(&world, 20);
	process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq(heard.error, 0);
	ck_assert_int_eq((int)heard.state, MTASTS_ADDRESSES_FOUND);
	ck_assert_uint_eq(heard.count, 2);
	ck_assert_int_eq(wait_ms(), -1);
	process();
	ck_assert_int_eq(heard.n, 1);
}
END_TEST

/* At the deadline with what there is: one family, or nothing found out. */
START_TEST(test_deadline)
{
	struct heard one = { 0 }, two = { 0 };

	world.aaaa.delay_ms = WORLD_NEVER;
	(void)ask(500, &one);
	process();
	world_sleep(&world, 499);
	process();
	ck_assert_int_eq(one.n, 0);
	ck_assert_int_eq(wait_ms(), 1);
	world_sleep(&world, 1);
	process();
	ck_assert_int_eq(one.n, 1);
	ck_assert_int_eq((int)one.state, MTASTS_ADDRESSES_FOUND);
	ck_assert_uint_eq(one.count, 1);
	ck_assert_str_eq(one.reason, "");

	world.a.delay_ms = WORLD_NEVER;
	(void)ask(0, &two);
	process();
	ck_assert_int_eq(wait_ms(), 15000); /* deadline = 15s */
	world_sleep(&world, 15000);
	process();
	ck_assert_int_eq(two.n, 1);
	ck_assert_int_eq(two.error, 0);
	ck_assert_int_eq((int)two.state, MTASTS_ADDRESSES_UNKNOWN);
	ck_assert_str_eq(two.reason, "no answer in time");
	process();
	ck_assert_ptr_null(world.requests); /* nobody holds what comes later */
}
END_TEST

START_TEST(test_helper_dies)
{
	struct heard heard = { 0 };

	world.a.state = world.aaaa.state = NET_FAULT;
	(void)ask(0, &heard);
	process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq((int)heard.state, MTASTS_ADDRESSES_UNKNOWN);
	ck_assert_str_eq(heard.reason, "mtasts-resolve: not there");
}
END_TEST

/* Before and after one family's answer; from within: itself, another that is over, one begun. */
START_TEST(test_cancel)
{
	struct heard heard[3] = { { 0 } }, later = { 0 };
	uint64_t ids[3];

	world.aaaa.delay_ms = 10;
	ids[0] = ask(0, &heard[0]);
	ids[1] = ask(0, &heard[1]);
	mtasts_cancel(ctx, ids[0]);
	process();
	mtasts_cancel(ctx, ids[1]);
	mtasts_cancel(ctx, ids[1]);
	world_sleep(&world, 20);
	process();
	ck_assert_int_eq(heard[0].n + heard[1].n, 0);
	ck_assert_int_eq(wait_ms(), -1);

	world.aaaa.delay_ms = 0;
	for (size_t i = 0; i < 3; i++)
		ids[i] = ask(0, &heard[i]);
	heard[0].cancels = ids[1];
	heard[2].cancels = ids[2];
	heard[2].starts = &later;
	process();
	ck_assert_int_eq(later.n, 0);
	process();
	ck_assert_int_eq(heard[0].n, 1);
	ck_assert_int_eq(heard[1].n, 0);
	ck_assert_int_eq(heard[2].n, 1);
	ck_assert_int_eq(later.n, 1);
}
END_TEST

/* ---- decisions, by callback: how, not what ---- */

static struct mtasts_policy *policy; /* the caller's, unless it was taken */

struct decided {
	int n, error;
	enum mtasts_action action;
	uint64_t cancels;
};

static void
decided(void *arg, int error, struct mtasts_policy *given, const struct mtasts_decision *decision)
{
	struct decided *heard = arg;

	heard->n += (decision == NULL) == (error != 0) && given != NULL ? 1 : 100;
	heard->error = error;
	heard->action = decision != NULL ? decision->action : MTASTS_DELIVER;
	mtasts_policy_free(policy);
	policy = given;
	if (heard->cancels != 0)
		mtasts_cancel(ctx, heard->cancels);
}

static void
publish(void)
{
	world.txt = (struct world_txt){
		.state = NET_ANSWERED, .ttl = 300, .n = 1, .text = { "v=STSv1; id=A;" }
	};
	world.page = (struct world_page){ .state = NET_FETCHED,
		.status = 200,
		.type = "text/plain",
		.body = "version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 864000\n" };
	ck_assert_int_eq(mtasts_lookup(ctx, "example.com", 0, 0, &policy), 0);
	world_sleep(&world, 60000);
}

static const struct mtasts_attempt outside = { .mx_host = "mx.attacker.example" };

/* The policy is taken: policy is NULL afterwards. */
static uint64_t
decide_later(int64_t age, int deadline_ms, struct decided *heard)
{
	uint64_t id = 0;

	ck_assert_int_eq(mtasts_decide_start(
			     ctx, policy, &outside, 1, age, -1, deadline_ms, decided, heard, &id),
	    0);
	ck_assert_uint_ne(id, 0);
	policy = NULL;
	return id;
}

/* What needs no recheck is due at once, and told by process() alone. */
START_TEST(test_decide_at_once)
{
	struct decided heard = { 0 };

	publish();
	unsigned n_txt = world.n_txt;
	(void)decide_later(0, 0, &heard);
	ck_assert_int_eq(heard.n, 0);
	ck_assert_int_eq(wait_ms(), 0);
	process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq((int)heard.action, MTASTS_DEFER);
	ck_assert_uint_eq(world.n_txt, n_txt);
	ck_assert_int_eq(wait_ms(), -1);
	mtasts_policy_free(policy);
}
END_TEST

/* The recheck is awaited no longer than that, and then nothing is final. */
START_TEST(test_decide_deadline)
{
	struct decided heard = { 0 };

	publish();
	world.txt.delay_ms = WORLD_NEVER;
	(void)decide_later(9 * DAY, 500, &heard);
	process();
	process(); /* the addresses beside the record are answered */
	ck_assert_int_eq(wait_ms(), 500);
	world_sleep(&world, 499);
	process();
	ck_assert_int_eq(heard.n, 0);
	world_sleep(&world, 1);
	process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq(heard.error, 0);
	ck_assert_int_eq((int)heard.action, MTASTS_DEFER);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_PUBLISHED);
	ck_assert_int_eq(wait_ms(), -1);
	mtasts_policy_free(policy);
}
END_TEST

/* A blocking call beside it does the work and tells nobody; whoever waits sleeps. */
START_TEST(test_decide_beside)
{
	struct mtasts_policy *other = NULL;
	struct decided heard = { 0 };

	publish();
	(void)decide_later(9 * DAY, 0, &heard);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(mtasts_lookup(ctx, "other.example", MTASTS_RECHECK, 0, &other), 0);
		mtasts_policy_free(other);
	}
	ck_assert_int_eq(heard.n, 0);
	ck_assert_int_eq(wait_ms(), 0);
	process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq((int)heard.action, MTASTS_FAIL);
	mtasts_policy_free(policy);
}
END_TEST

/* Before, during and after the recheck, and from within: policies are freed, the lease is back. */
START_TEST(test_decide_cancel)
{
	struct decided heard = { 0 }, other = { 0 };
	struct mtasts_policy *copy;
	uint64_t id;

	publish();
	struct mtasts_policy *kept = mtasts_policy_copy(policy);
	id = decide_later(0, 0, &heard); /* decided already */
	mtasts_cancel(ctx, id);
	policy = mtasts_policy_copy(kept);
	world.txt.delay_ms = 10;
	id = decide_later(9 * DAY, 0, &heard);
	process();
	ck_assert_ptr_nonnull(world_row(&world, &world.domain)->lease);
	mtasts_cancel(ctx, id);
	mtasts_cancel(ctx, id);
	ck_assert_ptr_null(world_row(&world, &world.domain)->lease);
	world_sleep(&world, 20);
	process();
	ck_assert_int_eq(heard.n, 0);
	ck_assert_int_eq(wait_ms(), -1);

	policy = mtasts_policy_copy(kept);
	id = decide_later(0, 0, &heard);
	heard.cancels = id; /* itself */
	policy = mtasts_policy_copy(kept);
	id = decide_later(0, 0, &other);
	copy = mtasts_policy_copy(kept);
	heard.cancels = id;
	process();
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq(other.n, 0);
	mtasts_policy_free(copy);
	mtasts_policy_free(kept);
	mtasts_policy_free(policy);
}
END_TEST

/* ---- all kinds together ---- */

/* One bound; what cannot begin says so, and takes nothing; a context's end tells nobody. */
START_TEST(test_bounds)
{
	struct decided decision = { 0 };
	struct heard heard = { 0 };
	uint64_t id = 0, first = 0;

	publish();
	world.resolve_error = MTASTS_ENOMEM;
	ck_assert_int_eq(
	    mtasts_addresses_start(ctx, "mx.example", 0, hear, &heard, &id), MTASTS_ENOMEM);
	ck_assert_uint_eq(id, 0);
	ck_assert_int_eq(wait_ms(), -1);
	world.resolve_error = 0;
	world.a.delay_ms = world.txt.delay_ms = WORLD_NEVER;
	for (int i = 0; i < LIMIT_LOOKUPS - 1; i++) {
		id = ask(0, &heard);
		first = i == 0 ? id : first;
	}
	/* there is room for the recheck, but not for who waits for it */
	ck_assert_int_eq(
	    mtasts_decide_start(ctx, policy, &outside, 1, 9 * DAY, -1, 0, decided, &decision, &id),
	    MTASTS_EBUSY);
	(void)ask(0, &heard);
	ck_assert_int_eq(
	    mtasts_addresses_start(ctx, "mx.example", 0, hear, &heard, &id), MTASTS_EBUSY);
	ck_assert_int_eq(
	    mtasts_decide_start(ctx, policy, &outside, 1, 0, -1, 0, decided, &decision, &id),
	    MTASTS_EBUSY);
	mtasts_cancel(ctx, first);
	(void)ask(0, &heard);
	ck_assert_int_eq(decision.n, 0);
	ck_assert_int_eq((int)mtasts_policy_state(policy), MTASTS_PUBLISHED); /* still ours */
	mtasts_free(ctx);
	context_open();
	(void)decide_later(9 * DAY, 0, &decision);
	process();
	mtasts_free(ctx); /* the recheck under way, and its policy, go too */
	ck_assert_ptr_null(world_row(&world, &world.domain)->lease);
	context_open();
	world_sleep(&world, 20000);
	process();
	ck_assert_ptr_null(world.requests);
	ck_assert_int_eq(heard.n + decision.n, 0);
}
END_TEST

/* Told in the order of their start, whatever they are, but after what they wait for. */
static char order[8];

static void
note_addresses(void *arg, int error, struct mtasts_addresses *addresses)
{
	ck_assert_int_eq(error, 0);
	strncat(order, arg, 1);
	mtasts_addresses_free(addresses);
}

static void
note_mx(void *arg, int error, struct mtasts_mxset *set)
{
	ck_assert_int_eq(error, 0);
	strncat(order, arg, 1);
	mtasts_mxset_free(set);
}

START_TEST(test_order)
{
	static char a[] = "a", m[] = "m", b[] = "b";
	uint64_t ids[3];

	order[0] = '\0';
	ck_assert_int_eq(
	    mtasts_addresses_start(ctx, "a.example", 0, note_addresses, a, &ids[0]), 0);
	ck_assert_int_eq(mtasts_mx_start(ctx, "example.com", 0, note_mx, m, &ids[1]), 0);
	ck_assert_int_eq(
	    mtasts_addresses_start(ctx, "b.example", 0, note_addresses, b, &ids[2]), 0);
	ck_assert(ids[0] < ids[1] && ids[1] < ids[2]);
	process();
	ck_assert_str_eq(order, "amb");
}
END_TEST

/* ---- memory that runs out ---- */

START_TEST(test_nomem)
{
	struct heard heard;
	uint64_t id = 0;
	size_t n;
	bool is_out = true;

	for (n = 0; is_out && n < CALLS_MAX; n++) {
		heard = (struct heard){ 0 };
		nomem_after(n);
		int r = mtasts_addresses_start(ctx, "mx.example", 0, hear, &heard, &id);
		for (int i = 0; r == 0 && i < 3; i++)
			(void)mtasts_process(ctx);
		is_out = nomem_end() > n;
		ck_assert_msg(r == 0 || r == MTASTS_ENOMEM, "allocation %zu: %d", n, r);
		ck_assert_int_eq(heard.n, r == 0 ? 1 : 0);
		ck_assert(heard.error == 0 || heard.error == MTASTS_ENOMEM);
	}
	ck_assert_uint_gt(n, 2);
	ck_assert_uint_lt(n, CALLS_MAX);
	ck_assert_int_eq((int)heard.state, MTASTS_ADDRESSES_FOUND);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("asks");
	TCase *tcase = tcase_create("asks");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, test_answers, 0, sizeof answers / sizeof answers[0]);
	tcase_add_test(tcase, test_get);
	tcase_add_test(tcase, test_both_families);
	tcase_add_test(tcase, test_deadline);
	tcase_add_test(tcase, test_helper_dies);
	tcase_add_test(tcase, test_cancel);
	tcase_add_test(tcase, test_decide_at_once);
	tcase_add_test(tcase, test_decide_deadline);
	tcase_add_test(tcase, test_decide_beside);
	tcase_add_test(tcase, test_decide_cancel);
	tcase_add_test(tcase, test_bounds);
	tcase_add_test(tcase, test_order);
	tcase_add_test(tcase, test_nomem);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
