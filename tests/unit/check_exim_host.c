/* SPDX-License-Identifier: ISC
 *
 * Exim's part, played with the plugin as a loaded module over the real library, a real store and
 * helpers that know a small world: processes are forked and give up root where Exim does, the
 * router's and the transport's calls come in its order, and what is left behind is read back from
 * the journal.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "pki.h"
#include "report/journal.h"
#include "state.h"
#include "unit.h"

#define EHLO_TLS "250-mx.example\n250-STARTTLS\n250 SIZE"
#define EHLO_NO	 "250-mx.example\n250 SIZE"

typedef int function(unsigned char **yield, int argc, unsigned char *argv[]);

static struct state state;
static char directory[64]; /* helpers, CA, configuration */
static char config_path[128];
static struct pki_cert ca, good, good_cname, expired, other, self_signed, cn_only;
static const char *const files[] = { "mtasts-resolve", "mtasts-fetch", "libmtasts.so.0",
	"exim_hosted.so", "mtasts.conf", "ca" };

/* ---- the world ---- */

static const char *
in_directory(const char *name)
{
	static char path[4][128];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof path[i], "%s/%s", directory, name);
	return path[i];
}

static struct pki_cert
certificate(const char *san, const char *subject, const struct pki_cert *issuer, bool is_old)
{
	int64_t now = (int64_t)time(NULL);
	struct pki_want want = { .subject = subject,
		.issuer = issuer,
		.not_before = now - 1000,
		.not_after = is_old ? now - 10 : now + 10000,
		.san = san };

	return pki_make(&want);
}

static void
make_certificates(void)
{
	int64_t now = (int64_t)time(NULL);
	struct pki_want authority = { .subject = "CA",
		.not_before = now - 1000,
		.not_after = now + 10000,
		.constraints = "critical,CA:TRUE" };
	char path[200];

	ca = pki_make(&authority);
	ck_assert_int_eq(mkdir(in_directory("ca"), 0755), 0);
	pki_install(&ca, in_directory("ca"), path, sizeof path);
	good =
	    certificate("DNS:mx1.enforce.example,DNS:mx2.enforce.example,DNS:mx1.testing.example,"
			"DNS:mx1.zero.example,DNS:mx1.free.example",
		"good", &ca, false);
	good_cname = certificate("DNS:mail.cname.example", "good", &ca, false);
	expired = certificate("DNS:mx1.enforce.example", "expired", &ca, true);
	other = certificate("DNS:www.enforce.example", "other", &ca, false);
	cn_only = certificate(NULL, "mx1.enforce.example", &ca, false);
	self_signed = certificate("DNS:mx1.enforce.example", "self", NULL, false);
}

static void
write_config(const char *more)
{
	FILE *f = fopen(config_path, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f,
	    "state_directory = %s\nhelper_directory = %s\nhelper_user = nobody\nca_directory = %s\n"
	    "log_level = error\n%s",
	    state.dir, directory, in_directory("ca"), more);
	ck_assert_int_eq(fclose(f), 0);
}

/* A file of the build, where users who are not root can reach it. */
static void
copy(const char *built, const char *name)
{
	const char *build = getenv("top_builddir"), *to = in_directory(name);
	char octets[65536], from[512];
	size_t n;
	FILE *in, *out;

	snprintf(from, sizeof from, "%s/%s", build != NULL ? build : ".", built);
	in = fopen(from, "rb");
	out = fopen(to, "wb");
	ck_assert_msg(in != NULL && out != NULL, "%s", from);
	while ((n = fread(octets, 1, sizeof octets, in)) > 0)
		ck_assert_uint_eq(fwrite(octets, 1, n, out), n);
	fclose(in);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(chmod(to, 0755), 0);
}

static void
world_make(void)
{
	char path[200];

	state_make(&state, NULL);
	state_path(&state, JOURNAL_DIRECTORY, path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(path, STATE_OWNER, STATE_GROUP), 0);
	ck_assert_int_eq(chmod(path, 02770), 0);
	snprintf(directory, sizeof directory, "/tmp/check_exim.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0755), 0);
	snprintf(config_path, sizeof config_path, "%s", in_directory("mtasts.conf"));
	copy("tests/unit/exim_world", "mtasts-resolve");
	copy("tests/unit/exim_world", "mtasts-fetch");
	copy("lib/.libs/libmtasts.so.0", "libmtasts.so.0");
	copy("tests/unit/.libs/exim_hosted.so", "exim_hosted.so");
	make_certificates();
	write_config("");
}

static void
remove_directory(const char *path)
{
	struct dirent *entry;
	char name[512];
	DIR *dir = opendir(path);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(name);
	}
	closedir(dir);
	rmdir(path);
}

