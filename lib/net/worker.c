/* SPDX-License-Identifier: ISC
 *
 * A helper's command line, limits and pipe.
 */
#include "net/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/mem.h"

enum {
	QUEUE_STEP = 1024,	/* octets */
	MEMORY_MAX = 256 << 20, /* octets of address space */
	CPU_MAX = 120,		/* seconds: ten thousand policies take less than half of it */
	ASKED_MAX = 10000,	/* messages after which it is replaced, far below that */
	FILES_MAX = 256,	/* descriptors: a socket or two for each request served at once */
	ARGUMENTS_MAX = 2 * CONF_PREFIXES_MAX + 8,
	PREFIX_TEXT = 64, /* octets of "2001:db8::/32" */
};

static const char *const programs[] = { "mtasts-resolve", "mtasts-fetch" };

struct arguments {
	const char *argv[ARGUMENTS_MAX];
	size_t n;
	char path[CONF_PATH_MAX + 32];
	char prefixes[CONF_PREFIXES_MAX][PREFIX_TEXT];
};

const char *
worker_program(enum worker_kind kind)
{
	return programs[kind];
}

static void
put(struct arguments *a, const char *option, const char *value)
{
	a->argv[a->n++] = option;
	a->argv[a->n++] = value;
}

static void
prefix_format(const struct conf_prefix *prefix, char *text)
{
	int family = prefix->family_bits == 32 ? AF_INET : AF_INET6;
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(family, prefix->address, address, sizeof address);
	snprintf(text, PREFIX_TEXT, "%s/%u", address, (unsigned)prefix->bits);
}

/* mtasts-resolve(8), mtasts-fetch(8) */
static void
arguments_make(struct arguments *a, const struct mtasts_config *config, enum worker_kind kind)
{
	snprintf(a->path, sizeof a->path, "%s/%s", config->helper_directory, programs[kind]);
	a->n = 0;
	a->argv[a->n++] = a->path;
	switch (kind) {
	case WORKER_RESOLVE:
		put(a, "-r", config->resolv_conf);
		if (config->trust_anchor[0] != '\0')
			put(a, "-t", config->trust_anchor);
		break;
	case WORKER_FETCH:
		put(a, "-c", config->ca_directory);
		for (size_t i = 0; i < config->allow_addresses.n; i++) {
			prefix_format(&config->allow_addresses.prefixes[i], a->prefixes[i]);
			put(a, "-a", a->prefixes[i]);
		}
		break;
	case WORKER_KINDS:
		break;
	}
	a->argv[a->n] = NULL;
}

static struct timespec
resolv_conf_mtime(const struct mtasts_config *config)
{
	struct stat st;
	struct timespec never = { 0 };

	return stat(config->resolv_conf, &st) == 0 ? st.st_mtim : never;
}

void
worker_init(struct worker *worker, enum worker_kind kind)
{
	memset(worker, 0, sizeof *worker);
	worker->kind = kind;
	worker->process = (struct process){ 0, -1, -1 };
}

bool
worker_is_running(const struct worker *worker)
{
	return worker->process.pid != 0;
}

int
worker_start(struct worker *worker, const struct mtasts_config *config,
    const struct process_identity *identity, struct buf *why)
{
	/* libunbound works in a thread of its own; libcurl, told every address, needs none */
	bool no_process = worker->kind == WORKER_FETCH;
	struct process_limits limits = { MEMORY_MAX, CPU_MAX, FILES_MAX, no_process };
	struct arguments arguments;

	if (worker->in == NULL)
		worker->in = mem_zero(LIMIT_FRAME, 1);
	if (worker->in == NULL) {
		buf_puts(why, "out of memory");
		return -1;
	}
	arguments_make(&arguments, config, worker->kind);
	worker->n_in = worker->n_out = worker->n_asked = 0;
	worker->resolv_conf = resolv_conf_mtime(config);
	return process_start(arguments.argv, identity, &limits, &worker->process, why);
}

bool
worker_is_stale(const struct worker *worker, const struct mtasts_config *config)
{
	struct pollfd fd = { worker->process.fd, POLLIN, 0 };
	const struct timespec *old = &worker->resolv_conf;

	if (worker->n_asked >= ASKED_MAX)
		return true;
	if (worker->kind == WORKER_RESOLVE) {
		struct timespec now = resolv_conf_mtime(config);
		if (now.tv_sec != old->tv_sec || now.tv_nsec != old->tv_nsec)
			return true;
	}
	return poll(&fd, 1, 0) != 0;
}

int
worker_queue(struct worker *worker, struct span message)
{
	if (worker->n_out + message.n > worker->cap_out) {
		size_t cap = 2 * worker->cap_out + message.n + QUEUE_STEP;
		char *out = mem_resize(worker->out, cap, 1);
		if (out == NULL)
			return MTASTS_ENOMEM;
		worker->out = out;
		worker->cap_out = cap;
	}
	memcpy(worker->out + worker->n_out, message.p, message.n);
	worker->n_out += message.n;
	worker->n_asked++;
	return 0;
}

int
worker_send(struct worker *worker)
{
	while (worker->n_out > 0) {
		ssize_t n = send(
		    worker->process.fd, worker->out, worker->n_out, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		worker->n_out -= (size_t)n;
		memmove(worker->out, worker->out + n, worker->n_out);
	}
	return 0;
}

int
worker_receive(struct worker *worker)
{
	ssize_t n;

	/* what wire_next() left is less than one message, so there is room */
	do {
		n = recv(worker->process.fd, worker->in + worker->n_in, LIMIT_FRAME - worker->n_in,
		    MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0)
		return -1;
	worker->n_in += (size_t)n;
	return 1;
}

void
worker_end(struct worker *worker)
{
	process_end(&worker->process);
	worker->n_in = worker->n_out = 0;
}

void
worker_clear(struct worker *worker, bool is_parent)
{
	if (is_parent)
		worker_end(worker);
	else if (worker_is_running(worker))
		process_forget(&worker->process);
	free(worker->in);
	free(worker->out);
	worker_init(worker, worker->kind);
}
