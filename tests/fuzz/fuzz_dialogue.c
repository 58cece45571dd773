/* SPDX-License-Identifier: ISC
 *
 * What a client may say, cut anywhere: the replies are the same, a transaction hears a message of
 * whole lines alone, and none is left over.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "opensmtpd/relay/dialogue.h"
#include "opensmtpd/relay/late.h"
#include "transaction_fake.h"

enum { SAID_MAX = 1 << 18 };

static struct fake_record record;
static char said[2][SAID_MAX];

static void
nothing(void *arg)
{
	(void)arg;
}

static void
body_look(void)
{
	bool is_line = true;

	for (size_t i = 0; i < record.n_body && i < FAKE_BODY; i++) {
		char c = record.body[i];
		assert(c != '\n' && c != '\0');
		assert(!is_line || c != '.' || record.body[i + 1] == '.');
		is_line = c == '\r';
		if (is_line)
			assert(record.body[++i] == '\n');
		else if (i == 0 || record.body[i - 1] == '\n')
			i += c == '.';
	}
	assert(is_line || !record.is_ended);
}

/* Replies, as far as they fit; *n their octets. */
static void
out_take(struct dialogue *d, char *out, size_t *n)
{
	assert(!d->out.full && d->out.n >= 2 && d->out.p[d->out.n - 1] == '\n');
	for (size_t i = 0; i < d->out.n && *n < SAID_MAX; i++)
		out[(*n)++] = d->out.p[i];
	d->out.n = 0;
}

static size_t
talk(const struct relay *relay, struct span in, size_t step, char *out)
{
	struct sockaddr_storage from = { .ss_family = AF_INET }, to = { .ss_family = AF_INET };
	struct announced *announced = announced_new();
	struct dialogue_config config = { .relay = relay, .name = "[127.0.0.1]", .wake = nothing };
	struct dialogue *d = malloc(sizeof *d);
	size_t n = 0, given = 0;

	((struct sockaddr_in *)&from)->sin_port = ((struct sockaddr_in *)&to)->sin_port = 1;
	config.announcement = announced_expect(announced, &from, &to, nothing, NULL);
	assert(config.announcement != NULL && d != NULL);
	dialogue_init(d, &config);
	while (!dialogue_is_over(d)) {
		if (d->out.n > 0)
			out_take(d, out, &n);
		struct span part = span_make(in.p, given);
		size_t took = dialogue_take(d, part);
		in = span_from(in, took);
		given -= took;
		if (took > 0 || d->out.n > 0 || fake_say() || dialogue_tell_final(d))
			continue;
		if (given == in.n || given == DIALOGUE_IN)
			break;
		given = step < in.n - given ? given + step : in.n;
		if (given > DIALOGUE_IN)
			given = DIALOGUE_IN;
	}
	body_look();
	dialogue_clear(d);
	announced_drop(announced, (struct announcement *)(uintptr_t)config.announcement);
	announced_free(announced);
	free(d);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clock clock = clock_system();
	struct log log = { .fn = NULL };
	struct relay relay = {
		.loop = loop_new(&clock), .clock = &clock, .log = &log, .late = late_new()
	};
	struct span in = span_make((const char *)data + 1, size == 0 ? 0 : size - 1);

	fake_transactions(&record);
	record.room = 512;
	record.is_reversed = size > 0 && data[0] % 2 == 1;
	size_t n = talk(&relay, in, DIALOGUE_IN, said[0]);
	size_t n_cut = talk(&relay, in, size == 0 ? 1 : 1 + data[0] / 2, said[1]);
	assert(n == n_cut && memcmp(said[0], said[1], n) == 0);
	assert(record.n_new == record.n_freed);
	late_free(relay.late);
	loop_free(relay.loop);
	return 0;
}
