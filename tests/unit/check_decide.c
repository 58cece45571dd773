/* SPDX-License-Identifier: ISC
 *
 * What is done and said, row by row: the texts to the letter.
 */
#include "engine/decide.h"

#include <string.h>

#include "sample.h"
#include "unit.h"

enum { DAY = 86400 };

#define MX_TRANSIENT "451 4.4.8 MX hosts of 'example.net' failed MTA-STS validation; will retry"
#define MX_FINAL     "550 5.4.8 MX hosts of 'example.net' failed MTA-STS validation."
#define TLS_TRANSIENT(word)                                                                        \
	"451 4.7.5 Remote certificate failed MTA-STS validation. Reason: " word "; will retry"
#define TLS_FINAL(word) "550 5.7.5 Remote certificate failed MTA-STS validation. Reason: " word
#define FAULT		"451 4.3.0 MTA-STS state of this host is unreadable"
#define P		MTASTS_PUBLISHED

/*
 * hosts: a letter an MX host, best first.  Of the policy: u untried, s untried with a strike
 * (expired), v verified, - unreached, n no STARTTLS, w wrong name, e expired, t untrusted, f
 * handshake failed, d DANE failed.  Not of the policy: U untried, V verified, S untried with a
 * strike.
 */
static const struct {
	const char *rule;
	enum mtasts_state state;
	const char *mode;
	const char *hosts;
	int64_t age;
	bool rechecked;
	int result;
	const char *said; /* "" is DELIVER */
} rows[] = {
	{ "absent", MTASTS_ABSENT, "", "n", 0, false, 0, "" },
	{ "unknown", MTASTS_UNKNOWN, "", "n", 9 * DAY, false, 0, "" },
	{ "fault", MTASTS_FAULT, "", "v", 9 * DAY, true, 0, FAULT },
	{ "R5.0.3 none", P, "none", "UU", 9 * DAY, true, 0, "" },
	{ "R5.0.2 c27 testing", P, "testing", "Un", 9 * DAY, true, 0, "" },

	{ "R5.0.1 routing", P, "enforce", "uu", 0, false, 0, "" },
	{ "R5.0.1 next MX may be tried", P, "enforce", "wu", 9 * DAY, true, 0, "" },
	{ "R5.0.1 a good one among them", P, "enforce", "Uwv", 9 * DAY, true, 0, "" },
	{ "no host at all", P, "enforce", "", 9 * DAY, true, 0, "" },

	{ "R4.1.1 none in the policy", P, "enforce", "UU", 0, false, 0, MX_TRANSIENT },
	{ "R4.1.1 after connecting", P, "enforce", "V", 0, false, 0, MX_TRANSIENT },
	{ "R5.0.4 old, not rechecked", P, "enforce", "UU", DAY, false, 1, MX_TRANSIENT },
	{ "R5.0.4 old, rechecked", P, "enforce", "UU", DAY, true, 0, MX_FINAL },
	{ "R5.0.5 one second young", P, "enforce", "UU", DAY - 1, true, 0, MX_TRANSIENT },
	{ "a strike on a host outside says nothing new", P, "enforce", "S", DAY, true, 0,
	    MX_FINAL },

	{ "R4.2.1 no STARTTLS", P, "enforce", "n", 0, false, 0,
	    TLS_TRANSIENT("starttls-not-supported") },
	{ "R4.2.1 name", P, "enforce", "w", 0, false, 0,
	    TLS_TRANSIENT("certificate-host-mismatch") },
	{ "R4.2.1 expired", P, "enforce", "e", 0, false, 0, TLS_TRANSIENT("certificate-expired") },
	{ "R4.2.1 untrusted", P, "enforce", "t", 0, false, 0,
	    TLS_TRANSIENT("certificate-not-trusted") },
	{ "R4.2.1 handshake", P, "enforce", "f", 0, false, 0, TLS_TRANSIENT("validation-failure") },
	{ "first finding tells", P, "enforce", "Uew", 0, false, 0,
	    TLS_TRANSIENT("certificate-expired") },
	{ "R5.0.4 old, not rechecked", P, "enforce", "en", DAY, false, 1,
	    TLS_TRANSIENT("certificate-expired") },
	{ "R5.0.4 old, rechecked", P, "enforce", "Uen", DAY, true, 0,
	    TLS_FINAL("certificate-expired") },

	{ "unreached is no policy failure", P, "enforce", "e-", 9 * DAY, true, 0,
	    TLS_TRANSIENT("certificate-expired") },
	{ "only unreached", P, "enforce", "--", 9 * DAY, true, 0, "" },
	{ "unreached and outside", P, "enforce", "U-", 9 * DAY, true, 0, "" },
	{ "an unreached host outside is outside", P, "enforce", "V", 9 * DAY, true, 0, MX_FINAL },

	{ "strikes: young goes and tries", P, "enforce", "ss", 0, false, 0, "" },
	{ "strikes: old asks for a recheck", P, "enforce", "ss", DAY, false, 1, "" },
	{ "strikes: final", P, "enforce", "sUs", DAY, true, 0, TLS_FINAL("certificate-expired") },
	{ "strikes: one without", P, "enforce", "su", 9 * DAY, true, 0, "" },
	{ "strikes: one unreached", P, "enforce", "s-", 9 * DAY, true, 0, "" },
	{ "strikes and a failure now", P, "enforce", "sn", DAY, true, 0,
	    TLS_FINAL("starttls-not-supported") },

	{ "R2.1 DANE stays transient", P, "enforce", "d", 9 * DAY, true, 0,
	    TLS_TRANSIENT("tlsa-invalid") },
	{ "R2.1 DANE among others", P, "enforce", "ed", 9 * DAY, true, 0,
	    TLS_TRANSIENT("certificate-expired") },
};

