/* SPDX-License-Identifier: ISC
 *
 * Cached policies as values, their check sums, and rows as a damaged file may give them.
 */
#include "cache/entry.h"

#include <stdlib.h>
#include <string.h>

#include "cache/hash.h"
#include "cache/row.h"
#include "guard.h"
#include "nomem.h"
#include "unit.h"

static struct domain
name(const char *text)
{
	struct domain domain = { .n = 0 };

	if (*text != '\0')
		ck_assert_int_eq(domain_parse(span_of(text), DOMAIN_UNDERSCORE, &domain), 0);
	return domain;
}

static struct entry *
make(int64_t fetched_at, int64_t max_age)
{
	struct domain domain = name("example.com");

	return entry_new(
	    &domain, fetched_at, max_age, span_of("20260101"), span_of("version: STSv1\r\n"));
}

/* spec/cache.md c14, c15 */
static const struct {
	const char *name;
	int64_t fetched_at, max_age, now;
	bool expired, future;
} ages[] = {
	{ "c15 one year, last second", 0, 31557600, 31557600, false, false },
	{ "c15 one year and a second", 0, 31557600, 31557601, true, false },
	{ "c14 max_age 0, same second", 1000, 0, 1000, false, false },
	{ "c14 max_age 0, next second", 1000, 0, 1001, true, false },
	{ "c19 fetched later than now", 1000, 100, 999, false, true },
	{ "c19 long before it was fetched", 1000000000, 100, 0, false, true },
	{ "far on", 0, 100, INT64_MAX, true, false },
};

START_TEST(test_age)
{
	struct entry *entry = make(ages[_i].fetched_at, ages[_i].max_age);

	ck_assert_ptr_nonnull(entry);
	ck_assert_msg(
	    entry_is_expired(entry, ages[_i].now) == ages[_i].expired, "%s", ages[_i].name);
	ck_assert_msg(
	    entry_is_from_future(entry, ages[_i].now) == ages[_i].future, "%s", ages[_i].name);
	ck_assert_int_eq(entry_expires(entry), ages[_i].fetched_at + ages[_i].max_age);
	entry_free(entry);
}
END_TEST

START_TEST(test_copy)
{
	char body[] = "mode: none\n", id[] = "a1";
	struct domain domain = name("a.example");
	struct entry *entry = entry_new(&domain, 5, 6, span_of(id), span_of(body));

	ck_assert_ptr_nonnull(entry);
	memset(body, 'x', sizeof body);
	memset(id, 'x', sizeof id);
	ck_assert(span_is(entry->body, "mode: none\n"));
	ck_assert_str_eq(entry->id, "a1");
	ck_assert(domain_eq(&entry->domain, &domain));
	ck_assert_int_eq(entry->used_at, 0);
	entry_free(entry);
	entry_free(NULL);
}
END_TEST

START_TEST(test_limits)
{
	struct domain domain = name("a.example");
	char *big = calloc(1, LIMIT_POLICY + 1);
	char id[LIMIT_ID + 1];
	struct span ok = span_of("x");
	struct entry *entry;

	memset(id, 'A', sizeof id);
	ck_assert_ptr_nonnull(big);
	ck_assert_ptr_null(entry_new(&domain, -1, 0, ok, ok));
	ck_assert_ptr_null(entry_new(&domain, INT64_MAX, 0, ok, ok));
	ck_assert_ptr_null(entry_new(&domain, 0, -1, ok, ok));
	ck_assert_ptr_null(entry_new(&domain, 0, LIMIT_MAX_AGE + 1, ok, ok));
	ck_assert_ptr_null(entry_new(&domain, 0, 0, span_make(id, LIMIT_ID + 1), ok));
	ck_assert_ptr_null(entry_new(&domain, 0, 0, span_of("a-b"), ok));
	ck_assert_ptr_null(entry_new(&domain, 0, 0, span_make("a\0b", 3), ok));
	ck_assert_ptr_null(entry_new(&domain, 0, 0, ok, span_make(big, LIMIT_POLICY + 1)));

	entry = entry_new(
	    &domain, 0, LIMIT_MAX_AGE, span_make(id, LIMIT_ID), span_make(big, LIMIT_POLICY));
	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry->body.n, LIMIT_POLICY);
	ck_assert_uint_eq(strlen(entry->id), LIMIT_ID);
	entry_free(entry);
	entry = entry_new(&domain, 0, 0, span_of(""), span_make(NULL, 0));
	ck_assert_ptr_nonnull(entry);
	entry_free(entry);
	free(big);
}
END_TEST

