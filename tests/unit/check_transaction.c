/* SPDX-License-Identifier: ISC
 *
 * Whole transactions: who is connected, what is sent, what smtpd is told and when.
 */
#include "opensmtpd/relay/transaction.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "opensmtpd/relay/late.h"
#include "relay_fake.h"
#include "relay_worlds.h"
#include "smtpd_fake.h"
#include "unit.h"

enum { DAY = 86400 };

/*
 * What smtpd is told: "r0=" of RCPT, "data=", "f0=" of the end; sessions and records as
 * relay_fake.h has them.  '*' stands for anything.
 */
static const struct {
	const char *name, *rcpts;
	int64_t age;
	const char *told, *sessions, *records;
} cases[] = {
	/* opportunistic */
	{ "no policy", "u@plain.example", 0, "r0=250 2.1.5 Ok data=354 * f0=250 2.0.0 Queued",
	    "192.0.2.1 MAIL RCPT DATA .", "mx.plain.example ok 192.0.2.1, " },
	{ "capitals", "U@PLAIN.Example", 0, "r0=250 * data=354 * f0=250 *",
	    "192.0.2.1 MAIL RCPT DATA .", "*" },
	{ "no STARTTLS", "u@clear.example", 0, "r0=250 * f0=250 *", "192.0.2.2 MAIL RCPT DATA .",
	    "mx.clear.example starttls-not-supported 192.0.2.2, " },
	{ "broken STARTTLS: again in clear, one record", "u@broken.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.3 192.0.2.3/clear MAIL RCPT DATA .",
	    "mx.broken.example validation-failure 192.0.2.3, " },
	{ "no MX record", "u@implicit.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.1 MAIL RCPT DATA .", "implicit.example ok 192.0.2.1, " },
	{ "mode none", "u@none.example", 0, "r0=250 * f0=250 *", "192.0.2.11 MAIL RCPT DATA .",
	    "mx.wrong.example certificate-host-mismatch 192.0.2.11, " },
	{ "testing, wrong certificate", "u@testing.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.11 MAIL RCPT DATA .",
	    "mx.wrong.example certificate-host-mismatch 192.0.2.11, " },
	{ "testing, wrong name", "u@testname.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.10 MAIL RCPT DATA .", "mx.good.example validation-failure 192.0.2.10, " },
	{ "testing, broken STARTTLS", "u@testbroken.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.3 192.0.2.3/clear MAIL RCPT DATA .",
	    "mx.broken.example validation-failure 192.0.2.3, " },
	{ "unknown, on_unknown = deliver", "u@unknown.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.1 MAIL RCPT DATA .", "mx.plain.example ok 192.0.2.1, " },
	{ "address literal", "u@[192.0.2.1]", 0, "r0=250 * f0=250 *", "192.0.2.1 MAIL RCPT DATA .",
	    "" },
	{ "address literal of IPv6", "u@[IPv6:2001:db8::1]", 0,
	    "r0=451 4.4.1 2001:db8::1 [[]2001:db8::1]: Network is unreachable", "2001:db8::1", "" },
	{ "address literal of this host", "u@[127.0.0.1]", 0, "r0=451 4.4.1 *", "", "" },

	/* enforce */
	{ "enforce, good", "u@good.example", 0, "r0=250 * f0=250 *", "192.0.2.10 MAIL RCPT DATA .",
	    "mx.good.example ok 192.0.2.10, " },
	{ "enforce, good, old message", "u@good.example", 9 * DAY, "r0=250 * f0=250 *",
	    "192.0.2.10 MAIL RCPT DATA .", "mx.good.example ok 192.0.2.10, " },
	{ "the policy comes last", "u@slowpolicy.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.10 MAIL RCPT DATA .", "*" },
	{ "the MX hosts come last", "u@slowmx.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.10 MAIL RCPT DATA .", "*" },
	{ "enforce, wrong certificate, new message", "u@wrong.example", 0,
	    "r0=250 * data=354 * f0=451 4.7.5 Remote certificate failed MTA-STS validation. "
	    "Reason: certificate-host-mismatch; will retry",
	    "192.0.2.11", "mx.wrong.example certificate-host-mismatch 192.0.2.11, " },
	{ "enforce, wrong certificate, old message", "u@wrong.example", 2 * DAY,
	    "r0=250 * data=354 * f0=550 5.7.5 Remote certificate failed MTA-STS validation. "
	    "Reason: certificate-host-mismatch",
	    "192.0.2.11", "mx.wrong.example certificate-host-mismatch 192.0.2.11, " },
	{ "enforce, two bad hosts", "u@twobad.example", 2 * DAY, "r0=250 * f0=550 5.7.5 *",
	    "192.0.2.11 192.0.2.12",
	    "a.twobad.example certificate-host-mismatch 192.0.2.11, "
	    "b.twobad.example certificate-expired 192.0.2.12, " },
	{ "enforce, no STARTTLS", "u@enfclear.example", 0,
	    "r0=250 * f0=451 4.7.5 *starttls-not-supported*", "192.0.2.2",
	    "mx.clear.example starttls-not-supported 192.0.2.2, " },
	{ "enforce, broken STARTTLS: never in clear", "u@enfbroken.example", 0,
	    "r0=250 * f0=451 4.7.5 *validation-failure*", "192.0.2.3",
	    "mx.broken.example validation-failure 192.0.2.3, " },
	{ "enforce, the attacker's host first", "u@evil.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.10 MAIL RCPT DATA .",
	    "mx.attacker.example validation-failure, mx.good.example ok 192.0.2.10, " },
	{ "enforce, no host in the policy, new message", "u@taken.example", 0,
	    "r0=250 * f0=451 4.4.8 MX hosts of 'taken.example' failed MTA-STS validation; will "
	    "retry",
	    "", "mx.attacker.example validation-failure, mx.plain.example validation-failure, " },
	{ "enforce, no host in the policy, old message", "u@taken.example", 2 * DAY,
	    "r0=250 * f0=550 5.4.8 MX hosts of 'taken.example' failed MTA-STS validation.", "",
	    "mx.attacker.example validation-failure, mx.plain.example validation-failure, " },
	{ "enforce, one bad and one unreachable: never final", "u@mixed.example", 9 * DAY,
	    "r0=250 * f0=451 4.7.5 *", "192.0.2.11 192.0.2.20",
	    "wrong.mixed.example certificate-host-mismatch 192.0.2.11, "
	    "dead.mixed.example unreached, " },
	{ "enforce, one outside and one unreachable: the latter's words", "u@namedead.example",
	    9 * DAY, "r0=250 * f0=451 4.4.1 dead.mixed.example * Connection refused", "192.0.2.20",
	    "mx.attacker.example validation-failure, dead.mixed.example unreached, " },
	{ "enforce, the second host is good", "u@badthengood.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.11 192.0.2.10 MAIL RCPT DATA .",
	    "mx.wrong.example certificate-host-mismatch 192.0.2.11, "
	    "mx.good.example ok 192.0.2.10, " },
	{ "enforce, a 5xx before TLS is nobody's word", "u@enfrude.example", 0,
	    "r0=451 4.4.1 greets.example [[]192.0.2.21]: refused before it was verified: "
	    "554 5.3.2 We take no mail",
	    "192.0.2.21", "greets.example unreached 192.0.2.21, " },
	{ "fault", "u@fault.example", 0, "r0=451 4.3.0 MTA-STS state of this host is unreadable",
	    "", "" },
	{ "a look-up fails here", "u@error.example", 0, "r0=451 4.3.0 *", "", "" },
	{ "an MX look-up fails here", "u@mxerror.example", 0, "r0=451 4.3.0 *", "", "" },

	/* no host */
	{ "null MX", "u@null.example", 0, "r0=556 5.1.10 null.example: takes no mail (null MX)", "",
	    "" },
	{ "null MX, enforce", "u@enfnull.example", 0, "r0=451 4.4.8 *", "", "" },
	{ "null MX, enforce, signed", "u@securenull.example", 0, "r0=556 5.1.10 *", "", "" },
	{ "no domain", "u@gone.example", 0, "r0=550 5.1.2 gone.example: no such domain", "", "" },
	{ "no domain, enforce: never final", "u@enfgone.example", 9 * DAY,
	    "r0=451 4.4.8 MX hosts of 'enfgone.example' *", "", "" },
	{ "no domain, testing", "u@testgone.example", 0, "r0=550 5.1.2 *", "", "" },
	{ "MX unknown", "u@mxunknown.example", 0, "r0=451 4.4.3 *", "", "" },
	{ "this host is the best", "u@loop.example", 0, "r0=550 5.4.6 *", "", "" },
	{ "this host is a backup: nobody behind it", "u@backup.example", 0,
	    "r0=451 4.4.1 refused.example [[]192.0.2.20]: Connection refused", "192.0.2.20",
	    "refused.example unreached, " },
	{ "this host's name forged in front", "u@forged.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.10 MAIL RCPT DATA .",
	    "me.example validation-failure, mx.good.example ok 192.0.2.10, " },
	{ "domain without MX and address", "u@nomail.example", 0,
	    "r0=550 5.4.4 nomail.example: its MX hosts have no address", "",
	    "nomail.example unreached, " },
	{ "hosts without addresses", "u@nohost.example", 0, "r0=550 5.4.4 *", "",
	    "a.nohost.example unreached, b.nohost.example unreached, " },
	{ "hosts without addresses, enforce: never final", "u@enfnohost.example", 9 * DAY,
	    "r0=451 4.4.1 a.nohost.example: has no address", "", "a.nohost.example unreached, " },
	{ "no domain name", "u@a..b", 0, "r0=550 5.1.2 *", "", "" },
	{ "a number", "u@192.0.2.1", 0, "r0=550 5.1.2 *", "", "" },
	{ "no domain at all", "postmaster", 0, "r0=550 5.1.3 *", "", "" },

	/* fail-over */
	{ "refused, no address, greeting, lost, good", "u@failover.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.20 192.0.2.21 192.0.2.22 MAIL RCPT 192.0.2.1 MAIL RCPT DATA .", "*" },
	{ "nobody: the last host's words", "u@dead.example", 0, "r0=421 4.3.2 Too busy",
	    "192.0.2.20 192.0.2.23", "*" },
	{ "the only host's 5xx greeting", "u@rude.example", 0, "r0=554 5.3.2 We take no mail",
	    "192.0.2.21", "*" },
	{ "5xx, then 4xx", "u@rudethenbusy.example", 0, "r0=421 4.3.2 Too busy",
	    "192.0.2.21 192.0.2.23", "*" },
	{ "4xx, then 5xx: the other may do better", "u@busythenrude.example", 0,
	    "r0=421 4.3.2 Too busy", "192.0.2.23 192.0.2.21", "*" },
	{ "a tarpit first", "u@tarpit.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.24 192.0.2.1 MAIL RCPT DATA .", "*" },
	{ "a tarpit at MAIL", "u@tarmail.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.26 MAIL RCPT 192.0.2.1 MAIL RCPT DATA .", "*" },
	{ "nothing but tarpits", "u@alltar.example", 0, "r0=451 4.4.1 *no answer in time",
	    "192.0.2.24 192.0.2.24 192.0.2.25 2001:db8::24 192.0.2.25", "*" },
	{ "no more than eight hosts", "u@many.example", 0, "r0=451 4.4.1 *",
	    "192.0.2.20 192.0.2.20 192.0.2.20 192.0.2.20 192.0.2.20 192.0.2.20 192.0.2.20 "
	    "192.0.2.20",
	    "*" },
	{ "families by turns", "u@dual.example", 0, "r0=250 * f0=250 *",
	    "2001:db8::1 192.0.2.20 2001:db8::2 192.0.2.1 MAIL RCPT DATA .", "*" },
	{ "an MX host that is this one", "u@own.example", 0,
	    "r0=451 4.4.1 own.example: none of its addresses *", "", "*" },
	{ "addresses not to be found out", "u@dnsfail.example", 0, "r0=250 * f0=250 *",
	    "192.0.2.1 MAIL RCPT DATA .", "*" },
	{ "addresses not to be found out, nobody else", "u@dnsdead.example", 0, "r0=451 4.4.1 *",
	    "", "*" },

	/* the host's own replies */
	{ "MAIL refused: no other host is asked", "u@mailno.example", 0, "r0=452 4.3.1 Disk full",
	    "192.0.2.30 MAIL RCPT", "*" },
	{ "one recipient of three", "no1@plain.example u@plain.example later1@plain.example", 0,
	    "r0=550 5.1.1 No such user r1=250 * r2=451 4.2.1 Mailbox busy data=354 * f1=250 *",
	    "192.0.2.1 MAIL RCPT RCPT RCPT DATA .", "*" },
	{ "no recipient", "no1@plain.example no2@plain.example", 0,
	    "r0=550 5.1.1 No such user r1=550 5.1.1 No such user", "192.0.2.1 MAIL RCPT RCPT",
	    "*" },
	{ "DATA refused", "u@datano.example v@datano.example", 0,
	    "r0=250 * r1=250 * data=554 5.6.0 No data", "192.0.2.31 MAIL RCPT RCPT DATA", "*" },
	{ "DATA refused by one of two", "u@datano.example v@plain.example", 0,
	    "r0=250 * r1=250 * data=354 * f0=554 5.6.0 No data f1=250 2.0.0 Queued", "*", "*" },
	{ "DATA refused by two in different words", "u@datano.example v@datalater.example", 0,
	    "r0=250 * r1=250 * data=354 * f0=554 5.6.0 No data f1=451 4.3.0 Not now", "*", "*" },
	{ "message refused", "u@endno.example", 0, "r0=250 * f0=550 5.7.1 Spam", "*", "*" },
	{ "lost at RCPT", "u@rcptlost.example", 0, "r0=451 4.4.2 Lost connection with *",
	    "192.0.2.36 MAIL RCPT", "*" },
	{ "lost at DATA", "u@datalost.example", 0, "r0=250 * data=451 4.4.2 Lost connection *",
	    "192.0.2.35 MAIL RCPT DATA", "*" },
	{ "lost at the end", "u@endlost.example", 0, "r0=250 * f0=451 4.4.2 Lost connection *",
	    "192.0.2.34 MAIL RCPT DATA .", "*" },
	{ "no in the middle of the message", "u@early.example", 0,
	    "r0=250 * data=354 * f0=552 5.3.4 Enough", "192.0.2.56 MAIL RCPT DATA", "*" },
	{ "yes in the middle of the message", "u@earlyyes.example", 0,
	    "r0=250 * data=354 * f0=451 4.5.0 *", "192.0.2.57 MAIL RCPT DATA", "*" },
	{ "3xx is no acceptance", "u@odd.example", 0, "r0=250 * f0=451 4.5.0 *", "*", "*" },
	{ "2xx is no 354", "u@odddata.example", 0, "r0=250 * data=451 4.5.0 *",
	    "192.0.2.55 MAIL RCPT DATA", "*" },
	{ "no answer to RCPT", "u@rcpttar.example", 0, "r0=451 4.4.1 *", "192.0.2.37 MAIL RCPT",
	    "*" },
	{ "no answer to DATA", "u@datatar.example", 0, "r0=250 * data=451 4.4.2 *",
	    "192.0.2.38 MAIL RCPT DATA", "*" },
	{ "no answer to DATA, another is good", "u@datatar.example v@plain.example", 0,
	    "r0=250 * r1=250 * data=354 * f0=451 4.4.2 * f1=250 *", "*", "*" },
	{ "too large", "u@small.example", 0,
	    "r0=250 * data=354 * f0=552 5.3.4 small.example takes no message of more than 20 "
	    "octets",
	    "192.0.2.41 MAIL RCPT DATA", "*" },
	{ "too large for one of two", "u@small.example v@plain.example", 0,
	    "r0=250 * r1=250 * data=354 * f0=552 5.3.4 * f1=250 *", "*", "*" },
	{ "as large as may be, dots not counted", "u@exact.example", 0, "r0=250 * f0=250 *", "*",
	    "*" },
	{ "takes no body", "u@deaf.example v@plain.example", 0,
	    "r0=250 * r1=250 * data=354 * f0=451 4.4.2 * f1=250 *", "*", "*" },
	{ "takes the body slowly", "u@slow.example", 0, "r0=250 * f0=250 *", "*", "*" },

	/* several domains */
	{ "two domains", "u@plain.example v@second.example", 0,
	    "r0=250 * r1=250 * data=354 * f0=250 2.0.0 Queued f1=250 2.0.0 Queued",
	    "192.0.2.1 MAIL RCPT 192.0.2.4 MAIL RCPT DATA DATA . .", "*" },
	{ "one domain twice, another between", "a@plain.example b@second.example c@plain.example",
	    0, "r0=250 * r1=250 * r2=250 * f0=250 * f1=250 * f2=250 *",
	    "192.0.2.1 MAIL RCPT 192.0.2.4 MAIL RCPT RCPT DATA DATA . .", "*" },
	{ "one good, one refused by policy", "u@good.example v@wrong.example", 2 * DAY,
	    "r0=250 * r1=250 * data=354 * f0=250 2.0.0 Queued f1=550 5.7.5 *",
	    "192.0.2.10 MAIL RCPT 192.0.2.11 DATA .", "*" },
	{ "one good, one unreachable", "u@good.example v@dead.example w@dead.example", 0,
	    "r0=250 * r1=421 * r2=421 * data=354 * f0=250 *", "*", "*" },
	{ "two recipients refused by policy", "u@wrong.example v@wrong.example", 0,
	    "r0=250 * r1=250 * f0=451 4.7.5 * f1=451 4.7.5 *", "192.0.2.11", "*" },

	/* late */
	{ "the answer comes late", "u@late.example", 0, "r0=250 * f0=451 4.4.2 *still waiting*",
	    "192.0.2.50 MAIL RCPT DATA .", "*" },
	{ "it never comes", "u@latenever.example", 0, "r0=250 * f0=451 4.4.2 *still waiting*", "*",
	    "*" },
	{ "late for one of two", "u@late.example v@plain.example", 0,
	    "r0=250 * r1=250 * f1=250 2.0.0 Queued f0=451 4.4.2 *", "*", "*" },
};

