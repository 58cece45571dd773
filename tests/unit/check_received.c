/* SPDX-License-Identifier: ISC
 *
 * The date of the topmost Received, as smtpd writes it, and as nobody should.
 */
#include "opensmtpd/proto/received.h"

#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "opensmtpd/proto/date.h"
#include "unit.h"

enum { NONE = -1, T = 1795387062 /* Sun, 22 Nov 2026 22:37:42 +0000 */ };

static const struct {
	const char *text;
	int64_t at; /* NONE: not a date */
} dates[] = {
	{ "Sun, 22 Nov 2026 22:37:42 +0000 (UTC)", T },
	{ "Sun, 22 Nov 2026 23:37:42 +0100 (CET)", T },
	{ "Sun, 22 Nov 2026 17:37:42 -0500", T },
	{ "Mon, 23 Nov 2026 04:07:42 +0530", T },
	{ "22 Nov 2026 22:37:42 GMT", T },
	{ "22 Nov 26 22:37:42 UT", T },
	{ "Sun, 22 Nov 126 22:37:42 Z", T },
	{ "Sun, 22 Nov 2026 17:37:42 EST", T },
	{ "Sun, 22 Nov 2026 22:37:42 -0000", T },
	{ "Sun, 22 Nov 2026 22:37:42 XYZ", T },
	{ " sun,22 nOV\r\n\t2026(a (b) \\) c)22 : 37 :42\r\n +0000 ", T },
	{ "Sun, 22 Nov 2026 22:37 +0000", T - 42 },
	{ "1 Jan 1970 00:00:00 +0000", 0 },
	{ "1 Jan 1970 00:00:00 +0001", -60 },
	{ "29 Feb 2000 00:00:00 +0000", 951782400 },
	{ "29 Feb 2024 23:59:60 +0000", 1709251200 },
	{ "31 Dec 9999 23:59:59 +0000", 253402300799 },
	{ "29 Feb 2026 00:00:00 +0000", NONE },
	{ "29 Feb 2100 00:00:00 +0000", NONE },
	{ "31 Apr 2026 00:00:00 +0000", NONE },
	{ "0 Apr 2026 00:00:00 +0000", NONE },
	{ "1 Apr 1969 00:00:00 +0000", NONE },
	{ "1 Apr 12026 00:00:00 +0000", NONE },
	{ "1 Apr 6 00:00:00 +0000", NONE },
	{ "1 Apr 2026 24:00:00 +0000", NONE },
	{ "1 Apr 2026 00:60:00 +0000", NONE },
	{ "1 Apr 2026 00:00:61 +0000", NONE },
	{ "1 Apr 2026 00:00:00 +0060", NONE },
	{ "1 Apr 2026 00:00:00 +000", NONE },
	{ "1 Apr 2026 00:00:00 +00000", NONE },
	{ "1 Apr 2026 00:00:00", NONE },
	{ "1 Apr 2026 0:00:00 +0000", NONE },
	{ "1 April 2026 00:00:00 +0000", NONE },
	{ "1 Foo 2026 00:00:00 +0000", NONE },
	{ "Foo, 1 Apr 2026 00:00:00 +0000", NONE },
	{ "Sun 1 Apr 2026 00:00:00 +0000", NONE },
	{ "1 Apr 2026 00:00:00 +0000 x", NONE },
	{ "1 Apr 2026 00:00:00 +0000 (", NONE },
	{ "(((((((((1))))))))) Apr 2026 00:00:00 +0000", NONE },
	{ "2026-11-22T22:37:42Z", NONE },
	{ "-1 Apr 2026 00:00:00 +0000", NONE },
	{ "", NONE },
	{ "(", NONE },
	{ "\\", NONE },
};

START_TEST(one_date)
{
	int64_t at = NONE;
	struct guard g;

	guard_init(&g, dates[_i].text, strlen(dates[_i].text));
	int r = date_parse(g.span, &at);
	if (dates[_i].at == NONE)
		ck_assert_msg(r == -1 && at == NONE, "%s", dates[_i].text);
	else
		ck_assert_msg(
		    r == 0 && at == dates[_i].at, "%s: %lld", dates[_i].text, (long long)at);
	guard_clear(&g);
}
END_TEST

#define DATE  "Sun, 22 Nov 2026 22:37:42 +0000 (UTC)"
#define OTHER "Sun, 22 Nov 2020 22:37:42 +0000 (UTC)"
#define LOCAL                                                                                      \
	"Received: from localhost (mail.example [local])\r\n\tby mail.example (OpenSMTPD) with "

