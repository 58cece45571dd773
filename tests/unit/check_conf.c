/* SPDX-License-Identifier: ISC */
#include "base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"
#include "nomem.h"
#include "unit.h"

START_TEST(test_defaults)
{
	struct mtasts_config config;

	conf_defaults(&config);
	ck_assert_str_eq(config.state_directory, STATEDIR);
	ck_assert_str_eq(config.group, "mtasts");
	ck_assert_str_eq(config.user, "mtasts");
	ck_assert_str_eq(config.helper_user, HELPER_USER);
	ck_assert_str_eq(config.helper_directory, LIBEXECDIR);
	ck_assert_str_eq(config.ca_directory, "/etc/ssl/certs");
	ck_assert_str_eq(config.resolv_conf, "/etc/resolv.conf");
	ck_assert_str_eq(config.trust_anchor, "");
	ck_assert_uint_eq(config.allow_addresses.n, 0);
	ck_assert_int_eq(config.bounce_after, 86400);
	ck_assert_int_eq(config.deadline, 15);
	ck_assert_int_eq(config.refresh_deadline, 60);
	ck_assert_int_eq(config.max_fetches, 32);
	ck_assert_int_eq(config.on_unknown, CONF_DELIVER);
	ck_assert_int_eq(config.cache_fault, CONF_DEFER);
	ck_assert(config.reports);
	ck_assert_int_eq(config.log_level, MTASTS_LOG_INFO);
	ck_assert_int_eq(config.relay_port, 10027);
	ck_assert_int_eq(config.relay_ports, 0);
	ck_assert_uint_eq(config.filter_clients.n, 2);
	ck_assert_uint_eq(config.local_domains.n, 0);
	ck_assert_str_eq(config.error, "");
}
END_TEST

/* Each line set, and read back by conf_value() as out; NULL: refused, with why in the error. */
static const struct {
	const char *key, *value, *out, *why;
} values[] = {
	{ "state_directory", "/srv/mta sts", "/srv/mta sts", NULL },
	{ "state_directory", "srv", NULL, "absolute" },
	{ "state_directory", "", NULL, "absolute" },
	{ "trust_anchor", "", "", NULL },
	{ "trust_anchor", "/etc/unbound/root.key", "/etc/unbound/root.key", NULL },
	{ "trust_anchor", "root.key", NULL, "absolute" },
	{ "ca_directory", "/a\tb", "/a\tb", NULL },
	{ "ca_directory", "/a\nb", NULL, "control character" },
	{ "group", "Debian-exim", "Debian-exim", NULL },
	{ "group", "-exim", NULL, "user or group" },
	{ "group", "a b", NULL, "user or group" },
	{ "group", "", NULL, "needed" },
	{ "user", "_mtasts", "_mtasts", NULL },
	{ "user", "a234567890123456789012345678901234567890123456789012345678901234", NULL,
	    "long" },
	{ "bounce_after", "0", "0s", NULL },
	{ "bounce_after", "90", "90s", NULL },
	{ "bounce_after", "120s", "2m", NULL },
	{ "bounce_after", "36h", "36h", NULL },
	{ "bounce_after", "48h", "2d", NULL },
	{ "bounce_after", "30d", "30d", NULL },
	{ "bounce_after", "31d", NULL, "too large" },
	{ "bounce_after", "-1", NULL, "not a duration" },
	{ "bounce_after", "1w", NULL, "not a duration" },
	{ "bounce_after", "1 d", NULL, "not a duration" },
	{ "bounce_after", "d", NULL, "not a duration" },
	{ "bounce_after", "", NULL, "not a duration" },
	{ "bounce_after", "999999999999d", NULL, "too large" },
	{ "bounce_after", "9999999999999", NULL, "not a duration" },
	{ "deadline", "5m", "5m", NULL },
	{ "deadline", "0", NULL, "too small" },
	{ "refresh_deadline", "1h", "1h", NULL },
	{ "refresh_deadline", "3601", NULL, "too large" },
	{ "max_fetches", "1", "1", NULL },
	{ "max_fetches", "1k", "1024", NULL },
	{ "max_fetches", "1m", NULL, "too large" },
	{ "max_fetches", "0", NULL, "too small" },
	{ "max_fetches", "5s", NULL, "not a number" },
	{ "on_unknown", "defer", "defer", NULL },
	{ "on_unknown", "Defer", NULL, "neither" },
	{ "cache_fault", "deliver", "deliver", NULL },
	{ "reports", "no", "no", NULL },
	{ "reports", "true", NULL, "neither" },
	{ "log_level", "error", "error", NULL },
	{ "log_level", "debug", "debug", NULL },
	{ "log_level", "notice", NULL, "none of" },
	{ "allow_addresses", "", "", NULL },
	{ "allow_addresses", " 127.0.0.0/8\t fd00::/8 192.0.2.1 ",
	    "127.0.0.0/8 fd00::/8 192.0.2.1/32", NULL },
	{ "allow_addresses", "127.0.0.1/8", NULL, "not a list" },
	{ "allow_addresses", "127.0.0.0/8,10.0.0.0/8", NULL, "not a list" },
	{ "filter_clients", "", "", NULL }, /* nobody */
	{ "filter_clients", "10.0.0.0/8", "10.0.0.0/8", NULL },
	{ "filter_clients", "localhost", NULL, "not a list" },
	{ "relay_port", "1", "1", NULL },
	{ "relay_port", "65535", "65535", NULL },
	{ "relay_port", "0", NULL, "too small" },
	{ "relay_port", "65536", NULL, "too large" },
	{ "relay_port", "smtp", NULL, "not a number" },
	{ "relay_ports", "0", "0", NULL },
	{ "relay_ports", "1024", "1024", NULL },
	{ "relay_ports", "1025", NULL, "too large" },
	{ "relay_ports", "-1", NULL, "not a number" },
	{ "local_domains", "", "", NULL },
	{ "local_domains", " Example.NET.\t xn--bcher-kva.example ",
	    "example.net xn--bcher-kva.example", NULL },
	{ "local_domains", "example.net,example.com", NULL, "not a list" },
	{ "local_domains", "example.net *.example.com", NULL, "not a list" },
	{ "local_domains", ".example.com", NULL, "not a list" },
	{ "local_domains",
	    "b\xc3\xbc"
	    "cher.example",
	    NULL, "not a list" },
	{ "local_domains", "[192.0.2.1]", NULL, "not a list" },
	{ "local_domains", "a_b.example", NULL, "not a list" },
	{ "allow_address", "127.0.0.0/8", NULL, "unknown key" },
	{ "", "x", NULL, "unknown key" },
};