static void
setup(void)
{
	world_begin(worlds_domains, worlds_names, worlds_hosts);
}

static void
teardown(void)
{
	world_end();
}

static void
assert_like(const char *name, const char *what, const char *is, const char *pattern)
{
	ck_assert_msg(fnmatch(pattern, is, 0) == 0, "%s: %s\n is     %s\n not    %s\n%s", name,
	    what, is, pattern, world.log_text);
}

START_TEST(told)
{
	struct smtpd smtpd;

	smtpd_send(&smtpd, cases[_i].rcpts, cases[_i].age, 100);
	assert_like(cases[_i].name, "told", smtpd.told_text, cases[_i].told);
	assert_like(cases[_i].name, "sessions", world.sessions_text, cases[_i].sessions);
	assert_like(cases[_i].name, "records", world.records_text, cases[_i].records);
}
END_TEST

/* ---- settings of the world ---- */

START_TEST(unknown_defers)
{
	struct smtpd smtpd;

	world.defer_on_unknown = true;
	smtpd_send(&smtpd, "u@unknown.example", 0, 0);
	assert_like("unknown", "told", smtpd.told_text, "r0=451 4.4.3 *");
	ck_assert_str_eq(world.sessions_text, "");
}
END_TEST

/* Without a completed recheck nothing is final. */
START_TEST(recheck_lost)
{
	struct smtpd smtpd;

	world.is_recheck_lost = true;
	smtpd_send(&smtpd, "u@wrong.example", 9 * DAY, 0);
	assert_like("recheck", "told", smtpd.told_text, "r0=250 * f0=451 4.7.5 *");
}
END_TEST

