/* SPDX-License-Identifier: ISC */
#include "loop/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>

int
accept_next(int listener)
{
#ifdef HAVE_ACCEPT4
	return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
	int fd = accept(listener, NULL, NULL);

	if (fd >= 0) {
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	return fd;
#endif
}

bool
accept_failed_alone(int error)
{
	return error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM &&
	       error != EAGAIN && error != EWOULDBLOCK;
}
