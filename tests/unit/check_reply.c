/* SPDX-License-Identifier: ISC
 *
 * Policies and MX hosts in Postfix's words: never a pattern, never a name that means something
 * else, never more than the reader holds.
 */
#include "socketmap/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/mxset.h"
#include "sample.h"
#include "unit.h"

enum { HOSTS = 4 };

static const struct reply_config lax = { false, true }, strict = { true, false };
static char text[REPLY_MAX];

static struct mtasts_mxset *
set_make(enum mtasts_mx_state state, const char *const *hosts, size_t n)
{
	struct mtasts_mxset *set = calloc(1, sizeof *set + n * sizeof set->hosts[0]);

	ck_assert_ptr_nonnull(set);
	set->state = state;
	snprintf(set->reason, sizeof set->reason, "SERVFAIL");
	for (size_t i = 0; i < n && hosts[i] != NULL; i++) {
		ck_assert_int_eq(
		    domain_parse(span_of(hosts[i]), DOMAIN_UNDERSCORE, &set->hosts[i].name), 0);
		set->hosts[i].preference = (int)i;
		set->n++;
	}
	return set;
}

static const char *
format(const struct mtasts_policy *policy, const struct mtasts_mxset *set, enum reply_form form,
    const struct reply_config *config)
{
	struct buf out;

	buf_init(&out, text, sizeof text);
	(void)reply_format(&out, policy, set, form, config);
	ck_assert(!out.full && out.n == strlen(text));
	return text;
}

static const struct {
	const char *name, *mode, *mx;
	bool needs_mx;
	enum mtasts_mx_state state;
	const char *hosts[HOSTS];
	const char *reply;
} cases[] = {
	{ "a name", "enforce", "mx: mx.example.net\n", false, 0, { NULL },
	    "OK secure match=mx.example.net servername=hostname" },
	{ "names in the policy's order", "enforce", "mx: b.example.net\nmx: A.example.org.\n",
	    false, 0, { NULL }, "OK secure match=b.example.net:a.example.org servername=hostname" },
	{ "a pattern", "enforce", "mx: *.example.net\n", true, MTASTS_MX_FOUND,
	    { "b.example.net", "a.example.net" },
	    "OK secure match=b.example.net:a.example.net servername=hostname" },
	{ "a pattern stands for one label", "enforce", "mx: *.example.net\n", true, MTASTS_MX_FOUND,
	    { "a.b.example.net", "example.net", "c.example.net" },
	    "OK secure match=c.example.net servername=hostname" },
	{ "a pattern and a name: hosts alone", "enforce", "mx: mx.example.org\nmx: *.example.net\n",
	    true, MTASTS_MX_FOUND, { "a.example.net", "evil.example" },
	    "OK secure match=a.example.net servername=hostname" },
	{ "no host is allowed", "enforce", "mx: *.example.net\n", true, MTASTS_MX_FOUND,
	    { "evil.example", "a.b.example.net" },
	    "TEMP MX hosts of 'example.net' failed MTA-STS validation" },
	{ "the domain is its own host", "enforce", "mx: *.net\n", true, MTASTS_MX_IMPLICIT,
	    { "example.net" }, "OK secure match=example.net servername=hostname" },
	{ "takes no mail", "enforce", "mx: *.example.net\n", true, MTASTS_MX_NULL, { NULL },
	    "TEMP MX hosts of 'example.net' failed MTA-STS validation" },
	{ "is not there", "enforce", "mx: *.example.net\n", true, MTASTS_MX_NO_DOMAIN, { NULL },
	    "TEMP MX hosts of 'example.net' failed MTA-STS validation" },
	{ "hosts could not be found out", "enforce", "mx: *.example.net\n", true, MTASTS_MX_UNKNOWN,
	    { NULL },
	    "TEMP MX hosts of 'example.net', whose MTA-STS policy names patterns, could not be "
	    "found "
	    "out: SERVFAIL" },
	/* "hostname" would let every host be itself, and the others the domain's own name */
	{ "Postfix's words for other names", "enforce",
	    "mx: hostname\nmx: nexthop\nmx: dot-nexthop\nmx: mx.example.net\n", false, 0, { NULL },
	    "OK secure match=mx.example.net servername=hostname" },
	{ "nothing but such", "enforce", "mx: hostname\n", false, 0, { NULL },
	    "TEMP MX hosts of 'example.net' failed MTA-STS validation" },
	{ "such a host", "enforce", "mx: *.example.net\nmx: hostname\n", true, MTASTS_MX_FOUND,
	    { "hostname", "a.example.net" }, "OK secure match=a.example.net servername=hostname" },
	{ "an underscore", "enforce", "mx: mx_1.example.net\n", false, 0, { NULL },
	    "OK secure match=mx_1.example.net servername=hostname" },
	{ "testing", "testing", "mx: mx.example.net\n", false, 0, { NULL }, "NOTFOUND " },
	{ "testing with a pattern", "testing", "mx: *.example.net\n", false, 0, { NULL },
	    "NOTFOUND " },
	{ "none", "none", "", false, 0, { NULL }, "NOTFOUND " },
};