START_TEST(decision_fails)
{
	struct smtpd smtpd;

	world.decide_error = MTASTS_ENOMEM;
	smtpd_send(&smtpd, "u@wrong.example", 9 * DAY, 0);
	assert_like("decision", "told", smtpd.told_text, "r0=250 * f0=451 4.3.0 *");
	smtpd_send(&smtpd, "u@enfgone.example", 9 * DAY, 0);
	assert_like("no domain", "told", smtpd.told_text, "r0=451 4.3.0 *");
}
END_TEST

START_TEST(source_address)
{
	struct smtpd smtpd;

	smtpd_send_from(&smtpd, "u@dual.example", AF_INET);
	assert_like("v4", "told", smtpd.told_text, "r0=250 * f0=250 *");
	assert_like("v4", "sessions", world.sessions_text, "192.0.2.20 192.0.2.1 MAIL *");
	smtpd_send_from(&smtpd, "u@plain.example", AF_INET6);
	assert_like("v6", "told", smtpd.told_text, "r0=451 4.4.1 *");
}
END_TEST

/* Equals are tried in either order, and the domain's policy does not change that. */
START_TEST(allowed_loopback)
{
	static const struct conf_prefixes allow = { .n = 1, .prefixes = { { { 127 }, 32, 8 } } };
	struct smtpd smtpd;

	world.relay.allow = &allow;
	smtpd_send(&smtpd, "u@own.example", 0, 0);
	assert_like("own", "sessions", world.sessions_text, "127.0.0.1");
}
END_TEST

