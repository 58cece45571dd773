/* SPDX-License-Identifier: ISC
 *
 * The client's side of SMTP, whole conversations: a script of what the host says ("S ...") and
 * what is asked for ("M", "R", "D", "E", "T" for TLS that is up) against everything that comes out
 * of it: lines that are sent ("> ...") and events ("= ...").
 */
#include "opensmtpd/proto/smtp.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "nomem.h"
#include "unit.h"

struct talk {
	struct smtp smtp;
	char log[16384];
	struct buf out;
};

static const char *const names[] = { "nothing", "ready", "handshake", "mail", "rcpt", "data", "end",
	"over" };

static void
tell(struct talk *talk, enum smtp_event event)
{
	const struct smtp *smtp = &talk->smtp;

	if (event == SMTP_NOTHING)
		return;
	buf_printf(&talk->out, "= %s", names[event]);
	if (event == SMTP_RCPT)
		buf_printf(&talk->out, " %zu", smtp->i);
	if (event != SMTP_HANDSHAKE && smtp->reply.code != 0)
		buf_printf(&talk->out, " %u %zu", smtp->reply.code, smtp->reply.n);
	if (smtp->is_over)
		buf_printf(&talk->out, " (%s)", smtp->why);
	buf_puts(&talk->out, "\n");
}

/* Everything that needs nothing from outside. */
static void
drain(struct talk *talk)
{
	enum smtp_event event;
	struct span line;
	bool is_any = true;

	while (is_any) {
		is_any = false;
		while (smtp_next(&talk->smtp, &line)) {
			buf_puts(&talk->out, "> ");
			if (line.n < 3 || memcmp(line.p + line.n - 2, "\r\n", 2) != 0)
				ck_abort_msg("no line: %.*s", (int)line.n, line.p);
			buf_put(&talk->out, span_make(line.p, line.n - 2));
			buf_puts(&talk->out, "\n");
			is_any = true;
		}
		while ((event = smtp_local(&talk->smtp)) != SMTP_NOTHING) {
			tell(talk, event);
			is_any = true;
		}
	}
}

static struct span
word(struct span *rest)
{
	size_t end = span_find(*rest, '|');
	struct span s = span_make(rest->p, end);

	*rest = span_from(*rest, end + 1);
	return s;
}

/* M sender|size|flags 8 and u|ret|envid, R recipient|notify|orcpt */
static void
act(struct talk *talk, struct span line)
{
	struct span rest = span_from(line, 2);
	struct guard g;

	guard_init(&g, rest.p, rest.n);
	rest = g.span;
	switch (line.p[0]) {
	case 'S':
		tell(talk, smtp_line(&talk->smtp, rest));
		break;
	case 'T':
		smtp_secured(&talk->smtp);
		break;
	case 'M': {
		struct command_mail mail = { .sender = word(&rest) };
		struct span size = word(&rest), flags = word(&rest);
		(void)span_u64(size, 20, UINT64_MAX, &mail.size);
		mail.is_8bit = span_find(flags, '8') != flags.n;
		mail.smtputf8 = span_find(flags, 'u') != flags.n;
		mail.ret = word(&rest);
		mail.envid = word(&rest);
		smtp_mail(&talk->smtp, &mail);
		break;
	}
	case 'R': {
		struct command_rcpt rcpt = { .recipient = word(&rest) };
		rcpt.notify = word(&rest);
		rcpt.orcpt = word(&rest);
		smtp_rcpt(&talk->smtp, &rcpt);
		break;
	}
	case 'D':
		smtp_data(&talk->smtp);
		break;
	case 'E':
		smtp_end(&talk->smtp);
		break;
	default:
		ck_abort_msg("script: %c", line.p[0]);
	}
	guard_clear(&g);
	drain(talk);
}

static void
talk_init(struct talk *talk, bool wants_tls)
{
	buf_init(&talk->out, talk->log, sizeof talk->log);
	smtp_init(&talk->smtp, "mail.sender.example", wants_tls);
	drain(talk);
}

static void
run(struct talk *talk, const char *script)
{
	struct span rest = span_of(script);

	while (rest.n != 0) {
		size_t end = span_find(rest, '\n');
		act(talk, span_make(rest.p, end));
		rest = span_from(rest, end + 1);
	}
	if (talk->out.full) /* ck_assert() itself would need memory */
		ck_abort();
}

