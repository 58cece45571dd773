/* SPDX-License-Identifier: ISC
 *
 * DNS and HTTPS of check_exim_host: stands in for mtasts-resolve and mtasts-fetch and knows the
 * domains below.  Every domain D has MX 10 mx1.D and MX 20 mx2.D unless its line says otherwise.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/wire.h"

static const struct world_domain {
	const char *name;
	const char *mode;    /* NULL: no policy */
	const char *pattern; /* mx of the policy */
	const char *max_age;
	const char *mx; /* the one MX host; "": none to be had; NULL: mx1 and mx2 */
} domains[] = {
	{ "enforce.example", "enforce", "*.enforce.example", "86400", NULL },
	{ "testing.example", "testing", "*.testing.example", "86400", NULL },
	{ "zero.example", "enforce", "*.zero.example", "0", NULL },
	{ "badmx.example", "enforce", "mx.other.example", "86400", NULL },
	{ "half.example", "enforce", "mx2.half.example", "86400", NULL },
	{ "cname.example", "enforce", "mail.cname.example", "86400", "mail.cname.example" },
	{ "nomx.example", "enforce", "mx1.nomx.example", "86400", "" },
	{ "free.example", NULL, NULL, NULL, NULL },
};

static char in[LIMIT_FRAME], storage[LIMIT_FRAME + 1];
static size_t n_in;

static const struct world_domain *
find(const char *name)
{
	for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
		if (strcmp(domains[i].name, name) == 0)
			return &domains[i];
	}
	return NULL;
}

/* What follows prefix in a name, if it begins so. */
static const char *
after(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 ? name + n : "";
}

static void
put_mx(struct buf *out, int preference, const char *host)
{
	buf_putc(out, (char)(preference >> 8));
	buf_putc(out, (char)preference);
	while (*host != '\0') {
		size_t n = strcspn(host, ".");
		buf_putc(out, (char)n);
		buf_put(out, span_make(host, n));
		host += n + (host[n] == '.');
	}
	buf_putc(out, '\0');
}

static void
answer_mx(const struct world_domain *d, struct net_answer *answer, struct span rdata[2])
{
	static char octets[2][300];
	struct buf out[2];
	char host[256];

	answer->n = d->mx == NULL ? 2 : 1;
	for (size_t i = 0; i < answer->n; i++) {
		snprintf(host, sizeof host, "mx%zu.%s", i + 1, d->name);
		buf_init(&out[i], octets[i], sizeof octets[i]);
		put_mx(&out[i], 10 * (int)(i + 1), d->mx != NULL ? d->mx : host);
		rdata[i] = span_make(out[i].p, out[i].n);
	}
	if (d->mx != NULL && d->mx[0] == '\0')
		*answer = (struct net_answer){ .state = NET_UNKNOWN, .reason = "SERVFAIL" };
}

static size_t
answer(uint32_t id, const struct wire_question *q)
{
	static const char txt[] = "\x10v=STSv1; id=1abc";
	const char *name = q->question.name.name;
	const struct world_domain *policy = find(after(name, "_mta-sts.")), *d = find(name);
	struct span rdata[2] = { { "\xc0\x00\x02\x01", 4 }, { NULL, 0 } };
	struct net_answer a = { .state = NET_NO_NAME,
		.ttl = 60,
		.rdata = rdata,
		.reason = "",
		.canonical = q->question.name };
	struct buf out;

	if (q->question.type == NET_TXT && policy != NULL && policy->mode != NULL) {
		a.state = NET_ANSWERED;
		a.n = 1;
		rdata[0] = span_make(txt, sizeof txt - 1);
	} else if (q->question.type == NET_MX && d != NULL) {
		a.state = NET_ANSWERED;
		answer_mx(d, &a, rdata);
	} else if (q->question.type == NET_A) {
		a.state = NET_ANSWERED;
		a.n = 1;
		if (strcmp(name, "mail.cname.example") == 0)
			(void)domain_parse(span_of("real.hosting.example"), 0, &a.canonical);
	} else if (q->question.type == NET_AAAA) {
		a.state = NET_NO_DATA;
	}
	buf_init(&out, storage, sizeof storage);
	return wire_answer_format(&out, id, &a) == 0 ? out.n : 0;
}

static size_t
page(uint32_t id, const struct wire_get *get)
{
	const struct world_domain *d = find(after(get->fetch.host.name, "mta-sts."));
	struct net_page p = { .state = NET_FETCH_FAILED, .reason = "refused" };
	char text[512];
	struct buf out, body;

	buf_init(&body, text, sizeof text);
	if (d != NULL) {
		buf_printf(&body, "version: STSv1\nmode: %s\nmax_age: %s\nmx: %s\n", d->mode,
		    d->max_age, d->pattern);
		p = (struct net_page){ NET_FETCHED, 200, span_of("text/plain"),
			span_make(text, body.n), "" };
	}
	buf_init(&out, storage, sizeof storage);
	return wire_page_format(&out, id, &p) == 0 ? out.n : 0;
}

static void
serve(const struct wire_message *m)
{
	static struct wire_question question;
	static struct wire_get get;
	size_t n = 0;

	if (m->type == WIRE_QUESTION && wire_question_parse(m->payload, &question) == 0)
		n = answer(m->id, &question);
	else if (m->type == WIRE_GET && wire_get_parse(m->payload, &get) == 0)
		n = page(m->id, &get);
	if (n == 0 || write(STDOUT_FILENO, storage, n) != (ssize_t)n)
		_exit(1);
}

int
main(void)
{
	struct wire_message message;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, in + n_in, sizeof in - n_in);
		if (n <= 0)
			return 0;
		n_in += (size_t)n;
		struct span rest = span_make(in, n_in);
		while (wire_next(&rest, &message) == 1)
			serve(&message);
		memmove(in, rest.p, rest.n);
		n_in = rest.n;
	}
}