START_TEST(test_no_memory)
{
	struct domain domain = name("a.example");
	struct span text = span_of("x");

	nomem_after(0);
	struct entry *entry = entry_new(&domain, 0, 0, text, text);
	ck_assert_uint_eq(nomem_end(), 1);
	ck_assert_ptr_null(entry);
}
END_TEST

/* The sums are stored: they must be the same on every machine and for ever. */
START_TEST(test_checksum)
{
	struct entry *entry = make(1, 2);
	uint64_t sum = entry_checksum(entry);

	entry->used_at = 77; /* changes by itself */
	ck_assert_uint_eq(entry_checksum(entry), sum);
	ck_assert_uint_eq(sum, UINT64_C(17852205170809568349));
	entry->fetched_at++;
	ck_assert_uint_ne(entry_checksum(entry), sum);
	entry->fetched_at--;
	entry->max_age++;
	ck_assert_uint_ne(entry_checksum(entry), sum);
	entry->max_age--;
	entry->id[0]++;
	ck_assert_uint_ne(entry_checksum(entry), sum);
	entry->id[0]--;
	entry->domain.name[0]++;
	ck_assert_uint_ne(entry_checksum(entry), sum);
	entry->domain.name[0]--;
	entry->body.n--;
	ck_assert_uint_ne(entry_checksum(entry), sum);
	entry->body.n++;
	ck_assert_uint_eq(entry_checksum(entry), sum);
	entry_free(entry);
}
END_TEST

/* key 00 01 .. 0f, input 00 01 .. n-1: the test vectors of SipHash-2-4's authors */
static const struct {
	size_t n;
	uint64_t hash;
} hashes[] = {
	{ 0, 0x726fdb47dd0e0e31 },
	{ 1, 0x74f839c593dc67fd },
	{ 7, 0xab0200f58b01d137 },
	{ 8, 0x93f5f5799a932462 },
	{ 9, 0x9e0082df0ba9e4b0 },
	{ 15, 0xa129ca6149be45e5 },
	{ 16, 0x3f2acc7f57c29bdb },
	{ 63, 0x958a324ceb064572 },
};

START_TEST(test_hash)
{
	uint8_t key[HASH_KEY];
	char in[64];
	struct guard g;
	struct hash h;

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (char)i;
	guard_init(&g, in, hashes[_i].n);
	hash_init(&h, key);
	hash_span(&h, g.span);
	ck_assert_uint_eq(hash_end(&h), hashes[_i].hash);
	guard_clear(&g);
}
END_TEST

START_TEST(test_hash_parts)
{
	struct hash a, b;

	hash_init(&a, NULL);
	hash_span(&a, span_of("ab"));
	hash_span(&a, span_of("c"));
	hash_init(&b, NULL);
	hash_span(&b, span_of("a"));
	hash_span(&b, span_of("bc"));
	ck_assert_uint_ne(hash_end(&a), hash_end(&b));
}
END_TEST

/* ---- rows ---- */

static struct row
row_of(const struct entry *entry, const struct place *place)
{
	return (struct row){ domain_span(&place->at), domain_span(&place->next), place->used_at,
		row_link(place), entry->fetched_at, entry->max_age, span_of(entry->id), entry->body,
		(int64_t)entry_checksum(entry) };
}

START_TEST(test_row)
{
	struct entry *entry = make(10, 20), view;
	struct place place = { name("example.com"), name("example.net"), 15 }, read;
	struct row row = row_of(entry, &place);

	ck_assert(row_place(&row, &read));
	ck_assert(domain_eq(&read.at, &place.at) && domain_eq(&read.next, &place.next));
	ck_assert_int_eq(read.used_at, 15);
	ck_assert(row_entry(&row, &read, &view));
	ck_assert(domain_eq(&view.domain, &entry->domain));
	ck_assert_int_eq(view.fetched_at, 10);
	ck_assert_int_eq(view.max_age, 20);
	ck_assert_int_eq(view.used_at, 15);
	ck_assert_str_eq(view.id, entry->id);
	ck_assert(span_eq(view.body, entry->body));
	entry_free(entry);
}
END_TEST

/* What damage may have made of a good row; its own sums do not save it. */
static const struct {
	const char *name, *at, *next;
	bool good;
} chains[] = {
	{ "head of nothing", "", "", true },
	{ "head", "", "a.example", true },
	{ "end", "a.example", "", true },
	{ "in order", "a.example", "b.example", true },
	{ "prefix first", "a.example", "a.example.net", true },
	{ "out of order", "b.example", "a.example", false },
	{ "to itself", "a.example", "a.example", false },
};