/* ---- late answers ---- */

START_TEST(late_is_not_sent_twice)
{
	struct smtpd smtpd;
	struct reply reply;

	smtpd_begin(&smtpd, "u@late.example v@late.example", 0, 70, AF_UNSPEC);
	ck_assert(late_is_any(world.relay.late));
	ck_assert_int_eq(late_get(world.relay.late, 70, &reply), LATE_WAITING);
	struct smtpd again;
	smtpd_begin(&again, "u@late.example v@late.example", 0, 70, AF_UNSPEC);
	assert_like("waiting", "told", again.told_text, "r0=451 4.4.2 * r1=451 4.4.2 *");
	transaction_free(again.t);
	smtpd_end(&smtpd); /* runs until nothing more comes */
	ck_assert_int_eq(late_get(world.relay.late, 70, &reply), LATE_DONE);
	smtpd_send(&again, "u@late.example v@late.example", 0, 70);
	assert_like("done", "told", again.told_text,
	    "r0=250 * r1=250 * data=354 * f0=250 2.0.0 Queued f1=250 2.0.0 Queued");
	ck_assert_str_eq(world.sessions_text, "192.0.2.50 MAIL RCPT RCPT DATA .");
	ck_assert_uint_eq(world_delivered("u@late.example"), 1);
	ck_assert(!late_is_any(world.relay.late));
}
END_TEST

