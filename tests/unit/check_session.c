/* SPDX-License-Identifier: ISC
 *
 * LMTP sessions over real sockets and a real loop: who is served, what is said in which order, and
 * what becomes of a client that goes.
 */
#include "opensmtpd/relay/session.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lmtp_server.h"
#include "unit.h"

static struct fake_record *record;

static void
set_up(void)
{
	server_start();
	record = &server_shared->record;
}

/* So that the other end hears of it at once, whatever it has not read. */
static void
reset(int fd)
{
	struct linger now = { 1, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static void
wait_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

/* Until the server has as many transactions and sessions left. */
static void
expect_left(int transactions, size_t sessions)
{
	for (int i = 0; i < PATIENCE / 10; i++) {
		if (server_sessions() == sessions &&
		    record->n_new - record->n_freed == transactions)
			return;
		wait_ms(10);
	}
	ck_abort_msg("%d transactions, %zu sessions are left", record->n_new - record->n_freed,
	    server_sessions());
}

/* ---- who is served ---- */

START_TEST(announced_before)
{
	int fd = client_connect("127.0.0.1");

	server_announce(fd, 1);
	client_expect(fd, "220 [127.8.7.6] LMTP");
	client_ask(fd, "QUIT", "221 2.0.0");
	client_expect_end(fd);
	expect_left(0, 0);
}
END_TEST

START_TEST(announced_later)
{
	struct pollfd p = { .fd = client_connect("127.0.0.2"), .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, 200), 0);
	server_announce(p.fd, 1);
	client_expect(p.fd, "220 ");
	close(p.fd);
	expect_left(0, 0);
}
END_TEST

START_TEST(not_announced)
{
	int stranger = client_connect("127.0.0.1"), smtpd = client_connect("127.0.0.1");
	int other = client_connect("127.0.0.1");

	client_say(stranger, "LHLO me\r\nMAIL FROM:<>\r\n");
	server_announce(smtpd, 1);
	client_expect(smtpd, "220 ");
	client_expect(stranger, "421 4.7.0");
	client_expect(other, "421 4.7.0");
	ck_assert_int_eq(record->n_new, 0);
	/* both in one line of the log, at most */
	expect_left(0, 1);
	ck_assert_uint_eq(server_shared->n_log_lines, 1);
	ck_assert_ptr_nonnull(strstr(server_shared->log, "relay refused from=127.0.0.1:"));
	close(stranger);
	close(smtpd);
	close(other);
}
END_TEST

START_TEST(strangers_keep_nobody_out)
{
	int strangers[SERVER_MAX], smtpd[SERVER_MAX + 1];

	for (int i = 0; i < SERVER_MAX; i++)
		strangers[i] = client_connect("127.0.0.1");
	for (int i = 0; i < SERVER_MAX; i++) {
		smtpd[i] = client_connect("127.0.0.1");
		server_announce(smtpd[i], (uint64_t)i + 1);
		client_expect(smtpd[i], "220 ");
	}
	for (int i = 0; i < SERVER_MAX; i++)
		client_expect(strangers[i], "421 4.7.0");
	smtpd[SERVER_MAX] = client_connect("127.0.0.1");
	server_announce(smtpd[SERVER_MAX], 99);
	client_expect(smtpd[SERVER_MAX], "421 4.3.2");
	expect_left(0, SERVER_MAX);
	close(smtpd[0]);
	expect_left(0, SERVER_MAX - 1);
	int again = client_ready(100);
	close(again);
	for (int i = 0; i < SERVER_MAX; i++) {
		close(strangers[i]);
		close(smtpd[i + 1]);
	}
	expect_left(0, 0);
}
END_TEST

/* More strangers than are waited for, and places for more. */
START_TEST(many_strangers)
{
	enum { MANY = ANNOUNCED_EXPECTED_MAX + 20 };
	int strangers[MANY];

	server_stop();
	server_max = 2 * MANY;
	set_up();
	for (int i = 0; i < MANY; i++)
		strangers[i] = client_connect("127.0.0.1");
	int smtpd = client_ready(1);
	client_ask(smtpd, "NOOP", "250 ");
	client_expect(strangers[0], "421 4.7.0");
	for (int i = 0; i < MANY; i++)
		close(strangers[i]);
	expect_left(0, 1);
	close(smtpd);
}
END_TEST

START_TEST(strangers_that_go)
{
	for (int i = 0; i < SERVER_MAX; i++)
		close(client_connect("127.0.0.1"));
	expect_left(0, 0);
}
END_TEST

/* ---- a message ---- */

START_TEST(message)
{
	int fd = client_connect("127.0.0.1");

	server_announce(fd, 7);
	client_expect(fd, "220 ");
	client_ask(fd, "LHLO mail.example", "250 ");
	client_ask(fd, "MAIL FROM:<s@c.example> SIZE=12 ENVID=x", "250 2.1.0");
	server_begin(7);
	server_envelope(7, 71);
	client_ask(fd, "RCPT TO:<a@b.example>", "250 2.1.5");
	server_envelope(7, 72);
	client_ask(fd, "RCPT TO:<no@b.example>", "550 5.1.1");
	server_envelope(7, 73);
	client_ask(fd, "RCPT TO:<not an address>", "501 5.1.3");
	server_envelope(7, 74);
	client_ask(fd, "RCPT TO:<bad@b.example>", "250 2.1.5");
	client_ask(fd, "DATA", "354 ");
	client_say(fd, "Received: x;\r\n\tSun, 22 Nov 2020 22:37:42 +0000 (UTC)\r\n\r\n");
	client_say(fd, "hello\r\n..\r\nev\ril\n.\n\r\n.\r\n");
	client_expect(fd, "250 2.0.0 a@b.example has it");
	client_expect(fd, "550 5.1.1 bad@b.example");
	expect_left(0, 1);
	ck_assert_str_eq(record->sender, "s@c.example");
	ck_assert_str_eq(record->helo, "mail.example");
	ck_assert_str_eq(record->envid, "x");
	ck_assert_uint_eq(record->size, 12);
	ck_assert(record->is_8bit && !record->smtputf8);
	ck_assert_int_eq(record->from.ss_family, 0);
	ck_assert_int_eq(record->received, 1606084662);
	ck_assert_uint_eq(record->n_rcpts, 3);
	ck_assert_str_eq(record->rcpts[2], "bad@b.example");
	ck_assert_uint_eq(record->envelopes[0], 71);
	ck_assert_uint_eq(record->envelopes[1], 72);
	ck_assert_uint_eq(record->envelopes[2], 74);
	static const char body[] = "\r\n\r\nhello\r\n..\r\nev il . \r\n";
	ck_assert_uint_gt(record->n_body, sizeof body);
	ck_assert_str_eq(record->body + record->n_body - (sizeof body - 1), body);

	/* the next on the same connection */
	client_ask(fd, "MAIL FROM:<>", "250 ");
	server_begin(7);
	server_envelope(7, 81);
	client_ask(fd, "RCPT TO:<z@b.example>", "250 ");
	client_ask(fd, "DATA", "354 ");
	client_say(fd, ".\r\n");
	client_expect(fd, "250 2.0.0 z@b.example");
	client_ask(fd, "QUIT", "221 ");
	client_expect_end(fd);
	expect_left(0, 0);
	ck_assert_str_eq(record->sender, "");
	ck_assert_uint_eq(record->n_body, 0);
	ck_assert_int_eq(record->received, -1);
	ck_assert_uint_eq(record->envelopes[0], 81);
	ck_assert(record->is_ended && !record->is_freed_early);
}
END_TEST

/* An address of this host beside those of the loopback, as `src` of smtpd.conf would name it. */
static bool
find_address(char *text, size_t size)
{
	struct ifaddrs *all, *one;
	bool is_found = false;

	if (getifaddrs(&all) != 0)
		return false;
	for (one = all; one != NULL && !is_found; one = one->ifa_next) {
		if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET ||
		    (one->ifa_flags & IFF_LOOPBACK) != 0)
			continue;
		struct sockaddr_in in;
		memcpy(&in, one->ifa_addr, sizeof in);
		is_found = inet_ntop(AF_INET, &in.sin_addr, text, (socklen_t)size) != NULL;
	}
	freeifaddrs(all);
	return is_found;
}

