/* SPDX-License-Identifier: ISC
 *
 * "name=value" lines.  A malformed block is refused as a whole: half of what Exim knows would be
 * judged as if the other half were empty.
 */
#include "exim/vars.h"

#include <limits.h>

enum { DIGITS_MAX = 9 };

static int
refuse(struct parse_error *error, size_t at, size_t line, const char *why)
{
	*error = (struct parse_error){ .at = at, .line = line, .why = why };
	return -1;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	}
	return false;
}

static const char *
vars_put(struct vars *vars, struct span line)
{
	size_t equals = span_find(line, '=');
	struct span name = span_make(line.p, equals);

	if (equals == line.n)
		return "a line without '='";
	if (equals == 0)
		return "a line without a name";
	if (has_control(line))
		return "a control character";
	if (vars->n == VARS_MAX)
		return "too many lines";
	for (size_t i = 0; i < vars->n; i++) {
		if (span_eq(vars->item[i].name, name))
			return "a name twice";
	}
	vars->item[vars->n].name = name;
	vars->item[vars->n].value = span_from(line, equals + 1);
	vars->n++;
	return NULL;
}

int
vars_parse(struct span block, struct vars *vars, struct parse_error *error)
{
	struct vars out = { .n = 0 };
	size_t at = 0;

	for (size_t line = 1; at < block.n; line++) {
		struct span rest = span_from(block, at);
		struct span one = span_make(rest.p, span_find(rest, '\n'));
		const char *why = one.n != 0 ? vars_put(&out, one) : NULL;
		if (why != NULL)
			return refuse(error, at, line, why);
		at += one.n + 1;
	}
	*vars = out;
	return 0;
}

bool
vars_has(const struct vars *vars, const char *name)
{
	for (size_t i = 0; i < vars->n; i++) {
		if (span_is(vars->item[i].name, name))
			return true;
	}
	return false;
}

struct span
vars_get(const struct vars *vars, const char *name)
{
	for (size_t i = 0; i < vars->n; i++) {
		if (span_is(vars->item[i].name, name))
			return vars->item[i].value;
	}
	return span_of("");
}

int
vars_int(const struct vars *vars, const char *name, int fallback)
{
	struct span s = vars_get(vars, name);
	bool negative = span_begins(s, "-");
	uint64_t value;

	if (negative)
		s = span_from(s, 1);
	if (span_u64(s, DIGITS_MAX, INT_MAX, &value) != 0)
		return fallback;
	return negative ? -(int)value : (int)value;
}
