/* SPDX-License-Identifier: ISC
 *
 * The policy file.  RFC 8461 3.2.  One walk over the body; what it keeps goes into a block that
 * was measured by counting lines.
 */
#include "parse/policyfile.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "parse/taglist.h"
#include "parse/utf8.h"

struct reader {
	struct span body;
	size_t at;	  /* where the line begins */
	size_t next;	  /* where the next one does */
	size_t number;	  /* of the line, counted from 1 */
	struct span line; /* without its terminator */
	const struct reason_sink *warn;
	struct parse_error *error;

	struct policyfile *policy;
	struct mxpattern *mx;
	struct span *lines;
	char *names; /* where the next mx name goes */
	char *copy;  /* of the body, for lines */
	bool has_version, has_mode, has_max_age;
};

/* "at" counts from the start of the line. */
static struct parse_error
here(const struct reader *r, size_t at, const char *why)
{
	return (struct parse_error){ .at = r->at + at, .line = r->number, .why = why };
}

static int
refuse(struct reader *r, size_t at, const char *why)
{
	*r->error = here(r, at, why);
	return POLICYFILE_INVALID;
}

/* RFC 8461 3.2: lines end in LF or CRLF, the last one may lack it.  1 taken, 0 end. */
static int
line_next(struct reader *r)
{
	r->at = r->next;
	if (r->at == r->body.n)
		return 0;
	r->number++;
	r->line = span_from(r->body, r->at);
	size_t n = span_find(r->line, '\n');
	bool is_ended = n < r->line.n;
	r->line.n = n;
	r->next = r->at + n + (is_ended ? 1 : 0);
	if (is_ended && n > 0 && r->line.p[n - 1] == '\r')
		r->line.n--;
	return 1;
}

/* R3.2.5: control characters are never forgiven, wherever they stand. */
static int
line_check(struct reader *r)
{
	for (size_t i = 0; i < r->line.n; i++) {
		char c = r->line.p[i];
		if (c == '\0')
			return refuse(r, i, "NUL in the policy");
		if (c == '\r')
			return refuse(r, i, "CR without LF");
		if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(r, i, "control character in the policy");
	}
	return 0;
}

static int
version_take(struct reader *r, struct span value, size_t at)
{
	if (!span_is(value, "STSv1"))
		return refuse(r, at, "version is not STSv1");
	r->has_version = true;
	return 0;
}

static int
mode_take(struct reader *r, struct span value, size_t at)
{
	if (mode_of(value, &r->policy->mode) != 0)
		return refuse(r, at, "mode is none of 'enforce', 'testing', 'none'");
	r->has_mode = true;
	return 0;
}

/* RFC 8461 3.2: 1*10(DIGIT), "Maximum value: 31557600"; C: what is above is clamped. */
static int
max_age_take(struct reader *r, struct span value, size_t at)
{
	uint64_t seconds = 0;

	if (value.n == 0)
		return refuse(r, at, "max_age is empty");
	for (size_t i = 0; i < value.n; i++) {
		if (!is_digit(value.p[i]))
			return refuse(r, at + i, "max_age is not a number of seconds");
	}
	if (span_u64(value, LIMIT_MAX_AGE_DIGITS, UINT64_MAX, &seconds) != 0) {
		(void)refuse(r, at, "max_age has # digits");
		r->error->number = value.n;
		return POLICYFILE_INVALID;
	}
	if (seconds > LIMIT_MAX_AGE) {
		reason_warn(r->warn, here(r, at, "max_age is over 31557600, which is what counts"));
		seconds = LIMIT_MAX_AGE;
	}
	r->policy->max_age = (uint32_t)seconds;
	r->has_max_age = true;
	return 0;
}

static int
mx_take(struct reader *r, struct span value, size_t at)
{
	const char *why = NULL;
	unsigned slips = 0;

	switch (mxmatch_parse(value, r->names, &r->mx[r->policy->n_mx], &slips, &why)) {
	case MXMATCH_INVALID:
		return refuse(r, at, why);
	case MXMATCH_ADDRESS:
		reason_warn(
		    r->warn, here(r, at, "mx is an address, which matches no host: dropped"));
		return 0;
	case MXMATCH_NAME:
		break;
	}
	if ((slips & MXMATCH_SLIP_DOT) != 0)
		reason_warn(r->warn, here(r, at + value.n - 1, "mx ends in a dot"));
	if ((slips & MXMATCH_SLIP_UNDERSCORE) != 0)
		reason_warn(r->warn, here(r, at + span_find(value, '_'), "mx has an underscore"));
	r->names += r->mx[r->policy->n_mx].n + 1;
	r->policy->n_mx++;
	return 0;
}

