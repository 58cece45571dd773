/* SPDX-License-Identifier: ISC */
#include "opensmtpd/relay/announced.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/unit/nomem.h"
#include "tests/unit/unit.h"

static struct announced *announced;
static unsigned n_told;
static struct announcement *dropped_when_told;

static struct sockaddr_storage
end(const char *address, uint16_t port)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;

	memset(&ss, 0, sizeof ss);
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
	}
	return ss;
}

static void
on_known(void *arg)
{
	(void)arg;
	n_told++;
	if (dropped_when_told != NULL)
		announced_drop(announced, dropped_when_told);
	dropped_when_told = NULL;
}

static void
say(uint64_t session, const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
	struct sockaddr_storage a = end(from, from_port), b = end(to, to_port);

	announced_connect(announced, session, &a, &b, 0);
}

static struct announcement *
expect(const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
	struct sockaddr_storage a = end(from, from_port), b = end(to, to_port);

	return announced_expect(announced, &a, &b, on_known, NULL);
}

static void
setup(void)
{
	n_told = 0;
	dropped_when_told = NULL;
	announced = announced_new();
	ck_assert_ptr_nonnull(announced);
}

static void
teardown(void)
{
	announced_free(announced);
}

START_TEST(test_said_first)
{
	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	struct announcement *a = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	ck_assert_ptr_nonnull(a);
	ck_assert(announcement_is_made(a));
	ck_assert_uint_eq(n_told, 0);
	announced_drop(announced, a);
	announced_disconnect(announced, 7); /* nobody knows it any more */
}
END_TEST

START_TEST(test_connected_first)
{
	struct announcement *a = expect("127.0.0.1", 4711, "127.1.2.3", 10027);

	ck_assert_ptr_nonnull(a);
	ck_assert(!announcement_is_made(a));
	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	ck_assert(announcement_is_made(a));
	ck_assert_uint_eq(n_told, 1);
	announced_disconnect(announced, 7);
	ck_assert(announcement_is_made(a)); /* its last octets may still be read */
	announced_drop(announced, a);
}
END_TEST

/* All four count: a port of smtpd's towards another address is not smtpd's. */
START_TEST(test_four_tuple)
{
	static const struct {
		const char *name, *from;
		uint16_t from_port;
		const char *to;
		uint16_t to_port;
		bool is_made;
	} table[] = {
		{ "another source", "127.0.0.2", 4711, "127.1.2.3", 10027, false },
		{ "another source port", "127.0.0.1", 4712, "127.1.2.3", 10027, false },
		{ "another destination", "127.0.0.1", 4711, "127.1.2.4", 10027, false },
		{ "another port", "127.0.0.1", 4711, "127.1.2.3", 10028, false },
		{ "the other way round", "127.1.2.3", 10027, "127.0.0.1", 4711, false },
		{ "it", "127.0.0.1", 4711, "127.1.2.3", 10027, true },
	};

	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct announcement *a =
		    expect(table[i].from, table[i].from_port, table[i].to, table[i].to_port);
		ck_assert_ptr_nonnull(a);
		ck_assert_msg(announcement_is_made(a) == table[i].is_made, "%s", table[i].name);
		announced_drop(announced, a);
	}
}
END_TEST

START_TEST(test_families)
{
	struct announcement *a = expect("::ffff:127.0.0.1", 4711, "::ffff:127.1.2.3", 10027);
	struct announcement *b = expect("::1", 4711, "::1", 10027);
	struct sockaddr_storage local, to = end("127.0.0.1", 10027);

	say(1, "127.0.0.1", 4711, "127.1.2.3", 10027);
	say(2, "::1", 4711, "::1", 10027);
	ck_assert(announcement_is_made(a));
	ck_assert(announcement_is_made(b));
	announced_drop(announced, a);
	announced_drop(announced, b);
	memset(&local, 0, sizeof local);
	local.ss_family = AF_UNIX;
	ck_assert_ptr_null(announced_expect(announced, &local, &to, on_known, NULL));
	announced_connect(announced, 3, &local, &to, 0);
	announced_drop(announced, NULL);
}
END_TEST

START_TEST(test_taken_once)
{
	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	struct announcement *a = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	ck_assert_ptr_null(expect("127.0.0.1", 4711, "127.1.2.3", 10027));
	announced_drop(announced, a);
	a = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	ck_assert(!announcement_is_made(a)); /* the announcement was for one connection */
	announced_drop(announced, a);
}
END_TEST

