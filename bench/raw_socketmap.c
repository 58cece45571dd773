/* SPDX-License-Identifier: ISC
 *
 * usage: raw_socketmap PORT
 *
 * What this machine can do at most: a socket map server on 127.0.0.1 that looks nothing up and
 * answers every netstring with the same words.  A measure for bench/socketmap, nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, REQUEST_MAX = 512 };

static const char ANSWER[] = "52:OK secure match=mx1.good.example servername=hostname,";

static void
die(const char *what)
{
	fprintf(stderr, "raw_socketmap: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
listen_on(unsigned long port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	at.sin_port = htons((unsigned short)port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1024) != 0)
		die("listen");
	return fd;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void
greet(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), one = 1;

	if (fd == -1)
		die("accept");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	watch(epoll, fd);
}

/* The load generator sends whole requests, one at a time. */
static void
serve(int fd)
{
	char request[REQUEST_MAX];
	ssize_t n = recv(fd, request, sizeof request, 0);

	if (n <= 0 || request[n - 1] != ',') {
		close(fd);
		return;
	}
	if (send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) != (ssize_t)sizeof ANSWER - 1)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];

	if (argc != 2)
		return 64;
	int listener = listen_on(strtoul(argv[1], NULL, 10)), epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll == -1)
		die("epoll");
	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				greet(epoll, listener);
			else
				serve(events[i].data.fd);
		}
	}
}
