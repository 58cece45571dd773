/* SPDX-License-Identifier: ISC
 *
 * Messages from smtpd: what goes on to the MX host has CRLF for its line ends and nothing else,
 * whatever came, and however it was cut.
 */
#include "opensmtpd/proto/body.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "unit.h"

#define S(text) text, sizeof text - 1

static const struct {
	const char *name, *in;
	size_t n_in;
	const char *out;
	size_t n_out;
	bool is_end;
} cases[] = {
	{ "no message", S(".\r\n"), S(""), true },
	{ "a line", S("hello\r\n.\r\n"), S("hello\r\n"), true },
	{ "an empty line", S("\r\n.\r\n"), S("\r\n"), true },
	{ "not all of it", S("hello\r\n"), S("hello\r\n"), false },
	{ "a dot that was doubled", S("..\r\n.\r\n"), S("..\r\n"), true },
	{ "dots that were", S("..x\r\n...\r\n.\r\n"), S("..x\r\n...\r\n"), true },
	{ "a dot that was not", S(".x\r\n.\r\n"), S("x\r\n"), true },
	{ "a dot and blank", S(". \r\n.\r\n"), S(" \r\n"), true },
	{ "a dot within", S("a.\r\nb.b\r\n.\r\n"), S("a.\r\nb.b\r\n"), true },
	{ "8 bit", S("\xc3\xa4\xff\x80\r\n.\r\n"), S("\xc3\xa4\xff\x80\r\n"), true },
	{ "controls stay", S("\t\x1b\x7f\x0c\r\n.\r\n"), S("\t\x1b\x7f\x0c\r\n"), true },
	{ "NUL", S("a\0b\r\n.\r\n"), S("a b\r\n"), true },
	{ "dot NUL", S("a\r\n.\0\r\n.\r\n"), S("a\r\n \r\n"), true },
	{ "NUL dot", S("a\r\n\0.\r\n.\r\n"), S("a\r\n .\r\n"), true },
	{ "CR at a line's end", S("a\r\r\n.\r\n"), S("a \r\n"), true },
	{ "CR within", S("a\rb\r\n.\r\n"), S("a b\r\n"), true },
	{ "LF within", S("a\nb\r\n.\r\n"), S("a b\r\n"), true },
	{ "CR for a line", S("\r\r\n.\r\n"), S(" \r\n"), true },
	{ "smuggled: LF . LF", S("a\n.\nMAIL\r\n.\r\n"), S("a . MAIL\r\n"), true },
	{ "smuggled: LF . CRLF", S("a\n.\r\nMAIL\r\n.\r\n"), S("a .\r\nMAIL\r\n"), true },
	{ "smuggled: CR . CR", S("a\r.\rMAIL\r\n.\r\n"), S("a . MAIL\r\n"), true },
	{ "smuggled: CR . CRLF", S("a\r.\r\nMAIL\r\n.\r\n"), S("a .\r\nMAIL\r\n"), true },
	{ "smuggled: CR . LF", S("a\r.\nMAIL\r\n.\r\n"), S("a . MAIL\r\n"), true },
	{ "smuggled: CRLF . CR", S("a\r\n.\rMAIL\r\n.\r\n"), S("a\r\n MAIL\r\n"), true },
	{ "smuggled: CRLF . LF", S("a\r\n.\nMAIL\r\n.\r\n"), S("a\r\n MAIL\r\n"), true },
	{ "smuggled: CRLF . CR CRLF", S("a\r\n.\r\r\nMAIL\r\n.\r\n"), S("a\r\n \r\nMAIL\r\n"),
	    true },
	{ "smuggled: LF CR . CRLF", S("a\n\r.\r\n.\r\n"), S("a  .\r\n"), true },
	{ "smuggled: CRLF CR . CRLF", S("a\r\n\r.\r\n.\r\n"), S("a\r\n .\r\n"), true },
	{ "smuggled: CRLF LF . CRLF", S("a\r\n\n.\r\n.\r\n"), S("a\r\n .\r\n"), true },
	/* as smtpd writes the queue's lines ".\r" and ".\rMAIL": its dot is doubled */
	{ "queued: dot CR", S("a\r\n..\r\r\nb\r\n.\r\n"), S("a\r\n.. \r\nb\r\n"), true },
	{ "queued: dot CR text", S("..\rMAIL\r\n.\r\n"), S(".. MAIL\r\n"), true },
	{ "an end that is none yet", S("a\r\n.\r"), S("a\r\n"), false },
};

enum { N_CASES = sizeof cases / sizeof cases[0] };

/* All of in, at most step octets a call (0: all at once).  Octets written; *left were not taken. */
static size_t
take(struct span in, size_t step, char *out, bool *is_end, size_t *left)
{
	struct body body = { .state = BODY_LINE };
	size_t n = 0;

	while (in.n > 0 && !body_is_end(&body)) {
		struct guard g;
		guard_init(&g, in.p, step == 0 || step > in.n ? in.n : step);
		struct span part = g.span;
		size_t size = part.n + BODY_HELD, wrote;
		char *here = malloc(size);
		ck_assert_ptr_nonnull(here);
		wrote = body_take(&body, &part, here);
		ck_assert_uint_le(wrote, size);
		memcpy(out + n, here, wrote);
		n += wrote;
		in = span_from(in, g.span.n - part.n);
		free(here);
		guard_clear(&g);
	}
	*is_end = body_is_end(&body);
	*left = in.n;
	return n;
}