/* The connection is over before anybody asked for it. */
START_TEST(test_over_untaken)
{
	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	announced_disconnect(announced, 7);
	struct announcement *a = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	ck_assert(!announcement_is_made(a));
	announced_drop(announced, a);
}
END_TEST

/* smtpd has the same port again while the relay still holds the old connection. */
START_TEST(test_ends_again)
{
	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	struct announcement *old = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	announced_begin(announced, 7);
	announced_envelope(announced, 7, 0x77);
	say(8, "127.0.0.1", 4711, "127.1.2.3", 10027);
	announced_begin(announced, 8);
	announced_envelope(announced, 8, 0x88);
	announced_envelope(announced, 7, 0x78); /* of nobody's */
	struct announcement *new = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	ck_assert_ptr_nonnull(new);
	ck_assert_ptr_ne(new, old);
	ck_assert(announcement_is_made(new));
	ck_assert_uint_eq(announcement_envelope(old, 0, 0), 0x77);
	ck_assert_uint_eq(announcement_envelope(old, 0, 1), 0);
	ck_assert_uint_eq(announcement_envelope(new, 0, 0), 0x88);
	announced_disconnect(announced, 7);
	announced_drop(announced, old);
	ck_assert_ptr_null(expect("127.0.0.1", 4711, "127.1.2.3", 10027));
	announced_drop(announced, new);
	/* untaken ones are replaced, and so is a session whose end nobody heard of */
	say(9, "127.0.0.1", 4711, "127.1.2.3", 10027);
	say(9, "127.0.0.1", 4712, "127.1.2.3", 10027);
	say(10, "127.0.0.1", 4712, "127.1.2.3", 10027);
	old = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	ck_assert(!announcement_is_made(old));
	announced_drop(announced, old);
	announced_disconnect(announced, 9);
	new = expect("127.0.0.1", 4712, "127.1.2.3", 10027);
	ck_assert(announcement_is_made(new));
	announced_drop(announced, new);
}
END_TEST

START_TEST(test_envelopes)
{
	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	announced_envelope(announced, 7, 1); /* of no message */
	announced_begin(announced, 7);
	announced_envelope(announced, 7, 0x100);
	struct announcement *a = expect("127.0.0.1", 4711, "127.1.2.3", 10027);
	announced_envelope(announced, 7, 0x101);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_uint_eq(announcement_envelope(a, 0, 0), 0x100);
	ck_assert_uint_eq(announcement_envelope(a, 0, 1), 0x101);
	ck_assert_uint_eq(announcement_envelope(a, 0, 2), 0);
	ck_assert_uint_eq(announcement_envelope(a, 1, 0), 0);
	announced_begin(announced, 7);
	announced_begin(announced, 7); /* no recipient in the one between */
	announced_envelope(announced, 7, 0x300);
	ck_assert_uint_eq(announcement_envelope(a, 0, 0), 0); /* no more */
	ck_assert_uint_eq(announcement_envelope(a, 1, 0), 0);
	ck_assert_uint_eq(announcement_envelope(a, 2, 0), 0x300);
	for (uint64_t i = 1; i < 3 * ANNOUNCED_RCPTS_MAX; i++)
		announced_envelope(announced, 7, 0x300 + i);
	ck_assert_uint_eq(
	    announcement_envelope(a, 2, ANNOUNCED_RCPTS_MAX - 1), 0x300 + ANNOUNCED_RCPTS_MAX - 1);
	ck_assert_uint_eq(announcement_envelope(a, 2, ANNOUNCED_RCPTS_MAX), 0);
	announced_begin(announced, 7);
	ck_assert_uint_eq(announcement_envelope(a, 2, 0), 0x300);
	ck_assert_uint_eq(announcement_envelope(a, 3, 0), 0);
	announced_drop(announced, a);
	announced_begin(announced, 7);
	announced_envelope(announced, 7, 1);
}
END_TEST

START_TEST(test_dropped_when_told)
{
	struct announcement *a = expect("127.0.0.1", 4711, "127.1.2.3", 10027);

	dropped_when_told = a;
	say(7, "127.0.0.1", 4711, "127.1.2.3", 10027);
	a = expect("127.0.0.1", 4712, "127.1.2.3", 10027);
	say(8, "127.0.0.1", 4712, "127.1.2.3", 10027);
	announced_begin(announced, 8);
	dropped_when_told = a;
	announced_envelope(announced, 8, 1);
	ck_assert_uint_eq(n_told, 3);
}
END_TEST

