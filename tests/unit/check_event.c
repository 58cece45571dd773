/* SPDX-License-Identifier: ISC
 *
 * The filter protocol: what smtpd says in 6.8 and 7.6, what it does not, and that it can read
 * whatever is answered.
 */
#include "opensmtpd/proto/event.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "unit.h"

#define AT  "1795336346.813468|"
#define IN7 "report|0.7|" AT "smtp-in|"
#define IN6 "report|0.6|" AT "smtp-in|"
#define OUT "report|0.7|" AT "smtp-out|"
#define ASK "filter|0.7|" AT "smtp-in|"
#define SID "b4dfcc8e6c8ea9d4"
#define TOK "a1b2c3d4e5f60718"

static void
parse(const char *line, struct event *event)
{
	struct guard g;

	guard_init(&g, line, strlen(line));
	event_parse(g.span, event);
	guard_clear(&g);
}

static const struct {
	const char *name, *line;
	enum event_kind kind;
} kinds[] = {
	{ "version of smtpd", "config|smtpd-version|6.8.0p2", EVENT_CONFIG },
	{ "protocol", "config|protocol|0.7", EVENT_CONFIG },
	{ "subsystem", "config|subsystem|smtp-out", EVENT_CONFIG },
	{ "key without value", "config|something", EVENT_CONFIG },
	{ "end of configuration", "config|ready", EVENT_READY },
	{ "ready with more", "config|ready|now", EVENT_CONFIG },
	{ "no key", "config|", EVENT_MALFORMED },
	{ "question 0.7", ASK "rcpt-to|" SID "|" TOK "|u@x.example", EVENT_RCPT },
	{ "question 0.5", "filter|0.5|" AT "smtp-in|rcpt-to|" SID "|" TOK "|u@x.example",
	    EVENT_RCPT },
	{ "question 0.9", "filter|0.9|" AT "smtp-in|rcpt-to|" SID "|" TOK "|u@x.example",
	    EVENT_RCPT },
	{ "question 1.0", "filter|1.0|" AT "smtp-in|rcpt-to|" SID "|" TOK "|u@x.example",
	    EVENT_OTHER },
	{ "question 0.4", "filter|0.4|" AT "smtp-in|rcpt-to|" SID "|" TOK "|u@x.example",
	    EVENT_OTHER },
	{ "question, no version", "filter|x|" AT "smtp-in|rcpt-to|" SID "|" TOK "|u",
	    EVENT_MALFORMED },
	{ "question, no address", ASK "rcpt-to|" SID "|" TOK "|", EVENT_RCPT },
	{ "question, no token", ASK "rcpt-to|" SID, EVENT_MALFORMED },
	{ "question, empty token", ASK "rcpt-to|" SID "||u@x.example", EVENT_MALFORMED },
	{ "question, token of 17", ASK "rcpt-to|" SID "|0" TOK "|u@x.example", EVENT_MALFORMED },
	{ "question, token no number", ASK "rcpt-to|" SID "|a1b2c3d4e5f6071g|u@x.example",
	    EVENT_MALFORMED },
	{ "question, sign", ASK "rcpt-to|" SID "|-1|u@x.example", EVENT_MALFORMED },
	{ "question, no session", ASK "rcpt-to||" TOK "|u@x.example", EVENT_MALFORMED },
	{ "another phase", ASK "mail-from|" SID "|" TOK "|u@x.example", EVENT_QUESTION },
	{ "a phase to come", ASK "teapot|" SID "|" TOK "|u@x.example", EVENT_QUESTION },
	{ "a line of a message", ASK "data-line|" SID "|" TOK "|hello", EVENT_OTHER },
	{ "a direction to come", "filter|0.8|" AT "smtp-up|rcpt-to|" SID "|" TOK "|u",
	    EVENT_OTHER },
	{ "connect", IN7 "link-connect|" SID "|mx.example|pass|192.0.2.1:33174|192.0.2.2:25",
	    EVENT_CONNECT },
	{ "connect 0.6", IN6 "link-connect|" SID "|mx.example|fail|192.0.2.1:33174|192.0.2.2:25",
	    EVENT_CONNECT },
	{ "connect 0.8",
	    "report|0.8|" AT "smtp-in|link-connect|" SID "|m|pass|192.0.2.1:1|192.0.2.2:2",
	    EVENT_CONNECT },
	{ "connect, three fields", IN7 "link-connect|" SID "|mx.example|192.0.2.1:1|192.0.2.2:25",
	    EVENT_CONNECT },
	{ "connect, two fields", IN7 "link-connect|" SID "|192.0.2.1:1|192.0.2.2:25",
	    EVENT_MALFORMED },
	{ "connect, no port", IN7 "link-connect|" SID "|m|pass|192.0.2.1|192.0.2.2:25",
	    EVENT_MALFORMED },
	{ "connect, port 65536", IN7 "link-connect|" SID "|m|pass|192.0.2.1:65536|192.0.2.2:25",
	    EVENT_MALFORMED },
	{ "connect, no address", IN7 "link-connect|" SID "|m|pass|:25|192.0.2.2:25",
	    EVENT_MALFORMED },
	{ "connect, half a bracket", IN7 "link-connect|" SID "|m|pass|[::1:25|192.0.2.2:25",
	    EVENT_MALFORMED },
	{ "connect, long address",
	    IN7 "link-connect|" SID "|m|pass|[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:1|"
		"192.0.2.2:25",
	    EVENT_MALFORMED },
	{ "disconnect", IN7 "link-disconnect|" SID, EVENT_DISCONNECT },
	{ "disconnect, no session", IN7 "link-disconnect", EVENT_MALFORMED },
	{ "disconnect, session no number", IN7 "link-disconnect|zz", EVENT_MALFORMED },
	{ "auth 0.7", IN7 "link-auth|" SID "|pass|joe", EVENT_AUTH },
	{ "auth 0.6", IN6 "link-auth|" SID "|joe|pass", EVENT_AUTH },
	{ "auth 0.6 read as 0.7", IN7 "link-auth|" SID "|joe|pass", EVENT_MALFORMED },
	{ "auth 0.7 read as 0.6", IN6 "link-auth|" SID "|pass|joe", EVENT_MALFORMED },
	{ "auth 0.8", "report|0.8|" AT "smtp-in|link-auth|" SID "|pass|joe", EVENT_OTHER },
	{ "auth, one field", IN7 "link-auth|" SID "|pass", EVENT_MALFORMED },
	{ "auth, empty", IN7 "link-auth|" SID, EVENT_MALFORMED },
	{ "begin", OUT "tx-begin|" SID "|4f0a1b2c", EVENT_BEGIN },
	{ "begin, message of 9", OUT "tx-begin|" SID "|4f0a1b2c0", EVENT_MALFORMED },
	{ "begin, no message", OUT "tx-begin|" SID, EVENT_MALFORMED },
	{ "envelope", OUT "tx-envelope|" SID "|4f0a1b2c|4f0a1b2c00000001", EVENT_ENVELOPE },
	{ "envelope, none", OUT "tx-envelope|" SID "|4f0a1b2c", EVENT_MALFORMED },
	{ "envelope, of 17", OUT "tx-envelope|" SID "|4f0a1b2c|4f0a1b2c000000011",
	    EVENT_MALFORMED },
	{ "not asked for", OUT "link-tls|" SID "|TLSv1.3:x:256", EVENT_OTHER },
	{ "an event to come", OUT "tx-teapot|" SID "|4f0a1b2c", EVENT_OTHER },
	{ "a line to come", "query|0.7|" AT "smtp-in|x", EVENT_OTHER },
	{ "report 2.0", "report|2.0|" AT "smtp-in|link-disconnect|" SID, EVENT_OTHER },
	{ "nothing", "", EVENT_MALFORMED },
	{ "a word", "filter", EVENT_MALFORMED },
	{ "bars", "||||||||", EVENT_OTHER },
	{ "filter and bars", "filter|||||||||", EVENT_MALFORMED },
	{ "report and bars", "report|0.7||||||||", EVENT_OTHER },
};

