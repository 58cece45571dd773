/* SPDX-License-Identifier: ISC
 *
 * RFC 5322 3.3 and 4.3, token by token; blanks, folding and comments may stand between any two.
 */
#include "opensmtpd/proto/date.h"

#include <stdbool.h>
#include <stddef.h>

enum { COMMENTS_MAX = 8 /* one in another */, DAY = 86400 /* seconds */ };

static const struct {
	const char *name;
	int hours; /* east of UTC */
} zones[] = {
	{ "UT", 0 },
	{ "GMT", 0 },
	{ "UTC", 0 },
	{ "EDT", -4 },
	{ "EST", -5 },
	{ "CDT", -5 },
	{ "CST", -6 },
	{ "MDT", -6 },
	{ "MST", -7 },
	{ "PDT", -7 },
	{ "PST", -8 },
};

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };
static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

/* Past blanks, folding and comments (CFWS).  false: a comment that does not end. */
static bool
skip(struct span *text)
{
	size_t i, depth = 0;

	for (i = 0; i < text->n; i++) {
		char c = text->p[i];
		if (c == '(' && ++depth > COMMENTS_MAX)
			return false;
		if (depth == 0 && !is_wsp(c) && c != '\r' && c != '\n')
			break;
		if (depth > 0 && c == '\\')
			i++;
		if (depth > 0 && c == ')')
			depth--;
	}
	*text = span_from(*text, i);
	return depth == 0;
}

/* A run of octets of one class, at most max of them; empty when there is none. */
static struct span
run(struct span *text, bool (*is)(char), size_t max)
{
	size_t n = 0;

	while (n < text->n && n <= max && is(text->p[n]))
		n++;
	struct span taken = span_make(text->p, n <= max ? n : 0);
	*text = span_from(*text, taken.n);
	return taken;
}

static bool
take(struct span *text, char c)
{
	if (text->n == 0 || text->p[0] != c)
		return false;
	*text = span_from(*text, 1);
	return true;
}

/* min to max digits. */
static int
number(struct span *text, size_t min, size_t max, uint64_t limit, int64_t *value)
{
	struct span digits = run(text, is_digit, max);
	uint64_t n;

	if (digits.n < min || span_u64(digits, (unsigned)max, limit, &n) != 0)
		return -1;
	*value = (int64_t)n;
	return skip(text) ? 0 : -1;
}

/* Its place in names, counted from 1; 0: none of them. */
static int64_t
word(struct span *text, const char *const names[], size_t n)
{
	struct span letters = run(text, is_alpha, 3);

	for (size_t i = 0; i < n; i++)
		if (span_eq_nocase(letters, span_of(names[i])))
			return skip(text) ? (int64_t)i + 1 : 0;
	return 0;
}

/* RFC 5322 4.3: two digits are 1950 to 2049, three count from 1900. */
static int
year(struct span *text, int64_t *value)
{
	struct span digits = run(text, is_digit, 4);
	uint64_t n;

	if (digits.n < 2 || span_u64(digits, 4, 9999, &n) != 0 || !skip(text))
		return -1;
	if (digits.n == 2)
		n += n < 50 ? 2000 : 1900;
	if (digits.n == 3)
		n += 1900;
	if (n < 1970)
		return -1;
	*value = (int64_t)n;
	return 0;
}

static int
zone_numeric(struct span *text, int64_t *seconds)
{
	bool is_west = text->p[0] == '-';
	int64_t n;

	*text = span_from(*text, 1);
	if (number(text, 4, 4, 9959, &n) != 0 || n % 100 > 59)
		return -1;
	n = (n / 100 * 60 + n % 100) * 60;
	*seconds = is_west ? -n : n;
	return 0;
}

static int
zone(struct span *text, int64_t *seconds)
{
	if (text->n == 0)
		return -1;
	if (text->p[0] == '+' || text->p[0] == '-')
		return zone_numeric(text, seconds);
	struct span letters = run(text, is_alpha, 5);
	if (letters.n == 0 || !skip(text))
		return -1;
	*seconds = 0;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		if (span_eq_nocase(letters, span_of(zones[i].name)))
			*seconds = (int64_t)zones[i].hours * 3600;
	return 0;
}

static bool
is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t
month_days(int64_t y, int64_t month)
{
	static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(y) ? 29 : n[month - 1];
}

/* Since 1970; year from 1970 on. */
static int64_t
days_before(int64_t y, int64_t month, int64_t day)
{
	int64_t last = y - 1;
	int64_t n = 365 * (y - 1970) + (last / 4 - last / 100 + last / 400) -
		    (1969 / 4 - 1969 / 100 + 1969 / 400);

	for (int64_t m = 1; m < month; m++)
		n += month_days(y, m);
	return n + day - 1;
}

static int
date(struct span *text, int64_t *seconds)
{
	int64_t day, month, y;

	if (text->n > 0 && is_alpha(text->p[0])) {
		if (word(text, days, sizeof days / sizeof days[0]) == 0 || !take(text, ',') ||
		    !skip(text))
			return -1;
	}
	if (number(text, 1, 2, 31, &day) != 0)
		return -1;
	month = word(text, months, sizeof months / sizeof months[0]);
	if (month == 0 || year(text, &y) != 0 || day < 1 || day > month_days(y, month))
		return -1;
	*seconds = days_before(y, month, day) * DAY;
	return 0;
}

static int
time_of_day(struct span *text, int64_t *seconds)
{
	int64_t hour, minute, second = 0;

	if (number(text, 2, 2, 23, &hour) != 0 || !take(text, ':') || !skip(text) ||
	    number(text, 2, 2, 59, &minute) != 0)
		return -1;
	if (take(text, ':') && (!skip(text) || number(text, 2, 2, 60, &second) != 0))
		return -1;
	*seconds = (hour * 60 + minute) * 60 + second;
	return 0;
}

int
date_parse(struct span text, int64_t *at)
{
	int64_t days_s, time_s, east_s;

	if (!skip(&text) || date(&text, &days_s) != 0 || time_of_day(&text, &time_s) != 0 ||
	    zone(&text, &east_s) != 0 || text.n != 0)
		return -1;
	*at = days_s + time_s - east_s;
	return 0;
}
