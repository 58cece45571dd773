/* SPDX-License-Identifier: ISC
 *
 * Messages on a helper's pipe: bytes -> values and back.  A reader that met a wrong octet stays
 * bad, so that a message is taken field by field and looked at once.
 */
#include "net/wire.h"

#include <string.h>

enum { FORMAT = 1, MX_MIN = 3 /* preference and the root */, LABEL_MAX = 63, NAME_MAX_WIRE = 255 };

static const char magic[] = { 'm', 's', FORMAT };

/* ---- reading ---- */

struct reader {
	struct span in;
	bool bad;
};

static struct span
take(struct reader *r, size_t n)
{
	if (r->bad || n > r->in.n) {
		r->bad = true;
		return span_make("", 0);
	}
	struct span s = span_make(r->in.p, n);
	r->in = span_from(r->in, n);
	return s;
}

/* An integer of that many octets, at most max. */
static uint32_t
take_number(struct reader *r, size_t octets, uint32_t max)
{
	struct span s = take(r, octets);
	uint32_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	if (v > max) {
		r->bad = true;
		return 0;
	}
	return v;
}

static struct span
take_string(struct reader *r)
{
	return take(r, take_number(r, 2, UINT16_MAX));
}

/* Printable text of at most WIRE_TEXT octets, as a C string: fit for a log. */
static void
take_text(struct reader *r, char *text)
{
	struct span s = take_string(r);

	if (s.n > WIRE_TEXT)
		r->bad = true;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_print(s.p[i]))
			r->bad = true;
	}
	if (r->bad)
		s.n = 0;
	if (s.n != 0)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
}

/* A name exactly as domain_parse() leaves names; none when it may be missing. */
static void
take_name(struct reader *r, unsigned flags, bool optional, struct domain *name)
{
	struct span s = take_string(r);

	memset(name, 0, sizeof *name);
	if (r->bad || (optional && s.n == 0))
		return;
	if (domain_parse(s, flags, name) != 0 || !span_eq(domain_span(name), s))
		r->bad = true;
}

static bool
is_done(const struct reader *r)
{
	return !r->bad && r->in.n == 0;
}

int
wire_next(struct span *in, struct wire_message *message)
{
	struct reader r = { *in, false };
	size_t n = in->n < sizeof magic ? in->n : sizeof magic;

	if (n != 0 && memcmp(in->p, magic, n) != 0)
		return -1;
	if (in->n > sizeof magic && memchr("QGAPN", in->p[sizeof magic], 5) == NULL)
		return -1;
	take(&r, sizeof magic);
	enum wire_type type = (enum wire_type)take_number(&r, 1, UINT8_MAX);
	uint32_t id = take_number(&r, 4, UINT32_MAX);
	uint32_t length = take_number(&r, 4, UINT32_MAX);
	if (r.bad)
		return 0;
	if (length > LIMIT_FRAME - WIRE_HEAD)
		return -1;
	struct span payload = take(&r, length);
	if (r.bad)
		return 0;
	*message = (struct wire_message){ type, id, payload };
	*in = r.in;
	return 1;
}

static bool
type_is_known(uint32_t type)
{
	return type == NET_A || type == NET_MX || type == NET_TXT || type == NET_AAAA;
}

int
wire_question_parse(struct span payload, struct wire_question *question)
{
	struct reader r = { payload, false };
	struct wire_question q;

	q.ms = take_number(&r, 4, UINT32_MAX);
	uint32_t type = take_number(&r, 2, UINT16_MAX);
	q.question.type = (enum net_type)type;
	take_name(&r, DOMAIN_UNDERSCORE, false, &q.question.name);
	if (!is_done(&r) || !type_is_known(type))
		return -1;
	*question = q;
	return 0;
}

/* An absolute path: printable octets without a blank. */
static bool
is_path(const char *path)
{
	return path[0] == '/' && strchr(path, ' ') == NULL;
}