START_TEST(kind)
{
	struct event event;

	parse(kinds[_i].line, &event);
	ck_assert_msg(event.kind == kinds[_i].kind, "%s: %d", kinds[_i].name, (int)event.kind);
}
END_TEST

/* Every beginning of every line, and each with one octet changed: never a crash, nor an over-read.
 */
START_TEST(cut_and_changed)
{
	char line[512];
	struct event event;
	size_t n = strlen(kinds[_i].line);

	for (size_t cut = 0; cut < n; cut++) {
		memcpy(line, kinds[_i].line, cut);
		line[cut] = '\0';
		parse(line, &event);
		memcpy(line, kinds[_i].line, n + 1);
		line[cut] = "|\n@:]\377"[cut % 6];
		parse(line, &event);
	}
}
END_TEST

static const struct {
	const char *recipient, *domain;
} recipients[] = {
	{ "u@x.example", "x.example" },
	{ "U@X.Example", "x.example" },
	{ "@relay.example:v@y.example", "y.example" },
	{ "\"a@b.example\"@c.example", "c.example" },
	{ "a|b@c.example", "c.example" },
	{ "u@[192.0.2.1]", "[192.0.2.1]" },
	{ "u@[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]" },
	{ "postmaster", "" },
	{ "u@", "" },
	{ "", "" },
	{ "@", "" },
	{ "u@a b.example", "" },
	{ "u@a\tb.example", "" },
	{ "u@b\303\274cher.example", "" },
};

