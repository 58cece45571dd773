/* SPDX-License-Identifier: ISC
 *
 * Addresses of MX hosts: which are never connected, and the order of the others.
 */
#include "opensmtpd/proto/hostaddress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/buf.h"
#include "guard.h"
#include "unit.h"

enum { ADDRESSES = 9 };

static struct sockaddr_storage
address_of(const char *text)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(&address, &v4, sizeof v4);
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(&address, &v6, sizeof v6);
	return address;
}

static const struct {
	const char *address, *allow; /* allow: one prefix, or NULL */
	bool usable;
} classes[] = {
	{ "192.0.2.1", NULL, true },
	{ "10.1.2.3", NULL, true }, /* private: an MX host of this site's */
	{ "169.254.1.1", NULL, true }, { "126.255.255.255", NULL, true },
	{ "128.0.0.0", NULL, true }, { "127.0.0.1", NULL, false },
	{ "127.255.255.255", NULL, false }, { "0.0.0.0", NULL, false }, { "0.1.2.3", NULL, false },
	{ "224.0.0.1", NULL, false }, { "239.255.255.255", NULL, false },
	{ "255.255.255.255", NULL, false }, { "::", NULL, false }, { "::1", NULL, false },
	{ "::2", NULL, true }, { "ff02::1", NULL, false }, { "fe80::1", NULL, true },
	{ "2001:db8::1", NULL, true }, { "::ffff:127.0.0.1", NULL, false },
	{ "::ffff:0.0.0.0", NULL, false }, { "::ffff:224.0.0.1", NULL, false },
	{ "::ffff:192.0.2.1", NULL, true }, { "127.0.0.1", "127.0.0.0/8", true },
	{ "127.0.0.1", "127.0.0.2", false }, { "::1", "::1", true },
	{ "::1", "127.0.0.0/8", false }, { "::ffff:127.0.0.1", "127.0.0.0/8", true },
	{ "none", NULL, false }, /* neither family */
};

START_TEST(usable)
{
	struct sockaddr_storage address = address_of(classes[_i].address);
	struct conf_prefixes allow = { .n = 0 };

	if (classes[_i].allow != NULL) {
		ck_assert_int_eq(
		    conf_prefix_parse(span_of(classes[_i].allow), &allow.prefixes[allow.n++]), 0);
	}
	ck_assert_msg(hostaddress_is_usable(&address, &allow) == classes[_i].usable, "%s",
	    classes[_i].address);
}
END_TEST

static const struct {
	const char *name;
	const char *addresses[ADDRESSES];
	sa_family_t family;
	const char *order;
} orders[] = {
	{ "none", { NULL }, AF_UNSPEC, "" },
	{ "one", { "192.0.2.1" }, AF_UNSPEC, "192.0.2.1 " },
	{ "by turns, IPv6 first", { "2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2" },
	    AF_UNSPEC, "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 " },
	{ "however they come", { "192.0.2.1", "2001:db8::1" }, AF_UNSPEC,
	    "2001:db8::1 192.0.2.1 " },
	{ "the rest of the longer family", { "2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3" },
	    AF_UNSPEC, "2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3 " },
	{ "no more than four",
	    { "2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2", "192.0.2.3" },
	    AF_UNSPEC, "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 " },
	{ "no more than four of one",
	    { "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5" }, AF_UNSPEC,
	    "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 " },
	{ "IPv4 only", { "2001:db8::1", "192.0.2.1" }, AF_INET, "192.0.2.1 " },
	{ "IPv6 only", { "2001:db8::1", "192.0.2.1" }, AF_INET6, "2001:db8::1 " },
	{ "none of that family", { "192.0.2.1" }, AF_INET6, "" },
	{ "refused ones take no place", { "::1", "2001:db8::1", "127.0.0.1", "192.0.2.1" },
	    AF_UNSPEC, "2001:db8::1 192.0.2.1 " },
	{ "nothing but refused ones", { "::1", "127.0.0.1" }, AF_UNSPEC, "" },
};

START_TEST(order)
{
	struct sockaddr_storage in[ADDRESSES], out[HOSTADDRESS_MAX];
	char storage[512], text[HOSTADDRESS_TEXT];
	struct buf list;
	size_t n = 0;

	for (; n < ADDRESSES && orders[_i].addresses[n] != NULL; n++)
		in[n] = address_of(orders[_i].addresses[n]);
	n = hostaddress_order(in, n, orders[_i].family, NULL, out);
	buf_init(&list, storage, sizeof storage);
	for (size_t i = 0; i < n; i++) {
		hostaddress_text(&out[i], text);
		buf_printf(&list, "%s ", text);
	}
	ck_assert_msg(strcmp(storage, orders[_i].order) == 0, "%s: %s", orders[_i].name, storage);
}
END_TEST

static const struct {
	const char *literal, *address; /* NULL: none */
} literals[] = {
	{ "[192.0.2.1]", "192.0.2.1" },
	{ "[IPv6:2001:db8::1]", "2001:db8::1" },
	{ "[ipv6:::1]", "::1" },
	{ "[IPv6:192.0.2.1]", NULL },
	{ "[2001:db8::1]", NULL },
	{ "[192.0.2]", NULL },
	{ "[192.0.2.1", NULL },
	{ "192.0.2.1", NULL },
	{ "[]", NULL },
	{ "[", NULL },
	{ "", NULL },
	{ "[mx.example.net]", NULL },
	{ "[IPv6:]", NULL },
	{ "[IPv6:2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:0000:1111]", NULL },
};

START_TEST(literal)
{
	struct sockaddr_storage address;
	char text[HOSTADDRESS_TEXT];
	struct guard g;

	guard_init(&g, literals[_i].literal, strlen(literals[_i].literal));
	int r = hostaddress_literal(g.span, &address);
	ck_assert_msg(r == (literals[_i].address != NULL ? 0 : -1), "%s", literals[_i].literal);
	if (r == 0) {
		hostaddress_text(&address, text);
		ck_assert_str_eq(text, literals[_i].address);
	}
	guard_clear(&g);
}
END_TEST

START_TEST(literal_nul)
{
	struct sockaddr_storage address;

	ck_assert_int_eq(hostaddress_literal(span_make("[192.0.2.1\0x]", 13), &address), -1);
}
END_TEST

START_TEST(text_of_neither)
{
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	char text[HOSTADDRESS_TEXT] = "x";

	hostaddress_text(&address, text);
	ck_assert_str_eq(text, "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hostaddress");
	TCase *tcase = tcase_create("hostaddress");

	tcase_add_loop_test(tcase, usable, 0, (int)(sizeof classes / sizeof classes[0]));
	tcase_add_loop_test(tcase, order, 0, (int)(sizeof orders / sizeof orders[0]));
	tcase_add_loop_test(tcase, literal, 0, (int)(sizeof literals / sizeof literals[0]));
	tcase_add_test(tcase, literal_nul);
	tcase_add_test(tcase, text_of_neither);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