/* ---- conversations ---- */

#define HELLO(...) "S 220 mx.a.example ESMTP\nS 250-mx.a.example\n" __VA_ARGS__ "S 250 HELP\n"
#define HELLO_OUT  "> EHLO mail.sender.example\n"

static const struct {
	const char *name;
	bool wants_tls;
	const char *script, *expected;
} cases[] = {
	{ "RFC 5321 D.1, a typical scenario", false,
	    "S 220 foo.com Simple Mail Transfer Service Ready\n"
	    "S 250-foo.com greets bar.com\nS 250-8BITMIME\nS 250-SIZE\nS 250-DSN\nS 250 HELP\n"
	    "M Smith@bar.com\nS 250 OK\n"
	    "R Jones@foo.com\nS 250 OK\nR Green@foo.com\nS 550 No such user here\n"
	    "R Brown@foo.com\nS 250 OK\n"
	    "D\nS 354 Start mail input; end with <CRLF>.<CRLF>\nE\nS 250 OK\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<Smith@bar.com>\n= mail 250 8\n"
		      "> RCPT TO:<Jones@foo.com>\n= rcpt 0 250 8\n"
		      "> RCPT TO:<Green@foo.com>\n= rcpt 1 550 23\n"
		      "> RCPT TO:<Brown@foo.com>\n= rcpt 2 250 8\n"
		      "> DATA\n= data 354 46\n> .\n= end 250 8\n" },
	{ "without PIPELINING one command at a time", false,
	    HELLO() "M a@a.example\nR b@b.example\nR c@b.example\nD\nS 250 ok\nS 250 ok\nS 550 no\n"
		    "S 354 go\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n"
		      "= rcpt 0 250 8\n> RCPT TO:<c@b.example>\n= rcpt 1 550 8\n> DATA\n"
		      "= data 354 8\n" },
	{ "with it MAIL and RCPT together, DATA not", false,
	    HELLO("S 250-PIPELINING\n") "M a@a.example\nR b@b.example\nR c@b.example\nD\nS 250 ok\n"
					"S 250 ok\nS 550 no\nS 354 go\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n> RCPT TO:<b@b.example>\n"
		      "> RCPT TO:<c@b.example>\n= mail 250 8\n= rcpt 0 250 8\n= rcpt 1 550 8\n"
		      "> DATA\n= data 354 8\n" },
	{ "MAIL refused: recipients hear why, not 503", false,
	    HELLO("S 250-PIPELINING\n") "M a@a.example\nR b@b.example\nS 550 5.7.1 not you\nR "
					"c@b.example\nS 503 5.5.1 need MAIL\nD\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n> RCPT TO:<b@b.example>\n= mail 550 19\n"
		      "= rcpt 0 550 19\n= rcpt 1 550 19\n= data 550 19\n" },
	{ "MAIL refused, no PIPELINING: no RCPT is sent", false,
	    HELLO() "M a@a.example\nR b@b.example\nR c@b.example\nS 451 4.7.1 later\nD\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n= mail 451 17\n= rcpt 0 451 17\n"
		      "= rcpt 1 451 17\n= data 451 17\n" },
	{ "nobody was accepted: no DATA", false,
	    HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 550 no\nD\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n"
		      "= rcpt 0 550 8\n= data 554 31\n" },
	{ "null sender", false, HELLO() "M \n", HELLO_OUT "= ready\n> MAIL FROM:<>\n" },
	{ "all parameters", false,
	    HELLO("S 250-SIZE 1000000\nS 250-8BITMIME\nS 250-SMTPUTF8\nS 250-DSN\nS "
		  "250-PIPELINING\n") "M a@a.example|1234|8u|HDRS|QQ314159\nR "
				      "b@b.example|SUCCESS,FAILURE|rfc822;b+2Bc@b.example\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=HDRS "
	    "ENVID=QQ314159\n> RCPT TO:<b@b.example> NOTIFY=SUCCESS,FAILURE "
	    "ORCPT=rfc822;b+2Bc@b.example\n" },
	{ "no parameter that is not offered", false,
	    HELLO() "M a@a.example|1234|8|HDRS|QQ314159\nS 250 ok\n"
		    "R b@b.example|NEVER|rfc822;b@b.example\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n" },
	{ "a parameter that could begin another is left out", false,
	    HELLO("S 250-DSN\nS 250-PIPELINING\n") "M a@a.example|||HDRS X=1|a\rb\nR "
						   "b@b.example|A B|x=y\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n> RCPT TO:<b@b.example>\n" },
	{ "keywords in any case", false,
	    HELLO("S 250-size 7\nS 250-PipeLining\n") "M a@a.example|5\nR b@b.example\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example> SIZE=5\n> RCPT TO:<b@b.example>\n" },
	{ "an extension's name in the host's greeting is none", false,
	    "S 220 mx\nS 250-PIPELINING here\nS 250 HELP\nM a@a.example\nR b@b.example\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n" },
	{ "SMTPUTF8 needed, not offered", false,
	    HELLO("S 250-PIPELINING\n") "M a@a.example||u\nR b@b.example\nD\n",
	    HELLO_OUT "= ready\n= mail 550 60\n= rcpt 0 550 60\n= data 550 60\n" },
	{ "an address of eight bits, SMTPUTF8 not offered", false,
	    HELLO("S 250-PIPELINING\n") "M \xc3\xa4@a.example\n",
	    HELLO_OUT "= ready\n= mail 550 60\n" },
	{ "one recipient of eight bits, in its turn", false,
	    HELLO("S 250-PIPELINING\n") "M a@a.example\nR b@b.example\nR \xc3\xa4@b.example\nR "
					"c@b.example\nS 250 ok\nS 250 ok\nS 250 ok\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n> RCPT TO:<b@b.example>\n> RCPT "
		      "TO:<c@b.example>\n= mail 250 8\n= rcpt 0 250 8\n= rcpt 1 550 60\n= rcpt 2 "
		      "250 8\n" },
	{ "the same, one command at a time", false,
	    HELLO() "M a@a.example\nR \xc3\xa4@b.example\nR c@b.example\nS 250 ok\nS 250 ok\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n= rcpt 0 550 60\n> RCPT "
		      "TO:<c@b.example>\n= rcpt 1 250 8\n" },
	{ "SMTPUTF8 offered and said", false,
	    HELLO("S 250-SMTPUTF8\nS 250-8BITMIME\nS 250-PIPELINING\n") "M \xc3\xa4@a.example\nR "
									"\xc3\xb6@b.example\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<\xc3\xa4@a.example> BODY=8BITMIME SMTPUTF8\n> RCPT "
		      "TO:<\xc3\xb6@b.example>\n" },
	{ "EHLO is not known: HELO", true,
	    "S 220 mx\nS 502 what?\nS 250 old.example\nM a@a.example|9|8\n",
	    HELLO_OUT "> HELO mail.sender.example\n= ready\n> MAIL FROM:<a@a.example>\n" },
	{ "nor HELO", false, "S 220 mx\nS 500 what?\nS 502 what?\n",
	    HELLO_OUT "> HELO mail.sender.example\n= over 502 11 (the host refused HELO)\n" },
	{ "EHLO put off", false, "S 220 mx\nS 451 later\n",
	    HELLO_OUT "= over 451 11 (the host refused EHLO)\n" },
	{ "greeting 554", false, "S 554 5.3.2 no mail here\n",
	    "= over 554 24 (the host takes no mail)\n" },
	{ "greeting of many lines", false, "S 220-mx.a.example\nS 220-hello\nS 220 you\n",
	    HELLO_OUT },
	{ "greeting 421", false, "S 421 busy\n", "= over 421 10 (the host ended the session)\n" },
	{ "greeting 354", false, "S 354 go\n", "= over (no greeting)\n" },
	{ "SSH", false, "S SSH-2.0-OpenSSH_9.2\n", "= over (no SMTP)\n" },
	{ "STARTTLS", true,
	    HELLO("S 250-STARTTLS\nS 250-SIZE 9\nS 250-PIPELINING\n") "S 220 go\nT\nS "
								      "250-mx.a.example\nS 250 "
								      "8BITMIME\nM "
								      "a@a.example|8|8\nR "
								      "b@b.example\n",
	    HELLO_OUT "> STARTTLS\n= handshake\n" HELLO_OUT
		      "= ready\n> MAIL FROM:<a@a.example> BODY=8BITMIME\n" },
	{ "STARTTLS is not asked for twice", true,
	    HELLO("S 250-STARTTLS\n") "S 220 go\nT\nS 250-mx\nS 250 STARTTLS\n",
	    HELLO_OUT "> STARTTLS\n= handshake\n" HELLO_OUT "= ready\n" },
	{ "STARTTLS not wanted", false, HELLO("S 250-STARTTLS\n"), HELLO_OUT "= ready\n" },
	{ "STARTTLS not offered", true, HELLO(), HELLO_OUT "= ready\n" },
	{ "STARTTLS put off", true, HELLO("S 250-STARTTLS\n") "S 454 4.7.0 not now\n",
	    HELLO_OUT "> STARTTLS\n= ready 454 19\n" },
	{ "STARTTLS refused", true, HELLO("S 250-STARTTLS\n") "S 502 no\nM a@a.example\n",
	    HELLO_OUT "> STARTTLS\n= ready 502 8\n> MAIL FROM:<a@a.example>\n" },
	{ "STARTTLS 250", true, HELLO("S 250-STARTTLS\n") "S 250 what was that?\n",
	    HELLO_OUT "> STARTTLS\n= over (neither yes nor no to STARTTLS)\n" },
	{ "STARTTLS 421", true, HELLO("S 250-STARTTLS\n") "S 421 bye\n",
	    HELLO_OUT "> STARTTLS\n= over 421 9 (the host ended the session)\n" },
	{ "CVE-2011-0411: a line behind the 220", true,
	    HELLO("S 250-STARTTLS\n") "S 220 go\nS 250-mx\n",
	    HELLO_OUT "> STARTTLS\n= handshake\n= over (more behind the answer to STARTTLS)\n" },
	{ "421 for MAIL", false,
	    HELLO() "M a@a.example\nR b@b.example\nS 421 4.3.2 bye\nS 250 ok\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 421 15 (the host ended the session)\n" },
	{ "421 for one of two recipients", false,
	    HELLO("S 250-PIPELINING\n") "M a@a.example\nR b@b.example\nR c@b.example\nS 250 ok\nS "
					"421 bye\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n> RCPT TO:<b@b.example>\n> RCPT "
	    "TO:<c@b.example>\n= mail 250 8\n= rcpt 0 421 9 (the host ended the session)\n" },
	{ "421 for the message", false,
	    HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 250 ok\nD\nS 354 go\nE\nS 421 bye\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n= rcpt 0 "
	    "250 8\n> DATA\n= data 354 8\n> .\n= end 421 9 (the host ended the session)\n" },
	{ "421 while nothing is asked", false, HELLO() "S 421 you are slow\nM a@a.example\n",
	    HELLO_OUT "= ready\n= over 421 18 (the host ended the session)\n" },
	{ "an answer too many", false, HELLO() "S 250 ok\nM a@a.example\n",
	    HELLO_OUT "= ready\n= over (an answer that nobody asked for)\n" },
	{ "a no in the middle of the message", false,
	    HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 250 ok\nD\nS 354 go\nS 552 5.3.4 "
		    "too big\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n= rcpt 0 "
	    "250 8\n> DATA\n= data 354 8\n= end 552 19 (no in the middle of the message)\n" },
	{ "a yes in the middle of the message is none", false,
	    HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 250 ok\nD\nS 354 go\nS 250 "
		    "queued\nE\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n= rcpt 0 "
	    "250 8\n> DATA\n= data 354 8\n= over (an answer that nobody asked for)\n" },
	{ "DATA refused", false,
	    HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 250 ok\nD\nS 451 later\nE\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n= rcpt 0 "
	    "250 8\n> DATA\n= data 451 11\n" },
	{ "250 for DATA", false,
	    HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 250 ok\nD\nS 250 ok\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n= rcpt 0 "
	    "250 8\n> DATA\n= over (no answer to DATA)\n" },
	{ "354 for RCPT", false, HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 354 go\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n= over (no "
	    "answer to RCPT)\n" },
	{ "354 for MAIL", false, HELLO() "M a@a.example\nS 354 go\n",
	    HELLO_OUT "= ready\n> MAIL FROM:<a@a.example>\n= over (no answer to MAIL)\n" },
	{ "354 for the message", false,
	    HELLO() "M a@a.example\nS 250 ok\nR b@b.example\nS 250 ok\nD\nS 354 go\nE\nS 354 go\n",
	    HELLO_OUT
	    "= ready\n> MAIL FROM:<a@a.example>\n= mail 250 8\n> RCPT TO:<b@b.example>\n= rcpt 0 "
	    "250 8\n> DATA\n= data 354 8\n> .\n= over (no answer to the message)\n" },
	{ "another code in the middle of a reply", false, "S 220-mx\nS 554 no\n",
	    "= over (no SMTP)\n" },
};

START_TEST(conversation)
{
	static struct talk talk;

	talk_init(&talk, cases[_i].wants_tls);
	run(&talk, cases[_i].script);
	ck_assert_msg(
	    strcmp(talk.log, cases[_i].expected) == 0, "%s:\n%s", cases[_i].name, talk.log);
	smtp_clear(&talk.smtp);
}
END_TEST

/* ---- addresses ---- */

static const struct {
	const char *address;
	bool is_sent;
} addresses[] = {
	{ "a@a.example", true },
	{ "Postmaster", true },
	{ "a+b=c@[192.0.2.1]", true },
	{ "\"a b\"@a.example", true },
	{ "\"a<b>\"@a.example", true },
	{ "\"a\\\"b\"@a.example", true },
	{ "\"a\\\\\"@a.example", true },
	{ "a b@a.example", false },
	{ "a@a.example> SIZE=1", false },
	{ "a@a.example>", false },
	{ "<a@a.example", false },
	{ "a\\@a.example", false },
	{ "\"a@a.example", false },
	{ "\"a\\\"@a.example> X", false },
	{ "a\r\nRSET\r\n@a.example", false },
	{ "a\n@a.example", false },
	{ "a\r@a.example", false },
	{ "\"a\r\nb\"@a.example", false },
	{ "\"a\\\r\nb\"@a.example", false },
	{ "\"a\\\n\"@a.example", false },
	{ "a\t@a.example", false },
	{ "a\177@a.example", false },
	{ "a\xc2\x85@a.example", false },
	{ "a\xff@a.example", false },
	{ "a\xe2\x82@a.example", false },
};

START_TEST(one_address)
{
	struct extensions all = { ~0U, 0 };
	struct command_mail mail = { .sender = span_of(addresses[_i].address) };
	struct command_rcpt rcpt = { .recipient = mail.sender };
	char line[COMMAND_MAX];
	struct buf out;

	buf_init(&out, line, sizeof line);
	bool is_sent = command_mail(&out, &mail, &all) == COMMAND_FINE;
	ck_assert_msg(is_sent == addresses[_i].is_sent, "%s", addresses[_i].address);
	buf_init(&out, line, sizeof line);
	is_sent = command_rcpt(&out, &rcpt, &all, true) == COMMAND_FINE;
	ck_assert_msg(is_sent == addresses[_i].is_sent, "%s", addresses[_i].address);
}
END_TEST

START_TEST(nul_and_length)
{
	struct extensions none = { 0, 0 };
	char text[COMMAND_ADDRESS_MAX + 1], line[COMMAND_MAX];
	struct command_rcpt rcpt = { .recipient = { "a\0b@a.example", 13 } };
	struct buf out;

	buf_init(&out, line, sizeof line);
	ck_assert_int_eq(command_rcpt(&out, &rcpt, &none, false), COMMAND_BAD);
	memset(text, 'a', sizeof text);
	rcpt.recipient = span_make(text, sizeof text);
	ck_assert_int_eq(command_rcpt(&out, &rcpt, &none, false), COMMAND_BAD);
	rcpt.recipient.n--;
	buf_init(&out, line, sizeof line);
	ck_assert_int_eq(command_rcpt(&out, &rcpt, &none, false), COMMAND_FINE);
	rcpt.recipient.n = 0;
	ck_assert_int_eq(command_rcpt(&out, &rcpt, &none, false), COMMAND_BAD);
}
END_TEST

/* Everything at its longest fits into a line. */
START_TEST(longest_lines)
{
	struct extensions all = { ~0U, 0 };
	char address[COMMAND_ADDRESS_MAX], value[COMMAND_VALUE_MAX + 1], line[COMMAND_MAX];
	struct buf out;

	memset(address, 'a', sizeof address);
	memset(value, 'x', sizeof value);
	struct command_mail mail = { { address, sizeof address }, { value, sizeof value - 1 },
		{ value, sizeof value - 1 }, UINT64_MAX, true, true };
	struct command_rcpt rcpt = { { address, sizeof address }, { value, sizeof value - 1 },
		{ value, sizeof value - 1 } };
	buf_init(&out, line, sizeof line);
	ck_assert_int_eq(command_mail(&out, &mail, &all), COMMAND_FINE);
	buf_init(&out, line, sizeof line);
	ck_assert_int_eq(command_rcpt(&out, &rcpt, &all, true), COMMAND_FINE);
	ck_assert_ptr_nonnull(strstr(line, " NOTIFY="));
	rcpt.notify.n++;
	buf_init(&out, line, sizeof line);
	ck_assert_int_eq(command_rcpt(&out, &rcpt, &all, true), COMMAND_FINE);
	ck_assert_ptr_null(strstr(line, " NOTIFY="));
}
END_TEST

/* ---- what is remembered ---- */

START_TEST(size_limit)
{
	static const struct {
		const char *line;
		uint64_t limit;
	} sizes[] = {
		{ "S 250 SIZE 35882577\n", 35882577 },
		{ "S 250 SIZE\n", 0 },
		{ "S 250 SIZE 0\n", 0 },
		{ "S 250 SIZE 18446744073709551615\n", UINT64_MAX },
		{ "S 250 SIZE 18446744073709551616\n", 0 },
		{ "S 250 SIZE -1\n", 0 },
		{ "S 250 SIZES 7\n", 0 },
	};
	static struct talk talk;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		talk_init(&talk, false);
		run(&talk, "S 220 mx\nS 250-mx\n");
		run(&talk, sizes[i].line);
		ck_assert_msg(
		    talk.smtp.extensions.size_limit == sizes[i].limit, "%s", sizes[i].line);
		smtp_clear(&talk.smtp);
	}
}
END_TEST

