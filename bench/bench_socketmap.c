/* SPDX-License-Identifier: ISC
 *
 * usage: bench_socketmap [-c connections] [-n requests] [-t seconds] [-i idle [-q domain]] ADDRESS
 * KEY...
 *
 * Load on a socket map server: connections that each have one request under way, as mail servers
 * have; the keys in turn.  ADDRESS is PORT of 127.0.0.1, or the path of a socket.  Every answer
 * must begin with "OK "; one round of the keys comes first and is not counted.  -i opens that many
 * connections more: they say nothing, or each asks for a name of its own in domain (-q) and is not
 * waited for. Prints: requests, requests a second, p50 and p99 in us.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stats.h"

enum {
	KEYS_MAX = 256,
	CONNECTIONS_MAX = 20000,
	ANSWER_MAX = 4096, /* octets, framing counted */
	EVENTS = 256,
	STALL_MS = 10000 /* without any answer */
};

struct frame {
	char *bytes; /* a netstring */
	size_t n;
};

struct connection {
	int fd;
	size_t key;
	double since; /* us */
	size_t n;     /* octets of the answer so far */
	char answer[ANSWER_MAX];
};

struct load {
	const char *address;
	struct frame keys[KEYS_MAX];
	size_t n_keys, next_key;
	size_t n_connections, n_idle;
	const char *idle_key; /* NULL: they ask for nothing */
	struct connection *connections;
	int epoll;
	unsigned long wanted, sent, done; /* requests */
	double until;			  /* us; no request is sent later */
	struct stats stats;
};

static void
die(const char *what)
{
	fprintf(stderr, "bench_socketmap: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
die_of(const char *what, const struct connection *c)
{
	fprintf(stderr, "bench_socketmap: %s: \"%.*s\"\n", what, (int)c->n, c->answer);
	exit(1);
}

static struct frame
frame_of(const char *text)
{
	size_t n = strlen(text), cap = n + 32;
	struct frame frame = { .bytes = malloc(cap) };

	if (frame.bytes == NULL)
		die("memory");
	frame.n = (size_t)snprintf(frame.bytes, cap, "%zu:%s,", n, text);
	return frame;
}

static int
dial(const char *address)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in inet = { .sin_family = AF_INET };
	bool is_path = address[0] == '/';
	int fd = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	inet.sin_port = htons((uint16_t)strtoul(address, NULL, 10));
	inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(local.sun_path, sizeof local.sun_path, "%s", address);
	if (fd == -1 || connect(fd, is_path ? (struct sockaddr *)&local : (struct sockaddr *)&inet,
			    is_path ? sizeof local : sizeof inet) != 0)
		die(address);
	if (!is_path && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
		die("TCP_NODELAY");
	return fd;
}

/* A request is far smaller than any socket's buffer, and the one before it was answered. */
static void
ask(struct load *load, struct connection *c, size_t key)
{
	const struct frame *frame = &load->keys[key];

	c->key = key;
	c->n = 0;
	c->since = stats_now();
	if (send(c->fd, frame->bytes, frame->n, MSG_NOSIGNAL) != (ssize_t)frame->n)
		die("send");
	load->sent++;
}

static void
ask_next(struct load *load, struct connection *c)
{
	if (load->sent >= load->wanted || stats_now() >= load->until)
		return;
	ask(load, c, load->next_key++ % load->n_keys);
}

/* Whether the whole answer is there; it must be one netstring, of a look-up that found something.
 */
static bool
is_whole(struct connection *c)
{
	size_t length = 0, i = 0;

	while (i < c->n && c->answer[i] >= '0' && c->answer[i] <= '9' && length < ANSWER_MAX)
		length = length * 10 + (size_t)(c->answer[i++] - '0');
	if (i == c->n && i < 5)
		return false;
	if (i == 0 || i == c->n || c->answer[i] != ':' || i + length + 2 > ANSWER_MAX)
		die_of("no netstring", c);
	if (c->n < i + length + 2)
		return false;
	if (c->n > i + length + 2 || c->answer[c->n - 1] != ',')
		die_of("more than the answer", c);
	if (length < 3 || memcmp(c->answer + i + 1, "OK ", 3) != 0)
		die_of("not found", c);
	return true;
}

/* Reads what has come; whether that completes the answer. */
static bool
answered(struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->n, sizeof c->answer - c->n, 0);

	if (n <= 0)
		die("the server closed, or answers without end");
	c->n += (size_t)n;
	return is_whole(c);
}

/* Each key once, so that the server has them cached; what it knows of the keys is no matter here.
 */
static void
warm(struct load *load)
{
	struct connection *c = &load->connections[0];

	for (size_t key = 0; key < load->n_keys; key++) {
		ask(load, c, key);
		while (!answered(c))
			;
	}
}

/* Connections that load the server without being measured. */
static void
connect_idle(struct load *load)
{
	char key[512];

	for (size_t i = 0; i < load->n_idle; i++) {
		int fd = dial(load->address);
		if (load->idle_key == NULL)
			continue;
		snprintf(key, sizeof key, "sts %zu.%s", i, load->idle_key);
		struct frame frame = frame_of(key);
		if (send(fd, frame.bytes, frame.n, MSG_NOSIGNAL) != (ssize_t)frame.n)
			die("send");
		free(frame.bytes);
	}
}

static void
connect_all(struct load *load)
{
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->connections = calloc(load->n_connections, sizeof *load->connections);
	if (load->epoll == -1 || load->connections == NULL)
		die("epoll");
	for (size_t i = 0; i < load->n_connections; i++) {
		struct connection *c = &load->connections[i];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
		c->fd = dial(load->address);
		if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
			die("epoll_ctl");
	}
}

static void
run(struct load *load, double seconds)
{
	struct epoll_event events[EVENTS];
	double start = stats_now();

	load->sent = 0;
	load->until = start + seconds * 1e6;
	for (size_t i = 0; i < load->n_connections; i++)
		ask_next(load, &load->connections[i]);
	while (load->done < load->sent) {
		int n = epoll_wait(load->epoll, events, EVENTS, STALL_MS);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("no answer");
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (!answered(c))
				continue;
			load->done++;
			stats_add(&load->stats, stats_now() - c->since);
			ask_next(load, c);
		}
	}
	double took = stats_now() - start;
	printf("%lu %.0f %.1f %.1f\n", load->done, (double)load->done / took * 1e6,
	    stats_at(&load->stats, 50), stats_at(&load->stats, 99));
}