START_TEST(recipient)
{
	char line[512];
	struct event event;

	snprintf(line, sizeof line, ASK "rcpt-to|" SID "|" TOK "|%s", recipients[_i].recipient);
	event_parse(span_of(line), &event);
	ck_assert_int_eq(event.kind, EVENT_RCPT);
	ck_assert_uint_eq(event.session, 0xb4dfcc8e6c8ea9d4);
	ck_assert_uint_eq(event.token, 0xa1b2c3d4e5f60718);
	ck_assert(span_is(event.recipient, recipients[_i].recipient));
	ck_assert_str_eq(event.domain, recipients[_i].domain);
}
END_TEST

/* A NUL ends no name: "good.example\0.evil.example" is not good.example. */
START_TEST(nul_in_a_recipient)
{
	static const char line[] = ASK "rcpt-to|" SID "|" TOK "|u@good.example\0.evil.example";
	struct event event;

	event_parse(span_make(line, sizeof line - 1), &event);
	ck_assert_int_eq(event.kind, EVENT_RCPT);
	ck_assert_str_eq(event.domain, "");
}
END_TEST

START_TEST(long_recipients)
{
	char line[4096];
	struct event event;

	for (int n = 250; n < 2000; n++) {
		int at = snprintf(line, sizeof line, ASK "rcpt-to|" SID "|" TOK "|u@");
		memset(line + at, 'A', (size_t)n);
		event_parse(span_make(line, (size_t)(at + n)), &event);
		ck_assert_int_eq(event.kind, EVENT_RCPT);
		ck_assert_uint_eq(strlen(event.domain), n <= EVENT_DOMAIN_MAX ? (size_t)n : 0);
	}
}
END_TEST

static const struct {
	const char *version, *fields, *user;
	bool is_passed;
} auths[] = {
	{ "0.7", "pass|joe", "joe", true },
	{ "0.7", "fail|joe", "joe", false },
	{ "0.7", "error|joe", "joe", false },
	{ "0.7", "fail|pass", "pass", false },
	{ "0.7", "fail|x|pass", "x|pass", false },
	{ "0.7", "pass|", "", true },
	{ "0.6", "joe|pass", "joe", true },
	{ "0.6", "joe|fail", "joe", false },
	{ "0.6", "pass|fail", "pass", false },
	{ "0.6", "x|pass|fail", "x|pass", false },
	{ "0.6", "|error", "", false },
	{ "0.5", "joe|pass", "joe", true },
};

/* Who fails cannot choose a user name that passes. */
START_TEST(auth)
{
	char line[256];
	struct event event;

	snprintf(line, sizeof line, "report|%s|" AT "smtp-in|link-auth|" SID "|%s",
	    auths[_i].version, auths[_i].fields);
	event_parse(span_of(line), &event);
	ck_assert_int_eq(event.kind, EVENT_AUTH);
	ck_assert_int_eq(event.direction, EVENT_IN);
	ck_assert(span_is(event.user, auths[_i].user));
	ck_assert(event.is_passed == auths[_i].is_passed);
}
END_TEST

static const struct {
	const char *text;
	int family;
	const char *host;
	unsigned port;
} addresses[] = {
	{ "127.0.0.1:33174", AF_INET, "127.0.0.1", 33174 },
	{ "0.0.0.0:0", AF_INET, "0.0.0.0", 0 },
	{ "[::1]:25", AF_INET6, "::1", 25 },
	{ "[2001:db8::1]:65535", AF_INET6, "2001:db8::1", 65535 },
	{ "[::ffff:192.0.2.1]:25", AF_INET6, "::ffff:192.0.2.1", 25 },
	{ "[fe80::1%eth0]:25", AF_INET6, "fe80::1", 25 },
	{ "unix:/var/run/smtpd.sock", AF_UNIX, NULL, 0 },
	{ "local", AF_UNIX, NULL, 0 },
	{ "local:0", AF_UNIX, NULL, 0 },
};

