/* SPDX-License-Identifier: ISC
 *
 * SMTP replies, RFC 5321 4.2.1: "250-" lines and a last one "250 ".
 */
#include "exim/reply.h"

enum {
	CODE = 3,	 /* octets of a reply code */
	NAME_MAX_N = 255 /* octets of a host's name that are kept */
};

/* The text of the next line; false at the end.  *code is the line's, *rest moves on. */
static bool
next_line(struct span *rest, struct span *code, struct span *text)
{
	struct span line;

	if (rest->n == 0)
		return false;
	line = span_make(rest->p, span_find(*rest, '\n'));
	*rest = span_from(*rest, line.n + 1);
	if (line.n != 0 && line.p[line.n - 1] == '\r')
		line.n--;
	*code = span_make(line.p, line.n < CODE ? line.n : CODE);
	*text = span_from(line, CODE + 1);
	return true;
}

static struct span
first_word(struct span text)
{
	size_t n = 0;

	text = span_trim_wsp(text);
	while (n < text.n && !is_wsp(text.p[n]))
		n++;
	return span_make(text.p, n);
}

static bool
is_name_char(char c)
{
	return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '[' || c == ']' || c == ':';
}

struct span
reply_name(struct span reply)
{
	struct span code, text, word;

	if (!next_line(&reply, &code, &text) || code.n != CODE || code.p[0] != '2')
		return span_of("");
	word = first_word(text);
	if (word.n > NAME_MAX_N)
		return span_of("");
	for (size_t i = 0; i < word.n; i++) {
		if (!is_name_char(word.p[i]))
			return span_of("");
	}
	return word;
}

bool
reply_offers_starttls(struct span reply)
{
	struct span code, text;

	if (!next_line(&reply, &code, &text))
		return false;
	while (next_line(&reply, &code, &text)) {
		if (span_is(code, "250") && span_eq_nocase(first_word(text), span_of("starttls")))
			return true;
	}
	return false;
}