START_TEST(source_address)
{
	char address[INET_ADDRSTRLEN];

	if (!find_address(address, sizeof address))
		return;
	int fd = client_connect(address);
	server_announce(fd, 1);
	client_expect(fd, "220 ");
	client_ask(fd, "LHLO mail.example", "250 ");
	client_ask(fd, "MAIL FROM:<>", "250 ");
	struct sockaddr_in from;
	memcpy(&from, &record->from, sizeof from);
	ck_assert_int_eq(from.sin_family, AF_INET);
	ck_assert_uint_eq(from.sin_addr.s_addr, inet_addr(address));
	ck_assert_uint_eq(from.sin_port, 0);
	close(fd);
}
END_TEST

START_TEST(date_of_tomorrow)
{
	int fd = client_ready(1);
	time_t before = time(NULL);

	client_ask(fd, "MAIL FROM:<>", "250 ");
	client_ask(fd, "RCPT TO:<a@b.example>", "250 ");
	client_ask(fd, "DATA", "354 ");
	client_say(fd, "Received: x; 22 Nov 9999 22:37:42 +0000\r\n\r\n.\r\n");
	client_expect(fd, "250 ");
	ck_assert_int_ge(record->received, before);
	ck_assert_int_le(record->received, time(NULL));
	close(fd);
}
END_TEST