static void
address_check(const struct sockaddr_storage *address, size_t i)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	bool is_v6 = address->ss_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	ck_assert_int_eq(address->ss_family, addresses[i].family);
	if (addresses[i].host == NULL)
		return;
	ck_assert_uint_eq(ntohs(is_v6 ? in6->sin6_port : in->sin_port), addresses[i].port);
	inet_ntop(address->ss_family, is_v6 ? (const void *)&in6->sin6_addr : &in->sin_addr, text,
	    sizeof text);
	ck_assert_str_eq(text, addresses[i].host);
}

START_TEST(address)
{
	char line[256];
	struct event event;

	snprintf(line, sizeof line,
	    OUT "link-connect|" SID "|<unknown>|pass|%s|127.7.146.175:10027", addresses[_i].text);
	event_parse(span_of(line), &event);
	ck_assert_int_eq(event.kind, EVENT_CONNECT);
	ck_assert_int_eq(event.direction, EVENT_OUT);
	address_check(&event.from, (size_t)_i);
	snprintf(line, sizeof line,
	    IN6 "link-connect|" SID "|a|pass|127.0.0.2:1|127.0.0.3:2|error|"
		"127.0.0.1:10027|%s",
	    addresses[_i].text);
	event_parse(span_of(line), &event);
	ck_assert_int_eq(event.kind, EVENT_CONNECT);
	address_check(&event.to, (size_t)_i);
}
END_TEST

/* A reverse name is its owner's: what it says of addresses counts for nothing. */
START_TEST(reverse_name_with_bars)
{
	struct event event;

	parse(IN7 "link-connect|" SID
		  "|x|pass|127.0.0.1:1|127.0.0.1:25|fail|192.0.2.1:7|192.0.2.2:25",
	    &event);
	ck_assert_int_eq(event.kind, EVENT_CONNECT);
	ck_assert_uint_eq(ntohl(((struct sockaddr_in *)&event.from)->sin_addr.s_addr), 0xc0000201);
	ck_assert_uint_eq(ntohs(((struct sockaddr_in *)&event.from)->sin_port), 7);
}
END_TEST

START_TEST(envelope)
{
	struct event event;

	parse(OUT "tx-envelope|" SID "|4f0a1b2c|4F0A1B2C00000001", &event);
	ck_assert_int_eq(event.direction, EVENT_OUT);
	ck_assert_uint_eq(event.session, 0xb4dfcc8e6c8ea9d4);
	ck_assert_uint_eq(event.message, 0x4f0a1b2c);
	ck_assert_uint_eq(event.envelope, 0x4f0a1b2c00000001);
	parse(OUT "tx-begin|" SID "|4f0a1b2c", &event);
	ck_assert_uint_eq(event.message, 0x4f0a1b2c);
}
END_TEST

START_TEST(configuration)
{
	static const char line[] = "config|admd|a|b";
	struct event event;

	event_parse(span_of(line), &event);
	ck_assert(span_is(event.key, "admd") && span_is(event.value, "a|b"));
}
END_TEST

/* ---- what is written, read as smtpd reads it ---- */

/*
 * A result line as both versions of lka_filter.c take it: false where they end smtpd (or where
 * 6.8, which looks at 2047 octets, sees another line).
 */
static bool
smtpd_takes(const char *line, size_t n, uint64_t session, uint64_t token, const char **parameter)
{
	const char *p = line;
	char *end;

	*parameter = NULL;
	if (n != strlen(line) || n > 2047 || strncmp(p, "filter-result|", 14) != 0)
		return false;
	p += 14;
	if (strtoull(p, &end, 16) != session || end == p || *end != '|')
		return false;
	p = end + 1;
	if (strtoull(p, &end, 16) != token || end == p || *end != '|')
		return false;
	p = end + 1;
	if (strcmp(p, "proceed") == 0)
		return true;
	if (strncmp(p, "reject|", 7) != 0)
		return false;
	*parameter = p + 7;
	return true;
}

/* What smtp_session.c gives the client as it is: else it is "421 Internal server error". */
static bool
is_reply(const char *s)
{
	return strlen(s) >= 5 && (s[0] == '4' || s[0] == '5') && is_digit(s[1]) && is_digit(s[2]) &&
	       s[3] == ' ' && strncmp(s, "421", 3) != 0;
}

static void
reject_check(
    uint64_t session, uint64_t token, unsigned code, const char *enhanced, const char *text)
{
	char storage[EVENT_LINE_MAX + 1];
	const char *parameter;
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	event_put_reject(&out, session, token, code, enhanced, text);
	ck_assert(!out.full && out.n > 0 && out.p[out.n - 1] == '\n');
	out.p[--out.n] = '\0';
	for (size_t i = 0; i < out.n; i++)
		ck_assert(is_print(out.p[i]));
	ck_assert(smtpd_takes(out.p, out.n, session, token, &parameter));
	ck_assert(parameter != NULL && is_reply(parameter));
	ck_assert_uint_le(strlen(parameter), 510);
}