static size_t
key_index(const char *name)
{
	size_t i = 0;

	while (strcmp(conf_key(i), name) != 0)
		i++;
	return i;
}

START_TEST(test_value)
{
	struct mtasts_config config;
	char storage[2000];
	struct buf out;
	const char *key = values[_i].key, *value = values[_i].value;

	conf_defaults(&config);
	int r = mtasts_config_set(&config, key, value);
	if (values[_i].out == NULL) {
		ck_assert_int_eq(r, MTASTS_ECONFIG);
		ck_assert_msg(strstr(mtasts_config_error(&config), values[_i].why) != NULL,
		    "%s = %s: %s", key, value, config.error);
		return;
	}
	ck_assert_msg(r == 0, "%s = %s: %s", key, value, config.error);
	buf_init(&out, storage, sizeof storage);
	conf_value(&config, key_index(key), &out);
	ck_assert_str_eq(out.p, values[_i].out);
}
END_TEST

START_TEST(test_refused_value_changes_nothing)
{
	struct mtasts_config config;

	conf_defaults(&config);
	ck_assert_int_eq(mtasts_config_set(&config, "allow_addresses", "10.0.0.0/8"), 0);
	ck_assert_int_eq(mtasts_config_set(&config, "allow_addresses", "::1 junk"), MTASTS_ECONFIG);
	ck_assert_uint_eq(config.allow_addresses.n, 1);
	ck_assert_uint_eq(config.allow_addresses.prefixes[0].bits, 8);
	ck_assert_int_eq(mtasts_config_set(&config, "deadline", "1h"), MTASTS_ECONFIG);
	ck_assert_int_eq(config.deadline, 15);
	ck_assert_str_eq(mtasts_config_error(&config), "deadline: too large");
}
END_TEST

