/* SPDX-License-Identifier: ISC
 *
 * tests/vectors/policies.txt from RDATA and response to policy, by the parsers alone.  Vectors
 * about the response's status are the fetch's affair and left to its tests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "guard.h"
#include "parse/mediatype.h"
#include "parse/policyfile.h"
#include "parse/ststxt.h"
#include "parse/txtset.h"
#include "unit.h"
#include "vectors.h"

static const struct vector *all, *vectors; /* never freed, but never lost */

/* What a sender makes of one vector. */
struct outcome {
	bool has_policy;
	enum mtasts_mode mode;
	uint32_t max_age;
	size_t n_mx;
	size_t n_mx_lines;
	size_t warnings;
};

static void
count(void *arg, const struct parse_error *slip)
{
	ck_assert(slip->why[0] != '\0' && slip->line > 0);
	++*(size_t *)arg;
}

static bool
record_read(const struct vector *v, const struct reason_sink *sink, struct ststxt *record)
{
	struct guard rdata[LIMIT_TXT_RECORDS], joined[LIMIT_TXT_RECORDS];
	struct span texts[LIMIT_TXT_RECORDS];
	struct parse_error error = { 0 };
	char storage[LIMIT_TXT_SET];

	for (size_t i = 0; i < v->n_records; i++) {
		guard_init(&rdata[i], v->records[i].p, v->records[i].n);
		struct span text;
		ck_assert_int_eq(txtset_join(rdata[i].span, storage, &text), 0);
		guard_init(&joined[i], text.p, text.n);
		texts[i] = joined[i].span;
	}
	int r = ststxt_parse(texts, v->n_records, sink, record, &error);
	ck_assert(r == 0 || (error.why != NULL && error.line <= v->n_records));
	for (size_t i = 0; i < v->n_records; i++) {
		guard_clear(&rdata[i]);
		guard_clear(&joined[i]);
	}
	return r == 0;
}

static bool
is_equal(const struct policyfile *a, const struct policyfile *b)
{
	if (a->mode != b->mode || a->max_age != b->max_age || a->n_mx != b->n_mx)
		return false;
	for (size_t i = 0; i < a->n_mx; i++) {
		if (strcmp(a->mx[i].name, b->mx[i].name) != 0 ||
		    a->mx[i].is_wildcard != b->mx[i].is_wildcard)
			return false;
	}
	return true;
}

static size_t
underscores(const struct policyfile *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->n_mx; i++)
		n += strchr(policy->mx[i].name, '_') == NULL ? 0 : 1;
	return n;
}

/* parse(format(x)) == x, with nothing left to warn of but names as they are. */
static void
round_trip(const struct policyfile *policy)
{
	enum { FORMATTED = 2 * LIMIT_POLICY };
	char *storage = malloc(FORMATTED);
	size_t warnings = 0;
	struct reason_sink sink = { count, &warnings };
	struct parse_error error;
	struct policyfile *again;
	struct buf out;

	buf_init(&out, storage, FORMATTED);
	policyfile_format(policy, &out);
	ck_assert(!out.full);
	if (out.n <= LIMIT_POLICY) { /* "mx:a" grows by a blank */
		ck_assert_int_eq(
		    policyfile_parse(span_make(out.p, out.n), &sink, &again, &error), 0);
		ck_assert(is_equal(policy, again));
		ck_assert_uint_eq(warnings, underscores(policy));
		policyfile_free(again);
	}
	free(storage);
}

static void
policy_read(const struct vector *v, const struct reason_sink *sink, struct outcome *outcome)
{
	struct policyfile *policy = NULL;
	struct parse_error error = { 0 };
	struct guard body;

	guard_init(&body, v->body.p, v->body.n);
	int r = policyfile_parse(body.span, sink, &policy, &error);
	if (r == 0) {
		outcome->has_policy = true;
		outcome->mode = policy->mode;
		outcome->max_age = policy->max_age;
		outcome->n_mx = policy->n_mx;
		for (size_t i = 0; i < policy->n_lines; i++)
			outcome->n_mx_lines += span_begins(policy->lines[i], "mx:") ? 1 : 0;
		round_trip(policy);
	} else {
		ck_assert_int_eq(r, POLICYFILE_INVALID);
		ck_assert_ptr_nonnull(error.why);
		ck_assert_uint_le(error.at, v->body.n);
	}
	policyfile_free(policy);
	guard_clear(&body);
}

static struct outcome
judge(const struct vector *v)
{
	struct outcome outcome = { .has_policy = false };
	struct reason_sink sink = { count, &outcome.warnings };
	struct ststxt record;

	if (record_read(v, &sink, &record) && mediatype_is_text_plain(span_of(v->type)))
		policy_read(v, &sink, &outcome);
	return outcome;
}

START_TEST(test_vector)
{
	const struct vector *v = &vectors[_i];
	struct outcome got = judge(v);
	bool is_ok = got.has_policy;

	switch (v->expect) {
	case VECTOR_ACCEPT:
		is_ok = is_ok && got.mode == MTASTS_ENFORCE && got.warnings == 0;
		break;
	case VECTOR_TESTING:
		is_ok = is_ok && got.mode == MTASTS_TESTING && got.warnings == 0;
		break;
	case VECTOR_NONE:
		is_ok = is_ok && got.mode == MTASTS_NONE && got.warnings == 0;
		break;
	case VECTOR_CLAMP:
		is_ok = is_ok && got.max_age == 31557600 && got.warnings == 1;
		break;
	case VECTOR_SLIP:
		is_ok = is_ok && got.warnings > 0 && got.n_mx == got.n_mx_lines;
		break;
	case VECTOR_DROP_MX:
		is_ok = is_ok && got.warnings == got.n_mx_lines - got.n_mx && got.warnings > 0;
		break;
	case VECTOR_REJECT:
		is_ok = !got.has_policy;
		break;
	}
	ck_assert_msg(is_ok, "%s: policy %d mode %d max_age %u warnings %zu mx %zu", v->name,
	    (int)got.has_policy, (int)got.mode, (unsigned)got.max_age, got.warnings, got.n_mx);
}
END_TEST

/* Those whose outcome the parsers decide. */
static size_t
without_status(struct vector *out, const struct vector *in, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (in[i].status == 200)
			out[kept++] = in[i];
	}
	return kept;
}

int
main(void)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	size_t n;

	snprintf(path, sizeof path, "%s/tests/vectors/policies.txt", top == NULL ? "." : top);
	all = vectors_load(path, &n);
	struct vector *kept = calloc(n, sizeof *kept);
	if (kept == NULL)
		return EXIT_FAILURE;
	vectors = kept;
	n = without_status(kept, all, n);

	Suite *suite = suite_create("vectors");
	TCase *tcase = tcase_create("vectors");
	tcase_add_loop_test(tcase, test_vector, 0, (int)n);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
