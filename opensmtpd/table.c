/* SPDX-License-Identifier: ISC
 *
 * The table.  smtpd waits for every answer, whatever else it has to do, and ends when the table
 * does, and all mail with it.  So this process asks nothing of anybody, answers "found" to
 * whatever it cannot read (the relay finds out better, or defers), and goes on after every error
 * there is: it ends with smtpd, when there is nothing more to read.
 *
 *	check domain KEY	not found: known to have no policy, or an address literal, which can
 *				have none (R3.4.2)
 *	lookup relayhost KEY	where the relay takes it: whatever the key, address literals too,
 *				for in the strict form there is no other way out
 *	update			the configuration and the store anew (smtpctl update table)
 *	all else		an error, which defers the mail in question: not found would be
 *				taken for an answer
 *
 * With a configuration that cannot be read, at the start or later, nothing is known of any domain
 * (check: found) nor where the relay is (lookup: an error, smtpd tries again later).  So mail for
 * other hosts is queued, while what comes in and what is local goes its way; the log says why, and
 * as soon as the file is mended all is well.  To end would be to end all of that too, at a moment
 * (a reboot) when nobody may be looking.
 */
#include "opensmtpd/table.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "maillog/maillog.h"
#include "opensmtpd/known.h"
#include "opensmtpd/proto/tableimsg.h"
#include "opensmtpd/proto/tabletext.h"

enum { INPUT_MAX = 4 * TABLE_QUESTION_MAX };

struct table {
	struct known known;
	int in, out;
	bool is_begun, is_text; /* which protocol it is, once the first octet has come */
	size_t n;
	char input[INPUT_MAX];
};

static bool
is_literal(struct span key)
{
	return span_begins(key, "[");
}

static enum table_result
check(struct table *table, const struct table_question *question)
{
	if (question->service != TABLE_DOMAIN)
		return TABLE_ERROR;
	if (is_literal(question->key) || known_is_absent(&table->known, question->key))
		return TABLE_NOT_FOUND;
	return TABLE_FOUND;
}

static enum table_result
lookup(struct table *table, const struct table_question *question, struct buf *value)
{
	struct place place;

	if (question->service != TABLE_RELAYHOST ||
	    !known_place(&table->known, question->key, &place))
		return TABLE_ERROR;
	place_put_url(value, place);
	return TABLE_FOUND;
}

static enum table_result
answer(struct table *table, const struct table_question *question, struct buf *value)
{
	switch (question->op) {
	case TABLE_OPEN:
	case TABLE_CLOSE:
	case TABLE_NOTHING:
		return TABLE_FOUND;
	case TABLE_UPDATE:
		return known_reload(&table->known) ? TABLE_FOUND : TABLE_ERROR;
	case TABLE_CHECK:
		return check(table, question);
	case TABLE_LOOKUP:
		return lookup(table, question, value);
	case TABLE_FETCH:
	case TABLE_UNKNOWN:
		return TABLE_ERROR;
	}
	return TABLE_ERROR;
}

/* For descriptors that somebody has made non-blocking. */
static void
wait_for(int fd, short events)
{
	struct pollfd poller = { .fd = fd, .events = events };

	(void)poll(&poller, 1, -1);
}

/* A socket's end is no signal, whatever is done with signals. */
static ssize_t
write_some(int fd, struct span s)
{
	ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

	return n < 0 && errno == ENOTSOCK ? write(fd, s.p, s.n) : n;
}

/* What cannot be written is lost: who should have read it is gone, and reading will say so. */
static void
write_all(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write_some(fd, s);
		if (n >= 0)
			s = span_from(s, (size_t)n);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			wait_for(fd, POLLOUT);
		else if (errno != EINTR)
			return;
	}
}

static void
say(struct table *table, const struct table_question *question)
{
	char url[PLACE_URL_MAX], text[TABLE_ANSWER_MAX + 1];
	struct buf value, out;

	buf_init(&value, url, sizeof url);
	buf_init(&out, text, sizeof text);
	struct table_answer said = { answer(table, question, &value), url };
	if (table->is_text)
		tabletext_format(&out, question, &said);
	else
		tableimsg_format(&out, question, &said);
	write_all(table->is_text ? table->out : table->in, span_make(out.p, out.n));
}

/*
 * No frame begins here, and where the next one does nobody knows.  smtpd asks one question at a
 * time: what was read belongs to this one, and its answer is an error.
 */
static void
drop(struct table *table, struct span *in)
{
	static const struct table_question unknown = { .op = TABLE_UNKNOWN };

	maillog(MTASTS_LOG_ERROR, "table error=\"%zu octets are no question of smtpd\"", in->n);
	*in = span_from(*in, in->n);
	say(table, &unknown);
}

/* All questions that are whole; the rest waits for more. */
static void
process(struct table *table)
{
	struct span in = span_make(table->input, table->n);
	struct table_question question;

	for (;;) {
		int r = table->is_text ? tabletext_next(&in, &question)
				       : tableimsg_next(&in, &question);
		if (r == 0)
			break;
		if (r == 1)
			say(table, &question);
		else
			drop(table, &in);
	}
	memmove(table->input, in.p, in.n);
	table->n = in.n;
}

/* 1: more is there.  0: there will be none. */
static int
read_more(struct table *table)
{
	for (;;) {
		ssize_t n = read(table->in, table->input + table->n, INPUT_MAX - table->n);
		if (n > 0) {
			table->n += (size_t)n;
			return 1;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			wait_for(table->in, POLLIN);
		else if (n == 0 || errno != EINTR)
			return 0; /* smtpd has gone; no other error is of a socket's reading */
	}
}

void
table_main(const char *config_path, int in, int out)
{
	static struct table table; /* its buffer is there, come what may */

	table.in = in;
	table.out = out;
	known_init(&table.known, config_path);
	while (read_more(&table) == 1) {
		if (!table.is_begun)
			table.is_text = table.input[0] == 'c'; /* of "config|" */
		table.is_begun = true;
		process(&table);
	}
	known_clear(&table.known);
}