START_TEST(finals_in_order)
{
	int fd = client_ready(1);
	char line[64];

	record->is_reversed = true;
	client_ask(fd, "MAIL FROM:<>", "250 ");
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof line, "RCPT TO:<%s%d@b.example>", i % 3 == 0 ? "no" : "u", i);
		client_ask(fd, line, i % 3 == 0 ? "550 " : "250 ");
	}
	client_ask(fd, "DATA", "354 ");
	client_say(fd, ".\r\n");
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof line, "250 2.0.0 u%d@b.example", i);
		if (i % 3 != 0)
			client_expect(fd, line);
	}
	client_ask(fd, "NOOP", "250 2.0.0 Ok");
	close(fd);
}
END_TEST

START_TEST(too_many)
{
	int fd = client_ready(1);
	char line[64];

	client_ask(fd, "MAIL FROM:<>", "250 ");
	for (int i = 0; i < TRANSACTION_RCPTS_MAX; i++) {
		snprintf(line, sizeof line, "RCPT TO:<%d@b.example>", i);
		client_ask(fd, line, "250 ");
	}
	client_ask(fd, "RCPT TO:<more@b.example>", "452 4.5.3");
	client_ask(fd, "RSET", "250 ");
	expect_left(0, 1);
	close(fd);
}
END_TEST

START_TEST(no_memory)
{
	int fd = client_ready(1);

	record->is_full = true;
	client_ask(fd, "MAIL FROM:<>", "451 4.3.0");
	client_ask(fd, "RCPT TO:<a@b.example>", "503 ");
	record->is_full = false;
	client_ask(fd, "MAIL FROM:<>", "250 ");
	close(fd);
}
END_TEST

START_TEST(out_of_order)
{
	int fd = client_connect("127.0.0.1");

	server_announce(fd, 1);
	client_expect(fd, "220 ");
	client_ask(fd, "MAIL FROM:<>", "503 5.5.1");
	client_ask(fd, "EHLO mail.example", "500 ");
	client_ask(fd, "LHLO mail.example", "250 ");
	client_ask(fd, "RCPT TO:<a@b.example>", "503 ");
	client_ask(fd, "DATA", "503 ");
	client_ask(fd, "MAIL FROM:<>", "250 ");
	client_ask(fd, "MAIL FROM:<>", "503 ");
	client_ask(fd, "DATA", "503 ");
	client_ask(fd, "RCPT TO:<no@b.example>", "550 ");
	client_ask(fd, "DATA", "503 ");
	client_ask(fd, "VRFY a", "252 ");
	client_ask(fd, "RSET", "250 ");
	client_ask(fd, "DATA", "503 ");
	client_ask(fd, "RCPT TO:<a@b.example>", "503 ");
	client_ask(fd, "MAIL FROM:<\xc3\xa4@b.example>", "553 5.6.7");
	client_ask(fd, "MAIL FROM:<>", "250 ");
	client_ask(fd, "RCPT TO:<\xc3\xa4@b.example>", "553 5.6.7");
	client_ask(fd, "LHLO mail.example", "250 ");
	client_ask(fd, "DATA", "503 ");
	client_ask(fd, "MAIL FROM:<nodata@b.example> SMTPUTF8", "250 ");
	client_ask(fd, "RCPT TO:<\xc3\xa4@b.example>", "250 ");
	client_ask(fd, "DATA", "554 5.7.1");
	client_ask(fd, "RCPT TO:<a@b.example>", "503 ");
	client_ask(fd, "NOOP\nNOOP", "500 5.5.2");
	client_expect(fd, "250 2.0.0 Ok");
	expect_left(0, 1);
	close(fd);
}
END_TEST

