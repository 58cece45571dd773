/* SPDX-License-Identifier: ISC
 *
 * Any order of any events.  An input is events of four octets: kind, host, certificate, flags.
 * Whatever came before: in mode enforce no connection to a host outside the policy and no
 * certificate that does not verify goes without a veto, and a connection leaves one record at most.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/policy.h"
#include "exim/session.h"
#include "fuzz.h"

static const char *const hosts[] = { "mx1.a.example", "mx2.a.example", "evil.example",
	"cname.example", "" };
static const char *const words[] = { "0", "1", "2", "11", "12", "999", "x", "",
	"250-a\n250 STARTTLS", "250 a", "after STARTTLS: 454", "dnssec-invalid", "tlsa-invalid" };

static struct mtasts_policy *
policy_of(const char *mode)
{
	struct mtasts_policy *policy;
	struct policyfile *file;
	struct parse_error error;
	struct domain domain = { "a.example", 9 };
	char body[200];
	struct buf out;

	buf_init(&out, body, sizeof body);
	buf_printf(&out,
	    "version: STSv1\nmode: %s\nmax_age: 1\nmx: mx1.a.example\nmx: mx2.a.example\n", mode);
	int r = policyfile_parse(span_of(body), NULL, &file, &error);
	assert(r == 0);
	policy = policy_new(&domain, MTASTS_PUBLISHED);
	assert(policy != NULL);
	policy_publish(policy, MTASTS_FROM_CACHE, file);
	return policy;
}

struct world {
	const char *mode;
	int records;
};

static void
look(void *arg, const char *domain, const char *host, struct session_target *target)
{
	struct world *world = arg;
	struct buf name;

	assert(domain[0] != '\0' && host[0] != '\0');
	target->policy = policy_of(world->mode);
	buf_init(&name, target->mx_host, sizeof target->mx_host);
	if (strcmp(host, "cname.example") == 0)
		buf_puts(&name, "mx1.a.example");
	else if (strcmp(host, "evil.example") != 0)
		buf_puts(&name, host);
}

/* The first octet of the host's own certificate says what it is. */
static enum mtasts_tls
check(void *arg, const struct mtasts_certificate *chain, size_t n, const char *mx_host,
    char *reason, size_t cap)
{
	struct buf out;

	(void)arg;
	assert(n > 0 && n <= LIMIT_CERTIFICATES && mx_host[0] != '\0');
	for (size_t i = 0; i < n; i++)
		assert(chain[i].n > 0);
	buf_init(&out, reason, cap);
	buf_puts(&out, "why");
	return chain[0].der[0] == 'v' ? MTASTS_TLS_VERIFIED : MTASTS_TLS_UNTRUSTED;
}

static void
record(void *arg, const struct mtasts_policy *policy, const struct mtasts_attempt *attempt,
    struct mtasts_verdict verdict)
{
	struct world *world = arg;

	(void)verdict;
	assert(policy != NULL && attempt->mx_host != NULL);
	world->records++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world here = { .mode = size != 0 && data[0] & 1 ? "enforce" : "testing" };
	struct session_world world = { &here, look, check, record };
	struct session session = { .open = false };
	bool enforce = here.mode[0] == 'e';
	int begun = 0;

	for (size_t i = 1; i + 4 <= size && i < 4096; i += 4) {
		const uint8_t *e = data + i;
		const char *host = hosts[e[1] % (sizeof hosts / sizeof hosts[0])];
		struct session_event event = { .kind = (enum session_kind)(e[0] % 7),
			.domain = span_of(e[3] & 1 ? "" : "a.example"),
			.host = span_of(host),
			.ip = span_of(e[1] & 0x80 ? "192.0.2.2" : "192.0.2.1"),
			.version = span_of(e[3] & 2 ? "TLS1.3" : ""),
			.sni = span_of(e[3] & 4 ? "mx" : ""),
			.data = span_of(words[e[0] / 7 % (sizeof words / sizeof words[0])]),
			.peer = { e[2] & 0x80 ? (const unsigned char *)(e[2] & 1 ? "v" : "x")
					      : NULL,
			    e[2] & 0x80 ? 1 : 0 },
			.tlsa = e[3] & 8,
			.dane = e[3] & 16,
			.error = e[3] & 32   ? -37
				 : e[3] & 64 ? -38
					     : 0,
			.delivering = !(e[3] & 128) };
		bool is_leaf = event.kind == SESSION_CERT && span_is(event.data, "0");
		bool foreign = strcmp(host, "evil.example") == 0 || host[0] == '\0';
		bool verifies = event.peer.n == 1 && event.peer.der[0] == 'v';
		const char *veto = session_step(&session, &world, &event);

		begun += event.kind != SESSION_BANNER && event.kind != SESSION_EHLO &&
			 event.kind != SESSION_CLOSE;
		if (event.kind == SESSION_CONNECT && (event.domain.n == 0 || host[0] == '\0'))
			assert(veto[0] != '\0');
		if (enforce && event.kind == SESSION_CONNECT && foreign)
			assert(veto[0] != '\0');
		if (enforce && is_leaf && !verifies && event.tlsa == 0)
			assert(veto[0] != '\0');
		assert(here.records <= begun);
	}
	session_clear(&session);
	return 0;
}
