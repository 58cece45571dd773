/* SPDX-License-Identifier: ISC
 *
 * The supervisor between a smtpd and a worker of the tests: what it says to either.
 */
#include "opensmtpd/supervisor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opensmtpd/lines.h"
#include "tests/unit/nomem.h"
#include "tests/unit/unit.h"

enum { DEADLINE = 15, MARGIN = 1000 /* ms, as mtasts-opensmtpd(7) says */ };

static int64_t now_ms;
static struct clock the_clock;
static struct loop *loop;
static struct mtasts_config config;
static struct supervisor *supervisor;
static struct log no_log;

/* ---- no library in the loop ---- */

size_t
mtasts_pollfds(struct mtasts *ctx, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	(void)ctx;
	(void)fds;
	(void)cap;
	*timeout_ms = -1;
	return 0;
}

int
mtasts_process(struct mtasts *ctx)
{
	(void)ctx;
	return 0;
}

/* ---- smtpd and the worker ---- */

static char said[4096]; /* to smtpd since the last look */
static size_t n_said;
static struct channel_message told; /* to the worker, last */
static unsigned n_told;
static bool is_bad;   /* no whole line, or no message */
static bool is_alone; /* there is no worker */

static void
on_say(void *arg, struct span lines)
{
	(void)arg;
	is_bad |= lines.n == 0 || lines.p[lines.n - 1] != '\n';
	if (n_said + lines.n < sizeof said)
		memcpy(said + n_said, lines.p, lines.n);
	n_said += lines.n;
}

static int
on_tell(void *arg, const struct channel_message *message)
{
	char octets[CHANNEL_MAX + 1];
	struct channel_message again;
	struct buf out;

	(void)arg;
	if (is_alone)
		return -1;
	buf_init(&out, octets, sizeof octets);
	channel_format(&out, message);
	is_bad |= out.full || channel_parse(span_make(out.p, out.n), &again) != 0;
	told = *message;
	n_told++;
	return 0;
}

static const char *
heard(void)
{
	ck_assert(!is_bad);
	said[n_said < sizeof said ? n_said : 0] = '\0';
	n_said = 0;
	return said;
}

static void line(const char *fmt, ...) ATTR_PRINTF(1, 2);

static void
line(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	supervisor_line(supervisor, span_of(text), false);
}

static void
client(unsigned session, const char *from)
{
	line("report|0.7|1.1|smtp-in|link-connect|%016x|host|pass|%s|192.0.2.25:25", session, from);
}

static void
rcpt(unsigned session, const char *address)
{
	line("filter|0.7|1.1|smtp-in|rcpt-to|%016x|00000000000000aa|%s", session, address);
}

static const char *
proceeds(unsigned session)
{
	static char text[128];

	snprintf(text, sizeof text, "filter-result|%016x|00000000000000aa|proceed\n", session);
	return text;
}

static void
answer(uint64_t question, unsigned code)
{
	struct channel_message m = { .kind = CHANNEL_ANSWER, .id = question, .code = code };

	strcpy(m.enhanced, "5.4.8");
	strcpy(m.text, "No");
	supervisor_answer(supervisor, &m);
}