static void
world_remove(void)
{
	struct pki_cert *const all[] = { &ca, &good, &good_cname, &expired, &other, &self_signed,
		&cn_only };
	char path[200];

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		pki_clear(all[i]);
	remove_directory(in_directory("ca"));
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(in_directory(files[i]));
	rmdir(directory);
	remove_directory(state_path(&state, JOURNAL_DIRECTORY, path));
	state_remove(&state);
}

/* ---- Exim's processes ---- */

static void *module;

/* What a call must leave as it was: descriptors, children, dispositions. */
static void
check_shape(bool is_before)
{
	static unsigned long open_before;
	static void (*handler_before[32])(int);
	unsigned long open = 0;
	struct sigaction action;

	for (int fd = 0; fd < 64; fd++) {
		struct stat st;
		if (fstat(fd, &st) == 0)
			open |= 1UL << fd;
	}
	for (int i = 1; i < 32; i++) {
		sigaction(i, NULL, &action);
		if (is_before)
			handler_before[i] = action.sa_handler;
		else
			ck_assert_msg(handler_before[i] == action.sa_handler, "signal %d", i);
	}
	if (is_before)
		open_before = open;
	else
		ck_assert_msg(
		    open == open_before, "descriptors %lx, before %lx", open, open_before);
	ck_assert_msg(is_before || waitpid(-1, NULL, WNOHANG) == -1, "a child is left");
}

static const char *
call(const char *name, int argc, ...)
{
	unsigned char *argv[8], *yield = NULL;
	function *f = NULL;
	va_list ap;

	*(void **)&f = dlsym(module, name);
	ck_assert_msg(f != NULL, "%s", dlerror());
	va_start(ap, argc);
	for (int i = 0; i < argc; i++) {
		argv[i] = (unsigned char *)strdup(va_arg(ap, const char *));
		ck_assert_ptr_nonnull(argv[i]);
	}
	va_end(ap);
	argv[argc] = NULL;
	check_shape(true);
	ck_assert_int_eq(f(&yield, argc, argv), 0);
	check_shape(false);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	ck_assert_ptr_nonnull(yield);
	return (const char *)yield;
}

static const char *
route(const char *domain, const char *age)
{
	return call("mtasts_route", 4, domain, age, "1abcde-000000-01", "");
}

static const char *
require(const char *domain)
{
	return call("mtasts_require", 1, domain);
}

/* The module as a fresh Exim process has it. */
static void
load(void)
{
	void (*set)(const char *path) = NULL;

	/* first, so that the module does not look for it in the build */
	ck_assert_msg(dlopen(in_directory("libmtasts.so.0"), RTLD_LAZY) != NULL, "%s", dlerror());
	module = dlopen(in_directory("exim_hosted.so"), RTLD_LAZY);
	ck_assert_msg(module != NULL, "%s", dlerror());
	*(void **)&set = dlsym(module, "hosted_config");
	ck_assert_ptr_nonnull(set);
	set(config_path);
}

/* In a process of its own, which must end well. */
static void
in_child(void (*what)(void))
{
	int status = -1;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		what();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "status %x", (unsigned)status);
}

/* In the transport's process: forked, and no longer root. */
static void (*transport_part)(void);

static void
as_mail(void)
{
	umask(0);
	state_become_mail();
	transport_part();
}

static void
in_transport(void (*what)(void))
{
	transport_part = what;
	in_child(as_mail);
}

/* ---- events ---- */

static struct {
	const char *domain, *host, *id, *verify;
} at = { "enforce.example", "mx1.enforce.example", "1abcde-000000-01", "" };

static const char *
event(const char *name, const char *more, const char *data, const struct pki_cert *certificate_)
{
	char block[1024], base64[8192] = "";

	snprintf(block, sizeof block,
	    "event=%s\ndomain=%s\nhost=%s\nip=192.0.2.1\nport=25\nsip=192.0.2.99\nid=%s\nverify=%"
	    "s\n%s",
	    name, at.domain, at.host, at.id, at.verify, more);
	if (certificate_ != NULL)
		EVP_EncodeBlock((unsigned char *)base64, certificate_->der, certificate_->n);
	return call("mtasts_event", 3, block, data, base64);
}

#define IDLE   "ver=\nsni=\ntlsa=0\ndane=no\nerrno=0\n"
#define DURING "ver=\nsni=mx\ntlsa=0\ndane=no\nerrno=0\n"
#define TLS_UP "ver=TLS1.3\nsni=mx\ntlsa=0\ndane=no\nerrno=0\n"
#define FAILED "ver=\nsni=mx\ntlsa=0\ndane=no\nerrno=-37\n"
#define NO_TLS "ver=\nsni=\ntlsa=0\ndane=no\nerrno=-38\n"

