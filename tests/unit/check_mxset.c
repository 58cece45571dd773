/* SPDX-License-Identifier: ISC
 *
 * MX answers as a table: order, duplicates, null and implicit MX, names that are none.
 */
#include "engine/mxset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "guard.h"
#include "unit.h"

static const struct {
	const char *name;
	enum net_state state;
	const char *rdata[6]; /* preference in two octets, labels; see wire() */
	const char *said;     /* state, then "preference host" each */
	int warnings;
} rows[] = {
	{ "one", NET_ANSWERED, { "10 mx.example.net" }, "found 10 mx.example.net", 0 },
	{ "best first", NET_ANSWERED, { "20 b.example", "10 a.example", "15 c.example" },
	    "found 10 a.example 15 c.example 20 b.example", 0 },
	{ "equal ones as they came", NET_ANSWERED, { "10 b.example", "10 a.example" },
	    "found 10 b.example 10 a.example", 0 },
	{ "twice: the better counts", NET_ANSWERED,
	    { "20 a.example", "15 b.example", "10 A.Example" }, "found 10 a.example 15 b.example",
	    0 },
	{ "octets of a preference", NET_ANSWERED, { "65535 a.example", "256 b.example" },
	    "found 256 b.example 65535 a.example", 0 },
	{ "null MX (RFC 7505), m19", NET_ANSWERED, { "0 ." }, "null", 0 },
	{ "null MX of any preference", NET_ANSWERED, { "10 ." }, "null", 0 },
	{ "null MX among others is none", NET_ANSWERED, { "0 .", "10 a.example" },
	    "found 10 a.example", 1 },
	{ "an address is no name", NET_ANSWERED, { "10 192.0.2.1", "20 a.example" },
	    "found 20 a.example", 1 },
	{ "odd octets", NET_ANSWERED, { "10 a b.example", "10 a\n.example", "20 a.example" },
	    "found 20 a.example", 2 },
	{ "underscore", NET_ANSWERED, { "10 mx_1.example" }, "found 10 mx_1.example", 0 },
	{ "none is left", NET_ANSWERED, { "10 192.0.2.1" },
	    "unknown (no MX record holds a host name)", 1 },
	{ "implicit (R4.1.2), m18", NET_NO_DATA, { NULL }, "implicit 0 example.com", 0 },
	{ "no domain", NET_NO_NAME, { NULL }, "no-domain", 0 },
	{ "unknown", NET_UNKNOWN, { NULL }, "unknown (SERVFAIL)", 0 },
	{ "no helper", NET_FAULT, { NULL }, "unknown (SERVFAIL)", 0 },
};

static int warnings;

static void
log_take(void *arg, enum mtasts_log level, const char *text)
{
	(void)arg;
	ck_assert_int_eq((int)level, MTASTS_LOG_WARNING);
	ck_assert_ptr_null(strchr(text, '\n'));
	warnings++;
}

/* "10 mx.example" in wire form, at a guard page. */
static void
wire(const char *text, struct guard *guard)
{
	char out[300], *end = NULL, *p = out;
	unsigned long preference = strtoul(text, &end, 10);

	*p++ = (char)(preference >> 8);
	*p++ = (char)(preference & 0xff);
	for (const char *name = end + 1; *name != '\0';) {
		size_t n = strcspn(name, ".");
		if (n != 0)
			*p++ = (char)n;
		memcpy(p, name, n);
		p += n;
		name += n + (name[n] == '.' ? 1 : 0);
	}
	*p++ = '\0';
	guard_init(guard, out, (size_t)(p - out));
}

static void
say(const struct mtasts_mxset *set, char *out, size_t cap)
{
	static const char *const states[] = { "found", "implicit", "null", "no-domain", "unknown" };
	struct buf text;

	buf_init(&text, out, cap);
	buf_puts(&text, states[mtasts_mxset_state(set)]);
	for (size_t i = 0; i < mtasts_mxset_count(set); i++)
		buf_printf(
		    &text, " %d %s", mtasts_mxset_preference(set, i), mtasts_mxset_host(set, i));
	if (mtasts_mxset_state(set) == MTASTS_MX_UNKNOWN)
		buf_printf(&text, " (%s)", mtasts_mxset_reason(set));
}