START_TEST(one)
{
	char out[256];
	size_t left;
	bool is_end;

	for (size_t step = 0; step < 4; step++) {
		struct span in = span_make(cases[_i].in, cases[_i].n_in);
		size_t n = take(in, step, out, &is_end, &left);
		ck_assert_msg(n == cases[_i].n_out && memcmp(out, cases[_i].out, n) == 0,
		    "%s: \"%.*s\"", cases[_i].name, (int)n, out);
		ck_assert_msg(is_end == cases[_i].is_end, "%s", cases[_i].name);
		ck_assert_msg(left == 0, "%s", cases[_i].name);
	}
}
END_TEST

START_TEST(behind_the_end)
{
	struct span in = span_of("a\r\n.\r\nMAIL FROM:<>\r\n");
	struct body body = { .state = BODY_LINE };
	char out[64];

	ck_assert_uint_eq(body_take(&body, &in, out), 3);
	ck_assert(body_is_end(&body));
	ck_assert(span_is(in, "MAIL FROM:<>\r\n"));
	ck_assert_uint_eq(body_take(&body, &in, out), 0);
	ck_assert(span_is(in, "MAIL FROM:<>\r\n"));
}
END_TEST

START_TEST(long_lines)
{
	enum { N = 3 << 20 };
	char *in = malloc(N + 5), *out = malloc(N + 5 + BODY_HELD);
	struct body body = { .state = BODY_LINE };

	ck_assert(in != NULL && out != NULL);
	memset(in, 'x', N);
	memcpy(in + N, "\r\n.\r\n", 5);
	struct span rest = span_make(in, N + 5);
	ck_assert_uint_eq(body_take(&body, &rest, out), N + 2);
	ck_assert(body_is_end(&body) && memcmp(in, out, N + 2) == 0);
	free(in);
	free(out);
}
END_TEST

/* ---- against a model that does it in whole passes ---- */

/* Blanks for what is no part of a CRLF. */
static void
model_blanks(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n')
			i++;
		else if (p[i] == '\r' || p[i] == '\n' || p[i] == '\0')
			p[i] = ' ';
	}
}

/* The octets behind the first CRLF, or NULL. */
static const char *
model_next(const char *p, const char *end)
{
	for (; p + 1 < end; p++)
		if (p[0] == '\r' && p[1] == '\n')
			return p + 2;
	return NULL;
}

static size_t
model(const char *in, size_t n_in, char *out, bool *is_end)
{
	char *copy = malloc(n_in + 1);
	size_t n = 0;

	memcpy(copy, in, n_in);
	model_blanks(copy, n_in);
	*is_end = false;
	const char *line = copy, *end = copy + n_in, *next;
	for (; (next = model_next(line, end)) != NULL; line = next) {
		*is_end = next - line == 3 && line[0] == '.';
		if (*is_end)
			break;
		if (line[0] == '.')
			line++;
		if (line[0] == '.')
			out[n++] = '.';
		memcpy(out + n, line, (size_t)(next - line));
		n += (size_t)(next - line);
	}
	free(copy);
	return n;
}

/* Every string of six octets of these, its end behind it. */
START_TEST(every_short_one)
{
	static const char octets[] = { '\r', '\n', '.', 'a', '\0' };
	enum { LEN = 6 };
	char in[LEN + 5], out[32], expected[32];
	unsigned total = 1;

	for (int i = 0; i < LEN; i++)
		total *= sizeof octets;
	memcpy(in + LEN, "\r\n.\r\n", 5);
	for (unsigned k = 0; k < total; k++) {
		unsigned rest = k;
		for (int i = 0; i < LEN; i++, rest /= sizeof octets)
			in[i] = octets[rest % sizeof octets];
		struct body body = { .state = BODY_LINE };
		size_t n = 0;
		for (size_t i = 0; i < sizeof in && !body_is_end(&body); i++) {
			struct span part = span_make(in + i, 1);
			n += body_take(&body, &part, out + n);
		}
		bool is_end;
		size_t want = model(in, sizeof in, expected, &is_end);
		ck_assert_msg(is_end && body_is_end(&body), "%u", k);
		ck_assert_msg(n == want && memcmp(out, expected, n) == 0, "%u", k);
	}
}
END_TEST

/* What smtpd does with the lines of its queue file, undone by an MX host: the same lines. */
START_TEST(there_and_back)
{
	srand(1);
	for (int k = 0; k < 2000; k++) {
		char lines[200], wire[600], out[600 + BODY_HELD], back[600];
		size_t n = (size_t)rand() % sizeof lines, n_wire = 0, n_back = 0;
		for (size_t i = 0; i < n; i++)
			lines[i] = "..\n\nabc"[rand() % 7];
		if (n == 0 || lines[n - 1] != '\n')
			lines[n > 0 ? n - 1 : n++] = '\n';
		for (size_t i = 0; i < n; i++) {
			if (lines[i] == '.' && (i == 0 || lines[i - 1] == '\n'))
				wire[n_wire++] = '.';
			if (lines[i] == '\n')
				wire[n_wire++] = '\r';
			wire[n_wire++] = lines[i];
		}
		memcpy(wire + n_wire, ".\r\n", 3);
		struct span in = span_make(wire, n_wire + 3);
		struct body body = { .state = BODY_LINE };
		size_t n_out = body_take(&body, &in, out);
		ck_assert(body_is_end(&body));
		for (size_t i = 0; i < n_out; i++) {
			if (out[i] == '.' && (i == 0 || out[i - 1] == '\n'))
				i++;
			if (out[i] != '\r')
				back[n_back++] = out[i];
		}
		ck_assert(n_back == n && memcmp(back, lines, n) == 0);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("body");
	TCase *tests = tcase_create("body");

	tcase_add_loop_test(tests, one, 0, N_CASES);
	tcase_add_test(tests, behind_the_end);
	tcase_add_test(tests, long_lines);
	tcase_add_test(tests, every_short_one);
	tcase_add_test(tests, there_and_back);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
