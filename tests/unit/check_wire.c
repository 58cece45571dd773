/* SPDX-License-Identifier: ISC */
#include "net/wire.h"

#include <string.h>

#include "guard.h"
#include "unit.h"

static struct domain
name_of(const char *text)
{
	struct domain name;

	ck_assert_int_eq(domain_parse(span_of(text), DOMAIN_UNDERSCORE, &name), 0);
	return name;
}

/* ---- the examples of wire.h, octet for octet ---- */

static const char question_bytes[] = "ms\x01Q\0\0\0\x07\0\0\0\x1c"
				     "\0\0\x36\xb0\0\x10\0\x14_mta-sts.example.net";
static const char answer_bytes[] = "ms\x01"
				   "A\0\0\0\x07\0\0\0\x0c"
				   "\x02\0\0\0\x01\x2c\0\0\0\0\0\0";

START_TEST(test_question_example)
{
	char storage[256];
	struct buf out;
	struct net_question question = { name_of("_mta-sts.example.net"), NET_TXT };
	struct wire_message message;
	struct wire_question back;
	struct guard g;

	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(wire_question_format(&out, 7, 14000, &question), 0);
	ck_assert_uint_eq(out.n, sizeof question_bytes - 1);
	ck_assert_mem_eq(out.p, question_bytes, out.n);

	guard_init(&g, question_bytes, sizeof question_bytes - 1);
	struct span in = g.span;
	ck_assert_int_eq(wire_next(&in, &message), 1);
	ck_assert_uint_eq(in.n, 0);
	ck_assert_int_eq(message.type, WIRE_QUESTION);
	ck_assert_uint_eq(message.id, 7);
	ck_assert_int_eq(wire_question_parse(message.payload, &back), 0);
	ck_assert_uint_eq(back.ms, 14000);
	ck_assert_int_eq(back.question.type, NET_TXT);
	ck_assert_str_eq(back.question.name.name, "_mta-sts.example.net");
	guard_clear(&g);
}
END_TEST

START_TEST(test_answer_example)
{
	char storage[256];
	struct buf out;
	struct net_answer answer = { .state = NET_NO_NAME, .ttl = 300, .reason = "" };
	struct wire_answer back;

	answer.state = NET_NO_NAME;
	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(wire_answer_format(&out, 7, &answer), 0);
	ck_assert_uint_eq(out.n, sizeof answer_bytes - 1);
	ck_assert_mem_eq(out.p, answer_bytes, out.n);
	ck_assert_int_eq(
	    wire_answer_parse(span_make(out.p + WIRE_HEAD, out.n - WIRE_HEAD), &back), 0);
	ck_assert_int_eq(back.answer.state, NET_NO_NAME);
	ck_assert_uint_eq(back.answer.ttl, 300);
}
END_TEST

/* ---- frames ---- */

static const struct {
	const char *name;
	const char *bytes;
	size_t n;
	int result;
} frames[] = {
	{ "nothing", "", 0, 0 },
	{ "first octet", "m", 1, 0 },
	{ "wrong first octet", "x", 1, -1 },
	{ "zeros", "\0", 1, -1 },
	{ "wrong second octet", "mx", 2, -1 },
	{ "another version", "ms\x02", 3, -1 },
	{ "unknown type", "ms\x01Z", 4, -1 },
	{ "head only", "ms\x01N\0\0\0\0\0\0\0\x05", 12, 0 },
	{ "half a payload", "ms\x01N\0\0\0\0\0\0\0\x05\x00\x00", 14, 0 },
	{ "whole", "ms\x01N\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0", 19, 1 },
	{ "largest length", "ms\x01P\0\0\0\x01\0\x01\xff\xf4", 12, 0 },
	{ "one more", "ms\x01P\0\0\0\x01\0\x01\xff\xf5", 12, -1 },
	{ "endless", "ms\x01P\0\0\0\x01\xff\xff\xff\xff", 12, -1 },
};

START_TEST(test_frame)
{
	struct guard g;
	struct wire_message message;

	guard_init(&g, frames[_i].bytes, frames[_i].n);
	struct span in = g.span;
	int r = wire_next(&in, &message);
	ck_assert_msg(r == frames[_i].result, "%s: %d", frames[_i].name, r);
	if (r != 1)
		ck_assert_msg(in.n == frames[_i].n, "%s: taken", frames[_i].name);
	guard_clear(&g);
}
END_TEST

/* ---- payloads ---- */

static int
parse(char type, struct span payload)
{
	static struct wire_question question;
	static struct wire_get get;
	static struct wire_answer answer;
	static struct wire_page page;
	static struct wire_note note;

	switch (type) {
	case 'Q':
		return wire_question_parse(payload, &question);
	case 'G':
		return wire_get_parse(payload, &get);
	case 'A':
		return wire_answer_parse(payload, &answer);
	case 'P':
		return wire_page_parse(payload, &page);
	default:
		return wire_note_parse(payload, &note);
	}
}