START_TEST(late_refusal)
{
	struct smtpd smtpd;

	smtpd_send(&smtpd, "u@laterno.example", 0, 70);
	smtpd_send(&smtpd, "u@laterno.example", 0, 70);
	assert_like("refusal", "told", smtpd.told_text, "r0=550 5.7.1 Spam");
	ck_assert(!late_is_any(world.relay.late));
}
END_TEST

START_TEST(late_and_lost)
{
	struct smtpd smtpd;

	smtpd_send(&smtpd, "u@latelost.example", 0, 70);
	ck_assert(!late_is_any(world.relay.late));
	smtpd_send(&smtpd, "u@latenever.example", 0, 71);
	ck_assert(!late_is_any(world.relay.late));
}
END_TEST

START_TEST(late_without_envelope)
{
	struct smtpd smtpd;

	smtpd_send(&smtpd, "u@late.example", 0, 0);
	ck_assert(!late_is_any(world.relay.late));
	ck_assert_uint_eq(world_delivered("u@late.example"), 1);
}
END_TEST

/* A remembered recipient beside one that is sent, and beside one that is refused at DATA. */
START_TEST(late_beside_others)
{
	struct smtpd smtpd;

	smtpd_send(&smtpd, "u@late.example", 0, 70);
	smtpd_send(&smtpd, "u@late.example v@plain.example", 0, 70);
	assert_like("beside", "told", smtpd.told_text, "r0=250 * r1=250 * f0=250 * f1=250 *");
	ck_assert_uint_eq(world_delivered("u@late.example"), 1);
	smtpd_send(&smtpd, "u@late.example", 0, 80);
	smtpd_send(&smtpd, "u@late.example v@datano.example", 0, 80);
	assert_like(
	    "refused", "told", smtpd.told_text, "r0=250 * r1=250 * data=354 * f0=250 * f1=554 *");
}
END_TEST

