/* SPDX-License-Identifier: ISC
 *
 * What holds in any world: every answer once and in time (smtpd_fake.c asserts it), an enforced
 * policy never broken (relay_fake.c does), nothing delivered twice or lost, nothing left behind.
 */
#include <stdio.h>
#include <string.h>

#include "nomem.h"
#include "opensmtpd/relay/late.h"
#include "relay_fake.h"
#include "relay_worlds.h"
#include "smtpd_fake.h"
#include "unit.h"

enum { ROUNDS = 400, BATCHES = 10, ENVELOPE = 1000, RCPTS = 6, WORLD_MAX = 100, DAY = 86400 };

/* ---- chance ---- */

static uint64_t chance;

static uint64_t
below(uint64_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return chance % n;
}

static bool
one_in(uint64_t n)
{
	return below(n) == 0;
}

static const char *
any_reply(void)
{
	static const char *const replies[] = { "", "-", "250 2.0.0 Ok", "200 Ok", "354 Go on",
		"421 4.3.2 Closing", "451 4.3.0 Later", "550 5.7.1 No", "554 5.0.0 No" };

	return replies[below(sizeof replies / sizeof replies[0])];
}

static int64_t
any_ms(void)
{
	static const int64_t limits[] = { 1, 2000, 70000, 400000 };

	return one_in(30)
		   ? WORLD_NEVER
		   : (int64_t)below((uint64_t)limits[below(sizeof limits / sizeof limits[0])]);
}

/* ---- worlds ---- */

static struct world_domain domains[WORLD_MAX];
static struct world_host hosts[WORLD_MAX];
static size_t n_domains;

static void
disturb_host(struct world_host *host)
{
	host->mail = one_in(8) ? any_reply() : host->mail;
	host->rcpt = one_in(8) ? any_reply() : host->rcpt;
	host->data = one_in(8) ? any_reply() : host->data;
	host->end = one_in(8) ? any_reply() : host->end;
	host->early = one_in(12) ? any_reply() : host->early;
	host->ready_ms = one_in(4) ? any_ms() : host->ready_ms;
	host->mail_ms = one_in(4) ? any_ms() : host->mail_ms;
	host->rcpt_ms = one_in(4) ? any_ms() : host->rcpt_ms;
	host->data_ms = one_in(4) ? any_ms() : host->data_ms;
	host->end_ms = one_in(3) ? any_ms() : host->end_ms;
	host->room_ms = one_in(6) ? any_ms() : host->room_ms;
	host->limit = one_in(10) ? 1 + below(80) : host->limit;
	if (one_in(6))
		host->tls = (enum mtasts_tls)below(MTASTS_TLS_FAILED + 1);
	if (host->tls == MTASTS_TLS_UNREACHED)
		host->tls = MTASTS_TLS_FAILED;
	host->is_handshake_lost = one_in(12) || host->is_handshake_lost;
}

static void
any_world(void)
{
	size_t i = 0;

	for (n_domains = 0; worlds_domains[n_domains].name != NULL; n_domains++) {
		struct world_domain *domain = &domains[n_domains];
		ck_assert_uint_lt(n_domains, WORLD_MAX - 1);
		*domain = worlds_domains[n_domains];
		domain->policy_ms = one_in(4) ? (int64_t)below(15000) : domain->policy_ms;
		domain->mx_ms = one_in(4) ? (int64_t)below(15000) : domain->mx_ms;
		domain->error = one_in(40) ? MTASTS_EBUSY : domain->error;
		domain->mx_error = one_in(40) ? MTASTS_EBUSY : domain->mx_error;
	}
	domains[n_domains].name = NULL;
	for (; worlds_hosts[i].ip != NULL; i++) {
		ck_assert_uint_lt(i, WORLD_MAX - 1);
		hosts[i] = worlds_hosts[i];
		if (one_in(3))
			disturb_host(&hosts[i]);
	}
	hosts[i].ip = NULL;
	world_begin(domains, worlds_names, hosts);
	world.defer_on_unknown = one_in(2);
	world.is_recheck_lost = one_in(3);
	world.decide_ms = one_in(3) ? (int64_t)below(15000) : 0;
	world.decide_error = one_in(20) ? MTASTS_EBUSY : 0;
}

/* ---- what must hold ---- */

static void
name_rcpt(char rcpt[128], size_t i, size_t domain)
{
	static const char *const locals[] = { "u", "u", "u", "no", "later" };

	snprintf(rcpt, 128, "%s%zu@%s", locals[below(5)], i, domains[domain].name);
}