#define BYTES(literal) literal, sizeof literal - 1

static const struct {
	const char *name;
	char type;
	int result;
	const char *bytes;
	size_t n;
} payloads[] = {
	{ "question", 'Q', 0, BYTES("\0\0\0\1\0\1\0\5a.bcd") },
	{ "empty", 'Q', -1, BYTES("") },
	{ "octet behind", 'Q', -1, BYTES("\0\0\0\1\0\1\0\5a.bcd!") },
	{ "type of no use", 'Q', -1, BYTES("\0\0\0\1\0\2\0\5a.bcd") },
	{ "no name", 'Q', -1, BYTES("\0\0\0\1\0\1\0\0") },
	{ "name in capitals", 'Q', -1, BYTES("\0\0\0\1\0\1\0\5A.bcd") },
	{ "name with a final dot", 'Q', -1, BYTES("\0\0\0\1\0\1\0\6a.bcd.") },
	{ "name with NUL", 'Q', -1, BYTES("\0\0\0\1\0\1\0\5a.b\0d") },
	{ "name longer than it is", 'Q', -1, BYTES("\0\0\0\1\0\1\0\6a.bcd") },

	{ "get", 'G', 0, BYTES("\0\0\0\1\0\5a.bcd\0\2/x\1\4\1\2\3\4") },
	{ "get without address", 'G', 0, BYTES("\0\0\0\1\0\5a.bcd\0\2/x\0") },
	{ "relative path", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\2xx\0") },
	{ "path with a blank", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\3/ x\0") },
	{ "path with CR", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\3/\rx\0") },
	{ "no path", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\0\0") },
	{ "address of 5 octets", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\2/x\1\5\1\2\3\4\5") },
	{ "address of none", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\2/x\1\0") },
	{ "address of 255", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\2/x\1\377\1\2\3\4") },
	{ "17 addresses", 'G', -1, BYTES("\0\0\0\1\0\5a.bcd\0\2/x\x11") },

	{ "answer", 'A', 0, BYTES("\0\1\0\0\0\1\0\0\0\0\0\1\0\4\1\2\3\4") },
	{ "unknown", 'A', 0, BYTES("\3\0\0\0\0\0\0\0\0\1x\0\0") },
	{ "state of no meaning", 'A', -1, BYTES("\4\0\0\0\0\0\0\0\0\1x\0\0") },
	{ "unknown without a reason", 'A', -1, BYTES("\3\0\0\0\0\0\0\0\0\0\0\0") },
	{ "no data, but a reason", 'A', -1, BYTES("\1\0\0\0\0\0\0\0\0\1x\0\0") },
	{ "answered without records", 'A', -1, BYTES("\0\0\0\0\0\0\0\0\0\0\0\0") },
	{ "records of no data", 'A', -1, BYTES("\1\0\0\0\0\0\0\0\0\0\0\1\0\1x") },
	{ "half secure", 'A', -1, BYTES("\2\2\0\0\0\0\0\0\0\0\0\0") },
	{ "TTL over 31 bits", 'A', -1, BYTES("\2\0\x80\0\0\0\0\0\0\0\0\0") },
	{ "129 records", 'A', -1, BYTES("\0\0\0\0\0\0\0\0\0\0\0\x81") },
	{ "reason with LF", 'A', -1, BYTES("\3\0\0\0\0\0\0\0\0\1\n\0\0") },
	{ "reason with 8 bits", 'A', -1, BYTES("\3\0\0\0\0\0\0\0\0\1\xe9\0\0") },
	{ "canonical of no form", 'A', -1, BYTES("\2\0\0\0\0\0\0\1!\0\0\0\0") },

	{ "page", 'P', 0, BYTES("\0\0\xc8\0\1t\0\0\0\0\0\1x") },
	{ "page of no status", 'P', -1, BYTES("\0\0\0\0\1t\0\0\0\0\0\1x") },
	{ "page of status 1000", 'P', -1, BYTES("\0\x03\xe8\0\0\0\0\0\0\0\0") },
	{ "page with a reason", 'P', -1, BYTES("\0\0\xc8\0\0\0\1x\0\0\0\0") },
	{ "failed", 'P', 0, BYTES("\2\0\0\0\0\0\1x\0\0\0\0") },
	{ "failed without a reason", 'P', -1, BYTES("\2\0\0\0\0\0\0\0\0\0\0") },
	{ "failed with a body", 'P', -1, BYTES("\2\0\0\0\0\0\1x\0\0\0\1x") },
	{ "failed with a status", 'P', -1, BYTES("\2\0\xc8\0\0\0\1x\0\0\0\0") },
	{ "failed with a type", 'P', -1, BYTES("\2\0\0\0\1t\0\1x\0\0\0\0") },
	{ "body over 64 KiB", 'P', -1, BYTES("\0\0\xc8\0\0\0\0\0\1\0\1") },
	{ "body longer than it is", 'P', -1, BYTES("\0\0\xc8\0\0\0\0\0\0\0\2x") },
	{ "body shorter than it is", 'P', -1, BYTES("\0\0\xc8\0\0\0\0\0\0\0\1xy") },

	{ "note", 'N', 0, BYTES("\1\0\0\0\2\0\4gone") },
	{ "neither fatal nor not", 'N', -1, BYTES("\2\0\0\0\2\0\4gone") },
	{ "errno under 0", 'N', -1, BYTES("\1\xff\0\0\2\0\4gone") },
};

START_TEST(test_payload)
{
	struct guard g;

	guard_init(&g, payloads[_i].bytes, payloads[_i].n);
	int r = parse(payloads[_i].type, g.span);
	ck_assert_msg(r == payloads[_i].result, "%s: %d", payloads[_i].name, r);
	guard_clear(&g);
	/* cut anywhere it is malformed, and never read past its end */
	for (size_t n = 0; payloads[_i].result == 0 && n < payloads[_i].n; n++) {
		guard_init(&g, payloads[_i].bytes, n);
		ck_assert_msg(
		    parse(payloads[_i].type, g.span) == -1, "%s: %zu octets", payloads[_i].name, n);
		guard_clear(&g);
	}
}
END_TEST

/* ---- there and back ---- */

START_TEST(test_get)
{
	char storage[1024];
	struct buf out;
	struct net_fetch fetch = { .host = name_of("mta-sts.example.net"), .path = "/a/b", .n = 2 };
	struct wire_message message;
	struct wire_get back;

	fetch.addresses[0] = (struct net_address){ { 192, 0, 2, 1 }, 4 };
	fetch.addresses[1] = (struct net_address){ { 0x20, 1, 0xd, 0xb8 }, 16 };
	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(wire_get_format(&out, 99, 60000, &fetch), 0);
	struct span in = span_make(out.p, out.n);
	ck_assert_int_eq(wire_next(&in, &message), 1);
	ck_assert_int_eq(wire_get_parse(message.payload, &back), 0);
	ck_assert_uint_eq(back.ms, 60000);
	ck_assert(domain_eq(&back.fetch.host, &fetch.host));
	ck_assert_str_eq(back.fetch.path, "/a/b");
	ck_assert_uint_eq(back.fetch.n, 2);
	ck_assert_mem_eq(back.fetch.addresses, fetch.addresses, 2 * sizeof fetch.addresses[0]);
}
END_TEST

START_TEST(test_records)
{
	char storage[1024];
	struct buf out;
	struct span rdata[] = { { "\0\1\2\377", 4 }, { "abcd", 4 } };
	struct net_answer answer = { NET_ANSWERED, true, 3600, name_of("x.example"), 2, rdata, "" };
	struct wire_message message;
	struct wire_answer back;

	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(wire_answer_format(&out, 1, &answer), 0);
	struct span in = span_make(out.p, out.n);
	ck_assert_int_eq(wire_next(&in, &message), 1);
	ck_assert_int_eq(wire_answer_parse(message.payload, &back), 0);
	ck_assert(back.answer.secure);
	ck_assert_uint_eq(back.answer.ttl, 3600);
	ck_assert_str_eq(back.answer.canonical.name, "x.example");
	ck_assert_uint_eq(back.answer.n, 2);
	ck_assert(span_eq(back.answer.rdata[0], rdata[0]));
	ck_assert(span_eq(back.answer.rdata[1], rdata[1]));
}
END_TEST

START_TEST(test_largest_page)
{
	static char storage[LIMIT_FRAME + 1], body[LIMIT_POLICY];
	struct buf out;
	struct net_page page = { NET_FETCHED, 200, { "text/plain", 10 }, { body, sizeof body },
		"" };
	struct wire_message message;
	struct wire_page back;

	memset(body, '\n', sizeof body);
	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(wire_page_format(&out, 1, &page), 0);
	struct span in = span_make(out.p, out.n);
	ck_assert_int_eq(wire_next(&in, &message), 1);
	ck_assert_int_eq(wire_page_parse(message.payload, &back), 0);
	ck_assert_uint_eq(back.page.status, 200);
	ck_assert(span_eq(back.page.body, page.body));
	ck_assert(span_is(back.page.media_type, "text/plain"));
}
END_TEST

/* A message that does not fit leaves what was there before. */
START_TEST(test_no_room)
{
	char storage[40];
	struct buf out;
	struct net_question question = { name_of("_mta-sts.example.net"), NET_TXT };

	buf_init(&out, storage, sizeof storage);
	buf_puts(&out, "before");
	ck_assert_int_eq(wire_question_format(&out, 7, 14000, &question), -1);
	ck_assert_str_eq(out.p, "before");
	ck_assert_uint_eq(out.n, 6);
}
END_TEST

/* A reason is cut to what its reader takes. */
START_TEST(test_long_reason)
{
	char storage[1024], reason[400];
	struct buf out;
	struct net_answer answer = { .state = NET_UNKNOWN, .reason = reason };
	struct wire_answer back;

	memset(reason, 'x', sizeof reason);
	reason[sizeof reason - 1] = '\0';
	buf_init(&out, storage, sizeof storage);
	ck_assert_int_eq(wire_answer_format(&out, 1, &answer), 0);
	ck_assert_int_eq(
	    wire_answer_parse(span_make(out.p + WIRE_HEAD, out.n - WIRE_HEAD), &back), 0);
	ck_assert_uint_eq(strlen(back.reason), WIRE_TEXT);
}
END_TEST

/* ---- records ---- */

static const struct {
	const char *name;
	enum net_type type;
	bool fits;
	const char *bytes;
	size_t n;
} records[] = {
	{ "A", NET_A, true, BYTES("\1\2\3\4") },
	{ "A of 3", NET_A, false, BYTES("\1\2\3") },
	{ "A of 16", NET_A, false, BYTES("0123456789abcdef") },
	{ "AAAA", NET_AAAA, true, BYTES("0123456789abcdef") },
	{ "AAAA of 4", NET_AAAA, false, BYTES("\1\2\3\4") },
	{ "TXT", NET_TXT, true, BYTES("\3abc\0\1x") },
	{ "TXT of no string", NET_TXT, false, BYTES("") },
	{ "TXT of an empty string", NET_TXT, true, BYTES("\0") },
	{ "TXT cut", NET_TXT, false, BYTES("\3ab") },
	{ "TXT with an octet behind", NET_TXT, false, BYTES("\3abc\5") },
	{ "MX", NET_MX, true, BYTES("\0\12\2mx\1e\0") },
	{ "MX of the root", NET_MX, true, BYTES("\0\0\0") },
	{ "MX of 2", NET_MX, false, BYTES("\0\0") },
	{ "MX without an end", NET_MX, false, BYTES("\0\12\2mx") },
	{ "MX with an octet behind", NET_MX, false, BYTES("\0\12\2mx\0x") },
	{ "MX with a pointer", NET_MX, false, BYTES("\0\12\2mx\300\14") },
	{ "MX with a label of 64", NET_MX, false,
	    BYTES("\0\12\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0") },
};

START_TEST(test_fits)
{
	struct guard g;

	guard_init(&g, records[_i].bytes, records[_i].n);
	struct net_answer answer = { .state = NET_ANSWERED, .n = 1, .rdata = &g.span };
	bool fits = wire_answer_fits(&answer, records[_i].type);
	ck_assert_msg(fits == records[_i].fits, "%s", records[_i].name);
	guard_clear(&g);
}
END_TEST

START_TEST(test_set_limits)
{
	static char text[LIMIT_TXT_SET + 256];
	struct span rdata[WIRE_RECORDS];
	struct net_answer answer = { .state = NET_ANSWERED, .rdata = rdata };

	for (size_t i = 0; i < WIRE_RECORDS; i++)
		rdata[i] = span_make("\1x", 2);
	answer.n = LIMIT_TXT_RECORDS;
	ck_assert(wire_answer_fits(&answer, NET_TXT));
	answer.n++;
	ck_assert(!wire_answer_fits(&answer, NET_TXT));

	/* 16 strings of 255: exactly the limit of a set; one octet more */
	for (size_t i = 0; i < LIMIT_TXT_SET; i += 256)
		text[i] = '\xff';
	rdata[0] = span_make(text, LIMIT_TXT_SET);
	answer.n = 1;
	ck_assert(wire_answer_fits(&answer, NET_TXT));
	rdata[1] = span_make("\0", 1);
	answer.n = 2;
	ck_assert(!wire_answer_fits(&answer, NET_TXT));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("wire");

	tcase_add_test(tcase, test_question_example);
	tcase_add_test(tcase, test_answer_example);
	tcase_add_loop_test(tcase, test_frame, 0, sizeof frames / sizeof frames[0]);
	tcase_add_loop_test(tcase, test_payload, 0, sizeof payloads / sizeof payloads[0]);
	tcase_add_test(tcase, test_get);
	tcase_add_test(tcase, test_records);
	tcase_add_test(tcase, test_largest_page);
	tcase_add_test(tcase, test_no_room);
	tcase_add_test(tcase, test_long_reason);
	tcase_add_loop_test(tcase, test_fits, 0, sizeof records / sizeof records[0]);
	tcase_add_test(tcase, test_set_limits);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
