/* SPDX-License-Identifier: ISC
 *
 * Sockets that are listened at: close-on-exec and not blocking, all of them.
 */
#include "socketmap/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_INHERITED = 3, HOST_MAX = 256, PORT_MAX = 32 };

static int
fail(struct buf *why, const char *what, const char *reason)
{
	buf_printf(why, "%s: %s", what, reason);
	return LISTEN_REFUSED;
}

static int
no_address(struct buf *why, const char *what, const char *reason)
{
	(void)fail(why, what, reason);
	return LISTEN_NO_ADDRESS;
}

static int
set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int
open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd >= 0 && set_flags(fd) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- inet:PORT@HOST ---- */

static int
bind_inet(const struct addrinfo *at)
{
	int fd = open_socket(at->ai_family), yes = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (at->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, LISTEN_QUEUE) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* "8461@127.0.0.1"; the brackets of "[::1]" do not count. */
static bool
inet_split(struct span text, char host[HOST_MAX], char port[PORT_MAX])
{
	size_t at = span_find(text, '@');
	struct span name = span_from(text, at + 1);

	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = span_make(name.p + 1, name.n - 2);
	if (at == 0 || at >= PORT_MAX || name.n == 0 || name.n >= HOST_MAX)
		return false;
	memcpy(port, text.p, at);
	port[at] = '\0';
	memcpy(host, name.p, name.n);
	host[name.n] = '\0';
	return true;
}

static int
open_inet(struct span text, struct listener *listener, struct buf *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
	char host[HOST_MAX], port[PORT_MAX];

	if (!inet_split(text, host, port))
		return no_address(why, listener->name, "not inet:PORT@HOST");
	int r = getaddrinfo(host, port, &hints, &found);
	if (r != 0)
		return fail(why, listener->name, gai_strerror(r));
	listener->fd = bind_inet(found); /* a name that has several addresses: the first */
	int error = errno;
	freeaddrinfo(found);
	if (listener->fd < 0)
		return fail(why, listener->name, strerror(error));
	return 0;
}

/* ---- unix:PATH ---- */

/* A socket's file whose server is gone. */
static bool
is_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd;

	if (lstat(address->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = open_socket(AF_UNIX);
	if (fd < 0)
		return false;
	int r = connect(fd, (const struct sockaddr *)address, sizeof *address);
	bool is_refused = r != 0 && errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

/* Nobody gets in before the rights are right: bind() under a umask that grants nothing. */
static int
bind_file(int fd, const struct sockaddr_un *address)
{
	mode_t old = umask(0777);
	int r = bind(fd, (const struct sockaddr *)address, sizeof *address);

	if (r != 0 && errno == EADDRINUSE && is_stale(address) && unlink(address->sun_path) == 0)
		r = bind(fd, (const struct sockaddr *)address, sizeof *address);
	(void)umask(old);
	return r;
}

static int
grant(const char *path, const struct listen_rights *rights, struct listener *listener)
{
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return -1;
	listener->has_file = true;
	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	if (rights->gid != (gid_t)-1 && lchown(path, (uid_t)-1, rights->gid) != 0)
		return -1;
	return chmod(path, rights->mode);
}

static int
open_file(struct span path, const struct listen_rights *rights, struct listener *listener,
    struct buf *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (path.n == 0 || path.n >= sizeof address.sun_path || path.p[0] != '/')
		return no_address(why, listener->name, "not an absolute path a socket can have");
	memcpy(address.sun_path, path.p, path.n);
	listener->fd = open_socket(AF_UNIX);
	if (listener->fd < 0)
		return fail(why, listener->name, strerror(errno));
	if (bind_file(listener->fd, &address) == 0 &&
	    grant(address.sun_path, rights, listener) == 0 &&
	    listen(listener->fd, LISTEN_QUEUE) == 0)
		return 0;
	int r = fail(why, listener->name, strerror(errno));
	listen_close(listener);
	return r;
}

int
listen_open(struct span address, const struct listen_rights *rights, struct listener *listener,
    struct buf *why)
{
	struct buf name;

	memset(listener, 0, sizeof *listener);
	listener->fd = -1;
	buf_init(&name, listener->name, sizeof listener->name);
	buf_put(&name, address);
	if (memchr(address.p, '\0', address.n) != NULL)
		return no_address(why, listener->name, "a NUL");
	if (span_begins(address, "inet:"))
		return open_inet(span_from(address, 5), listener, why);
	if (span_begins(address, "unix:"))
		return open_file(span_from(address, 5), rights, listener, why);
	if (span_begins(address, "local:"))
		return open_file(span_from(address, 6), rights, listener, why);
	return no_address(why, listener->name, "neither inet:PORT@HOST nor unix:PATH");
}

void
listen_close(struct listener *listener)
{
	struct sockaddr_un address = { .sun_family = AF_UNSPEC };
	socklen_t n = sizeof address;
	struct stat st;

	if (listener->fd < 0)
		return;
	/* another server may have put its own there meanwhile */
	if (listener->has_file && getsockname(listener->fd, (struct sockaddr *)&address, &n) == 0 &&
	    address.sun_family == AF_UNIX && lstat(address.sun_path, &st) == 0 &&
	    st.st_dev == listener->dev && st.st_ino == listener->ino)
		(void)unlink(address.sun_path);
	close(listener->fd);
	listener->fd = -1;
}

/* ---- from systemd ---- */

static bool
is_listening(int fd)
{
	int yes = 0, type = 0;
	socklen_t n = sizeof yes, m = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes != 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM;
}

static uint64_t
environment_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t value;

	return text != NULL && span_u64(span_of(text), 10, INT32_MAX, &value) == 0 ? value : 0;
}

int
listen_inherit(struct listener *listeners, int cap, struct buf *why)
{
	uint64_t n = environment_number("LISTEN_FDS");

	if (n == 0 || environment_number("LISTEN_PID") != (uint64_t)getpid())
		return 0;
	if (n > (uint64_t)cap)
		return fail(why, "LISTEN_FDS", "too many sockets");
	for (int i = 0; i < (int)n; i++) {
		struct listener *listener = &listeners[i];
		struct buf name;
		memset(listener, 0, sizeof *listener);
		listener->fd = FIRST_INHERITED + i;
		buf_init(&name, listener->name, sizeof listener->name);
		buf_printf(&name, "fd:%d", listener->fd);
		if (!is_listening(listener->fd))
			return fail(why, listener->name, "not a socket that listens for streams");
		if (set_flags(listener->fd) != 0)
			return fail(why, listener->name, strerror(errno));
	}
	return (int)n;
}