/* Connections are descriptors: as many as may be had. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static unsigned long
number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value > max) {
		fprintf(stderr, "bench_socketmap: \"%s\" is not a number up to %lu\n", text, max);
		exit(64);
	}
	return value;
}

int
main(int argc, char **argv)
{
	static struct load load = { .n_connections = 1, .wanted = 20000 };
	unsigned long seconds = 5;
	int opt;

	while ((opt = getopt(argc, argv, "c:n:t:i:q:")) != -1) {
		if (opt == 'c')
			load.n_connections = number(optarg, CONNECTIONS_MAX);
		else if (opt == 'n')
			load.wanted = number(optarg, 10000000);
		else if (opt == 't')
			seconds = number(optarg, 600);
		else if (opt == 'i')
			load.n_idle = number(optarg, CONNECTIONS_MAX);
		else if (opt == 'q')
			load.idle_key = optarg;
		else
			return 64;
	}
	if (argc - optind < 2 || argc - optind - 1 > KEYS_MAX || load.n_connections == 0) {
		fprintf(stderr, "usage: bench_socketmap [-c connections] [-n requests] [-t seconds]"
				" [-i idle [-q domain]] ADDRESS KEY...\n");
		return 64;
	}
	load.address = argv[optind++];
	while (optind < argc)
		load.keys[load.n_keys++] = frame_of(argv[optind++]);
	raise_limit();
	connect_all(&load);
	warm(&load);
	connect_idle(&load);
	stats_init(&load.stats, load.wanted);
	run(&load, (double)seconds);
	return 0;
}