static void
greet(void)
{
	ck_assert_str_eq(event("tcp:connect", IDLE, "", NULL), "");
	ck_assert_str_eq(event("smtp:connect", IDLE, "220 mx.example ESMTP", NULL), "");
	ck_assert_str_eq(event("smtp:ehlo", IDLE, EHLO_TLS, NULL), "");
}

static void
deliver(const struct pki_cert *leaf)
{
	greet();
	ck_assert_str_eq(event("tls:cert", DURING, "1", &ca), "");
	ck_assert_str_eq(event("tls:cert", DURING, "0", leaf), "");
	ck_assert_str_eq(event("smtp:ehlo", TLS_UP, EHLO_NO, NULL), "");
	ck_assert_str_eq(event("tcp:close", TLS_UP, "", leaf), "");
}

static void
refuse(const struct pki_cert *leaf, const char *veto)
{
	greet();
	ck_assert_str_eq(event("tls:cert", DURING, "1", &ca), "");
	const char *text = event("tls:cert", DURING, "0", leaf);
	ck_assert_msg(strstr(text, veto) != NULL, "%s", text);
	ck_assert_str_eq(event("tcp:close", DURING, "", NULL), "");
	ck_assert_str_eq(event("msg:host:defer", FAILED, "TLS session: refused", NULL), "");
}

/* ---- what is left behind ---- */

static void
check_records(const char *wanted)
{
	static struct record record;
	struct journal_reader *reader = NULL;
	char text[2048];
	struct buf out;

	buf_init(&out, text, sizeof text);
	ck_assert_int_eq(journal_open(state.dir, (int64_t)time(NULL) / 86400, &reader), 0);
	while (journal_next(reader, &record) == 1) {
		const char *token = mtasts_finding_token(record.finding);
		buf_printf(&out, "%s %s", record.domain.name,
		    record.type == RECORD_STS	 ? "sts"
		    : record.type == RECORD_TLSA ? "tlsa"
						 : "none");
		buf_puts(&out, " ");
		buf_put(&out, record.mx_host);
		buf_printf(&out, " %s\n", token != NULL ? token : "success");
		ck_assert(record.success == (token == NULL));
	}
	ck_assert_uint_eq(journal_torn(reader), 0);
	journal_close(reader);
	ck_assert_str_eq(text, wanted);
}

static size_t
count_strikes(const char *domain)
{
	struct strike strikes[8];
	struct domain name = state_domain(domain);
	size_t n = 99;

	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(
	    state.cache.strikes_get(state.cache.self, &name, (int64_t)time(NULL), strikes, 8, &n),
	    CACHE_OK);
	state_close(&state);
	return n;
}

/* ---- deliveries ---- */

static void
good_transport(void)
{
	ck_assert_str_eq(require("enforce.example"), "*");
	deliver(&good);
}

static void
good_delivery(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "0"), "");
	ck_assert_str_eq(call("mtasts_ignore", 2, "enforce.example", ";"),
	    "^(?!(?i)(mx1\\.enforce\\.example|mx2\\.enforce\\.example)$) ; !@[] ; "
	    "!^(?i)mx1\\.enforce\\.example$ ; !^(?i)mx2\\.enforce\\.example$ ; *");
	in_transport(good_transport);
	/* and on in the router's process */
	ck_assert_str_eq(require("enforce.example"), "*");
	ck_assert_str_eq(event("msg:delivery", IDLE, "", NULL), "");
}

START_TEST(success)
{
	in_child(good_delivery);
	check_records("enforce.example sts mx1.enforce.example success\n");
}
END_TEST

static void
bad_transport(void)
{
	refuse(&expired, "certificate-expired");
	refuse(&other, "certificate-host-mismatch");
	refuse(&cn_only, "certificate-host-mismatch");
	refuse(&self_signed, "certificate-not-trusted");
	at.host = "mx2.enforce.example";
	refuse(&other, "certificate-host-mismatch");
	deliver(&good);
}

static void
bad_delivery(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "0"), "");
	in_transport(bad_transport);
}

START_TEST(failures)
{
	in_child(bad_delivery);
	check_records("enforce.example sts mx1.enforce.example certificate-expired\n"
		      "enforce.example sts mx1.enforce.example certificate-host-mismatch\n"
		      "enforce.example sts mx1.enforce.example certificate-host-mismatch\n"
		      "enforce.example sts mx1.enforce.example certificate-not-trusted\n"
		      "enforce.example sts mx2.enforce.example certificate-host-mismatch\n"
		      "enforce.example sts mx2.enforce.example success\n");
	ck_assert_uint_eq(count_strikes("enforce.example"), 0); /* the success ended them */
}
END_TEST

