/* SPDX-License-Identifier: ISC
 *
 * inet_diag, asked for one socket by its four-tuple: the kernel answers before the request's
 * sendmsg(2) returns, so nothing is waited for.  IPv4, which is all that smtpd comes by.
 */
#include "opensmtpd/relay/peer.h"

#if defined(__linux__) && !defined(PACE_IS_BLIND) /* the test of elsewhere */

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 2048,
	ANSWERS_MAX = 8,     /* older ones that are thrown away */
	STATE_TIME_WAIT = 6, /* the program has closed it; there is nothing to read any more */
};

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 diag;
};

/* A header may stand at its beginning. */
union answer {
	struct nlmsghdr header;
	char octets[ANSWER_MAX];
};

static void
request_make(struct request *request, const struct sockaddr_in *local,
    const struct sockaddr_in *remote, uint32_t number)
{
	struct inet_diag_sockid *id = &request->diag.id;

	memset(request, 0, sizeof *request);
	request->header.nlmsg_len = sizeof *request;
	request->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->header.nlmsg_flags = NLM_F_REQUEST;
	request->header.nlmsg_seq = number;
	request->diag.sdiag_family = AF_INET;
	request->diag.sdiag_protocol = IPPROTO_TCP;
	request->diag.idiag_ext = 1 << (INET_DIAG_INFO - 1);
	request->diag.idiag_states = UINT32_MAX;
	id->idiag_sport = local->sin_port;
	id->idiag_dport = remote->sin_port;
	id->idiag_src[0] = local->sin_addr.s_addr;
	id->idiag_dst[0] = remote->sin_addr.s_addr;
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

/* 0, or -1: the attribute is not there, or of a kernel before 4.1. */
static int
received_get(const char *p, size_t n, uint64_t *received)
{
	while (n >= sizeof(struct rtattr)) {
		struct rtattr attribute;
		memcpy(&attribute, p, sizeof attribute);
		if (attribute.rta_len < sizeof attribute || attribute.rta_len > n)
			return -1;
		size_t at = RTA_LENGTH(0) + offsetof(struct tcp_info, tcpi_bytes_received);
		if (attribute.rta_type == INET_DIAG_INFO) {
			if (attribute.rta_len < at + sizeof *received)
				return -1;
			memcpy(received, p + at, sizeof *received);
			return 0;
		}
		size_t next = RTA_ALIGN(attribute.rta_len);
		if (next > n)
			return -1;
		p += next;
		n -= next;
	}
	return -1;
}

static int
diag_take(const char *p, size_t n, struct peer_look *look)
{
	struct inet_diag_msg diag;
	uint64_t received;

	if (n < sizeof diag)
		return -1;
	memcpy(&diag, p, sizeof diag);
	if (diag.idiag_state == STATE_TIME_WAIT) {
		*look = (struct peer_look){ .is_there = false };
		return 0;
	}
	size_t at = NLMSG_ALIGN(sizeof diag);
	if (n < at || received_get(p + at, n - at, &received) != 0)
		return -1;
	*look = (struct peer_look){ true, received, diag.idiag_rqueue };
	return 0;
}

static int
error_take(const char *p, size_t n, struct peer_look *look)
{
	struct nlmsgerr error;

	if (n < sizeof error)
		return -1;
	memcpy(&error, p, sizeof error);
	if (error.error != -ENOENT)
		return -1;
	*look = (struct peer_look){ .is_there = false };
	return 0;
}

static int
answer_take(const union answer *answer, size_t n, struct peer_look *look)
{
	size_t length = answer->header.nlmsg_len;
	const char *payload = answer->octets + NLMSG_HDRLEN;

	if (length < NLMSG_HDRLEN || length > n)
		return -1;
	if (answer->header.nlmsg_type == NLMSG_ERROR)
		return error_take(payload, length - NLMSG_HDRLEN, look);
	if (answer->header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -1;
	return diag_take(payload, length - NLMSG_HDRLEN, look);
}

int
peer_look(struct peer *peer, const struct sockaddr_storage *local,
    const struct sockaddr_storage *remote, struct peer_look *look)
{
	struct request request;
	union answer answer;

	if (local->ss_family != AF_INET || remote->ss_family != AF_INET)
		return -1;
	request_make(&request, (const struct sockaddr_in *)local,
	    (const struct sockaddr_in *)remote, ++peer->number);
	if (send(peer->fd, &request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request)
		return -1;
	for (int i = 0; i < ANSWERS_MAX; i++) {
		ssize_t n = recv(peer->fd, &answer, sizeof answer, MSG_DONTWAIT);
		if (n < (ssize_t)sizeof answer.header)
			return -1;
		if (answer.header.nlmsg_seq == request.header.nlmsg_seq)
			return answer_take(&answer, (size_t)n, look);
	}
	return -1;
}

/* A connection of this process to itself: listener, and the end that has connected to it. */
static int
connection_make(int fds[2], struct sockaddr_storage *local, struct sockaddr_storage *remote)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof to, n_local = sizeof *local;

	if (bind(fds[0], (const struct sockaddr *)&to, n) != 0 || listen(fds[0], 1) != 0 ||
	    getsockname(fds[0], (struct sockaddr *)&to, &n) != 0 ||
	    connect(fds[1], (const struct sockaddr *)&to, n) != 0 ||
	    getsockname(fds[1], (struct sockaddr *)local, &n_local) != 0)
		return -1;
	memset(remote, 0, sizeof *remote);
	memcpy(remote, &to, sizeof to);
	return 0;
}

/* Whether it answers is known when it has: "no such socket" is also what a kernel without the
 * module for TCP says. */
static bool
is_answering(struct peer *peer)
{
	int fds[2] = { socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_storage local, remote;
	struct peer_look look = { .is_there = false };
	bool is_made = fds[0] >= 0 && fds[1] >= 0 && connection_make(fds, &local, &remote) == 0;

	bool is_answer = is_made && peer_look(peer, &local, &remote, &look) == 0;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return is_answer && look.is_there;
}

int
peer_open(struct peer *peer)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -1;
	*peer = (struct peer){ .fd = fd };
	if (connect(fd, (const struct sockaddr *)&kernel, sizeof kernel) != 0 ||
	    !is_answering(peer)) {
		close(fd);
		return -1;
	}
	return 0;
}

void
peer_close(struct peer *peer)
{
	close(peer->fd);
}

#else

int
peer_open(struct peer *peer)
{
	(void)peer;
	return -1;
}

void
peer_close(struct peer *peer)
{
	(void)peer;
}

int
peer_look(struct peer *peer, const struct sockaddr_storage *local,
    const struct sockaddr_storage *remote, struct peer_look *look)
{
	(void)peer;
	(void)local;
	(void)remote;
	(void)look;
	return -1;
}

#endif
