/* SPDX-License-Identifier: ISC
 *
 * Sessions with mail hosts of all kinds, over real sockets and real TLS: what is sent, what is
 * told, and in which order.
 */
#include "opensmtpd/relay/upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ocsp.h>

#include "base/buf.h"
#include "mailhost.h"
#include "nomem.h"
#include "tls/chain.h"
#include "unit.h"

/* ---- libmtasts, as far as it is asked ---- */

static struct chain_trust *trust;

enum mtasts_tls
mtasts_certificate_check(struct mtasts *ctx, const struct mtasts_certificate *chain, size_t n,
    const char *mx_host, char *reason, size_t cap)
{
	struct domain host;

	(void)ctx;
	if (domain_parse(span_of(mx_host), DOMAIN_UNDERSCORE, &host) != 0) {
		snprintf(reason, cap, "no name");
		return MTASTS_TLS_WRONG_NAME;
	}
	return chain_check(trust, chain, n, &host, (int64_t)time(NULL), reason, cap);
}

size_t
mtasts_pollfds(struct mtasts *ctx, struct pollfd *fds, size_t cap, int *timeout_ms)
{
	(void)ctx, (void)fds, (void)cap, (void)timeout_ms;
	return 0;
}

int
mtasts_process(struct mtasts *ctx)
{
	(void)ctx;
	return 0;
}

/* ---- certificates ---- */

static char directory[] = "/tmp/check_upstream.XXXXXX";
static struct pki_cert ca, good, expired, other, self_signed;

static struct pki_cert
certificate(const char *subject, const char *san, const struct pki_cert *issuer, bool is_old)
{
	int64_t now = (int64_t)time(NULL);
	struct pki_want want = { .subject = subject,
		.issuer = issuer,
		.not_before = now - 1000,
		.not_after = is_old ? now - 10 : now + 86400,
		.san = san,
		.constraints = san == NULL ? "critical,CA:TRUE" : NULL };

	return pki_make(&want);
}