START_TEST(host_name)
{
	static struct talk talk;

	talk_init(&talk, true);
	run(&talk, "S 220 greets.example ESMTP\n");
	ck_assert_str_eq(talk.smtp.host, "greets.example");
	run(&talk, "S 250-says.example Hello mail.sender.example\nS 250 STARTTLS\n");
	ck_assert_str_eq(talk.smtp.host, "says.example");
	run(&talk, "S 220 go\nT\n");
	ck_assert_str_eq(talk.smtp.host, "");
	run(&talk, "S 250 b\033]0;x\n");
	ck_assert_str_eq(talk.smtp.host, "");
	ck_assert_int_eq(talk.smtp.tls, SMTP_TLS_UP);
	smtp_clear(&talk.smtp);
}
END_TEST

START_TEST(quit)
{
	static struct talk talk;

	talk_init(&talk, true);
	ck_assert(!smtp_may_quit(&talk.smtp));
	run(&talk, HELLO("S 250-STARTTLS\n"));
	ck_assert(!smtp_may_quit(&talk.smtp));
	run(&talk, "S 220 go\n");
	ck_assert(!smtp_may_quit(&talk.smtp)); /* it would be read as TLS */
	run(&talk, "T\nS 250 mx\n");
	ck_assert(smtp_may_quit(&talk.smtp));
	run(&talk, "M a@a.example\n");
	ck_assert(!smtp_may_quit(&talk.smtp));
	run(&talk, "S 250 ok\nR b@b.example\nS 250 ok\nD\nS 354 go\n");
	ck_assert(!smtp_may_quit(&talk.smtp)); /* it would be a part of the message */
	run(&talk, "E\n");
	ck_assert(!smtp_may_quit(&talk.smtp));
	run(&talk, "S 250 ok\n");
	ck_assert(smtp_may_quit(&talk.smtp));
	smtp_clear(&talk.smtp);
	talk_init(&talk, true);
	run(&talk, "S 554 no\n");
	ck_assert(smtp_may_quit(&talk.smtp));
	smtp_clear(&talk.smtp);
	talk_init(&talk, true);
	run(&talk, "S what\n");
	ck_assert(!smtp_may_quit(&talk.smtp));
	smtp_clear(&talk.smtp);
}
END_TEST