START_TEST(test_too_many_prefixes)
{
	struct mtasts_config config;
	char storage[1000];
	struct buf list;

	conf_defaults(&config);
	buf_init(&list, storage, sizeof storage);
	for (int i = 0; i < CONF_PREFIXES_MAX; i++)
		buf_printf(&list, "10.0.0.%d ", i);
	ck_assert_int_eq(mtasts_config_set(&config, "allow_addresses", list.p), 0);
	buf_puts(&list, "10.0.1.0");
	ck_assert_int_eq(mtasts_config_set(&config, "allow_addresses", list.p), MTASTS_ECONFIG);
}
END_TEST

/* All the room there is, and one octet more. */
START_TEST(test_too_many_domains)
{
	static struct mtasts_config config;
	static char storage[CONF_DOMAINS_MAX + 100], out_storage[CONF_VALUE_MAX];
	struct buf list, out;

	conf_defaults(&config);
	buf_init(&list, storage, sizeof storage);
	for (int i = 0; i < CONF_DOMAINS_MAX / 16; i++)
		buf_printf(&list, "%07d.example ", i); /* 16 octets */
	ck_assert_uint_eq(list.n, CONF_DOMAINS_MAX);
	ck_assert_int_eq(mtasts_config_set(&config, "local_domains", list.p), 0);
	buf_init(&out, out_storage, sizeof out_storage);
	conf_value(&config, key_index("local_domains"), &out);
	ck_assert(!out.full);
	ck_assert_uint_eq(out.n, list.n - 1);
	ck_assert_mem_eq(out.p, list.p, out.n);
	buf_puts(&list, "a");
	ck_assert_int_eq(mtasts_config_set(&config, "local_domains", list.p), MTASTS_ECONFIG);
	ck_assert_str_eq(mtasts_config_error(&config), "local_domains: too many domains");
	ck_assert_uint_eq(config.local_domains.n, CONF_DOMAINS_MAX);
}
END_TEST

static const struct {
	const char *domain;
	bool holds;
} local[] = {
	{ "example.net", true },
	{ "EXAMPLE.Net.", true },
	{ "example.com", true },
	{ "example.ne", false },
	{ "xample.net", false },
	{ "a.example.net", false },
	{ "net", false },
	{ "org.example", true },
};

START_TEST(test_domains_hold)
{
	struct mtasts_config config;
	struct domain domain;

	conf_defaults(&config);
	ck_assert_int_eq(domain_parse(span_of(local[_i].domain), DOMAIN_STRICT, &domain), 0);
	ck_assert(!conf_domains_hold(&config.local_domains, &domain));
	ck_assert_int_eq(
	    mtasts_config_set(&config, "local_domains", "example.net Example.COM org.example"), 0);
	ck_assert_msg(conf_domains_hold(&config.local_domains, &domain) == local[_i].holds, "%s",
	    domain.name);
}
END_TEST

START_TEST(test_prefixes_hold)
{
	static const uint8_t inside[] = { 127, 9, 9, 9 }, outside[] = { 128, 0, 0, 1 };
	static const uint8_t loopback[16] = { [15] = 1 }, other[16] = { [15] = 2 };
	struct mtasts_config config;

	conf_defaults(&config);
	ck_assert(conf_prefixes_hold(&config.filter_clients, inside, 4));
	ck_assert(!conf_prefixes_hold(&config.filter_clients, outside, 4));
	ck_assert(conf_prefixes_hold(&config.filter_clients, loopback, 16));
	ck_assert(!conf_prefixes_hold(&config.filter_clients, other, 16));
	ck_assert_int_eq(mtasts_config_set(&config, "filter_clients", ""), 0);
	ck_assert(!conf_prefixes_hold(&config.filter_clients, inside, 4));
}
END_TEST

static const struct {
	const char *text, *error; /* NULL: good */
} files[] = {
	{ "", NULL },
	{ "\n\n# all of it a comment\n  # this too\n\t\n", NULL },
	{ "deadline = 10s\n", NULL },
	{ "deadline=10s", NULL },
	{ "  deadline\t=\t10s  \r\n", "test.conf:1: deadline: control character in the value" },
	{ "deadline = 10s # ten\n", "test.conf:1: deadline: not a duration (30s, 5m, 2h, 1d)" },
	{ "deadline = 20s\ndeadline = 10s\n", NULL }, /* the last counts */
	{ "# x\n\ndeadlines = 10s\n", "test.conf:3: deadlines: unknown key" },
	{ "deadline 10s\n", "test.conf:1: deadline 10s: no '=' in the line" },
	{ "deadline = 10s\n[section]\n", "test.conf:2: [section]: no '=' in the line" },
	{ "= 1\n", "test.conf:1: unknown key" },
	{ "a\x1b[31m = 1\n", "test.conf:1: a\\x1B[31m: unknown key" },
	{ "deadline == 10s", "test.conf:1: deadline: not a duration (30s, 5m, 2h, 1d)" },
};

