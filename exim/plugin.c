/* SPDX-License-Identifier: ISC
 *
 * The four functions Exim calls: arguments in, text out, and the state of the process between two
 * calls.  That is plain memory, good in the processes Exim forks as it is.
 */
#include "exim/plugin.h"

#include "exim/ask.h"
#include "exim/event.h"
#include "exim/ignore.h"
#include "exim/route.h"

enum { TEXT_MAX_N = 2048 };

static struct {
	struct memory memory;
	struct session session;
} state;

static const char *
argument(int argc, unsigned char *argv[], int i)
{
	return argv != NULL && i < argc && argv[i] != NULL ? (const char *)argv[i] : "";
}

static int
give(unsigned char **yield, struct buf *text)
{
	if (yield != NULL)
		*yield = (unsigned char *)text->p;
	return 0;
}

int
mtasts_route(unsigned char **yield, int argc, unsigned char *argv[])
{
	static char storage[TEXT_MAX_N];
	struct context context = { .ctx = NULL };
	struct route_asked asked = {
		.domain = argument(argc, argv, 0),
		.message_age = argument(argc, argv, 1),
		.id = argument(argc, argv, 2),
		.verify = argument(argc, argv, 3),
	};
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	route(&state.memory, &context, &asked, &out);
	context_close(&context);
	return give(yield, &out);
}

int
mtasts_ignore(unsigned char **yield, int argc, unsigned char *argv[])
{
	static char storage[IGNORE_LIST_MAX];
	struct context context = { .ctx = NULL };
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	ignore(&state.memory, &context, argument(argc, argv, 0), argument(argc, argv, 1), &out);
	context_close(&context);
	return give(yield, &out);
}

/* An empty domain is a batch of several: whose policy to follow nobody can say. */
int
mtasts_require(unsigned char **yield, int argc, unsigned char *argv[])
{
	static char storage[2];
	struct context context = { .ctx = NULL };
	const char *domain = argument(argc, argv, 0);
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	if (domain[0] == '\0' ||
	    told_needs_tls(ask_policy(&state.memory, &context, domain, ASK_DELIVERY)))
		buf_putc(&out, '*');
	context_close(&context);
	return give(yield, &out);
}

int
mtasts_event(unsigned char **yield, int argc, unsigned char *argv[])
{
	static char storage[TEXT_MAX_N];
	struct context context = { .ctx = NULL };
	struct event_given given = {
		.block = span_of(argument(argc, argv, 0)),
		.data = span_of(argument(argc, argv, 1)),
		.certificate = span_of(argument(argc, argv, 2)),
	};
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	event(&state.memory, &context, &state.session, &given, &out);
	context_close(&context);
	return give(yield, &out);
}