static size_t
any_rcpts(char list[1024], char rcpts[RCPTS][128])
{
	size_t n = 1 + (size_t)below(RCPTS);
	struct buf text;

	buf_init(&text, list, 1024);
	for (size_t i = 0; i < n; i++) {
		name_rcpt(rcpts[i], i, (size_t)below(n_domains));
		buf_puts(&text, i != 0 ? " " : "");
		buf_puts(&text, rcpts[i]);
	}
	return n;
}

/* What smtpd knows and what the host has are the same, or the next attempt will know it. */
static void
assert_once(const struct smtpd *smtpd, const char *rcpt, size_t i, unsigned before)
{
	unsigned n = world_delivered(rcpt) - before;
	struct reply reply = { .code = 0 };
	enum late_state late = late_get(world.relay.late, ENVELOPE + i, &reply);

	ck_assert_uint_le(n, 1);
	ck_assert_int_ne(late, LATE_WAITING);
	if (smtpd->t == NULL && smtpd->answers_left == 0 && smtpd->finals[i] == 0)
		ck_assert(n == 0 || (late == LATE_DONE && reply.code / 100 == 2));
	else if (smtpd->finals[i] / 100 == 2)
		ck_assert_uint_eq(n, 1);
	else if (n == 1)
		ck_assert(late == LATE_DONE && reply.code / 100 == 2);
}

START_TEST(any_schedule)
{
	char list[1024], rcpts[RCPTS][128];
	struct smtpd smtpd;

	chance = UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)_i + 1);
	for (size_t round = 0; round < ROUNDS; round++) {
		any_world();
		size_t n = any_rcpts(list, rcpts);
		int64_t age = one_in(2) ? 2 * DAY : 0;
		unsigned answers = one_in(3) ? 1 + (unsigned)below(12) : 0;
		ck_assert_int_eq(smtpd_try(&smtpd, list, age, ENVELOPE, answers), 0);
		for (size_t i = 0; i < n && i < smtpd.n; i++)
			assert_once(&smtpd, rcpts[i], i, 0);
		world_end();
	}
}
END_TEST

/* Tried again until smtpd has an answer that is final: never more than one copy at the host. */
START_TEST(tried_again)
{
	char list[1024], rcpts[RCPTS][128];
	struct smtpd smtpd;

	chance = UINT64_C(0x2545f4914f6cdd1d) * ((uint64_t)_i + 1);
	for (size_t round = 0; round < ROUNDS / 4; round++) {
		any_world();
		(void)any_rcpts(list, rcpts);
		list[strcspn(list, " ")] = '\0'; /* one of them */
		for (size_t attempt = 0; attempt < 6; attempt++) {
			unsigned answers = one_in(4) ? 3 : 0;
			ck_assert_int_eq(smtpd_try(&smtpd, list, 0, ENVELOPE, answers), 0);
			ck_assert_uint_le(world_delivered(rcpts[0]), 1);
			if (smtpd.rcpts[0] >= 500 || smtpd.finals[0] / 100 == 2 ||
			    smtpd.finals[0] >= 500 || smtpd.data >= 500)
				break;
		}
		world_end();
	}
}
END_TEST

/* ---- memory ---- */

static const char *const tight[] = {
	"u@plain.example",
	"u@good.example no1@good.example v@evil.example",
	"u@wrong.example v@plain.example w@[192.0.2.1] x@failover.example",
	"u@enfgone.example v@unknown.example w@fault.example x@loop.example",
	"u@late.example v@broken.example w@small.example x@deaf.example",
	"a@plain.example b@plain.example c@plain.example d@none.example e@plain.example",
};

START_TEST(memory)
{
	struct smtpd smtpd;
	size_t asked, n = 0;

	do {
		world_begin(worlds_domains, worlds_names, worlds_hosts);
		nomem_after(n);
		int r = smtpd_try(&smtpd, tight[_i], 2 * DAY, ENVELOPE, 0);
		asked = nomem_end();
		if (r == 0) {
			for (size_t i = 0; i < smtpd.n; i++)
				ck_assert_uint_ne(smtpd.rcpts[i], 0);
		}
		world_end();
		n++;
		ck_assert_uint_lt(n, 2000);
	} while (asked >= n);
	ck_assert_uint_gt(n, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("transaction_random");
	TCase *tcase = tcase_create("transaction_random");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, any_schedule, 0, BATCHES);
	tcase_add_loop_test(tcase, tried_again, 0, BATCHES);
	tcase_add_loop_test(tcase, memory, 0, (int)(sizeof tight / sizeof tight[0]));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
