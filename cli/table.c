/* SPDX-License-Identifier: ISC
 *
 * Columns as wide as their widest cell, two blanks between them, none at the end of a line.
 */
#include "table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"

static void *
must(void *p)
{
	if (p == NULL) {
		cli_say("out of memory");
		exit(EX_TEMPFAIL);
	}
	return p;
}

void
table_init(struct table *table, size_t columns)
{
	assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
	*table = (struct table){ .columns = columns };
}

void
table_add(struct table *table, const char *const *cells)
{
	size_t have = table->rows * table->columns;

	table->cells =
	    must(mem_resize(table->cells, have + table->columns, sizeof table->cells[0]));
	for (size_t i = 0; i < table->columns; i++) {
		size_t n = strlen(cells[i]);
		table->cells[have + i] = must(mem_dup(cells[i], n));
		if (n > table->widths[i])
			table->widths[i] = n;
	}
	table->rows++;
}

void
table_print(struct table *table, const char *indent)
{
	for (size_t row = 0; row < table->rows; row++) {
		char **cells = table->cells + row * table->columns;
		size_t last = table->columns - 1;
		fputs(indent, stdout);
		while (last > 0 && cells[last][0] == '\0')
			last--;
		for (size_t i = 0; i < last; i++)
			printf("%-*s  ", (int)table->widths[i], cells[i]);
		puts(cells[last]);
		for (size_t i = 0; i < table->columns; i++)
			free(cells[i]);
	}
	free(table->cells);
	table_init(table, table->columns);
}
