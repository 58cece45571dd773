/* SPDX-License-Identifier: ISC
 *
 * Command lines of LMTP, as smtpd writes them and as others might.
 */
#include "opensmtpd/proto/lmtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "unit.h"

#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

enum { GOOD = 0 };

/* code 0: taken */
static const struct {
	const char *name, *line;
	unsigned code;
	enum lmtp_verb verb;
	const char *address, *domain; /* NULL: not compared */
} cases[] = {
	{ "hello", "LHLO mail.example", GOOD, LMTP_LHLO, NULL, NULL },
	{ "small letters", "lhlo mail.example", GOOD, LMTP_LHLO, NULL, NULL },
	{ "address literal", "LHLO [192.0.2.1]", GOOD, LMTP_LHLO, NULL, NULL },
	{ "hello to nobody", "LHLO", 501, 0, NULL, NULL },
	{ "two names", "LHLO a b", 501, 0, NULL, NULL },
	{ "8 bit name", "LHLO \xc3\xa4.example", 501, 0, NULL, NULL },
	{ "EHLO", "EHLO mail.example", 500, 0, NULL, NULL },
	{ "HELO", "helo mail.example", 500, 0, NULL, NULL },
	{ "empty line", "", 500, 0, NULL, NULL },
	{ "blank", " ", 500, 0, NULL, NULL },
	{ "blank before", " NOOP", 500, 0, NULL, NULL },
	{ "unknown", "XYZZY now", 500, 0, NULL, NULL },
	{ "beginning of one", "DAT", 500, 0, NULL, NULL },
	{ "more than one", "DATAA", 500, 0, NULL, NULL },
	{ "data", "DATA", GOOD, LMTP_DATA, NULL, NULL },
	{ "blank behind", "DATA ", GOOD, LMTP_DATA, NULL, NULL },
	{ "data with more", "DATA now", 501, 0, NULL, NULL },
	{ "rset", "RSET", GOOD, LMTP_RSET, NULL, NULL },
	{ "quit", "quit", GOOD, LMTP_QUIT, NULL, NULL },
	{ "quit with more", "QUIT x", 501, 0, NULL, NULL },
	{ "noop with words", "NOOP to be or", GOOD, LMTP_NOOP, NULL, NULL },
	{ "vrfy", "VRFY someone", GOOD, LMTP_VRFY, NULL, NULL },
	{ "tab", "NOOP\tx", 500, 0, NULL, NULL },
	{ "CR", "NOOP\rDATA", 500, 0, NULL, NULL },
	{ "LF", "NOOP\nDATA", 500, 0, NULL, NULL },
	{ "delete", "NOOP \x7f", 500, 0, NULL, NULL },

	{ "null sender", "MAIL FROM:<>", GOOD, LMTP_MAIL, "", "" },
	{ "sender", "MAIL FROM:<a@b.example>", GOOD, LMTP_MAIL, "a@b.example", "b.example" },
	{ "any case", "mAiL fRoM:<A@B.Example>", GOOD, LMTP_MAIL, "A@B.Example", "B.Example" },
	{ "blank behind the colon", "MAIL FROM: <a@b.example>", 501, 0, NULL, NULL },
	{ "no brackets", "MAIL FROM:a@b.example", 501, 0, NULL, NULL },
	{ "no end", "MAIL FROM:<a@b.example", 501, 0, NULL, NULL },
	{ "no FROM", "MAIL <a@b.example>", 501, 0, NULL, NULL },
	{ "TO for FROM", "MAIL TO:<a@b.example>", 501, 0, NULL, NULL },
	{ "nothing", "MAIL", 501, 0, NULL, NULL },
	{ "sender without domain", "MAIL FROM:<root>", 501, 0, NULL, NULL },
	{ "two brackets", "MAIL FROM:<<a@b.example>>", 501, 0, NULL, NULL },
	{ "more behind", "MAIL FROM:<a@b.example>x", 501, 0, NULL, NULL },
	{ "a second path", "MAIL FROM:<a@b.example> <c@d.example>", 555, 0, NULL, NULL },

	{ "recipient", "RCPT TO:<a@b.example>", GOOD, LMTP_RCPT, "a@b.example", "b.example" },
	{ "no recipient", "RCPT TO:<>", 501, 0, NULL, NULL },
	{ "no domain", "RCPT TO:<postmaster>", 501, 0, NULL, NULL },
	{ "empty domain", "RCPT TO:<a@>", 501, 0, NULL, NULL },
	{ "empty local part", "RCPT TO:<@b.example>", 501, 0, NULL, NULL },
	{ "two at", "RCPT TO:<a@b@c.example>", 501, 0, NULL, NULL },
	{ "dots everywhere", "RCPT TO:<.a..b.@b.example>", GOOD, LMTP_RCPT, ".a..b.@b.example",
	    "b.example" },
	{ "all that an atom may hold", "RCPT TO:<!#$%&'*+-/=?^_`{|}~@b.example>", GOOD, LMTP_RCPT,
	    "!#$%&'*+-/=?^_`{|}~@b.example", "b.example" },
	{ "quoted", "RCPT TO:<\"a b\"@b.example>", GOOD, LMTP_RCPT, "\"a b\"@b.example",
	    "b.example" },
	{ "quoted at", "RCPT TO:<\"a@c.example\"@b.example>", GOOD, LMTP_RCPT,
	    "\"a@c.example\"@b.example", "b.example" },
	{ "quoted bracket", "RCPT TO:<\"a>\"@b.example>", GOOD, LMTP_RCPT, "\"a>\"@b.example",
	    "b.example" },
	{ "quoted pair", "RCPT TO:<\"a\\\"b\"@b.example>", GOOD, LMTP_RCPT, "\"a\\\"b\"@b.example",
	    "b.example" },
	{ "quote not closed", "RCPT TO:<\"a@b.example>", 501, 0, NULL, NULL },
	{ "backslash at the end", "RCPT TO:<\"a\\", 501, 0, NULL, NULL },
	{ "quote within", "RCPT TO:<a\"b\"@b.example>", 501, 0, NULL, NULL },
	{ "text behind the quote", "RCPT TO:<\"a\"b@b.example>", 501, 0, NULL, NULL },
	{ "blank within", "RCPT TO:<a b@b.example>", 501, 0, NULL, NULL },
	{ "comment", "RCPT TO:<a(b)@b.example>", 501, 0, NULL, NULL },
	{ "source route", "RCPT TO:<@r.example:a@b.example>", GOOD, LMTP_RCPT, "a@b.example",
	    "b.example" },
	{ "long source route", "RCPT TO:<@r.example,@s.example:a@b.example>", GOOD, LMTP_RCPT,
	    "a@b.example", "b.example" },
	{ "route without a colon", "RCPT TO:<@r.example,a@b.example>", 501, 0, NULL, NULL },
	{ "route to nowhere", "RCPT TO:<@r.example:>", 501, 0, NULL, NULL },
	{ "empty route", "RCPT TO:<@:a@b.example>", 501, 0, NULL, NULL },
	{ "literal", "RCPT TO:<a@[192.0.2.1]>", GOOD, LMTP_RCPT, "a@[192.0.2.1]", "[192.0.2.1]" },
	{ "literal of six", "RCPT TO:<a@[IPv6:2001:db8::1]>", GOOD, LMTP_RCPT,
	    "a@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
	{ "empty literal", "RCPT TO:<a@[]>", 501, 0, NULL, NULL },
	{ "open literal", "RCPT TO:<a@[192.0.2.1>", 501, 0, NULL, NULL },
	{ "underscore", "RCPT TO:<a@b_c.example>", GOOD, LMTP_RCPT, "a@b_c.example",
	    "b_c.example" },
	{ "empty label", "RCPT TO:<a@b..example>", 501, 0, NULL, NULL },
	{ "dot first", "RCPT TO:<a@.example>", 501, 0, NULL, NULL },
	{ "dot last", "RCPT TO:<a@b.example.>", 501, 0, NULL, NULL },
	{ "slash in the domain", "RCPT TO:<a@b/c.example>", 501, 0, NULL, NULL },
	{ "percent", "RCPT TO:<a%c.example@b.example>", GOOD, LMTP_RCPT, "a%c.example@b.example",
	    "b.example" },
	{ "UTF-8", "RCPT TO:<\xc3\xa4@\xc3\xb6.example>", GOOD, LMTP_RCPT,
	    "\xc3\xa4@\xc3\xb6.example", "\xc3\xb6.example" },
	{ "no UTF-8", "RCPT TO:<\xff@b.example>", 501, 0, NULL, NULL },
	{ "overlong UTF-8", "RCPT TO:<\xc0\xae@b.example>", 501, 0, NULL, NULL },
	{ "MAIL's parameter", "RCPT TO:<a@b.example> SIZE=1", 555, 0, NULL, NULL },
	{ "long local part",
	    "RCPT TO:<" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY "@b.example>", GOOD,
	    LMTP_RCPT, NULL, "b.example" },
	{ "too long address",
	    "RCPT TO:<" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
	    "@b.example>",
	    501, 0, NULL, NULL },
};

START_TEST(one)
{
	struct lmtp_command command = { .verb = 99 };
	struct guard g;

	guard_init(&g, cases[_i].line, strlen(cases[_i].line));
	const struct lmtp_refusal *refusal = lmtp_parse(g.span, &command);
	unsigned code = refusal == NULL ? GOOD : refusal->code;
	ck_assert_msg(code == cases[_i].code, "%s: %u", cases[_i].name, code);
	if (code == GOOD) {
		ck_assert_msg(command.verb == cases[_i].verb, "%s", cases[_i].name);
		if (cases[_i].address != NULL)
			ck_assert_msg(
			    span_is(command.address, cases[_i].address), "%s", cases[_i].name);
		if (cases[_i].domain != NULL)
			ck_assert_msg(
			    span_is(command.domain, cases[_i].domain), "%s", cases[_i].name);
	} else {
		ck_assert_msg((int)command.verb == 99, "%s: touched", cases[_i].name);
		ck_assert(refusal->enhanced[0] == '5' && refusal->text[0] != '\0');
	}
	guard_clear(&g);
}
END_TEST

START_TEST(nul)
{
	struct lmtp_command command;

	ck_assert_uint_eq(lmtp_parse(span_make("NOOP\0", 5), &command)->code, 500);
	ck_assert_uint_eq(
	    lmtp_parse(span_make("RCPT TO:<a\0@b.example>", 22), &command)->code, 500);
}
END_TEST

START_TEST(long_lines)
{
	char line[LMTP_LINE_MAX + 1];
	struct lmtp_command command;

	memset(line, 'x', sizeof line);
	memcpy(line, "NOOP ", 5);
	ck_assert_ptr_null(lmtp_parse(span_make(line, LMTP_LINE_MAX), &command));
	ck_assert_uint_eq(lmtp_parse(span_make(line, sizeof line), &command)->code, 500);
	memcpy(line, "LHLO ", 5);
	ck_assert_ptr_null(lmtp_parse(span_make(line, 5 + LMTP_NAME_MAX), &command));
	ck_assert_uint_eq(lmtp_parse(span_make(line, 6 + LMTP_NAME_MAX), &command)->code, 501);
}
END_TEST

START_TEST(mail_parameters)
{
	struct lmtp_command c;

	ck_assert_ptr_null(lmtp_parse(span_of("MAIL FROM:<a@b.example> size=18446744073709551615 "
					      "BODY=8bitmime SMTPUTF8 RET=hdrs ENVID=a+20b"),
	    &c));
	ck_assert_uint_eq(c.size, UINT64_MAX);
	ck_assert(c.is_8bit && !c.is_7bit && c.smtputf8 && !c.is_utf8);
	ck_assert(span_is(c.ret, "hdrs") && span_is(c.envid, "a+20b"));
	ck_assert(span_is(c.address, "a@b.example"));
	ck_assert_ptr_null(lmtp_parse(span_of("MAIL FROM:<> BODY=7BIT"), &c));
	ck_assert(!c.is_8bit && c.is_7bit && !c.smtputf8 && c.size == 0);
	ck_assert(c.ret.n == 0 && c.envid.n == 0);
	ck_assert_ptr_null(lmtp_parse(span_of("MAIL FROM:<\xc3\xa4@b.example>"), &c));
	ck_assert(c.is_utf8 && !c.smtputf8);
}
END_TEST

START_TEST(rcpt_parameters)
{
	struct lmtp_command c;

	ck_assert_ptr_null(lmtp_parse(
	    span_of("RCPT TO:<a@b.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;x+2By@z"), &c));
	ck_assert(span_is(c.notify, "SUCCESS,delay") && span_is(c.orcpt, "rfc822;x+2By@z"));
	ck_assert_ptr_null(lmtp_parse(span_of("RCPT TO:<a@b.example>  NOTIFY=NEVER "), &c));
	ck_assert(span_is(c.notify, "NEVER") && c.orcpt.n == 0);
}
END_TEST

static const struct {
	const char *words;
	unsigned code;
} bad_params[] = {
	{ "SIZE", 501 },
	{ "SIZE=", 501 },
	{ "SIZE=-1", 501 },
	{ "SIZE=1k", 501 },
	{ "SIZE=18446744073709551616", 501 },
	{ "SIZE=1 SIZE=1", 501 },
	{ "BODY", 501 },
	{ "BODY=BINARYMIME", 501 },
	{ "SMTPUTF8=1", 501 },
	{ "SMTPUTF8=", 501 },
	{ "RET=ALL", 501 },
	{ "RET", 501 },
	{ "ENVID=", 501 },
	{ "ENVID=a=b", 501 },
	{ "ENVID=a+2", 501 },
	{ "ENVID=a+2f", 501 },
	{ "ENVID=" FIFTY FIFTY "x", 501 },
	{ "AUTH=<>", 555 },
	{ "NOTIFY=NEVER", 555 },
	{ "=", 555 },
	{ "=x", 555 },
	{ "X", 555 },
};

static const struct {
	const char *words;
	unsigned code;
} bad_rcpt_params[] = {
	{ "NOTIFY", 501 },
	{ "NOTIFY=", 501 },
	{ "NOTIFY=NEVER,DELAY", 501 },
	{ "NOTIFY=DELAY,", 501 },
	{ "NOTIFY=,DELAY", 501 },
	{ "NOTIFY=DELAY NOTIFY=DELAY", 501 },
	{ "ORCPT=", 501 },
	{ "ORCPT", 501 },
	{ "ORCPT=a@b.example", 501 },
	{ "ORCPT=;a@b.example", 501 },
	{ "ORCPT=rfc822;", 501 },
	{ "ORCPT=rf c;a", 501 },
	{ "ORCPT=rfc822;a=b", 501 },
	{ "ORCPT=rfc822;\xc3\xa4", 501 },
	{ "RET=FULL", 555 },
};

START_TEST(parameters_that_are_not)
{
	struct lmtp_command c;
	char line[512];

	for (size_t i = 0; i < sizeof bad_params / sizeof bad_params[0]; i++) {
		snprintf(line, sizeof line, "MAIL FROM:<a@b.example> %s", bad_params[i].words);
		const struct lmtp_refusal *refusal = lmtp_parse(span_of(line), &c);
		ck_assert_msg(refusal != NULL && refusal->code == bad_params[i].code, "%s", line);
	}
	for (size_t i = 0; i < sizeof bad_rcpt_params / sizeof bad_rcpt_params[0]; i++) {
		snprintf(line, sizeof line, "RCPT TO:<a@b.example> %s", bad_rcpt_params[i].words);
		const struct lmtp_refusal *refusal = lmtp_parse(span_of(line), &c);
		ck_assert_msg(
		    refusal != NULL && refusal->code == bad_rcpt_params[i].code, "%s", line);
	}
}
END_TEST

START_TEST(lhlo)
{
	char text[LMTP_ANSWER_MAX], name[LMTP_NAME_MAX];
	struct buf out;

	buf_init(&out, text, sizeof text);
	lmtp_format_lhlo(&out, span_of("mail.example"));
	ck_assert_str_eq(text,
	    "250-mail.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
	    "250-SIZE\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n");
	memset(name, 'x', sizeof name);
	buf_init(&out, text, sizeof text);
	lmtp_format_lhlo(&out, span_make(name, sizeof name));
	ck_assert(!out.full);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lmtp");
	TCase *tests = tcase_create("lmtp");

	tcase_add_loop_test(tests, one, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, nul);
	tcase_add_test(tests, long_lines);
	tcase_add_test(tests, mail_parameters);
	tcase_add_test(tests, rcpt_parameters);
	tcase_add_test(tests, parameters_that_are_not);
	tcase_add_test(tests, lhlo);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