static void
certificates_make(void)
{
	char path[128];

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ca = certificate("CA", NULL, NULL, false);
	good = certificate("host", "DNS:mx.a.example", &ca, false);
	expired = certificate("host", "DNS:mx.a.example", &ca, true);
	other = certificate("host", "DNS:mx.b.example", &ca, false);
	self_signed = certificate("host", "DNS:mx.a.example", NULL, false);
	pki_install(&ca, directory, path, sizeof path);
	trust = chain_trust_new(directory);
	ck_assert_ptr_nonnull(trust);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
certificates_clear(void)
{
	char command[128];

	chain_trust_free(trust);
	pki_clear(&ca);
	pki_clear(&good);
	pki_clear(&expired);
	pki_clear(&other);
	pki_clear(&self_signed);
	snprintf(command, sizeof command, "rm -r %s", directory);
	ck_assert_int_eq(system(command), 0);
}

/* ---- the owner of a session ---- */

struct owner {
	struct loop *loop;
	struct upstream *upstream;
	struct upstream_config config;
	struct loop_timer guard, enough;
	const char *recipients[8]; /* NULL ends them */
	size_t n_good, n_answered, n_rcpts;
	size_t body, sent; /* octets of the message, in lines of 64 */
	bool stops_at_ready;
	size_t *awaited;     /* sessions that are not ready yet: the last one stops the loop */
	const char *free_at; /* the event in which it is freed */
	bool is_over;
	char text[4096];
	struct buf log;
	struct upstream_outcome outcome;
};

static struct clock system_clock_;
static SSL_CTX *client_tls;
static struct loop *shared_loop;

static void
finish(struct owner *owner)
{
	owner->is_over = true;
	loop_stop(owner->loop);
}

/* true: freed. */
static bool
say(struct owner *owner, const char *event, const struct reply *reply)
{
	buf_puts(&owner->log, event);
	if (reply != NULL)
		buf_printf(
		    &owner->log, " %.*s", (int)(reply->n >= 2 ? reply->n - 2 : 0), reply->text);
	buf_puts(&owner->log, "\n");
	if (owner->free_at == NULL || strcmp(owner->free_at, event) != 0)
		return false;
	upstream_free(owner->upstream);
	owner->upstream = NULL;
	finish(owner);
	return true;
}

static void
body_go(struct owner *owner)
{
	static const char line[] =
	    "0123456789012345678901234567890123456789012345678901234567890a\r\n";
	char block[64 * 64];

	for (size_t i = 0; i < sizeof block; i += 64)
		memcpy(block + i, line + sizeof line - 1 - 64, 64);
	while (owner->sent < owner->body && upstream_room(owner->upstream) >= sizeof block) {
		size_t n = owner->body - owner->sent;
		n = n < sizeof block ? n : sizeof block;
		upstream_body(owner->upstream, span_make(block, n));
		owner->sent += n;
	}
	if (owner->sent < owner->body) { /* until there is none */
		size_t room = upstream_room(owner->upstream);
		size_t n = owner->body - owner->sent;
		n = n < sizeof block ? n : sizeof block;
		if (room != 0) {
			upstream_body(owner->upstream, span_make(block, n));
			owner->sent += n;
		}
		return;
	}
	upstream_end(owner->upstream);
}

static void
on_ready(void *arg, const struct upstream_outcome *outcome)
{
	static const char *const words[] = { "untried", "unreached", "verified", "not-offered",
		"wrong-name", "expired", "untrusted", "failed" };
	struct upstream_params params = { .size = 0 };
	struct owner *owner = arg;

	owner->outcome = *outcome;
	buf_printf(&owner->log, "%s %s%s helo=%s (%s)\n", outcome->is_open ? "open" : "shut",
	    words[outcome->tls], outcome->is_handshake_lost ? " lost" : "", outcome->helo,
	    outcome->detail);
	if (owner->awaited != NULL && --*owner->awaited == 0)
		loop_stop(owner->loop);
	if (say(owner, "ready", NULL) || !outcome->is_open || owner->stops_at_ready)
		return;
	upstream_mail(owner->upstream, span_of("s@sender.example"), &params);
	for (size_t i = 0; owner->recipients[i] != NULL; i++, owner->n_rcpts++)
		upstream_rcpt(
		    owner->upstream, span_of(owner->recipients[i]), span_of(""), span_of(""));
}

static void
on_mail(void *arg, const struct reply *reply)
{
	(void)say(arg, "mail", reply);
}

static void
on_rcpt(void *arg, size_t i, const struct reply *reply)
{
	struct owner *owner = arg;

	if (i != owner->n_answered++) /* ck_assert() itself would need memory */
		ck_abort();
	owner->n_good += reply_is_good(reply);
	if (!say(owner, "rcpt", reply) && owner->n_answered == owner->n_rcpts)
		upstream_data(owner->upstream);
}

static void
on_data(void *arg, const struct reply *reply)
{
	struct owner *owner = arg;

	if (say(owner, "data", reply))
		return;
	if (reply->code == 354)
		body_go(owner);
	else
		finish(owner);
}

static void
on_room(void *arg)
{
	struct owner *owner = arg;

	if (owner->free_at != NULL && strcmp(owner->free_at, "room") == 0)
		(void)say(owner, "room", NULL);
	else
		body_go(owner);
}

static void
on_end(void *arg, const struct reply *reply)
{
	if (!say(arg, "end", reply))
		finish(arg);
}

static void
on_closed(void *arg, const char *why)
{
	struct owner *owner = arg;

	buf_printf(&owner->log, "closed %s\n", why);
	(void)say(owner, "closed", NULL);
	finish(owner);
}

static const struct upstream_events events = { NULL, on_ready, on_mail, on_rcpt, on_data, on_room,
	on_end, on_closed };

static void
on_guard(void *arg)
{
	struct owner *owner = arg;

	buf_puts(&owner->log, "HANGS\n");
	finish(owner);
}

static void
owner_init(struct owner *owner, const struct mailhost *host)
{
	memset(owner, 0, sizeof *owner);
	buf_init(&owner->log, owner->text, sizeof owner->text);
	owner->loop = shared_loop;
	owner->recipients[0] = "r@a.example";
	owner->body = 640;
	owner->guard = (struct loop_timer){ .fn = on_guard, .arg = owner };
	owner->config = (struct upstream_config){ .loop = owner->loop,
		.tls = client_tls,
		.mx_host = "mx.a.example",
		.helo = "mail.sender.example",
		.starttls = true,
		.command_ms = 20000 };
	if (host != NULL)
		owner->config.to = host->address;
}

static void
owner_begin(struct owner *owner)
{
	struct upstream_events mine = events;
	const char *why = NULL;

	mine.arg = owner;
	owner->upstream = upstream_new(&owner->config, &mine, &why);
	ck_assert_msg(owner->upstream != NULL, "%s", why);
}

static void
owner_run(struct owner *owner)
{
	ck_assert_int_eq(loop_timer_set(owner->loop, &owner->guard, 90000), 0);
	owner_begin(owner);
	loop_run(owner->loop);
	loop_timer_end(owner->loop, &owner->guard);
	upstream_free(owner->upstream);
	owner->upstream = NULL;
}

static void
setup(void)
{
	system_clock_ = clock_system();
	client_tls = upstream_tls_new();
	ck_assert_ptr_nonnull(client_tls);
	shared_loop = loop_new(&system_clock_);
	ck_assert_ptr_nonnull(shared_loop);
}

static void
teardown(void)
{
	loop_free(shared_loop);
	SSL_CTX_free(client_tls);
}

/* ---- what is told ---- */

#define GREET		 "> 220 mx.a.example\n<\n"
#define HELLO		 GREET "> 250-mx.a.example\n> 250-PIPELINING\n> 250 8BITMIME\n"
#define HELLO_SLOW	 GREET "> 250 mx.a.example\n"
#define HELLO_TLS	 GREET "> 250-mx.a.example\n> 250 STARTTLS\n<\n"
#define START_TLS	 HELLO_TLS "> 220 go\ntls\n"
#define SECURE		 START_TLS "<\n> 250-mx.a.example\n> 250 PIPELINING\n"
#define MESSAGE		 "<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\nbody\n> 250 2.0.0 queued\n<\n"
#define SAID		 "mail 250 ok\nrcpt 250 rcpt\ndata 354 go\nend 250 2.0.0 queued\n"
#define CLEAR		 "open not-offered helo=mx.a.example (STARTTLS not offered)\nready\n"
#define OPEN(words)	 "open " words "\nready\n"
#define SHUT(words, why) "shut " words "\nready\nclosed " why "\nclosed\n"

enum certificate { NONE, GOOD, EXPIRED, OTHER, SELF };

static const struct {
	const char *name;
	enum certificate certificate;
	int max_version;
	const char *ciphers;
	const char *script, *expected;
} sessions[] = {
	{ "in clear", NONE, 0, NULL, HELLO MESSAGE, CLEAR SAID },
	{ "verified TLS", GOOD, 0, NULL, SECURE MESSAGE "eof\n",
	    OPEN("verified helo=mx.a.example ()") SAID },
	{ "TLS 1.2", GOOD, TLS1_2_VERSION, NULL, SECURE MESSAGE "eof\n",
	    OPEN("verified helo=mx.a.example ()") SAID },
	{ "expired", EXPIRED, 0, NULL, SECURE MESSAGE,
	    OPEN("expired helo=mx.a.example (certificate has expired)") SAID },
	{ "another name", OTHER, 0, NULL, SECURE MESSAGE,
	    OPEN("wrong-name helo=mx.a.example (certificate is for 'mx.b.example')") SAID },
	{ "self-signed", SELF, 0, NULL, SECURE MESSAGE,
	    OPEN("untrusted helo=mx.a.example (self-signed certificate)") SAID },
	{ "octet by octet", GOOD, 0, NULL, "bytes\n" SECURE MESSAGE,
	    OPEN("verified helo=mx.a.example ()") SAID },
	{ "no PIPELINING", NONE, 0, NULL,
	    HELLO_SLOW "<\n> 250 ok\n<\n> 250 rcpt\n<\n> 354 go\nbody\n> 250 2.0.0 queued\n<\n",
	    CLEAR SAID },
	{ "HELO", NONE, 0, NULL,
	    "> 220 old.example\n<\n> 502 what\n<\n> 250 old.example\n<\n> 250 ok\n<\n> 250 "
	    "rcpt\n<\n"
	    "> 354 go\nbody\n> 250 2.0.0 queued\n<\n",
	    OPEN("not-offered helo=old.example (STARTTLS not offered)") SAID },
	{ "st454", NONE, 0, NULL,
	    HELLO_TLS "> 454 4.7.0 not now\n"
		      "<\n> 250 ok\n<\n> 250 rcpt\n<\n> 354 go\nbody\n> 250 2.0.0 queued\n<\n",
	    OPEN("not-offered helo=mx.a.example (STARTTLS refused: 454 4.7.0 not now)") SAID },
	{ "st502", NONE, 0, NULL, HELLO_TLS "> 502-no\n> 502 way\neof\n",
	    OPEN("not-offered helo=mx.a.example (STARTTLS refused: 502-no)") "mail" },
	{ "st250", NONE, 0, NULL, HELLO_TLS "> 250 what was that?\neof\n",
	    SHUT("failed lost helo=mx.a.example (neither yes nor no to STARTTLS)",
		"neither yes nor no to STARTTLS") },
	{ "st421", NONE, 0, NULL, HELLO_TLS "> 421 busy\n",
	    SHUT("unreached lost helo=mx.a.example (the host ended the session: 421 busy)",
		"the host ended the session") },
	{ "closed at STARTTLS", NONE, 0, NULL, HELLO_TLS,
	    SHUT("failed lost helo=mx.a.example (the host closed the connection)",
		"the host closed the connection") },
	{ "CVE-2011-0411", GOOD, 0, NULL, HELLO_TLS ">> 220 go|250 evil|\ntls\n",
	    SHUT("failed lost helo=mx.a.example (more behind the answer to STARTTLS)",
		"more behind the answer to STARTTLS") },
	{ "the same, a part of a line", GOOD, 0, NULL, HELLO_TLS ">> 220 go|2\ntls\n",
	    SHUT("failed lost helo=mx.a.example (more behind the answer to STARTTLS)",
		"more behind the answer to STARTTLS") },
	{ "TLS 1.1", GOOD, TLS1_1_VERSION, NULL, START_TLS,
	    SHUT("failed lost helo=mx.a.example (tlsv1 alert protocol version)",
		"tlsv1 alert protocol version") },
	{ "no cipher in common", GOOD, TLS1_2_VERSION, "NULL:@SECLEVEL=0", START_TLS,
	    SHUT("failed lost helo=mx.a.example (sslv3 alert handshake failure)",
		"sslv3 alert handshake failure") },
	{ "tlsclose", NONE, 0, NULL, HELLO_TLS "> 220 go\nwait 100\n",
	    SHUT("failed lost helo=mx.a.example (connection lost)", "connection lost") },
	{ "clear text for TLS", NONE, 0, NULL,
	    HELLO_TLS "> 220 go\nwait 100\n> 250 no TLS here\nwait 200\n",
	    SHUT("failed lost helo=mx.a.example (wrong version number)", "wrong version number") },
	{ "closed after the handshake", GOOD, 0, NULL, START_TLS "<\n",
	    SHUT("verified lost helo= (the host closed the connection)",
		"the host closed the connection") },
	{ "closed without close_notify", OTHER, 0, NULL, START_TLS "<\nclose\n",
	    SHUT("wrong-name lost helo= (certificate is for 'mx.b.example')",
		"the host closed the connection") },
	{ "EHLO refused in TLS", GOOD, 0, NULL, START_TLS "<\n> 451 no\neof\n",
	    SHUT("verified helo= (the host refused EHLO: 451 no)", "the host refused EHLO") },
	{ "banner554", NONE, 0, NULL, "> 554 5.3.2 no mail here\n<\n",
	    SHUT("unreached helo= (the host takes no mail: 554 5.3.2 no mail here)",
		"the host takes no mail") },
	{ "garbage", NONE, 0, NULL, "> SSH-2.0-OpenSSH_9.2\neof\n",
	    SHUT("unreached helo= (no SMTP)", "no SMTP") },
	{ "control characters", NONE, 0, NULL, "> 554 \033[2J\neof\n",
	    SHUT("unreached helo= (the host takes no mail: 554 ?[2J)", "the host takes no mail") },
	{ "closed at once", NONE, 0, NULL, "",
	    SHUT("unreached helo= (the host closed the connection)",
		"the host closed the connection") },
	{ "closed at EHLO", NONE, 0, NULL, GREET,
	    SHUT("unreached helo=mx.a.example (the host closed the connection)",
		"the host closed the connection") },
	{ "closed at MAIL", NONE, 0, NULL, HELLO_SLOW "<\n",
	    CLEAR "closed the host closed the connection\nclosed\n" },
	{ "closed at RCPT", NONE, 0, NULL, HELLO_SLOW "<\n> 250 ok\n<\n",
	    CLEAR "mail 250 ok\nclosed the host closed the connection\nclosed\n" },
	{ "closed at DATA", NONE, 0, NULL, HELLO "<\n<\n> 250 ok\n> 250 rcpt\n<\n",
	    CLEAR "mail 250 ok\nrcpt 250 rcpt\nclosed the host closed the connection\nclosed\n" },
	{ "closed at the end", NONE, 0, NULL,
	    HELLO "<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\nbody\n",
	    CLEAR "mail 250 ok\nrcpt 250 rcpt\ndata 354 go\nclosed the host closed the "
		  "connection\nclosed\n" },
	{ "TLS closed without a word at the end", GOOD, 0, NULL,
	    SECURE "<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\nbody\nclose\n",
	    OPEN("verified helo=mx.a.example ()") "mail 250 ok\nrcpt 250 rcpt\ndata 354 go\nclosed "
						  "the host closed the "
						  "connection\nclosed\n" },
	{ "421 at the end", NONE, 0, NULL,
	    HELLO "<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\nbody\n> 421 bye\n",
	    CLEAR "mail 250 ok\nrcpt 250 rcpt\ndata 354 go\nend 421 bye\nclosed the host ended the "
		  "session\nclosed\n" },
	{ "RCPT refused", NONE, 0, NULL,
	    HELLO "<\n<\n> 250 ok\n> 550-5.1.1 no\n> 550 5.1.1 such\neof\n",
	    CLEAR "mail 250 ok\nrcpt 550-5.1.1 no\r\n550 5.1.1 such\ndata 554 5.5.1 No valid "
		  "recipients\n" },
	{ "everything at once", NONE, 0, NULL,
	    ">> 220 mx.a.example|250 mx.a.example|250 ok|250 rcpt|354 go|250 got it|\neof\n",
	    NULL },
	{ "replies without end", NONE, 0, NULL, NULL,
	    SHUT("unreached helo=x (no SMTP)", "no SMTP") },
};

/* A step that is NULL: a reply of more lines than there may be. */
static const char *
script_of(const char *script)
{
	static char text[REPLY_LINES_MAX * 16 + 64];
	struct buf out;

	if (script != NULL)
		return script;
	buf_init(&out, text, sizeof text);
	for (int i = 0; i <= REPLY_LINES_MAX; i++)
		buf_puts(&out, "> 220-x y\n");
	buf_puts(&out, "eof\n");
	return text;
}

START_TEST(session)
{
	const struct pki_cert *leaf[] = { NULL, &good, &expired, &other, &self_signed };
	struct mailhost_tls tls = { .chain = { leaf[sessions[_i].certificate] },
		.max_version = sessions[_i].max_version,
		.ciphers = sessions[_i].ciphers };
	struct owner owner;
	struct mailhost host;

	mailhost_start(&host, script_of(sessions[_i].script), 1,
	    sessions[_i].certificate != NONE ? &tls : NULL);
	owner_init(&owner, &host);
	if (strcmp(sessions[_i].name, "st502") == 0)
		owner.free_at = "ready";
	owner_run(&owner);
	const char *expected = sessions[_i].expected;
	if (expected == NULL) /* whatever comes before: the message was not accepted */
		ck_assert_msg(strstr(owner.text, "end") == NULL, "%s", owner.text);
	else if (owner.free_at != NULL)
		ck_assert_msg(strncmp(owner.text, expected, strlen(owner.text)) == 0, "%s:\n%s",
		    sessions[_i].name, owner.text);
	else
		ck_assert_msg(
		    strcmp(owner.text, expected) == 0, "%s:\n%s", sessions[_i].name, owner.text);
	mailhost_end(&host, true);
}
END_TEST

/* ---- what is sent ---- */

START_TEST(what_the_host_reads)
{
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	struct owner owner;
	char log[2048];

	mailhost_start(&host, SECURE MESSAGE "eof\n", 1, &tls);
	owner_init(&owner, &host);
	owner.body = 0;
	owner_run(&owner);
	for (int i = 0; i < 500 && strstr(host.log, "close_notify") == NULL; i++)
		usleep(10000);
	snprintf(log, sizeof log, "%s", host.log);
	mailhost_end(&host, true);
	ck_assert_str_eq(log, "EHLO mail.sender.example\nSTARTTLS\ntls sni=mx.a.example\n"
			      "EHLO mail.sender.example\nMAIL FROM:<s@sender.example>\nRCPT "
			      "TO:<r@a.example>\nDATA\nbody 3 octets\nQUIT\nclose_notify\n");
	ck_assert_str_eq(owner.outcome.ip, "127.0.0.1");
	ck_assert_str_eq(owner.outcome.local_ip, "127.0.0.1");
	ck_assert_str_eq(owner.outcome.tls_version, "TLSv1.3");
}
END_TEST

START_TEST(no_sni_for_an_address)
{
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	struct owner owner;
	char log[512];

	mailhost_start(&host, START_TLS "<\nclose\n", 1, &tls);
	owner_init(&owner, &host);
	owner.config.mx_host = "192.0.2.1";
	owner_run(&owner);
	snprintf(log, sizeof log, "%s", host.log);
	mailhost_end(&host, true);
	ck_assert_msg(strstr(log, "tls sni=-\n") != NULL, "%s", log);
}
END_TEST

START_TEST(without_starttls)
{
	struct mailhost host;
	struct owner owner;

	mailhost_start(&host, GREET "> 250-mx.a.example\n> 250 STARTTLS\neof\n", 1, NULL);
	owner_init(&owner, &host);
	owner.config.starttls = false;
	owner.free_at = "ready";
	owner_run(&owner);
	ck_assert_str_eq(
	    owner.text, "open not-offered helo=mx.a.example (STARTTLS not tried)\nready\n");
	mailhost_end(&host, true);
}
END_TEST

/* ---- revocation ---- */

/* What signer says of the certificate good, valid from now + from to now + until seconds. */
static unsigned char *
response_make(const struct pki_cert *signer, int status, long from, long until, size_t *n)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, good.x, ca.x);
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *since = X509_gmtime_adj(NULL, from),
		  *end = X509_gmtime_adj(NULL, until);
	unsigned char *der = NULL;

	OCSP_basic_add1_status(basic, id, status, 0, now, since, end);
	ck_assert_int_eq(OCSP_basic_sign(basic, signer->x, signer->key, EVP_sha256(), NULL, 0), 1);
	OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int length = i2d_OCSP_RESPONSE(response, &der);
	ck_assert_int_gt(length, 0);
	*n = (size_t)length;
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(now);
	ASN1_TIME_free(since);
	ASN1_TIME_free(end);
	return der;
}