START_TEST(long_line)
{
	static char line[5000];
	int fd = client_ready(1);

	memset(line, 'x', sizeof line);
	client_send(fd, line, 3000);
	client_ask(fd, "", "500 5.5.2");
	client_ask(fd, "NOOP", "250 ");
	client_send(fd, line, sizeof line);
	client_expect(fd, "500 5.5.2");
	close(fd);
	expect_left(0, 0);
}
END_TEST

/* Everything in one segment, the next message behind the first one's end. */
START_TEST(pipelined)
{
	int fd = client_ready(1);

	client_say(fd,
	    "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<no@b.example>\r\n"
	    "RCPT TO:<c@b.example>\r\nDATA\r\nhello\r\n.\r\n"
	    "MAIL FROM:<x@y.example>\r\nRCPT TO:<d@b.example>\r\nDATA\r\nyou\r\n.\r\nQUIT\r\n");
	client_expect(fd, "250 2.1.0");
	client_expect(fd, "250 2.1.5");
	client_expect(fd, "550 ");
	client_expect(fd, "250 2.1.5");
	client_expect(fd, "354 ");
	client_expect(fd, "250 2.0.0 a@b.example");
	client_expect(fd, "250 2.0.0 c@b.example");
	client_expect(fd, "250 2.1.0");
	client_expect(fd, "250 2.1.5");
	client_expect(fd, "354 ");
	client_expect(fd, "250 2.0.0 d@b.example");
	client_expect(fd, "221 ");
	client_expect_end(fd);
	expect_left(0, 0);
	ck_assert_uint_eq(record->n_body, 5);
	ck_assert_int_eq(memcmp(record->body, "you\r\n", 5), 0);
}
END_TEST

START_TEST(octet_by_octet)
{
	static const char all[] =
	    "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\na\r\n..\r\n.\r\n";
	int fd = client_ready(1);

	for (size_t i = 0; i < sizeof all - 1; i++) {
		client_send(fd, all + i, 1);
		wait_ms(1);
	}
	client_expect(fd, "250 2.1.0");
	client_expect(fd, "250 2.1.5");
	client_expect(fd, "354 ");
	client_expect(fd, "250 2.0.0 a@b.example");
	ck_assert_uint_eq(record->n_body, 7);
	ck_assert_int_eq(memcmp(record->body, "a\r\n..\r\n", 7), 0);
	close(fd);
}
END_TEST

/* ---- a large one, and a host that is slow ---- */

START_TEST(large)
{
	enum { LINE = 1000, LINES = 8192 };
	static char line[LINE];
	int fd = client_ready(1);

	record->room = 64 * 1024;
	record->room_ms = 1;
	memset(line, 'x', sizeof line);
	memcpy(line + LINE - 2, "\r\n", 2);
	client_ask(fd, "MAIL FROM:<>", "250 ");
	client_ask(fd, "RCPT TO:<a@b.example>", "250 ");
	client_ask(fd, "DATA", "354 ");
	for (int i = 0; i < LINES; i++)
		client_send(fd, line, LINE);
	client_say(fd, ".\r\n");
	client_expect(fd, "250 ");
	ck_assert_uint_eq(record->n_body, (size_t)LINE * LINES);
	ck_assert_uint_le(record->n_waiting, 4096);
	close(fd);
}
END_TEST

