/* SPDX-License-Identifier: ISC */
#include "net/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "unit.h"

/* First and last of each range, and their neighbours outside (f33). */
static const struct {
	const char *text;
	bool is_public;
} addresses[] = {
	{ "0.0.0.0", false },
	{ "0.255.255.255", false },
	{ "1.0.0.0", true },
	{ "9.255.255.255", true },
	{ "10.0.0.0", false },
	{ "10.255.255.255", false },
	{ "11.0.0.0", true },
	{ "100.63.255.255", true },
	{ "100.64.0.0", false },
	{ "100.127.255.255", false },
	{ "100.128.0.0", true },
	{ "126.255.255.255", true },
	{ "127.0.0.0", false },
	{ "127.0.0.1", false },
	{ "127.255.255.255", false },
	{ "128.0.0.0", true },
	{ "169.253.255.255", true },
	{ "169.254.0.0", false },
	{ "169.254.169.254", false },
	{ "169.254.255.255", false },
	{ "169.255.0.0", true },
	{ "172.15.255.255", true },
	{ "172.16.0.0", false },
	{ "172.31.255.255", false },
	{ "172.32.0.0", true },
	{ "191.255.255.255", true },
	{ "192.0.0.0", false },
	{ "192.0.0.255", false },
	{ "192.0.1.0", true },
	{ "192.0.2.0", false },
	{ "192.0.2.255", false },
	{ "192.0.3.0", true },
	{ "192.88.98.255", true },
	{ "192.88.99.1", false },
	{ "192.88.100.0", true },
	{ "192.167.255.255", true },
	{ "192.168.0.0", false },
	{ "192.168.255.255", false },
	{ "192.169.0.0", true },
	{ "198.17.255.255", true },
	{ "198.18.0.0", false },
	{ "198.19.255.255", false },
	{ "198.20.0.0", true },
	{ "198.51.99.255", true },
	{ "198.51.100.0", false },
	{ "198.51.101.0", true },
	{ "203.0.112.255", true },
	{ "203.0.113.0", false },
	{ "203.0.114.0", true },
	{ "223.255.255.255", true },
	{ "224.0.0.0", false },
	{ "239.255.255.255", false },
	{ "240.0.0.0", false },
	{ "255.255.255.255", false },

	{ "::", false },
	{ "::1", false },
	{ "::2", false },
	{ "::7f00:1", false },		 /* compatible, 127.0.0.1 */
	{ "::ffff:127.0.0.1", false },	 /* mapped */
	{ "::ffff:9.9.9.9", false },	 /* mapped is no address for a DNS record */
	{ "64:ff9b::127.0.0.1", false }, /* NAT64 */
	{ "64:ff9b::10.0.0.1", false },
	{ "64:ff9b::192.168.1.1", false },
	{ "64:ff9b::9.9.9.9", true }, /* what a host behind NAT64 is given */
	{ "64:ff9b:0:0:0:1::", false },
	{ "64:ff9b:1::9.9.9.9", false },
	{ "100::1", false },
	{ "1fff:ffff::1", false },
	{ "2000::", true },
	{ "2001::1", false }, /* Teredo */
	{ "2001:2::1", false },
	{ "2001:10::1", false },
	{ "2001:1ff:ffff::1", false },
	{ "2001:200::1", true },
	{ "2001:db7:ffff::1", true },
	{ "2001:db8::1", false },
	{ "2001:db8:ffff:ffff::1", false },
	{ "2001:db9::1", true },
	{ "2002:7f00:1::1", false },
	{ "2002:a00:1::1", false },
	{ "2002:c0a8:101::", false },
	{ "2002:909:909::1", true }, /* 6to4 of 9.9.9.9 */
	{ "2003::1", true },
	{ "2606:4700::1", true },
	{ "2a00:18::1", true },
	{ "3ffe:ffff::1", true },
	{ "3fff::1", false },
	{ "3fff:fff:ffff::1", false },
	{ "3fff:1000::1", true },
	{ "4000::1", false },
	{ "5f00::1", false },
	{ "fc00::1", false },
	{ "fd19::2", false },
	{ "fe80::1", false },
	{ "fec0::1", false },
	{ "ff02::1", false },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false },
};

static size_t
bytes_of(const char *text, uint8_t *bytes)
{
	bool is_v6 = strchr(text, ':') != NULL;

	memset(bytes, 0xff, 16);
	ck_assert_msg(inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes) == 1, "%s", text);
	return is_v6 ? 16 : 4;
}

START_TEST(test_public)
{
	uint8_t bytes[16];
	size_t octets = bytes_of(addresses[_i].text, bytes);

	ck_assert_msg(
	    address_is_public(bytes, octets) == addresses[_i].is_public, "%s", addresses[_i].text);
}
END_TEST

START_TEST(test_allow)
{
	static const struct {
		const char *text;
		bool is_allowed;
	} cases[] = {
		{ "198.18.0.1", true },
		{ "198.20.0.1", true }, /* public anyway */
		{ "127.0.0.1", false }, /* not opened by its neighbours */
		{ "fd18::1", true },
		{ "fd19::1", false },
		{ "::ffff:198.18.0.1", false }, /* a prefix of IPv4 opens IPv4 */
		{ "64:ff9b::198.18.0.1", false },
		{ "10.1.2.3", true },
		{ "10.1.2.4", false },
	};
	struct conf_prefixes allow = { .n = 3 };
	uint8_t bytes[16];

	ck_assert_int_eq(conf_prefix_parse(span_of("198.18.0.0/15"), &allow.prefixes[0]), 0);
	ck_assert_int_eq(conf_prefix_parse(span_of("fd18::/16"), &allow.prefixes[1]), 0);
	ck_assert_int_eq(conf_prefix_parse(span_of("10.1.2.3"), &allow.prefixes[2]), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t octets = bytes_of(cases[i].text, bytes);
		ck_assert_msg(address_is_allowed(bytes, octets, &allow) == cases[i].is_allowed,
		    "%s", cases[i].text);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");

	tcase_add_loop_test(tcase, test_public, 0, sizeof addresses / sizeof addresses[0]);
	tcase_add_test(tcase, test_allow);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