START_TEST(proceed)
{
	static const uint64_t ids[] = { 0, 1, 0x7fffffffffffffff, 0xb4dfcc8e6c8ea9d4, UINT64_MAX };
	char storage[EVENT_LINE_MAX + 1];
	const char *parameter;
	struct buf out;

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		buf_init(&out, storage, sizeof storage);
		event_put_proceed(&out, ids[i], ids[4 - i]);
		ck_assert(!out.full && out.p[out.n - 1] == '\n');
		out.p[--out.n] = '\0';
		ck_assert(smtpd_takes(out.p, out.n, ids[i], ids[4 - i], &parameter));
		ck_assert_ptr_null(parameter);
	}
}
END_TEST

START_TEST(reject)
{
	char storage[EVENT_LINE_MAX + 1];
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	event_put_reject(&out, 0xb4dfcc8e6c8ea9d4, 0xa1b2c3d4e5f60718, 550, "5.4.8",
	    "MX hosts of 'x.example' failed MTA-STS validation.");
	ck_assert_str_eq(out.p,
	    "filter-result|" SID "|" TOK "|reject|550 5.4.8 MX hosts of 'x.example' failed MTA-STS "
	    "validation.\n");
}
END_TEST

/* Any code, any octets, any length: one line that smtpd takes, and no disconnection. */
START_TEST(reject_anything)
{
	static const unsigned codes[] = { 0, 200, 250, 354, 399, 400, 421, 450, 550, 599, 600,
		99999 };
	char text[2048], enhanced[64];

	srandom(1);
	for (int round = 0; round < 1000; round++) {
		size_t n = (size_t)random() % sizeof text, m = (size_t)random() % sizeof enhanced;
		for (size_t i = 0; i < n; i++)
			text[i] = (char)(random() % 255 + 1);
		for (size_t i = 0; i < m; i++)
			enhanced[i] = (char)(random() % 255 + 1);
		text[n] = enhanced[m] = '\0';
		reject_check((uint64_t)random() << 33 | (uint64_t)random(),
		    (uint64_t)random() << 40, codes[round % (int)(sizeof codes / sizeof codes[0])],
		    enhanced, text);
	}
	reject_check(0, UINT64_MAX, 550, "", "");
}
END_TEST

START_TEST(registration)
{
	/* the hooks of both versions' lka_filter.c */
	static const char *const known[] = { "register|filter|smtp-in|rcpt-to",
		"register|report|smtp-in|link-connect", "register|report|smtp-in|link-auth",
		"register|report|smtp-in|link-disconnect", "register|report|smtp-out|link-connect",
		"register|report|smtp-out|tx-begin", "register|report|smtp-out|tx-envelope",
		"register|report|smtp-out|link-disconnect", "register|ready" };
	char storage[EVENT_LINE_MAX + 1];
	struct buf out;
	size_t i = 0;

	buf_init(&out, storage, sizeof storage);
	event_put_register(&out);
	ck_assert(!out.full);
	for (struct span rest = span_make(out.p, out.n); rest.n > 0; i++) {
		struct span line = span_make(rest.p, span_find(rest, '\n'));
		ck_assert(line.n < rest.n);
		ck_assert_uint_lt(i, sizeof known / sizeof known[0]);
		ck_assert(span_is(line, known[i]));
		rest = span_from(rest, line.n + 1);
	}
	ck_assert_uint_eq(i, sizeof known / sizeof known[0]);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof(table)[0])

int
main(void)
{
	Suite *suite = suite_create("event");
	TCase *tests = tcase_create("event");

	tcase_set_timeout(tests, 60); /* under sanitizers, on a busy machine */
	tcase_add_loop_test(tests, kind, 0, N(kinds));
	tcase_add_loop_test(tests, cut_and_changed, 0, N(kinds));
	tcase_add_loop_test(tests, recipient, 0, N(recipients));
	tcase_add_test(tests, nul_in_a_recipient);
	tcase_add_test(tests, long_recipients);
	tcase_add_loop_test(tests, auth, 0, N(auths));
	tcase_add_loop_test(tests, address, 0, N(addresses));
	tcase_add_test(tests, reverse_name_with_bars);
	tcase_add_test(tests, envelope);
	tcase_add_test(tests, configuration);
	tcase_add_test(tests, proceed);
	tcase_add_test(tests, reject);
	tcase_add_test(tests, reject_anything);
	tcase_add_test(tests, registration);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