static int64_t
mono(void *arg)
{
	(void)arg;
	return now_ms;
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
pass(int64_t ms)
{
	struct loop_timer end = { .fn = stop };

	now_ms += ms;
	ck_assert_int_eq(loop_timer_set(loop, &end, 0), 0);
	loop_run(loop);
}

static void
setup(void)
{
	static const struct supervisor_ports ports = { NULL, on_say, on_tell };

	n_said = 0;
	n_told = 0;
	is_alone = false;
	now_ms = 0;
	the_clock = clock_system();
	the_clock.mono_ms = mono;
	loop = loop_new(&the_clock);
	conf_defaults(&config);
	config.deadline = DEADLINE;
	ck_assert_int_eq(conf_set(&config, span_of("local_domains"), span_of("own.example")), 0);
	supervisor = supervisor_new(loop, &config, &ports, &no_log);
	ck_assert_ptr_nonnull(supervisor);
}

static void
teardown(void)
{
	supervisor_free(supervisor);
	loop_free(loop);
}

/* ---- tests ---- */

/* What 6.8 and 7.6 say before they listen to anybody. */
START_TEST(test_handshake)
{
	static const char *const old[] = { "config|smtpd-version|6.8.0p2",
		"config|smtp-session-timeout|300", "config|subsystem|smtp-in",
		"config|subsystem|smtp-out", "config|admd|client.example", NULL };
	static const char *const new[] = { "config|smtpd-version|7.6.0-portable",
		"config|protocol|0.7", "config|smtp-session-timeout|300",
		"config|subsystem|smtp-in", "config|admd|client.example", NULL };
	const char *const *lines = _i == 0 ? old : new;

	for (; *lines != NULL; lines++)
		line("%s", *lines);
	ck_assert_str_eq(heard(), "");
	line("config|ready");
	const char *text = heard();
	ck_assert_ptr_nonnull(strstr(text, "register|filter|smtp-in|rcpt-to\n"));
	ck_assert_ptr_nonnull(strstr(text, "register|report|smtp-out|tx-envelope\n"));
	ck_assert_str_eq(text + strlen(text) - strlen("register|ready\n"), "register|ready\n");
	line("config|ready"); /* twice would be the end of smtpd */
	ck_assert_str_eq(heard(), "");
}
END_TEST

START_TEST(test_hold)
{
	client(1, "127.0.0.1:4711");
	rcpt(1, "User@Example.NET");
	ck_assert_str_eq(heard(), "");
	ck_assert_uint_eq(supervisor_held(supervisor), 1);
	ck_assert_int_eq(told.kind, CHANNEL_QUESTION);
	ck_assert_str_eq(told.domain.name, "example.net");
	answer(told.id + 1, 0); /* of another question */
	ck_assert_str_eq(heard(), "");
	answer(told.id, 0);
	ck_assert_str_eq(heard(), proceeds(1));
	answer(told.id, 550); /* twice */
	ck_assert_str_eq(heard(), "");
	rcpt(1, "user@other.example");
	answer(told.id, 550);
	ck_assert_str_eq(
	    heard(), "filter-result|0000000000000001|00000000000000aa|reject|550 5.4.8 No\n");
	ck_assert_uint_eq(supervisor_held(supervisor), 0);
}
END_TEST

static const struct {
	const char *name, *from, *rcpt;
	bool is_asked;
} clients[] = {
	{ "loopback", "127.0.0.1:4711", "u@x.example", true },
	{ "loopback, other", "127.9.9.9:4711", "u@x.example", true },
	{ "loopback, IPv6", "[::1]:4711", "u@x.example", true },
	{ "loopback, mapped", "[::ffff:127.0.0.1]:4711", "u@x.example", true },
	{ "local socket", "local", "u@x.example", true },
	{ "unix socket", "unix:/run/smtpd.sock", "u@x.example", true },
	{ "stranger", "192.0.2.1:4711", "u@x.example", false },
	{ "stranger, IPv6", "[2001:db8::1]:4711", "u@x.example", false },
	{ "stranger, mapped", "[::ffff:192.0.2.1]:4711", "u@x.example", false },
	{ "own domain", "127.0.0.1:4711", "u@OWN.example", false },
	{ "below an own domain", "127.0.0.1:4711", "u@sub.own.example", true },
	{ "address literal", "127.0.0.1:4711", "u@[192.0.2.1]", false },
	{ "address literal, IPv6", "127.0.0.1:4711", "u@[IPv6:2001:db8::1]", false },
	{ "address", "127.0.0.1:4711", "u@192.0.2.1", false },
	{ "no domain", "127.0.0.1:4711", "postmaster", false },
	{ "empty domain", "127.0.0.1:4711", "u@", false },
	{ "no name of a domain", "127.0.0.1:4711", "u@a..example", false },
	{ "source route", "127.0.0.1:4711", "@relay.example:u@x.example", true },
	{ "bar", "127.0.0.1:4711", "a|b@x.example", true },
};

START_TEST(test_who_is_asked_for)
{
	client(1, clients[_i].from);
	rcpt(1, clients[_i].rcpt);
	ck_assert_msg((n_told == 1) == clients[_i].is_asked, "%s", clients[_i].name);
	ck_assert_str_eq(heard(), clients[_i].is_asked ? "" : proceeds(1));
}
END_TEST

START_TEST(test_authenticated)
{
	client(1, "192.0.2.1:4711");
	line("report|0.7|1.1|smtp-in|link-auth|%016x|fail|user", 1);
	rcpt(1, "u@x.example");
	ck_assert_uint_eq(n_told, 0);
	line("report|0.7|1.1|smtp-in|link-auth|%016x|pass|user", 1);
	rcpt(1, "u@x.example");
	ck_assert_uint_eq(n_told, 1);
	line("report|0.6|1.1|smtp-in|link-connect|%016x|host|pass|192.0.2.1:4711|192.0.2.25:25", 2);
	line("report|0.6|1.1|smtp-in|link-auth|%016x|pass|fail", 2); /* a user of that name */
	rcpt(2, "u@x.example");
	ck_assert_uint_eq(n_told, 1);
	line("report|0.6|1.1|smtp-in|link-auth|%016x|fail|pass", 2);
	rcpt(2, "u@x.example");
	ck_assert_uint_eq(n_told, 2);
	/* its number is a stranger's now */
	line("report|0.7|1.1|smtp-in|link-disconnect|%016x", 2);
	answer(told.id, 0);
	client(2, "192.0.2.1:4711");
	rcpt(2, "u@x.example");
	ck_assert_uint_eq(n_told, 2);
	rcpt(3, "u@x.example"); /* of whom nothing was heard */
	ck_assert_uint_eq(n_told, 2);
}
END_TEST

START_TEST(test_out_of_order)
{
	uint64_t questions[3];

	for (unsigned i = 0; i < 3; i++) {
		client(i, "local");
		rcpt(i, "u@x.example");
		questions[i] = told.id;
	}
	answer(questions[1], 0);
	ck_assert_str_eq(heard(), proceeds(1));
	answer(questions[2], 0);
	ck_assert_str_eq(heard(), proceeds(2));
	answer(questions[0], 0);
	ck_assert_str_eq(heard(), proceeds(0));
}
END_TEST

START_TEST(test_deadline)
{
	client(1, "local");
	client(2, "local");
	rcpt(1, "u@x.example");
	uint64_t question = told.id;
	pass(1000);
	rcpt(2, "u@x.example");
	pass(DEADLINE * 1000 + MARGIN - 1001);
	ck_assert_str_eq(heard(), "");
	pass(1);
	ck_assert_str_eq(heard(), proceeds(1));
	answer(question, 550); /* too late */
	ck_assert_str_eq(heard(), "");
	rcpt(1, "u@y.example");
	answer(question, 550); /* and no answer to this one */
	ck_assert_str_eq(heard(), "");
	pass(1000);
	ck_assert_str_eq(heard(), proceeds(2));
}
END_TEST

START_TEST(test_worker_goes)
{
	for (unsigned i = 0; i < 3; i++) {
		client(i, "local");
		rcpt(i, "u@x.example");
	}
	supervisor_alone(supervisor);
	ck_assert_uint_eq(n_said, 3 * strlen(proceeds(0)));
	heard();
	is_alone = true;
	rcpt(1, "u@x.example");
	ck_assert_str_eq(heard(), proceeds(1));
	is_alone = false;
	rcpt(1, "u@x.example");
	ck_assert_str_eq(heard(), "");
	answer(told.id, 0);
	ck_assert_str_eq(heard(), proceeds(1));
}
END_TEST

/* The client has gone, smtpd waits for the answer all the same. */
START_TEST(test_client_goes)
{
	client(1, "local");
	rcpt(1, "u@x.example");
	line("report|0.7|1.1|smtp-in|link-disconnect|%016x", 1);
	ck_assert_str_eq(heard(), "");
	answer(told.id, 550);
	ck_assert_str_eq(
	    heard(), "filter-result|0000000000000001|00000000000000aa|reject|550 5.4.8 No\n");
	rcpt(1, "u@x.example"); /* no longer trusted: it is not known */
	ck_assert_str_eq(heard(), proceeds(1));
}
END_TEST

/* smtpd asks anew before the answer: no question may be left without one. */
START_TEST(test_asked_twice)
{
	client(1, "local");
	rcpt(1, "u@x.example");
	rcpt(1, "u@y.example");
	ck_assert_str_eq(heard(), proceeds(1));
	answer(told.id, 0);
	ck_assert_str_eq(heard(), proceeds(1));
	rcpt(1, "u@x.example");
	line("report|0.7|1.1|smtp-in|link-disconnect|%016x", 1);
	rcpt(1, "u@y.example");
	ck_assert_uint_eq(n_said, 2 * strlen(proceeds(1)));
}
END_TEST

START_TEST(test_own_connections)
{
	line("report|0.7|1.1|smtp-out|link-connect|%016x||pass|127.0.0.1:4711|127.1.2.3:10027", 7);
	ck_assert_int_eq(told.kind, CHANNEL_CONNECT);
	ck_assert_uint_eq(told.id, 7);
	line("report|0.7|1.1|smtp-out|tx-begin|%016x|12345678", 7);
	ck_assert_int_eq(told.kind, CHANNEL_BEGIN);
	line("report|0.7|1.1|smtp-out|tx-envelope|%016x|12345678|123456789abcdef0", 7);
	ck_assert_int_eq(told.kind, CHANNEL_ENVELOPE);
	ck_assert_uint_eq(told.envelope, UINT64_C(0x123456789abcdef0));
	line("report|0.7|1.1|smtp-out|link-disconnect|%016x", 7);
	ck_assert_int_eq(told.kind, CHANNEL_DISCONNECT);
	ck_assert_uint_eq(n_told, 4);
	rcpt(7, "u@x.example"); /* its numbers are not those of clients */
	ck_assert_str_eq(heard(), proceeds(7));
}
END_TEST

/* Another worker hears of those that the last one may not have accepted. */
START_TEST(test_own_connections_again)
{
	for (unsigned i = 1; i <= 4; i++)
		line("report|0.7|1.1|smtp-out|link-connect|%016x||pass|127.0.0.1:4711|"
		     "127.1.2.%u:10027",
		    i, i);
	line("report|0.7|1.1|smtp-out|tx-begin|%016x|12345678", 1);
	line("report|0.7|1.1|smtp-out|link-disconnect|%016x", 2);
	line("report|0.7|1.1|smtp-out|link-connect|%016x||pass|127.0.0.1:4711|127.1.2.9:10027", 3);
	supervisor_alone(supervisor);
	n_told = 0;
	supervisor_again(supervisor);
	ck_assert_uint_eq(n_told, 2);
	ck_assert_int_eq(told.kind, CHANNEL_CONNECT);
	ck_assert(told.id == 3 || told.id == 4);
	line("report|0.7|1.1|smtp-out|link-disconnect|%016x", 3);
	line("report|0.7|1.1|smtp-out|link-disconnect|%016x", 4);
	n_told = 0;
	supervisor_again(supervisor);
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

START_TEST(test_other_lines)
{
	line("filter|0.7|1.1|smtp-in|mail-from|%016x|00000000000000aa|u@x.example", 5);
	ck_assert_str_eq(heard(), proceeds(5)); /* nobody registered for it: it has an answer */
	line("garbage");
	line("%s", "");
	line("|||||||");
	line("report|0.7|1.1|smtp-in|link-connect|zz");
	line("report|9.9|1.1|smtp-in|link-connect|%016x|h|pass|local|local", 1);
	ck_assert_str_eq(heard(), "");
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

static void
on_line(void *arg, struct span text, bool is_cut)
{
	(void)arg;
	supervisor_line(supervisor, text, is_cut);
}

/* What is too long is skipped, but smtpd has its answer; the next line is itself again. */
START_TEST(test_long_lines)
{
	static const char question[] =
	    "filter|0.7|1.1|smtp-in|rcpt-to|0000000000000001|00000000000000aa|";
	static char text[LINES_MAX * 3];
	static struct lines lines;
	size_t n = 0;

	memset(&lines, 0, sizeof lines);
	client(1, "local");
	memset(text, 'x', sizeof text);
	n = sizeof text - 1;
	text[n++] = '\n';
	lines_take(&lines, span_make(text, n), on_line, NULL);
	ck_assert_str_eq(heard(), "");
	memcpy(text, question, sizeof question - 1);
	lines_take(&lines, span_make(text, n), on_line, NULL);
	ck_assert_str_eq(heard(), proceeds(1));
	ck_assert_uint_eq(n_told, 0);
	n = sizeof question - 1;
	memcpy(text + n, "u@x.example\n", 12);
	for (size_t i = 0; i < n + 12; i++) /* octet by octet */
		lines_take(&lines, span_make(text + i, 1), on_line, NULL);
	ck_assert_uint_eq(n_told, 1);
	answer(told.id, 0);
	heard();
	/* exactly as long as may be, and one more */
	for (size_t more = 0; more < 2; more++) {
		memset(text, 'x', sizeof text);
		memcpy(text, question, sizeof question - 1);
		memcpy(text + LINES_MAX + more - 10, "@x.example\n", 11);
		lines_take(&lines, span_make(text, LINES_MAX + more + 1), on_line, NULL);
		ck_assert_uint_eq(n_told, 2);
		ck_assert_str_eq(heard(), more == 0 ? "" : proceeds(1));
		if (more == 0)
			answer(told.id, 0);
		heard();
	}
}
END_TEST

START_TEST(test_thousands)
{
	enum { N = 10000 };

	for (unsigned i = 0; i < N; i++) {
		client(i, "local");
		rcpt(i, "u@x.example");
	}
	ck_assert_uint_eq(n_told, N);
	ck_assert_uint_eq(supervisor_held(supervisor), N);
	pass(DEADLINE * 1000 + MARGIN);
	ck_assert_uint_eq(supervisor_held(supervisor), 0);
	ck_assert_uint_eq(n_said, N * strlen(proceeds(0)));
	for (unsigned i = N; i <= SUPERVISOR_SESSIONS_MAX; i++)
		client(i, "local");
	heard();
	rcpt(SUPERVISOR_SESSIONS_MAX, "u@x.example"); /* one too many */
	ck_assert_str_eq(heard(), proceeds(SUPERVISOR_SESSIONS_MAX));
	line("report|0.7|1.1|smtp-in|link-disconnect|%016x", 5);
	client(5, "local");
	rcpt(5, "u@x.example");
	ck_assert_str_eq(heard(), "");
}
END_TEST

START_TEST(test_no_memory)
{
	nomem_after(0);
	client(1, "local");
	rcpt(1, "u@x.example");
	nomem_end();
	ck_assert_str_eq(heard(), proceeds(1));
	client(1, "local");
	nomem_after(0); /* for the deadline's timer */
	rcpt(1, "u@x.example");
	nomem_end();
	ck_assert_str_eq(heard(), proceeds(1));
	rcpt(1, "u@x.example");
	ck_assert_str_eq(heard(), "");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("supervisor");
	TCase *c = tcase_create("supervisor");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, test_handshake, 0, 2);
	tcase_add_test(c, test_hold);
	tcase_add_loop_test(c, test_who_is_asked_for, 0, sizeof clients / sizeof *clients);
	tcase_add_test(c, test_authenticated);
	tcase_add_test(c, test_out_of_order);
	tcase_add_test(c, test_deadline);
	tcase_add_test(c, test_worker_goes);
	tcase_add_test(c, test_client_goes);
	tcase_add_test(c, test_asked_twice);
	tcase_add_test(c, test_own_connections);
	tcase_add_test(c, test_own_connections_again);
	tcase_add_test(c, test_other_lines);
	tcase_add_test(c, test_long_lines);
	tcase_add_test(c, test_thousands);
	tcase_add_test(c, test_no_memory);
	suite_add_tcase(s, c);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