/* As OpenSSL's Exim shows it: the certificate that failed only afterwards. */
static void
openssl_transport(void)
{
	greet();
	ck_assert_str_eq(event("tls:cert", DURING, "1", &ca), "");
	ck_assert_str_eq(event("tcp:close", DURING, "", &other), "");
	ck_assert_str_eq(event("msg:host:defer", FAILED, "TLS session: refused", &other), "");
	greet();
	ck_assert_str_eq(event("tcp:close", DURING, "", &self_signed), "");
	ck_assert_str_eq(event("msg:host:defer", FAILED, "TLS session: refused", &self_signed), "");
	ck_assert_str_eq(event("tcp:connect", IDLE, "", NULL), "");
	ck_assert_str_eq(event("smtp:ehlo", IDLE, EHLO_NO, NULL), "");
	ck_assert_str_eq(event("tcp:close", IDLE, "", NULL), "");
	ck_assert_str_eq(event("msg:host:defer", NO_TLS, "a TLS session is required", NULL), "");
}

static void
openssl_delivery(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "0"), "");
	in_transport(openssl_transport);
}

START_TEST(failures_openssl)
{
	in_child(openssl_delivery);
	check_records("enforce.example sts mx1.enforce.example certificate-host-mismatch\n"
		      "enforce.example sts mx1.enforce.example certificate-not-trusted\n"
		      "enforce.example sts mx1.enforce.example starttls-not-supported\n");
	ck_assert_uint_eq(count_strikes("enforce.example"), 1);
}
END_TEST

/* Both hosts fail; at the next run the message is old, and a recheck completes. */
static void
both_fail(void)
{
	refuse(&expired, "certificate-expired");
	at.host = "mx2.enforce.example";
	refuse(&self_signed, "certificate-not-trusted");
}

static void
first_run(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "90000"), "");
	in_transport(both_fail);
}

static void
second_run(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "90000"),
	    ":fail: 550 5.7.5 Remote certificate failed MTA-STS validation. "
	    "Reason: certificate-expired");
}

START_TEST(bounce)
{
	static const char body[] =
	    "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: *.enforce.example\n";
	struct domain domain = state_domain("enforce.example");
	int64_t now = (int64_t)time(NULL);
	struct entry *entry = entry_new(&domain, now - 1000, 86400, span_of("1abc"), span_of(body));

	/* fetched a while ago: two fetches are never within seconds of each other */
	ck_assert_ptr_nonnull(entry);
	ck_assert_int_eq(state_open(&state), 0);
	ck_assert_int_eq(state.cache.put(state.cache.self, entry, now), CACHE_OK);
	state_close(&state);
	entry_free(entry);
	in_child(first_run);
	ck_assert_uint_eq(count_strikes("enforce.example"), 2);
	in_child(second_run);
	check_records("enforce.example sts mx1.enforce.example certificate-expired\n"
		      "enforce.example sts mx2.enforce.example certificate-not-trusted\n");
}
END_TEST

static void
cname_transport(void)
{
	at.domain = "cname.example";
	at.host = "real.hosting.example";
	deliver(&good_cname);
	at.host = "somewhere.else.example";
	ck_assert_str_ne(event("tcp:connect", IDLE, "", NULL), "");
}

static void
cname_delivery(void)
{
	load();
	ck_assert_str_eq(route("cname.example", "0"), "");
	in_transport(cname_transport);
}

START_TEST(cname)
{
	in_child(cname_delivery);
	check_records("cname.example sts mail.cname.example success\n"
		      "cname.example sts somewhere.else.example validation-failure\n");
}
END_TEST

static void
testing_transport(void)
{
	at.domain = "testing.example";
	at.host = "mx1.testing.example";
	ck_assert_str_eq(require("testing.example"), "");
	deliver(&self_signed);
	at.host = "mx3.testing.example";
	deliver(&good);
	at.domain = "free.example";
	at.host = "mx1.free.example";
	ck_assert_str_eq(require("free.example"), "");
	deliver(&good);
}

static void
testing_delivery(void)
{
	load();
	ck_assert_str_eq(route("testing.example", "0"), "");
	ck_assert_str_eq(route("free.example", "0"), "");
	in_transport(testing_transport);
}