int
wire_get_parse(struct span payload, struct wire_get *get)
{
	struct reader r = { payload, false };
	struct net_fetch *fetch = &get->fetch;

	memset(get, 0, sizeof *get);
	get->ms = take_number(&r, 4, UINT32_MAX);
	take_name(&r, DOMAIN_UNDERSCORE, false, &fetch->host);
	take_text(&r, get->path);
	fetch->path = get->path;
	fetch->n = take_number(&r, 1, LIMIT_ADDRESSES);
	for (size_t i = 0; i < fetch->n; i++) {
		struct net_address *address = &fetch->addresses[i];
		address->octets = (uint8_t)take_number(&r, 1, sizeof address->address);
		struct span s = take(&r, address->octets);
		if (s.n != 4 && s.n != sizeof address->address)
			return -1;
		memcpy(address->address, s.p, s.n);
	}
	return is_done(&r) && is_path(get->path) ? 0 : -1;
}

int
wire_answer_parse(struct span payload, struct wire_answer *wire)
{
	struct reader r = { payload, false };
	struct net_answer *answer = &wire->answer;

	memset(answer, 0, sizeof *answer);
	answer->state = (enum net_state)take_number(&r, 1, NET_UNKNOWN);
	answer->secure = take_number(&r, 1, 1) == 1;
	answer->ttl = take_number(&r, 4, INT32_MAX); /* RFC 2181 8 */
	take_name(&r, DOMAIN_UNDERSCORE, true, &answer->canonical);
	take_text(&r, wire->reason);
	answer->reason = wire->reason;
	answer->n = take_number(&r, 2, WIRE_RECORDS);
	for (size_t i = 0; i < answer->n; i++)
		wire->rdata[i] = take_string(&r);
	answer->rdata = wire->rdata;
	if (!is_done(&r) || (answer->state == NET_ANSWERED) != (answer->n > 0))
		return -1;
	return (answer->state == NET_UNKNOWN) == (wire->reason[0] != '\0') ? 0 : -1;
}

int
wire_page_parse(struct span payload, struct wire_page *wire)
{
	struct reader r = { payload, false };
	struct net_page *page = &wire->page;

	memset(page, 0, sizeof *page);
	page->state = (enum net_fetch_state)take_number(&r, 1, NET_FETCH_FAILED);
	page->status = take_number(&r, 2, 999);
	page->media_type = take_string(&r);
	take_text(&r, wire->reason);
	page->reason = wire->reason;
	page->body = take(&r, take_number(&r, 4, LIMIT_POLICY));
	if (!is_done(&r) || page->media_type.n > WIRE_TEXT)
		return -1;
	if (page->state == NET_FETCHED)
		return page->status >= 100 && wire->reason[0] == '\0' ? 0 : -1;
	bool is_bare = page->status == 0 && page->media_type.n == 0 && page->body.n == 0;
	return is_bare && wire->reason[0] != '\0' ? 0 : -1;
}

int
wire_note_parse(struct span payload, struct wire_note *note)
{
	struct reader r = { payload, false };

	note->fatal = take_number(&r, 1, 1) == 1;
	note->error = take_number(&r, 4, INT32_MAX);
	take_text(&r, note->text);
	return is_done(&r) ? 0 : -1;
}

/* ---- records ---- */

/* One or more character-strings (RFC 1035 3.3.14), to the end. */
static bool
is_txt(struct span rdata)
{
	struct reader r = { rdata, rdata.n == 0 };

	while (!r.bad && r.in.n > 0)
		take(&r, take_number(&r, 1, UINT8_MAX));
	return !r.bad;
}

/* A preference and a name without compression (RFC 1035 3.3.9), to the end. */
static bool
is_mx(struct span rdata)
{
	struct reader r = { rdata, rdata.n < MX_MIN || rdata.n > 2 + NAME_MAX_WIRE };

	take(&r, 2);
	while (!r.bad && r.in.n > 0) {
		uint32_t label = take_number(&r, 1, LABEL_MAX);
		if (label == 0)
			return is_done(&r);
		take(&r, label);
	}
	return false;
}

static bool
rdata_fits(struct span rdata, enum net_type type)
{
	switch (type) {
	case NET_A:
		return rdata.n == 4;
	case NET_AAAA:
		return rdata.n == 16;
	case NET_TXT:
		return is_txt(rdata);
	case NET_MX:
		return is_mx(rdata);
	}
	return false;
}

