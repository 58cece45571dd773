/* SPDX-License-Identifier: ISC
 *
 * Which addresses are of the public internet.  A domain's owner chooses where its policy host
 * points; without this our hosts could be made to speak with themselves and their neighbours.
 * Pure.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"

/*
 * octets is 4 or 16.  Refused is what the IANA special-purpose registries (RFC 6890) do not call
 * globally reachable: this host, private, shared (CGNAT), loopback, link-local, benchmarks,
 * documentation, multicast, reserved; of IPv6 all outside 2000::/3, Teredo, and every form that
 * carries an IPv4 address, but 6to4 and the well-known NAT64 prefix, where the address inside
 * decides.  A prefix of allow wins over all of it.
 */
bool address_is_public(const uint8_t *address, size_t octets);
bool address_is_allowed(const uint8_t *address, size_t octets, const struct conf_prefixes *allow);

#endif
