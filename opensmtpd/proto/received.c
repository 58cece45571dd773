/* SPDX-License-Identifier: ISC
 *
 * Header fields octet by octet (RFC 5322 2.2), as far as the first Received.  Its date stands
 * behind the last semicolon: before it are the client's HELO and name, who may have written others.
 */
#include "opensmtpd/proto/received.h"

#include <string.h>

#include "opensmtpd/proto/date.h"

static const char name[] = "received";

enum { NAME_MAX_OCTETS = sizeof name - 1 };

static void
on_value_end(struct received *received)
{
	struct span date = span_make(received->date, received->n_date);

	received->state = RECEIVED_NOT_FOUND;
	if (received->is_dated && received->n_date < sizeof received->date &&
	    date_parse(date, &received->at) == 0)
		received->state = RECEIVED_FOUND;
}

static void
on_value(struct received *received, char c)
{
	received->state = c == '\n' ? RECEIVED_VALUE_LINE : RECEIVED_VALUE;
	if (c == ';') {
		received->is_dated = true;
		received->n_date = 0;
	} else if (received->n_date < sizeof received->date) {
		received->date[received->n_date++] = c;
	}
}

/* RFC 5322 3.6.8: printable octets without a colon; 4.5 has blanks before the colon. */
static void
on_name(struct received *received, char c)
{
	size_t n = received->n_name;

	if (c == ':') {
		bool is_it = received->is_received && n == NAME_MAX_OCTETS;
		received->state = n == 0  ? RECEIVED_NOT_FOUND
				  : is_it ? RECEIVED_VALUE
					  : RECEIVED_OTHER;
	} else if (is_wsp(c) && n > 0) {
		received->state = RECEIVED_COLON;
	} else if (!is_print(c) || is_wsp(c)) {
		received->state = RECEIVED_NOT_FOUND;
	} else {
		if (n == 0)
			received->is_received = true;
		if (n >= NAME_MAX_OCTETS || to_lower(c) != name[n])
			received->is_received = false;
		received->n_name++;
	}
}

static void
on_line(struct received *received, char c)
{
	received->state = RECEIVED_NAME;
	received->n_name = 0;
	on_name(received, c);
}

static void
on_octet(struct received *received, char c)
{
	switch (received->state) {
	case RECEIVED_NAME:
		on_name(received, c);
		return;
	case RECEIVED_COLON:
		if (c == ':')
			on_name(received, c);
		else if (!is_wsp(c))
			received->state = RECEIVED_NOT_FOUND;
		return;
	case RECEIVED_OTHER_LINE:
		if (!is_wsp(c)) {
			on_line(received, c);
			return;
		}
		received->state = RECEIVED_OTHER;
		return;
	case RECEIVED_OTHER:
		if (c == '\n')
			received->state = RECEIVED_OTHER_LINE;
		return;
	case RECEIVED_VALUE_LINE:
		if (!is_wsp(c)) {
			on_value_end(received);
			return;
		}
		on_value(received, c);
		return;
	case RECEIVED_VALUE:
		on_value(received, c);
		return;
	case RECEIVED_FOUND:
	case RECEIVED_NOT_FOUND:
		return;
	}
}

void
received_take(struct received *received, struct span octets)
{
	for (size_t i = 0; i < octets.n && !received_is_over(received); i++) {
		if (received->n_octets++ == RECEIVED_LOOKED_AT)
			received->state = RECEIVED_NOT_FOUND;
		else
			on_octet(received, octets.p[i]);
	}
}

void
received_end(struct received *received)
{
	if (received->state == RECEIVED_VALUE_LINE)
		on_value_end(received);
	else if (received->state != RECEIVED_FOUND)
		received->state = RECEIVED_NOT_FOUND;
}

bool
received_is_over(const struct received *received)
{
	return received->state == RECEIVED_FOUND || received->state == RECEIVED_NOT_FOUND;
}

int
received_get(const struct received *received, int64_t *at)
{
	if (received->state != RECEIVED_FOUND)
		return 0;
	*at = received->at;
	return 1;
}