/* smtpd goes when the dot is sent: the host's answer is waited for all the same. */
START_TEST(smtpd_goes_after_the_end)
{
	struct smtpd smtpd;
	struct reply reply;

	smtpd_leave_after(&smtpd, "u@late.example", 70, SMTPD_LEAVES_AFTER_END);
	ck_assert_uint_eq(world_delivered("u@late.example"), 1);
	ck_assert_int_eq(late_get(world.relay.late, 70, &reply), LATE_DONE);
}
END_TEST

START_TEST(smtpd_goes_in_the_body)
{
	struct smtpd smtpd;

	smtpd_leave_after(&smtpd, "u@plain.example v@late.example", 70, SMTPD_LEAVES_IN_BODY);
	ck_assert_uint_eq(world_delivered("u@plain.example"), 0);
	ck_assert(!late_is_any(world.relay.late));
	assert_like("left", "sessions", world.sessions_text,
	    "192.0.2.1 MAIL RCPT 192.0.2.50 MAIL RCPT DATA DATA");
}
END_TEST

START_TEST(smtpd_goes_at_once)
{
	static const char *const rcpts[] = { "u@plain.example", "u@slowpolicy.example",
		"u@tarpit.example", "u@wrong.example", "u@[192.0.2.1]", "u@gone.example" };
	struct smtpd smtpd;

	for (size_t i = 0; i < sizeof rcpts / sizeof rcpts[0]; i++)
		smtpd_leave_after(&smtpd, rcpts[i], 70, SMTPD_LEAVES_AT_RCPT);
	ck_assert(!late_is_any(world.relay.late));
}
END_TEST