START_TEST(our_name)
{
	static const char *const bad[] = { "", "a b", "a\r\nMAIL FROM:<>", "a\n",
		"\xc3\xa4.example" };
	struct smtp smtp;
	struct span line;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		smtp_init(&smtp, bad[i], false);
		ck_assert_msg(smtp.is_over, "%s", bad[i]);
		ck_assert_int_eq(smtp_line(&smtp, span_of("220 mx")), SMTP_NOTHING);
		ck_assert(!smtp_next(&smtp, &line));
		smtp_clear(&smtp);
	}
	smtp_init(&smtp, "[IPv6:2001:db8::1]", false);
	ck_assert(!smtp.is_over);
	smtp_clear(&smtp);
}
END_TEST

/* ---- lines ---- */

START_TEST(split)
{
	static char text[REPLY_LINE_MAX + 8];
	struct span in = span_of("220 a\r\n250 b\n\r\nx"), line;
	struct guard g;

	ck_assert_int_eq(smtp_split(&in, &line), 1);
	ck_assert(span_is(line, "220 a"));
	ck_assert_int_eq(smtp_split(&in, &line), 1);
	ck_assert(span_is(line, "250 b"));
	ck_assert_int_eq(smtp_split(&in, &line), 1);
	ck_assert(span_is(line, ""));
	ck_assert_int_eq(smtp_split(&in, &line), 0);
	ck_assert(span_is(in, "x"));

	memset(text, 'x', sizeof text);
	memcpy(text + REPLY_LINE_MAX, "\r\n", 2);
	guard_init(&g, text, REPLY_LINE_MAX + 2);
	in = g.span;
	ck_assert_int_eq(smtp_split(&in, &line), 1);
	ck_assert_uint_eq(line.n, REPLY_LINE_MAX);
	guard_clear(&g);
	memcpy(text + REPLY_LINE_MAX, "xx\n", 3);
	for (size_t n = REPLY_LINE_MAX; n <= REPLY_LINE_MAX + 3; n++) {
		guard_init(&g, text, n);
		in = g.span;
		ck_assert_int_eq(smtp_split(&in, &line), n > REPLY_LINE_MAX + 1 ? -1 : 0);
		guard_clear(&g);
	}
	memcpy(text + REPLY_LINE_MAX, "x\n", 2);
	in = span_make(text, REPLY_LINE_MAX + 2);
	ck_assert_int_eq(smtp_split(&in, &line), -1);
}
END_TEST

