/* SPDX-License-Identifier: ISC
 *
 * Borrowed, length-delimited bytes: the only form in which text from outside is read.
 * A span may hold any octet, NUL included; it never owns what it points at.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *p;
	size_t n; /* octets */
};

/* Where a parser stopped and why (parse/reason.h makes a sentence of it). */
struct parse_error {
	size_t at;	 /* octets from the start of the input */
	size_t line;	 /* counted from 1; 0: the input has no lines, or all of it is meant */
	const char *why; /* static text; a '#' in it stands for number */
	size_t number;
};

struct span span_of(const char *cstring);
struct span span_make(const char *p, size_t n);

/* Classes of octets (ASCII; locale plays no part). */
bool is_alpha(char c);
bool is_digit(char c);
bool is_alnum(char c);
bool is_wsp(char c);   /* space, tab */
bool is_print(char c); /* %x20-7E */
char to_lower(char c);

bool span_eq(struct span a, struct span b);
bool span_eq_nocase(struct span a, struct span b); /* ASCII */
bool span_is(struct span s, const char *cstring);
bool span_begins(struct span s, const char *prefix);

/* The part from octet i on; empty when i is past the end. */
struct span span_from(struct span s, size_t i);
struct span span_trim_wsp(struct span s);
/* Offset of the first c, or s.n. */
size_t span_find(struct span s, char c);

/*
 * All of s as a decimal number of 1..max_digits digits, at most max.  0, or -1 (and *value
 * untouched) when s is anything else: empty, a sign, a blank, too many digits, too large.
 */
int span_u64(struct span s, unsigned max_digits, uint64_t max, uint64_t *value);

#endif
