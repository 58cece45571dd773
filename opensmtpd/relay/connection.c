/* SPDX-License-Identifier: ISC
 *
 * Sockets and OpenSSL, each asked once; what they cannot do now is theirs to ask for.
 */
#include "opensmtpd/relay/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/mem.h"
#include "opensmtpd/relay/tls.h"

enum {
	AT_ONCE = 16384, /* octets of one write: a TLS record */
	OUT_MIN = 512	 /* octets of storage for what waits */
};

static const char closed[] = "the host closed the connection";

/* ---- opening ---- */

static socklen_t
length_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

static int
failed(struct connection *connection)
{
	connection->why = strerror(errno);
	return -1;
}

/* Replies are short and waited for; a host that vanished is noticed in the end. */
static void
tune(int fd)
{
	int yes = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
}

static int
bind_from(struct connection *connection, const struct sockaddr_storage *to,
    const struct sockaddr_storage *from)
{
	if (from->ss_family == AF_UNSPEC)
		return 0;
	if (from->ss_family != to->ss_family) {
		connection->why = "the source address is of another family";
		return -1;
	}
	if (bind(connection->fd, (const struct sockaddr *)from, length_of(from)) != 0)
		return failed(connection);
	return 0;
}

int
connection_open(struct connection *connection, const struct sockaddr_storage *to,
    const struct sockaddr_storage *from, bool *errno_is_ours)
{
	*connection = (struct connection){ .fd = -1 };
	connection->fd = socket(to->ss_family, SOCK_STREAM, 0);
	*errno_is_ours = connection->fd < 0 && errno != EAFNOSUPPORT;
	if (connection->fd < 0)
		return failed(connection);
	if (fcntl(connection->fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0)
		return failed(connection);
	tune(connection->fd);
	if (bind_from(connection, to, from) != 0)
		return -1;
	if (connect(connection->fd, (const struct sockaddr *)to, length_of(to)) != 0 &&
	    errno != EINPROGRESS && errno != EINTR)
		return failed(connection);
	return 0;
}

int
connection_finish(struct connection *connection)
{
	struct pollfd poll_fd = { connection->fd, POLLOUT, 0 };
	socklen_t n = sizeof errno;
	int error = 0;

	if (poll(&poll_fd, 1, 0) == 0)
		return 0;
	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0)
		return 1;
	errno = error != 0 ? error : errno;
	return failed(connection);
}

/* ---- TLS ---- */

void
connection_secure(struct connection *connection, SSL *ssl)
{
	connection->ssl = ssl;
}

/* Without close_notify: no fault of TLS's, replies say themselves where they end. */
static bool
is_end_of_file(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/* 0 it waits, -1 it is over. */
static int
wait_or_fail(struct connection *connection, int r)
{
	int error = SSL_get_error(connection->ssl, r);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		connection->wants_writing = error == SSL_ERROR_WANT_WRITE;
		return 0;
	}
	connection->is_broken = true;
	connection->is_tls_fault = error == SSL_ERROR_SSL && !is_end_of_file();
	connection->why = connection->is_tls_fault ? tls_why() : "connection lost";
	return -1;
}

int
connection_handshake(struct connection *connection)
{
	ERR_clear_error();
	int r = SSL_do_handshake(connection->ssl);

	connection->wants_writing = false;
	if (r != 1)
		return wait_or_fail(connection, r);
	connection->is_secure = true;
	return 1;
}

/* ---- reading ---- */

