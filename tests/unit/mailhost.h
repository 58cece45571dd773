/* SPDX-License-Identifier: ISC
 *
 * A mail host that does what a script says, in a process of its own, for one connection after the
 * other.  A script is lines:
 *
 *	> TEXT	send it and CRLF	>> TEXT	 send it, | is CRLF
 *	<	read a line into the log	body	read a message to its dot
 *	tls	shake hands	close	 at once, without a word of TLS
 *	bytes	send octet by octet from here on	wait N	 ms
 *	signal	wait for SIGUSR1	hold	do nothing any more	eof	read until the other
 *end closes
 *
 * and at its end the connection is closed as it should be.
 */
#ifndef TESTS_MAILHOST_H
#define TESTS_MAILHOST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include "pki.h"

enum { MAILHOST_LOG = 65536 };

struct mailhost_tls {
	const struct pki_cert *chain[3]; /* its own first */
	int max_version;		 /* 0: any */
	const char *ciphers;		 /* NULL: any */
	const unsigned char *staple;	 /* OCSP response, DER; NULL: none */
	size_t staple_n;
};

struct mailhost {
	pid_t pid;
	struct sockaddr_storage address;
	char *log; /* shared: lines as they came, "eof", "body N octets" */
};

/* n connections, each with this script.  tls NULL: it has none. */
void mailhost_start(
    struct mailhost *host, const char *script, size_t n, const struct mailhost_tls *tls);
/* It is waited for at most 10 s when wait is true; then it is killed. */
void mailhost_end(struct mailhost *host, bool wait);

#endif
