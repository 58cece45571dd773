/* SPDX-License-Identifier: ISC
 *
 * The error queue, entry by entry.  A mark in it would not do: reading a CA's file empties the
 * whole queue, marks and all.
 */
#include "tls/errors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/mem.h"

static char *
copy_of(const char *text)
{
	return text == NULL ? NULL : mem_dup(text, strlen(text));
}

void
errors_take(struct errors *errors)
{
	const char *file, *func, *text;
	int line, flags;
	unsigned long code;

	errors->n = 0;
	while (errors->n < ERRORS_KEPT &&
	       (code = ERR_get_error_all(&file, &line, &func, &text, &flags)) != 0) {
		bool has_text = (flags & ERR_TXT_STRING) != 0;
		errors->e[errors->n++] = (struct error_entry){ code, line, copy_of(file),
			copy_of(func), copy_of(has_text ? text : NULL) };
	}
	ERR_clear_error();
}

void
errors_give_back(struct errors *errors)
{
	ERR_clear_error();
	for (size_t i = 0; i < errors->n; i++) {
		struct error_entry *e = &errors->e[i];
		int library = ERR_GET_LIB(e->code), reason = ERR_GET_REASON(e->code);
		ERR_new();
		ERR_set_debug(e->file, e->line, e->func);
		if (e->text != NULL)
			ERR_set_error(library, reason, "%s", e->text);
		else
			ERR_set_error(library, reason, NULL);
		free(e->file);
		free(e->func);
		free(e->text);
	}
}