START_TEST(test_bounds)
{
	static struct announcement *all[ANNOUNCED_EXPECTED_MAX];
	struct sockaddr_storage to = end("127.1.2.3", 10027);

	for (int i = 0; i < ANNOUNCED_EXPECTED_MAX; i++) {
		all[i] = expect("127.0.0.1", (uint16_t)(1024 + i), "127.1.2.3", 10027);
		ck_assert_ptr_nonnull(all[i]);
	}
	ck_assert_ptr_null(expect("127.0.0.1", 1000, "127.1.2.3", 10027));
	/* who is announced is served all the same */
	say(1, "127.0.0.1", 1000, "127.1.2.3", 10027);
	struct announcement *a = expect("127.0.0.1", 1000, "127.1.2.3", 10027);
	ck_assert_ptr_nonnull(a);
	announced_drop(announced, a);
	say(2, "127.0.0.1", 1024, "127.1.2.3", 10027); /* there is room */
	a = expect("127.0.0.1", 1001, "127.1.2.3", 10027);
	ck_assert_ptr_nonnull(a);
	announced_drop(announced, a);
	for (int i = 0; i < ANNOUNCED_EXPECTED_MAX; i++)
		announced_drop(announced, all[i]);
	for (int i = 0; i <= ANNOUNCED_UNTAKEN_MAX; i++) {
		struct sockaddr_storage from = end("127.0.0.1", (uint16_t)(1024 + i));
		announced_connect(announced, (uint64_t)i + 100, &from, &to, i);
	}
	a = expect("127.0.0.1", 1024, "127.1.2.3", 10027);
	ck_assert(!announcement_is_made(a));
	announced_drop(announced, a);
	a = expect("127.0.0.1", 1025, "127.1.2.3", 10027);
	ck_assert(announcement_is_made(a));
	announced_drop(announced, a);
}
END_TEST

START_TEST(test_sweep)
{
	struct sockaddr_storage to = end("127.1.2.3", 10027);

	for (int i = 0; i < 3; i++) {
		struct sockaddr_storage from = end("127.0.0.1", (uint16_t)(1024 + i));
		announced_connect(announced, (uint64_t)i, &from, &to, 1000 * i);
	}
	struct announcement *taken = expect("127.0.0.1", 1024, "127.1.2.3", 10027);
	announced_sweep(announced, ANNOUNCED_KEEP + 1000);
	struct announcement *a = expect("127.0.0.1", 1025, "127.1.2.3", 10027);
	ck_assert(!announcement_is_made(a));
	announced_drop(announced, a);
	a = expect("127.0.0.1", 1026, "127.1.2.3", 10027);
	ck_assert(announcement_is_made(a));
	announced_drop(announced, a);
	announced_begin(announced, 0);
	announced_envelope(announced, 0, 5);
	ck_assert_uint_eq(announcement_envelope(taken, 0, 0), 5);
	announced_drop(announced, taken);
}
END_TEST

START_TEST(test_no_memory)
{
	struct announcement *a;

	nomem_after(0);
	a = expect("127.0.0.1", 1024, "127.1.2.3", 10027);
	say(1, "127.0.0.1", 1024, "127.1.2.3", 10027);
	nomem_end();
	ck_assert_ptr_null(a);
	a = expect("127.0.0.1", 1024, "127.1.2.3", 10027);
	ck_assert(!announcement_is_made(a));
	say(1, "127.0.0.1", 1024, "127.1.2.3", 10027);
	announced_begin(announced, 1);
	announced_envelope(announced, 1, 1);
	announced_envelope(announced, 1, 2);
	nomem_after(0);
	announced_envelope(announced, 1, 3);
	nomem_end();
	announced_envelope(announced, 1, 4); /* must not be taken for the third */
	ck_assert_uint_eq(announcement_envelope(a, 0, 1), 2);
	ck_assert_uint_eq(announcement_envelope(a, 0, 2), 0);
	announced_begin(announced, 1);
	announced_envelope(announced, 1, 5);
	ck_assert_uint_eq(announcement_envelope(a, 1, 0), 5);
	announced_drop(announced, a);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("announced");
	TCase *c = tcase_create("announced");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_said_first);
	tcase_add_test(c, test_connected_first);
	tcase_add_test(c, test_four_tuple);
	tcase_add_test(c, test_families);
	tcase_add_test(c, test_taken_once);
	tcase_add_test(c, test_over_untaken);
	tcase_add_test(c, test_ends_again);
	tcase_add_test(c, test_envelopes);
	tcase_add_test(c, test_dropped_when_told);
	tcase_add_test(c, test_bounds);
	tcase_add_test(c, test_sweep);
	tcase_add_test(c, test_no_memory);
	suite_add_tcase(s, c);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