static const struct {
	const char *name, *message;
	int64_t at; /* NONE: not found */
} cases[] = {
	{ "local mail", LOCAL "ESMTPA id 1a2b3c4d\r\n\tfor <a@b.example>;\r\n\t" DATE "\r\n\r\nhi",
	    T },
	{ "two recipients", LOCAL "ESMTPA id 1a2b3c4d;\r\n\t" DATE "\r\nSubject: x\r\n", T },
	{ "by TLS",
	    "Received: from client.example (client.example [192.0.2.1])\r\n\tby mail.example "
	    "(OpenSMTPD) with ESMTPSA id 1a2b3c4d (TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO) auth=yes "
	    "user=u\r\n\tfor <a@b.example>;\r\n\t" DATE "\r\n\r\n",
	    T },
	{ "source masked",
	    "Received: \r\n\tby mail.example (OpenSMTPD) with ESMTPA id 1a2b3c4d;\r\n\t" DATE
	    "\r\n\r\n",
	    T },
	{ "junk", "X-Spam: Yes\r\n" LOCAL "ESMTP id 1;\r\n\t" DATE "\r\n\r\n", T },
	{ "small letters", "rECEIVED : by a; " DATE "\r\n\r\n", T },
	{ "folded elsewhere", "A: b\r\n c: d\r\n\te\r\nReceived: x; " DATE "\r\nB:\r\n", T },
	{ "the last field, no body", "Received: x; " DATE "\r\n", T },
	{ "semicolons of the client",
	    "Received: from ;" OTHER " (x; " OTHER " [192.0.2.1])\r\n\tby y;\r\n\t" DATE "\r\n\r\n",
	    T },
	{ "the client's HELO opens a comment",
	    "Received: from (( \"x (y [z])\r\n by y; " DATE "\r\n\r\n", T },
	{ "another below", "Received: x; " DATE "\r\nReceived: y; " OTHER "\r\n\r\n", T },
	{ "the topmost has none", "Received: x\r\nReceived: y; " OTHER "\r\n\r\n", NONE },
	{ "the topmost is broken", "Received: x; yesterday\r\nReceived: y; " OTHER "\r\n\r\n",
	    NONE },
	{ "in the body", "Subject: x\r\n\r\nReceived: x; " DATE "\r\n", NONE },
	{ "folded into another", "Subject: x\r\n Received: x; " DATE "\r\n\r\n", NONE },
	{ "a longer name", "Received-Spf: x; " DATE "\r\n\r\n", NONE },
	{ "a shorter name", "Receive: x; " DATE "\r\n\r\n", NONE },
	{ "the end of a name", "X-Received: x; " DATE "\r\n\r\n", NONE },
	{ "no field", "hello\r\nReceived: x; " DATE "\r\n\r\n", NONE },
	{ "a sentence", "hello you: x\r\nReceived: x; " DATE "\r\n\r\n", NONE },
	{ "no name", ": x\r\nReceived: x; " DATE "\r\n\r\n", NONE },
	{ "a blank first", " Received: x; " DATE "\r\n\r\n", NONE },
	{ "a colon too many", "Received:: x; " DATE "\r\n\r\n", T },
	{ "not to its end", "Received: x; " DATE, NONE },
	{ "nothing behind the semicolon", "Received: x;\r\n\r\n", NONE },
	{ "no message", "", NONE },
};

static int
get(struct span message, size_t step, int64_t *at)
{
	struct received received = { .state = RECEIVED_NAME };

	for (size_t i = 0; i < message.n; i += step) {
		struct span part = span_from(message, i);
		if (part.n > step)
			part.n = step;
		received_take(&received, part);
	}
	received_end(&received);
	ck_assert(received_is_over(&received));
	return received_get(&received, at);
}

START_TEST(one)
{
	for (size_t step = 1; step < 100; step += 1 + step / 3) {
		int64_t at = NONE;
		struct guard g;
		guard_init(&g, cases[_i].message, strlen(cases[_i].message));
		int r = get(g.span, step, &at);
		ck_assert_msg(r == (cases[_i].at != NONE) && at == cases[_i].at, "%s: %lld",
		    cases[_i].name, (long long)at);
		guard_clear(&g);
	}
}
END_TEST

START_TEST(bounds)
{
	static const char date[] = "Received: x; " DATE "\r\n\r\n";
	static char text[RECEIVED_LOOKED_AT + sizeof date];
	struct received received = { .state = RECEIVED_NAME };
	int64_t at;

	/* one octet is needed to see that the field has ended */
	size_t before = RECEIVED_LOOKED_AT - (sizeof date - 1 - 2) - 1;
	memset(text, 'x', sizeof text);
	memcpy(text, "A:", 2);
	memcpy(text + before - 2, "\r\n", 2);
	memcpy(text + before, date, sizeof date - 1);
	ck_assert_int_eq(get(span_make(text, before + sizeof date - 1), 1000, &at), 1);
	ck_assert_int_eq(at, T);
	memset(text + before - 2, 'x', 3);
	memcpy(text + before - 1, "\r\n", 2);
	memcpy(text + before + 1, date, sizeof date - 1);
	ck_assert_int_eq(get(span_make(text, before + sizeof date), 1000, &at), 0);

	memset(text, ' ', sizeof text);
	memcpy(text, "Received: ;", 11);
	received_take(&received, span_make(text, sizeof text));
	ck_assert(received_is_over(&received));
	ck_assert_int_eq(received_get(&received, &at), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("received");
	TCase *tests = tcase_create("received");

	tcase_add_loop_test(tests, one_date, 0, (int)(sizeof dates / sizeof dates[0]));
	tcase_add_loop_test(tests, one, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, bounds);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
