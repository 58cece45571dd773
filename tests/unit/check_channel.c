/* SPDX-License-Identifier: ISC */
#include "opensmtpd/proto/channel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static int
parse(const char *octets, size_t n, struct channel_message *message)
{
	struct guard g;

	guard_init(&g, octets, n);
	int r = channel_parse(g.span, message);
	guard_clear(&g);
	return r;
}

#define ID	  "\0\0\0\0\0\0\0\x2a"
#define V4	  "\4\x7f\1\2\3\0\0\0\0\0\0\0\0\0\0\0\0\x27\x2b"
#define V6	  "\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x10\0"
#define OCTETS(s) s, sizeof(s) - 1

/* Octet for octet, and back. */
static const struct {
	const char *name;
	const char *octets;
	size_t n;
	enum channel_kind kind;
} good[] = {
	{ "connect", OCTETS("C" ID V4 V6), CHANNEL_CONNECT },
	{ "begin", OCTETS("B" ID), CHANNEL_BEGIN },
	{ "envelope", OCTETS("E" ID "\xff\xee\xdd\xcc\xbb\xaa\x99\x88"), CHANNEL_ENVELOPE },
	{ "disconnect", OCTETS("D" ID), CHANNEL_DISCONNECT },
	{ "question", OCTETS("Q" ID "sub.example.net"), CHANNEL_QUESTION },
	{ "question, underscore", OCTETS("Q" ID "a_b.example"), CHANNEL_QUESTION },
	{ "ping", OCTETS("P" ID), CHANNEL_PING },
	{ "leave", OCTETS("L" ID), CHANNEL_LEAVE },
	{ "proceed", OCTETS("A" ID "\0\0\0"), CHANNEL_ANSWER },
	{ "reject",
	    OCTETS("A" ID "\2\x26\5"
		   "5.4.8"
		   "No way"),
	    CHANNEL_ANSWER },
	{ "reject, no text",
	    OCTETS("A" ID "\2\x26\5"
		   "5.4.8"),
	    CHANNEL_ANSWER },
};

START_TEST(test_good)
{
	struct channel_message m;
	char octets[CHANNEL_MAX + 1];
	struct buf out;

	ck_assert_msg(parse(good[_i].octets, good[_i].n, &m) == 0, "%s", good[_i].name);
	ck_assert_int_eq(m.kind, good[_i].kind);
	ck_assert_uint_eq(m.id, 0x2a);
	buf_init(&out, octets, sizeof octets);
	channel_format(&out, &m);
	ck_assert_msg(
	    out.n == good[_i].n && memcmp(out.p, good[_i].octets, out.n) == 0, "%s", good[_i].name);
	for (size_t n = 0; n < good[_i].n; n++) /* cut anywhere it is another, or none */
		(void)parse(good[_i].octets, n, &m);
}
END_TEST

static const struct {
	const char *name;
	const char *octets;
	size_t n;
} bad[] = {
	{ "nothing", OCTETS("") },
	{ "kind alone", OCTETS("B") },
	{ "unknown kind", OCTETS("X" ID) },
	{ "NUL", OCTETS("\0" ID) },
	{ "short number", OCTETS("B\0\0\0\0\0\0\0") },
	{ "more than it", OCTETS("B" ID "\0") },
	{ "connect, one end", OCTETS("C" ID V4) },
	{ "connect, three ends", OCTETS("C" ID V4 V4 V4) },
	{ "connect, no family", OCTETS("C" ID "\5\x7f\1\2\3\0\0\0\0\0\0\0\0\0\0\0\0\x27\x2b" V4) },
	{ "connect, IPv4 and more",
	    OCTETS("C" ID "\4\x7f\1\2\3\0\0\0\0\0\0\0\0\0\0\0\1\x27\x2b" V4) },
	{ "envelope, short", OCTETS("E" ID "\0") },
	{ "question, no domain", OCTETS("Q" ID) },
	{ "question, literal", OCTETS("Q" ID "[192.0.2.1]") },
	{ "question, upper case", OCTETS("Q" ID "Example.net") },
	{ "question, final dot", OCTETS("Q" ID "example.net.") },
	{ "question, NUL", OCTETS("Q" ID "example\0net") },
	{ "answer, no code", OCTETS("A" ID) },
	{ "answer, proceed with text", OCTETS("A" ID "\0\0\0"
					      "x") },
	{ "answer, proceed with enhanced", OCTETS("A" ID "\0\0\5"
						  "5.4.8") },
	{ "answer, 250", OCTETS("A" ID "\0\xfa\5"
				"2.0.0") },
	{ "answer, 600", OCTETS("A" ID "\2\x58\5"
				"5.0.0") },
	{ "answer, enhanced too long", OCTETS("A" ID "\2\x26\x9"
					      "5.444.888") },
	{ "answer, enhanced cut", OCTETS("A" ID "\2\x26\5"
					 "5.4") },
	{ "answer, newline", OCTETS("A" ID "\2\x26\5"
				    "5.4.8"
				    "No\nfilter-result") },
	{ "answer, 8 bit", OCTETS("A" ID "\2\x26\5"
				  "5.4.8"
				  "N\xc3\xb6") },
};

START_TEST(test_bad)
{
	struct channel_message m = { .id = 77 };

	ck_assert_msg(parse(bad[_i].octets, bad[_i].n, &m) == -1, "%s", bad[_i].name);
	ck_assert_uint_eq(m.id, 77);
}
END_TEST

START_TEST(test_values)
{
	struct channel_message m;
	char text[INET6_ADDRSTRLEN], octets[CHANNEL_MAX + 1];
	struct buf out;

	ck_assert_int_eq(parse(OCTETS("C" ID V4 V6), &m), 0);
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&m.from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&m.to;
	ck_assert_str_eq(inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text), "127.1.2.3");
	ck_assert_uint_eq(ntohs(v4->sin_port), 10027);
	ck_assert_str_eq(inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text), "::1");
	ck_assert_uint_eq(ntohs(v6->sin6_port), 4096);
	ck_assert_int_eq(parse(OCTETS("E" ID "\xff\xee\xdd\xcc\xbb\xaa\x99\x88"), &m), 0);
	ck_assert_uint_eq(m.envelope, UINT64_C(0xffeeddccbbaa9988));
	ck_assert_int_eq(parse(OCTETS("A" ID "\2\x26\5"
				      "5.4.8"
				      "No way"),
			     &m),
	    0);
	ck_assert_uint_eq(m.code, 550);
	ck_assert_str_eq(m.enhanced, "5.4.8");
	ck_assert_str_eq(m.text, "No way");
	/* the longest of each fits */
	m.code = 599;
	memset(m.enhanced, '5', CHANNEL_ENHANCED_MAX);
	memset(m.text, 'x', sizeof m.text - 1);
	m.enhanced[CHANNEL_ENHANCED_MAX] = m.text[sizeof m.text - 1] = '\0';
	buf_init(&out, octets, sizeof octets);
	channel_format(&out, &m);
	ck_assert(!out.full);
	ck_assert_int_eq(parse(out.p, out.n, &m), 0);
	ck_assert_uint_eq(strlen(m.text), MTASTS_TEXT_MAX - 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("channel");
	TCase *c = tcase_create("channel");

	tcase_add_loop_test(c, test_good, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(c, test_bad, 0, sizeof bad / sizeof *bad);
	tcase_add_test(c, test_values);
	suite_add_tcase(s, c);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
