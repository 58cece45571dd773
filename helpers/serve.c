/* SPDX-License-Identifier: ISC
 *
 * Standard input and output of a helper.  Replies are written whole; the parent reads them, or is
 * gone and so are we.
 */
#include "serve.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mtasts.h"

static char in[LIMIT_FRAME]; /* what was read and is not yet a whole message */
static size_t n_in;
static char out_storage[LIMIT_FRAME + 1];
static bool is_served; /* one whole message has come */
static const struct serve_program *self;

static _Noreturn void
usage(FILE *to, int status)
{
	fprintf(to,
	    "usage: %s %s\n"
	    "%s.  Started by libmtasts, which speaks with it on its standard input\n"
	    "and output; by hand there is nothing to do with it but --help and --version.\n",
	    self->name, self->synopsis, self->does);
	(void)fflush(to);
	_exit(status); /* behind the walls a destructor may not do what it wants to */
}

static void
options_take(int argc, char **argv)
{
	static const struct option names[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, self->options, names, NULL)) != -1) {
		if (c == 'h')
			usage(stdout, EXIT_SUCCESS);
		if (c == 'V') {
			printf("%s %s\n", self->name, PACKAGE_VERSION);
			exit(EXIT_SUCCESS);
		}
		if (c == '?' || self->option(c, optarg) != 0)
			usage(stderr, EXIT_USAGE);
	}
	if (optind != argc)
		usage(stderr, EXIT_USAGE);
}

void
serve_begin(const struct serve_program *program, int argc, char **argv)
{
	self = program;
	options_take(argc, argv);
	if (isatty(STDIN_FILENO))
		usage(stderr, EXIT_USAGE);
	if (getuid() == 0 || geteuid() == 0) {
		fprintf(stderr, "%s: not to be run by root\n", self->name);
		exit(EXIT_PERMISSION);
	}
}

_Noreturn void
serve_malformed(void)
{
	fprintf(stderr, "%s: malformed message\n", self->name);
	_exit(EXIT_DATA);
}

void
serve_requests(serve_request_fn *request)
{
	struct wire_message message;
	ssize_t n;
	int r;

	do {
		n = read(STDIN_FILENO, in + n_in, sizeof in - n_in);
	} while (n < 0 && errno == EINTR);
	if (n == 0 && !is_served)
		usage(stderr, EXIT_USAGE);
	if (n <= 0)
		_exit(EXIT_SUCCESS); /* no destructor has anything to save */
	n_in += (size_t)n;
	struct span rest = span_make(in, n_in);
	while ((r = wire_next(&rest, &message)) == 1) {
		is_served = true;
		request(&message);
	}
	if (r < 0)
		serve_malformed();
	memmove(in, rest.p, rest.n); /* less than one message: there is room for the rest of it */
	n_in = rest.n;
}

static void
put(const struct buf *out)
{
	size_t done = 0;

	while (done < out->n) {
		ssize_t n = write(STDOUT_FILENO, out->p + done, out->n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(EXIT_SUCCESS);
		done += (size_t)n;
	}
}

void
serve_answer(uint32_t id, const struct net_answer *answer)
{
	struct net_answer large = { .state = NET_UNKNOWN, .reason = "answer is too large" };
	struct buf out;

	buf_init(&out, out_storage, sizeof out_storage);
	if (wire_answer_format(&out, id, answer) != 0)
		(void)wire_answer_format(&out, id, &large);
	put(&out);
}

void
serve_page(uint32_t id, const struct net_page *page)
{
	struct buf out;

	buf_init(&out, out_storage, sizeof out_storage);
	(void)wire_page_format(&out, id, page); /* its limits are below a message's */
	put(&out);
}

static void
note(bool fatal, int error, const char *text)
{
	struct buf out;

	buf_init(&out, out_storage, sizeof out_storage);
	(void)wire_note_format(&out, fatal, (uint32_t)error, text);
	put(&out);
}

_Noreturn void
serve_fail(int error, const char *text)
{
	fprintf(stderr, "%s: %s%s%s\n", self->name, text, error == 0 ? "" : ": ",
	    error == 0 ? "" : strerror(error));
	note(true, error, text);
	_exit(EXIT_NOT_SERVING);
}

void
serve_shut_in(struct sandbox *sandbox)
{
	char text[WIRE_TEXT + 1];
	struct buf missing;

	buf_init(&missing, text, sizeof text);
	if (sandbox_enter(sandbox, &missing) != 0)
		serve_fail(errno, "sandbox");
	if (missing.n > 0)
		note(false, 0, missing.p);
}

int64_t
serve_now_ms(void)
{
	struct clock clock = clock_system();

	return clock_mono_ms(&clock);
}
