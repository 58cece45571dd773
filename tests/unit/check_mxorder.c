/* SPDX-License-Identifier: ISC
 *
 * RFC 5321 5.1: whom mail is offered to, and in which order.
 */
#include "opensmtpd/proto/mxorder.h"

#include <string.h>

#include "base/buf.h"
#include "unit.h"

enum { HOSTS = 6, SEEDS = 4000 };

static const struct {
	const char *name;
	struct mxorder_host hosts[HOSTS]; /* ends with a NULL name */
	const char *own;
	const char
	    *order; /* names; those of equal preference are sorted before they are compared */
} worlds[] = {
	{ "one", { { "a", 10, true } }, "me.example", "a" },
	{ "none", { { NULL, 0, false } }, "me.example", "" },
	{ "by preference", { { "c", 30, true }, { "a", 10, true }, { "b", 20, true } },
	    "me.example", "a b c" },
	{ "0 and 65535", { { "z", 65535, true }, { "a", 0, true } }, "", "a z" },
	{ "refused ones keep their place", { { "a", 10, false }, { "b", 20, true } }, "", "a b" },
	{ "own name in the middle: it, its equals and the worse go",
	    { { "a", 10, true }, { "b", 20, true }, { "me.example", 20, true }, { "c", 30, true } },
	    "me.example", "a" },
	{ "own name first: none is left", { { "me.example", 5, true }, { "b", 20, true } },
	    "me.example", "" },
	{ "own name alone", { { "me.example", 0, true } }, "me.example", "" },
	{ "own name in other letters, with a dot",
	    { { "a", 1, true }, { "me.example", 2, true }, { "c", 3, true } }, "ME.Example.", "a" },
	{ "own name twice: the better counts",
	    { { "a", 1, true }, { "me.example", 3, true }, { "ME.example", 2, true },
		{ "c", 2, true } },
	    "me.example", "a" },
	{ "no own name", { { "me.example", 1, true }, { "", 2, true } }, "", "me.example " },
	{ "a name that only begins like ours", { { "me.example.net", 1, true }, { "b", 2, true } },
	    "me.example", "me.example.net b" },
	{ "ours before the best allowed one, and not allowed: forged",
	    { { "me.example", 5, false }, { "b", 10, true }, { "c", 20, true } }, "me.example",
	    "me.example b c" },
	{ "ours beside the best allowed one, and not allowed: forged",
	    { { "me.example", 10, false }, { "b", 10, true }, { "c", 20, true } }, "me.example",
	    "b me.example c" },
	{ "ours behind the best allowed one, and not allowed: a backup",
	    { { "b", 10, true }, { "me.example", 15, false }, { "c", 20, true } }, "me.example",
	    "b" },
	{ "none is allowed, ours among them", { { "me.example", 5, false }, { "b", 10, false } },
	    "me.example", "me.example b" },
};

static size_t
count(const struct mxorder_host *hosts)
{
	size_t n = 0;

	while (n < HOSTS && hosts[n].name != NULL)
		n++;
	return n;
}

/* Equals by name, so that one text stands for all shuffles. */
static void
sort_equals(const struct mxorder_host *hosts, size_t *order, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		for (size_t j = i; j > 0; j--) {
			const struct mxorder_host *a = &hosts[order[j - 1]], *b = &hosts[order[j]];
			if (a->preference != b->preference || strcmp(a->name, b->name) <= 0)
				break;
			size_t was = order[j];
			order[j] = order[j - 1];
			order[j - 1] = was;
		}
	}
}

START_TEST(world)
{
	const struct mxorder_host *hosts = worlds[_i].hosts;
	size_t n = count(hosts), order[HOSTS];
	char storage[256];
	struct buf text;

	for (uint64_t seed = 0; seed < 20; seed++) {
		size_t left = mxorder(hosts, n, worlds[_i].own, seed, order);
		for (size_t i = 1; i < left; i++)
			ck_assert_int_le(
			    hosts[order[i - 1]].preference, hosts[order[i]].preference);
		sort_equals(hosts, order, left);
		buf_init(&text, storage, sizeof storage);
		for (size_t i = 0; i < left; i++)
			buf_printf(&text, "%s%s", i == 0 ? "" : " ", hosts[order[i]].name);
		ck_assert_msg(
		    strcmp(storage, worlds[_i].order) == 0, "%s: %s", worlds[_i].name, storage);
	}
}
END_TEST

/* Three equals have six orders, and none of them is rare. */
START_TEST(shuffled)
{
	static const struct mxorder_host hosts[] = { { "a", 10, true }, { "b", 10, true },
		{ "c", 10, true } };
	size_t seen[27] = { 0 }, order[3], orders = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		ck_assert_uint_eq(
		    mxorder(hosts, 3, "", seed * UINT64_C(0x9e3779b97f4a7c15), order), 3);
		seen[order[0] * 9 + order[1] * 3 + order[2]]++;
	}
	for (size_t i = 0; i < 27; i++) {
		if (seen[i] == 0)
			continue;
		orders++;
		ck_assert_uint_gt(seen[i], SEEDS / 12);
	}
	ck_assert_uint_eq(orders, 6);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mxorder");
	TCase *tcase = tcase_create("mxorder");

	tcase_add_loop_test(tcase, world, 0, (int)(sizeof worlds / sizeof worlds[0]));
	tcase_add_test(tcase, shuffled);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
