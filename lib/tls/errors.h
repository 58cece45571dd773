/* SPDX-License-Identifier: ISC
 *
 * OpenSSL's error queue of this thread belongs to the host: taken away while we work, then put
 * back as it was, but for marks in it.
 */
#ifndef TLS_ERRORS_H
#define TLS_ERRORS_H

#include <stddef.h>

enum { ERRORS_KEPT = 16 /* libcrypto keeps no more either */ };

/* One error; its texts are copies, NULL where there is none. */
struct error_entry {
	unsigned long code;
	int line;
	char *file, *func, *text;
};

struct errors {
	size_t n;
	struct error_entry e[ERRORS_KEPT];
};

/* The queue is empty after it.  Without memory the words of an error are lost, never the error. */
void errors_take(struct errors *errors);
/* What is in the queue by now goes; *errors is used up. */
void errors_give_back(struct errors *errors);

#endif