START_TEST(no_memory)
{
	static struct talk talk;
	bool is_whole = false;

	for (size_t n = 0; !is_whole; n++) {
		ck_assert_uint_lt(n, 100);
		nomem_after(n);
		talk_init(&talk, true);
		run(&talk, HELLO("S 250-STARTTLS\n") "S 220 go\n");
		if (talk.smtp.tls == SMTP_TLS_AGREED)
			run(&talk, "T\nS 250 mx\nM a@a.example\nR b@b.example\nS 550 no\nD\n");
		is_whole = nomem_end() <= n;
		ck_assert(talk.smtp.is_over == !is_whole);
		if (!is_whole)
			ck_assert_str_eq(talk.smtp.why, "out of memory");
		smtp_clear(&talk.smtp);
	}
	ck_assert_ptr_nonnull(strstr(talk.log, "= data 550"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtp");
	TCase *tests = tcase_create("smtp");

	tcase_add_loop_test(tests, conversation, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_loop_test(tests, one_address, 0, (int)(sizeof addresses / sizeof addresses[0]));
	tcase_add_test(tests, nul_and_length);
	tcase_add_test(tests, longest_lines);
	tcase_add_test(tests, size_limit);
	tcase_add_test(tests, host_name);
	tcase_add_test(tests, quit);
	tcase_add_test(tests, our_name);
	tcase_add_test(tests, split);
	tcase_add_test(tests, no_memory);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
