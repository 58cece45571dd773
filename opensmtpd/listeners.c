/* SPDX-License-Identifier: ISC */
#include "opensmtpd/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum { QUEUE = 1024 /* connections not accepted yet */ };

static bool
keep_to_loopback(int fd)
{
#ifdef SO_BINDTODEVICE
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0;
#else
	(void)fd;
	return false;
#endif
}

static int
open_one(struct listeners *listeners, struct sockaddr_in *address)
{
	int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (address->sin_addr.s_addr == htonl(INADDR_ANY) && !keep_to_loopback(fd))
		listeners->is_anywhere = true;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
	    bind(fd, (struct sockaddr *)address, sizeof *address) == 0 && listen(fd, QUEUE) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
listeners_open(struct listeners *listeners, const struct mtasts_config *config, struct buf *why)
{
	size_t n = config->relay_ports == 0 ? 1 : (size_t)config->relay_ports;
	struct sockaddr_in address = { .sin_family = AF_INET };

	memset(listeners, 0, sizeof *listeners);
	listeners->fds = mem_zero(n, sizeof *listeners->fds);
	if (listeners->fds == NULL) {
		buf_puts(why, strerror(ENOMEM));
		return -1;
	}
	address.sin_addr.s_addr = htonl(config->relay_ports == 0 ? INADDR_ANY : INADDR_LOOPBACK);
	for (size_t i = 0; i < n && config->relay_port + (int64_t)i <= UINT16_MAX; i++) {
		uint16_t port = (uint16_t)(config->relay_port + (int64_t)i);
		address.sin_port = htons(port);
		listeners->fds[i] = open_one(listeners, &address);
		if (listeners->fds[i] < 0) {
			buf_printf(why, "port %u: %s", port, strerror(errno));
			listeners_close(listeners);
			return -1;
		}
		listeners->n++;
	}
	return 0;
}

void
listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++)
		close(listeners->fds[i]);
	free(listeners->fds);
	memset(listeners, 0, sizeof *listeners);
}

bool
listeners_is_ours(const struct listeners *listeners, int fd)
{
	struct sockaddr_in address = { .sin_family = AF_UNSPEC };
	socklen_t n = sizeof address;

	if (!listeners->is_anywhere)
		return true;
	return getsockname(fd, (struct sockaddr *)&address, &n) == 0 &&
	       address.sin_family == AF_INET &&
	       (ntohl(address.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
}