/* RFC 8461 3.2, sts-policy-extension: visible ASCII and UTF-8, spaces inside. */
static int
extension_take(struct reader *r, struct span name, struct span value, size_t at)
{
	for (size_t i = 0, n; i < value.n; i += n) {
		n = utf8_take(span_from(value, i));
		if (n == 0)
			return refuse(r, at + i, "the value of a field is not UTF-8");
		if (value.p[i] == '\t')
			return refuse(r, at + i, "tab inside the value of a field");
	}
	if (value.n == 0)
		reason_warn(r->warn, here(r, at, "unknown field without value"));
	if (name.n > LIMIT_FIELD_NAME) {
		struct parse_error slip = here(r, 0, "field name has # characters");
		slip.number = name.n;
		reason_warn(r->warn, slip);
	}
	return 0;
}

static int
field_take(struct reader *r)
{
	size_t colon = span_find(r->line, ':');
	if (r->number == 1 && span_begins(r->line, "\xef\xbb\xbf"))
		return refuse(r, 0, "byte order mark before the first field");
	if (colon == r->line.n)
		return refuse(r, 0, "no ':' in the line");
	struct span name = span_make(r->line.p, colon);
	if (!taglist_is_name(name))
		return refuse(r, 0, "field name is not made of letters, digits, '_', '-', '.'");

	struct span value = span_trim_wsp(span_from(r->line, colon + 1));
	size_t at = value.n == 0 ? r->line.n : (size_t)(value.p - r->line.p);
	if (span_is(name, "mx"))
		return mx_take(r, value, at);
	/* RFC 8461 3.2: of a repeated field other than mx the first counts */
	if (span_is(name, "version") && !r->has_version)
		return version_take(r, value, at);
	if (span_is(name, "mode") && !r->has_mode)
		return mode_take(r, value, at);
	if (span_is(name, "max_age") && !r->has_max_age)
		return max_age_take(r, value, at);
	return extension_take(r, name, value, at);
}

/* Remember a good line for reports: the same octets in our copy. */
static void
line_keep(struct reader *r)
{
	size_t n = r->line.n;

	while (n > 0 && is_wsp(r->line.p[n - 1]))
		n--;
	r->lines[r->policy->n_lines++] = span_make(r->copy + r->at, n);
}

static int
lines_take(struct reader *r)
{
	while (line_next(r) == 1) {
		int result = line_check(r);
		if (result != 0)
			return result;
		if (span_trim_wsp(r->line).n == 0) {
			reason_warn(r->warn, here(r, 0, "empty line"));
			continue;
		}
		result = field_take(r);
		if (result != 0)
			return result;
		line_keep(r);
	}
	return 0;
}

/* NULL, or what a policy as a whole lacks. */
static const char *
whole_check(const struct reader *r)
{
	if (!r->has_version)
		return "version is missing";
	if (!r->has_mode)
		return "mode is missing";
	if (!r->has_max_age)
		return "max_age is missing";
	if (r->policy->n_mx == 0 && r->policy->mode != MTASTS_NONE)
		return "no mx is left that a host could match";
	return NULL;
}

/* One block: the policy, n lines, as many mx lines, their names, the body. */
static int
block_make(struct reader *r)
{
	size_t n = 1;

	for (size_t i = 0; i < r->body.n; i++)
		n += r->body.p[i] == '\n' ? 1 : 0;
	size_t size = sizeof *r->policy + n * sizeof *r->mx + n * sizeof *r->lines;
	size_t names = r->body.n + n; /* each no longer than its line, and a NUL */
	char *block = mem_zero(size + names + r->body.n, 1);
	if (block == NULL)
		return MTASTS_ENOMEM;
	r->policy = (struct policyfile *)(void *)block;
	r->mx = (struct mxpattern *)(void *)(r->policy + 1);
	r->lines = (struct span *)(void *)(r->mx + n);
	r->names = block + size;
	r->copy = r->names + names;
	if (r->body.n != 0)
		memcpy(r->copy, r->body.p, r->body.n);
	r->policy->mx = r->mx;
	r->policy->lines = r->lines;
	return 0;
}

int
policyfile_parse(struct span body, const struct reason_sink *warn, struct policyfile **policy,
    struct parse_error *error)
{
	struct reader reader = { .body = body, .warn = warn, .error = error };

	if (body.n > LIMIT_POLICY) {
		*error = (struct parse_error){ .at = LIMIT_POLICY, .why = "policy is over 64 KiB" };
		return POLICYFILE_INVALID;
	}
	int result = block_make(&reader);
	if (result != 0)
		return result;
	result = lines_take(&reader);
	const char *why = result == 0 ? whole_check(&reader) : NULL;
	if (why != NULL) {
		*error = (struct parse_error){ .at = body.n, .why = why };
		result = POLICYFILE_INVALID;
	}
	if (result != 0) {
		policyfile_free(reader.policy);
		return result;
	}
	*policy = reader.policy;
	return 0;
}

void
policyfile_free(struct policyfile *policy)
{
	free(policy);
}

void
policyfile_format(const struct policyfile *policy, struct buf *out)
{
	buf_printf(out, "version: STSv1\nmode: %s\nmax_age: %u\n", mode_name(policy->mode),
	    (unsigned)policy->max_age);
	for (size_t i = 0; i < policy->n_mx; i++)
		buf_printf(out, "mx: %s\n", policy->mx[i].name);
}