START_TEST(testing)
{
	in_child(testing_delivery);
	check_records("testing.example sts mx1.testing.example certificate-not-trusted\n"
		      "testing.example sts mx3.testing.example validation-failure\n"
		      "free.example none mx1.free.example success\n");
	ck_assert_uint_eq(count_strikes("testing.example"), 0);
}
END_TEST

static void
refused_delivery(void)
{
	load();
	for (int recipient = 0; recipient < 3; recipient++)
		ck_assert_str_eq(route("badmx.example", "0"),
		    ":defer: 451 4.4.8 MX hosts of 'badmx.example' failed MTA-STS validation; "
		    "will retry");
	ck_assert_str_eq(route("half.example", "0"), "");
	ck_assert_str_eq(route("nomx.example", "0"),
	    ":defer: 451 4.4.3 MX hosts of 'nomx.example' could not be looked up; will retry");
	ck_assert_str_eq(call("mtasts_ignore", 2, "badmx.example", ":"), "*");
	ck_assert_str_eq(require("badmx.example"), "*");
}

START_TEST(refused)
{
	in_child(refused_delivery);
	check_records("badmx.example sts mx1.badmx.example validation-failure\n"
		      "badmx.example sts mx2.badmx.example validation-failure\n"
		      "half.example sts mx1.half.example validation-failure\n");
}
END_TEST

/* The reception process: not root, children ignored, no message yet. */
static void
callout(void)
{
	signal(SIGCHLD, SIG_IGN);
	state_become_mail();
	load();
	at.id = "";
	at.verify = "R";
	ck_assert_str_eq(call("mtasts_route", 4, "badmx.example", "0", "", "R"),
	    ":defer: 451 4.4.8 MX hosts of 'badmx.example' failed MTA-STS validation; will retry");
	ck_assert_str_eq(call("mtasts_route", 4, "enforce.example", "0", "", "R"), "");
	ck_assert_str_eq(require("enforce.example"), "*");
	refuse(&expired, "certificate-expired");
	deliver(&good);
}

START_TEST(callouts)
{
	in_child(callout);
	check_records("");
	ck_assert_uint_eq(count_strikes("enforce.example"), 0);
}
END_TEST

/* max_age 0, or a store that goes away: the transport acts upon what its router was told. */
static void
lost_transport(void)
{
	at.domain = "zero.example";
	at.host = "mx1.zero.example";
	ck_assert_str_eq(require("zero.example"), "*");
	greet();
	ck_assert_str_ne(event("tls:cert", DURING, "0", &expired), "");
	ck_assert_str_eq(event("tcp:close", DURING, "", NULL), "");
}

static void
lost_delivery(void)
{
	char path[200];

	load();
	ck_assert_str_eq(route("zero.example", "0"), "");
	unlink(state_path(&state, STORE_FILE, path));
	in_transport(lost_transport);
}

START_TEST(lost)
{
	in_child(lost_delivery);
}
END_TEST

static void
closed_transport(void)
{
	ck_assert_str_eq(require("enforce.example"), "*");
	ck_assert_str_ne(event("tcp:connect", IDLE, "", NULL), "");
}

static void
closed_delivery(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "0"),
	    ":defer: 451 4.3.0 MTA-STS state of this host is unreadable");
	in_transport(closed_transport);
}

static void
open_delivery(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "0"), "");
	ck_assert_str_eq(require("enforce.example"), "");
	ck_assert_str_eq(call("mtasts_ignore", 2, "enforce.example", ":"), "");
}

static void
misconfigured_delivery(void)
{
	load();
	ck_assert_str_eq(route("enforce.example", "0"),
	    ":defer: 451 4.3.0 MTA-STS is out of order on this host");
	in_transport(closed_transport);
}

START_TEST(out_of_order)
{
	char path[200];

	unlink(in_directory("mtasts-fetch")); /* nor can it be fetched anew */
	unlink(state_path(&state, STORE_FILE, path));
	in_child(closed_delivery);
	write_config("cache_fault = deliver\n");
	in_child(open_delivery);
	write_config("no such key\n");
	in_child(misconfigured_delivery);
	check_records("");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("exim_host");
	TCase *host = tcase_create("host");

	tcase_add_checked_fixture(host, world_make, world_remove);
	tcase_set_timeout(host, 60);
	tcase_add_test(host, success);
	tcase_add_test(host, failures);
	tcase_add_test(host, failures_openssl);
	tcase_add_test(host, bounce);
	tcase_add_test(host, cname);
	tcase_add_test(host, testing);
	tcase_add_test(host, refused);
	tcase_add_test(host, callouts);
	tcase_add_test(host, lost);
	tcase_add_test(host, out_of_order);
	suite_add_tcase(suite, host);
	return unit_main(suite);
}
