/* SPDX-License-Identifier: ISC
 *
 * A and AAAA records (RFC 1035 3.4.1, RFC 3596 2.2), asked for at once.
 */
#include "engine/addresses.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct {
	enum net_type type;
	uint8_t octets;
} families[ADDRESSES_FAMILIES] = {
	[ADDRESSES_IPV6] = { NET_AAAA, 16 },
	[ADDRESSES_IPV4] = { NET_A, 4 },
};

/* ---- from the answers ---- */

struct mtasts_addresses *
addresses_new(void)
{
	struct mtasts_addresses *addresses = mem_zero(1, sizeof *addresses);

	if (addresses != NULL)
		addresses->state = MTASTS_ADDRESSES_NONE;
	return addresses;
}

static void
unknown(struct mtasts_addresses *addresses, const char *reason)
{
	struct buf text;

	if (addresses->state != MTASTS_ADDRESSES_NONE)
		return;
	addresses->state = MTASTS_ADDRESSES_UNKNOWN;
	buf_init(&text, addresses->reason, sizeof addresses->reason);
	buf_puts(&text, reason != NULL ? reason : "");
}

static void
records_take(struct mtasts_addresses *addresses, size_t family, const struct net_answer *answer)
{
	size_t *n = &addresses->n[family];

	for (size_t i = 0; i < answer->n && *n < LIMIT_ADDRESSES; i++) {
		struct net_address *address = &addresses->addresses[family][*n];
		if (answer->rdata[i].n != families[family].octets)
			continue;
		memcpy(address->address, answer->rdata[i].p, families[family].octets);
		address->octets = families[family].octets;
		(*n)++;
	}
	if (*n == 0) {
		unknown(addresses, "no record holds an address");
		return;
	}
	addresses->state = MTASTS_ADDRESSES_FOUND;
	addresses->reason[0] = '\0';
}

void
addresses_take(struct mtasts_addresses *addresses, size_t family, const struct net_answer *answer)
{
	switch (answer->state) {
	case NET_ANSWERED:
		records_take(addresses, family, answer);
		return;
	case NET_NO_DATA:
	case NET_NO_NAME:
		return;
	case NET_UNKNOWN:
	case NET_FAULT:
		break;
	}
	unknown(addresses, answer->reason);
}

/* ---- the question ---- */

struct addresses_ask {
	struct ask ask;
	mtasts_addresses_fn *done;
	void *arg;
	struct mtasts_addresses *addresses;
};

static void
ask_answer(struct ask *ask, size_t i, const struct net_answer *answer)
{
	addresses_take(((struct addresses_ask *)ask)->addresses, i, answer);
}

static void
ask_tell(struct ask *ask)
{
	struct addresses_ask *mine = (struct addresses_ask *)ask;
	struct mtasts_addresses *addresses = mine->addresses;

	mine->addresses = NULL; /* given to the callback */
	mine->done(mine->arg, 0, addresses);
}

static void
ask_free(struct ask *ask)
{
	struct addresses_ask *mine = (struct addresses_ask *)ask;

	mtasts_addresses_free(mine->addresses);
	free(mine);
}

static struct addresses_ask *
ask_new(mtasts_addresses_fn *done, void *arg)
{
	static const struct ask_kind kind = { ask_answer, ask_tell, ask_free };
	struct addresses_ask *mine = mem_zero(1, sizeof *mine);

	if (mine == NULL)
		return NULL;
	mine->ask.kind = &kind;
	mine->done = done;
	mine->arg = arg;
	mine->addresses = addresses_new();
	if (mine->addresses != NULL)
		return mine;
	ask_free(&mine->ask);
	return NULL;
}

int
addresses_start(struct engine *engine, const struct domain *host, int timeout_ms,
    mtasts_addresses_fn *done, void *arg, uint64_t *id)
{
	struct net_question questions[ADDRESSES_FAMILIES];
	struct addresses_ask *mine = ask_new(done, arg);

	if (mine == NULL)
		return MTASTS_ENOMEM;
	for (size_t i = 0; i < ADDRESSES_FAMILIES; i++)
		questions[i] = (struct net_question){ .name = *host, .type = families[i].type };
	int r = engine_ask(engine, &mine->ask, questions, ADDRESSES_FAMILIES, timeout_ms);
	if (r != 0) {
		ask_free(&mine->ask);
		return r;
	}
	*id = mine->ask.id;
	return 0;
}

/* ---- getters ---- */

void
mtasts_addresses_free(struct mtasts_addresses *addresses)
{
	free(addresses);
}

enum mtasts_addresses_state
mtasts_addresses_state(const struct mtasts_addresses *addresses)
{
	return addresses != NULL ? addresses->state : MTASTS_ADDRESSES_UNKNOWN;
}

size_t
mtasts_addresses_count(const struct mtasts_addresses *addresses)
{
	if (addresses == NULL)
		return 0;
	return addresses->n[ADDRESSES_IPV6] + addresses->n[ADDRESSES_IPV4];
}

static void
ipv6_put(const struct net_address *from, struct sockaddr_storage *to)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };

	memcpy(&address.sin6_addr, from->address, sizeof address.sin6_addr);
	memcpy(to, &address, sizeof address);
}

static void
ipv4_put(const struct net_address *from, struct sockaddr_storage *to)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	memcpy(&address.sin_addr, from->address, sizeof address.sin_addr);
	memcpy(to, &address, sizeof address);
}

int
mtasts_addresses_get(
    const struct mtasts_addresses *addresses, size_t i, struct sockaddr_storage *address)
{
	if (address == NULL || i >= mtasts_addresses_count(addresses))
		return MTASTS_EINVAL;
	memset(address, 0, sizeof *address);
	if (i < addresses->n[ADDRESSES_IPV6])
		ipv6_put(&addresses->addresses[ADDRESSES_IPV6][i], address);
	else
		ipv4_put(&addresses->addresses[ADDRESSES_IPV4][i - addresses->n[ADDRESSES_IPV6]],
		    address);
	return 0;
}

const char *
mtasts_addresses_reason(const struct mtasts_addresses *addresses)
{
	return addresses != NULL ? addresses->reason : "";
}