static const struct {
	const char *name;
	const struct pki_cert *signer;
	bool has_issuer; /* the issuer is sent along */
	int status;
	long from, until; /* seconds from now */
	const char *expected;
} staples[] = {
	{ "good", &ca, true, V_OCSP_CERTSTATUS_GOOD, -100, 1000, "open verified" },
	{ "revoked", &ca, true, V_OCSP_CERTSTATUS_REVOKED, -100, 1000,
	    "open untrusted helo=mx.a.example (certificate is revoked)" },
	{ "revoked, of last year", &ca, true, V_OCSP_CERTSTATUS_REVOKED, -9000, -8000,
	    "open verified" },
	{ "revoked, says another", &self_signed, true, V_OCSP_CERTSTATUS_REVOKED, -100, 1000,
	    "open verified" },
	{ "revoked, says the host itself", &good, true, V_OCSP_CERTSTATUS_REVOKED, -100, 1000,
	    "open verified" },
	{ "revoked, by whom is not known", &ca, false, V_OCSP_CERTSTATUS_REVOKED, -100, 1000,
	    "open verified" },
	{ "garbage", NULL, true, 0, 0, 0, "open verified" },
};

START_TEST(stapled)
{
	struct mailhost_tls tls = { .chain = { &good, staples[_i].has_issuer ? &ca : NULL } };
	unsigned char *der = NULL;
	struct mailhost host;
	struct owner owner;

	if (staples[_i].signer != NULL)
		der = response_make(staples[_i].signer, staples[_i].status, staples[_i].from,
		    staples[_i].until, &tls.staple_n);
	tls.staple = der;
	if (der == NULL) {
		tls.staple = (const unsigned char *)"garbage";
		tls.staple_n = 7;
	}
	mailhost_start(&host, SECURE "eof\n", 1, &tls);
	owner_init(&owner, &host);
	owner.free_at = "ready";
	owner_run(&owner);
	ck_assert_msg(strstr(owner.text, staples[_i].expected) == owner.text, "%s: %s",
	    staples[_i].name, owner.text);
	mailhost_end(&host, true);
	OPENSSL_free(der);
}
END_TEST