START_TEST(test_make)
{
	struct net_answer answer = {
		.state = rows[_i].state, .secure = true, .ttl = 3600, .reason = "SERVFAIL"
	};
	struct log log = { log_take, NULL, MTASTS_LOG_DEBUG };
	struct guard guards[6];
	struct span rdata[6];
	struct domain domain;
	char text[512];

	warnings = 0;
	ck_assert_int_eq(domain_parse(span_of("example.com"), 0, &domain), 0);
	for (; answer.n < 6 && rows[_i].rdata[answer.n] != NULL; answer.n++) {
		wire(rows[_i].rdata[answer.n], &guards[answer.n]);
		rdata[answer.n] = guards[answer.n].span;
	}
	answer.rdata = rdata;
	struct mtasts_mxset *set = mxset_make(&domain, &answer, &log);
	ck_assert_ptr_nonnull(set);
	say(set, text, sizeof text);
	ck_assert_msg(strcmp(text, rows[_i].said) == 0, "%s: %s", rows[_i].name, text);
	ck_assert_msg(warnings == rows[_i].warnings, "%s: %d warnings", rows[_i].name, warnings);
	ck_assert_int_eq(mtasts_mxset_secure(set),
	    mtasts_mxset_state(set) != MTASTS_MX_UNKNOWN || rows[_i].state == NET_ANSWERED);
	ck_assert_int_eq(
	    mtasts_mxset_ttl(set), mtasts_mxset_state(set) == MTASTS_MX_UNKNOWN ? 0 : 3600);
	mtasts_mxset_free(set);
	for (size_t i = 0; i < answer.n; i++)
		guard_clear(&guards[i]);
}
END_TEST

/* What is no RDATA at all: cut anywhere, a label too long, octets behind the name. */
START_TEST(test_malformed)
{
	static const char *const broken[] = { "", "\0", "\0\012", "\0\012\003ab", "\0\012\002ab",
		"\0\012\002ab\0x", "\0\012\100", "\0\012\300\014" };
	static const size_t sizes[] = { 0, 1, 2, 5, 5, 7, 3, 4 };
	struct domain domain;

	ck_assert_int_eq(domain_parse(span_of("example.com"), 0, &domain), 0);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct guard guard;
		guard_init(&guard, broken[i], sizes[i]);
		struct net_answer answer = { .state = NET_ANSWERED, .n = 1, .rdata = &guard.span };
		struct mtasts_mxset *set = mxset_make(&domain, &answer, NULL);
		ck_assert_msg(mtasts_mxset_state(set) == MTASTS_MX_UNKNOWN, "%zu", i);
		ck_assert_uint_eq(mtasts_mxset_count(set), 0);
		mtasts_mxset_free(set);
		guard_clear(&guard);
	}
}
END_TEST

/* More hosts than anybody has: no more than the limit, and the order holds. */
START_TEST(test_many)
{
	static struct guard guards[LIMIT_MX_HOSTS + 10];
	static struct span rdata[LIMIT_MX_HOSTS + 10];
	struct net_answer answer = {
		.state = NET_ANSWERED, .n = LIMIT_MX_HOSTS + 10, .rdata = rdata
	};
	struct domain domain;

	ck_assert_int_eq(domain_parse(span_of("example.com"), 0, &domain), 0);
	for (size_t i = 0; i < answer.n; i++) {
		char text[64];
		snprintf(text, sizeof text, "%zu mx%zu.example", 1000 - i, i);
		wire(text, &guards[i]);
		rdata[i] = guards[i].span;
	}
	struct mtasts_mxset *set = mxset_make(&domain, &answer, NULL);
	ck_assert_uint_eq(mtasts_mxset_count(set), LIMIT_MX_HOSTS);
	for (size_t i = 1; i < LIMIT_MX_HOSTS; i++)
		ck_assert_int_lt(
		    mtasts_mxset_preference(set, i - 1), mtasts_mxset_preference(set, i));
	ck_assert_int_eq(mtasts_mxset_preference(set, 0), 1000 - (int)answer.n + 1);
	ck_assert_ptr_null(mtasts_mxset_host(set, LIMIT_MX_HOSTS));
	mtasts_mxset_free(set);
	for (size_t i = 0; i < answer.n; i++)
		guard_clear(&guards[i]);
}
END_TEST

START_TEST(test_null)
{
	ck_assert_int_eq((int)mtasts_mxset_state(NULL), MTASTS_MX_UNKNOWN);
	ck_assert_uint_eq(mtasts_mxset_count(NULL), 0);
	ck_assert_ptr_null(mtasts_mxset_host(NULL, 0));
	ck_assert_int_eq(mtasts_mxset_preference(NULL, 0), 0);
	ck_assert_int_eq(mtasts_mxset_secure(NULL), 0);
	ck_assert_int_eq(mtasts_mxset_ttl(NULL), 0);
	ck_assert_str_eq(mtasts_mxset_reason(NULL), "");
	mtasts_mxset_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mxset");
	TCase *tcase = tcase_create("mxset");

	tcase_add_loop_test(tcase, test_make, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, test_malformed);
	tcase_add_test(tcase, test_many);
	tcase_add_test(tcase, test_null);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
