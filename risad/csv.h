/*
 * People as a table of text (RFC 4180): the lines of a file that adds and
 * changes them.  A spreadsheet's habits are known: a mark at the start (BOM),
 * CRLF, LF or CR, cells separated by tabs where one pastes.  Pure; memory is
 * the caller's.
 */
#ifndef CSV_H
#define CSV_H

#include <stddef.h>
#include <stdint.h>

#define CSV_LINES	5000		/* of one file, with people on them */
#define CSV_BYTES	(1024 * 1024)	/* of one file */
#define CSV_CELLS	32		/* of a line */
#define CSV_LISTED	4096		/* bytes of the cell of the groups */

/* What a column is, and where on a line something is wrong. */
enum csv_place {
	CSV_EMAIL,
	CSV_NAME,
	CSV_ROLE,
	CSV_GROUPS,
	CSV_STATE,
	CSV_COLUMNS,
	CSV_HEADER = CSV_COLUMNS,	/* the names of the columns */
	CSV_LINE,			/* the line as a whole */
	CSV_PLACE_MAX
};

/* What is wrong.  The first ones are the parser's, the others storage's. */
enum csv_why {
	CSV_FINE,
	CSV_TEXT,		/* no UTF-8 */
	CSV_QUOTE,		/* a quote that does not end, or in a cell */
	CSV_COUNT,		/* more or fewer cells than columns */
	CSV_UNKNOWN,		/* no column, role, state, group so named */
	CSV_TWICE,		/* a column, or somebody for a second time */
	CSV_MISSING,		/* nothing where something must be */
	CSV_LONG,
	CSV_MANY,		/* more lines than CSV_LINES */
	CSV_INVALID,		/* a mail address or a name that is none */
	CSV_DOMAIN,		/* the tenant invites nobody of that domain */
	CSV_LAST,		/* no active administrator would be left */
	CSV_SELF,		/* one's own role or state */
	CSV_FULL,		/* the tenant or a group can take no more */
	CSV_INVITED,		/* that state needs a password, or none */
	CSV_WHY_MAX
};

/* A line with somebody on it. */
struct csv_row {
	uint32_t	 cr_line;	/* where it begins, from 1 */
	enum csv_why	 cr_why;
	enum csv_place	 cr_place;	/* of what is wrong */
	/* NULL: there is no such column.  Trimmed, no longer than may be. */
	const char	*cr_cell[CSV_COLUMNS];
};

struct csv {
	char		*cs_p, *cs_end;
	char		 cs_separator;
	uint32_t	 cs_line, cs_rows;
	unsigned int	 cs_ncells;	/* of the header */
	uint8_t		 cs_column[CSV_CELLS];	/* CSV_COLUMNS: nameless */
	enum csv_place	 cs_place;	/* of what is wrong with the header */
	const char	*cs_name;	/* and the name at fault, or "" */
};

/*
 * Begin: read the header.  The text is changed and cut into strings as it is
 * read; text[len] is ours too.  CSV_FINE, or what is wrong: then the file is
 * of no use.
 */
enum csv_why	 csv_open(struct csv *, char *text, size_t len);

/*
 * The next line that is not empty: 1, or 0 at the end.  The cells are good for
 * as long as the text; with cr_why set, those at fault are "".
 */
int		 csv_next(struct csv *, struct csv_row *);

/* A role or a state by its name, in either language; -1: there is none. */
int		 csv_role(const char *);
int		 csv_state(const char *);

/*
 * The next group in a cell, where names stand between ';' and a backslash
 * keeps a ';' or a backslash in a name.  1, 0 at the end, or -1 when it does
 * not fit; *cell is moved.
 */
int		 csv_group(const char **cell, char *dst, size_t);
/* The other way: append to such a cell.  0, or -1 when it does not fit. */
int		 csv_group_add(char *cell, size_t, const char *name);

/* How programs call them, in answers. */
const char	*csv_place_name(enum csv_place);
const char	*csv_why_name(enum csv_why);

#endif