/* ---- addresses ---- */

/* The source address that smtpd has chosen, and what is no use as one. */
START_TEST(source_address)
{
	struct sockaddr_in *from;
	struct mailhost host;
	struct owner owner;

	mailhost_start(&host, HELLO MESSAGE, 1, NULL);
	owner_init(&owner, &host);
	from = (struct sockaddr_in *)&owner.config.from;
	from->sin_family = AF_INET;
	from->sin_addr.s_addr = htonl(INADDR_LOOPBACK + 4);
	owner_run(&owner);
	ck_assert_str_eq(owner.outcome.local_ip, "127.0.0.5");
	mailhost_end(&host, true);

	owner_init(&owner, NULL);
	from->sin_family = AF_INET6;
	owner.config.from.ss_family = AF_INET6;
	((struct sockaddr_in *)&owner.config.to)->sin_family = AF_INET;
	owner_run(&owner);
	ck_assert_str_eq(owner.text, "shut unreached helo= (the source address is of another "
				     "family)\nready\nclosed the source address is of another "
				     "family\nclosed\n");

	owner_init(&owner, NULL);
	from->sin_family = AF_INET;
	from->sin_addr.s_addr = inet_addr("192.0.2.1");
	((struct sockaddr_in *)&owner.config.to)->sin_family = AF_INET;
	owner_run(&owner);
	ck_assert_msg(
	    strstr(owner.text, "unreached helo= (Cannot assign requested address)") != NULL, "%s",
	    owner.text);
}
END_TEST

