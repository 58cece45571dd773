/* SPDX-License-Identifier: ISC
 *
 * Rows of text in aligned columns.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 10 };

struct table {
	size_t columns;
	size_t rows;
	char **cells;			  /* rows * columns, each the table's own */
	size_t widths[TABLE_COLUMNS_MAX]; /* octets */
};

/* Out of memory ends the program: a table is the last thing it makes. */
void table_init(struct table *table, size_t columns);
void table_add(struct table *table, const char *const *cells);
/* On standard output, each line behind indent; then the table is empty again. */
void table_print(struct table *table, const char *indent);

#endif