static enum mtasts_tls
tls_of(char c)
{
	static const char letters[] = "us v-nwetfdUVS";
	static const enum mtasts_tls tls[] = { MTASTS_TLS_UNTRIED, MTASTS_TLS_UNTRIED, 0,
		MTASTS_TLS_VERIFIED, MTASTS_TLS_UNREACHED, MTASTS_TLS_NOT_OFFERED,
		MTASTS_TLS_WRONG_NAME, MTASTS_TLS_EXPIRED, MTASTS_TLS_UNTRUSTED, MTASTS_TLS_FAILED,
		MTASTS_TLS_VERIFIED, MTASTS_TLS_UNTRIED, MTASTS_TLS_VERIFIED, MTASTS_TLS_UNTRIED };

	return tls[strchr(letters, c) - letters];
}

struct world {
	struct mtasts_attempt attempts[8];
	struct strike strikes[8];
	char names[8][64];
	struct decide_round round;
};

static void
world_init(struct world *w, const char *hosts, int64_t age)
{
	*w = (struct world){ .round = { .attempts = w->attempts,
				 .strikes = w->strikes,
				 .n = strlen(hosts),
				 .message_age = age } };
	for (size_t i = 0; i < w->round.n; i++) {
		char c = hosts[i];
		snprintf(w->names[i], sizeof w->names[i], "MX%zu.%s.", i,
		    c >= 'A' && c <= 'Z' ? "attacker.example" : "example.net");
		w->attempts[i] = (struct mtasts_attempt){ .mx_host = w->names[i],
			.tls = tls_of(c),
			.dane_failed = c == 'd',
			.dane_finding = MTASTS_TLSA_INVALID };
		if (c != 's' && c != 'S')
			continue;
		struct strike *strike = &w->strikes[w->round.n_strikes++];
		strike->finding = MTASTS_CERTIFICATE_EXPIRED;
		ck_assert_int_eq(domain_parse(span_of(w->names[i]), 0, &strike->mx), 0);
	}
}