START_TEST(refused)
{
	struct sockaddr_in *to;
	struct mailhost host;
	struct owner owner;

	mailhost_start(&host, "", 0, NULL);
	owner_init(&owner, &host);
	mailhost_end(&host, true); /* nobody listens there now */
	owner_run(&owner);
	ck_assert_str_eq(owner.text, "shut unreached helo= (Connection refused)\nready\nclosed "
				     "Connection refused\nclosed\n");
	ck_assert_str_eq(owner.outcome.ip, "127.0.0.1");
	ck_assert_str_eq(owner.outcome.local_ip, "");

	owner_init(&owner, NULL);
	to = (struct sockaddr_in *)&owner.config.to;
	to->sin_family = AF_INET;
	to->sin_addr.s_addr = inet_addr("255.255.255.255");
	to->sin_port = htons(25);
	owner_run(&owner);
	ck_assert_msg(strstr(owner.text, "shut unreached") == owner.text, "%s", owner.text);
}
END_TEST

START_TEST(no_name_of_ours)
{
	struct mailhost host;
	struct owner owner;

	mailhost_start(&host, "eof\n", 1, NULL);
	owner_init(&owner, &host);
	owner.config.helo = "a b";
	owner_run(&owner);
	ck_assert_msg(
	    strstr(owner.text, "(no name to greet the host with)") != NULL, "%s", owner.text);
	mailhost_end(&host, false);
}
END_TEST

