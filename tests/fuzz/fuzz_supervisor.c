/* SPDX-License-Identifier: ISC
 *
 * What smtpd says, with answers of a worker in between ("!", and the number of a question in one
 * octet): every line said to smtpd is whole, and each of its questions has at most one answer;
 * without the worker, exactly one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/lines.h"
#include "opensmtpd/proto/event.h"
#include "opensmtpd/supervisor.h"

static size_t n_asked, n_answered;

static void
on_say(void *arg, struct span lines)
{
	(void)arg;
	assert(lines.n != 0 && lines.p[lines.n - 1] == '\n');
	if (span_begins(lines, "filter-result|")) {
		assert(span_find(lines, '\n') == lines.n - 1);
		n_answered++;
	}
}

static int
on_tell(void *arg, const struct channel_message *message)
{
	char octets[CHANNEL_MAX + 1];
	struct channel_message again;
	struct buf out;

	(void)arg;
	buf_init(&out, octets, sizeof octets);
	channel_format(&out, message);
	assert(!out.full && channel_parse(span_make(out.p, out.n), &again) == 0);
	return message->id % 7 == 0 ? -1 : 0;
}

static void
on_line(void *arg, struct span line, bool is_cut)
{
	struct supervisor *supervisor = arg;
	struct channel_message answer = { .kind = CHANNEL_ANSWER, .enhanced = "5.4.8" };
	struct event event;

	if (line.n > 1 && line.p[0] == '!') {
		answer.id = (unsigned char)line.p[1];
		answer.code = line.p[line.n - 1] & 1 ? 550 : 0;
		supervisor_answer(supervisor, &answer);
		return;
	}
	event_parse(line, &event);
	n_asked += event.kind == EVENT_RCPT || event.kind == EVENT_QUESTION;
	supervisor_line(supervisor, line, is_cut);
	assert(n_answered + supervisor_held(supervisor) == n_asked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct supervisor_ports ports = { NULL, on_say, on_tell };
	static const struct log no_log;
	static struct lines lines;
	struct clock clock = clock_system();
	struct mtasts_config *config = malloc(sizeof *config);
	struct loop *loop = loop_new(&clock);

	assert(config != NULL && loop != NULL);
	conf_defaults(config);
	memset(&lines, 0, sizeof lines);
	n_asked = n_answered = 0;
	struct supervisor *supervisor = supervisor_new(loop, config, &ports, &no_log);
	assert(supervisor != NULL);
	lines_take(&lines, span_make((const char *)data, size), on_line, supervisor);
	supervisor_alone(supervisor);
	assert(n_answered == n_asked);
	supervisor_free(supervisor);
	loop_free(loop);
	free(config);
	return 0;
}