START_TEST(test_file)
{
	struct mtasts_config config;
	struct guard g;

	conf_defaults(&config);
	guard_init(&g, files[_i].text, strlen(files[_i].text));
	int r = conf_parse(&config, "test.conf", g.span);
	if (files[_i].error == NULL)
		ck_assert_msg(r == 0, "%s", config.error);
	else
		ck_assert_int_eq(r, MTASTS_ECONFIG);
	ck_assert_str_eq(config.error, files[_i].error == NULL ? "" : files[_i].error);
	if (r == 0 && strstr(files[_i].text, "10s") != NULL)
		ck_assert_int_eq(config.deadline, 10);
	guard_clear(&g);
}
END_TEST

/* What conf_value() says of everything, read back, is everything. */
START_TEST(test_read_back)
{
	struct mtasts_config config, back;
	char storage[20000];
	struct buf out;

	conf_defaults(&config);
	ck_assert_int_eq(mtasts_config_set(&config, "allow_addresses", "10.0.0.0/8 fd00::/8"), 0);
	ck_assert_int_eq(mtasts_config_set(&config, "bounce_after", "61"), 0);
	ck_assert_int_eq(mtasts_config_set(&config, "relay_ports", "8"), 0);
	ck_assert_int_eq(mtasts_config_set(&config, "local_domains", "b.example a.example"), 0);
	ck_assert_int_eq(mtasts_config_set(&config, "reports", "no"), 0);
	ck_assert_int_eq(mtasts_config_set(&config, "on_unknown", "defer"), 0);
	ck_assert_int_eq(mtasts_config_set(&config, "log_level", "warning"), 0);
	buf_init(&out, storage, sizeof storage);
	for (size_t i = 0; conf_key(i) != NULL; i++) {
		buf_printf(&out, "%s = ", conf_key(i));
		conf_value(&config, i, &out);
		buf_putc(&out, '\n');
	}
	ck_assert(!out.full);
	memset(&back, 0, sizeof back);
	ck_assert_int_eq(conf_parse(&back, "-", span_make(out.p, out.n)), 0);
	ck_assert_mem_eq(&back, &config, sizeof back);
}
END_TEST