static void
said(const struct mtasts_decision *decision, char *out, size_t cap)
{
	out[0] = '\0';
	if (decision->action == MTASTS_DELIVER) {
		ck_assert_int_eq(decision->smtp_code, 0);
		ck_assert_str_eq(decision->enhanced, "");
		ck_assert_str_eq(decision->text, "");
		return;
	}
	ck_assert((decision->action == MTASTS_FAIL) == (decision->smtp_code == 550));
	snprintf(out, cap, "%d %s %s", decision->smtp_code, decision->enhanced, decision->text);
}

START_TEST(test_decide)
{
	struct mtasts_policy *policy =
	    sample_policy(rows[_i].state, rows[_i].mode, "mx: *.example.net\n");
	struct decide_config config = { .bounce_after = DAY };
	struct mtasts_decision decision;
	struct world world;
	char text[1024];

	world_init(&world, rows[_i].hosts, rows[_i].age);
	world.round.is_rechecked = rows[_i].rechecked;
	int r = decide(policy, &world.round, &config, &decision);
	ck_assert_msg(r == rows[_i].result, "%s: result %d", rows[_i].rule, r);
	said(&decision, text, sizeof text);
	ck_assert_msg(strcmp(text, rows[_i].said) == 0, "%s: %s", rows[_i].rule, text);
	policy_free(policy);
}
END_TEST

/* R5.0.5: 0 is "at once", but never before the recheck. */
START_TEST(test_at_once)
{
	struct mtasts_policy *policy = sample_policy(P, "enforce", "mx: *.example.net\n");
	struct decide_config config = { .bounce_after = 0 };
	struct mtasts_decision decision;
	struct world world;

	world_init(&world, "U", 0);
	ck_assert_int_eq(decide(policy, &world.round, &config, &decision), 1);
	ck_assert_int_eq((int)decision.action, MTASTS_DEFER);
	world.round.is_rechecked = true;
	ck_assert_int_eq(decide(policy, &world.round, &config, &decision), 0);
	ck_assert_int_eq((int)decision.action, MTASTS_FAIL);
	policy_free(policy);
}
END_TEST

START_TEST(test_settings)
{
	struct mtasts_policy *unknown = sample_policy(MTASTS_UNKNOWN, "", "");
	struct mtasts_policy *fault = sample_policy(MTASTS_FAULT, "", "");
	struct decide_config config = { .bounce_after = DAY, .defer_on_unknown = true };
	struct mtasts_decision decision;
	struct world world;
	char text[1024];

	world_init(&world, "u", 9 * DAY);
	ck_assert_int_eq(decide(unknown, &world.round, &config, &decision), 0);
	said(&decision, text, sizeof text);
	ck_assert_str_eq(
	    text, "451 4.4.3 MTA-STS policy of 'example.net' could not be found out; will retry");
	fault->fault_delivers = true;
	ck_assert_int_eq(decide(fault, &world.round, &config, &decision), 0);
	ck_assert_int_eq((int)decision.action, MTASTS_DELIVER);
	policy_free(unknown);
	policy_free(fault);
}
END_TEST

/* The longest domain there is still fits, whole. */
START_TEST(test_longest)
{
	struct mtasts_policy *policy = sample_policy(P, "enforce", "mx: *.example.net\n");
	struct decide_config config = { .bounce_after = DAY };
	struct mtasts_decision decision;
	struct world world;
	char name[DOMAIN_MAX + 1];

	memset(name, 'a', DOMAIN_MAX);
	name[DOMAIN_MAX] = '\0';
	name[63] = name[127] = name[191] = '.';
	ck_assert_int_eq(domain_parse(span_of(name), 0, &policy->domain), 0);
	world_init(&world, "U", 0);
	ck_assert_int_eq(decide(policy, &world.round, &config, &decision), 0);
	ck_assert_ptr_nonnull(strstr(decision.text, name));
	ck_assert_ptr_nonnull(strstr(decision.text, "; will retry"));
	policy_free(policy);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("decide");
	TCase *tcase = tcase_create("decide");

	tcase_add_loop_test(tcase, test_decide, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, test_at_once);
	tcase_add_test(tcase, test_settings);
	tcase_add_test(tcase, test_longest);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