/* ---- times ---- */

enum { LARGE = 100 * 1024 * 1024 };

static const struct {
	const char *name, *script, *expected;
} silences[] = {
	{ "mute", "hold\n",
	    "shut unreached helo= (no answer in time)\nready\nclosed no answer in time\nclosed\n" },
	{ "drops of a greeting",
	    ">> 2\nwait 100\n>> 2\nwait 100\n>> 0\nwait 100\n>> -\nwait 100\n>> x\nhold\n",
	    "shut unreached helo= (no answer in time)\nready\nclosed no answer in time\nclosed\n" },
	{ "STARTTLS", HELLO_TLS "hold\n",
	    "shut failed lost helo=mx.a.example (no answer in time)\nready\nclosed no answer in "
	    "time\nclosed\n" },
	{ "TLS", HELLO_TLS "> 220 go\nhold\n",
	    "shut failed lost helo=mx.a.example (TLS handshake timed out)\nready\nclosed TLS "
	    "handshake timed out\nclosed\n" },
	{ "MAIL", HELLO "hold\n", CLEAR "closed no answer in time\nclosed\n" },
	{ "RCPT", HELLO "<\n<\n> 250 ok\nhold\n",
	    CLEAR "mail 250 ok\nclosed no answer in time\nclosed\n" },
	{ "DATA", HELLO "<\n<\n> 250 ok\n> 250 rcpt\nhold\n",
	    CLEAR "mail 250 ok\nrcpt 250 rcpt\nclosed no answer in time\nclosed\n" },
	{ "the end", HELLO "<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\nhold\n",
	    CLEAR "mail 250 ok\nrcpt 250 rcpt\ndata 354 go\nclosed no answer in time\nclosed\n" },
};

START_TEST(silence)
{
	struct mailhost host;
	struct owner owner;

	mailhost_start(&host, silences[_i].script, 1, NULL);
	owner_init(&owner, &host);
	owner.config.command_ms = 250;
	owner.config.end_ms = 250;
	owner_run(&owner);
	ck_assert_msg(strcmp(owner.text, silences[_i].expected) == 0, "%s:\n%s", silences[_i].name,
	    owner.text);
	mailhost_end(&host, false);
}
END_TEST

/* Nobody accepts: the queue of the listener is full, and the handshake of TCP is not answered. */
START_TEST(no_connection)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), filler[4];
	struct owner owner;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, n), 0);
	ck_assert_int_eq(listen(listener, 0), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &n), 0);
	for (size_t i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&address, n);
	}
	owner_init(&owner, NULL);
	memcpy(&owner.config.to, &address, sizeof address);
	owner.config.connect_ms = 250;
	owner_run(&owner);
	ck_assert_str_eq(owner.text, "shut unreached helo= (connecting timed out)\nready\nclosed "
				     "connecting timed out\nclosed\n");
	for (size_t i = 0; i < 4; i++)
		close(filler[i]);
	close(listener);
}
END_TEST

/* A host that takes nothing of the message, in clear and in TLS. */
START_TEST(stall)
{
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	struct owner owner;
	char script[512];

	snprintf(script, sizeof script, "%s<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\nhold\n",
	    _i == 0 ? HELLO : SECURE);
	mailhost_start(&host, script, 1, &tls);
	owner_init(&owner, &host);
	owner.body = LARGE;
	owner.config.stall_ms = 300;
	owner_run(&owner);
	ck_assert_msg(strstr(owner.text, "data 354 go\nclosed the host takes nothing of the "
					 "message\nclosed\n") != NULL,
	    "%s", owner.text);
	ck_assert_uint_gt(owner.sent, UPSTREAM_ROOM / 2);
	mailhost_end(&host, false);
}
END_TEST

/* ---- messages ---- */