/* The relay ends while an answer is waited for: nothing is left behind (teardown sees). */
START_TEST(relay_ends)
{
	struct smtpd smtpd;

	smtpd_leave_after(&smtpd, "u@late.example", 70, SMTPD_LEAVES_AND_NOTHING_RUNS);
	ck_assert_uint_eq(world.n_upstreams, 1);
}
END_TEST

/* ---- limits ---- */

START_TEST(too_many_recipients)
{
	struct smtpd smtpd;

	smtpd_flood(&smtpd, "u@gone.example", TRANSACTION_RCPTS_MAX + 2);
	ck_assert_uint_eq(smtpd.n_codes[5], TRANSACTION_RCPTS_MAX);
	ck_assert_uint_eq(smtpd.n_codes[4], 2);
}
END_TEST

/* What is remote cannot write lines of its own into the log. */
START_TEST(log_is_escaped)
{
	struct smtpd smtpd;

	smtpd_send(&smtpd, "u@a\nrelay_domain=x", 0, 0);
	ck_assert_ptr_null(strstr(world.log_text, "\nrelay_domain"));
	ck_assert_ptr_nonnull(strstr(world.log_text, "\\x0A"));
}
END_TEST

START_TEST(log_says_why)
{
	struct smtpd smtpd;

	smtpd_send(&smtpd, "u@wrong.example", 0, 0);
	ck_assert_ptr_nonnull(strstr(world.log_text, "domain=wrong.example policy=enforce "
						     "mx=mx.wrong.example ip=192.0.2.11 "
						     "tls=wrong-name"));
	ck_assert_ptr_nonnull(strstr(world.log_text, "result=deferred"));
	smtpd_send(&smtpd, "u@good.example", 0, 0);
	ck_assert_ptr_nonnull(strstr(world.log_text, "tls=verified version=- result=delivered"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("transaction");
	TCase *tcase = tcase_create("transaction");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, told, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tcase, unknown_defers);
	tcase_add_test(tcase, recheck_lost);
	tcase_add_test(tcase, decision_fails);
	tcase_add_test(tcase, source_address);
	tcase_add_test(tcase, allowed_loopback);
	tcase_add_test(tcase, late_is_not_sent_twice);
	tcase_add_test(tcase, late_refusal);
	tcase_add_test(tcase, late_and_lost);
	tcase_add_test(tcase, late_without_envelope);
	tcase_add_test(tcase, late_beside_others);
	tcase_add_test(tcase, smtpd_goes_after_the_end);
	tcase_add_test(tcase, smtpd_goes_in_the_body);
	tcase_add_test(tcase, smtpd_goes_at_once);
	tcase_add_test(tcase, relay_ends);
	tcase_add_test(tcase, too_many_recipients);
	tcase_add_test(tcase, log_is_escaped);
	tcase_add_test(tcase, log_says_why);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
