/* SPDX-License-Identifier: ISC
 *
 * The real helpers, driven as the engine drives them, for the tests: one line an answer.
 *
 *	netprobe [-o key=value]... [-d MS] [-n TIMES] [-p N] resolve TYPE NAME [TYPE NAME]...
 *	netprobe [-o key=value]... [-d MS] [-n TIMES] [-p N] fetch HOST PATH [ADDRESS]...
 *	netprobe [-o key=value]... [-d MS] [-n TIMES] [-p N] page HOST PATH
 *
 * page asks for the addresses first, and then fetches: IPv6 before IPv4.  -p: so many requests at
 * once; names asked for get a number in front then.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "net/helper.h"

enum { QUESTIONS_MAX = 16, TEXT = 4 * LIMIT_POLICY + 16 };

static struct mtasts_config config;
static struct clock system_clock;
static size_t left, at_once = 1;
static int64_t began_us;
static char storage[TEXT];
static struct net_fetch found; /* of page */

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
on_log(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	fprintf(stderr, "log level=%d %s\n", (int)level, text);
}

static const char *
escaped(struct span s)
{
	struct buf out;

	buf_init(&out, storage, sizeof storage);
	buf_put_escaped(&out, s, LIMIT_POLICY, true);
	return storage;
}

static void
on_answer(void *arg, size_t i, const struct net_answer *a)
{
	static const char *const states[] = { "answered", "no-data", "no-name", "unknown",
		"fault" };

	printf("answer i=%zu state=%s secure=%d ttl=%" PRIu32 " canonical=%s n=%zu us=%" PRId64
	       " reason=\"%s\"",
	    i, states[a->state], a->secure, a->ttl, a->canonical.name, a->n, now_us() - began_us,
	    a->reason);
	for (size_t k = 0; k < a->n; k++) {
		printf(" rdata=%s", escaped(a->rdata[k]));
		struct net_address *address = &found.addresses[found.n];
		if (arg != &found || found.n == LIMIT_ADDRESSES)
			continue;
		address->octets = (uint8_t)a->rdata[k].n;
		memcpy(address->address, a->rdata[k].p, a->rdata[k].n);
		found.n++;
	}
	putchar('\n');
	fflush(stdout);
	left--;
}

static void
on_page(void *arg, const struct net_page *page)
{
	static const char *const states[] = { "fetched", "bad-certificate", "failed", "fault" };

	(void)arg;
	printf("page state=%s status=%u us=%" PRId64 " reason=\"%s\" type=%s octets=%zu",
	    states[page->state], page->status, now_us() - began_us, page->reason,
	    escaped(page->media_type), page->body.n);
	printf(" body=%s\n",
	    escaped(span_make(page->body.p, page->body.n > 512 ? 512 : page->body.n)));
	fflush(stdout);
	left--;
}

static void
usage(void)
{
	fprintf(stderr, "usage: netprobe [-o key=value]... [-d MS] [-n TIMES] [-p N]"
			" resolve TYPE NAME... | fetch HOST PATH [ADDRESS]... | page HOST PATH\n");
	exit(64);
}

static void
set_option(const char *text)
{
	struct span s = span_of(text);
	size_t equals = span_find(s, '=');

	if (equals == s.n ||
	    conf_set(&config, span_make(s.p, equals), span_from(s, equals + 1)) != 0)
		usage();
}

static void
run(struct net *net)
{
	struct pollfd fds[8];
	int timeout;

	while (left > 0) {
		size_t n = net->pollfds(net->self, fds, 8, &timeout);
		poll(fds, (nfds_t)n, timeout);
		net->process(net->self);
	}
}

static enum net_type
type_of(const char *word)
{
	static const struct {
		const char *word;
		enum net_type type;
	} types[] = { { "A", NET_A }, { "AAAA", NET_AAAA }, { "MX", NET_MX }, { "TXT", NET_TXT } };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	}
	usage();
	return NET_A;
}

static void
number(const char *name, size_t i, struct domain *out)
{
	char text[DOMAIN_MAX + 32];

	snprintf(text, sizeof text, "n%zu.%s", i, name);
	if (domain_parse(span_of(text), DOMAIN_UNDERSCORE, out) != 0)
		usage();
}