bool
wire_answer_fits(const struct net_answer *answer, enum net_type type)
{
	size_t octets = 0;

	for (size_t i = 0; i < answer->n; i++) {
		octets += answer->rdata[i].n;
		if (!rdata_fits(answer->rdata[i], type))
			return false;
	}
	if (type == NET_TXT)
		return answer->n <= LIMIT_TXT_RECORDS && octets <= LIMIT_TXT_SET;
	return answer->n <= LIMIT_MX_HOSTS;
}

/* ---- writing ---- */

static void
put_number(struct buf *out, size_t octets, uint32_t v)
{
	for (size_t i = octets; i-- > 0;)
		buf_putc(out, (char)(v >> (8 * i) & 0xff));
}

static void
put_string(struct buf *out, struct span s)
{
	if (s.n > UINT16_MAX)
		out->full = true;
	put_number(out, 2, (uint32_t)s.n);
	buf_put(out, s);
}

static void
put_text(struct buf *out, const char *text)
{
	struct span s = span_of(text);

	if (s.n > WIRE_TEXT)
		s.n = WIRE_TEXT;
	put_string(out, s);
}

/* The head, with a length that end() mends; where the message begins. */
static size_t
begin(struct buf *out, enum wire_type type, uint32_t id)
{
	size_t at = out->n;

	buf_put(out, span_make(magic, sizeof magic));
	put_number(out, 1, (uint32_t)type);
	put_number(out, 4, id);
	put_number(out, 4, 0);
	return at;
}

static int
end(struct buf *out, size_t at)
{
	if (out->full || out->n - at > LIMIT_FRAME) {
		out->n = at;
		out->p[at] = '\0';
		out->full = false;
		return -1;
	}
	struct buf length;
	char octets[5];
	buf_init(&length, octets, sizeof octets);
	put_number(&length, 4, (uint32_t)(out->n - at - WIRE_HEAD));
	memcpy(out->p + at + 8, octets, 4);
	return 0;
}

int
wire_question_format(struct buf *out, uint32_t id, uint32_t ms, const struct net_question *question)
{
	size_t at = begin(out, WIRE_QUESTION, id);

	put_number(out, 4, ms);
	put_number(out, 2, (uint32_t)question->type);
	put_string(out, domain_span(&question->name));
	return end(out, at);
}

int
wire_get_format(struct buf *out, uint32_t id, uint32_t ms, const struct net_fetch *fetch)
{
	size_t at = begin(out, WIRE_GET, id);

	put_number(out, 4, ms);
	put_string(out, domain_span(&fetch->host));
	put_string(out, span_of(fetch->path));
	put_number(out, 1, (uint32_t)fetch->n);
	for (size_t i = 0; i < fetch->n; i++) {
		const struct net_address *address = &fetch->addresses[i];
		put_number(out, 1, address->octets);
		buf_put(out, span_make((const char *)address->address, address->octets));
	}
	return end(out, at);
}

int
wire_answer_format(struct buf *out, uint32_t id, const struct net_answer *answer)
{
	size_t at = begin(out, WIRE_ANSWER, id);

	put_number(out, 1, (uint32_t)answer->state);
	put_number(out, 1, answer->secure);
	put_number(out, 4, answer->ttl);
	put_string(out, domain_span(&answer->canonical));
	put_text(out, answer->reason);
	put_number(out, 2, (uint32_t)answer->n);
	for (size_t i = 0; i < answer->n; i++)
		put_string(out, answer->rdata[i]);
	return end(out, at);
}

int
wire_page_format(struct buf *out, uint32_t id, const struct net_page *page)
{
	size_t at = begin(out, WIRE_PAGE, id);

	put_number(out, 1, (uint32_t)page->state);
	put_number(out, 2, page->status);
	put_string(out, page->media_type);
	put_text(out, page->reason);
	put_number(out, 4, (uint32_t)page->body.n);
	buf_put(out, page->body);
	return end(out, at);
}

int
wire_note_format(struct buf *out, bool fatal, uint32_t error, const char *text)
{
	size_t at = begin(out, WIRE_NOTE, 0);

	put_number(out, 1, fatal);
	put_number(out, 4, error);
	put_text(out, text);
	return end(out, at);
}