/* No room: the client cannot get rid of more than the sockets hold. */
START_TEST(no_room)
{
	static char text[65536];
	int fd = client_ready(1), n = 0;
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	record->room = 1000;
	record->room_ms = FAKE_NEVER;
	memset(text, 'x', sizeof text);
	client_ask(fd, "MAIL FROM:<>", "250 ");
	client_ask(fd, "RCPT TO:<a@b.example>", "250 ");
	client_ask(fd, "DATA", "354 ");
	while (n < 1000 && poll(&p, 1, 500) == 1 &&
	       send(fd, text, sizeof text, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		n++;
	ck_assert_int_lt(n, 1000);
	ck_assert_uint_le(record->n_waiting, 4096);
	ck_assert_uint_le(record->n_body, 1000 + 4096);
	reset(fd);
	expect_left(0, 0);
	ck_assert(record->is_freed_early);
}
END_TEST

/* ---- envelopes ---- */

/* While a message may have been accepted meanwhile its envelope is worth waiting for. */
START_TEST(late_envelope)
{
	int fd = client_ready(5);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	server_late(1234);
	client_ask(fd, "MAIL FROM:<>", "250 ");
	server_begin(5);
	client_say(fd, "RCPT TO:<a@b.example>\r\n");
	ck_assert_int_eq(poll(&p, 1, 200), 0);
	ck_assert_uint_eq(record->n_rcpts, 0);
	server_envelope(5, 1234);
	client_expect(fd, "250 ");
	ck_assert_uint_eq(record->envelopes[0], 1234);
	/* for ever it is not waited for */
	client_ask(fd, "RCPT TO:<b@b.example>", "250 ");
	ck_assert_uint_eq(record->envelopes[1], 0);
	server_envelope(5, 1235);
	(void)server_sessions();
	ck_assert_uint_eq(record->envelopes[1], 1235);
	close(fd);
}
END_TEST

/* ---- clients that go ---- */

static const char *const beginnings[] = {
	"",
	"MAIL FROM:<>\r\n",
	"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n",
	"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n",
	"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nhello\r\n",
	"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nhello\r\n.\r\n",
};

START_TEST(end_of_file)
{
	int fd = client_ready(1);

	/* stuck where the fake does not answer */
	record->final_ms = FAKE_NEVER;
	record->rcpt_ms = _i == 2 ? FAKE_NEVER : 0;
	record->data_ms = _i == 3 ? FAKE_NEVER : 0;
	client_say(fd, beginnings[_i]);
	for (int i = 0; i < 100 && _i > 0 && record->n_new == 0; i++)
		wait_ms(10);
	wait_ms(50);
	expect_left(_i > 0 ? 1 : 0, 1);
	if (_i % 2 == 0)
		reset(fd);
	else
		close(fd);
	expect_left(0, 0);
	if (_i == 5)
		ck_assert(record->is_ended && record->is_freed_early);
	else
		ck_assert(!record->is_ended);
}
END_TEST

/* It takes no replies: the server waits for it, and serves others. */
START_TEST(deaf)
{
	int fd = client_ready(1), small = 1024;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	static char noops[60000];

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	for (size_t i = 0; i + 6 <= sizeof noops; i += 6)
		memcpy(noops + i, "NOOP\r\n", 6);
	int n = 0;
	while (n < 10000 && poll(&p, 1, 300) == 1 &&
	       send(fd, noops, sizeof noops, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		n++;
	ck_assert_int_lt(n, 10000);
	int other = client_ready(2);
	client_ask(other, "QUIT", "221 ");
	client_expect_end(other);
	close(fd);
	expect_left(0, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tests = tcase_create("session");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, server_stop);
	tcase_add_test(tests, announced_before);
	tcase_add_test(tests, announced_later);
	tcase_add_test(tests, not_announced);
	tcase_add_test(tests, strangers_keep_nobody_out);
	tcase_add_test(tests, many_strangers);
	tcase_add_test(tests, strangers_that_go);
	tcase_add_test(tests, message);
	tcase_add_test(tests, source_address);
	tcase_add_test(tests, date_of_tomorrow);
	tcase_add_test(tests, finals_in_order);
	tcase_add_test(tests, too_many);
	tcase_add_test(tests, no_memory);
	tcase_add_test(tests, out_of_order);
	tcase_add_test(tests, long_line);
	tcase_add_test(tests, pipelined);
	tcase_add_test(tests, octet_by_octet);
	tcase_add_test(tests, large);
	tcase_add_test(tests, no_room);
	tcase_add_test(tests, late_envelope);
	tcase_add_loop_test(tests, end_of_file, 0, (int)(sizeof beginnings / sizeof beginnings[0]));
	tcase_add_test(tests, deaf);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