static const struct {
	const char *prefix, *address;
	bool holds;
} prefixes[] = {
	{ "127.0.0.0/8", "127.255.0.1", true },
	{ "127.0.0.0/8", "128.0.0.1", false },
	{ "198.18.0.0/15", "198.19.255.255", true },
	{ "198.18.0.0/15", "198.20.0.0", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.0", false },
	{ "0.0.0.0/0", "203.0.113.9", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::/0", "192.0.2.1", false },
	{ "::/0", "2001:db8::1", true },
	{ "fd00::/8", "fd12::1", true },
	{ "fd00::/8", "fe80::1", false },
	{ "2001:db8:8000::/33", "2001:db8:ffff::1", true },
	{ "2001:db8:8000::/33", "2001:db8:7fff::1", false },
};

START_TEST(test_prefix)
{
	struct conf_prefix prefix, address;

	ck_assert_int_eq(conf_prefix_parse(span_of(prefixes[_i].prefix), &prefix), 0);
	ck_assert_int_eq(conf_prefix_parse(span_of(prefixes[_i].address), &address), 0);
	bool holds = conf_prefix_holds(&prefix, address.address, address.family_bits / 8);
	ck_assert_msg(
	    holds == prefixes[_i].holds, "%s %s", prefixes[_i].prefix, prefixes[_i].address);
}
END_TEST

static const char *const bad_prefixes[] = { "", "/", "/8", "10", "10.0.0.0/", "10.0.0.0/33",
	"10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/08x", "10.0.0.1/31", "::/129", "::1/127", "[::1]",
	"fe80::1%lo", "example.net", "1.2.3.4.5", "::ffff:1.2.3.4:5", " ::1" };

START_TEST(test_bad_prefix)
{
	struct conf_prefix prefix;

	ck_assert_msg(conf_prefix_parse(span_of(bad_prefixes[_i]), &prefix) == -1, "\"%s\"",
	    bad_prefixes[_i]);
}
END_TEST

/* A file of n octets of text in a directory of its own. */
static void
file_make(char *path, size_t cap, const char *text, size_t n)
{
	char dir[] = "/tmp/check_conf.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, cap, "%s/conf", dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

static void
file_remove(char *path)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

START_TEST(test_load)
{
	char path[200];
	struct mtasts_config *config;

	file_make(path, sizeof path, "deadline = 7\n", 13);
	ck_assert_int_eq(mtasts_config_load(path, &config), 0);
	ck_assert_int_eq(config->deadline, 7);
	ck_assert_str_eq(mtasts_config_error(config), "");
	mtasts_config_free(config);
	file_remove(path);

	ck_assert_int_eq(mtasts_config_load("/nonexistent/mtasts.conf", &config), MTASTS_ECONFIG);
	ck_assert_str_eq(
	    mtasts_config_error(config), "/nonexistent/mtasts.conf: No such file or directory");
	mtasts_config_free(config);
	ck_assert_int_eq(mtasts_config_load("/", &config), MTASTS_ECONFIG);
	mtasts_config_free(config);
	mtasts_config_free(NULL);
}
END_TEST

START_TEST(test_load_default)
{
	struct mtasts_config *config;

	if (access(CONF_DEFAULT_PATH, F_OK) == 0)
		return; /* this host has one: nothing can be said of the defaults */
	ck_assert_int_eq(mtasts_config_load(NULL, &config), 0);
	ck_assert_int_eq(config->deadline, 15);
	mtasts_config_free(config);
}
END_TEST

START_TEST(test_load_bounds)
{
	char path[200];
	struct mtasts_config *config;
	char *text = calloc(1, 65537);

	memset(text, '#', 65537);
	file_make(path, sizeof path, text, 65536);
	ck_assert_int_eq(mtasts_config_load(path, &config), 0);
	mtasts_config_free(config);
	file_remove(path);
	file_make(path, sizeof path, text, 65537);
	ck_assert_int_eq(mtasts_config_load(path, &config), MTASTS_ECONFIG);
	ck_assert_msg(strstr(config->error, "too large") != NULL, "%s", config->error);
	mtasts_config_free(config);
	file_remove(path);
	free(text);
	ck_assert_int_eq(mtasts_config_load("/dev/zero", &config), MTASTS_ECONFIG);
	mtasts_config_free(config);
}
END_TEST

START_TEST(test_load_nomem)
{
	char path[200];
	struct mtasts_config *config = NULL;
	int r = MTASTS_ENOMEM;

	file_make(path, sizeof path, "deadline = 7\n", 13);
	for (size_t n = 0; r != 0; n++) {
		ck_assert_uint_lt(n, 10);
		nomem_after(n);
		r = mtasts_config_load(path, &config);
		size_t asked = nomem_end();
		ck_assert(r == 0 || (r == MTASTS_ENOMEM && config == NULL && asked == n + 1));
	}
	mtasts_config_free(config);
	file_remove(path);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf");
	TCase *tcase = tcase_create("conf");

	tcase_add_test(tcase, test_defaults);
	tcase_add_loop_test(tcase, test_value, 0, sizeof values / sizeof values[0]);
	tcase_add_test(tcase, test_refused_value_changes_nothing);
	tcase_add_test(tcase, test_too_many_prefixes);
	tcase_add_test(tcase, test_too_many_domains);
	tcase_add_loop_test(tcase, test_domains_hold, 0, sizeof local / sizeof local[0]);
	tcase_add_test(tcase, test_prefixes_hold);
	tcase_add_loop_test(tcase, test_file, 0, sizeof files / sizeof files[0]);
	tcase_add_test(tcase, test_read_back);
	tcase_add_loop_test(tcase, test_prefix, 0, sizeof prefixes / sizeof prefixes[0]);
	tcase_add_loop_test(
	    tcase, test_bad_prefix, 0, sizeof bad_prefixes / sizeof bad_prefixes[0]);
	tcase_add_test(tcase, test_load);
	tcase_add_test(tcase, test_load_default);
	tcase_add_test(tcase, test_load_bounds);
	tcase_add_test(tcase, test_load_nomem);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