START_TEST(published)
{
	struct mtasts_policy *policy =
	    sample_policy(MTASTS_PUBLISHED, cases[_i].mode, cases[_i].mx);
	struct mtasts_mxset *set =
	    cases[_i].needs_mx ? set_make(cases[_i].state, cases[_i].hosts, HOSTS) : NULL;

	ck_assert_msg(reply_needs_mx(policy) == cases[_i].needs_mx, "%s", cases[_i].name);
	for (int form = 0; form < REPLY_FORMS; form++) {
		ck_assert_str_eq(format(policy, set, (enum reply_form)form, &lax), cases[_i].reply);
		ck_assert_str_eq(
		    format(policy, set, (enum reply_form)form, &strict), cases[_i].reply);
	}
	mtasts_mxset_free(set);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(not_published)
{
	static const struct {
		enum mtasts_state state;
		const char *lax, *strict;
	} states[] = {
		{ MTASTS_ABSENT, "NOTFOUND ", "NOTFOUND " },
		{ MTASTS_UNKNOWN, "NOTFOUND ",
		    "TEMP MTA-STS policy of 'example.net' could not be found out: SERVFAIL" },
		{ MTASTS_FAULT, "NOTFOUND ",
		    "TEMP MTA-STS state of this host is unreadable: SERVFAIL" },
	};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct mtasts_policy *policy = sample_policy(states[i].state, NULL, NULL);
		snprintf(policy->reason, sizeof policy->reason, "SERVFAIL");
		ck_assert(!reply_needs_mx(policy));
		ck_assert_str_eq(format(policy, NULL, REPLY_POSTFIX, &lax), states[i].lax);
		ck_assert_str_eq(format(policy, NULL, REPLY_POSTFIX, &strict), states[i].strict);
		mtasts_policy_free(policy);
	}
}
END_TEST

/* n names of ten octets and a colon each. */
static struct mtasts_policy *
policy_of_names(int n)
{
	static char body[LIMIT_POLICY + 1];
	struct mtasts_policy *policy = sample_policy(MTASTS_ABSENT, NULL, NULL);
	struct policyfile *file;
	struct parse_error error;
	struct buf out;

	buf_init(&out, body, sizeof body);
	buf_puts(&out, "version: STSv1\nmode: enforce\nmax_age: 1\n");
	for (int i = 0; i < n; i++)
		buf_printf(&out, "mx: m%04d.test\n", i);
	ck_assert(!out.full);
	ck_assert_int_eq(policyfile_parse(span_make(body, out.n), NULL, &file, &error), 0);
	policy_publish(policy, MTASTS_FROM_NETWORK, file);
	return policy;
}

static size_t
list_octets(const char *reply)
{
	const char *begin = strstr(reply, "match="), *end = strstr(reply, " servername=hostname");

	ck_assert_msg(begin != NULL && end != NULL, "%.80s", reply);
	return (size_t)(end - begin) - strlen("match=");
}

