/* SPDX-License-Identifier: ISC
 *
 * The vectors' file.
 */
#include "vectors.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS_MAX = 1000, BODY_MAX = 128 * 1024, LINE_MAX_OCTETS = 4096 };

static const char good_record[] = "v=STSv1; id=x1;";
static const char good_body[] = "version: STSv1\nmode: enforce\nmx: mail.example.com\n"
				"mx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n";

static const char *const expects[] = { "accept", "testing", "none", "clamp", "reject*", "drop-mx",
	"reject" }; /* enum vector_expect */

struct reader {
	struct vector *vectors;
	size_t n;
	char *body; /* of the last vector, while it grows */
	size_t body_n;
	bool has_body;
	unsigned long line;
};

static void
die(const struct reader *r, const char *why)
{
	fprintf(stderr, "vectors: line %lu: %s\n", r->line, why);
	exit(EXIT_FAILURE);
}

static void *
keep(const void *p, size_t n)
{
	char *copy = malloc(n + 1);

	if (copy == NULL)
		abort();
	if (n != 0)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

/* What follows a backslash at *p. */
static char
unescape(const struct reader *r, const char **p)
{
	char hex[3] = "";

	switch (*(*p)++) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '"':
		return '"';
	case '\\':
		return '\\';
	case 'x':
		hex[0] = (*p)[0];
		hex[1] = hex[0] == '\0' ? '\0' : (*p)[1];
		if (hex[1] == '\0')
			die(r, "\\x without two digits");
		*p += 2;
		return (char)strtoul(hex, NULL, 16);
	}
	die(r, "unknown escape");
	return 0;
}

/* The next "string" at *p; false when there is none. */
static bool
string_take(const struct reader *r, const char **p, char *out, size_t *n)
{
	*p += strspn(*p, " ");
	if (**p == '\0')
		return false;
	if (*(*p)++ != '"')
		die(r, "no '\"'");
	for (*n = 0; **p != '"'; (*n)++) {
		if (**p == '\0')
			die(r, "string without end");
		char c = *(*p)++;
		out[*n] = c == '\\' ? unescape(r, p) : c;
	}
	(*p)++;
	return true;
}

static void
record_add(struct reader *r, struct vector *v, const char *p)
{
	char text[LINE_MAX_OCTETS], rdata[LINE_MAX_OCTETS];
	size_t n, used = 0;

	while (string_take(r, &p, text, &n)) {
		if (n > 255 || used + 1 + n > sizeof rdata)
			die(r, "character-string is too long");
		rdata[used++] = (char)n;
		memcpy(rdata + used, text, n);
		used += n;
	}
	if (v->n_records == LIMIT_TXT_RECORDS)
		die(r, "too many records");
	v->records[v->n_records++] = span_make(keep(rdata, used), used);
}

static void
body_put(struct reader *r, const char *p, size_t n)
{
	if (r->body_n + n > BODY_MAX)
		die(r, "body is too long");
	memcpy(r->body + r->body_n, p, n);
	r->body_n += n;
	r->has_body = true;
}

static void
body_add(struct reader *r, const char *p)
{
	char text[LINE_MAX_OCTETS];
	size_t n;

	while (string_take(r, &p, text, &n))
		body_put(r, text, n);
}

static void
body_repeat(struct reader *r, const char *p)
{
	char text[LINE_MAX_OCTETS], number[32];
	char *end;
	unsigned long times = strtoul(p, &end, 10);
	size_t n;

	p = end;
	if (!string_take(r, &p, text, &n))
		die(r, "nothing to repeat");
	for (unsigned long i = 0; i < times; i++) {
		int digits = snprintf(number, sizeof number, "%lu", i);
		for (size_t at = 0; at < n; at++) {
			if (text[at] == '%')
				body_put(r, number, (size_t)digits);
			else
				body_put(r, text + at, 1);
		}
	}
}

static void
expect_set(struct reader *r, struct vector *v, const char *word)
{
	size_t i = 0, n = sizeof expects / sizeof expects[0];

	while (i < n && strcmp(word, expects[i]) != 0)
		i++;
	if (i == n)
		die(r, "unknown expectation");
	v->expect = (enum vector_expect)i;
	if (v->n_records == 0) {
		char rdata[sizeof good_record];
		rdata[0] = (char)(sizeof good_record - 1);
		memcpy(rdata + 1, good_record, sizeof good_record - 1);
		v->records[v->n_records++] = span_make(keep(rdata, sizeof rdata), sizeof rdata);
	}
	if (!r->has_body)
		body_put(r, good_body, sizeof good_body - 1);
	v->body = span_make(keep(r->body, r->body_n), r->body_n);
}

static void
vector_begin(struct reader *r, const char *line)
{
	size_t n = strcspn(line, "]");

	if (r->n == VECTORS_MAX)
		die(r, "too many vectors");
	struct vector *v = &r->vectors[r->n++];
	memset(v, 0, sizeof *v);
	snprintf(v->name, sizeof v->name, "%.*s", (int)n - 1, line + 1);
	v->status = 200;
	v->type = "text/plain";
	v->expect = VECTOR_REJECT;
	r->body_n = 0;
	r->has_body = false;
}

static void
type_set(const struct reader *r, struct vector *v, const char *p)
{
	char text[LINE_MAX_OCTETS];
	size_t n;

	if (!string_take(r, &p, text, &n))
		die(r, "no media type");
	v->type = keep(text, n);
}

static void
line_take(struct reader *r, const char *line)
{
	if (line[0] == '\0' || line[0] == '#')
		return;
	if (line[0] == '[') {
		vector_begin(r, line);
		return;
	}
	if (r->n == 0)
		die(r, "no [name] yet");
	struct vector *v = &r->vectors[r->n - 1];
	if (strncmp(line, "txt ", 4) == 0)
		record_add(r, v, line + 4);
	else if (strncmp(line, "status ", 7) == 0)
		v->status = atoi(line + 7);
	else if (strncmp(line, "type ", 5) == 0)
		type_set(r, v, line + 5);
	else if (strncmp(line, "body ", 5) == 0)
		body_add(r, line + 5);
	else if (strncmp(line, "repeat ", 7) == 0)
		body_repeat(r, line + 7);
	else if (strncmp(line, "expect ", 7) == 0)
		expect_set(r, v, line + 7);
	else
		die(r, "unknown word");
}

const struct vector *
vectors_load(const char *path, size_t *n)
{
	struct reader r = { 0 };
	char line[LINE_MAX_OCTETS];
	FILE *f = fopen(path, "r");

	r.vectors = calloc(VECTORS_MAX, sizeof *r.vectors);
	r.body = calloc(1, BODY_MAX);
	if (f == NULL || r.vectors == NULL || r.body == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	while (fgets(line, sizeof line, f) != NULL) {
		r.line++;
		line[strcspn(line, "\n")] = '\0';
		line_take(&r, line);
	}
	fclose(f);
	free(r.body);
	*n = r.n;
	return r.vectors;
}