static void
resolve(struct net *net, int64_t deadline, int argc, char **argv)
{
	struct net_question questions[QUESTIONS_MAX];
	struct net_request *request;
	size_t n = 0;

	for (int i = 0; i + 1 < argc && n < QUESTIONS_MAX; i += 2, n++) {
		questions[n].type = type_of(argv[i]);
		if (domain_parse(span_of(argv[i + 1]), DOMAIN_UNDERSCORE, &questions[n].name) != 0)
			usage();
	}
	if (n == 0)
		usage();
	left = n * at_once;
	for (size_t i = 0; i < at_once; i++) {
		for (size_t k = 0; i > 0 && k < n; k++)
			number(argv[2 * k + 1], i, &questions[k].name);
		if (net->resolve(net->self, questions, n, deadline, on_answer, NULL, &request) != 0)
			exit(75);
	}
	run(net);
}

static void
fetch(struct net *net, int64_t deadline, int argc, char **argv)
{
	static struct net_fetch f;
	struct net_request *request;

	memset(&f, 0, sizeof f);
	if (argc < 2 || domain_parse(span_of(argv[0]), DOMAIN_UNDERSCORE, &f.host) != 0)
		usage();
	f.path = argv[1];
	for (int i = 2; i < argc && f.n < LIMIT_ADDRESSES; i++, f.n++) {
		struct net_address *a = &f.addresses[f.n];
		a->octets = strchr(argv[i], ':') == NULL ? 4 : 16;
		if (inet_pton(a->octets == 4 ? AF_INET : AF_INET6, argv[i], a->address) != 1)
			usage();
	}
	left = at_once;
	for (size_t i = 0; i < at_once; i++) {
		if (net->fetch(net->self, &f, deadline, on_page, NULL, &request) != 0)
			exit(75);
	}
	run(net);
}

/* The addresses of the host, one family after the other, then its page. */
static void
page(struct net *net, int64_t deadline, int argc, char **argv)
{
	static const enum net_type types[] = { NET_AAAA, NET_A };
	struct net_question question;
	struct net_request *request;

	memset(&found, 0, sizeof found);
	if (argc != 2 || domain_parse(span_of(argv[0]), DOMAIN_UNDERSCORE, &found.host) != 0)
		usage();
	found.path = argv[1];
	question.name = found.host;
	for (size_t i = 0; i < 2; i++) {
		question.type = types[i];
		left = 1;
		if (net->resolve(net->self, &question, 1, deadline, on_answer, &found, &request))
			exit(75);
		run(net);
	}
	left = 1;
	began_us = now_us();
	if (net->fetch(net->self, &found, deadline, on_page, NULL, &request) != 0)
		exit(75);
	run(net);
}

int
main(int argc, char **argv)
{
	struct log log = { on_log, NULL, MTASTS_LOG_DEBUG };
	struct helpers *helpers;
	int c, ms = 15000, times = 1;

	conf_defaults(&config);
	while ((c = getopt(argc, argv, "o:d:n:p:")) != -1) {
		if (c == 'o')
			set_option(optarg);
		else if (c == 'd')
			ms = atoi(optarg);
		else if (c == 'n')
			times = atoi(optarg);
		else if (c == 'p')
			at_once = (size_t)atoi(optarg);
		else
			usage();
	}
	argc -= optind;
	argv += optind;
	if (argc < 2)
		usage();
	system_clock = clock_system();
	if (helpers_new(&config, &log, &system_clock, &helpers) != 0)
		return 75;
	struct net net = helpers_net(helpers);
	for (int i = 0; i < times; i++) {
		began_us = now_us();
		int64_t deadline = clock_mono_ms(&system_clock) + ms;
		if (strcmp(argv[0], "resolve") == 0)
			resolve(&net, deadline, argc - 1, argv + 1);
		else if (strcmp(argv[0], "fetch") == 0)
			fetch(&net, deadline, argc - 1, argv + 1);
		else if (strcmp(argv[0], "page") == 0)
			page(&net, deadline, argc - 1, argv + 1);
		else
			usage();
	}
	net.rest(net.self);
	helpers_free(helpers);
	return 0;
}
