/* SPDX-License-Identifier: ISC
 *
 * In which order a domain's MX hosts are tried (RFC 5321 5.1).  Pure.
 */
#ifndef OPENSMTPD_PROTO_MXORDER_H
#define OPENSMTPD_PROTO_MXORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mxorder_host {
	const char *name;
	int preference;
	bool is_allowed; /* by the domain's policy; where there is none, all are */
};

/*
 * Indices of hosts (n of them, in any order) into order, which has room for all: best preference
 * first, equal ones shuffled by seed.  own is this host's name, "" when it has none: where it is
 * one of them it and all that are not better are left out, for mail would come back from there.
 * How many are left.
 *
 * A record that names us although the policy does not counts only behind the best host that the
 * policy allows: whoever forges one must not keep mail from those who are allowed.
 */
size_t mxorder(
    const struct mxorder_host *hosts, size_t n, const char *own, uint64_t seed, size_t *order);

#endif
