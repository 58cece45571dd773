/* SPDX-License-Identifier: ISC
 *
 * smtpd's side of a table, as strict as smtpd's table_proc.c is.
 */
#include "asker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 10 * 1000 /* ms */, HEADER = 16, VALUE_MAX = 128 };
enum { OPEN = 2, UPDATE = 4, CHECK, LOOKUP };

bool
asker_put(struct asker *asker, const void *p, size_t n)
{
	const char *from = p;

	while (n > 0) {
		ssize_t sent = send(asker->fd, from, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		from += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

/* ASKER_FOUND: something came. */
static int
more(struct asker *asker)
{
	struct pollfd poller = { .fd = asker->fd, .events = POLLIN };

	if (poll(&poller, 1, PATIENCE) == 0)
		return ASKER_SILENT;
	ssize_t n = recv(asker->fd, asker->in + asker->n, sizeof asker->in - asker->n, 0);
	if (n <= 0)
		return ASKER_GONE;
	asker->n += (size_t)n;
	return ASKER_FOUND;
}

static void
drop(struct asker *asker, size_t n)
{
	asker->n -= n;
	memmove(asker->in, asker->in + n, asker->n);
}

/* ---- text ---- */

/* The next line, its newline cut off; 512 octets. */
static int
line_get(struct asker *asker, char *line)
{
	const char *end;

	while ((end = memchr(asker->in, '\n', asker->n)) == NULL) {
		int r = more(asker);
		if (r != ASKER_FOUND)
			return r;
	}
	size_t n = (size_t)(end - asker->in);
	if (n >= 512)
		return ASKER_BROKEN;
	memcpy(line, asker->in, n);
	line[n] = '\0';
	drop(asker, n + 1);
	return ASKER_FOUND;
}

/* value NULL: none is expected. */
static int
text_answer(struct asker *asker, const char *op, unsigned number, char *value)
{
	char line[512], head[64];

	int r = line_get(asker, line);
	if (r != ASKER_FOUND)
		return r;
	int n = snprintf(head, sizeof head, "%s-result|%08x|", op, number);
	if (strncmp(line, head, (size_t)n) != 0)
		return ASKER_BROKEN;
	const char *words = line + n;
	if (strcmp(words, "not-found") == 0)
		return ASKER_NOT_FOUND;
	if (strncmp(words, "error", 5) == 0)
		return ASKER_ERROR;
	if (value == NULL)
		return strcmp(words, "found") == 0 || strcmp(words, "ok") == 0 ? ASKER_FOUND
									       : ASKER_BROKEN;
	if (strncmp(words, "found|", 6) != 0 || words[6] == '\0')
		return ASKER_BROKEN;
	snprintf(value, VALUE_MAX, "%s", words + 6);
	return ASKER_FOUND;
}

static int
text_greet(struct asker *asker)
{
	static const char greeting[] = "config|smtpd-version|7.6.0-portable\nconfig|protocol|0.1\n"
				       "config|tablename|mtasts\nconfig|ready\n";
	char line[512];
	int n = 0;

	if (!asker_put(asker, greeting, sizeof greeting - 1))
		return ASKER_GONE;
	for (;;) {
		int r = line_get(asker, line);
		if (r != ASKER_FOUND)
			return r;
		if (strcmp(line, "register|ready") == 0)
			return n > 0 ? ASKER_FOUND : ASKER_BROKEN;
		if (strcmp(line, "register|domain") != 0 && strcmp(line, "register|relayhost") != 0)
			return ASKER_BROKEN;
		n++;
	}
}

/* ---- imsg ---- */

static size_t
frame(uint32_t type, const void *data, size_t size, char *out)
{
	uint16_t length = (uint16_t)(HEADER + size);

	memset(out, 0, HEADER);
	memcpy(out, &type, sizeof type);
	memcpy(out + 4, &length, sizeof length);
	if (size > 0)
		memcpy(out + HEADER, data, size);
	return HEADER + size;
}

static size_t
imsg_question(uint32_t type, int32_t service, const char *key, char *out)
{
	char data[512];
	size_t none = 0, n = strlen(key) + 1;

	memcpy(data, &service, sizeof service);
	memcpy(data + sizeof service, &none, sizeof none);
	memcpy(data + sizeof service + sizeof none, key, n);
	return frame(type, data, sizeof service + sizeof none + n, out);
}

/* A whole frame at the beginning of what was read. */
static int
frame_get(struct asker *asker, uint16_t *length)
{
	*length = HEADER;
	for (;;) {
		if (asker->n >= HEADER)
			memcpy(length, asker->in + 4, sizeof *length);
		if (*length < HEADER || *length > sizeof asker->in)
			return ASKER_BROKEN;
		if (asker->n >= *length)
			return ASKER_FOUND;
		int r = more(asker);
		if (r != ASKER_FOUND)
			return r;
	}
}

/* has_result: an int comes first. */
static int
imsg_answer(struct asker *asker, bool has_result, char *value)
{
	uint32_t type;
	uint16_t length;
	int32_t result = ASKER_FOUND;

	int r = frame_get(asker, &length);
	if (r != ASKER_FOUND)
		return r;
	memcpy(&type, asker->in, sizeof type);
	size_t at = HEADER;
	if (has_result && length >= HEADER + sizeof result) {
		memcpy(&result, asker->in + HEADER, sizeof result);
		at += sizeof result;
	}
	bool is_good = type == 0 && at == HEADER + (has_result ? sizeof result : 0);
	if (value != NULL && result == 1) {
		is_good = is_good && length > at && asker->in[length - 1] == '\0';
		if (is_good)
			snprintf(value, VALUE_MAX, "%s", asker->in + at);
	} else {
		is_good = is_good && length == at;
	}
	drop(asker, length);
	return is_good && result >= -1 && result <= 1 ? result : ASKER_BROKEN;
}

static int
imsg_greet(struct asker *asker)
{
	static char octets[HEADER + 4 + 2048] = { OPEN };
	uint16_t length = sizeof octets;
	uint32_t version = 2;

	memcpy(octets + 4, &length, sizeof length);
	memcpy(octets + HEADER, &version, sizeof version);
	memcpy(octets + HEADER + 4, "mtasts", 6);
	if (!asker_put(asker, octets, sizeof octets))
		return ASKER_GONE;
	return imsg_answer(asker, false, NULL);
}

/* ---- both ---- */

/* As fork_proc_backend() and the lookup process's signals are. */
static void
become_table(const char *program, const char *argument, int fd)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	for (int other = STDERR_FILENO + 1; other < 64; other++)
		close(other);
	execl(program, "mtasts", argument, (char *)NULL);
	_exit(127);
}

bool
asker_fork(
    struct asker *asker, const char *program, const char *argument, enum asker_protocol protocol)
{
	int pair[2];

	*asker = (struct asker){ .protocol = protocol, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return false;
	asker->pid = fork();
	if (asker->pid == 0)
		become_table(program, argument, pair[0]);
	close(pair[0]);
	asker->fd = pair[1];
	return asker->pid > 0;
}

int
asker_greet(struct asker *asker)
{
	return asker->protocol == ASKER_TEXT ? text_greet(asker) : imsg_greet(asker);
}

bool
asker_start(
    struct asker *asker, const char *program, const char *argument, enum asker_protocol protocol)
{
	return asker_fork(asker, program, argument, protocol) && asker_greet(asker) == ASKER_FOUND;
}

int
asker_stop(struct asker *asker)
{
	int status = -1;

	close(asker->fd);
	waitpid(asker->pid, &status, 0);
	return status;
}

static size_t
text_question(struct asker *asker, const char *op, const char *service, const char *key, char *out)
{
	int n = snprintf(out, 512, "table|0.1|1795336346.813468|mtasts|%s%s|%08x%s%s\n", op,
	    service, asker->n_asked++, key[0] == '\0' ? "" : "|", key);

	return (size_t)n;
}

size_t
asker_question(struct asker *asker, const char *domain, char *out)
{
	if (asker->protocol == ASKER_TEXT)
		return text_question(asker, "check", "|domain", domain, out);
	asker->n_asked++;
	return imsg_question(CHECK, 0x002, domain, out);
}

int
asker_answer(struct asker *asker, unsigned number)
{
	if (asker->protocol == ASKER_TEXT)
		return text_answer(asker, "check", number, NULL);
	return imsg_answer(asker, true, NULL);
}

int
asker_check(struct asker *asker, const char *domain)
{
	char out[512];

	if (!asker_put(asker, out, asker_question(asker, domain, out)))
		return ASKER_GONE;
	return asker_answer(asker, asker->n_asked - 1);
}

int
asker_lookup(struct asker *asker, const char *domain, char *value)
{
	bool is_text = asker->protocol == ASKER_TEXT;
	char out[512];
	size_t n = is_text ? text_question(asker, "lookup", "|relayhost", domain, out)
			   : imsg_question(LOOKUP, 0x200, domain, out);

	value[0] = '\0';
	if (!asker_put(asker, out, n))
		return ASKER_GONE;
	return is_text ? text_answer(asker, "lookup", asker->n_asked - 1, value)
		       : imsg_answer(asker, true, value);
}

int
asker_update(struct asker *asker)
{
	bool is_text = asker->protocol == ASKER_TEXT;
	char out[512];
	size_t n =
	    is_text ? text_question(asker, "update", "", "", out) : frame(UPDATE, NULL, 0, out);

	if (!asker_put(asker, out, n))
		return ASKER_GONE;
	return is_text ? text_answer(asker, "update", asker->n_asked - 1, NULL)
		       : imsg_answer(asker, true, NULL);
}