START_TEST(test_chain)
{
	struct place place = { name(chains[_i].at), name(chains[_i].next), 0 }, read;
	struct row row = { .domain = span_of(chains[_i].at),
		.next = span_of(chains[_i].next),
		.link = row_link(&place) };

	ck_assert_msg(row_place(&row, &read) == chains[_i].good, "%s", chains[_i].name);
}
END_TEST

START_TEST(test_damaged_place)
{
	struct place place = { name("a.example"), name("b.example"), 7 }, read;
	struct row good = { .domain = span_of("a.example"),
		.next = span_of("b.example"),
		.used_at = 7,
		.link = row_link(&place) };
	struct row row = good;

	ck_assert(row_place(&row, &read));
	row.domain = span_of("A.example"); /* not as we write it */
	ck_assert(!row_place(&row, &read));
	row = good;
	row.domain = span_make("a.exa\0ple", 9);
	ck_assert(!row_place(&row, &read));
	row = good;
	row.next = span_of("c.example");
	ck_assert(!row_place(&row, &read));
	row = good;
	row.used_at = 8;
	ck_assert(!row_place(&row, &read));
	row = good;
	row.link ^= 1;
	ck_assert(!row_place(&row, &read));
	place.used_at = -1;
	row = good;
	row.used_at = -1;
	row.link = row_link(&place);
	ck_assert(!row_place(&row, &read));
}
END_TEST

START_TEST(test_damaged_entry)
{
	struct entry *entry = make(10, 20), view;
	struct place place = { name("example.com"), name(""), 0 }, other = place,
		     head = { .used_at = 0 };
	struct row good = row_of(entry, &place), row = good;

	row.sum ^= 1;
	ck_assert(!row_entry(&row, &place, &view));
	row = good;
	row.fetched_at = 11;
	ck_assert(!row_entry(&row, &place, &view));
	row = good;
	row.max_age = INT64_MAX;
	ck_assert(!row_entry(&row, &place, &view));
	row = good;
	row.id = span_of("a-b");
	ck_assert(!row_entry(&row, &place, &view));
	row = good;
	row.body = span_of("version: STSv1\r\r");
	ck_assert(!row_entry(&row, &place, &view));
	other.at = name("example.org"); /* another row's content */
	ck_assert(!row_entry(&good, &other, &view));
	ck_assert(!row_entry(&good, &head, &view));
	ck_assert(row_entry(&good, &place, &view));
	entry_free(entry);
}
END_TEST

static const struct {
	const char *at, *next, *name;
	bool surrounds;
} gaps[] = {
	{ "", "", "a.example", true },
	{ "", "b.example", "a.example", true },
	{ "", "a.example", "a.example", false },
	{ "", "a.example", "b.example", false },
	{ "a.example", "c.example", "b.example", true },
	{ "a.example", "c.example", "a.example", false },
	{ "a.example", "c.example", "d.example", false },
	{ "b.example", "", "a.example", false },
	{ "b.example", "", "c.example", true },
	{ "a.example", "a.example.net", "a.example-x.net", true },
};

START_TEST(test_gap)
{
	struct place place = { name(gaps[_i].at), name(gaps[_i].next), 0 };

	ck_assert_msg(row_surrounds(&place, span_of(gaps[_i].name)) == gaps[_i].surrounds,
	    "%s < %s < %s", gaps[_i].at, gaps[_i].name, gaps[_i].next);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("entry");
	TCase *tcase = tcase_create("entry");

	tcase_add_loop_test(tcase, test_age, 0, sizeof ages / sizeof ages[0]);
	tcase_add_test(tcase, test_copy);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_no_memory);
	tcase_add_test(tcase, test_checksum);
	tcase_add_loop_test(tcase, test_hash, 0, sizeof hashes / sizeof hashes[0]);
	tcase_add_test(tcase, test_hash_parts);
	tcase_add_test(tcase, test_row);
	tcase_add_loop_test(tcase, test_chain, 0, sizeof chains / sizeof chains[0]);
	tcase_add_test(tcase, test_damaged_place);
	tcase_add_test(tcase, test_damaged_entry);
	tcase_add_loop_test(tcase, test_gap, 0, sizeof gaps / sizeof gaps[0]);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