/* A sanitizer keeps memory back, and so does valgrind: they have no figures to give. */
#if defined(__SANITIZE_ADDRESS__)
enum { IS_SANITIZED = 1 };
#elif defined(__has_feature)
enum { IS_SANITIZED = __has_feature(address_sanitizer) };
#else
enum { IS_SANITIZED = 0 };
#endif

static size_t
resident_kib(void)
{
	if (IS_SANITIZED || getenv("VALGRIND") != NULL)
		return 0;
	FILE *f = fopen("/proc/self/statm", "r");
	size_t all = 0, resident = 0;

	if (f == NULL || fscanf(f, "%zu %zu", &all, &resident) != 2)
		ck_abort_msg("no /proc");
	fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

START_TEST(large)
{
	const char *hello = _i == 0 ? HELLO : SECURE;
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	struct owner owner;
	char script[512], expected[64];

	snprintf(script, sizeof script, "%s%s", hello, MESSAGE);
	mailhost_start(&host, script, 1, &tls);
	owner_init(&owner, &host);
	owner.body = LARGE;
	size_t before = resident_kib();
	owner_run(&owner);
	ck_assert_msg(strstr(owner.text, "end 250") != NULL, "%s", owner.text);
	snprintf(expected, sizeof expected, "body %d octets", LARGE + 3);
	ck_assert_msg(strstr(host.log, expected) != NULL, "%s", host.log);
	ck_assert_uint_lt(resident_kib(), before + 4096);
	mailhost_end(&host, true);
}
END_TEST

/* A message whose last line has no end does not hide the final dot. */
START_TEST(last_line_without_end)
{
	struct mailhost host;
	struct owner owner;

	for (size_t n = 61; n <= 64; n++) {
		char expected[32];
		mailhost_start(&host, HELLO MESSAGE, 1, NULL);
		owner_init(&owner, &host);
		owner.body = n;
		owner_run(&owner);
		snprintf(expected, sizeof expected, "body %zu octets", n == 64 ? n + 3 : n + 5);
		ck_assert_msg(strstr(host.log, expected) != NULL, "%zu: %s", n, host.log);
		mailhost_end(&host, true);
	}
}
END_TEST

/* A host that refuses in the middle and goes on reading. */
START_TEST(no_in_the_middle)
{
	struct mailhost host;
	struct owner owner;

	mailhost_start(&host,
	    HELLO "<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\n> 552 5.3.4 too big\nbody\n", 1, NULL);
	owner_init(&owner, &host);
	owner.body = LARGE;
	owner_run(&owner);
	ck_assert_str_eq(owner.text,
	    CLEAR "mail 250 ok\nrcpt 250 rcpt\ndata 354 go\nend 552 5.3.4 too "
		  "big\nclosed no in the middle of the message\nclosed\n");
	mailhost_end(&host, false);
}
END_TEST

/* And one that says yes before it has all: that is no acceptance. */
START_TEST(yes_in_the_middle)
{
	struct mailhost host;
	struct owner owner;

	mailhost_start(
	    &host, HELLO "<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\n> 250 queued\nbody\n", 1, NULL);
	owner_init(&owner, &host);
	owner.body = LARGE;
	owner_run(&owner);
	ck_assert_ptr_null(strstr(owner.text, "end "));
	ck_assert_ptr_nonnull(strstr(owner.text, "closed an answer that nobody asked for"));
	mailhost_end(&host, false);
}
END_TEST

/* Nor when we have handed over all, and a part of it is still with us. */
static struct mailhost *hasty;

static void
on_say_yes(void *arg)
{
	(void)arg;
	kill(hasty->pid, SIGUSR1);
}

/*
 * The host reads nothing, and the kernel has taken what it can take when it was asked often enough
 * (poll(2) does not tell of a little room): what is unsent then stays so.
 */
static void
on_enough(void *arg)
{
	static struct loop_timer say_yes = { .fn = on_say_yes };
	static int times;
	struct owner *owner = arg;

	if (times++ % 30 != 29) {
		body_go(owner);
		upstream_body(owner->upstream, span_of("more\r\n"));
		ck_assert_int_eq(loop_timer_set(owner->loop, &owner->enough, 10), 0);
		return;
	}
	owner->sent = owner->body;
	ck_assert_uint_lt(upstream_room(owner->upstream), UPSTREAM_ROOM);
	upstream_end(owner->upstream);
	ck_assert_int_eq(loop_timer_set(owner->loop, &say_yes, 5), 0);
}

START_TEST(yes_before_the_dot)
{
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	struct owner owner;
	char script[512];

	snprintf(script, sizeof script,
	    "%s<\n<\n> 250 ok\n> 250 rcpt\n<\n> 354 go\nsignal\n> 250 queued\nhold\n",
	    _i == 0 ? HELLO : SECURE);
	mailhost_start(&host, script, 1, &tls);
	hasty = &host;
	owner_init(&owner, &host);
	owner.body = LARGE;
	owner.enough = (struct loop_timer){ .fn = on_enough, .arg = &owner };
	ck_assert_int_eq(loop_timer_set(owner.loop, &owner.enough, 400), 0);
	owner_run(&owner);
	ck_assert_msg(strstr(owner.text, "\nend ") == NULL &&
			  strstr(owner.text, "closed an answer that nobody asked for") != NULL,
	    "%s", owner.text);
	mailhost_end(&host, false);
}
END_TEST

/* ---- freed ---- */

static const char *const moments[] = { "ready", "mail", "rcpt", "data", "room", "end", "closed" };

START_TEST(freed_in_a_callback)
{
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	struct owner owner;

	for (int secure = 0; secure < 2; secure++) {
		mailhost_start(&host, secure ? SECURE MESSAGE : HELLO MESSAGE, 1, &tls);
		owner_init(&owner, &host);
		owner.free_at = moments[_i];
		owner.body = strcmp(moments[_i], "room") == 0 ? LARGE : 640;
		if (strcmp(moments[_i], "closed") == 0)
			owner.stops_at_ready = true;
		if (owner.stops_at_ready)
			kill(host.pid, SIGKILL);
		owner_run(&owner);
		ck_assert_ptr_null(strstr(owner.text, "HANGS"));
		ck_assert_msg(strstr(owner.text, moments[_i]) != NULL, "%s", owner.text);
		mailhost_end(&host, false);
	}
}
END_TEST

static void
on_stop(void *arg)
{
	finish(arg);
}

/* After any number of turns. */
START_TEST(freed_at_any_moment)
{
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	struct owner owner;

	mailhost_start(&host, SECURE MESSAGE, 60, &tls);
	for (int ms = 0; ms < 30; ms++) {
		owner_init(&owner, &host);
		struct loop_timer stop = { .fn = on_stop, .arg = &owner };
		ck_assert_int_eq(loop_timer_set(owner.loop, &stop, ms / 2), 0);
		owner_run(&owner);
		loop_timer_end(owner.loop, &stop);
	}
	mailhost_end(&host, false);
}
END_TEST

/* ---- memory ---- */

START_TEST(no_memory)
{
	struct mailhost_tls tls = { .chain = { &good } };
	struct mailhost host;
	bool is_whole = false;
	const char *why;

	mailhost_start(&host, SECURE MESSAGE, 100, &tls);
	for (size_t n = 0; !is_whole; n++) {
		struct owner owner;
		struct upstream_events mine = events;
		ck_assert_uint_lt(n, 100);
		owner_init(&owner, &host);
		mine.arg = &owner;
		ck_assert_int_eq(loop_timer_set(owner.loop, &owner.guard, 30000), 0);
		nomem_after(n);
		owner.upstream = upstream_new(&owner.config, &mine, &why);
		if (owner.upstream != NULL)
			loop_run(owner.loop);
		is_whole = nomem_end() <= n;
		loop_timer_end(owner.loop, &owner.guard);
		upstream_free(owner.upstream);
		ck_assert_ptr_null(strstr(owner.text, "HANGS"));
		if (is_whole)
			ck_assert_msg(strstr(owner.text, "end 250") != NULL, "%s", owner.text);
		else if (owner.upstream != NULL)
			ck_assert_msg(strstr(owner.text, "out of memory") != NULL ||
					  strstr(owner.text, "verified") == NULL,
			    "%zu: %s", n, owner.text);
	}
	mailhost_end(&host, false);
}
END_TEST

/* What a session costs while it waits: the figure is printed, the bound is generous. */
START_TEST(many_waiting)
{
	enum { MANY = 64 };
	struct mailhost_tls tls = { .chain = { &good } };
	static struct mailhost hosts[MANY];
	static struct owner owners[MANY];

	for (size_t i = 0; i < MANY; i++)
		mailhost_start(&hosts[i], SECURE "hold\n", 1, &tls);
	size_t before = resident_kib(), awaited = MANY;
	for (size_t i = 0; i < MANY; i++) {
		owner_init(&owners[i], &hosts[i]);
		owners[i].awaited = &awaited;
		owners[i].stops_at_ready = true;
		owner_begin(&owners[i]);
	}
	ck_assert_int_eq(loop_timer_set(shared_loop, &owners[0].guard, 60000), 0);
	loop_run(shared_loop);
	loop_timer_end(shared_loop, &owners[0].guard);
	size_t each = (resident_kib() - before) / MANY;
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_msg(strstr(owners[i].text, "verified") != NULL, "%s", owners[i].text);
		upstream_free(owners[i].upstream);
		mailhost_end(&hosts[i], false);
	}
	printf("# %zu KiB a waiting TLS session\n", each);
	ck_assert_uint_lt(each, 128);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("upstream");
	TCase *tests = tcase_create("upstream");

	tcase_add_unchecked_fixture(tests, certificates_make, certificates_clear);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, session, 0, (int)(sizeof sessions / sizeof sessions[0]));
	tcase_add_test(tests, what_the_host_reads);
	tcase_add_test(tests, no_sni_for_an_address);
	tcase_add_test(tests, without_starttls);
	tcase_add_loop_test(tests, stapled, 0, (int)(sizeof staples / sizeof staples[0]));
	tcase_add_test(tests, source_address);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, no_name_of_ours);
	tcase_add_loop_test(tests, silence, 0, (int)(sizeof silences / sizeof silences[0]));
	tcase_add_test(tests, no_connection);
	tcase_add_loop_test(tests, stall, 0, 2);
	tcase_add_loop_test(tests, large, 0, 2);
	tcase_add_test(tests, last_line_without_end);
	tcase_add_test(tests, no_in_the_middle);
	tcase_add_test(tests, yes_in_the_middle);
	tcase_add_loop_test(tests, yes_before_the_dot, 0, 2);
	tcase_add_loop_test(
	    tests, freed_in_a_callback, 0, (int)(sizeof moments / sizeof moments[0]));
	tcase_add_test(tests, freed_at_any_moment);
	tcase_add_test(tests, no_memory);
	tcase_add_test(tests, many_waiting);
	suite_add_tcase(suite, tests);
	return unit_main(suite);
}
