/* SPDX-License-Identifier: ISC
 *
 * What the engine asks of the network, as a table of functions: questions to the DNS and one
 * HTTPS GET.  helper.c fills it by starting mtasts-resolve and mtasts-fetch; the tests' fakes
 * fill it from a scenario.  Nothing here blocks; answers come by callback from process().
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/domain.h"
#include "base/limits.h"
#include "base/span.h"
#include "mtasts.h"

enum net_type { NET_A = 1, NET_MX = 15, NET_TXT = 16, NET_AAAA = 28 };

struct net_question {
	struct domain name; /* DOMAIN_UNDERSCORE allowed: "_mta-sts.example.net" */
	enum net_type type;
};

enum net_state {
	NET_ANSWERED, /* records of the type asked for */
	NET_NO_DATA,  /* answered: the name exists, the type does not */
	NET_NO_NAME,  /* answered: the name does not exist */
	NET_UNKNOWN,  /* SERVFAIL, REFUSED, time-out, bogus: nothing was found out */
	NET_FAULT,    /* nor even asked for: our own helper is missing, refused or died */
};

/* Valid during the callback only. */
struct net_answer {
	enum net_state state;
	bool secure;		  /* validated by DNSSEC, negative answers too */
	uint32_t ttl;		  /* seconds; of a negative answer the SOA's minimum */
	struct domain canonical;  /* where CNAMEs led; n == 0 when not known */
	size_t n;		  /* records */
	const struct span *rdata; /* wire form: A 4 octets, AAAA 16, TXT character-strings,
				     MX preference and *uncompressed* name */
	const char *reason;	  /* of UNKNOWN and FAULT, escaped for a log; else "" */
};

enum net_fetch_state {
	NET_FETCHED,	     /* an HTTP response came whole; look at status */
	NET_BAD_CERTIFICATE, /* TLS came up, but not with the host we asked for: sts-webpki-invalid
			      */
	NET_FETCH_FAILED,    /* anything else: refused, time-out, TLS, HTTP, too large */
	NET_FETCH_FAULT, /* our own helper is missing, refused or died: not the remote's failure */
};

/* Valid during the callback only. */
struct net_page {
	enum net_fetch_state state;
	unsigned status;	/* HTTP status of FETCHED */
	struct span media_type; /* Content-Type as sent, "" if none */
	struct span body;	/* at most LIMIT_POLICY octets */
	const char *reason;	/* of the other two, escaped for a log; else "" */
};

struct net_address {
	uint8_t address[16];
	uint8_t octets; /* 4 or 16 */
};

struct net_fetch {
	struct domain host; /* "mta-sts.example.net": SNI, DNS-ID and Host */
	const char *path;   /* "/.well-known/mta-sts.txt" */
	size_t n;
	struct net_address addresses[LIMIT_ADDRESSES]; /* tried in this order, overlapping */
};

/* Called once for each question i that was asked, in any order. */
typedef void net_answer_fn(void *arg, size_t i, const struct net_answer *answer);
typedef void net_page_fn(void *arg, const struct net_page *page);

struct net_request; /* ends by itself after its last callback, or by cancel() */

struct net {
	void *self;

	/*
	 * 0 and *request, or a negative mtasts_error when nothing could be begun (no memory, no
	 * descriptors); a helper that cannot be started is an answer, NET_FAULT, not an error.
	 * deadline_ms: an instant of the monotonic clock by which every callback has run. No
	 * callback runs before the first process().
	 */
	int (*resolve)(void *self, const struct net_question *questions, size_t n,
	    int64_t deadline_ms, net_answer_fn *done, void *arg, struct net_request **request);
	int (*fetch)(void *self, const struct net_fetch *fetch, int64_t deadline_ms,
	    net_page_fn *done, void *arg, struct net_request **request);
	void (*cancel)(void *self, struct net_request *request);

	/* As mtasts_pollfds() of mtasts.h; timeout_ms -1: none needed. */
	size_t (*pollfds)(void *self, struct pollfd *fds, size_t cap, int *timeout_ms);
	void (*process)(void *self);
	/*
	 * End the helpers that have nothing to do and wait for their exit, so that a server that
	 * reaps every child never meets one of ours.  Blocking calls do so before they return.
	 */
	void (*rest)(void *self);
};

#endif