START_TEST(names_that_sendmail_can_hold)
{
	struct mtasts_policy *policy = policy_of_names(23); /* 23 * 11 - 1 = 252 */

	ck_assert(!reply_needs_mx(policy));
	ck_assert_uint_eq(list_octets(format(policy, NULL, REPLY_SENDMAIL, &lax)), 252);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(names_that_sendmail_cannot_hold)
{
	const char *hosts[] = { "m0031.test", "evil.example", "m0007.test" };
	struct mtasts_policy *policy = policy_of_names(1000);
	struct mtasts_mxset *set = set_make(MTASTS_MX_FOUND, hosts, 3);

	ck_assert(reply_needs_mx(policy));
	ck_assert_str_eq(format(policy, set, REPLY_SENDMAIL, &lax),
	    "OK secure match=m0031.test:m0007.test servername=hostname");
	mtasts_mxset_free(set);
	set = set_make(MTASTS_MX_UNKNOWN, NULL, 0);
	/* who can hold them all gets them all; no name is a guess */
	ck_assert_uint_eq(list_octets(format(policy, set, REPLY_POSTFIX, &lax)), 1000 * 11 - 1);
	ck_assert_int_eq(strncmp(format(policy, set, REPLY_SENDMAIL, &lax), "TEMP ", 5), 0);
	mtasts_mxset_free(set);
	mtasts_policy_free(policy);
}
END_TEST

/* The best hosts, as many as there is room for, and none of them in part. */
START_TEST(hosts_that_sendmail_cannot_hold)
{
	static char names[LIMIT_MX_HOSTS][16];
	const char *hosts[LIMIT_MX_HOSTS];
	struct mtasts_policy *policy = policy_of_names(1000);

	for (int i = 0; i < LIMIT_MX_HOSTS; i++) {
		snprintf(names[i], sizeof names[i], "m%04d.test", i);
		hosts[i] = names[i];
	}
	struct mtasts_mxset *set = set_make(MTASTS_MX_FOUND, hosts, LIMIT_MX_HOSTS);
	const char *reply = format(policy, set, REPLY_SENDMAIL, &lax);
	ck_assert_uint_eq(list_octets(reply), 252);
	ck_assert_ptr_nonnull(strstr(reply, "match=m0000.test:m0001.test:"));
	ck_assert_ptr_nonnull(strstr(reply, ":m0022.test servername=hostname"));
	ck_assert_uint_eq(
	    list_octets(format(policy, set, REPLY_POSTFIX, &lax)), LIMIT_MX_HOSTS * 11 - 1);
	mtasts_mxset_free(set);
	mtasts_policy_free(policy);
}
END_TEST

/* Postfix refuses a reply of more than 100000 octets. */
START_TEST(largest)
{
	struct mtasts_policy *policy = policy_of_names(4300);
	struct mtasts_mxset *set = set_make(MTASTS_MX_UNKNOWN, NULL, 0);

	ck_assert_uint_eq(list_octets(format(policy, set, REPLY_POSTFIX, &lax)), 4300 * 11 - 1);
	ck_assert_uint_lt(strlen(text), 100000);
	mtasts_mxset_free(set);
	mtasts_policy_free(policy);
}
END_TEST

START_TEST(forms)
{
	ck_assert_int_eq(reply_form_of(span_of("sts")), REPLY_SENDMAIL);
	ck_assert_int_eq(reply_form_of(span_of("postfix")), REPLY_POSTFIX);
	ck_assert_int_eq(reply_form_of(span_of("stsx")), REPLY_POSTFIX);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply");
	TCase *tests = tcase_create("reply");

	tcase_add_loop_test(tests, published, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, not_published);
	tcase_add_test(tests, names_that_sendmail_can_hold);
	tcase_add_test(tests, names_that_sendmail_cannot_hold);
	tcase_add_test(tests, hosts_that_sendmail_cannot_hold);
	tcase_add_test(tests, largest);
	tcase_add_test(tests, forms);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
