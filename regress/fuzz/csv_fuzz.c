/*
 * A hostile file of people.  What is accepted has a mail column; cells are
 * strings of UTF-8 inside the text, no longer than may be, on lines that grow;
 * a cell of groups comes back as it was taken apart.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "risad.h"
#include "utf8.h"

#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static void	 groups(const char *);
static void	 row(const struct csv *, const struct csv_row *, const char *,
		    size_t);

static void
groups(const char *cell)
{
	static char	 again[2 * CSV_LISTED], name[CSV_LISTED + 1];
	static char	 other[CSV_LISTED + 1];
	const char	*p = cell, *q = again;
	int		 n;

	again[0] = '\0';
	while ((n = csv_group(&p, name, sizeof(name))) == 1)
		TRUE_OR_DIE(csv_group_add(again, sizeof(again), name) == 0);
	TRUE_OR_DIE(n == 0);
	p = cell;
	while (csv_group(&p, name, sizeof(name)) == 1) {
		TRUE_OR_DIE(csv_group(&q, other, sizeof(other)) == 1);
		TRUE_OR_DIE(strcmp(name, other) == 0);
	}
	TRUE_OR_DIE(csv_group(&q, other, sizeof(other)) == 0);
}

static void
row(const struct csv *cs, const struct csv_row *cr, const char *text,
    size_t size)
{
	const char	*s;
	size_t		 i;

	TRUE_OR_DIE(cr->cr_cell[CSV_EMAIL] != NULL);
	TRUE_OR_DIE(cr->cr_why < CSV_WHY_MAX);
	for (i = 0; i < CSV_COLUMNS; i++) {
		if ((s = cr->cr_cell[i]) == NULL)
			continue;
		TRUE_OR_DIE(*s == '\0' || (s >= text && s < text + size));
		TRUE_OR_DIE(utf8_valid(s, strlen(s)));
		TRUE_OR_DIE(strlen(s) <= (i == CSV_GROUPS ? CSV_LISTED :
		    i == CSV_EMAIL ? MAX_MAIL : MAX_NAME));
	}
	if (cr->cr_cell[CSV_GROUPS] != NULL)
		groups(cr->cr_cell[CSV_GROUPS]);
	(void)csv_role(cr->cr_cell[CSV_EMAIL]);
	TRUE_OR_DIE(cs->cs_p <= cs->cs_end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv	 cs;
	struct csv_row	 cr;
	char		*text;
	uint32_t	 line = 0;

	if ((text = malloc(size + 1)) == NULL)
		abort();
	memcpy(text, data, size);
	if (csv_open(&cs, text, size) == CSV_FINE) {
		while (csv_next(&cs, &cr)) {
			TRUE_OR_DIE(cr.cr_line > line);
			line = cr.cr_line;
			row(&cs, &cr, text, size);
		}
	}
	free(text);
	return (0);
}
