/* SPDX-License-Identifier: ISC
 *
 * Where the mail of one domain goes: its policy and its MX hosts, asked for at once, then the
 * hosts in the order in which they are tried, each with what became of it.  The only part of the
 * relay that speaks with the judge (mtasts_judge) and with mtasts_decide; connects nobody.
 */
#ifndef OPENSMTPD_RELAY_ROUTE_H
#define OPENSMTPD_RELAY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"
#include "mtasts.h"
#include "opensmtpd/proto/reply.h"
#include "opensmtpd/relay/relay.h"

struct route;

enum route_state {
	ROUTE_ASKING, /* not known yet: nobody is connected */
	ROUTE_HOSTS,  /* there is somebody to try */
	ROUTE_NOWHERE /* there is not: route_reply() says why */
};

struct route_host {
	const char *name; /* of the MX record; an address literal's address */
	int preference;
	bool is_allowed;     /* by its name */
	bool needs_tls;	     /* verified, or no mail */
	enum mtasts_tls tls; /* what its addresses came to */
};

typedef void route_fn(void *arg);

/*
 * domain is what stands behind the '@', an address literal too; own this host's name.  settled is
 * called once, from the loop, when the state has changed from ROUTE_ASKING; it may have done so
 * already when this returns, then there is no call.  NULL: out of memory.
 */
struct route *route_new(
    const struct relay *relay, struct span domain, const char *own, route_fn *settled, void *arg);
void route_free(struct route *route);

enum route_state route_state(const struct route *route);
const struct reply *route_reply(const struct route *route);
const char *route_domain(const struct route *route); /* safe in a log line */
/* "enforce", "testing", "none", "absent", "unknown", "fault"; "literal"; "-": not known yet */
const char *route_policy(const struct route *route);

/* Of ROUTE_HOSTS, best first; those that are not allowed have their place too. */
size_t route_count(const struct route *route);
const struct route_host *route_host(const struct route *route, size_t i);
/* NULL: its address has to be looked up. */
const struct sockaddr_storage *route_literal(const struct route *route);

/*
 * What an attempt at host i came to: the verdict, which is recorded if is_recorded.  Fills
 * attempt's mx_host and mx_secure.
 */
struct mtasts_verdict route_judge(
    struct route *route, size_t i, struct mtasts_attempt *attempt, bool is_recorded);

/*
 * No host took it and at least one failed by policy: what becomes of a message of that age
 * (seconds).  done is called once, from the loop, unless the route is freed before; reply->code
 * is 0 where the policy is not what speaks against it.  0, or an error without a call.
 */
typedef void route_decided_fn(void *arg, const struct reply *reply);
int route_decide(struct route *route, int64_t message_age, route_decided_fn *done, void *arg);

#endif