static int
read_clear(struct connection *connection, char *p, size_t cap)
{
	ssize_t n;

	do {
		n = recv(connection->fd, p, cap, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return (int)n;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	connection->is_broken = true;
	connection->why = n == 0 ? closed : strerror(errno);
	return -1;
}

static int
read_secure(struct connection *connection, char *p, size_t cap)
{
	ERR_clear_error();
	int n = SSL_read(connection->ssl, p, (int)cap);

	connection->wants_writing = false;
	if (n > 0) {
		connection->wants_reading = false;
		return n;
	}
	int error = SSL_get_error(connection->ssl, n);
	bool is_end =
	    error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SSL && is_end_of_file());
	int r = wait_or_fail(connection, n);
	if (is_end)
		connection->why = closed;
	return r;
}

int
connection_read(struct connection *connection, char *p, size_t cap)
{
	return connection->is_secure ? read_secure(connection, p, cap)
				     : read_clear(connection, p, cap);
}

/* ---- writing ---- */

size_t
connection_unsent(const struct connection *connection)
{
	return connection->n;
}

static void
out_drop(struct connection *connection)
{
	free(connection->out);
	connection->out = NULL;
	connection->at = connection->n = connection->cap = 0;
}

/* How many octets went, 0 none now, -1 none any more.  Reading tells the reason. */
static ssize_t
write_some(struct connection *connection, const char *p, size_t n)
{
	if (connection->is_secure) {
		ERR_clear_error();
		int r = SSL_write(connection->ssl, p, (int)n);
		connection->wants_reading = false;
		if (r > 0)
			return r;
		int error = SSL_get_error(connection->ssl, r);
		connection->wants_reading = error == SSL_ERROR_WANT_READ;
		return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
	ssize_t r = send(connection->fd, p, n, MSG_NOSIGNAL);
	if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	return r;
}

size_t
connection_flush(struct connection *connection)
{
	size_t before = connection->n;
	ssize_t sent = 1;

	while (connection->n != 0 && !connection->is_broken && sent > 0) {
		size_t n = connection->n < AT_ONCE ? connection->n : AT_ONCE;
		sent = write_some(connection, connection->out + connection->at, n);
		if (sent < 0)
			connection->is_broken = true;
		if (sent > 0) {
			connection->at += (size_t)sent;
			connection->n -= (size_t)sent;
		}
	}
	size_t gone = before - connection->n;
	if (connection->n == 0 || connection->is_broken)
		out_drop(connection);
	return gone;
}

/* Storage for n octets more behind those that wait. */
static int
out_reserve(struct connection *connection, size_t n)
{
	size_t needed = connection->n + n, cap = connection->cap;

	if (connection->at + needed <= cap)
		return 0;
	if (connection->at != 0)
		memmove(connection->out, connection->out + connection->at, connection->n);
	connection->at = 0;
	if (needed <= cap)
		return 0;
	cap = 2 * cap > needed ? 2 * cap : needed;
	char *out = mem_resize(connection->out, cap < OUT_MIN ? OUT_MIN : cap, 1);
	if (out == NULL)
		return -1;
	connection->out = out;
	connection->cap = cap < OUT_MIN ? OUT_MIN : cap;
	return 0;
}

int
connection_write(struct connection *connection, struct span octets)
{
	if (connection->is_broken || octets.n == 0)
		return 0;
	if (out_reserve(connection, octets.n) != 0)
		return -1;
	memcpy(connection->out + connection->at + connection->n, octets.p, octets.n);
	connection->n += octets.n;
	return 0;
}

int
connection_send(struct connection *connection, struct span octets)
{
	ssize_t sent = 1;

	while (connection->n == 0 && octets.n != 0 && !connection->is_broken && sent > 0) {
		sent = write_some(connection, octets.p, octets.n < AT_ONCE ? octets.n : AT_ONCE);
		if (sent < 0)
			connection->is_broken = true;
		if (sent > 0)
			octets = span_from(octets, (size_t)sent);
	}
	return connection_write(connection, octets);
}

/* ---- the rest ---- */

short
connection_events(const struct connection *connection)
{
	bool writes = connection->wants_writing ||
		      (connection->n != 0 && !connection->wants_reading && !connection->is_broken);

	return (short)(POLLIN | (writes ? POLLOUT : 0));
}

void
connection_close(struct connection *connection)
{
	if (connection->is_secure && !connection->is_broken) {
		ERR_clear_error();
		(void)SSL_shutdown(connection->ssl);
	}
	SSL_free(connection->ssl);
	connection->ssl = NULL;
	connection->is_secure = false;
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	out_drop(connection);
}
