/* SPDX-License-Identifier: ISC
 *
 * Places of domains: the same for a key, nobody else's, spread, and nobody's choice.
 */
#include "opensmtpd/proto/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "unit.h"

enum { PORT = 10027, DOMAINS = 200000 };

static const struct place_key key = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
static const struct place_key other = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17 } };

static const struct {
	const char *domain;
	unsigned n_ports;
	const char *url;
} places[] = {
	{ "", 0, "lmtp://[127.71.30.196]:10027" },
	{ "example.net", 0, "lmtp://[127.94.161.252]:10027" },
	{ "EXAMPLE.net", 0, "lmtp://[127.94.161.252]:10027" },
	{ "good.example", 0, "lmtp://[127.27.48.8]:10027" },
	{ "a.example", 0, "lmtp://[127.166.230.126]:10027" },
	{ "[192.0.2.1]", 0, "lmtp://[127.6.47.13]:10027" },
	{ "example.net", 1, "lmtp://[127.0.0.1]:10027" },
	{ "example.net", 8, "lmtp://[127.0.0.1]:10030" },
	{ "good.example", 8, "lmtp://[127.0.0.1]:10028" },
	{ "a.example", 1000, "lmtp://[127.0.0.1]:10895" },
};

START_TEST(fixed)
{
	char text[PLACE_URL_MAX];
	struct guard g;
	struct buf out;

	guard_init(&g, places[_i].domain, strlen(places[_i].domain));
	buf_init(&out, text, sizeof text);
	place_put_url(&out, place_of(&key, g.span, PORT, places[_i].n_ports));
	ck_assert(!out.full);
	ck_assert_str_eq(out.p, places[_i].url);
	guard_clear(&g);
}
END_TEST

static struct place
place_by(const struct place_key *by, int i, unsigned n_ports)
{
	char name[32];
	int n = snprintf(name, sizeof name, "d%d.example", i);

	return place_of(by, span_make(name, (size_t)n), PORT, n_ports);
}

static struct place
place_at(int i, unsigned n_ports)
{
	return place_by(&key, i, n_ports);
}

START_TEST(nobody_elses)
{
	for (int i = 0; i < DOMAINS; i++) {
		struct place place = place_at(i, 0);
		uint32_t a = place.address;
		ck_assert_uint_eq(a >> 24, 127);
		ck_assert_uint_ge(a >> 16 & 255, 1);   /* 127.0.0.0/16: localhost, resolvers */
		ck_assert_uint_le(a >> 16 & 255, 191); /* 127.192.0.0/10: Tor; 127.255.255.255 */
		ck_assert((a & 255) != 0 && (a & 255) != 255);
		ck_assert_uint_eq(place.port, PORT);
	}
}
END_TEST

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/*
 * 200,000 names over 12.4 million places: if they fell at random, about 1,600 would meet another
 * (n^2 / 2N); and of 191 networks none has twice its share.
 */
START_TEST(spread)
{
	static uint32_t all[DOMAINS];
	unsigned networks[256] = { 0 };
	int shared = 0;

	for (int i = 0; i < DOMAINS; i++) {
		all[i] = place_at(i, 0).address;
		networks[all[i] >> 16 & 255]++;
	}
	qsort(all, DOMAINS, sizeof all[0], by_value);
	for (int i = 1; i < DOMAINS; i++)
		shared += all[i] == all[i - 1];
	ck_assert_int_lt(shared, 2000);
	for (int x = 1; x <= 191; x++) {
		ck_assert_uint_gt(networks[x], DOMAINS / 191 / 2);
		ck_assert_uint_lt(networks[x], DOMAINS / 191 * 2);
	}
}
END_TEST

/* Names that meet, as somebody may have chosen them, meet with another key as any two do. */
START_TEST(chosen)
{
	enum { NAMES = 2000, PORTS = 1024 };
	static uint16_t mine[NAMES], others[NAMES];
	int pairs = 0, again = 0;

	for (int i = 0; i < NAMES; i++) {
		mine[i] = place_by(&key, i, PORTS).port;
		others[i] = place_by(&other, i, PORTS).port;
		for (int k = 0; k < i; k++) {
			if (mine[i] != mine[k])
				continue;
			pairs++;
			again += others[i] == others[k] ? 1 : 0;
		}
	}
	ck_assert_int_gt(pairs, 1000); /* some 1,950, and 2 of them again */
	ck_assert_int_lt(again, 20);
}
END_TEST

START_TEST(ports)
{
	unsigned counts[16] = { 0 };

	for (int i = 0; i < DOMAINS; i++) {
		struct place place = place_at(i, 16);
		ck_assert_uint_eq(place.address, 0x7f000001);
		ck_assert_uint_ge(place.port, PORT);
		ck_assert_uint_lt(place.port, PORT + 16);
		counts[place.port - PORT]++;
	}
	for (int i = 0; i < 16; i++)
		ck_assert_uint_gt(counts[i], DOMAINS / 16 * 9 / 10);
	for (int i = 0; i < 1000; i++) {
		char name = (char)i;
		ck_assert_uint_ge(place_of(&key, span_make(&name, 1), 65530, 1000).port, 65530);
		ck_assert_uint_eq(place_of(&key, span_make(&name, 1), 65535, 4).port, 65535);
	}
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof(table)[0])

int
main(void)
{
	Suite *suite = suite_create("place");
	TCase *tests = tcase_create("place");

	tcase_add_loop_test(tests, fixed, 0, N(places));
	tcase_add_test(tests, nobody_elses);
	tcase_add_test(tests, spread);
	tcase_add_test(tests, chosen);
	tcase_add_test(tests, ports);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
